/* reconfigure.c: from a command to a change of the run. Process: supervisor, main thread. */
#include "supervisor/reconfigure.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "config/run_judge.h"
#include "supervisor/reconfigure_plans.h"

#define FILE_BYTES_MAX (16u << 20)

static const uint8_t no_id[COMMAND_ID_BYTES];

/* --- bodies ------------------------------------------------------------------------------------------------------- */

struct name_body {
	const char *name;
	bool wait;
	bool now; /* of remove */
};

struct reload_body {
	bool dry_run;
};

#define NAME_OPTION                                                                                                    \
	{                                                                                                              \
		.key = "name", .kind = ENRG_OPTION_STRING, .offset = offsetof(struct name_body, name),                 \
		.required = true, .help = "the job"                                                                    \
	}

#define WAIT_OPTION                                                                                                    \
	{                                                                                                              \
		.key = "wait", .kind = ENRG_OPTION_BOOL, .offset = offsetof(struct name_body, wait),                   \
		.default_value = "true", .help = "false: answered when it is under way"                                \
	}

static const struct enrg_option name_options[] = {NAME_OPTION, WAIT_OPTION, {0}};

static const struct enrg_option remove_options[] = {
	NAME_OPTION,
	WAIT_OPTION,
	{.key = "now",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct name_body, now),
		.default_value = "false",
		.help = "does not wait until what is left is stored: it stays in shared memory"},
	{0},
};

static const struct enrg_option reload_options[] = {
	{.key = "dry_run",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct reload_body, dry_run),
		.default_value = "false",
		.help = "says what would be done, and does nothing"},
	{0},
};

static const struct enrg_option no_options[] = {{0}};

/* --- refusing ----------------------------------------------------------------------------------------------------- */

static void list_problems(const struct problems *problems, struct command_answer *answer)
{
	json_t *list = json_array();

	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *problem = &problems->items[i];
		char text[1200];

		snprintf(text, sizeof(text), "%s:%d: %s%s", problem->file, problem->line,
			problem->is_warning ? "warning: " : "", problem->text);
		json_array_append_new(list, json_string(text));
	}
	if (!answer->fields)
		answer->fields = json_object();
	json_object_set_new(answer->fields, "problems", list);
}

enum command_outcome reconfigure_refuse_problems(const struct problems *problems, struct command_answer *answer)
{
	const struct problem *first = problems->items;

	while (first->is_warning)
		first++;
	list_problems(problems, answer);
	command_answer_set(answer, COMMAND_REFUSED,
		"%zu problem(s) in the configuration, nothing was changed: %.200s:%d: %.600s", problems->errors,
		first->file, first->line, first->text);
	return COMMAND_ANSWERED;
}

enum command_outcome reconfigure_refuse(struct command_answer *answer, const struct enrg_error *err)
{
	command_answer_set(answer, COMMAND_REFUSED, "nothing was changed: %.900s", err->text);
	return COMMAND_ANSWERED;
}

/* --- doing -------------------------------------------------------------------------------------------------------- */

/* One line an item, into the answer's fields; *ret_text: all of them in one. */
static void describe(
	const struct change *change, const char *note, struct command_answer *answer, char *ret_text, size_t text_bytes)
{
	json_t *lines = json_array();
	size_t used = 0;

	ret_text[0] = '\0';
	for (size_t i = 0; i < change->count; i++) {
		char line[400];

		change_format_item(&change->items[i], line, sizeof(line));
		json_array_append_new(lines, json_string(line));
		if (used + strlen(line) + 20 < text_bytes)
			used += (size_t)snprintf(ret_text + used, text_bytes - used, "%s%s", i ? "; " : "", line);
	}
	if (!change->count)
		used = (size_t)snprintf(ret_text, text_bytes, "no job comes, goes or changes");
	if (note && used < text_bytes)
		snprintf(ret_text + used, text_bytes - used, "; %s", note);
	if (!answer->fields)
		answer->fields = json_object();
	json_object_set_new(answer->fields, "plan", lines);
}

