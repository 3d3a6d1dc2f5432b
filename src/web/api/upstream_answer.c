/* upstream_answer.c: requests and answers of ENRGDAQ as HTTP has them. */
#include "web/api/upstream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/text.h"

json_t *upstream_make_request(const struct call *call, const char *name)
{
	json_t *request = call->json ? json_copy((json_t *)(uintptr_t)call->json) : json_object(), *value;
	const char *key;
	void *next;

	json_object_foreach_safe(request, next, key, value)
	{
		if (json_is_null(value)) /* the Python program takes null for some fields, and for others not */
			json_object_del(request, key);
	}
	json_object_set_new(request, "type", json_sprintf("CNCMessageReq%s", name));
	return request;
}

/* A random one, version 4. */
static json_t *make_uuid(void)
{
	unsigned char bytes[16];
	char uuid[37];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return json_null();
	text_format_uuid(bytes, 4, uuid);
	return json_string(uuid);
}

void upstream_format(int status, json_t *answer, struct web_response *ret_response)
{
	json_t *message = json_object_get(answer, "message");

	if (status != 200 && status != 409) {
		json_t *refusal = json_pack("{s:O*}", "detail", message);
		if (!message)
			json_object_set_new(refusal, "detail", json_string("there is no answer"));
		json_decref(answer);
		answer = refusal;
	} else if (!json_is_string(json_object_get(answer, "req_id"))) {
		json_object_set_new(answer, "req_id", make_uuid());
	}
	if (status == 409)
		json_object_set(answer, "detail", message);
	char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;

	ret_response->body = text ? web_bytes_create(text, strlen(text)) : NULL;
	ret_response->status = ret_response->body ? status : 503;
	ret_response->retry_after_s = ret_response->status == 503;
	free(text);
	json_decref(answer);
}

enum call_outcome upstream_answer(struct call *call, int status, json_t *answer)
{
	upstream_format(status, answer, &call->response);
	return CALL_ANSWERED;
}

enum call_outcome upstream_ask_own(struct call *call, json_t *request)
{
	json_t *answer = NULL;
	int status = node_ask(call->web->node, request, &call->who, &answer);

	json_decref(request);
	return upstream_answer(call, status, answer);
}

enum call_outcome upstream_get_own_status(struct call *call)
{
	struct enrg_error err = {0};
	int status;
	struct web_bytes *bytes = node_hold_status(call->web->node, &status, &err);

	return bytes ? call_bytes(call, 200, NULL, bytes) : call_refuse(call, status, "%s", err.text);
}

json_t *upstream_own_logs(struct call *call, const char *job)
{
	uint64_t position = 0;
	json_t *lines = node_logs(call->web->node, &position, 1000), *kept = json_array(), *line;
	size_t i;

	json_array_foreach(lines, i, line)
	{
		const char *module = json_string_value(json_object_get(line, "module"));
		if (!job || (module && !strcmp(module, job)))
			json_array_append(kept, line);
	}
	json_decref(lines);
	return json_pack("{s:o}", "logs", kept);
}
