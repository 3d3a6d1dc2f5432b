/* call.h: one request on its way through router and handler, until it is answered; what route.h's functions are made
 * of. Process: enrgdaq-web. */
#ifndef WEB_API_CALL_H
#define WEB_API_CALL_H

#include "config/options.h"
#include "web/api/match.h"
#include "web/api/repeats.h"

/* Held by the router while the handler runs, and by who called call_keep. */
struct call_ticket {
	struct call call; /* first */
	atomic_uint references;
	struct match match; /* route->path's parts lie there */
	struct options_memory *memory;
	uint64_t came_ns;      /* by the clock that only goes on */
	json_t *query, *body;  /* NULL: none */
	json_t *shown;         /* by call_show; NULL: none */
	struct repeat *repeat; /* NULL: no Idempotency-Key */
};

/* One reference. NULL: out of memory. */
struct call_ticket *call_create(
	struct web *web, const struct web_request *request, const struct match *match, const struct access_who *who);
void call_release(struct call_ticket *ticket);
/* Answers: audit, the memory of Idempotency-Key, then http. Once a call. Takes the response's body. */
void call_finish(struct call_ticket *ticket, struct web_response *response);

#endif
