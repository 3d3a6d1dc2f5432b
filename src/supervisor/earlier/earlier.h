/* earlier.h: what lay in a stream when the present run took it over from runs that had ended before all was stored:
 * which run each of its batches belongs to, and where the counts stood, so that the ledger of a run counts that run
 * alone. Kept in run.json, since the supervisor that continues with the run of a killed one must count from there too.
 * Process: supervisor, at start. */
#ifndef SUPERVISOR_EARLIER_EARLIER_H
#define SUPERVISOR_EARLIER_EARLIER_H

#include <jansson.h>

#include "handover/journal.h"
#include "plane/stream.h"

struct earlier_store {
	char name[240];
	struct journal_stream_state state;
};

struct earlier {
	char runs[1024]; /* plan_input.earlier_runs; "" = nothing of an earlier run */
	uint64_t sequence, batches, rows, bytes, gaps, dropped_rows;
	uint32_t store_count;
	struct earlier_store stores[SEGMENT_CONSUMERS];
};

/* The present state of the stream as the start of a new run. `runtime_folder` is where the journals lie; `last` is what
 * stood for it before, or NULL; `last_run` is the run that has ended. */
void earlier_take(const struct stream_status *status, const char *runtime_folder, const struct earlier *last,
	const char *last_run, struct earlier *ret_earlier);
/* 32 hexadecimal digits: the key in run.json. */
void earlier_format_key(const uint8_t uuid[16], char ret_key[33]);
json_t *earlier_format(const struct earlier *earlier); /* new reference */
/* false: it is none; *ret_earlier is zeroed then. */
bool earlier_parse(const json_t *json, struct earlier *ret_earlier);
/* Counts of that store at the start of the run; zero where it is not known. */
struct journal_stream_state earlier_find(const struct earlier *earlier, const char *store);
/* "run R" or "runs Q, R", for humans. */
void earlier_describe(const struct earlier *earlier, char *ret_text, size_t text_bytes);

#endif
