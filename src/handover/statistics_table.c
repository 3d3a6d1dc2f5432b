/* statistics_table.c: all figures of a job. The order never changes; new ones come last. */
#include "handover/statistics_table.h"

#include <math.h>

#define SHOWN(kind_, name_, unit_, heading_, help_)                                                                    \
	.shown.size = sizeof(struct enrg_statistic), .shown.kind = (kind_), .shown.name = (name_),                     \
	.shown.unit = (unit_), .shown.heading = (heading_), .shown.help = (help_)
#define COUNTER(...)            SHOWN(ENRG_STATISTIC_COUNTER, __VA_ARGS__)
#define GAUGE(...)              SHOWN(ENRG_STATISTIC_GAUGE, __VA_ARGS__)
#define METRIC(metric_, factor) .shown.metric = (metric_), .shown.metric_factor = (factor)
#define PAGE(member)                                                                                                   \
	.is_counted = true, .is_short = sizeof(((struct page *)0)->member) == sizeof(uint32_t),                        \
	.page = offsetof(struct page, member), .counts = offsetof(struct page_counts, member)
#define PLACE(type, member)                                                                                            \
	{                                                                                                              \
		_Generic(((type *)0)->member, uint64_t : PLACE_WHOLE, double : PLACE_REAL), offsetof(type, member)     \
	}

