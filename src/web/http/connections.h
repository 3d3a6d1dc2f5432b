/* connections.h: all connections: taking them, finding them, what is due by time or brought by other threads. Main
 * thread.
 */
#ifndef WEB_HTTP_CONNECTIONS_H
#define WEB_HTTP_CONNECTIONS_H

#include "web/http/connection.h"

int connections_init(struct connections *all, const struct http_params *params, struct enrg_error *err);
void connections_fini(struct connections *all);

/* Takes the descriptor, or closes it: too many. */
void connections_accept(struct connections *all, int descriptor, const struct sockaddr_storage *peer);
/* Of a WebSocket or a request that is being answered; NULL: it has gone. */
struct connection *connections_find(struct connections *all, uint64_t id);
/* What is due by time. */
void connections_tick(struct connections *all);
/* What other threads have brought. */
void connections_deliver(struct connections *all);

#endif
