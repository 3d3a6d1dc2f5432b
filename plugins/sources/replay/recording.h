/* recording.h: the batches of several files as one recording: in the order in which they were taken. Within a file they
 * keep their order; of several files, those of other tables beside each other or the parts of a rotated series, the one
 * whose next batch is oldest comes first (of equal ones the first by name). So the same files give the same order
 * again. One thread. */
#ifndef REPLAY_RECORDING_H
#define REPLAY_RECORDING_H

#include "enrgdaq/batch.h"
#include "enrgdaq/error.h"

struct recording;

struct recording_hooks {
	/* Something that is not in the recording: a sentence about a file that can't be read, or is none of ours. */
	void (*tell)(void *context, const char *sentence);
	void *context;
};

struct recording_batch {
	const struct enrg_batch *batch; /* valid until the next call */
	const char *path;               /* of its file */
	uint64_t table;  /* changes where a file is opened anew, so that its schema is another one in memory */
	uint64_t merged; /* so many batches of the time of acquisition were merged into it; 0: not known */
};

struct recording_sum {
	uint64_t files, bytes;      /* with at least one batch */
	uint64_t first_ns, last_ns; /* of the first batch of the first, and of the last file */
};

/* `path`: a file, a folder (its .arrows and .arrow files, and those below), or a pattern of glob(7). Looks at the start
 * of each file. ENRG_E_CONFIG: there is none, or none with a batch that can be read. */
int recording_open(const char *path, const struct recording_hooks *hooks, struct recording **ret_recording,
	struct enrg_error *err);
void recording_get_sum(const struct recording *recording, struct recording_sum *ret_sum);
/* 1: a batch, never a gap record; 0: the end. ENRG_E_CORRUPT: something is damaged or cut and was passed over: err says
 * what. Others: a file can't be read any more. */
int recording_next(struct recording *recording, struct recording_batch *ret_batch, struct enrg_error *err);
/* To its beginning. */
void recording_rewind(struct recording *recording);
/* Gap records that were passed over since the beginning. */
uint64_t recording_gaps(const struct recording *recording);
void recording_close(struct recording *recording); /* takes NULL */

#endif