const struct statistic_row
	statistic_rows[STATISTIC_COUNT] =
		{
			[STATISTIC_IN_BATCHES] =
				{
					COUNTER("in_batches", "batches", "batches",
						"batches that it has consumed: a store has committed them"),
					METRIC("enrgdaq_consumed_batches_total", 1),
					.shown.json = "in.batches",
					.shown.report = "processed_count",
					PAGE(in_batches),
					.is_whole = true,
					.in_report = PLACE(struct enrg_stats, processed_batches),
					.in_status = PLACE(struct enrg_job_status, in.batches),
				},
			[STATISTIC_IN_ROWS] =
				{
					COUNTER("in_rows", "rows", "rows",
						"rows that it has consumed: a store has committed them"),
					METRIC("enrgdaq_consumed_rows_total", 1),
					.shown.json = "in.rows",
					.shown.report = "processed_rows",
					PAGE(in_rows),
					.is_whole = true,
					.in_report = PLACE(struct enrg_stats, processed_rows),
					.in_status = PLACE(struct enrg_job_status, in.rows),
				},
			[STATISTIC_IN_BYTES] =
				{
					COUNTER("in_bytes", "bytes", "total",
						"bytes that it has consumed: a store has committed them"),
					METRIC("enrgdaq_consumed_bytes_total", 1),
					.shown.json = "in.bytes",
					.shown.report = "processed_bytes",
					PAGE(in_bytes),
					.is_whole = true,
					.in_report = PLACE(struct enrg_stats, processed_bytes),
					.in_status = PLACE(struct enrg_job_status, in.bytes),
				},
			[STATISTIC_OUT_BATCHES] =
				{
					COUNTER("out_batches", "batches", "batches", "batches that it has produced"),
					METRIC("enrgdaq_produced_batches_total", 1),
					.shown.json = "out.batches",
					.shown.report = "sent_count",
					PAGE(out_batches),
					.is_whole = true,
					.in_report = PLACE(struct enrg_stats, sent_batches),
					.in_status = PLACE(struct enrg_job_status, out.batches),
				},
			[STATISTIC_OUT_ROWS] =
				{
					COUNTER("out_rows", "rows", "rows", "rows that it has produced"),
					METRIC("enrgdaq_produced_rows_total", 1),
					.shown.json = "out.rows",
					.shown.report = "sent_rows",
					PAGE(out_rows),
					.is_whole = true,
					.in_report = PLACE(struct enrg_stats, sent_rows),
					.in_status = PLACE(struct enrg_job_status, out.rows),
				},
			[STATISTIC_OUT_BYTES] =
				{
					COUNTER("out_bytes", "bytes", "total", "bytes that it has produced"),
					METRIC("enrgdaq_produced_bytes_total", 1),
					.shown.json = "out.bytes",
					.shown.report = "sent_bytes",
					PAGE(out_bytes),
					.is_whole = true,
					.in_report = PLACE(struct enrg_stats, sent_bytes),
					.in_status = PLACE(struct enrg_job_status, out.bytes),
				},
			[STATISTIC_IN_BATCHES_PER_S] =
				{
					GAUGE("in_batches_per_s", "batches/s", "batches/s",
						"batches consumed a second, between the last two looks"),
					.shown.json = "in.batches_per_s",
					.rate_of = STATISTIC_IN_BATCHES,
					.is_rate = true,
					.is_whole = true,
					.in_status = PLACE(struct enrg_job_status, in.batches_per_s),
				},
			[STATISTIC_IN_ROWS_PER_S] =
				{
					GAUGE("in_rows_per_s", "rows/s", "rows/s",
						"rows consumed a second, between the last two looks"),
					.shown.json = "in.rows_per_s",
					.rate_of = STATISTIC_IN_ROWS,
					.is_rate = true,
					.is_whole = true,
					.in_status = PLACE(struct enrg_job_status, in.rows_per_s),
				},
			[STATISTIC_IN_BYTES_PER_S] =
				{
					GAUGE("in_bytes_per_s", "bytes/s",
						"rate", "bytes consumed a second, between the last two looks"),
					.shown.json = "in.bytes_per_s",
					.rate_of = STATISTIC_IN_BYTES,
					.is_rate = true,
					.is_whole = true,
					.in_status = PLACE(struct enrg_job_status, in.bytes_per_s),
				},
			[STATISTIC_OUT_BATCHES_PER_S] =
				{
					GAUGE("out_batches_per_s", "batches/s", "batches/s",
						"batches produced a second, between the last two looks"),
					.shown.json = "out.batches_per_s",
					.rate_of = STATISTIC_OUT_BATCHES,
					.is_rate = true,
					.is_whole = true,
					.in_status = PLACE(struct enrg_job_status, out.batches_per_s),
				},
			[STATISTIC_OUT_ROWS_PER_S] =
				{
					GAUGE("out_rows_per_s", "rows/s", "rows/s",
						"rows produced a second, between the last two looks"),
					.shown.json = "out.rows_per_s",
					.rate_of = STATISTIC_OUT_ROWS,
					.is_rate = true,
					.is_whole = true,
					.in_status = PLACE(struct enrg_job_status, out.rows_per_s),
				},
			[STATISTIC_OUT_BYTES_PER_S] =
				{
					GAUGE("out_bytes_per_s", "bytes/s",
						"rate", "bytes produced a second, between the last two looks"),
					.shown.json = "out.bytes_per_s",
					.rate_of = STATISTIC_OUT_BYTES,
					.is_rate = true,
					.is_whole = true,
					.in_status = PLACE(struct enrg_job_status, out.bytes_per_s),
				},
			[STATISTIC_BACKLOG_BATCHES] =
				{
					GAUGE("backlog_batches", "batches", "waiting",
						"batches that wait for it, or in its stream for the slowest that reads "
						"them"),
					METRIC("enrgdaq_backlog_batches", 1),
					.shown.json = "backlog_batches",
					.is_whole = true,
					.in_status = PLACE(struct enrg_job_status, backlog_batches),
				},
			[STATISTIC_BACKLOG_BYTES] =
				{
					GAUGE("backlog_bytes", "bytes", "backlog", "bytes of them"),
					METRIC("enrgdaq_backlog_bytes", 1),
					.shown.json = "backlog_bytes",
					.is_whole = true,
					.in_status = PLACE(struct enrg_job_status, backlog_bytes),
				},
			[STATISTIC_LATENCY_P50_MS] =
				{
					GAUGE("latency_p50_ms", "ms", "p50",
						"from the producer's commit of a batch to its writing by the store, of "
						"the "
						"last "
						"seconds: half of the batches took less"),
					METRIC("enrgdaq_recent_commit_latency_seconds", 1e-3),
					.shown.label = "quantile=\"0.5\"",
					.shown.json = "latency_ms.p50",
					.in_status = PLACE(struct enrg_job_status, latency_p50_ms),
					.none = NAN,
				},
			[STATISTIC_LATENCY_P95_MS] =
				{
					GAUGE("latency_p95_ms", "ms", "p95",
						"from the producer's commit of a batch to its writing by the store, of "
						"the "
						"last "
						"seconds: 95 % took less"),
					METRIC("enrgdaq_recent_commit_latency_seconds", 1e-3),
					.shown.label = "quantile=\"0.95\"",
					.shown.json = "latency_ms.p95",
					.shown.report = "latency_stats.p95_ms",
					.in_report = PLACE(struct enrg_stats, latency_p95_ms),
				},
			[STATISTIC_LATENCY_P99_MS] =
				{
					GAUGE("latency_p99_ms", "ms", "p99",
						"from the producer's commit of a batch to its writing by the store, of "
						"the "
						"last "
						"seconds: 99 % took less"),
					METRIC("enrgdaq_recent_commit_latency_seconds", 1e-3),
					.shown.label = "quantile=\"0.99\"",
					.shown.json = "latency_ms.p99",
					.shown.report = "latency_stats.p99_ms",
					.in_report = PLACE(struct enrg_stats, latency_p99_ms),
					.in_status = PLACE(struct enrg_job_status, latency_p99_ms),
					.none = NAN,
				},
			[STATISTIC_LATENCY_P999_MS] =
				{
					GAUGE("latency_p999_ms", "ms", "p999",
						"from the producer's commit of a batch to its writing by the store, of "
						"the "
						"last "
						"seconds: 99.9 % took less"),
					METRIC("enrgdaq_recent_commit_latency_seconds", 1e-3),
					.shown.label = "quantile=\"0.999\"",
					.shown.json = "latency_ms.p999",
				},
			[STATISTIC_LATENCY_MAX_MS] =
				{
					GAUGE("latency_max_ms", "ms", "max",
						"from the producer's commit of a batch to its writing by the store, of "
						"the "
						"last "
						"seconds: longest"),
					METRIC("enrgdaq_recent_commit_latency_seconds", 1e-3),
					.shown.label = "quantile=\"1\"",
					.shown.json = "latency_ms.max",
					.shown.report = "latency_stats.max_ms",
					.in_report = PLACE(struct enrg_stats, latency_max_ms),
				},
			[STATISTIC_LATENCY_MIN_MS] =
				{
					GAUGE("latency_min_ms", "ms", "min",
						"from the producer's commit of a batch to its writing by the store, of "
						"the "
						"last "
						"seconds: shortest"),
					METRIC("enrgdaq_recent_commit_latency_seconds", 1e-3),
					.shown.label = "quantile=\"0\"",
					.shown.json = "latency_ms.min",
					.shown.report = "latency_stats.min_ms",
					.in_report = PLACE(struct enrg_stats, latency_min_ms),
				},
			[STATISTIC_LATENCY_AVG_MS] =
				{
					GAUGE("latency_avg_ms", "ms", "mean",
						"from the producer's commit of a batch to its writing by the store, of "
						"the "
						"last "
						"seconds: mean"),
					.shown.json = "latency_ms.avg",
					.shown.report = "latency_stats.avg_ms",
					.in_report = PLACE(struct enrg_stats, latency_avg_ms),
				},
			[STATISTIC_LATENCY_COUNT] =
				{
					GAUGE("latency_count", "batches", "timed",
						"batches that these are made of"),
					.shown.json = "latency_ms.count",
					.shown.report = "latency_stats.count",
					.is_whole = true,
					.in_report = PLACE(struct enrg_stats, latency_count),
				},
			[STATISTIC_LATENCY_RUN_P50_MS] =
				{
					GAUGE("latency_run_p50_ms", "ms", "run p50",
						"the same of the whole run: half of the batches took less"),
					.shown.json = "latency_run_ms.p50",
				},
			[STATISTIC_LATENCY_RUN_P95_MS] =
				{
					GAUGE("latency_run_p95_ms", "ms", "run p95",
						"the same of the whole run: 95 % took less"),
					.shown.json = "latency_run_ms.p95",
				},
			[STATISTIC_LATENCY_RUN_P99_MS] =
				{
					GAUGE("latency_run_p99_ms", "ms", "run p99",
						"the same of the whole run: 99 % took less"),
					.shown.json = "latency_run_ms.p99",
				},
			[STATISTIC_LATENCY_RUN_P999_MS] =
				{
					GAUGE("latency_run_p999_ms", "ms", "run p999",
						"the same of the whole run: 99.9 % took less"),
					.shown.json = "latency_run_ms.p999",
				},
			[STATISTIC_LATENCY_RUN_MAX_MS] =
				{
					GAUGE("latency_run_max_ms", "ms", "run max",
						"the same of the whole run: longest"),
					.shown.json = "latency_run_ms.max",
				},
			[STATISTIC_LOST] =
				{
					COUNTER("lost", "batches",
						"lost", "batches that are missing by the sequences that a store checks"),
					METRIC("enrgdaq_lost_batches_total", 1),
					.shown.json = "lost",
					.shown.report = "lost",
					PAGE(lost),
					.is_whole = true,
					.in_report = PLACE(struct enrg_stats, lost),
					.in_status = PLACE(struct enrg_job_status, lost),
				},
			[STATISTIC_DUPLICATED] =
				{
					COUNTER("duplicated", "batches", "duplicated",
						"batches that came twice by the sequences that a store checks"),
					METRIC("enrgdaq_duplicated_batches_total", 1),
					.shown.json = "duplicated",
					.shown.report = "duplicated",
					PAGE(duplicated),
					.is_whole = true,
					.in_report = PLACE(struct enrg_stats, duplicated),
					.in_status = PLACE(struct enrg_job_status, duplicated),
				},
			[STATISTIC_CORRUPTED] =
				{
					COUNTER("corrupted", "batches", "corrupted",
						"batches whose bytes failed a check"),
					METRIC("enrgdaq_corrupted_batches_total", 1),
					.shown.json = "corrupted",
					.shown.report = "corrupted",
					PAGE(corrupted),
					.is_whole = true,
					.in_report = PLACE(struct enrg_stats, corrupted),
					.in_status = PLACE(struct enrg_job_status, corrupted),
				},
			[STATISTIC_SET_ASIDE] =
				{
					COUNTER("set_aside", "batches", "set aside",
						"batches that ended their store again and again, and lie in a file "
						"now"),
					METRIC("enrgdaq_set_aside_batches_total", 1),
					.shown.json = "set_aside",
					.shown.report = "set_aside",
					PAGE(set_aside),
					.is_whole = true,
					.in_status = PLACE(struct enrg_job_status, set_aside),
				},
			[STATISTIC_MISSED_TICKS] =
				{
					COUNTER("missed_ticks", "ticks", "missed",
						"polls that were due while one before them still ran"),
					METRIC("enrgdaq_missed_ticks_total", 1),
					.shown.json = "missed_ticks",
					.shown.report = "missed_ticks",
					PAGE(missed_ticks),
					.is_whole = true,
					.in_report = PLACE(struct enrg_stats, missed_ticks),
					.in_status = PLACE(struct enrg_job_status, missed_ticks),
				},
			[STATISTIC_BLOCKED_PERCENT] =
				{
					GAUGE("blocked_percent", "%", "block",
						"time in which a source waited for those that read it"),
					.shown.json = "blocked_percent",
					.in_status = PLACE(struct enrg_job_status, blocked_percent),
				},
			[STATISTIC_BLOCKED_S] =
				{
					COUNTER("blocked_s", "s", "blocked",
						"the same in all, since its stream was made"),
					METRIC("enrgdaq_blocked_seconds_total", 1),
					.shown.json = "blocked_s",
				},
			[STATISTIC_CPU_PERCENT] =
				{
					GAUGE("cpu_percent", "%", "cpu", "CPU time, of one core"),
					.shown.json = "cpu_percent",
					.shown.report = "resource_stats.cpu_percent",
					.rate_of = STATISTIC_CPU_S,
					.is_rate = true,
					.scale = 1e-7,
					.in_report = PLACE(struct enrg_stats, cpu_percent),
					.in_status = PLACE(struct enrg_job_status, cpu_percent),
				},
			[STATISTIC_CPU_S] =
				{
					COUNTER("cpu_s", "s", "cpu s", "CPU time in all"),
					METRIC("enrgdaq_cpu_seconds_total", 1),
					.shown.json = "cpu_s",
					PAGE(cpu_ns),
					.scale = 1e-9,
					.is_idling = true,
				},
			[STATISTIC_RSS_MB] =
				{
					GAUGE("rss_mb", "MB", "rss MB", "memory, with the rings, which all jobs share"),
					METRIC("enrgdaq_resident_memory_bytes", 1e6),
					.shown.json = "rss_mb",
					.shown.report = "resource_stats.rss_mb",
					.in_report = PLACE(struct enrg_stats, rss_mb),
				},
			[STATISTIC_PRIVATE_MB] =
				{
					GAUGE("private_mb", "MB", "own MB",
						"memory without the rings: its own, and its share of programs and "
						"libraries"),
					METRIC("enrgdaq_own_memory_bytes", 1e6),
					.shown.json = "private_mb",
				},
			[STATISTIC_WAKEUPS] =
				{
					COUNTER("wakeups", "wake-ups", "wakeups",
						"times that its main loop woke from sleep"),
					METRIC("enrgdaq_wakeups_total", 1),
					.shown.json = "wakeups",
					PAGE(wakeups),
					.is_idling = true,
					.is_whole = true,
				},
			[STATISTIC_WAKEUPS_PER_S] =
				{
					GAUGE("wakeups_per_s", "wake-ups/s", "wakeups/s", "the same a second"),
					.shown.json = "wakeups_per_s",
					.rate_of = STATISTIC_WAKEUPS,
					.is_rate = true,
					.is_whole = true,
				},
			[STATISTIC_ZMQ_OUT_BYTES] =
				{
					COUNTER("zmq_out_bytes", "bytes", "zmq out",
						"bytes of batches sent over ZeroMQ, where shared memory is off"),
					METRIC("enrgdaq_zeromq_sent_bytes_total", 1),
					.shown.json = "zmq_out_bytes",
					PAGE(zmq_out_bytes),
					.is_idling = true,
					.is_whole = true,
				},
			[STATISTIC_ZMQ_IN_BYTES] =
				{
					COUNTER("zmq_in_bytes", "bytes", "zmq in",
						"bytes of batches received over ZeroMQ"),
					METRIC("enrgdaq_zeromq_received_bytes_total", 1),
					.shown.json = "zmq_in_bytes",
					PAGE(zmq_in_bytes),
					.is_idling = true,
					.is_whole = true,
				},
			[STATISTIC_CONTROL_OUT_BYTES] =
				{
					COUNTER("control_out_bytes", "bytes", "control out",
						"bytes of statistics, alerts and other messages sent on the bus"),
					METRIC("enrgdaq_control_sent_bytes_total", 1),
					.shown.json = "control_out_bytes",
					PAGE(control_out_bytes),
					.is_idling = true,
					.is_whole = true,
				},
			[STATISTIC_RESTARTS] =
				{
					COUNTER("restarts", "restarts", "rst", "times that it was started again"),
					METRIC("enrgdaq_restarts_total", 1),
					.shown.json = "restarts",
					.is_whole = true,
					.in_status = PLACE(struct enrg_job_status, restarts),
				},
			[STATISTIC_RING_BYTES] =
				{
					GAUGE("ring_bytes", "bytes", "ring", "size of its stream"),
					METRIC("enrgdaq_ring_bytes", 1),
					.shown.json = "ring_bytes",
					.is_whole = true,
				},
			[STATISTIC_WINDOW_BYTES] =
				{
					GAUGE("window_bytes", "bytes", "window",
						"how much may be in flight before a source waits"),
					METRIC("enrgdaq_window_bytes", 1),
					.shown.json = "window_bytes",
					.is_whole = true,
				},
			[STATISTIC_RESCUED] =
				{
					COUNTER("rescued", "wake-ups", "rescued",
						"sleepers of its stream that no bell woke: a fault of this program"),
					METRIC("enrgdaq_rescued_wakeups_total", 1),
					.shown.json = "rescued",
					.is_whole = true,
				},
			[STATISTIC_EPOCH] =
				{
					GAUGE("epoch", "", "epoch",
						"instances of its producer that the stream has seen"),
					METRIC("enrgdaq_stream_epoch", 1),
					.shown.json = "epoch",
					.is_whole = true,
				},
};
