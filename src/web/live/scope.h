/* scope.h: the thread that reads sources for the scope: as an observer, which no source waits for; of each request the
 * newest frame is kept. Without requests nothing is open, and it sleeps. Process: enrgdaq-web; every function on the
 * main thread. */
#ifndef WEB_LIVE_SCOPE_H
#define WEB_LIVE_SCOPE_H

#include "web/live/feed.h"

enum { SCOPE_FEEDS_MAX = 64 };

struct scope;

struct scope_params {
	const char *supervisor;
	void (*on_frame)(void *context); /* on the scope's thread: there is a frame, or another state */
	void *context;
};

int scope_start(const struct scope_params *params, struct scope **ret_scope, struct enrg_error *err);
void scope_stop(struct scope *scope); /* takes NULL; all feeds are released */

/* The feed of such a request, which may be there already. NULL: there are SCOPE_FEEDS_MAX, or no memory. */
struct feed *scope_acquire(struct scope *scope, const struct feed_request *request);
void scope_release(struct scope *scope, struct feed *feed);
/* Who wants frames is said anew in each turn: between the two calls scope_want for each client with credit. `sent`: the
 * last frame that it has; `period_ns`: no faster than that. What nobody wants is not looked at. */
void scope_begin_wants(struct scope *scope);
void scope_want(struct scope *scope, struct feed *feed, uint64_t sent, uint64_t period_ns);
void scope_end_wants(struct scope *scope);
/* A single trigger shows one more. */
void scope_arm(struct scope *scope, struct feed *feed);
/* feed_zoom: a frame of it comes, also where none is wanted. */
void scope_zoom(struct scope *scope, struct feed *feed, const struct feed_window *window);
/* Which run is on, and its number. */
void scope_set_run(struct scope *scope, const char *run, uint64_t number);
/* The newest frame behind `after`, one reference; NULL: there is none. */
struct web_bytes *scope_get_frame(struct scope *scope, struct feed *feed, uint64_t after, uint64_t *ret_sequence);
/* Why there are no frames ("": there are); counts changes. */
uint32_t scope_get_state(struct scope *scope, struct feed *feed, char ret_state[300]);

#endif
