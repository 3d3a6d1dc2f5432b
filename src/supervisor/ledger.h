/* ledger.h: where every batch of a run is. For each source and each of its stores:
 *
 *     produced = stored + skipped + set aside + in flight
 *
 * produced is what the stream's tally says, stored and skipped what the store's journal has committed, in flight the
 * records between the journal's sequence and the stream's. Anything else is `missing` (or, with a negative sign,
 * counted twice). The equation is that of the stream's whole life; what is reported is what this run has made, and
 * beside it what it stored of earlier runs that had ended with batches left. Gap records are no batches, stored or in
 * flight.
 *
 * For each input of a processor: rows read = in + rejected by each named policy + open. What a processor makes is
 * counted as that of a source. Process: supervisor.
 */
#ifndef SUPERVISOR_LEDGER_H
#define SUPERVISOR_LEDGER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "handover/journal.h"
#include "plane/stream.h"
#include "supervisor/earlier/earlier.h"
#include "supervisor/losses.h"

struct ledger_store {
	char name[256];
	struct journal_stream_state state;          /* zero where the store has not seen the stream */
	uint64_t in_flight_batches, in_flight_gaps; /* gap records are no batches */
	uint64_t in_flight_bytes; /* in: positions; balanced: at most the bytes of messages that are not stored */
	int64_t missing;          /* batches: 0 = accounted */
	/* Of this run: */
	uint64_t stored_batches, stored_rows, stored_bytes, skipped_batches, waiting_batches;
	/* Of earlier runs: records that were in the stream when this run began, and batches of them that still wait. */
	uint64_t left_records, left_gaps, left_waiting;
	uint64_t left_batches, left_rows; /* stored of them, in this run */
	int64_t missing_rows;             /* only counted when nothing is in flight, skipped or set aside; else 0 */
	uint32_t journal_index;           /* where the stream was last found in the store's journal */
};

struct ledger_source {
	char name[256];
	uint64_t sequence, batches, rows, bytes, gaps, dropped_rows;
	uint64_t missed_ticks;   /* of its polls in this run: no batches, but measurements that never were */
	struct earlier *earlier; /* owned; NULL: the stream was made in this run */
	bool is_gone;            /* its job was removed, and batches of it stay in shared memory */
	bool is_read;            /* false: the stream can't be read, its numbers are those of the last time */
	uint32_t store_count, store_room;
	struct ledger_store *stores; /* ledger_size_stores makes room */
};

/* What became of the rows of an [[input]] in this run: read + carried = in + rejected + open. */
struct ledger_input {
	uint32_t key;                       /* checkpoint_input_key of the three */
	char job[256], group[64], tag[256]; /* group and tag "": all */
	uint64_t carried, read, in, rejected;
	int64_t open; /* not used yet: held in its state; negative: counted twice */
};

struct ledger_policy {
	uint32_t input;
	uint64_t rows;
	char name[112];
};

struct ledger_processor {
	char name[256];
	uint32_t input_count, policy_count;
	struct ledger_input *inputs;
	struct ledger_policy *policies; /* that have rejected rows */
};

struct ledger_share {
	uint64_t stored_batches, stored_rows, stored_bytes, skipped_batches, set_aside_batches;
	int64_t missing; /* batches */
};

/* A source and a store that did not belong to each other any more, since one was removed: what the store had of it
 * while they did, each time they did. The last share is part of the next one where the store's journal goes on. */
struct ledger_past {
	char source[256], store[256];
	uint64_t times;
	struct ledger_share all, last;
	struct journal_stream_state state; /* at the end of the last time */
};

struct ledger {
	uint32_t source_count;
	struct ledger_source *sources;
	uint32_t processor_count;
	struct ledger_processor *processors;
	uint32_t past_count;
	struct ledger_past *past;
	struct losses losses;
};

int ledger_create(uint32_t source_count, struct ledger **ret_ledger);
void ledger_destroy(struct ledger *ledger);

/* The line of that processor: found, or a new one; NULL: no memory. Its inputs and policies are the caller's to set, by
 * ledger_processor_reset first. */
struct ledger_processor *ledger_find_processor(struct ledger *ledger, const char *name);
/* Zeroed lists of that length. -ENOMEM: they are empty. */
int ledger_processor_reset(struct ledger_processor *processor, uint32_t input_count, uint32_t policy_count);
/* The input of that key, new at the end where there was none, and without its policies. NULL: out of memory. */
struct ledger_input *ledger_processor_take_input(struct ledger_processor *processor, uint32_t key);
int ledger_processor_add_policy(struct ledger_processor *processor, uint32_t input, const char *name, uint64_t rows);
/* Fills in what follows from the counts of each input. */
void ledger_processor_balance(struct ledger_processor *processor);
/* The source of that name, made where there is none; `hint`: where it was last time. NULL: out of memory. */
struct ledger_source *ledger_take_source(struct ledger *ledger, const char *name, uint32_t hint);
/* NULL: there is none of that name. */
const struct ledger_source *ledger_find_source(const struct ledger *ledger, const char *name);
/* What it has made in this run, of what its stream counts since it was made. */
struct ledger_produced {
	uint64_t batches, rows, bytes, dropped_rows;
};
struct ledger_produced ledger_get_produced(const struct ledger_source *source);
/* So many stores, new ones zero. -ENOMEM: as before. */
int ledger_size_stores(struct ledger_source *source, uint32_t count);
/* What earlier runs left in its stream; copied. */
int ledger_set_earlier(struct ledger *ledger, const char *name, const struct earlier *earlier);
/* The store has left, with `state` as its last (NULL: it can't be read, and what was seen last counts): from now on it
 * stands in the past. */
void ledger_end_store(
	struct ledger *ledger, const char *source, const char *store, const struct journal_stream_state *state);
/* That of the two in the past, new where there is none. NULL: out of memory. */
struct ledger_past *ledger_take_past(struct ledger *ledger, const char *source, const char *store);
/* Has that source made anything in this run? */
bool ledger_knows(const struct ledger *ledger, const char *name);
/* The source is gone, and all of its stores have been ended. */
void ledger_remove_source(struct ledger *ledger, const char *name);

/* Arithmetic of one line: fills in what follows from the state of store `index`. */
void ledger_balance(struct ledger_source *source, uint32_t index);

/* No batch is missing, doubled, or set aside, and there are no losses. */
bool ledger_is_accounted(const struct ledger *ledger);
/* And none is in flight. */
bool ledger_is_settled(const struct ledger *ledger);

/* Object "sources": [ … ] with run and state; new reference. */
json_t *ledger_format_json(const struct ledger *ledger, const char *run, const char *supervisor, bool is_final);
/* One line a source and store. */
void ledger_print(const struct ledger *ledger, bool is_colored, FILE *stream);

#endif
