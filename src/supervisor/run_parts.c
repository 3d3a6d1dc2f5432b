/* run_parts.c: see the header. Process: supervisor, main thread. */
#include "supervisor/run_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/path.h"
#include "base/text.h"
#include "config/run_judge.h"
#include "config/run_steps.h"
#include "supervisor/run_parts_files.h"

#define AGAIN_NS 60000000000ull /* what was refused of a run that was on already is tried again */
#define CUSTOM   "custom"       /* type of a run that a job from outside begins */
#define CARRIED  "run_comment.txt"

static const struct folder *folder_of(const struct run_parts *parts)
{
	return *parts->reconfigure->folder;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* --- check -------------------------------------------------------------------------------------------------------- */

static void add_problem(json_t *problems, const char *file, int line, const char *text)
{
	char whole[1200];

	if (!strcmp(file, "values"))
		snprintf(whole, sizeof(whole), "%.1100s", text);
	else if (line)
		snprintf(whole, sizeof(whole), "%.300s:%d: %.800s", file, line, text);
	else
		snprintf(whole, sizeof(whole), "%.300s: %.800s", file, text);
	text_make_safe(whole, strlen(whole)); /* it may have been cut */
	json_array_append_new(problems, json_string(whole));
}

static void check_tags(const struct folder *folder, const struct run_type *type, json_t *problems)
{
	const struct enrg_string_list *tags = &folder->supervisor.info.supervisor_tags;
	char text[400];

	for (size_t i = 0; i < type->options.required_tags.count; i++) {
		const char *wanted = type->options.required_tags.items[i];
		bool is_there = false;
		for (size_t k = 0; k < tags->count; k++)
			is_there |= !strcmp(tags->items[k], wanted);
		if (is_there)
			continue;
		snprintf(text, sizeof(text),
			"run type %s requires the tag \"%.100s\", which info.supervisor_tags of this supervisor does "
			"not have",
			type->name, wanted);
		text_make_safe(text, strlen(text)); /* it may have been cut */
		json_array_append_new(problems, json_string(text));
	}
}

/* What the type says counts where whoever starts the run has not said it. Ends are one thing: who names one names all.
 */
static void add_type_terms(const struct run_type *type, json_t *asked)
{
	static const char *const keys[] = {
		"stop_after_seconds", "stop_after_events", "stop_after_bytes", "count_source", "stop_when"};
	json_t *ends = run_ends_format(&type->options.ends);
	bool has_own = false;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		has_own |= json_object_get(asked, keys[i]) != NULL;
	if (!has_own)
		json_object_update(asked, ends);
	if (!json_object_get(asked, "repeat") && type->options.repeat)
		json_object_set_new(asked, "repeat", json_integer(type->options.repeat));
	json_decref(ends);
}

/* The map of a command has no booleans. */
static json_t *flatten(const json_t *values)
{
	json_t *flat = json_copy((json_t *)(uintptr_t)values);
	const char *name;
	json_t *value;
	void *next;

	json_object_foreach_safe(flat, next, name, value) if (json_is_boolean(value))
		json_object_set_new(flat, name, json_string(json_is_true(value) ? "true" : "false"));
	return flat;
}

static void note_coming(struct run_parts *parts, const struct run_setup *setup)
{
	json_decref(parts->coming);
	parts->coming = json_array();
	for (size_t i = 0; i < setup->job_count; i++)
		json_array_append_new(parts->coming, json_string(setup->jobs[i].name));
}

static void check_setup(struct run_parts *parts, const struct run_type *type, json_t *asked, json_t *problems)
{
	const struct folder *folder = folder_of(parts);
	const struct run_setup_wanted wanted = {
		.type = type, .values = json_object_get(asked, "values"), .is_aligned = true};
	struct run_setup *setup = NULL;
	struct problems found;
	struct enrg_error err = {0};

	problems_init(&found);
	if (run_setup_make(folder->plans, &wanted, &setup, &found, &err))
		json_array_append_new(problems, json_string(err.text));
	if (setup && !found.errors)
		run_judge_setup(folder, parts->reconfigure->types, setup, &found);
	for (size_t i = 0; i < found.count; i++)
		if (!found.items[i].is_warning)
			add_problem(problems, found.items[i].file, found.items[i].line, found.items[i].text);
	if (setup) {
		json_t *shown = run_setup_show_values(folder->plans, setup);
		json_object_set_new(asked, "values", flatten(setup->values));
		json_object_set_new(asked, "shown_values", flatten(shown));
		json_decref(shown);
		note_coming(parts, setup);
	}
	run_setup_free(setup);
	problems_fini(&found);
}

/* A folder that declares no types takes any word for one. */
static const struct run_type *find_type(const struct run_parts *parts, const json_t *asked, json_t *problems)
{
	const struct run_plans *plans = folder_of(parts)->plans;
	const char *name = text_of(asked, "type");
	const struct run_type *type = *name ? run_plans_find_type(plans, name) : NULL;
	char text[500];

	if (type || !*name || !strcmp(name, CUSTOM) || !plans || !plans->type_count)
		return type;
	run_plans_suggest_type(plans, name, text, sizeof(text));
	json_array_append_new(problems, json_string(text));
	return NULL;
}

static void check(void *context, json_t *asked, json_t *problems)
{
	struct run_parts *parts = context;
	const struct run_type *type = find_type(parts, asked, problems);

	json_decref(parts->coming);
	parts->coming = NULL;
	json_object_del(asked, "shown_values");
	if (!type) {
		if (json_object_size(json_object_get(asked, "values")) && !json_array_size(problems))
			json_array_append_new(
				problems, json_string("values: a run without a type of runs/types has no parameters"));
		return;
	}
	check_tags(folder_of(parts), type, problems);
	add_type_terms(type, asked);
	check_setup(parts, type, asked, problems);
	if (type->options.comment_carries && !json_object_get(asked, "comment") && parts->comment[0])
		json_object_set_new(asked, "comment", json_string(parts->comment));
}

static bool brings(void *context, const char *job)
{
	const struct run_parts *parts = context;

	for (size_t i = 0; i < json_array_size(parts->coming); i++)
		if (!strcmp(json_string_value(json_array_get(parts->coming, i)), job))
			return true;
	return false;
}

/* --- comments ----------------------------------------------------------------------------------------------------- */

static void format_comment_path(const struct run_parts *parts, char ret_path[RUNTIME_PATH_BYTES + 40])
{
	snprintf(ret_path, RUNTIME_PATH_BYTES + 40, "%s/" CARRIED, parts->reconfigure->runtime->folder);
}

/* Of a run that has begun. */
static void carry_comment(struct run_parts *parts, const struct run_type *type, const struct account *account)
{
	const char *comment = text_of(account->facts.asked, "comment");
	char path[RUNTIME_PATH_BYTES + 40];

	if (!type->options.comment_carries || !strcmp(parts->comment, comment))
		return;
	text_copy(parts->comment, sizeof(parts->comment), comment);
	format_comment_path(parts, path);
	(void)path_write_private_file(path, parts->comment, strlen(parts->comment), NULL);
}

static void read_comment(struct run_parts *parts)
{
	char path[RUNTIME_PATH_BYTES + 40], *text = NULL;
	size_t bytes;

	format_comment_path(parts, path);
	if (!path_read_file(path, sizeof(parts->comment) - 1, &text, &bytes, NULL))
		text_copy(parts->comment, sizeof(parts->comment), text);
	free(text);
}

/* --- jobs --------------------------------------------------------------------------------------------------------- */

static bool has_jobs(const struct run_parts *parts)
{
	const struct folder *folder = folder_of(parts);

	for (size_t i = 0; i < folder->sources.count; i++)
		if (run_parts_is_source(&folder->sources.items[i]))
			return true;
	return false;
}

static bool has_parts(void *context, const struct account *account)
{
	const struct run_parts *parts = context;

	(void)account;
	return has_jobs(parts) || parts->phase == RUN_PARTS_ADDING || parts->phase == RUN_PARTS_REMOVING;
}

static enum runs_progress refuse(struct run_parts *parts, const char *why, char *ret_text, size_t text_bytes)
{
	text_copy(parts->refused, sizeof(parts->refused), why);
	text_make_safe(parts->refused, strlen(parts->refused)); /* what a job has said; it is said again */
	parts->refused_ns = clock_mono_ns();
	snprintf(ret_text, text_bytes, "%s", parts->refused);
	return RUNS_REFUSED;
}

/* What the account's run is made of. NULL: *ret_text says why nothing. */
static struct run_setup *make_setup(
	const struct run_parts *parts, const struct account *account, char *ret_text, size_t text_bytes)
{
	const struct run_plans *plans = folder_of(parts)->plans;
	const char *name = text_of(account->facts.asked, "type");
	const struct run_setup_wanted wanted = {
		.type = run_plans_find_type(plans, name), .values = json_object_get(account->facts.asked, "values")};
	struct run_setup *setup = NULL;
	struct problems found;
	struct enrg_error err = {0};

	if (!wanted.type) {
		run_plans_suggest_type(plans, name, ret_text, text_bytes);
		return NULL;
	}
	problems_init(&found);
	int rc = run_setup_make(plans, &wanted, &setup, &found, &err);
	if (rc || found.errors) {
		snprintf(ret_text, text_bytes, "%s", rc ? err.text : found.items[0].text);
		run_setup_free(setup);
		setup = NULL;
	}
	problems_fini(&found);
	return setup;
}

/* `sources` is taken. 0: the change is under way, or none is needed; else a text says why not. */
static int change_to(struct run_parts *parts, struct sources *sources, char *ret_text, size_t text_bytes)
{
	struct command_answer answer = {0};
	int rc = 0;

	if (run_parts_are_alike(&folder_of(parts)->sources, sources)) {
		sources_fini(sources);
		return 0;
	}
	if (!reconfigure_take(parts->reconfigure, sources, &answer)) {
		snprintf(ret_text, text_bytes, "%s", answer.text);
		rc = -EPERM;
	}
	command_answer_fini(&answer);
	return rc;
}

static int begin_adding(struct run_parts *parts, const struct account *account, char *ret_text, size_t text_bytes)
{
	struct run_setup *setup = make_setup(parts, account, ret_text, text_bytes);
	struct sources sources = {0};
	struct enrg_error err = {0};

	if (!setup)
		return ENRG_E_CONFIG;
	carry_comment(parts, setup->type, account);
	int rc = run_parts_join(folder_of(parts), setup, parts->path, &sources, &err);
	run_setup_free(setup);
	if (!rc)
		return change_to(parts, &sources, ret_text, text_bytes);
	sources_fini(&sources);
	snprintf(ret_text, text_bytes, "%s", err.text);
	return rc;
}

/* Of all jobs of the run: the worst. */
static enum runs_progress look_at_jobs(const struct run_parts *parts, char *ret_text, size_t text_bytes)
{
	size_t length = strlen(parts->path);
	enum runs_progress progress = RUNS_DONE;

	for (size_t i = 0; i < parts->roster->count && progress != RUNS_REFUSED; i++) {
		const struct member *member = parts->roster->members[i];
		bool is_ready = member->state == MEMBER_RUNNING || member->state == MEMBER_DONE;

		if (is_ready || strncmp(member->config->file, parts->path, length) != 0)
			continue;
		/* one that was killed is started again; one that says that it can't is not waited for */
		bool has_failed = member->state == MEMBER_GIVEN_UP ||
				  (member->state == MEMBER_PAUSING && !member->was_ready && member->last_code > 0);
		progress = has_failed ? RUNS_REFUSED : RUNS_WAITING;
		if (progress == RUNS_REFUSED)
			snprintf(ret_text, text_bytes, "job %.100s does not run: %.90s%s%.200s", member->plan->name,
				member->last_exit, member->last_reason[0] ? ": " : "", member->last_reason);
		else
			snprintf(ret_text, text_bytes, "job %.100s is not ready", member->plan->name);
	}
	return progress;
}

/* --- configure ---------------------------------------------------------------------------------------------------- */

static bool has_type(const struct run_parts *parts, const struct account *account)
{
	const struct run_plans *plans = folder_of(parts)->plans;
	const char *name = text_of(account->facts.asked, "type");

	return *name && strcmp(name, CUSTOM) != 0 && plans && plans->type_count;
}

static bool is_asked(const struct member *member, const char *to)
{
	if (!strncmp(to, "job ", 4))
		return !strcmp(to + 4, member->plan->name);
	if (!strncmp(to, "type ", 5))
		return !strcmp(to + 5, member->plan->type);
	return !strcmp(to, "all");
}

/* One that a message is for and that is on its way, as behind a kill of the supervisor; NULL: there is none. */
static const struct member *find_late(const struct run_parts *parts, const struct run_setup *setup)
{
	for (size_t i = 0; i < parts->roster->count; i++) {
		const struct member *member = parts->roster->members[i];
		bool is_late = member->state == MEMBER_STARTING || member->state == MEMBER_WAITING;
		for (size_t k = 0; is_late && k < setup->message_count; k++)
			if (is_asked(member, setup->messages[k].message->options.to))
				return member;
	}
	return NULL;
}

static enum runs_progress send_messages(
	struct run_parts *parts, const struct account *account, char *ret_text, size_t text_bytes)
{
	struct run_setup *setup = make_setup(parts, account, ret_text, text_bytes);
	char text[700] = "";

	if (!setup)
		return refuse(parts, ret_text, ret_text, text_bytes);
	const struct member *late = find_late(parts, setup);
	if (late) {
		run_setup_free(setup);
		snprintf(ret_text, text_bytes, "job %.100s is not ready", late->plan->name);
		return RUNS_WAITING;
	}
	int rc = run_message_step(
		&parts->messages, folder_of(parts)->plans, setup, account->facts.uuid, text, sizeof(text));
	run_setup_free(setup);
	if (rc < 0)
		return refuse(parts, text, ret_text, text_bytes);
	snprintf(ret_text, text_bytes, "%s", text);
	if (rc)
		parts->phase = RUN_PARTS_READY;
	return rc ? RUNS_DONE : RUNS_WAITING;
}

static void turn_to(struct run_parts *parts, const struct account *account)
{
	bool is_again = parts->refused[0] && clock_mono_ns() - parts->refused_ns > AGAIN_NS;

	if (!strcmp(parts->run, account->id) && !is_again)
		return;
	snprintf(parts->run, sizeof(parts->run), "%s", account->id);
	parts->phase = RUN_PARTS_NONE;
	parts->refused[0] = '\0';
	run_message_begin(&parts->messages);
}

static enum runs_progress configure(void *context, const struct account *account, char *ret_text, size_t text_bytes)
{
	struct run_parts *parts = context;
	enum runs_progress progress;

	if (!has_type(parts, account))
		return RUNS_DONE;
	turn_to(parts, account);
	if (parts->refused[0]) {
		snprintf(ret_text, text_bytes, "%s", parts->refused);
		return RUNS_REFUSED;
	}
	if (parts->phase == RUN_PARTS_READY)
		return RUNS_DONE;
	if (transition_is_busy(parts->reconfigure->transition, ret_text, text_bytes))
		return RUNS_WAITING;
	if (parts->phase == RUN_PARTS_NONE) {
		if (begin_adding(parts, account, ret_text, text_bytes))
			return refuse(parts, ret_text, ret_text, text_bytes);
		parts->phase = RUN_PARTS_ADDING;
	}
	if (transition_is_busy(parts->reconfigure->transition, ret_text, text_bytes))
		return RUNS_WAITING;
	progress = look_at_jobs(parts, ret_text, text_bytes);
	if (progress == RUNS_REFUSED)
		return refuse(parts, ret_text, ret_text, text_bytes);
	if (progress == RUNS_WAITING)
		return RUNS_WAITING;
	parts->phase = RUN_PARTS_SENDING;
	return send_messages(parts, account, ret_text, text_bytes);
}

/* --- clean -------------------------------------------------------------------------------------------------------- */

static enum runs_progress clean(void *context, const struct account *account, char *ret_text, size_t text_bytes)
{
	struct run_parts *parts = context;
	struct sources sources = {0};
	struct enrg_error err = {0};

	(void)account;
	if (transition_is_busy(parts->reconfigure->transition, ret_text, text_bytes))
		return RUNS_WAITING;
	if (!has_jobs(parts)) {
		run_parts_remove_files(parts->path);
		parts->phase = RUN_PARTS_NONE;
		parts->run[0] = '\0';
		return RUNS_DONE;
	}
	int rc = run_parts_strip(folder_of(parts), &sources, &err);
	if (rc) {
		sources_fini(&sources);
		snprintf(ret_text, text_bytes, "%s", err.text);
	} else {
		rc = change_to(parts, &sources, ret_text, text_bytes);
	}
	parts->phase = rc ? RUN_PARTS_NONE : RUN_PARTS_REMOVING;
	if (!rc)
		snprintf(ret_text, text_bytes, "the jobs of the run are being removed");
	return rc ? RUNS_REFUSED : RUNS_WAITING;
}

/* --- life --------------------------------------------------------------------------------------------------------- */

void run_parts_open(struct run_parts *parts, struct reconfigure *reconfigure, struct commands *commands,
	struct book *book, struct roster *roster)
{
	*parts = (struct run_parts){
		.reconfigure = reconfigure, .roster = roster, .messages = {.commands = commands, .book = book}};
	snprintf(parts->path, sizeof(parts->path), "%s/" RUN_PARTS_FOLDER, reconfigure->runtime->folder);
	read_comment(parts);
}

void run_parts_close(struct run_parts *parts)
{
	json_decref(parts->coming);
	if (parts->path[0])
		run_parts_remove_files(parts->path); /* all jobs have ended; a killed supervisor does not come here */
	*parts = (struct run_parts){0};
}

struct runs_hooks run_parts_hooks(struct run_parts *parts)
{
	return (struct runs_hooks){.check = check,
		.brings = brings,
		.has_parts = has_parts,
		.configure = configure,
		.clean = clean,
		.context = parts};
}

/* Is a run open in runs.json? */
static bool is_run_open(const struct runtime *runtime)
{
	char path[RUNTIME_PATH_BYTES + 16], *text = NULL;
	size_t bytes;

	snprintf(path, sizeof(path), "%s/runs.json", runtime->folder);
	if (path_read_file(path, 16 << 20, &text, &bytes, NULL))
		return false;
	json_t *json = json_loadb(text, bytes, 0, NULL);
	bool is_open = json_is_object(json_object_get(json, "open"));
	json_decref(json);
	free(text);
	return is_open;
}

void run_parts_restore(struct folder **folder, const struct types *types, const struct runtime *runtime)
{
	struct sources sources = {0};
	struct folder *whole = NULL;
	struct problems problems;
	struct enrg_error err = {0};
	char path[RUNTIME_PATH_BYTES + 16];

	snprintf(path, sizeof(path), "%s/" RUN_PARTS_FOLDER, runtime->folder);
	if (!runtime->last_was_killed || !(*folder)->supervisor.runs.control || !is_run_open(runtime)) {
		run_parts_remove_files(path);
		return;
	}
	problems_init(&problems);
	int rc = run_parts_strip(*folder, &sources, &err);
	if (!rc)
		rc = run_parts_read(path, &sources, &err);
	if (!rc && !run_parts_are_alike(&(*folder)->sources, &sources))
		rc = folder_load_sources((*folder)->path, &sources, types, &whole, &problems, &err);
	if (rc || problems.errors) {
		log_line(ENRG_WARNING,
			"the jobs that came for the run of the killed supervisor can't be started again: %s; what they "
			"left is saved as of jobs that are no more, and the run ends",
			rc ? err.text : problems.items[0].text);
		folder_free(whole);
		run_parts_remove_files(path);
	} else if (whole) {
		folder_free(*folder);
		*folder = whole;
	}
	sources_fini(&sources);
	problems_fini(&problems);
}
