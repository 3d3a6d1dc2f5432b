/* v1_texts.c: files of the configuration folder, read without their secrets and written as a whole. What needs the
 * types of jobs (what is secret, what is wrong) is asked of the program `enrgdaq`. */
#include "web/api/routes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "web/api/folder_text.h"
#include "web/system/shown_text.h"
#include "web/system/tool.h"

#define PATIENCE_MS 20000u
#define WRONG_BYTES 1800u

static const char *text_of(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

/* `enrgdaq check FOLDER --show FILE` and the like. NULL: answered. */
static json_t *ask_program(struct call *call, const char *option, const char *file, const char *input)
{
	const struct web_settings *settings = system_settings(call->web->system);
	const char *const words[] = {settings->program, "check", settings->config_folder, option, file, NULL};
	const struct tool_params params = {.words = words, .input = input, .patience_ms = PATIENCE_MS};
	struct enrg_error err = {0};
	int code = 0;
	json_t *answer = tool_run(&params, &code, &err);

	if (answer && code == 0)
		return answer;
	if (answer)
		call_refuse(call, 422, "%s", text_of(answer, "detail"));
	else
		call_refuse(call, 503, "%s", err.text);
	json_decref(answer);
	return NULL;
}

static enum call_outcome refuse(struct call *call, int rc, const struct enrg_error *err)
{
	int status = rc == -ENOENT ? 404 : 409;

	if (rc == -EINVAL || rc == -EFBIG)
		status = 422;
	return call_refuse(call, status, "%s", err->text);
}

/* --- read --- */

struct text_query {
	const char *file;
};
static const struct enrg_option text_options[] = {
	{.key = "file",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct text_query, file),
		.required = true,
		.help = "As it is called in the configuration folder, such as camera.toml or "
			"runs/templates/laser.toml."},
	{0},
};
static const struct enrg_table text_table = {sizeof(struct text_query), text_options};

/* Is it there, and no link? The program that shows it would follow one. */
static int look(struct call *call, const char *file, struct enrg_error *err)
{
	char *text = NULL;
	size_t bytes;
	int rc = folder_text_read(system_settings(call->web->system)->config_folder, file, &text, &bytes, err);

	free(text);
	return rc;
}

static enum call_outcome get_text(struct call *call)
{
	const struct text_query *query = call->query;
	struct enrg_error err = {0};
	int rc = look(call, query->file, &err);

	if (rc < 0)
		return refuse(call, rc, &err);
	json_t *answer = ask_program(call, "--show", query->file, NULL);
	if (!answer)
		return CALL_ANSWERED;
	/* By the sum of the whole, and all but its secret, a weak secret could be guessed. */
	if (call->who.role < ACCESS_ADMIN && json_is_true(json_object_get(answer, "has_secrets")))
		json_object_set_new(answer, "sha256", json_null());
	return call_json(call, 200, answer);
}

/* --- written --- */

struct new_text {
	const char *file, *text, *expect_sha256;
	bool restart;
};
static const struct enrg_option write_options[] = {
	{.key = "file",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct new_text, file),
		.required = true,
		.help = "As it is called in the configuration folder; its own folder has to be there."},
	{.key = "text",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct new_text, text),
		.required = true,
		.help = "The whole file, as TOML; a secret that says *** keeps its value. 256 KiB at most."},
	{.key = "expect_sha256",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct new_text, expect_sha256),
		.default_value = "\"\"",
		.help = "Sum of the file that was read; empty: there is none yet. Another one is not overwritten."},
	{.key = "restart",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct new_text, restart),
		.default_value = "false",
		.help = "Then makes the system what its folder says (reload): jobs whose file has changed start anew."},
	{0},
};
static const struct enrg_table write_table = {sizeof(struct new_text), write_options};

static enum call_outcome refuse_stale(struct call *call, const char *sha256, const struct enrg_error *err)
{
	return call_json(call, 409, json_pack("{ssss}", "detail", err->text, "sha256", sha256));
}

/* A text with a mistake is not written, nor one that makes mistakes in other files: a job of the same name, a store
 * that is not there any more. What was wrong elsewhere before may stay so. */
static bool counts(const struct new_text *body, const json_t *checked, const json_t *problem)
{
	bool is_worse = json_integer_value(json_object_get(checked, "errors")) >
			json_integer_value(json_object_get(checked, "errors_before"));

	return !json_is_true(json_object_get(problem, "is_warning")) &&
	       (is_worse || !strcmp(text_of(problem, "file"), body->file));
}

