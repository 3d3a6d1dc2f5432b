/* job_add.c: from a text to a job. Process: supervisor, main thread. */
#include "supervisor/job_add.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/log.h"
#include "base/path.h"
#include "base/text.h"
#include "config/run_match.h"
#include "config/secrets.h"
#include "config/web_options.h"
#include "supervisor/permission.h"

#define TEXT_BYTES_MAX (256u << 10)
#define AUDIT_BYTES    3000u /* of a text in a line of the log */

struct add_body {
	const char *file, *text, *name;
	bool restart_on_crash, in_run, wait;
};

#define AT(member) offsetof(struct add_body, member)

static const struct enrg_option add_options[] = {
	{.key = "file",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(file),
		.help = "absolute path of the job's TOML file; one that lies outside of the folder runs until this run "
			"ends"},
	{.key = "text",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(text),
		.help = "in place of file: the TOML text itself, 256 KiB at most; the job runs until this run ends, or "
			"it "
			"is removed"},
	{.key = "name",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(name),
		.help = "of a text without daq_job_unique_id: the job's name; without it one is drawn"},
	{.key = "restart_on_crash",
		.kind = ENRG_OPTION_BOOL,
		.offset = AT(restart_on_crash),
		.default_value = "true",
		.help = "of a text; false: when the job has crashed it is not started again, and leaves the list"},
	{.key = "in_run",
		.kind = ENRG_OPTION_BOOL,
		.offset = AT(in_run),
		.default_value = "false",
		.help = "it comes for the run that is on; where none is, a run of type `custom` begins with it, and "
			"ends "
			"when the last such job has ended"},
	{.key = "wait",
		.kind = ENRG_OPTION_BOOL,
		.offset = AT(wait),
		.default_value = "true",
		.help = "false: answered when it is being started; and it waits for a change that is under way, where "
			"it "
			"is refused otherwise"},
	{0},
};

static enum command_outcome refuse(struct command_answer *answer, const char *text)
{
	command_answer_set(answer, COMMAND_REFUSED, "%s; nothing was changed", text);
	return COMMAND_ANSWERED;
}

/* Of that name as files have it: a text lies as a file, which must not take the place of another one's. */
static const struct job_config *find_job(const struct folder *folder, const char *name)
{
	char wanted[256], safe[256];

	path_safe_name(name, wanted, sizeof(wanted));
	for (size_t i = 0; i < folder->job_count; i++) {
		path_safe_name(folder->jobs[i].name, safe, sizeof(safe));
		if (!strcmp(safe, wanted))
			return &folder->jobs[i];
	}
	return NULL;
}

/* --- may it be? --- */

/* By cnc.custom_jobs, and by who asks: an admin, and who is user of this machine, what the policy allows; a user what a
 * template without code is. */
static bool is_allowed(const struct reconfigure *self, const struct command *command, const struct toml_node *job,
	struct command_answer *answer)
{
	const struct folder *folder = *self->folder;
	bool may_run_code = permission_may_run_code(command);
	int policy = folder->supervisor.cnc.custom_jobs;
	char why[700], text[900];

	if (policy == CNC_CUSTOM_NONE) {
		(void)refuse(answer, "cnc.custom_jobs = \"none\": no job is started from a text here");
		return false;
	}
	if (policy == CNC_CUSTOM_ALL && may_run_code)
		return true;
	if (run_match_find(folder->plans, job, may_run_code, why, sizeof(why)))
		return true;
	snprintf(text, sizeof(text), "%s (%.650s)",
		policy == CNC_CUSTOM_TEMPLATES ? "cnc.custom_jobs = \"templates\": the text is that of no run template"
					       : "a text that is that of no run template is for the role admin alone",
		why);
	(void)refuse(answer, text);
	return false;
}

/* --- the text --- */

/* What the job is called: by its text, by who asks, or drawn. */
static void choose_name(const struct toml_node *job, const char *wanted, char ret_name[256])
{
	const struct toml_node *id = toml_find(job, "daq_job_unique_id");
	uint32_t drawn = 0;

	if (id && id->kind == TOML_STRING && id->text_bytes)
		snprintf(ret_name, 256, "%s", id->text);
	else if (wanted && *wanted)
		snprintf(ret_name, 256, "%s", wanted);
	else if (getrandom(&drawn, sizeof(drawn), 0) > 0)
		snprintf(ret_name, 256, "custom_%08x", drawn);
	text_make_safe(ret_name, strlen(ret_name));
}

