/* node.c: which request is carried out by which function, and what all of them need. */
#include "web/node/node_state.h"
#include "web/node/node_templates.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REQUEST "CNCMessageReq"
#define RESULT  "CNCMessageRes"

static int ping(struct node_call *call)
{
	(void)call;
	return 200;
}

static const struct {
	const char *name; /* behind CNCMessageReq */
	int (*carry_out)(struct node_call *call);
} requests[] = {
	{"Ping", ping},
	{"Status", node_tell_status},
	{"ListClients", node_list_clients},
	{"RestartDAQ", node_restart},
	{"StopDAQJobs", node_stop_jobs},
	{"RunCustomDAQJob", node_run_job},
	{"StopDAQJob", node_stop_job},
	{"SendMessage", node_send_message},
};

/* --- what is said ------------------------------------------------------------------------------------------------- */

int node_say(struct node_call *call, int status, const char *format, ...)
{
	char text[1400];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (!call->answer)
		call->answer = json_object();
	json_object_set_new(call->answer, "success", json_boolean(status == 200));
	/* a text that was cut within a character is none */
	json_t *message = json_string(text);
	json_object_set_new(call->answer, "message", message ? message : json_string("(not UTF-8 text)"));
	return status;
}

static int status_of(enum enrg_answer_code code)
{
	switch (code) {
	case ENRG_ANSWER_OK:
		return 200;
	case ENRG_ANSWER_WRONG_FIELDS:
		return 422;
	case ENRG_ANSWER_EXPIRED:
	case ENRG_ANSWER_UNKNOWN:
		return 504;
	case ENRG_ANSWER_REFUSED:
	case ENRG_ANSWER_NO_KIND:
	case ENRG_ANSWER_NOBODY:
	case ENRG_ANSWER_FAILED:
		break;
	}
	return 409;
}

int node_command(struct node_call *call, const struct node_command *command, json_t **ret_fields)
{
	const struct system_command asked = {
		.to = command->to, .kind = command->kind, .fields = command->fields, .who = call->who};
	struct system_answer answer = {0};
	struct enrg_error err = {0};
	int rc = system_ask(call->node->system, &asked, &answer, &err), status;

	if (rc == -EINVAL || rc == -EMSGSIZE || rc == ENRG_E_PROTOCOL) /* too long, too deep */
		return node_say(call, 422, "it can't be given as a command, nothing was done: %s", err.text);
	if (rc)
		return node_say(call, 503, "the system does not take commands now, nothing was done: %s", err.text);
	status = status_of(answer.code);
	if (status == 504)
		node_say(call, status, "it may have been done or not, see the status: %s",
			answer.text[0] ? answer.text : "no answer came in time");
	else
		node_say(call, status, "%s", answer.text[0] ? answer.text : status == 200 ? command->done : "refused");
	if (ret_fields)
		*ret_fields = answer.fields;
	else
		json_decref(answer.fields);
	return status;
}

/* --- fields ------------------------------------------------------------------------------------------------------- */

bool node_get_text(struct node_call *call, const char *key, const char **ret_text)
{
	const json_t *value = json_object_get(call->request, key);

	*ret_text = NULL;
	if (!value || json_is_null(value))
		return true;
	*ret_text = json_string_value(value);
	if (!*ret_text)
		node_say(call, 422, "%s: a text was expected", key);
	return *ret_text != NULL;
}

bool node_need_text(struct node_call *call, const char *key, const char **ret_text)
{
	if (!node_get_text(call, key, ret_text))
		return false;
	if (!*ret_text || !**ret_text)
		node_say(call, 422, "%s: it is required", key);
	return *ret_text && **ret_text;
}

bool node_get_flag(struct node_call *call, const char *key, bool fallback, bool *ret_flag)
{
	const json_t *value = json_object_get(call->request, key);

	*ret_flag = fallback;
	if (!value || json_is_null(value))
		return true;
	*ret_flag = json_is_true(value);
	if (!json_is_boolean(value))
		node_say(call, 422, "%s: true or false was expected", key);
	return json_is_boolean(value);
}

bool node_get_list(struct node_call *call, const char *key, const json_t **ret_list)
{
	const json_t *value = json_object_get(call->request, key);

	*ret_list = json_is_array(value) ? value : NULL;
	if (!value || json_is_null(value))
		return true;
	for (size_t i = 0; i < json_array_size(value); i++)
		if (!json_is_string(json_array_get(value, i)))
			value = NULL;
	if (!json_is_array(value))
		node_say(call, 422, "%s: a list of texts was expected", key);
	return json_is_array(value);
}

