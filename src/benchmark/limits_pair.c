/* limits_pair.c: the limits of two processes: handing over buffers, and waking a sleeper. Both are children of the
 * process of `enrgdaq bench` or of a program in bench/. */
#include <errno.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "benchmark/limits.h"
#include "benchmark/pair.h"
#include "benchmark/reader.h"

#define BATCH_BYTES    ((size_t)8000000)
#define BUFFERS        2u
#define WINDOW_BATCHES 8u /* a rate is taken of so many: as the programs do that compare with it */
#define BUFFER_STRIDE  (((BATCH_BYTES + 4095) / 4096) * 4096)
#define SAMPLES_MAX    4000u
#define TRY_NS         UINT64_C(60000000) /* each method, then the best once more */
#define MEASURE_NS     UINT64_C(200000000)
#define TIMEOUT_NS     UINT64_C(20000000000)
#define WAKEUPS        1000u
#define WAKEUPS_NS     UINT64_C(450000000)

/* --- bare pair --- */

struct hand_over {
	struct {
		_Alignas(128) _Atomic uint32_t is_full;
	} states[BUFFERS];
	_Alignas(128) _Atomic uint32_t is_over;
	uint64_t sum;
	enum copy_method method;
	uint64_t measure_ns;
	double rates[SAMPLES_MAX];
	unsigned rate_count;
	_Alignas(4096) uint8_t buffers[BUFFERS][BUFFER_STRIDE];
};

/* Copies in whenever a buffer is empty. */
static int run_filler(void *context)
{
	struct hand_over *shared = context;
	uint8_t *source = malloc(BATCH_BYTES);
	uint64_t begin_ns = 0, last_ns = 0;

	if (!source)
		return -ENOMEM;
	memset(source, 0x5a, BATCH_BYTES);
	copy_set_method(shared->method);
	for (uint64_t batch = 0; shared->rate_count < SAMPLES_MAX; batch++) {
		unsigned i = (unsigned)(batch % BUFFERS);
		/* Acquire pairs with the reader's release: it has read all of the buffer. */
		pair_await(&shared->states[i].is_full, 0);
		if (batch % WINDOW_BATCHES == 0) {
			uint64_t now_ns = clock_mono_ns();
			if (batch == WINDOW_BATCHES) /* until then pages and caches were cold */
				begin_ns = now_ns;
			if (batch > WINDOW_BATCHES)
				shared->rates[shared->rate_count++] =
					(double)(WINDOW_BATCHES * BATCH_BYTES) / (double)(now_ns - last_ns);
			if (shared->rate_count > 0 && now_ns - begin_ns > shared->measure_ns)
				break;
			last_ns = now_ns;
		}
		copy_bytes(shared->buffers[i], source, BATCH_BYTES);
		atomic_store_explicit(&shared->states[i].is_full, 1, memory_order_release);
	}
	atomic_store_explicit(&shared->is_over, 1, memory_order_release);
	free(source);
	return 0;
}

static int run_reader(void *context)
{
	struct hand_over *shared = context;

	for (unsigned i = 0;; i = (i + 1) % BUFFERS) {
		while (!atomic_load_explicit(&shared->states[i].is_full, memory_order_acquire)) {
			if (atomic_load_explicit(&shared->is_over, memory_order_acquire))
				return 0;
			pair_relax();
		}
		shared->sum += reader_sum(shared->buffers[i], BATCH_BYTES);
		atomic_store_explicit(&shared->states[i].is_full, 0, memory_order_release);
	}
}

static int run_bare_pair(enum copy_method method, uint64_t measure_ns, double *ret_gb_per_s, struct enrg_error *err)
{
	struct hand_over *shared = pair_map(sizeof(*shared));
	int cpus[2];

	if (!shared)
		return enrg_error_set(err, -ENOMEM, "no memory to measure in");
	shared->method = method;
	shared->measure_ns = measure_ns;
	unsigned cpu_count = pair_cpus(cpus, 2);
	const struct pair_side sides[] = {
		{run_filler, shared, cpus[0]},
		{run_reader, shared, cpus[cpu_count - 1]},
	};
	int rc = pair_run(sides, 2, TIMEOUT_NS, err);
	if (rc == 0 && shared->sum == 0)
		rc = enrg_error_set(err, ENRG_E_CORRUPT, "the reader of the bare pair saw no data");
	if (rc == 0)
		*ret_gb_per_s = pair_median(shared->rates, shared->rate_count);
	pair_unmap(shared, sizeof(*shared));
	return rc;
}

