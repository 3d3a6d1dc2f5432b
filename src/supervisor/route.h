/* route.h: commands to jobs: who is meant, whether it can take them now, the way over the bus, and the answers. A job
 * that is down, starting or ending is answered for at once; nothing is queued. The bus may lose a message, so a command
 * is sent again until it is answered, always to the same instance: its id makes that harmless. Where that instance ends
 * first, or the time is over, the answer is `unknown`. Process: supervisor, main thread. */
#ifndef SUPERVISOR_ROUTE_H
#define SUPERVISOR_ROUTE_H

#include "bus/bus.h"
#include "supervisor/commands.h"
#include "supervisor/roster.h"

#define ROUTE_PENDING_MAX 64u /* commands under way to jobs */

struct route;

/* From then on `commands` routes by it. All must live as long as the route. */
int route_create(const struct roster *roster, struct bus_client *bus, struct commands *commands,
	struct route **ret_route, struct enrg_error *err);
void route_destroy(struct route *route); /* takes NULL */
/* An answer of a job. */
void route_hear(struct route *route, const struct envelope *envelope);
/* Sends again, gives up. After each event, and at route_next_due; CLOCK_MONOTONIC. */
void route_step(struct route *route, uint64_t now_ns);
uint64_t route_next_due(const struct route *route); /* UINT64_MAX = nothing is under way */

#endif
