/* node.h: the requests of ENRGDAQ's command and control, carried out for the own system, whoever asks: REST or CNC.
 * Bodies are JSON with the fields of docs/rest.md; `type` names the message ("CNCMessageReqStatus"). Process:
 * enrgdaq-web, workers. */
#ifndef WEB_NODE_NODE_H
#define WEB_NODE_NODE_H

#include "web/system/system.h"

struct node;
int node_open(struct web_system *system, struct node **ret_node, struct enrg_error *err);
void node_close(struct node *node);

/* `request` is borrowed. *ret_answer: the body with `type` ("CNCMessageRes…"), without req_id; new reference, never
 * NULL. Returns the HTTP status that it would have: 200, 409 refused (success false), 404, 422, 503, 504. Waits; a
 * worker calls it. */
int node_ask(struct node *node, const json_t *request, const struct access_who *who, json_t **ret_answer);
/* {"supervisor_id", "supervisor_tags"}: new reference. */
json_t *node_info(const struct node *node);
/* Log lines of the own system as {level, message, timestamp, module, client_id}, those behind position *position (0:
 * the last `max`); sets it to behind the last. New reference to an array. Never waits. */
json_t *node_logs(struct node *node, uint64_t *position, unsigned max);

#endif
