/* life.h: one life of a store process: what its loop (store.c) and its way back after a failure (failure.c)
 * share. Store process, main thread. */
#ifndef JOB_STORE_LIFE_H
#define JOB_STORE_LIFE_H

#include "job/file/handle.h"
#include "job/store/intake.h"
#include "job/store/set_aside.h"
#include "job/store/target.h"

/* Where a store stands in a failure. store_life_enter alone changes it. */
enum store_phase {
	STORE_STORING,     /* nothing has failed that is not stored by now */
	STORE_GOING_BACK,  /* files and streams return to the last commit, the type is closed */
	STORE_WAITING,     /* they are back; a pause, then the type is opened again */
	STORE_CATCHING_UP, /* open; what failed is not stored yet */
};

struct store_failure {
	enum store_phase phase;
	struct intake_input *input; /* at whose record; NULL: not known, or no record's fault */
	uint64_t record_end;
	struct outage outage;        /* what concerns all; that of one table is with its input */
	uint64_t since_ns;           /* 0: nothing that was told of is left to be stored */
	uint64_t last_ns, orphan_ns; /* the last one; the first one that the supervisor did not live to see */
};

struct store_life {
	struct enrg_store store;
	struct process *process;
	const struct enrg_store_type *type;
	struct target_cache targets;
	struct intake intake;
	void *state; /* of the type */
	bool is_open;
	uint64_t now_ns;                         /* as last read, for policies */
	uint64_t written_bytes, written_batches; /* since the last commit */
	uint64_t first_written_ns;
	uint64_t next_tick_ns, next_watch_ns;
	uint32_t first_input; /* whose turn it is to be first */
	struct set_aside crash;
	struct store_failure failure;
};

/* The next phase, and what hangs on it: the state of the page, and whether files that are closed go back. */
void store_life_enter(struct store_life *life, enum store_phase phase);
/* The type's open; and what closes it, also where it is not open. */
int store_life_open_type(struct store_life *life, struct enrg_error *err);
int store_life_close_type(struct store_life *life, bool abandon, struct enrg_error *err);

/* The supervisor has changed what this store reads: all that was written is committed. Closes what goes, opens what
 * comes; the rest is not touched. To be followed by a commit of the journal. */
int store_life_replan(struct store_life *life, struct enrg_error *err);

/* After a commit, or with nothing to read: only what failed, when it is stored, is a recovery. */
void store_life_note_recovery(struct store_life *life);
/* Each second: the end of an outage that was not reported at once, as the last one had been told just before. */
void store_life_settle(struct store_life *life);
/* The store has failed with *err: back to the last commit, then again until it can be opened. 0, or negative: the
 * process ends. */
int store_life_roll_back(struct store_life *life, struct enrg_error *err);

#endif