static enum command_outcome begin(struct reconfigure *self, struct folder *wanted, const struct change *change,
	const struct reconfigure_request *request, struct command_answer *answer, const char *done)
{
	struct transition_plan plan = {
		.folder = wanted, .running = *self->folder, .change = change, .is_now = request->is_now, .done = done};
	struct enrg_error err = {0};
	int rc = reconfigure_make_plans(self, wanted, change, &plan.plans, &err);

	if (rc) {
		folder_free(wanted);
		return reconfigure_refuse(answer, &err);
	}
	if (!request->is_detached)
		memcpy(plan.id, request->command->id, sizeof(plan.id));
	rc = transition_begin(self->transition, &plan, self->now_ns(self->context), &err);
	*self->folder = wanted;
	roster_set_policy(self->transition->roster, &wanted->supervisor);
	plan_set_destroy(plan.plans);
	if (!rc)
		return COMMAND_LATER;
	command_answer_set(answer, COMMAND_FAILED, "%s", err.text);
	return COMMAND_ANSWERED;
}

static bool adds_default(const struct folder *wanted, const struct change *change)
{
	for (size_t i = 0; i < change->count; i++)
		for (size_t k = 0; change->items[i].kind == CHANGE_ADD_STORE && k < wanted->job_count; k++)
			if (wanted->jobs[k].is_default && !strcmp(wanted->jobs[k].name, change->items[i].name))
				return true;
	return false;
}

/* As who has sent the text counts its lines. */
static void name_as_sent(const struct problems *problems, const struct reconfigure_request *request)
{
	for (size_t i = 0; request->text_file && i < problems->count; i++) {
		struct problem *problem = &problems->items[i];
		char *name = strcmp(problem->file, request->text_file) ? NULL : strdup("text");

		if (!name)
			continue;
		free(problem->file);
		problem->file = name;
		problem->line = problem->line > request->text_lines ? problem->line - request->text_lines : 1;
	}
}

enum command_outcome reconfigure_consider(struct reconfigure *self, struct sources *sources,
	const struct reconfigure_request *request, struct command_answer *answer)
{
	struct folder *wanted = NULL;
	struct change *change = NULL;
	struct problems problems;
	struct enrg_error err = {0};
	enum command_outcome outcome = COMMAND_ANSWERED;
	struct plan_set *plans = NULL;
	char text[700];

	problems_init(&problems);
	int rc = folder_load_sources((*self->folder)->path, sources, self->types, &wanted, &problems, &err);
	if (!rc && !strcmp(request->command->kind, "reload"))
		run_judge_plans(wanted, self->types, &problems);
	name_as_sent(&problems, request);
	if (!rc && !problems.errors)
		rc = change_make(*self->folder, wanted, &change, &problems, &err);
	if (rc) {
		outcome = reconfigure_refuse(answer, &err);
	} else if (problems.errors) {
		outcome = reconfigure_refuse_problems(&problems, answer);
	} else if (!strcmp(request->command->kind, "job.remove") && adds_default(wanted, change)) {
		command_answer_set(answer, COMMAND_REFUSED,
			"nothing was changed: a source still names this store, and would get one with defaults; remove "
			"the "
			"source, or its section and `enrgdaq reload`");
	} else {
		describe(change, request->note, answer, text, sizeof(text));
		if (problems.count)
			list_problems(&problems, answer);
		/* the log has it, too, where nothing was done */
		command_answer_set(answer, COMMAND_OK, "%s%s", request->is_dry && change->count ? "would " : "", text);
		if (request->is_dry) {
			rc = reconfigure_check_plans(self, wanted, change, &plans, &err);
			plan_set_destroy(plans);
			outcome = rc ? reconfigure_refuse(answer, &err) : COMMAND_ANSWERED;
		} else {
			outcome = begin(self, wanted, change, request, answer, text);
			wanted = NULL;
		}
	}
	change_destroy(change);
	folder_free(wanted);
	problems_fini(&problems);
	return outcome;
}

bool reconfigure_is_busy(const struct reconfigure *self, struct command_answer *answer)
{
	char text[600];

	if (!transition_is_busy(self->transition, text, sizeof(text)))
		return false;
	command_answer_set(answer, COMMAND_REFUSED, "%s", text);
	return true;
}

/* --- commands: the whole ------------------------------------------------------------------------------------------ */

bool reconfigure_is_inside(const struct reconfigure *self, const char *file, char *ret_name, char *ret_file)
{
	char folder[PATH_MAX], path[PATH_MAX];
	size_t length;

	if (!self->config_path || !realpath(self->config_path, folder) || !realpath(file, path))
		return false;
	length = strlen(folder);
	if (strncmp(path, folder, length) != 0 || path[length] != '/')
		return false;
	snprintf(ret_name, PATH_MAX, "%.*s", (int)(strlen(path + length + 1) - strlen(".toml")), path + length + 1);
	snprintf(ret_file, PATH_MAX, "%s/%s", (*self->folder)->path, path + length + 1);
	/* the folder's own paths come without a slash at the end */
	for (char *slash; (slash = strstr(ret_file, "//"));)
		memmove(slash, slash + 1, strlen(slash));
	return true;
}

