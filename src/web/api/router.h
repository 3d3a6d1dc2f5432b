/* router.h: from a request to the handler of its row: which route, who may, what is wrong with query and body, on which
 * thread; and what is answered where it does not come so far. Process: enrgdaq-web. */
#ifndef WEB_API_ROUTER_H
#define WEB_API_ROUTER_H

#include "web/api/route.h"

struct router;

/* `tables`: NULL at the end; they and `web` live as long as the router. Sets what of `web` is the router's. Tables with
 * a mistake (a path twice, …) are refused by name. */
int router_create(
	struct web *web, const struct route *const *tables, struct router **ret_router, struct enrg_error *err);
void router_destroy(struct router *router); /* takes NULL */
/* Answers the request, now or later, once. Main thread. */
void router_take(struct router *router, const struct web_request *request);

#endif
