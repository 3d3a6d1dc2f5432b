/* node.h: the requests of ENRGDAQ's command and control, carried out for the own system, whoever asks: REST or CNC.
 * Bodies are JSON with the fields of docs/rest.md; `type` names the message ("CNCMessageReqStatus"). Process:
 * enrgdaq-web, workers. */
#ifndef WEB_NODE_NODE_H
#define WEB_NODE_NODE_H

#include "web/system/system.h"

struct node;
int node_open(struct web_system *system, struct node **ret_node, struct enrg_error *err);
void node_close(struct node *node); /* takes NULL */

/* `request` is borrowed. *ret_answer: the body with `type` ("CNCMessageRes…"), without req_id; new reference, never
 * NULL. Returns the HTTP status that it would have: 200, 409 refused (success false), 422 wrong or missing field, 503
 * the system is not there, 504 it does not answer. Waits; a worker calls it. */
int node_ask(struct node *node, const json_t *request, const struct access_who *who, json_t **ret_answer);
/* What `status` of CNCMessageResStatus is, as bytes: made once for all who ask between two looks at the system.
 * A reference; NULL: *ret_status says what node_ask would return, and err why. Waits; a worker calls it. */
struct web_bytes *node_hold_status(struct node *node, int *ret_status, struct enrg_error *err);
enum node_templates { NODE_TEMPLATES_JOBS, NODE_TEMPLATES_STORES, NODE_TEMPLATES_MESSAGES };
/* What there is to configure and to send, as the Python program describes it (docs/rest.md): made once. A reference;
 * NULL: err says why. Waits for a program at the first time; a worker calls it. */
struct web_bytes *node_hold_templates(struct node *node, enum node_templates which, struct enrg_error *err);
/* {"supervisor_id", "supervisor_tags"}: new reference. Any thread. */
json_t *node_info(const struct node *node);
/* Log lines of the own system as {type, req_id (null), level, message, timestamp,
 * module, client_id}: those behind position *position (0:
 * the last `max`); sets it to behind the last. New reference to an array, oldest first. Any thread; never waits for
 * another process. */
json_t *node_logs(struct node *node, uint64_t *position, unsigned max);

#endif