static const struct job_config *find_file(const struct folder *folder, const char *file)
{
	for (size_t i = 0; i < folder->job_count; i++)
		if (!strcmp(folder->jobs[i].file, file))
			return &folder->jobs[i];
	return NULL;
}

static const struct job_config *find_job(const struct folder *folder, const char *name)
{
	for (size_t i = 0; i < folder->job_count; i++)
		if (!strcmp(folder->jobs[i].name, name))
			return &folder->jobs[i];
	return NULL;
}

enum command_outcome reconfigure_add_file(struct reconfigure *self, const struct reconfigure_request *wanted,
	const char *given, struct command_answer *answer)
{
	const char *slash = strrchr(given, '/');
	struct reconfigure_request request = *wanted;
	struct sources sources = {0};
	struct enrg_error err = {0};
	char name[PATH_MAX], file[PATH_MAX], *text;
	const struct job_config *job;
	size_t bytes;

	if (reconfigure_is_busy(self, answer))
		return COMMAND_ANSWERED;
	if (given[0] != '/' || strlen(slash) < 7 || strcmp(given + strlen(given) - 5, ".toml") != 0) {
		command_answer_set(answer, COMMAND_REFUSED,
			"file: the absolute path of a .toml file was expected, found \"%.300s\"", given);
		return COMMAND_ANSWERED;
	}
	if (!reconfigure_is_inside(self, given, name, file)) {
		snprintf(name, sizeof(name), "%.*s", (int)(strlen(slash) - 6), slash + 1);
		snprintf(file, sizeof(file), "%s", given);
		request.note = "its file lies outside of the folder: it runs until this run ends";
	}
	job = find_file(*self->folder, file);
	for (size_t i = 0; !job && i < (*self->folder)->sources.count; i++)
		if (!strcmp((*self->folder)->sources.items[i].name, name))
			job = find_file(*self->folder, (*self->folder)->sources.items[i].file);
	if (job) {
		command_answer_set(answer, COMMAND_REFUSED,
			"%s is there already, from %s; `enrgdaq job restart %s` starts it anew, `enrgdaq reload` takes "
			"a "
			"changed text",
			job->name, job->file, job->name);
		return COMMAND_ANSWERED;
	}
	if (path_read_file(given, FILE_BYTES_MAX, &text, &bytes, &err))
		return reconfigure_refuse(answer, &err);
	int rc = sources_clone(&(*self->folder)->sources, &sources, &err);
	if (!rc)
		rc = sources_put(&sources, file, name, text, &err);
	free(text);
	if (!rc)
		return reconfigure_consider(self, &sources, &request, answer);
	sources_fini(&sources);
	return reconfigure_refuse(answer, &err);
}

static void refuse_name(const struct reconfigure *self, const char *name, struct command_answer *answer)
{
	const char *nearest = roster_suggest(self->transition->roster, name);

	command_answer_set(answer, COMMAND_NOBODY, "there is no job \"%.200s\"; %s%s%s", name,
		nearest ? "did you mean " : "`enrgdaq status` lists the jobs", nearest ? nearest : "",
		nearest ? "?" : "");
}

/* A removal that waits is not to wait any more. */
static bool hasten_removal(struct reconfigure *self, const struct name_body *wanted, struct command_answer *answer)
{
	struct member *member = roster_find(self->transition->roster, wanted->name);

	if (!member || member->wish != WISH_REMOVE)
		return false;
	member->is_now = member->is_now || wanted->now;
	command_answer_set(answer, wanted->now ? COMMAND_OK : COMMAND_REFUSED, "%s",
		wanted->now ? "what is left stays in shared memory" : "it is being removed already");
	return true;
}

bool reconfigure_is_custom(const struct reconfigure *self, const char *file)
{
	size_t length = strlen(self->runtime->folder);

	return !strncmp(file, self->runtime->folder, length) &&
	       !strncmp(file + length, "/" RECONFIGURE_CUSTOM "/", strlen("/" RECONFIGURE_CUSTOM "/"));
}

