/* edges.h: which store or processor reads which source, while that changes and both may run: stores join the streams of
 * sources and leave them. Each call does what can be done now. Process: supervisor, main thread.
 *
 * A store joins: an entry of the stream is made for it, which a running source has to acknowledge; then the store is
 * given the stream as an input. It leaves: it has stored what had been published when that was decided; then it lets
 * the stream go, and its entry is free. A processor does the same as a whole: it is started when it has joined all that
 * it reads, and leaves all of it when its process has ended. */
#ifndef SUPERVISOR_EDGES_H
#define SUPERVISOR_EDGES_H

#include "supervisor/ledger.h"
#include "supervisor/roster.h"

struct edges {
	struct roster *roster;
	struct ledger *ledger;
	uint64_t now_ns;
	char waits_for[300]; /* of the last step: what it waits for, or "" */
};

/* Brings the readers of a source closer to what is wanted of it (member.wanted; of one that is to be removed: none).
 * true: nothing is left to be done. */
bool edges_step(struct edges *edges, struct member *source);
/* Has the store read all that had been published when its removal was decided? */
bool edges_are_drained(struct edges *edges, struct member *store);
/* A store whose process has ended leaves all of its streams. What it has not read stays there for the next process of
 * that name (`is_now`), or is none of its business. true: nothing of it is left. */
bool edges_part(struct edges *edges, struct member *store);
/* Are all that this processor is to read ready for it? */
bool edges_has_joined(const struct edges *edges, const struct member *processor);
/* Where it has to stop reading is decided anew when it leaves the next time. */
void edges_forget_marks(struct edges *edges, const struct member *processor);
/* The input becomes one of the store, which is told. */
void edges_give_input(struct edges *edges, struct member *store, const char *source);
/* Does the process of that store go by its plan? Tells it again where it takes long. */
bool edges_is_told(struct edges *edges, struct member *store);

#endif