/* With the lines that the command adds; keys of the top come first. malloc'ed. */
static char *complete_text(
	const struct add_body *wanted, const struct toml_node *job, const char *name, int *ret_added_lines)
{
	bool has_id = toml_find(job, "daq_job_unique_id"), has_restart = toml_find(job, "restart_on_crash");
	char *text = NULL;
	size_t bytes;
	FILE *stream = open_memstream(&text, &bytes);

	if (!stream)
		return NULL;
	if (!has_id) {
		fputs("daq_job_unique_id = \"", stream);
		for (const char *byte = name; *byte; byte++)
			if (*byte == '"' || *byte == '\\')
				fprintf(stream, "\\%c", *byte);
			else
				fputc(*byte, stream);
		fputs("\"\n", stream);
	}
	if (!wanted->restart_on_crash && !has_restart)
		fputs("restart_on_crash = false\n", stream);
	*ret_added_lines = !has_id + (!wanted->restart_on_crash && !has_restart);
	fputs(wanted->text, stream);
	if (fclose(stream)) {
		free(text);
		return NULL;
	}
	return text;
}

/* Each such start with its whole text, secrets masked. */
static void audit(const struct reconfigure *self, const struct command *command, const char *name, const char *file,
	const char *text)
{
	const struct command_person *person = &command->person;
	struct enrg_error err = {0};
	char user[64], *masked = NULL;

	path_format_user(command->sender.user, user, sizeof(user));
	if (secrets_hide_text(self->types, file, text, &masked, &err)) {
		log_line(ENRG_WARNING, "custom job %s: its text can't be shown: %s", name, err.text);
		return;
	}
	size_t bytes = strlen(masked), parts = (bytes + AUDIT_BYTES - 1) / AUDIT_BYTES;
	for (char *at = masked; *at; at++)
		if (*at == '\n' || *at == '\r')
			*at = '\x1f'; /* one line; the log shows it as it shows control characters */
	for (size_t i = 0; i < parts; i++)
		log_line(ENRG_INFO, "custom job %s, for %s%s%s%s, text %zu of %zu: %.*s", name,
			person->is_there ? person->who : user, person->is_there ? " (" : "",
			person->is_there ? command_role_name(person->role) : "", person->is_there ? ")" : "", i + 1,
			parts, (int)AUDIT_BYTES, masked + i * AUDIT_BYTES);
	free(masked);
}

/* --- adding --- */

static int put_file(const struct reconfigure *self, const char *name, const char *text, char ret_file[PATH_MAX],
	struct enrg_error *err)
{
	char folder[PATH_MAX - 300], safe[256];

	snprintf(folder, sizeof(folder), "%s/" RECONFIGURE_CUSTOM, self->runtime->folder);
	path_safe_name(name, safe, sizeof(safe));
	snprintf(ret_file, PATH_MAX, "%s/%s.toml", folder, safe);
	int rc = path_make_private_folder(folder, err);
	return rc ? rc : path_write_private_file(ret_file, text, strlen(text), err);
}

/* The text is right as a text; is it right here? */
static enum command_outcome add_named(struct reconfigure *self, const struct reconfigure_request *wanted,
	const char *name, const char *text, struct command_answer *answer)
{
	char file[PATH_MAX], source[300], safe[256];
	struct reconfigure_request request = *wanted;
	struct sources sources = {0};
	struct enrg_error err = {0};

	request.note = "it came as a text: it runs until the system stops or it is removed";
	request.text_file = file;

	path_safe_name(name, safe, sizeof(safe));
	snprintf(source, sizeof(source), RECONFIGURE_CUSTOM_SOURCE "%s", safe);
	int rc = put_file(self, name, text, file, &err);
	if (!rc)
		rc = sources_clone(&(*self->folder)->sources, &sources, &err);
	if (!rc)
		rc = sources_put(&sources, file, source, text, &err);
	if (rc) {
		sources_fini(&sources);
		return reconfigure_refuse(answer, &err);
	}
	enum command_outcome outcome = reconfigure_consider(self, &sources, &request, answer);
	if (outcome != COMMAND_LATER) {
		unlink(file);
		return outcome;
	}
	audit(self, wanted->command, name, file, text);
	return outcome;
}

