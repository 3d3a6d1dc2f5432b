/* pair.h: processes that measure something together, each pinned to a CPU of its own, in memory that has no name and so
 * is gone with them. Used by the limits and by the programs in bench/. One thread. */
#ifndef BENCHMARK_PAIR_H
#define BENCHMARK_PAIR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enrgdaq/error.h"

#define PAIR_SIDES_MAX 9u

/* CPUs of this process's affinity mask, at most `count_max`, ascending; the number of them, at least 1. */
unsigned pair_cpus(int *ret_cpus, unsigned count_max);

/* In a side: does it share its CPU with the others, so that a busy wait must give it away? */
bool pair_is_alone(void);

/* Zeroed memory that the sides share, every page touched. NULL: none left. */
void *pair_map(size_t bytes);
void pair_unmap(void *memory, size_t bytes);

struct pair_side {
	int (*run)(void *context); /* in a process of its own; 0 = well, else a negative code */
	void *context;             /* what it writes is seen outside where it lies in pair_map memory */
	int cpu;                   /* -1 = not pinned */
};

/* Runs all sides at once and waits for them. One that fails, dies or is not done after `timeout_ns` ends all the others
 * (SIGKILL); they also die with the caller. 0; the code of the first side that failed; -ETIMEDOUT; -ECHILD: one was
 * killed. */
int pair_run(const struct pair_side *sides, unsigned count, uint64_t timeout_ns, struct enrg_error *err);

/* One step of a busy wait: a pause where the other side runs elsewhere, sched_yield on a single CPU. */
void pair_relax(void);

/* Spins until *word is `value`. */
void pair_await(const _Atomic uint32_t *word, uint32_t value);

/* For wake-ups: a descriptor of the state of a process, to be closed by the caller, or -errno; and the wait until that
 * process sleeps, and has slept for long enough (0.1 ms) that its core is idle. */
int pair_open_state(uint32_t pid);
void pair_await_sleep(int state_file);

/* Between the two, SIGINT, SIGTERM and SIGHUP wait: for callers that have a file to remove. Not nested. */
void pair_hold_signals(void);
void pair_free_signals(void);

/* Sorts the values. 0 of none. The middle one, and the one at `quantile` (0 … 1). */
double pair_median(double *values, unsigned count);
double pair_quantile(double *values, unsigned count, double quantile);

#endif
