/* trial.c: a stream driven as hard as it goes. The producer and the consumers are children of the process of a program
 * in bench/. */
#include "benchmark/trial.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/copy_tuner.h"
#include "base/histogram.h"
#include "benchmark/pair.h"
#include "benchmark/reader.h"
#include "plane/observer.h"
#include "plane/stream.h"

#define WINDOWS_MAX     8000u
#define WARM_UP_WINDOWS 2u
#define MANY            256u       /* small records that are written at once */
#define LAST_RECORD     UINT32_MAX /* in `rows`: the producer ends here */
#define LOOK_US         20000u     /* an observer that has seen all */
#define TIMEOUT_NS      UINT64_C(60000000000)

struct consumer_figures {
	_Alignas(128) _Atomic uint64_t released; /* records; what the producer subtracts */
	_Alignas(128) double rates[WINDOWS_MAX]; /* records a second */
	uint32_t rate_count;
	uint64_t records, lapped, sum;
	struct histogram latency, read;
};

struct shared {
	struct trial_params params;
	char path[80];
	_Atomic uint32_t opened; /* sides that have the stream open */
	_Atomic uint32_t is_over;
	struct histogram in_flight; /* at commit, bytes */
	struct histogram copy;      /* ns of one record */
	enum copy_method method;
	struct consumer_figures figures[TRIAL_CONSUMERS_MAX];
};

struct consumer_side {
	struct shared *shared;
	unsigned index;
};

/* --- producer --- */

struct producer {
	struct shared *shared;
	struct stream *stream;
	const struct trial_params *params;
	uint8_t *source;
	uint64_t stamp_ns;
	uint32_t stamp_left; /* records that may still carry this stamp */
	uint32_t held;       /* since the last publishing */
	uint64_t written;
	uint64_t due_ns; /* of the next record, where there is a period */
	struct copy_tuner copies;
	struct stream_commit commits[MANY];
};

static uint64_t stamp_now(struct producer *producer)
{
	if (producer->stamp_left == 0) {
		producer->stamp_ns = clock_mono_ns();
		producer->stamp_left = producer->params->stamp_every;
	}
	producer->stamp_left--;
	return producer->stamp_ns;
}

/* With the CRC where there are checks. */
static void fill_record(struct producer *producer, uint8_t *payload, struct stream_commit *commit)
{
	uint64_t bytes = producer->params->payload_bytes;

	if (producer->params->checks)
		commit->body_crc = copy_bytes_crc(payload, producer->source, bytes, 0);
	else
		copy_bytes(payload, producer->source, bytes);
	commit->has_crc = producer->params->checks;
}

/* Sleeps until the next record is due; how long the copy takes and when it began count then. */
static void await_period(struct producer *producer)
{
	struct timespec until;

	producer->due_ns += producer->params->period_ns;
	until.tv_sec = (time_t)(producer->due_ns / UINT64_C(1000000000));
	until.tv_nsec = (long)(producer->due_ns % UINT64_C(1000000000));
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
		;
}

/* As a job copies its batches: the way that the product chooses by what comes out, or the one that is asked for. */
static int write_tuned(struct producer *producer, struct stream_commit *commit)
{
	const struct trial_params *params = producer->params;
	struct stream_claim claim;
	uint64_t written, acknowledged, begin_ns = clock_mono_ns();

	int rc = stream_claim(producer->stream, params->payload_bytes, UINT64_MAX, &claim);
	if (rc < 0)
		return rc;
	if (params->is_tuned)
		copy_set_method(copy_tuner_begin(&producer->copies, params->payload_bytes, begin_ns));
	fill_record(producer, claim.payload, commit);
	uint64_t end_ns = clock_mono_ns();
	if (params->period_ns)
		histogram_add(&producer->shared->copy, end_ns - begin_ns);
	commit->committed_ns = params->period_ns ? begin_ns : end_ns;
	stream_commit(producer->stream, commit);
	stream_read_progress(producer->stream, &written, &acknowledged);
	if (params->is_tuned)
		copy_tuner_end(&producer->copies, written, acknowledged, clock_mono_ns());
	return 0;
}

