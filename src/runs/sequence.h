/* sequence.h: sequences of runs as the run book knows them: where each stands, in the table `state` of the database, so
 * that it goes on when everything was started again. What moves it is sequence_driver.h. One thread.
 *
 * A step is a run whose name is made of the sequence, its start, the step and the attempt: asked for again it is the
 * same run. A step is done when a run of it has ended by itself and is complete. One that was aborted is tried once
 * more; one that lost its supervisor is tried again. */
#ifndef RUNS_SEQUENCE_H
#define RUNS_SEQUENCE_H

#include <jansson.h>

#include "runs/database.h"
#include "runs/entry/entry.h"

#define SEQUENCE_NAME_BYTES 101u
#define SEQUENCE_RUN_BYTES  41u

enum sequence_state {
	SEQUENCE_RUNNING,
	SEQUENCE_STOPPING, /* its run is to end */
	SEQUENCE_STOPPED,  /* by command, or since somebody has stopped a run of it */
	SEQUENCE_DONE,
	SEQUENCE_FAILED,
};

struct sequence {
	char name[SEQUENCE_NAME_BYTES], start[16];
	char title[200], type[SEQUENCE_NAME_BYTES], who[200], role[100], address[100];
	enum sequence_state state;
	char reason[500];     /* of the state */
	uint64_t step, count; /* from 0 */
	uint32_t attempt;     /* of the step, from 1 */
	uint32_t failures;    /* of the step, since it was begun or resumed */
	uint64_t began_ns, changed_ns;
};

const char *sequence_state_name(enum sequence_state state);

/* An entry of kind "sequence" does what it says: start, stop, resume. Inside of the transaction that enters it. */
int sequence_enter(struct database *database, const struct entry *entry, struct enrg_error *err);

/* 1: there is one that runs or is to end (one at a time); 0: none. */
int sequence_find_active(struct database *database, struct sequence *ret_sequence, struct enrg_error *err);
/* -ENOENT */
int sequence_load(struct database *database, const char *name, struct sequence *ret_sequence, struct enrg_error *err);
int sequence_save(struct database *database, const struct sequence *sequence, struct enrg_error *err);
/* {"description", "values", "settle_seconds", "ends"} of its step; new reference. */
int sequence_get_step(
	struct database *database, const struct sequence *sequence, json_t **ret_step, struct enrg_error *err);
void sequence_format_run(const struct sequence *sequence, char ret_run[SEQUENCE_RUN_BYTES]);

enum sequence_verdict {
	SEQUENCE_UNKNOWN,
	SEQUENCE_OPEN,
	SEQUENCE_COMPLETE,
	SEQUENCE_ABORTED,
	SEQUENCE_LOST,
	SEQUENCE_ENDED
};
/* What the book says of the run of its attempt. LOST: its supervisor went, so that it ended early; ENDED: somebody has
 * stopped it. `ret_reason` says why. */
int sequence_judge(struct database *database, const struct sequence *sequence, enum sequence_verdict *ret_verdict,
	char *ret_reason, size_t reason_bytes, struct enrg_error *err);
/* It moves on by what became of the run. */
void sequence_advance(struct sequence *sequence, enum sequence_verdict verdict, const char *reason);

/* For lists and terminals: {"name", "state", "step", "count", …}; with `is_whole` also its runs. New reference. */
int sequence_format(struct database *database, const struct sequence *sequence, bool is_whole, json_t **ret_json,
	struct enrg_error *err);
/* All of them: an array. */
int sequence_list(struct database *database, json_t **ret_list, struct enrg_error *err);

#endif
