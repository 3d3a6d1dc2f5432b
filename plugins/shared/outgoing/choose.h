/* choose.h: what goes out next: one alert, or a word about many. Memory only. */
#ifndef OUTGOING_CHOOSE_H
#define OUTGOING_CHOOSE_H

#include "delivery.h"
#include "outbox.h"
#include "quota.h"

struct choice {
	uint32_t count, job_count; /* of the entries that are `is_going` */
	uint64_t overflow;         /* beyond them */
	const char *job;           /* whose quota was taken; of an entry that is going */
	char id[OUTBOX_ID_BYTES + 12];
};

/* Marks entries as `is_going`. `is_last_chance`: whatever the quota says, since the process ends. false: nothing may go
 * now. */
bool choose(
	struct outbox *outbox, struct quota *quota, bool is_last_chance, uint64_t now_ns, struct choice *ret_choice);
void choice_undo(struct outbox *outbox); /* nothing is going */

#define CHOICE_TRIES    4u /* of a letter, until others go before it */
#define CHOICE_REFUSALS 3u

struct choice_failure {
	bool is_refused, may_have_arrived;
	uint64_t now_ns, succeeded_ns; /* CLOCK_MONOTONIC: when another letter went through, the last time */
	uint64_t wall_ns, patience_ns; /* patience 0: for ever */
};

/* Of a letter that failed: what has waited longer than the patience, or was refused so often, stays `is_going`, to be
 * given up; the rest is not going. A failure while others go through counts as refused. How many stay. */
uint32_t choice_keep_hopeless(struct outbox *outbox, const struct choice_failure *failure);

/* Fills the notice but for sent_by. The text that it refers to, to be freed behind it; NULL: out of memory. */
char *choice_describe(const struct choice *choice, const struct outbox *outbox, struct notice *ret_notice);

#endif