static enum command_outcome add_text(struct reconfigure *self, const struct command *command,
	const struct add_body *wanted, char ret_name[256], struct command_answer *answer)
{
	struct toml_node *job = NULL;
	struct enrg_error err = {0};
	char text[600];
	struct reconfigure_request request = {.command = command, .is_detached = !wanted->wait};

	if (strlen(wanted->text) > TEXT_BYTES_MAX)
		return refuse(answer, "text: it has more than 256 KiB");
	if (toml_parse("text", wanted->text, strlen(wanted->text), &job, &err))
		return reconfigure_refuse(answer, &err);
	choose_name(job, wanted->name, ret_name);
	char *whole = is_allowed(self, command, job, answer) ? complete_text(wanted, job, ret_name, &request.text_lines)
							     : NULL;
	toml_free(job);
	if (!whole && !answer->code)
		return refuse(answer, "out of memory");
	if (!whole)
		return COMMAND_ANSWERED;
	enum command_outcome outcome = COMMAND_ANSWERED;
	const struct job_config *other = find_job(*self->folder, ret_name);
	if (other) {
		snprintf(text, sizeof(text), "there is a job %.200s already: another daq_job_unique_id was expected",
			other->name);
		(void)refuse(answer, text);
	} else {
		outcome = add_named(self, &request, ret_name, whole, answer);
	}
	free(whole);
	return outcome;
}

/* Of that file, which was added. */
static void find_added(const struct reconfigure *self, const char *given, char ret_name[256])
{
	const struct folder *folder = *self->folder;
	char name[PATH_MAX], file[PATH_MAX];
	bool is_inside = reconfigure_is_inside(self, given, name, file);

	ret_name[0] = '\0';
	for (size_t i = 0; i < folder->job_count; i++)
		if (!strcmp(folder->jobs[i].file, is_inside ? file : given))
			snprintf(ret_name, 256, "%s", folder->jobs[i].name);
}

static void join_run(const struct reconfigure *self, const struct command *command, const char *name)
{
	struct enrg_error err = {0};
	char user[64];

	path_format_user(command->sender.user, user, sizeof(user));
	if (runs_join(self->runs, name, command->person.is_there ? command->person.who : user, &err) < 0)
		log_line(ENRG_ERROR, "no run begins with %s, which was started for one: %s; `run_start` begins one",
			name, err.text);
}

static bool is_right(const struct add_body *wanted, const struct command *command, struct command_answer *answer)
{
	if (!wanted->file == !wanted->text)
		command_answer_set(answer, COMMAND_WRONG_FIELDS, "either file or text was expected, found %s",
			wanted->file ? "both" : "none");
	else if (wanted->file && !permission_may_run_code(command))
		(void)refuse(answer, "a file of this machine is for the role admin alone");
	else
		return true;
	return false;
}

static enum command_outcome add(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	const struct add_body *wanted = body;
	struct reconfigure *self = context;
	const struct reconfigure_request request = {.command = command, .is_detached = !wanted->wait};
	struct enrg_error err = {0};
	char name[256] = "", text[600];

	if (!is_right(wanted, command, answer))
		return COMMAND_ANSWERED;
	if (!wanted->wait && transition_is_busy(self->transition, text, sizeof(text)) &&
		deferred_put(&self->deferred, command, false))
		return COMMAND_LATER;
	if (reconfigure_is_busy(self, answer))
		return COMMAND_ANSWERED;
	if (wanted->in_run && !runs_may_join(self->runs, &err))
		return reconfigure_refuse(answer, &err);
	enum command_outcome outcome = wanted->text ? add_text(self, command, wanted, name, answer)
						    : reconfigure_add_file(self, &request, wanted->file, answer);
	if (outcome != COMMAND_LATER)
		return outcome;
	if (!wanted->text)
		find_added(self, wanted->file, name);
	if (wanted->in_run)
		join_run(self, command, name);
	if (wanted->wait)
		return outcome;
	if (!answer->fields)
		answer->fields = json_object();
	json_object_set_new(answer->fields, "job", json_string(name));
	return COMMAND_ANSWERED;
}

static const struct command_kind kinds[] = {
	{.kind = "job.add",
		.summary = "adds a job while the run is on",
		.body = {.size = sizeof(struct add_body), .options = add_options},
		.handle = add},
	{0},
};

int job_add_open(struct reconfigure *reconfigure, struct commands *commands)
{
	return commands_add(commands, kinds, reconfigure);
}