static int write_record(struct producer *producer, uint32_t rows)
{
	const struct trial_params *params = producer->params;
	struct stream_commit commit = {.type = RECORD_DATA, .rows = rows, .body_bytes = params->payload_bytes};
	struct stream_claim claim;

	if (params->period_ns)
		await_period(producer);
	if (params->payload_bytes >= COPY_TUNER_BYTES_MIN && params->publish_every == 1) {
		producer->written++;
		return write_tuned(producer, &commit);
	}
	int rc = stream_claim(producer->stream, params->payload_bytes, UINT64_MAX, &claim);
	if (rc < 0)
		return rc;
	fill_record(producer, claim.payload, &commit);
	commit.committed_ns = stamp_now(producer);
	producer->written++;
	commit.hold = rows != LAST_RECORD && ++producer->held < params->publish_every;
	if (!commit.hold)
		producer->held = 0;
	stream_commit(producer->stream, &commit);
	return 0;
}

/* Where the compiler knows the size, as a source knows that of its records, a copy is no call. */
static void copy_small(uint8_t *to, const uint8_t *from, uint64_t bytes)
{
	if (bytes == SEGMENT_LINE)
		memcpy(to, from, SEGMENT_LINE);
	else
		memcpy(to, from, bytes);
}

/* As many as are still to be written before the next publishing. */
static int write_many(struct producer *producer)
{
	const struct trial_params *params = producer->params;
	uint32_t left = params->publish_every - producer->held;
	struct stream_claim_many claim;

	int rc = stream_claim_many(
		producer->stream, params->payload_bytes, left < MANY ? left : MANY, UINT64_MAX, &claim);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < claim.count; i++) {
		copy_small(claim.payload + (size_t)i * claim.stride_bytes, producer->source, params->payload_bytes);
		producer->commits[i].rows = 1;
		producer->commits[i].committed_ns = stamp_now(producer);
	}
	producer->written += claim.count;
	producer->held = claim.count < left ? producer->held + claim.count : 0;
	stream_commit_many(producer->stream, producer->commits, claim.count, producer->held > 0);
	return 0;
}

/* Payload bytes; stream_in_flight counts positions, and the pad of a rewind is many of them. */
static uint64_t count_in_flight(const struct producer *producer)
{
	uint64_t slowest = producer->written;

	for (unsigned i = 0; i < producer->params->required_count; i++) {
		uint64_t released = atomic_load_explicit(&producer->shared->figures[i].released, memory_order_relaxed);
		slowest = released < slowest ? released : slowest;
	}
	return (producer->written - slowest) * producer->params->payload_bytes;
}

static int produce(struct producer *producer)
{
	const struct trial_params *params = producer->params;
	uint64_t warm_up = (uint64_t)params->window_records * WARM_UP_WINDOWS, begin_ns = 0;
	/* The clock and the acknowledgements are looked at so seldom that they cost nothing. */
	uint64_t look_every = params->payload_bytes >= 65536 ? 1 : 1024, look_at = look_every;
	bool writes_many = params->publish_every > 1 && params->payload_bytes < SEGMENT_ALIGN_FROM;
	int rc = 0;

	for (uint32_t i = 0; i < MANY; i++)
		producer->commits[i] = (struct stream_commit){.type = RECORD_DATA, .body_bytes = params->payload_bytes};
	while (rc == 0) {
		rc = writes_many ? write_many(producer) : write_record(producer, 1);
		if (producer->written < look_at)
			continue;
		look_at = producer->written + look_every;
		if (producer->written >= warm_up && begin_ns == 0)
			begin_ns = clock_mono_ns();
		if (begin_ns && clock_mono_ns() - begin_ns > params->measure_ns)
			break;
		if (begin_ns)
			histogram_add(&producer->shared->in_flight, count_in_flight(producer));
	}
	return rc < 0 ? rc : write_record(producer, LAST_RECORD);
}

static int run_producer(void *context)
{
	struct shared *shared = context;
	const struct trial_params *params = &shared->params;
	struct producer producer = {.shared = shared, .params = params, .source = malloc(params->payload_bytes)};
	uint16_t route;

	if (!producer.source)
		return -ENOMEM;
	memset(producer.source, 0x5a, params->payload_bytes);
	int rc = stream_open(shared->path, params->hot_bytes, &producer.stream, NULL);
	if (rc == 0)
		rc = stream_add_route(producer.stream,
			&(struct stream_route){.tag = "", .schema = "bench", .schema_bytes = 5}, &route, NULL);
	if (rc == 0) {
		if (params->target_ns)
			stream_govern(producer.stream, params->target_ns, 1);
		copy_tuner_init(&producer.copies, 1);
		copy_set_method(params->method);
		pair_await(&shared->opened, params->required_count + params->observer_count);
		producer.due_ns = clock_mono_ns();
		rc = produce(&producer);
		shared->method = copy_method_now();
	}
	atomic_store_explicit(&shared->is_over, 1, memory_order_release);
	stream_close(producer.stream, true);
	free(producer.source);
	return rc;
}