int limits_measure_bare_pair_by(enum copy_method method, double *ret_gb_per_s, struct enrg_error *err)
{
	return run_bare_pair(method, MEASURE_NS, ret_gb_per_s, err);
}

int limits_measure_bare_pair(struct limits_bare_pair *ret_result, struct enrg_error *err)
{
	struct limits_bare_pair result = {.method = COPY_MEMCPY};

	for (int i = COPY_MEMCPY; i <= COPY_NON_TEMPORAL; i++) {
		int rc = run_bare_pair((enum copy_method)i, TRY_NS, &result.by_method_gb_per_s[i], err);
		if (rc < 0)
			return rc;
		if (result.by_method_gb_per_s[i] > result.by_method_gb_per_s[result.method])
			result.method = (enum copy_method)i;
	}
	int rc = run_bare_pair(result.method, MEASURE_NS, &result.gb_per_s, err);
	if (rc == 0)
		*ret_result = result;
	return rc;
}

/* --- wake-up --- */

struct bedroom {
	_Alignas(128) _Atomic uint32_t call;     /* the futex: counts wake-ups */
	uint8_t message[60];                     /* with the word before it, 64 bytes */
	_Alignas(128) _Atomic uint32_t answered; /* the sleeper saw that call */
	_Atomic uint32_t sleeper_pid;
	uint64_t sum;
	_Alignas(128) uint64_t woken_ns; /* written before `answered` */
	double samples_us[WAKEUPS];
	unsigned sample_count;
};

static int run_sleeper(void *context)
{
	struct bedroom *shared = context;

	atomic_store_explicit(&shared->sleeper_pid, (uint32_t)getpid(), memory_order_release);
	for (uint32_t seen = 0;; seen++) {
		uint32_t now;
		/* Acquire pairs with the waker's release: the message is there. */
		while ((now = atomic_load_explicit(&shared->call, memory_order_acquire)) == seen)
			syscall(SYS_futex, &shared->call, FUTEX_WAIT, seen, NULL, NULL, 0);
		if (now == UINT32_MAX)
			return 0;
		for (unsigned i = 0; i < sizeof(shared->message); i++)
			shared->sum += shared->message[i];
		shared->woken_ns = clock_mono_ns();
		atomic_store_explicit(&shared->answered, now, memory_order_release);
	}
}

static int run_waker(void *context)
{
	struct bedroom *shared = context;
	uint64_t begin_ns = clock_mono_ns();
	uint32_t pid;

	while ((pid = atomic_load_explicit(&shared->sleeper_pid, memory_order_acquire)) == 0)
		pair_relax();
	int descriptor = pair_open_state(pid);
	if (descriptor < 0)
		return descriptor;
	for (uint32_t call = 1; call <= WAKEUPS; call++) {
		pair_await_sleep(descriptor);
		memset(shared->message, (int)call, sizeof(shared->message));
		uint64_t start_ns = clock_mono_ns();
		atomic_store_explicit(&shared->call, call, memory_order_release);
		syscall(SYS_futex, &shared->call, FUTEX_WAKE, 1, NULL, NULL, 0);
		pair_await(&shared->answered, call);
		shared->samples_us[shared->sample_count++] = (double)(shared->woken_ns - start_ns) / 1e3;
		if (clock_mono_ns() - begin_ns > WAKEUPS_NS)
			break;
	}
	atomic_store_explicit(&shared->call, UINT32_MAX, memory_order_release);
	syscall(SYS_futex, &shared->call, FUTEX_WAKE, 1, NULL, NULL, 0);
	close(descriptor);
	return 0;
}

int limits_measure_wakeup(struct limits_wakeup *ret_result, struct enrg_error *err)
{
	struct bedroom *shared = pair_map(sizeof(*shared));
	int cpus[2];

	if (!shared)
		return enrg_error_set(err, -ENOMEM, "no memory to measure in");
	unsigned cpu_count = pair_cpus(cpus, 2);
	const struct pair_side sides[] = {
		{run_waker, shared, cpus[0]},
		{run_sleeper, shared, cpus[cpu_count - 1]},
	};
	int rc = pair_run(sides, 2, TIMEOUT_NS, err);
	if (rc == 0) {
		ret_result->p50_us = pair_quantile(shared->samples_us, shared->sample_count, 0.5);
		ret_result->p99_us = pair_quantile(shared->samples_us, shared->sample_count, 0.99);
	}
	pair_unmap(shared, sizeof(*shared));
	return rc;
}
