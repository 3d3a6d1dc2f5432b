/* follow.h: the thread that follows log and alerts of the own system, into events. Process: enrgdaq-web. */
#ifndef WEB_LIVE_FOLLOW_H
#define WEB_LIVE_FOLLOW_H

#include "web/live/events.h"

struct follow;

struct follow_params {
	const char *supervisor;
	struct events *events;
	void (*on_events)(void *context); /* on that thread: there are some */
	void *context;
};

int follow_start(const struct follow_params *params, struct follow **ret_follow, struct enrg_error *err);
void follow_stop(struct follow *follow); /* takes NULL */
/* Why there are no lines of the log; "". Any thread. */
void follow_get_state(struct follow *follow, char ret_state[300]);

#endif
