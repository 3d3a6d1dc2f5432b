/* account.h: what one run has produced, and what each store has stored of it: differences between two boundaries, of
 * the tallies that streams keep and of the totals that journals keep. Process: supervisor, main thread. */
#ifndef SUPERVISOR_ACCOUNT_H
#define SUPERVISOR_ACCOUNT_H

#include <jansson.h>
#include <stdio.h>

#include "handover/journal.h"
#include "supervisor/clock_state.h"
#include "supervisor/roster.h"
#include "supervisor/run_facts.h"

struct account_store {
	char name[240];
	bool has_begin, has_end; /* has_end alone: what it had at the begin is not known any more */
	bool is_removed;         /* while the run was on: what it has stands in the ledger of the start alone */
	struct journal_stream_state begin, end;
};

struct account_source {
	char name[256];
	uint8_t uuid[16];
	struct boundary begin, end; /* end.edge 0: it has not come */
	bool is_removed;            /* while the run was on: what it made stands in the ledger of the start alone */
	uint32_t store_count;
	struct account_store *stores; /* those that were there when the run began */
};

struct account {
	char id[64];
	uint64_t number;
	uint64_t began_wall_ns, ended_wall_ns;     /* ended: 0 = it is on */
	struct clock_state clock_begin, clock_end; /* of this machine, then */
	bool was_on;                               /* it has begun everywhere: nothing but a stop ends it */
	bool is_aborted;                           /* it could not be begun everywhere */
	bool is_interrupted;                       /* supervisor or runtime folder were gone for a while */
	char reason[480];                          /* why, or "" */
	uint32_t source_count;
	struct account_source *sources; /* whose streams it has begun in */
	struct run_facts facts;         /* what is known of it beside the account */
};

struct account *account_create(const char *id, uint64_t number); /* NULL: out of memory */
void account_destroy(struct account *account);                   /* takes NULL */

/* Takes in what streams and journals say by now. */
void account_look(struct account *account, const struct roster *roster);
/* It has ended, in each stream, and each store has committed that. */
bool account_is_closed(const struct account *account);
/* What it still waits for, as text; "" = for nothing. */
void account_describe_wait(const struct account *account, char *ret_text, size_t text_bytes);

/* Of one source and store. */
struct account_line {
	uint64_t produced_batches, produced_rows, produced_bytes, dropped_rows;
	uint64_t stored_batches, stored_rows, stored_bytes;
	uint64_t skipped_batches, skipped_rows, set_aside_batches, set_aside_rows;
	int64_t missing_batches, missing_rows;
	bool is_known;
};

struct account_line account_balance(const struct account *account, uint32_t source, uint32_t store);

/* No batch is missing or set aside, and nothing is unknown. Of a closed account. */
bool account_is_accounted(const struct account *account);
json_t *account_format(const struct account *account, const char *supervisor); /* new reference */
/* A line a source and store. */
void account_print(const struct account *account, FILE *stream);

#endif
