/* upstream_clients.c: what is asked of a client: the own system by web/node, others by CNC, whose answer comes later.
 */
#include "web/api/upstream.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "web/cnc/cnc.h"

/* --- who ---------------------------------------------------------------------------------------------------------- */

static bool is_own(const struct call *call)
{
	return !strcmp(call->parts[0], system_settings(call->web->system)->supervisor_id);
}

static enum call_outcome refuse_unknown(struct call *call)
{
	return call_refuse(call, 404, "there is no client \"%.200s\", or it is not connected; /clients lists them",
		call->parts[0]);
}

enum call_outcome upstream_clients(struct call *call)
{
	char now[40];

	if (call->web->cnc)
		return call_json(call, 200, cnc_clients(call->web->cnc));
	clock_format_local(clock_wall_ns(), now);
	return call_json(call, 200,
		json_pack("{s:{s:n, s:s, s:o}}", system_settings(call->web->system)->supervisor_id, "identity",
			"last_seen", now, "info", node_info(call->web->node)));
}

/* --- requests ----------------------------------------------------------------------------------------------------- */

struct waiting {
	struct call_ticket *ticket;
	bool is_status;
};

static void answer_later(void *context, int status, const json_t *answer)
{
	struct waiting *waiting = context;
	struct web_response response = {0};
	json_t *copy = waiting->is_status && status == 200 ? json_deep_copy(json_object_get(answer, "status"))
							   : json_deep_copy(answer);

	if (waiting->is_status && status == 200) {
		char *text = copy ? json_dumps(copy, JSON_COMPACT) : NULL;
		response.body = text ? web_bytes_create(text, strlen(text)) : NULL;
		response.status = response.body ? 200 : 503;
		free(text);
		json_decref(copy);
	} else {
		upstream_format(status, copy, &response);
	}
	call_answer(waiting->ticket, &response);
	free(waiting);
}

/* `request` is stolen. */
static enum call_outcome ask_remote(struct call *call, json_t *request, bool is_status)
{
	struct waiting *waiting = NULL;

	if (!call->web->cnc || !cnc_knows(call->web->cnc, call->parts[0])) {
		json_decref(request);
		return refuse_unknown(call);
	}
	waiting = malloc(sizeof(*waiting));
	if (!waiting) {
		json_decref(request);
		return call_refuse(call, 503, "there is no memory for the request");
	}
	*waiting = (struct waiting){.ticket = call_keep(call), .is_status = is_status};
	cnc_ask(call->web->cnc, call->parts[0], request, &call->who, answer_later, waiting);
	json_decref(request);
	return CALL_LATER;
}

static enum call_outcome ask(struct call *call, const char *name)
{
	json_t *request = upstream_make_request(call, name);

	return is_own(call) ? upstream_ask_own(call, request) : ask_remote(call, request, false);
}

enum call_outcome upstream_status(struct call *call)
{
	if (is_own(call))
		return upstream_get_own_status(call);
	return ask_remote(call, upstream_make_request(call, "Status"), true);
}

enum call_outcome upstream_logs(struct call *call)
{
	json_t *lines;

	if (is_own(call))
		return call_json(call, 200, upstream_own_logs(call, NULL));
	lines = call->web->cnc ? cnc_logs(call->web->cnc, call->parts[0]) : NULL;
	return lines ? call_json(call, 200, json_pack("{s:o}", "logs", lines)) : refuse_unknown(call);
}

enum call_outcome upstream_ping(struct call *call)
{
	return ask(call, "Ping");
}

enum call_outcome upstream_restart(struct call *call)
{
	return ask(call, "RestartDAQ");
}

enum call_outcome upstream_stop_jobs(struct call *call)
{
	return ask(call, "StopDAQJobs");
}

enum call_outcome upstream_stop_job(struct call *call)
{
	const struct upstream_stop *body = call->body;

	/* asked of others as well: the Python program would answer nothing */
	if (!body->daq_job_name && !body->daq_job_unique_id)
		return call_refuse(call, 422, "daq_job_unique_id: it is required, or daq_job_name");
	return ask(call, "StopDAQJob");
}

enum call_outcome upstream_run_job(struct call *call)
{
	if (is_own(call))
		return upstream_own_run(call);
	upstream_show_text(call);
	return ask(call, "RunCustomDAQJob");
}

enum call_outcome upstream_send_message(struct call *call)
{
	return ask(call, "SendMessage");
}
