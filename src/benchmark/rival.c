/* rival.c: drives a transport and checks what comes out. Runs in the process of `enrgdaq bench compare`; producers and
 * consumer are its children. */
#include "benchmark/rival.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/crc32c.h"
#include "base/histogram.h"
#include "benchmark/pair.h"

#define TIMEOUT_NS UINT64_C(30000000000)
#define LOOK_NS    UINT64_C(200000)

struct shared {
	const struct rival *rival;
	const struct rival_params *params;
	void *self;
	_Atomic uint32_t opened;           /* ends that are open: all must be before the first message */
	_Atomic uint64_t begin_ns, end_ns; /* of the measurement, set by the consumer */
	_Atomic uint64_t cpu_ns;           /* of all sides, within the measurement */
	_Atomic bool is_all_read;          /* the consumer has each producer's last message */
	uint64_t messages;
	double seconds;
	struct histogram latency;
};

struct side {
	struct shared *shared;
	unsigned index;
};

static uint64_t cpu_now_ns(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Counts a side's CPU time between begin and end of the measurement. */
struct cpu_meter {
	uint64_t begin_ns;
	bool has_begun, has_ended;
};

static void meter(struct cpu_meter *meter, struct shared *shared, uint64_t now_ns)
{
	uint64_t begin_ns = atomic_load_explicit(&shared->begin_ns, memory_order_relaxed);
	uint64_t end_ns = atomic_load_explicit(&shared->end_ns, memory_order_relaxed);

	if (!meter->has_begun && begin_ns && now_ns >= begin_ns) {
		meter->has_begun = true;
		meter->begin_ns = cpu_now_ns();
	} else if (meter->has_begun && !meter->has_ended && now_ns >= end_ns) {
		meter->has_ended = true;
		atomic_fetch_add_explicit(&shared->cpu_ns, cpu_now_ns() - meter->begin_ns, memory_order_relaxed);
	}
}

/* --- producer ----------------------------------------------------------------------------------------------------- */

static void wait_until(uint64_t due_ns)
{
	const struct timespec at = {(time_t)(due_ns / 1000000000), (long)(due_ns % 1000000000)};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

static int produce(const struct side *side, void *end, uint8_t *payload)
{
	struct shared *shared = side->shared;
	const struct rival_params *params = shared->params;
	uint64_t period_ns = params->rate_hz > 0 ? (uint64_t)(1e9 / params->rate_hz) : 0;
	uint64_t started_ns = clock_mono_ns(), total_ns = params->measure_ns + params->measure_ns / 5;
	struct rival_header header = {.producer = side->index};
	struct cpu_meter cpu = {0};
	int rc = 0;

	while (rc == 0 && !header.is_last) {
		if (period_ns)
			wait_until(started_ns + header.sequence * period_ns);
		header.sent_ns = clock_mono_ns();
		header.sequence++;
		header.is_last = header.sent_ns - started_ns > total_ns && header.sequence >= params->messages_min;
		memcpy(payload, &header.sequence, sizeof(header.sequence)); /* no two messages are the same */
		rc = shared->rival->send(end, &header, payload);
		meter(&cpu, shared, header.sent_ns);
	}
	meter(&cpu, shared, UINT64_MAX);
	return rc;
}

/* A transport may lose what is on its way when its producer's end closes: libzmq 4.3 does over ipc:// where the
 * receiver was held back (the peer's hang-up reaches it before the rest of the bytes). What is measured ends before
 * this. */
static void await_all_read(const struct shared *shared)
{
	while (!atomic_load_explicit(&shared->is_all_read, memory_order_acquire))
		wait_until(clock_mono_ns() + LOOK_NS);
}

static int run_producer(void *context)
{
	const struct side *side = context;
	struct shared *shared = side->shared;
	uint8_t *payload = malloc(shared->params->payload_bytes);
	void *end = NULL;
	int rc = payload ? shared->rival->open_producer(shared->self, side->index, &end) : -ENOMEM;

	if (rc == 0) {
		memset(payload, 0x5a, shared->params->payload_bytes);
		atomic_fetch_add_explicit(&shared->opened, 1, memory_order_release);
		pair_await(&shared->opened, shared->params->producers + 1);
		rc = produce(side, end, payload);
		if (rc == 0)
			await_all_read(shared);
		shared->rival->close_producer(end);
	}
	free(payload);
	return rc;
}

/* --- consumer ----------------------------------------------------------------------------------------------------- */

struct reading {
	struct shared *shared;
	void *end;
	uint64_t sequences[RIVAL_PRODUCERS_MAX];
	unsigned finished; /* producers whose last message came */
	uint64_t begin_ns, end_ns, last_ns;
	struct cpu_meter cpu;
};

static int check(struct reading *reading, const struct rival_header *header, const uint8_t *payload, bool is_checked)
{
	const struct rival_params *params = reading->shared->params;

	if (header->producer >= params->producers || header->sequence != reading->sequences[header->producer] + 1)
		return ENRG_E_SEQUENCE;
	reading->sequences[header->producer] = header->sequence;
	if (!is_checked && crc32c(0, payload, params->payload_bytes) != header->crc)
		return ENRG_E_CORRUPT;
	return 0;
}

static void count(struct reading *reading, const struct rival_header *header)
{
	struct shared *shared = reading->shared;
	uint64_t now_ns = clock_mono_ns();

	if (!reading->begin_ns) {
		reading->begin_ns = now_ns + shared->params->measure_ns / 5;
		reading->end_ns = reading->begin_ns + shared->params->measure_ns * 4 / 5;
		atomic_store_explicit(&shared->end_ns, reading->end_ns, memory_order_relaxed);
		atomic_store_explicit(&shared->begin_ns, reading->begin_ns, memory_order_relaxed);
	}
	meter(&reading->cpu, shared, now_ns);
	if (now_ns >= reading->begin_ns && now_ns < reading->end_ns) {
		shared->messages++;
		reading->last_ns = now_ns;
		histogram_add(&shared->latency, now_ns > header->sent_ns ? now_ns - header->sent_ns : 0);
	}
	reading->finished += header->is_last;
}

static int consume(struct reading *reading)
{
	struct shared *shared = reading->shared;
	int rc = 0;

	while (rc == 0 && reading->finished < shared->params->producers) {
		struct rival_header header;
		const uint8_t *payload = NULL;
		bool is_checked = false;

		rc = shared->rival->receive(reading->end, &header, &payload, &is_checked);
		if (rc == 0)
			rc = check(reading, &header, payload, is_checked);
		if (rc == 0) {
			shared->rival->release(reading->end);
			count(reading, &header);
		}
	}
	meter(&reading->cpu, shared, UINT64_MAX);
	shared->seconds = (double)(reading->end_ns - reading->begin_ns) / 1e9;
	return rc;
}

static int run_consumer(void *context)
{
	struct shared *shared = context;
	struct reading reading = {.shared = shared};
	int rc = shared->rival->open_consumer(shared->self, &reading.end);

	if (rc < 0)
		return rc;
	atomic_fetch_add_explicit(&shared->opened, 1, memory_order_release);
	rc = consume(&reading);
	atomic_store_explicit(&shared->is_all_read, rc == 0, memory_order_release);
	shared->rival->close_consumer(reading.end);
	return rc;
}

/* --- all together ------------------------------------------------------------------------------------------------- */

static int run_sides(struct shared *shared, struct enrg_error *err)
{
	struct side producers[RIVAL_PRODUCERS_MAX];
	struct pair_side sides[PAIR_SIDES_MAX];
	int cpus[PAIR_SIDES_MAX];
	unsigned cpu_count = pair_cpus(cpus, PAIR_SIDES_MAX), count = shared->params->producers;

	/* One producer has a core for itself, as the consumer has; several are left to the scheduler, as jobs are. */
	sides[0] = (struct pair_side){run_consumer, shared, count == 1 && cpu_count > 1 ? cpus[1] : -1};
	for (unsigned i = 0; i < count; i++) {
		producers[i] = (struct side){shared, i};
		sides[1 + i] = (struct pair_side){run_producer, &producers[i], count == 1 ? cpus[0] : -1};
	}
	return pair_run(sides, count + 1, shared->params->measure_ns * 2 + TIMEOUT_NS, err);
}

static void collect(const struct shared *shared, struct rival_result *ret_result)
{
	double bytes = (double)shared->messages * (double)shared->params->payload_bytes;

	*ret_result = (struct rival_result){
		.gb_per_s = bytes / shared->seconds / 1e9,
		.messages_per_s = (double)shared->messages / shared->seconds,
		.latency_p50_us = (double)histogram_quantile(&shared->latency, 0.5) / 1e3,
		.latency_p99_us = (double)histogram_quantile(&shared->latency, 0.99) / 1e3,
		.cpu_percent = (double)atomic_load(&shared->cpu_ns) / 1e7 / shared->seconds,
		.messages = shared->messages,
	};
}

int rival_run(const struct rival *rival, const struct rival_params *params, struct rival_result *ret_result,
	struct enrg_error *err)
{
	struct shared *shared = pair_map(sizeof(*shared));
	int rc;

	if (!shared)
		return enrg_error_set(err, -ENOMEM, "no memory to measure in");
	if (params->producers < 1 || params->producers > RIVAL_PRODUCERS_MAX || params->payload_bytes < 8) {
		pair_unmap(shared, sizeof(*shared));
		return enrg_error_set(
			err, -EINVAL, "1 to %u producers of messages of at least 8 bytes", RIVAL_PRODUCERS_MAX);
	}
	shared->rival = rival;
	shared->params = params;
	pair_hold_signals(); /* an interrupt waits until what has a name is gone: a run is short */
	rc = rival->prepare(params, &shared->self, err);
	if (rc == 0) {
		rc = run_sides(shared, err);
		rival->end(shared->self);
	}
	pair_free_signals();
	if (rc == 0)
		collect(shared, ret_result);
	pair_unmap(shared, sizeof(*shared));
	return rc < 0 ? enrg_error_add(err, rc, "%s", rival->name) : 0;
}
