/* intake.h: the records of all streams that a store reads, one after another, from rings and from the link alike:
 * checked (bounds, CRC, sequence), counted, and acknowledged when the store has committed them.
 *
 * Store process, main thread.
 */
#ifndef JOB_STORE_INTAKE_H
#define JOB_STORE_INTAKE_H

#include "base/outage.h"
#include "bus/link.h"
#include "handover/journal.h"
#include "job/process/process.h"
#include "plane/stream.h"

/* An alert a fault, but not for every record of a storm: the next one says how many it stands for. */
struct intake_fault {
	uint64_t told_ns, untold;
};

#define INTAKE_RUNS_MAX 64u

/* Runs that have ended and left batches in the stream: those of the producer's lives up to last_epoch. */
struct intake_run {
	char run[64];
	uint32_t last_epoch;
};

struct intake_input {
	const struct plan_input *plan;
	struct consumer *consumer; /* NULL: over the link */
	char uuid[33];
	char source[256], run[64]; /* run: in which the stream was made */
	struct intake_run *earlier;
	uint32_t earlier_count;
	uint32_t journal_index;
	/* `now.position` and counts include what is not committed; sequence 0: not known yet, any is taken. */
	struct journal_stream_state now, committed;
	uint64_t data_bytes;      /* of the ring; 0 over the link */
	bool is_dirty;            /* `now` is ahead of the journal */
	struct record recalled;   /* header of a boundary whose own is corrupt */
	uint32_t skipped_records; /* with a header that is corrupt: their sequence numbers are holes, but not losses */
	/* A failure of the store: what ends here has not been stored yet; reading goes on at retry_ns (0: it goes on).
	 */
	uint64_t failed_end, retry_ns, retry_step_ns;
	uint64_t timed_end; /* what ends up to here has its latency counted */
	struct outage outage;
	struct intake_fault corrupt, lost, duplicated;
	struct target_table *targets; /* of target.c */
	uint8_t stream_uuid[16];
	struct boundary boundary; /* the last one before what comes next; edge 0 = none, the stream knows no runs */
	bool has_passed;          /* that one is not committed yet */
	uint32_t boundary_index;  /* and goes into this entry of the journal */
};

struct intake {
	struct process *process;
	struct journal *journal;
	uint32_t count, room; /* room: of both lists */
	struct intake_input **inputs;
	uint32_t ring_count;
	struct consumer **rings; /* room for those of the inputs, for waiting */
	struct link_receiver *link;
	struct link_batch batch; /* the last one of the link; records point into it */
	bool has_batch;          /* it came while waiting and is not read yet */
	struct boundary at;      /* of the last INTAKE_RUN */
	struct intake_fault malformed;
	/* What the last wait has found, for the round behind it; both false: nothing is known. */
	bool is_quiet;    /* nothing in any input */
	bool is_sparse;   /* something in some: the others need no look */
	uint64_t idle_ns; /* next wait where rings and a link are read by turns */
	uint64_t drain_started_ns;
};

struct intake_record {
	struct intake_input *input;
	const struct record *header;
	const uint8_t *payload;
	uint64_t payload_bytes;
	uint64_t position, end;
	struct consumer_route route;
};

/* Opens every input of the plan at what the journal has committed, and the link. `intake` is zeroed or closed. */
int intake_open(struct intake *intake, struct process *process, struct journal *journal, struct enrg_error *err);
/* Gives rings and link back; what the target cache hung on the inputs must be gone. Takes a zeroed intake. */
void intake_close(struct intake *intake);
/* An input that comes while the store runs, opened as by intake_open; where that fails, it stands there without a ring,
 * and intake_rewind tries again. `plan` must live as long. */
int intake_add(struct intake *intake, const struct plan_input *plan, struct enrg_error *err);
/* One that goes: all that was read of it is committed, and its targets are gone. */
void intake_remove(struct intake *intake, uint32_t index);
/* Back to what is committed: the same records come again. */
int intake_rewind(struct intake *intake, struct enrg_error *err);

enum { INTAKE_NONE = 0, INTAKE_RECORD = 1, INTAKE_SKIPPED = 2, INTAKE_RUN = 3 };

/* Need this input be read in the round that follows a wait? Not where the wait has just found nothing in it: a look at
 * each of a thousand rings costs milliseconds. */
bool intake_may_have(const struct intake *intake, const struct intake_input *input);
/* The round is over: nothing is known any more. */
void intake_forget(struct intake *intake);

/* The next record of an input with a ring, or of the link (input NULL), without waiting. INTAKE_SKIPPED: there was one,
 * but it was corrupt or came twice; that is counted and told. INTAKE_RUN: the boundary `at`: intake_pass goes on. Until
 * the next call. */
int intake_next(struct intake *intake, struct intake_input *input, struct intake_record *ret_record);
/* The run in which the record was made; *ret_is_left: an earlier one, which had ended before it was stored. */
const char *intake_run_of(const struct intake *intake, const struct intake_record *record, bool *ret_is_left);
/* What sequences of its next batches count under (struct enrg_target), or NULL: their run. */
const char *intake_label_of(const struct intake_input *input);
/* Behind the boundary `at`: with the next commit the journal keeps what the totals are here. Negative: there is no
 * place for it in the journal. */
int intake_pass(struct intake *intake, const struct intake_record *record, struct enrg_error *err);
/* The record is done with, whatever was done with it. */
void intake_accept(const struct intake_record *record);
/* It can't be decoded, though its CRC was right: counted and told as corrupt, and done with. */
void intake_reject(struct intake *intake, const struct intake_record *record, const struct enrg_error *why);

/* The record is stored or processed for the first time: its trace, where somebody reads them. */
void intake_trace(const struct intake *intake, const struct intake_record *record, uint64_t now_ns);

/* Once a second: the name of the link's socket. */
void intake_look(struct intake *intake);

bool intake_is_dirty(const struct intake *intake);
/* Around journal_commit: hands the positions to the journal, then to the producers. */
void intake_prepare(struct intake *intake);
void intake_release(struct intake *intake, uint64_t commit);

/* Is a producer (input NULL: any of the link) short of room because of what is not committed? */
bool intake_is_pressed(const struct intake *intake, const struct intake_input *input);
/* The store has failed: nothing up to where each input was read to, and, of `input` (NULL:
 * none), up to `record_end`, is stored. */
void intake_note_failure(struct intake *intake, struct intake_input *input, uint64_t record_end);
/* Is all that was there at the last failure committed now? */
bool intake_is_recovered(const struct intake *intake);
/* When the first of the inputs that wait after a failure goes on; UINT64_MAX: none waits. */
uint64_t intake_next_retry(const struct intake *intake);
/* For intake_wait alone: takes the next batch of the link, waiting so long for it. true: has_batch is due. */
bool intake_receive(struct intake *intake, int timeout_ms);
/* Sleeps until there is something to read in inputs that do not wait, a stop, or the timeout. */
void intake_wait(struct intake *intake, uint32_t stop_seen, uint64_t timeout_ns);
/* Bytes of messages that producers have published and nobody has committed. Opens each stream: not for every batch. */
uint64_t intake_backlog(const struct intake *intake);
/* Is there a process that may still write into one of the streams, or over the link? */
bool intake_has_producers(const struct intake *intake);
/* Asked while draining; `is_busy`: there was something to read just now. Is everything read, and will nothing more
 * come? Producers get 10 s to end; then the answer is yes although they go on. */
bool intake_is_drained(struct intake *intake, bool is_busy);

#endif
