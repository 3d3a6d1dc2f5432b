/* cnc.h: ENRGDAQ's ZeroMQ protocol: as a server (ROUTER) who is registered and what was asked of them, as a client
 * (DEALER) heartbeats, logs and answers of the own system. One thread of its own. Process: enrgdaq-web. */
#ifndef WEB_CNC_CNC_H
#define WEB_CNC_CNC_H

#include "web/node/node.h"

struct cnc;
/* Its settings are those of the system. A port that is in use is no error: it is said in the log, and tried again. */
int cnc_open(struct node *node, struct web_system *system, struct access *access, struct cnc **ret_cnc,
	struct enrg_error *err);
void cnc_close(struct cnc *cnc); /* what was asked is answered 503; takes NULL */

/* {id: {identity, last_seen, info}} as GET /clients answers: the own system first. New reference. Any thread. */
json_t *cnc_clients(struct cnc *cnc);
bool cnc_knows(struct cnc *cnc, const char *client_id);
/* Last 1,000 Log messages of a client, oldest first; new reference; NULL: unknown. Any thread. */
json_t *cnc_logs(struct cnc *cnc, const char *client_id);

/* status: 200, 404 unknown, 409 refused, 504 unanswered within 30 s …; `answer` is borrowed, and has `message` where
 * it is not 200. On the thread of CNC, on a worker, or on the caller's in the call. */
typedef void cnc_answered(void *context, int status, const json_t *answer);
/* Asks that client (the own system too). `request` is borrowed; req_id is set here. Any thread; never waits. */
void cnc_ask(struct cnc *cnc, const char *client_id, const json_t *request, const struct access_who *who,
	cnc_answered *answered, void *context);

#endif