/* One sentence a problem; false: answered. */
static bool is_right(struct call *call, const struct new_text *body, const json_t *checked)
{
	const json_t *problem;
	char wrong[WRONG_BYTES] = "";
	size_t i, used = 0;

	json_array_foreach(json_object_get(checked, "problems"), i, problem)
	{
		if (used < sizeof(wrong) && counts(body, checked, problem))
			used += (size_t)snprintf(wrong + used, sizeof(wrong) - used, "%s%s:%d: %s", used ? "; " : "",
				text_of(problem, "file"), (int)json_integer_value(json_object_get(problem, "line")),
				text_of(problem, "text"));
	}
	if (used)
		call_refuse(call, 422, "nothing was written: %s", wrong);
	return !used;
}

static json_t *reload(struct call *call)
{
	const struct system_command command = {.to = "supervisor", .kind = "reload", .who = &call->who};
	struct system_answer answer;
	struct enrg_error err = {0};

	if (system_ask(call->web->system, &command, &answer, &err) < 0)
		return json_pack("{sbss}", "is_done", 0, "message", err.text);
	return json_pack("{sbssso}", "is_done", answer.code == ENRG_ANSWER_OK, "message", answer.text, "fields",
		answer.fields ? answer.fields : json_null());
}

static enum call_outcome write_text(struct call *call, const struct new_text *body, const char *text)
{
	const struct web_settings *settings = system_settings(call->web->system);
	char sha256[SHA256_HEX_BYTES] = "", kept[4096];
	struct enrg_error err = {0};

	if ((size_t)snprintf(kept, sizeof(kept), "%s/kept", settings->web_folder) >= sizeof(kept))
		return call_refuse(call, 409, "web.folder has too long a path");
	const struct folder_text_change change = {.folder = settings->config_folder,
		.file = body->file,
		.text = text,
		.kept_folder = kept,
		.expected = body->expect_sha256};
	int rc = folder_text_write(&change, sha256, &err);
	if (rc == -ESTALE)
		return refuse_stale(call, sha256, &err);
	if (rc < 0)
		return refuse(call, rc, &err);
	log_line(ENRG_INFO, "%s was changed by %s (%s); what it was lies in %s", body->file, call->who.name,
		access_role_name(call->who.role), kept);
	json_t *reloaded = body->restart ? reload(call) : json_null();
	return call_json(call, 200,
		json_pack("{ssssssso}", "file", body->file, "sha256", sha256, "kept_in", kept, "reload", reloaded));
}

static enum call_outcome post_text(struct call *call)
{
	const struct new_text *body = call->body;
	struct enrg_error err = {0};
	int rc = folder_text_check_name(body->file, &err);

	if (rc == 0 && strlen(body->text) > FOLDER_TEXT_BYTES_MAX)
		rc = enrg_error_set(&err, -EFBIG, "text: longer than %u KiB", FOLDER_TEXT_BYTES_MAX >> 10);
	if (rc == 0)
		rc = look(call, body->file, &err);
	if (rc == -ENOENT && *body->expect_sha256 == '\0')
		rc = 0;
	if (rc < 0)
		return refuse(call, rc, &err);
	json_t *checked = ask_program(call, "--edit", body->file, body->text);
	if (!checked)
		return CALL_ANSWERED;
	enum call_outcome outcome = CALL_ANSWERED;
	if (strcmp(text_of(checked, "sha256"), body->expect_sha256) != 0) {
		enrg_error_set(&err, -ESTALE,
			"%s is not what it was when it was read: somebody has changed it. Nothing was written; read it "
			"again",
			body->file);
		outcome = refuse_stale(call, text_of(checked, "sha256"), &err);
	} else if (is_right(call, body, checked)) {
		outcome = write_text(call, body, text_of(checked, "text"));
		call_show(call, "text",
			shown_text_make(system_settings(call->web->system), body->file, text_of(checked, "text")));
	}
	json_decref(checked);
	return outcome;
}

static const struct route_answer text_answers[] = {
	{200, "#Text", "its secrets say ***"},
	{404, "#Error", "there is no such file"},
	{409, "#Error", "it can't be read"},
	{0},
};
static const struct route_answer write_answers[] = {
	{200, "#Written", "it lies on the disk; with `restart`, `reload` says what became of that"},
	{404, "#Error", "there is no such file, or no such folder"},
	{409, "#Stale", "the file is not what was expected: `sha256` is that of what is there; or it can't be written"},
	{0},
};

const struct route v1_texts_routes[] = {
	{.method = WEB_GET,
		.path = "/api/v1/jobs/text",
		.least = ACCESS_VISITOR,
		.operation = "getText",
		.tag = "jobs",
		.summary = "A file of the configuration folder, without its secrets",
		.query = &text_table,
		.answers = text_answers,
		.handle = get_text},
	{.method = WEB_POST,
		.path = "/api/v1/jobs/text",
		.least = ACCESS_ADMIN,
		.is_change = true,
		.operation = "writeText",
		.tag = "jobs",
		.summary = "Checks and writes a file of the configuration folder; a dated copy of the old one is kept",
		.body = &write_table,
		.answers = write_answers,
		.handle = post_text},
	{0},
};