/* --- consumers --- */

struct window {
	uint64_t start_ns;
	uint64_t records;
	uint32_t number;
};

static void count_window(
	struct window *window, struct consumer_figures *figures, uint32_t count, uint32_t window_records)
{
	window->records += count;
	if (window->records < window_records)
		return;
	uint64_t now_ns = clock_mono_ns();
	if (++window->number > WARM_UP_WINDOWS && figures->rate_count < WINDOWS_MAX)
		figures->rates[figures->rate_count++] =
			(double)window->records * 1e9 / (double)(now_ns - window->start_ns);
	window->start_ns = now_ns;
	window->records = 0;
}

struct reading {
	struct consumer *consumer;
	struct consumer_figures *figures;
	struct window window;
	uint64_t last_sequence;
	bool checks, takes_latency, takes_times;
	uint32_t passes;
	bool is_last;
};

static int read_record(struct reading *reading, const struct consumer_record *record)
{
	const struct record *header = record->header;
	struct consumer_figures *figures = reading->figures;

	if (header->sequence != reading->last_sequence + 1)
		return ENRG_E_SEQUENCE;
	reading->last_sequence = header->sequence;
	uint64_t begin_ns = reading->takes_times ? clock_mono_ns() : 0;
	/* The check reads every byte; without it the sum does. */
	for (uint32_t pass = 0; pass < reading->passes; pass++) {
		int rc = reading->checks ? consumer_check(reading->consumer, record, NULL) : 0;
		if (rc < 0)
			return rc;
		if (!reading->checks)
			figures->sum += reader_sum(record->payload, header->body_bytes);
	}
	figures->records++;
	reading->is_last = header->rows == LAST_RECORD;
	if (reading->takes_latency && reading->window.number >= WARM_UP_WINDOWS) {
		uint64_t now_ns = clock_mono_ns();
		histogram_add(&figures->latency, now_ns > header->committed_ns ? now_ns - header->committed_ns : 0);
		if (reading->takes_times)
			histogram_add(&figures->read, now_ns - begin_ns);
	}
	return 0;
}

static void release(struct reading *reading)
{
	atomic_store_explicit(&reading->figures->released, reading->figures->records, memory_order_relaxed);
	consumer_release(reading->consumer, consumer_position(reading->consumer), 0);
}

/* Reads what is there. Large records are acknowledged one by one, so that the producer can go on; small ones when all
 * that were there are read, or a sixteenth of the ring. */
static int read_all(struct reading *reading, const struct trial_params *params)
{
	uint64_t release_at = 0;
	struct consumer_record record;
	int got = 0, rc = 0;

	while (rc == 0 && !reading->is_last && (got = consumer_acquire(reading->consumer, &record, NULL)) == 1) {
		rc = read_record(reading, &record);
		if (record.end >= release_at || params->payload_bytes >= 65536) {
			release(reading);
			release_at = record.end + params->data_bytes / 16;
		}
		count_window(&reading->window, reading->figures, 1, params->window_records);
	}
	if (rc == 0 && got < 0)
		rc = got;
	release(reading);
	return rc;
}

static uint64_t sum_line(const uint8_t *line)
{
	const uint64_t *words = (const uint64_t *)(const void *)line; /* payloads are aligned */

	return ((words[0] + words[1]) + (words[2] + words[3])) + ((words[4] + words[5]) + (words[6] + words[7]));
}

/* Records of one line: each one's sequence is checked, and each byte read, without a call a record. */
static int read_lines(struct reading *reading, const struct consumer_record *records, uint32_t count)
{
	uint64_t sequence = reading->last_sequence, sum = 0;

	for (const struct consumer_record *record = records; record < records + count; record++) {
		if (record->header->sequence != ++sequence || record->header->body_bytes != SEGMENT_LINE)
			return ENRG_E_SEQUENCE;
		sum += sum_line(record->payload);
		reading->is_last |= record->header->rows == LAST_RECORD;
	}
	reading->last_sequence = sequence;
	reading->figures->sum += sum;
	reading->figures->records += count;
	return 0;
}