/* A supervisor that comes after a kill must not bring it back. */
static void forget_text(const struct reconfigure *self, const char *file)
{
	if (reconfigure_is_custom(self, file))
		unlink(file);
}

/* Another change is under way: it stops now, and goes when that is done. */
static enum command_outcome put_off_removal(struct reconfigure *self, const struct command *command,
	const struct name_body *wanted, struct command_answer *answer)
{
	struct member *member = roster_find(self->transition->roster, wanted->name);
	const struct job_config *job = find_job(*self->folder, wanted->name);

	if (!deferred_put(&self->deferred, command, true)) {
		command_answer_set(answer, COMMAND_REFUSED, "too many changes wait: try again when they are done");
		return COMMAND_ANSWERED;
	}
	if (job) /* it is answered with ok now */
		forget_text(self, job->file);
	if (member)
		member->is_parting = true;
	if (member && member_is_source(member) && !member->wish)
		transition_wish(self->transition, member, WISH_STOP, no_id, self->now_ns(self->context));
	command_answer_set(answer, COMMAND_OK, "it stops, and is removed when the change that is under way is done");
	return COMMAND_ANSWERED;
}

static bool lies_in(const struct folder *folder, const char *file)
{
	size_t length = strlen(folder->path);

	return !strncmp(file, folder->path, length) &&
	       (file[length] == '/' || (length && folder->path[length - 1] == '/'));
}

static enum command_outcome remove_job(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	struct reconfigure *self = context;
	const struct name_body *wanted = body;
	const struct job_config *job = find_job(*self->folder, wanted->name);
	struct reconfigure_request request = {.command = command, .is_now = wanted->now, .is_detached = !wanted->wait};
	struct sources sources = {0};
	struct enrg_error err = {0};
	char text[600], file[PATH_MAX];

	if (hasten_removal(self, wanted, answer))
		return COMMAND_ANSWERED;
	if (!job) {
		refuse_name(self, wanted->name, answer);
		return COMMAND_ANSWERED;
	}
	if (!wanted->wait && transition_is_busy(self->transition, text, sizeof(text)))
		return put_off_removal(self, command, wanted, answer);
	if (reconfigure_is_busy(self, answer))
		return COMMAND_ANSWERED;
	if (job->is_default) {
		command_answer_set(answer, COMMAND_REFUSED, "%s has no file: it is there as long as a source names it",
			wanted->name);
		return COMMAND_ANSWERED;
	}
	if (!access(job->file, F_OK) && lies_in(*self->folder, job->file))
		request.note = "its file stays: the next reload or run starts it again";
	int rc = sources_clone(&(*self->folder)->sources, &sources, &err);
	if (rc)
		return reconfigure_refuse(answer, &err);
	snprintf(file, sizeof(file), "%s", job->file);
	sources_drop(&sources, file);
	enum command_outcome outcome = reconfigure_consider(self, &sources, &request, answer);
	if (outcome == COMMAND_LATER)
		forget_text(self, file);
	return request.is_detached && outcome == COMMAND_LATER ? COMMAND_ANSWERED : outcome;
}

/* Jobs whose file lies elsewhere stay. */
static int keep_temporary(const struct reconfigure *self, struct sources *sources, struct enrg_error *err)
{
	const struct folder *folder = *self->folder;
	int rc = 0;

	for (size_t i = 0; !rc && i < folder->sources.count; i++) {
		const struct source *source = &folder->sources.items[i];

		if (!lies_in(folder, source->file) && strcmp(source->name, "supervisor") != 0)
			rc = sources_put(sources, source->file, source->name, source->text, err);
	}
	return rc;
}

static enum command_outcome reload(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	struct reconfigure *self = context;
	struct reconfigure_request request = {
		.command = command, .is_dry = ((const struct reload_body *)body)->dry_run};
	struct sources sources = {0};
	struct problems problems;
	struct enrg_error err = {0};
	enum command_outcome outcome = COMMAND_ANSWERED;

	if (!request.is_dry && reconfigure_is_busy(self, answer))
		return COMMAND_ANSWERED;
	if (!self->config_path) {
		command_answer_set(answer, COMMAND_REFUSED, "this run has no folder that could be read again");
		return COMMAND_ANSWERED;
	}
	problems_init(&problems);
	int rc = sources_read((*self->folder)->path, &sources, &problems, &err);
	if (!rc && self->supervisor_file)
		rc = sources_set_supervisor(&sources, self->supervisor_file, &err);
	if (!rc)
		rc = keep_temporary(self, &sources, &err);
	if (rc)
		outcome = reconfigure_refuse(answer, &err);
	else if (problems.errors)
		outcome = reconfigure_refuse_problems(&problems, answer);
	else
		outcome = reconfigure_consider(self, &sources, &request, answer);
	sources_fini(&sources);
	problems_fini(&problems);
	return outcome;
}

