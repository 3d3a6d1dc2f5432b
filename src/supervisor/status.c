/* status.c: state of the system as JSON. Process: supervisor. */
#include "supervisor/status.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/version.h"

static json_t *make_flow(
	uint64_t batches, uint64_t rows, uint64_t bytes, uint64_t batch_rate, uint64_t row_rate, uint64_t byte_rate)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "batches", (json_int_t)batches, "rows", (json_int_t)rows,
		"bytes", (json_int_t)bytes, "batches_per_s", (json_int_t)batch_rate, "rows_per_s", (json_int_t)row_rate,
		"bytes_per_s", (json_int_t)byte_rate);
}

/* `first`: of five statistics, in the order of `quantiles`. */
static void set_latency(struct statistics *statistics, enum statistic first, const struct histogram *histogram)
{
	static const double quantiles[] = {0.5, 0.95, 0.99, 0.999, 1.0};

	if (!atomic_load_explicit(&histogram->count, memory_order_relaxed))
		return;
	for (enum statistic i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
		statistics_set(statistics, first + i, (double)histogram_quantile(histogram, quantiles[i]) / 1e6);
}

/* Of the last seconds alone. */
static void set_recent_latency(struct statistics *statistics, const struct histogram *recent)
{
	uint64_t count = atomic_load_explicit(&recent->count, memory_order_relaxed);

	if (!count)
		return;
	statistics_set_count(statistics, STATISTIC_LATENCY_COUNT, count);
	statistics_set(statistics, STATISTIC_LATENCY_MIN_MS, (double)histogram_quantile(recent, 0.0) / 1e6);
	statistics_set(statistics, STATISTIC_LATENCY_AVG_MS, histogram_mean(recent) / 1e6);
}

static void set_stream(struct statistics *statistics, const struct stream_status *stream)
{
	statistics_set(statistics, STATISTIC_BLOCKED_S, (double)stream->blocked_ns / 1e9);
	statistics_set_count(statistics, STATISTIC_RING_BYTES, stream->data_bytes);
	statistics_set_count(statistics, STATISTIC_WINDOW_BYTES, stream->window_bytes);
	statistics_set_count(statistics, STATISTIC_RESCUED, stream->rescued);
	statistics_set_count(statistics, STATISTIC_EPOCH, stream->epoch);
}

/* null: none, or damaged. */
static json_t *make_text(const char *text)
{
	json_t *string = text[0] ? json_string(text) : NULL;

	return string ? string : json_null();
}

/* What waits for a store, or of a source's stream: bytes of the slowest, batches of the ledger. */
struct backlog {
	uint64_t bytes, batches;
};

/* One for each member; NULL: no memory, then none is told. */
static struct backlog *find_backlogs(const struct roster *roster, const struct ledger *ledger)
{
	struct backlog *backlogs = calloc(roster->count + 1, sizeof(*backlogs)), nobody = {0};

	for (uint32_t i = 0; backlogs && i < ledger->source_count; i++) {
		const struct ledger_source *source = &ledger->sources[i];
		const struct member *member = roster_find(roster, source->name);
		struct backlog *own = member ? &backlogs[member->index] : &nobody;

		for (uint32_t k = 0; k < source->store_count; k++) {
			const struct ledger_store *store = &source->stores[k];
			uint64_t bytes = store->in_flight_bytes, batches = store->in_flight_batches;

			own->bytes = bytes > own->bytes ? bytes : own->bytes;
			own->batches = batches > own->batches ? batches : own->batches;
			member = roster_find(roster, store->name);
			if (!member)
				continue;
			backlogs[member->index].bytes += bytes;
			backlogs[member->index].batches += batches;
		}
	}
	return backlogs;
}

static void set_all(struct statistics *ret_statistics, const struct member *member, const struct backlog *backlog)
{
	statistics_init(ret_statistics);
	statistics_set_counts(ret_statistics, &member->now, &member->rate);
	statistics_set_count(ret_statistics, STATISTIC_RESTARTS, member->restart.count);
	statistics_set(ret_statistics, STATISTIC_RSS_MB, (double)member->rss_bytes / 1e6);
	statistics_set(ret_statistics, STATISTIC_PRIVATE_MB, (double)member->private_bytes / 1e6);
	statistics_set(ret_statistics, STATISTIC_BLOCKED_PERCENT, member->blocked_percent);
	statistics_set_count(ret_statistics, STATISTIC_BACKLOG_BYTES, backlog->bytes);
	statistics_set_count(ret_statistics, STATISTIC_BACKLOG_BATCHES, backlog->batches);
	if (member->latency) {
		set_latency(ret_statistics, STATISTIC_LATENCY_P50_MS, &member->latency->recent);
		set_recent_latency(ret_statistics, &member->latency->recent);
		set_latency(ret_statistics, STATISTIC_LATENCY_RUN_P50_MS, &member->latency->all);
	}
	if (member->stream)
		set_stream(ret_statistics, member->stream);
}

void status_get_statistics(const struct roster *roster, const struct ledger *ledger, const struct member *member,
	struct statistics *ret_statistics)
{
	struct backlog *backlogs = find_backlogs(roster, ledger), none = {0};

	set_all(ret_statistics, member, backlogs ? &backlogs[member->index] : &none);
	free(backlogs);
}

/* Does a source take data? null: not known, or no job that takes any. */
static json_t *make_acquires(const struct member *member)
{
	uint32_t acquires = member->page ? atomic_load_explicit(&member->page->acquires, memory_order_relaxed)
					 : (uint32_t)PAGE_ACQUIRES_UNKNOWN;

	if (!member_is_source(member) || !member->config || member_is_service(member))
		return json_null();
	if (!member_is_alive(member))
		return json_false();
	if (acquires != PAGE_ACQUIRES && acquires != PAGE_ACQUIRES_NOT)
		return json_null();
	return json_boolean(acquires == PAGE_ACQUIRES);
}

/* A moment of CLOCK_MONOTONIC as one of the wall clock; 0: there was none. */
static json_t *make_wall(const _Atomic uint64_t *mono_ns, const struct status_context *context)
{
	uint64_t then_ns = mono_ns ? atomic_load_explicit(mono_ns, memory_order_relaxed) : 0, now_ns = clock_mono_ns();

	if (!then_ns || then_ns > now_ns || now_ns - then_ns > context->now_wall_ns)
		return json_integer(0);
	return json_integer((json_int_t)(context->now_wall_ns - (now_ns - then_ns)));
}

/* Which instance it is, when it last took or gave something, and when the next one starts. */
static void add_life(json_t *job, const struct member *member, const struct status_context *context)
{
	const struct page *page = member->page;
	uint64_t due_ns = 0;

	if (member->state == MEMBER_PAUSING && context->running_ns) {
		due_ns = context->now_wall_ns;
		if (member->restart.due_ns > context->running_ns)
			due_ns += member->restart.due_ns - context->running_ns;
	}
	json_object_set_new(job, "id", json_integer((json_int_t)member->id));
	json_object_set_new(job, "life", json_integer((json_int_t)member->lives));
	json_object_set_new(job, "is_alive", json_boolean(member_is_alive(member)));
	json_object_set_new(job, "started_ns", make_wall(page ? &page->started_mono_ns : NULL, context));
	json_object_set_new(job, "last_in_ns", make_wall(page ? &page->last_in_mono_ns : NULL, context));
	json_object_set_new(job, "last_out_ns", make_wall(page ? &page->last_out_mono_ns : NULL, context));
	json_object_set_new(job, "restart_due_ns", json_integer((json_int_t)due_ns));
}

/* Of the whole run, in buckets that do not change, for who adds them up over stores and time (Prometheus). */
static json_t *make_buckets(const struct histogram *latency)
{
	static const uint64_t bounds_us[] = {100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000,
		500000, 1000000, 2500000, 10000000, 60000000};
	enum { COUNT = sizeof(bounds_us) / sizeof(bounds_us[0]) };
	uint64_t bounds_ns[COUNT], counts[COUNT];
	json_t *bounds = json_array(), *numbers = json_array();

	for (unsigned i = 0; i < COUNT; i++)
		bounds_ns[i] = bounds_us[i] * 1000;
	histogram_cumulate(latency, bounds_ns, COUNT, counts);
	for (unsigned i = 0; i < COUNT; i++) {
		json_array_append_new(bounds, json_real((double)bounds_us[i] / 1e6));
		json_array_append_new(numbers, json_integer((json_int_t)counts[i]));
	}
	return json_pack("{s:o, s:o, s:I, s:f}", "at_most_s", bounds, "batches", numbers, "count",
		(json_int_t)atomic_load_explicit(&latency->count, memory_order_relaxed), "sum_s",
		(double)atomic_load_explicit(&latency->sum, memory_order_relaxed) / 1e9);
}

static json_t *make_job(
	const struct member *member, const struct backlog *backlog, const struct status_context *context)
{
	const struct page_counts *now = &member->now;
	struct statistics statistics;
	json_t *job = json_pack("{s:s, s:s, s:b, s:i, s:s, s:s, s:o, s:o, s:o, s:I}", "name", member->plan->name,
		"type", member->plan->type, "is_store", member_is_store(member), "pid", (int)member->child.pid, "state",
		member_state_name(member), "file", member->plan->file, "reason", make_text(member->reason), "last_exit",
		make_text(member->last_exit), "last_reason", make_text(member->last_reason), "zmq_bytes",
		(json_int_t)(now->zmq_out_bytes + now->zmq_in_bytes + now->control_out_bytes));

	if (!job)
		return NULL;
	json_object_set_new(job, "acquires", make_acquires(member));
	add_life(job, member, context);
	set_all(&statistics, member, backlog);
	statistics_format(&statistics, STATISTICS_STATUS, job);
	if (member->latency && atomic_load_explicit(&member->latency->all.count, memory_order_relaxed))
		json_object_set_new(job, "latency_buckets", make_buckets(&member->latency->all));
	if (member->stream)
		json_object_set_new(job, "window_reason",
			make_text(member->stream->window_reason ? member->stream->window_reason : ""));
	return job;
}

static const char *link_kind(const struct roster *roster, const struct ledger_source *source, const char *store)
{
	const struct member *member = roster_find(roster, source->name);

	for (size_t i = 0; member && i < member->plan->sink_count; i++)
		if (!strcmp(member->plan->sinks[i].store_name, store))
			return member->plan->sinks[i].link_url ? "zeromq" : "shared memory";
	return "";
}

static json_t *make_links(const struct status_context *context)
{
	json_t *links = json_array();

	for (uint32_t i = 0; i < context->ledger->source_count; i++) {
		const struct ledger_source *source = &context->ledger->sources[i];

		for (uint32_t k = 0; k < source->store_count; k++) {
			const struct ledger_store *store = &source->stores[k];

			json_array_append_new(
				links, json_pack("{s:s, s:s, s:s, s:I, s:I, s:I}", "source", source->name, "store",
					       store->name, "through", link_kind(context->roster, source, store->name),
					       "backlog_bytes", (json_int_t)store->in_flight_bytes, "backlog_batches",
					       (json_int_t)store->in_flight_batches, "acked",
					       (json_int_t)store->state.position));
		}
	}
	return links;
}

static json_t *make_totals(const struct roster *roster)
{
	struct page_counts now = {0}, rate = {0};
	uint64_t restarts = 0, running = 0;

	for (size_t i = 0; i < roster->count; i++) {
		const struct member *member = roster->members[i];

		page_counts_add(&now, &member->now);
		page_counts_add(&rate, &member->rate);
		restarts += member->restart.count;
		running += member_is_alive(member);
	}
	return json_pack("{s:o, s:o, s:f, s:I, s:I}", "produced",
		make_flow(
			now.out_batches, now.out_rows, now.out_bytes, rate.out_batches, rate.out_rows, rate.out_bytes),
		"stored",
		make_flow(now.in_batches, now.in_rows, now.in_bytes, rate.in_batches, rate.in_rows, rate.in_bytes),
		"cpu_percent", (double)rate.cpu_ns / 1e7, "restarts", (json_int_t)restarts, "running",
		(json_int_t)running);
}

static double number_of(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

void status_summary(const json_t *status, char *ret_text, size_t text_bytes)
{
	const json_t *totals = json_object_get(status, "totals"), *link;
	char in[32], out[32], waiting[32];
	double backlog = 0;
	size_t index;

	json_array_foreach((json_t *)json_object_get(status, "links"), index, link) backlog +=
		number_of(link, "backlog_bytes");
	snprintf(ret_text, text_bytes, "%.0f of %zu jobs run; produced %s/s, stored %s/s, %s waiting, %.0f restarts",
		number_of(totals, "running"), json_array_size(json_object_get(status, "jobs")),
		text_format_bytes(number_of(json_object_get(totals, "produced"), "bytes_per_s"), in),
		text_format_bytes(number_of(json_object_get(totals, "stored"), "bytes_per_s"), out),
		text_format_bytes(backlog, waiting), number_of(totals, "restarts"));
}

/* What tells a reader which process wrote it, and which of the alerts are new to him. */
static void add_for_clients(json_t *status, const struct status_context *context)
{
	char summary[256];

	status_summary(status, summary, sizeof(summary));
	json_object_set_new(status, "summary", json_string(summary));
	json_object_set_new(status, "supervisor_pid", json_integer(getpid()));
	json_object_set_new(status, "alert_count", json_integer((json_int_t)context->alert_count));
}

json_t *status_format(const struct status_context *context)
{
	char since[40], now[40];
	json_t *jobs = json_array(), *status;
	struct backlog *backlogs = find_backlogs(context->roster, context->ledger), none = {0};

	for (size_t i = 0; i < context->roster->count; i++)
		json_array_append_new(
			jobs, make_job(context->roster->members[i], backlogs ? &backlogs[i] : &none, context));
	free(backlogs);
	clock_format_utc(context->started_wall_ns, since, sizeof(since));
	clock_format_utc(context->now_wall_ns, now, sizeof(now));
	status = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "version", version_text(),
		"supervisor", context->supervisor, "run", context->run, "state", context->phase, "config",
		context->config, "since", since, "time", now, "jobs", jobs, "links", make_links(context), "totals",
		make_totals(context->roster), "ledger",
		ledger_format_json(context->ledger, context->run, context->supervisor, context->is_final));
	if (status)
		json_object_set_new(status, "mono_ns", json_integer((json_int_t)clock_mono_ns()));
	if (status)
		json_object_set_new(status, "interval_s", json_real(context->interval_s));
	if (status && context->alerts)
		json_object_set(status, "alerts", (json_t *)context->alerts);
	if (status)
		add_for_clients(status, context);
	return status;
}