/* As read_all, for records of one line. */
static int read_all_lines(struct reading *reading, const struct trial_params *params)
{
	struct consumer_record records[CONSUMER_MANY];
	uint64_t release_at = 0;
	int got = 0, rc = 0;

	while (rc == 0 && !reading->is_last &&
		(got = consumer_acquire_many(reading->consumer, records, CONSUMER_MANY, NULL)) > 0) {
		rc = read_lines(reading, records, (uint32_t)got);
		uint64_t end = records[got - 1].end;
		if (end >= release_at) {
			release(reading);
			release_at = end + params->data_bytes / 16;
		}
		count_window(&reading->window, reading->figures, (uint32_t)got, params->window_records);
	}
	release(reading);
	return rc < 0 ? rc : got < 0 ? got : 0;
}

static bool reads_lines(const struct reading *reading, const struct trial_params *params)
{
	return params->payload_bytes == SEGMENT_LINE && params->read_passes == 1 && !params->checks &&
	       !reading->takes_latency;
}

static int run_consumer(void *context)
{
	const struct consumer_side *side = context;
	struct shared *shared = side->shared;
	const struct trial_params *params = &shared->params;
	struct reading reading = {
		.figures = &shared->figures[side->index],
		.checks = params->checks,
		.passes = params->read_passes,
		.takes_latency = params->stamp_every == 1,
		.takes_times = params->period_ns > 0,
	};
	char name[16];

	snprintf(name, sizeof(name), "%u", side->index);
	int rc = consumer_open(shared->path, name, UINT64_MAX, &reading.consumer, NULL);
	atomic_fetch_add_explicit(&shared->opened, 1, memory_order_release);
	reading.window.start_ns = clock_mono_ns();
	while (rc == 0 && !reading.is_last) {
		consumer_wait(&reading.consumer, 1, NULL, 0, UINT64_MAX);
		rc = reads_lines(&reading, params) ? read_all_lines(&reading, params) : read_all(&reading, params);
	}
	consumer_close(reading.consumer);
	return rc;
}

/* Who samples takes the newest now and then. */
static void rest(const struct shared *shared, struct observer *observer)
{
	if (!shared->params.observer_period_ns)
		return;
	usleep((useconds_t)(shared->params.observer_period_ns / 1000));
	observer_skip(observer);
}

/* Copies and adds up all that it meets; looks for the end by itself, as it may miss the last record. */
static int run_observer(void *context)
{
	const struct consumer_side *side = context;
	struct shared *shared = side->shared;
	struct consumer_figures *figures = &shared->figures[side->index];
	struct observer *observer = NULL;
	struct observer_record record;
	const uint8_t *payload;
	int rc = observer_open(shared->path, &observer, NULL);

	atomic_fetch_add_explicit(&shared->opened, 1, memory_order_release);
	while (rc >= 0 && !atomic_load_explicit(&shared->is_over, memory_order_acquire)) {
		rc = observer_next(observer, &record, NULL);
		if (rc == 0)
			usleep(LOOK_US);
		if (rc != 1)
			continue;
		figures->lapped += record.skipped;
		rc = observer_copy(observer, &payload, NULL);
		if (rc == 0) {
			figures->sum += reader_sum(payload, record.header.body_bytes);
			figures->records++;
		}
		rc = rc == -EOVERFLOW ? 0 : rc;
		rest(shared, observer);
	}
	observer_close(observer);
	return rc < 0 ? rc : 0;
}

/* --- all together --- */

static int make_stream(struct shared *shared, struct enrg_error *err)
{
	const struct trial_params *params = &shared->params;
	const struct stream_params stream = {
		.path = shared->path,
		.source = "bench",
		.run = "bench",
		.supervisor = "bench",
		.data_bytes = params->data_bytes,
		.record_bytes_max = params->payload_bytes + 2 * SEGMENT_PAGE,
		.checks = params->checks,
	};
	char name[16];

	int rc = stream_create(&stream, err);
	for (unsigned i = 0; i < params->required_count && rc == 0; i++) {
		snprintf(name, sizeof(name), "%u", i);
		rc = stream_add_consumer(shared->path, name, err);
	}
	return rc;
}

