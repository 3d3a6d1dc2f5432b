/* statistics.h: the figures of a job, declared once in statistics_table.c: which counter of its page one is, its keys
 * in a report and in status.json, its member of the public structs, and what the public header says of it. */
#ifndef HANDOVER_STATISTICS_H
#define HANDOVER_STATISTICS_H

#include <jansson.h>

#include "enrgdaq/client.h"
#include "enrgdaq/message.h"
#include "enrgdaq/statistics.h"
#include "handover/page.h"

/* In the order of the table, which never changes. */
enum statistic {
	STATISTIC_IN_BATCHES,
	STATISTIC_IN_ROWS,
	STATISTIC_IN_BYTES,
	STATISTIC_OUT_BATCHES,
	STATISTIC_OUT_ROWS,
	STATISTIC_OUT_BYTES,
	STATISTIC_IN_BATCHES_PER_S,
	STATISTIC_IN_ROWS_PER_S,
	STATISTIC_IN_BYTES_PER_S,
	STATISTIC_OUT_BATCHES_PER_S,
	STATISTIC_OUT_ROWS_PER_S,
	STATISTIC_OUT_BYTES_PER_S,
	STATISTIC_BACKLOG_BATCHES,
	STATISTIC_BACKLOG_BYTES,
	STATISTIC_LATENCY_P50_MS,
	STATISTIC_LATENCY_P95_MS,
	STATISTIC_LATENCY_P99_MS,
	STATISTIC_LATENCY_P999_MS,
	STATISTIC_LATENCY_MAX_MS,
	STATISTIC_LATENCY_MIN_MS,
	STATISTIC_LATENCY_AVG_MS,
	STATISTIC_LATENCY_COUNT,
	STATISTIC_LATENCY_RUN_P50_MS,
	STATISTIC_LATENCY_RUN_P95_MS,
	STATISTIC_LATENCY_RUN_P99_MS,
	STATISTIC_LATENCY_RUN_P999_MS,
	STATISTIC_LATENCY_RUN_MAX_MS,
	STATISTIC_LOST,
	STATISTIC_DUPLICATED,
	STATISTIC_CORRUPTED,
	STATISTIC_SET_ASIDE,
	STATISTIC_MISSED_TICKS,
	STATISTIC_BLOCKED_PERCENT,
	STATISTIC_BLOCKED_S,
	STATISTIC_CPU_PERCENT,
	STATISTIC_CPU_S,
	STATISTIC_RSS_MB,
	STATISTIC_PRIVATE_MB,
	STATISTIC_WAKEUPS,
	STATISTIC_WAKEUPS_PER_S,
	STATISTIC_ZMQ_OUT_BYTES,
	STATISTIC_ZMQ_IN_BYTES,
	STATISTIC_CONTROL_OUT_BYTES,
	STATISTIC_RESTARTS,
	STATISTIC_RING_BYTES,
	STATISTIC_WINDOW_BYTES,
	STATISTIC_RESCUED,
	STATISTIC_EPOCH,
	STATISTIC_COUNT
};

/* Counters of a page as plain numbers: nothing but uint64_t, all of which only grow within an instance. */
struct page_counts {
	uint64_t in_batches, in_rows, in_bytes, out_batches, out_rows, out_bytes;
	uint64_t lost, duplicated, corrupted, set_aside, missed_ticks;
	uint64_t cpu_ns, wakeups, zmq_out_bytes, zmq_in_bytes, control_out_bytes;
};

void page_counts_get(const struct page *page, struct page_counts *ret_counts);
void page_counts_add(struct page_counts *sum, const struct page_counts *counts);
/* How fast they grew from `before` to `now`, a second; what became smaller has not grown. */
void page_counts_get_rate(const struct page_counts *now, const struct page_counts *before, uint64_t span_ns,
	struct page_counts *ret_rate);
/* Does anything differ that a reader would miss? Not what an idle process takes: its CPU time, its wake-ups. */
bool page_counts_differ(const struct page_counts *a, const struct page_counts *b);

/* One value for each statistic. */
struct statistics {
	struct enrg_statistic_value values[STATISTIC_COUNT];
};

enum statistics_form { STATISTICS_REPORT, STATISTICS_STATUS };

/* None is known. */
void statistics_init(struct statistics *ret_statistics);
void statistics_set(struct statistics *statistics, enum statistic statistic, double number);
void statistics_set_count(struct statistics *statistics, enum statistic statistic, uint64_t count);
/* All that are counters of a page, or the rate of one. `rate` may be NULL. */
void statistics_set_counts(
	struct statistics *statistics, const struct page_counts *counts, const struct page_counts *rate);
/* Those that are known become members of `object`; a group of which none is known is null. */
void statistics_format(const struct statistics *statistics, enum statistics_form form, json_t *object);
/* Takes any JSON: what is missing or has another type is not known. */
void statistics_parse(const json_t *object, enum statistics_form form, struct statistics *ret_statistics);
/* Sets the members that are statistics, and `values`, which are those of `statistics`. */
void statistics_show_report(const struct statistics *statistics, struct enrg_stats *stats);
void statistics_show_status(const struct statistics *statistics, struct enrg_job_status *job);

#endif
