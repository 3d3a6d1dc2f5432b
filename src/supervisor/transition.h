/* transition.h: brings a run from the jobs that it has to those that are wanted, while it goes on: a wish for each job
 * that is concerned, stepped after every event and every TRANSITION_STEP_NS until all are reached. Who has no wish and
 * no reader or input that changes is not touched. Process: supervisor, main thread. */
#ifndef SUPERVISOR_TRANSITION_H
#define SUPERVISOR_TRANSITION_H

#include "supervisor/change.h"
#include "supervisor/commands.h"
#include "supervisor/keeper.h"
#include "supervisor/ledger.h"
#include "supervisor/roster.h"

struct transition {
	struct roster *roster;
	struct ledger *ledger;
	struct keeper *keeper;
	struct runtime *runtime;
	struct commands *commands; /* answers go there */
	bool is_open;              /* something is under way */
	bool has_change;           /* jobs come, go, or change their texts or readers */
	uint8_t change_id[COMMAND_ID_BYTES];
	char done[700]; /* of the change: its answer */
	uint64_t told_ns;
	char waits_for[300];
	struct folder *retired; /* the one before, until nobody refers to it */
};

struct transition_plan {
	struct folder *folder;  /* wanted; is the one that runs from then on, and the caller's */
	struct folder *running; /* taken: freed when nobody refers to it any more */
	const struct change *change;
	struct plan_set *plans; /* of `folder`; taken out of the set */
	bool is_now;            /* removals do not wait for what is left */
	uint8_t id[COMMAND_ID_BYTES];
	const char *done; /* what is answered at the end */
};

/* Is something under way? *ret_text says what, for whoever has to wait. */
bool transition_is_busy(const struct transition *transition, char *ret_text, size_t text_bytes);
/* What is waited for at the moment, or "". */
const char *transition_wait(const struct transition *transition);
/* For one job; answered when it is reached. */
void transition_wish(struct transition *transition, struct member *member, enum member_wish wish,
	const uint8_t id[COMMAND_ID_BYTES], uint64_t now_ns);
/* The streams of jobs that come exist already. 0, -ENOMEM: then nothing has changed. */
int transition_begin(
	struct transition *transition, const struct transition_plan *plan, uint64_t now_ns, struct enrg_error *err);
/* true: all that was under way has come to its end with this step. */
bool transition_step(struct transition *transition, uint64_t now_ns);
/* The run ends: what is under way is not brought to its end any more. */
void transition_stop(struct transition *transition);
uint64_t transition_next_due(const struct transition *transition, uint64_t now_ns);
void transition_fini(struct transition *transition);

#endif
