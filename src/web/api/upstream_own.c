/* upstream_own.c: the short paths of the documentation of the Python program, which mean the own system; templates. */
#include "web/api/upstream.h"

#include <string.h>

#include "web/system/shown_text.h"

enum call_outcome upstream_own_jobs(struct call *call)
{
	json_t *request = upstream_make_request(call, "Status"), *answer = NULL, *jobs;
	int status = node_ask(call->web->node, request, &call->who, &answer);

	json_decref(request);
	if (status != 200)
		return upstream_answer(call, status, answer);
	jobs = json_incref(json_object_get(json_object_get(answer, "status"), "daq_jobs"));
	json_decref(answer);
	return call_json(call, 200, jobs);
}

enum call_outcome upstream_own_restart(struct call *call)
{
	return upstream_ask_own(call, upstream_make_request(call, "RestartDAQ"));
}

enum call_outcome upstream_own_restart_jobs(struct call *call)
{
	return upstream_ask_own(call, upstream_make_request(call, "StopDAQJobs"));
}

void upstream_show_text(struct call *call)
{
	const char *text = json_string_value(json_object_get(call->json, "config"));

	if (text)
		call_show(call, "config", shown_text_make(system_settings(call->web->system), "custom.toml", text));
}

enum call_outcome upstream_own_run(struct call *call)
{
	/* the start waits for nothing */
	enum call_outcome outcome = upstream_ask_own(call, upstream_make_request(call, "RunCustomDAQJob"));

	upstream_show_text(call);
	return outcome;
}

/* Each by itself; the answer is the first that is a refusal, else the last. */
static enum call_outcome stop_several(struct call *call, const struct enrg_string_list *names, bool is_removed)
{
	json_t *answer = NULL;
	int status = 200;

	for (size_t i = 0; i < names->count && status == 200; i++) {
		json_t *request = json_pack("{s:s, s:s, s:b}", "type", "CNCMessageReqStopDAQJob", "daq_job_unique_id",
			names->items[i], "remove", is_removed);
		json_decref(answer);
		status = node_ask(call->web->node, request, &call->who, &answer);
		json_decref(request);
	}
	if (status != 200)
		json_object_set_new(answer, "message",
			json_sprintf("%s; jobs behind it in daq_job_unique_ids were not stopped",
				json_string_value(json_object_get(answer, "message"))));
	return upstream_answer(call, status, answer);
}

enum call_outcome upstream_own_stop(struct call *call)
{
	const struct upstream_stop *body = call->body;

	if (body->daq_job_unique_ids.count)
		return stop_several(call, &body->daq_job_unique_ids, body->remove);
	if (!body->daq_job_name && !body->daq_job_unique_id)
		return call_refuse(
			call, 422, "daq_job_unique_id: it is required, or daq_job_name or daq_job_unique_ids");
	return upstream_ask_own(call, upstream_make_request(call, "StopDAQJob"));
}

static enum call_outcome answer_log(struct call *call, const char *job)
{
	json_t *answer = upstream_own_logs(call, job);

	json_object_update_new(answer, json_pack("{s:s, s:b, s:s}", "type", "CNCMessageResLog", "success", 1, "message",
					       "the last lines of the log"));
	return upstream_answer(call, 200, answer);
}

enum call_outcome upstream_own_message(struct call *call)
{
	const struct upstream_message *body = call->body;

	if (body->type && !strcmp(body->type, "req_log"))
		return answer_log(call, body->job_id);
	if (body->type)
		return call_refuse(call, 422, "type: \"req_log\" was expected, or message_type and payload");
	if (!body->message_type || !body->payload)
		return call_refuse(call, 422, "%s: it is required", body->message_type ? "payload" : "message_type");
	return upstream_ask_own(call, upstream_make_request(call, "SendMessage"));
}

static enum call_outcome answer_templates(struct call *call, enum node_templates which)
{
	struct enrg_error err = {0};
	struct web_bytes *bytes = node_hold_templates(call->web->node, which, &err);

	return bytes ? call_bytes(call, 200, NULL, bytes) : call_refuse(call, 503, "%s", err.text);
}

enum call_outcome upstream_job_templates(struct call *call)
{
	return answer_templates(call, NODE_TEMPLATES_JOBS);
}

enum call_outcome upstream_store_templates(struct call *call)
{
	return answer_templates(call, NODE_TEMPLATES_STORES);
}

enum call_outcome upstream_message_templates(struct call *call)
{
	return answer_templates(call, NODE_TEMPLATES_MESSAGES);
}