static int run_sides(struct shared *shared, struct enrg_error *err)
{
	struct consumer_side consumers[TRIAL_CONSUMERS_MAX];
	struct pair_side sides[PAIR_SIDES_MAX];
	unsigned count = shared->params.required_count + shared->params.observer_count;
	int cpus[PAIR_SIDES_MAX];
	unsigned cpu_count = pair_cpus(cpus, PAIR_SIDES_MAX);

	sides[0] = (struct pair_side){run_producer, shared, cpus[0]};
	for (unsigned i = 0; i < count; i++) {
		int cpu = cpu_count < 2 ? cpus[0] : cpus[1 + i % (cpu_count - 1)];
		consumers[i] = (struct consumer_side){shared, i};
		sides[1 + i] = (struct pair_side){
			i < shared->params.required_count ? run_consumer : run_observer, &consumers[i], cpu};
	}
	return pair_run(sides, count + 1, shared->params.measure_ns + TIMEOUT_NS, err);
}

static void collect(struct shared *shared, struct trial_result *ret_result)
{
	const struct trial_params *params = &shared->params;
	struct trial_result result = {
		.in_flight_bytes = histogram_mean(&shared->in_flight),
		.in_flight_p99_bytes = (double)histogram_quantile(&shared->in_flight, 0.99),
		.copy_p50_us = (double)histogram_quantile(&shared->copy, 0.5) / 1e3,
		.method = shared->method,
	};

	for (unsigned i = 0; i < params->required_count; i++) {
		struct consumer_figures *figures = &shared->figures[i];
		double rate = pair_median(figures->rates, figures->rate_count);
		if (i > 0 && rate >= result.records_per_s)
			continue;
		result.records_per_s = rate;
		result.records = figures->records;
		result.latency_mean_us = histogram_mean(&figures->latency) / 1e3;
		result.latency_p50_us = (double)histogram_quantile(&figures->latency, 0.5) / 1e3;
		result.read_p50_us = (double)histogram_quantile(&figures->read, 0.5) / 1e3;
		result.latency_p99_us = (double)histogram_quantile(&figures->latency, 0.99) / 1e3;
	}
	for (unsigned i = params->required_count; i < params->required_count + params->observer_count; i++) {
		result.observed += shared->figures[i].records;
		result.lapped += shared->figures[i].lapped;
	}
	result.gb_per_s = result.records_per_s * (double)params->payload_bytes / 1e9;
	*ret_result = result;
}

/* From the stream's own counters. */
static int count_rescued(const char *path, uint64_t *ret_rescued, struct enrg_error *err)
{
	static struct stream_status status;

	int rc = stream_read_status(path, &status, err);
	*ret_rescued = status.rescued;
	for (uint32_t i = 0; i < status.consumer_count && i < SEGMENT_CONSUMERS; i++)
		*ret_rescued += status.consumers[i].rescued;
	return rc;
}

static int run_on_file(struct shared *shared, struct trial_result *ret_result, struct enrg_error *err)
{
	struct trial_result result = {0};

	pair_hold_signals(); /* an interrupt waits until the stream's file is gone: a run is short */
	int rc = make_stream(shared, err);
	if (rc == 0)
		rc = run_sides(shared, err);
	if (rc == 0) {
		collect(shared, &result);
		rc = count_rescued(shared->path, &result.rescued, err);
	}
	unlink(shared->path);
	pair_free_signals();
	if (rc == 0)
		*ret_result = result;
	return rc;
}

int trial_run(const struct trial_params *params, struct trial_result *ret_result, struct enrg_error *err)
{
	static _Atomic uint32_t counter;
	unsigned count = params->required_count + params->observer_count;

	if (params->required_count == 0 || count > TRIAL_CONSUMERS_MAX)
		return enrg_error_set(
			err, -EINVAL, "1 to %u consumers, and at least one that is required", TRIAL_CONSUMERS_MAX);
	struct shared *shared = pair_map(sizeof(*shared));
	if (!shared)
		return enrg_error_set(err, -ENOMEM, "no memory to measure in");
	shared->params = *params;
	shared->params.read_passes = params->read_passes ? params->read_passes : 1;
	shared->params.publish_every = params->publish_every ? params->publish_every : 1;
	shared->params.stamp_every = params->stamp_every ? params->stamp_every : 1;
	shared->params.window_records = params->window_records ? params->window_records : 8;
	snprintf(shared->path, sizeof(shared->path), "/dev/shm/enrgdaq-bench-%d-%u.stream", (int)getpid(),
		atomic_fetch_add_explicit(&counter, 1, memory_order_relaxed));
	int rc = run_on_file(shared, ret_result, err);
	pair_unmap(shared, sizeof(*shared));
	return rc;
}
