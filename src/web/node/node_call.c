/* node_call.c: what all requests need: fields, commands, what is said of them. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "web/node/node_state.h"

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

json_t *node_info(const struct node *node)
{
	const struct web_settings *settings = system_settings(node->system);

	return json_pack("{s:s, s:O}", "supervisor_id", settings->supervisor_id, "supervisor_tags", settings->tags);
}
