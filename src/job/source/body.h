/* body.h: one batch on its way into the stream of a job; what outputs, appended rows and pieces stand on. Main thread
 * of a source. */
#ifndef JOB_SOURCE_BODY_H
#define JOB_SOURCE_BODY_H

#include "job/source/output.h"

/* Of the largest batch. */
uint64_t output_payload_max(const struct enrg_output *output);
/* Claims room for a batch that will be filled in order of its body (output_put). Gap record first where one is due. */
int output_claim_body(struct enrg_output *output, uint64_t rows, const uint64_t *variable, struct enrg_error *err);
/* Needs a claim. Chooses the way of copying. */
struct output_filler output_begin_body(const struct enrg_output *output);
/* Zeroes up to `offset`, then copies. */
void output_put(struct output_filler *filler, uint64_t offset, const void *bytes, uint64_t byte_count);
/* Zeroes up to the end of the body, and commits. */
void output_commit_body(struct enrg_output *output, struct output_filler *filler, uint64_t acquired_ns);
/* Gives a sign of life; has a stop taken so long that what waits for stores gives up? */
bool output_must_give_up(struct outputs *set);
/* Takes a row count that was lost: ENRG_E_STOPPED: nothing took data until the end of a stop; -EBUSY: an open claim was
 * in the way; other codes are named. Counts, alerts. */
void output_count_abandoned(struct enrg_output *output, uint64_t rows, int cause);
/* Stamps and publishes the claimed body. `acquired_ns` 0: now. */
void output_commit_claim(struct enrg_output *output, uint64_t rows, const uint64_t *variable, uint64_t body_bytes,
	uint32_t body_crc, uint64_t acquired_ns);

#endif
