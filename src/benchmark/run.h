/* run.h: one benchmark: the real system, configured in memory: a supervisor, its job processes, one store that reads,
 * checks and counts every batch. The calling process becomes the supervisor; a thread beside it samples the jobs'
 * pages. */
#ifndef BENCHMARK_RUN_H
#define BENCHMARK_RUN_H

#include "benchmark/result.h"

struct bench_interval {
	double at_s; /* since the measurement began; negative: warm-up */
	double mb_per_s, messages_per_s, queue_batches, cpu_percent, p95_ms, p99_ms;
};

struct bench_params {
	uint32_t clients;
	uint64_t payload_rows;
	double duration_s, interval_s;
	double rate_hz;     /* of each client; 0 = as fast as it can */
	uint64_t window_kb; /* of all clients together; 0 = found by measuring */
	bool void_data;     /* the memory store keeps nothing */
	bool use_shm;
	const char *store;   /* "memory", "arrow" or "root"; NULL: files, root where that store is there, else arrow */
	const char *out_dir; /* of file stores */
	void (*on_interval)(void *context, const struct bench_interval *interval);
	void *context;
};

/* -ETIMEDOUT: no data came; ENRG_E_CONFIG: the system did not start (its messages are on stderr). */
int bench_run(const struct bench_params *params, struct bench_result *ret_result, struct enrg_error *err);

/* Removes a folder with all that is in it (a benchmark's own). */
void bench_remove_tree(const char *folder);

#endif
