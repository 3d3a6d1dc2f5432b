/* deferred.h: commands that wait until the change that is under way is done, in the order in which they came. Process:
 * supervisor, main thread. */
#ifndef SUPERVISOR_DEFERRED_H
#define SUPERVISOR_DEFERRED_H

#include "handover/command.h"

#define DEFERRED_MAX 64u

struct deferred {
	size_t count;
	struct command items[DEFERRED_MAX];
};

/* A copy. false: there is no room. `is_answered`: with ok already, so that it does not expire any more. */
bool deferred_put(struct deferred *deferred, const struct command *command, bool is_answered);
/* The next one, whose body is the caller's then; false: none. */
bool deferred_take(struct deferred *deferred, struct command *ret_command);
void deferred_fini(struct deferred *deferred);

#endif
