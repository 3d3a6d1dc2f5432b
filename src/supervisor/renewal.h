/* renewal.h: the command `restart`: the system ends in order, and starts again in this process with what its folder
 * says now. The folder is checked before anything is ended, and what was checked is what is started. Process:
 * supervisor, main thread. */
#ifndef SUPERVISOR_RENEWAL_H
#define SUPERVISOR_RENEWAL_H

#include "supervisor/commands.h"
#include "supervisor/reconfigure.h"

struct renewal {
	const struct reconfigure *reconfigure;
	bool is_asked;          /* the supervisor's loop begins the end */
	struct sources sources; /* to start again with; owned */
};

/* Adds the kind. -ENOSPC. */
int renewal_open(struct renewal *renewal, const struct reconfigure *reconfigure, struct commands *commands);
/* It is to end for good. */
void renewal_cancel(struct renewal *renewal);

#endif