void node_format_time(uint64_t wall_ns, char ret_text[40])
{
	time_t seconds = (time_t)(wall_ns / 1000000000u);
	struct tm local;
	size_t used;

	ret_text[0] = '\0';
	if (!wall_ns || !localtime_r(&seconds, &local))
		return;
	used = strftime(ret_text, 32, "%Y-%m-%dT%H:%M:%S", &local);
	snprintf(ret_text + used, 40 - used, ".%06u", (unsigned)(wall_ns % 1000000000u / 1000u));
}

/* --- asking ------------------------------------------------------------------------------------------------------- */

int node_ask(struct node *node, const json_t *request, const struct access_who *who, json_t **ret_answer)
{
	const char *type = json_string_value(json_object_get(request, "type"));
	struct node_call call = {.node = node, .request = request, .who = who, .type = RESULT};
	int status = 0;

	for (size_t i = 0; type && i < sizeof(requests) / sizeof(requests[0]); i++) {
		if (strncmp(type, REQUEST, strlen(REQUEST)) != 0 ||
			strcmp(type + strlen(REQUEST), requests[i].name) != 0)
			continue;
		snprintf(call.type, sizeof(call.type), RESULT "%s", requests[i].name);
		status = requests[i].carry_out(&call);
	}
	if (!status)
		status = node_say(&call, 422, "type: there is no request \"%.100s\"", type ? type : "");
	if (!call.answer)
		call.answer = json_object();
	json_object_set_new(call.answer, "type", json_string(call.type));
	*ret_answer = call.answer;
	return status;
}

json_t *node_info(const struct node *node)
{
	const struct web_settings *settings = system_settings(node->system);

	return json_pack("{s:s, s:O}", "supervisor_id", settings->supervisor_id, "supervisor_tags", settings->tags);
}

json_t *node_logs(struct node *node, uint64_t *position, unsigned max)
{
	return node_log_list(node->log, position, max);
}

/* --- templates ---------------------------------------------------------------------------------------------------- */

static struct web_bytes *render(json_t *map, struct enrg_error *err)
{
	char *text = json_dumps(map, JSON_COMPACT);
	struct web_bytes *bytes = text ? web_bytes_create(text, strlen(text)) : NULL;

	if (!bytes)
		enrg_error_set(err, -ENOMEM, "out of memory");
	free(text);
	json_decref(map);
	return bytes;
}

struct web_bytes *node_hold_templates(struct node *node, enum node_templates which, struct enrg_error *err)
{
	static json_t *(*const makers[])(const json_t *catalogue) = {
		[NODE_TEMPLATES_JOBS] = node_templates_jobs,
		[NODE_TEMPLATES_STORES] = node_templates_stores,
		[NODE_TEMPLATES_MESSAGES] = node_templates_messages,
	};
	struct web_bytes **place = &node->templates[which], *bytes;

	pthread_mutex_lock(&node->templates_lock);
	json_t *catalogue = *place ? NULL : system_catalogue(node->system, err);
	if (catalogue)
		*place = render(makers[which](catalogue), err);
	json_decref(catalogue);
	bytes = *place ? web_bytes_hold(*place) : NULL;
	pthread_mutex_unlock(&node->templates_lock);
	return bytes;
}

/* --- life --------------------------------------------------------------------------------------------------------- */

int node_open(struct web_system *system, struct node **ret_node, struct enrg_error *err)
{
	struct node *node = calloc(1, sizeof(*node));

	if (!node)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	node->system = system;
	node->log = node_log_create(system_settings(system)->supervisor_id);
	if (!node->log) {
		free(node);
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	pthread_mutex_init(&node->lock, NULL);
	pthread_mutex_init(&node->templates_lock, NULL);
	*ret_node = node;
	return 0;
}

void node_close(struct node *node)
{
	if (!node)
		return;
	node_log_destroy(node->log);
	node_texts_fini(&node->texts);
	json_decref(node->status);
	web_bytes_release(node->bytes);
	for (size_t i = 0; i < sizeof(node->templates) / sizeof(node->templates[0]); i++)
		web_bytes_release(node->templates[i]);
	pthread_mutex_destroy(&node->templates_lock);
	pthread_mutex_destroy(&node->lock);
	free(node);
}