/* --- commands: one job -------------------------------------------------------------------------------------------- */

static struct member *find_free(struct reconfigure *self, const char *name, struct command_answer *answer)
{
	struct member *member = roster_find(self->transition->roster, name);

	if (!member)
		refuse_name(self, name, answer);
	else if (member->wish)
		command_answer_set(answer, COMMAND_REFUSED, "another command for %.200s is under way", name);
	return member && !member->wish ? member : NULL;
}

static enum command_outcome wish(struct reconfigure *self, const struct command *command, struct member *member,
	enum member_wish wish, bool waits)
{
	transition_wish(self->transition, member, wish, waits ? command->id : no_id, self->now_ns(self->context));
	return waits ? COMMAND_LATER : COMMAND_ANSWERED;
}

static enum command_outcome stop(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	const struct name_body *wanted = body;
	struct reconfigure *self = context;
	struct member *member = roster_find(self->transition->roster, wanted->name);

	if (member && !wanted->wait && (member->wish == WISH_STOP || member->wish == WISH_REMOVE)) {
		command_answer_set(answer, COMMAND_OK, "it is being stopped already");
		return COMMAND_ANSWERED;
	}
	member = find_free(self, wanted->name, answer);
	return member ? wish(self, command, member, WISH_STOP, wanted->wait) : COMMAND_ANSWERED;
}

static enum command_outcome start(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	struct reconfigure *self = context;
	struct member *member = find_free(self, ((const struct name_body *)body)->name, answer);

	if (!member)
		return COMMAND_ANSWERED;
	if (member_is_alive(member)) {
		command_answer_set(answer, COMMAND_OK, "it runs already");
		return COMMAND_ANSWERED;
	}
	return wish(self, command, member, WISH_START, ((const struct name_body *)body)->wait);
}

static enum command_outcome restart(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	const struct name_body *wanted = body;
	struct reconfigure *self = context;
	struct member *member = find_free(self, wanted->name, answer);

	return member ? wish(self, command, member, WISH_RESTART, wanted->wait) : COMMAND_ANSWERED;
}

/* For who waits for the answer of a change. */
static enum command_outcome tell_wait(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	const struct reconfigure *self = context;

	(void)command;
	(void)body;
	command_answer_set(answer, COMMAND_OK, "%s", transition_wait(self->transition));
	return COMMAND_ANSWERED;
}

#define KIND(name, text, struct_type, table, function)                                                                 \
	{                                                                                                              \
		.kind = name, .summary = text, .body = {.size = sizeof(struct struct_type), .options = table},         \
		.handle = function                                                                                     \
	}

static const struct command_kind kinds[] = {
	KIND("job.remove", "removes a job; what is left is stored first", name_body, remove_options, remove_job),
	KIND("job.stop", "ends a job, which stays in the list", name_body, name_options, stop),
	KIND("job.start", "starts a job that is stopped, done or given up", name_body, name_options, start),
	KIND("job.restart", "ends a job and starts it again", name_body, name_options, restart),
	KIND("reload", "makes the run what the folder says now", reload_body, reload_options, reload),
	{.kind = "job.wait",
		.summary = "answers what a change waits for, or nothing",
		.body = {.size = 1, .options = no_options},
		.is_silent = true,
		.handle = tell_wait},
	{0},
};

int reconfigure_open(struct reconfigure *reconfigure, struct commands *commands)
{
	return commands_add(commands, kinds, reconfigure);
}

bool reconfigure_take(struct reconfigure *reconfigure, struct sources *sources, struct command_answer *answer)
{
	static const struct command nobody = {.kind = "run.jobs"};
	const struct reconfigure_request request = {.command = &nobody};

	if (reconfigure_is_busy(reconfigure, answer)) {
		sources_fini(sources);
		return false;
	}
	return reconfigure_consider(reconfigure, sources, &request, answer) == COMMAND_LATER;
}
