/* trial_wakeup.c: how long until a sleeping consumer has read a record of 64 bytes. Producer and consumer are children
 * of the process of a program in bench/. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "benchmark/pair.h"
#include "benchmark/reader.h"
#include "benchmark/trial.h"
#include "plane/stream.h"

#define SAMPLES_MAX   20000u
#define MESSAGE_BYTES 64u
#define TIMEOUT_NS    UINT64_C(60000000000)

struct bedroom {
	char path[80];
	uint32_t count;
	_Alignas(128) _Atomic uint32_t sleeper_pid; /* set when it has the stream open */
	_Alignas(128) _Atomic uint32_t answered;
	uint64_t woken_ns; /* written before `answered` */
	uint64_t sum;
	double samples_us[SAMPLES_MAX];
};

static int run_sleeper(void *context)
{
	struct bedroom *shared = context;
	struct consumer *consumer = NULL;
	struct consumer_record record;

	int rc = consumer_open(shared->path, "sleeper", UINT64_MAX, &consumer, NULL);
	if (rc < 0)
		return rc;
	atomic_store_explicit(&shared->sleeper_pid, (uint32_t)getpid(), memory_order_release);
	for (uint32_t seen = 0; seen < shared->count; seen++) {
		while ((rc = consumer_acquire(consumer, &record, NULL)) == 0)
			consumer_wait(&consumer, 1, NULL, 0, UINT64_MAX);
		if (rc < 0)
			break;
		shared->sum += reader_sum(record.payload, record.header->body_bytes);
		shared->woken_ns = clock_mono_ns();
		consumer_release(consumer, record.end, 0);
		atomic_store_explicit(&shared->answered, seen + 1, memory_order_release);
	}
	consumer_close(consumer);
	return rc < 0 ? rc : 0;
}

static int ring_all(struct bedroom *shared, struct stream *stream, int state_file)
{
	uint8_t message[MESSAGE_BYTES];
	struct stream_claim claim;

	for (uint32_t i = 0; i < shared->count; i++) {
		pair_await_sleep(state_file);
		memset(message, (int)i + 1, sizeof(message));
		uint64_t start_ns = clock_mono_ns();
		int rc = stream_claim(stream, sizeof(message), UINT64_MAX, &claim);
		if (rc < 0)
			return rc;
		memcpy(claim.payload, message, sizeof(message));
		stream_commit(
			stream, &(struct stream_commit){.type = RECORD_DATA, .rows = 1, .body_bytes = sizeof(message)});
		pair_await(&shared->answered, i + 1);
		shared->samples_us[i] = (double)(shared->woken_ns - start_ns) / 1e3;
	}
	return 0;
}

static int run_waker(void *context)
{
	struct bedroom *shared = context;
	struct stream *stream = NULL;
	uint16_t route;
	uint32_t pid;

	int rc = stream_open(shared->path, 0, &stream, NULL);
	if (rc == 0)
		rc = stream_add_route(
			stream, &(struct stream_route){.tag = "", .schema = "bench", .schema_bytes = 5}, &route, NULL);
	while (rc == 0 && (pid = atomic_load_explicit(&shared->sleeper_pid, memory_order_acquire)) == 0)
		pair_relax();
	int state_file = rc == 0 ? pair_open_state(pid) : rc;
	if (state_file >= 0) {
		rc = ring_all(shared, stream, state_file);
		close(state_file);
	} else {
		rc = state_file;
	}
	stream_close(stream, true);
	return rc;
}

static int make_stream(const char *path, struct enrg_error *err)
{
	const struct stream_params params = {
		.path = path,
		.source = "bench",
		.run = "bench",
		.supervisor = "bench",
		.data_bytes = 1 << 20,
		.record_bytes_max = 8192,
		.checks = true,
	};

	int rc = stream_create(&params, err);
	return rc == 0 ? stream_add_consumer(path, "sleeper", err) : rc;
}

int trial_wakeup(uint32_t count, double *ret_samples_us, struct enrg_error *err)
{
	struct bedroom *shared = count <= SAMPLES_MAX ? pair_map(sizeof(*shared)) : NULL;
	int cpus[2];

	if (!shared)
		return enrg_error_set(err, -ENOMEM, "no memory to measure %u wake-ups in", count);
	unsigned cpu_count = pair_cpus(cpus, 2);
	const struct pair_side sides[] = {
		{run_waker, shared, cpus[0]},
		{run_sleeper, shared, cpus[cpu_count - 1]},
	};
	shared->count = count;
	snprintf(shared->path, sizeof(shared->path), "/dev/shm/enrgdaq-bench-%d-wakeup.stream", (int)getpid());
	pair_hold_signals();
	int rc = make_stream(shared->path, err);
	if (rc == 0)
		rc = pair_run(sides, 2, TIMEOUT_NS, err);
	unlink(shared->path);
	pair_free_signals();
	if (rc == 0) {
		memcpy(ret_samples_us, shared->samples_us, count * sizeof(*ret_samples_us));
		pair_quantile(ret_samples_us, count, 0); /* sorts */
	}
	pair_unmap(shared, sizeof(*shared));
	return rc;
}
