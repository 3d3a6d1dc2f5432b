/* upstream.h: the paths of the Python ENRGDAQ (docs/rest.md): what their files share. Process: enrgdaq-web, workers,
 * and the thread of CNC where a remote client has answered. */
#ifndef WEB_API_UPSTREAM_H
#define WEB_API_UPSTREAM_H

#include "web/api/routes.h"
#include "web/node/node.h"

/* Bodies, as JSON they go on to whoever carries them out; the structs are those that the tables fill. */
struct upstream_stop {
	const char *daq_job_name, *daq_job_unique_id;
	struct enrg_string_list daq_job_unique_ids;
	bool remove;
};
struct upstream_message {
	const char *message_type, *payload, *target_daq_job_unique_id, *type, *job_id;
};
extern const struct enrg_table upstream_restart_table, upstream_names_table, upstream_stop_table,
	upstream_stop_several_table, upstream_run_table, upstream_message_table, upstream_any_message_table;

/* CNCMessageReqNAME with the members of the body. New reference. */
json_t *upstream_make_request(const struct call *call, const char *name);
/* What node_ask or cnc_ask brought, as HTTP: 200 and 409 with all of it, else {"detail"}. `answer` is stolen. */
void upstream_format(int status, json_t *answer, struct web_response *ret_response);
/* The same to a call. */
enum call_outcome upstream_answer(struct call *call, int status, json_t *answer);
/* Asks the own system; `request` is stolen. */
enum call_outcome upstream_ask_own(struct call *call, json_t *request);
enum call_outcome upstream_get_own_status(struct call *call);
/* The last lines of the own log; `job` NULL: of all. New reference to {"logs"}. */
json_t *upstream_own_logs(struct call *call, const char *job);

/* Handlers: upstream_clients.c */
enum call_outcome upstream_clients(struct call *call);
enum call_outcome upstream_ping(struct call *call);
enum call_outcome upstream_status(struct call *call);
enum call_outcome upstream_logs(struct call *call);
enum call_outcome upstream_restart(struct call *call);
enum call_outcome upstream_stop_jobs(struct call *call);
enum call_outcome upstream_stop_job(struct call *call);
enum call_outcome upstream_run_job(struct call *call);
enum call_outcome upstream_send_message(struct call *call);
/* upstream_own.c: short paths, templates */
enum call_outcome upstream_own_jobs(struct call *call);
enum call_outcome upstream_own_restart(struct call *call);
enum call_outcome upstream_own_restart_jobs(struct call *call);
enum call_outcome upstream_own_stop(struct call *call);
enum call_outcome upstream_own_run(struct call *call);
/* So that the audit has the text that was to be started. Waits for a program. */
void upstream_show_text(struct call *call);
enum call_outcome upstream_own_message(struct call *call);
enum call_outcome upstream_job_templates(struct call *call);
enum call_outcome upstream_store_templates(struct call *call);
enum call_outcome upstream_message_templates(struct call *call);

#endif
