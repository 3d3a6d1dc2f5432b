/* regime.c: the round trip of one cache line between two processes, and what it says. Runs in the process of `enrgdaq
 * bench` or of a program in bench/; the ping and the pong are its children. */
#include "benchmark/regime.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "benchmark/pair.h"

#define ROUND_MEASURE_NS UINT64_C(20000000)
#define TRIPS_A_SAMPLE   500u /* short, so that a preempted sample is one of many and the median does not see it */
#define SAMPLES_MAX      400u
#define TIMEOUT_NS       UINT64_C(10000000000)

struct table {
	_Alignas(128) _Atomic uint32_t ball; /* the only line that both touch: even = ping's turn, odd = pong's */
	_Alignas(128) double samples_ns[SAMPLES_MAX];
	unsigned sample_count;
};

/* No pause where the other side runs elsewhere: its length would be part of the result. */
static void await_word(const _Atomic uint32_t *word, uint32_t value, bool is_alone)
{
	while (atomic_load_explicit(word, memory_order_acquire) != value)
		if (is_alone)
			pair_relax();
}

static int run_ping(void *context)
{
	struct table *table = context;
	uint64_t begin_ns = clock_mono_ns();
	bool is_alone = pair_is_alone();
	uint32_t turn = 0;

	/* The first sample includes the start of the other process, and does not count. */
	for (unsigned i = 0; i <= SAMPLES_MAX; i++) {
		uint64_t start_ns = clock_mono_ns();
		if (i > 1 && start_ns - begin_ns > ROUND_MEASURE_NS)
			break;
		for (unsigned trip = 0; trip < TRIPS_A_SAMPLE; trip++) {
			/* Release pairs with the acquire of the other side's loop. */
			atomic_store_explicit(&table->ball, ++turn, memory_order_release);
			turn++;
			await_word(&table->ball, turn, is_alone);
		}
		if (i > 0)
			table->samples_ns[table->sample_count++] =
				(double)(clock_mono_ns() - start_ns) / (double)TRIPS_A_SAMPLE;
	}
	atomic_store_explicit(&table->ball, UINT32_MAX, memory_order_release);
	return 0;
}

static int run_pong(void *context)
{
	struct table *table = context;
	bool is_alone = pair_is_alone();

	for (uint32_t turn = 1;; turn += 2) {
		uint32_t seen;
		while ((seen = atomic_load_explicit(&table->ball, memory_order_acquire)) != turn) {
			if (seen == UINT32_MAX)
				return 0;
			if (is_alone)
				pair_relax();
		}
		atomic_store_explicit(&table->ball, turn + 1, memory_order_release);
	}
}

int regime_measure(struct regime_probe *ret_probe, struct enrg_error *err)
{
	struct table *table = pair_map(sizeof(*table));
	int cpus[2];

	if (!table)
		return enrg_error_set(err, -ENOMEM, "no memory to measure in");
	unsigned cpu_count = pair_cpus(cpus, 2);
	const struct pair_side sides[] = {
		{run_ping, table, cpus[0]},
		{run_pong, table, cpus[cpu_count - 1]},
	};
	int rc = pair_run(sides, 2, TIMEOUT_NS, err);
	if (rc == 0) {
		double round_trip_ns = pair_median(table->samples_ns, table->sample_count);
		ret_probe->round_trip_ns = round_trip_ns;
		ret_probe->regime = cpu_count < 2 ? REGIME_SINGLE_CORE : regime_of(round_trip_ns);
	}
	pair_unmap(table, sizeof(*table));
	return rc;
}

enum regime regime_of(double round_trip_ns)
{
	if (round_trip_ns <= REGIME_SHARED_NS_MAX)
		return REGIME_SHARED_CACHE;
	return round_trip_ns > REGIME_SPLIT_NS_MIN ? REGIME_SPLIT_CACHE : REGIME_MIXED;
}

enum regime regime_join(enum regime before, enum regime after)
{
	return before == after ? before : REGIME_MIXED;
}

const char *regime_name(enum regime regime)
{
	static const char *const names[] = {"single-core", "shared-cache", "mixed", "split-cache"};

	return (unsigned)regime < sizeof(names) / sizeof(names[0]) ? names[regime] : "?";
}
