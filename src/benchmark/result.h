/* result.h: the result of one benchmark run: the keys of the founding document's results file, and ours beside them.
 * One thread. MB is 10^6 bytes. */
#ifndef BENCHMARK_RESULT_H
#define BENCHMARK_RESULT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "benchmark/limits.h"

struct bench_result {
	uint32_t clients;
	uint64_t payload_rows;
	double rate_hz;             /* of each client; 0 = as fast as it can */
	double duration_s;          /* asked for; without warm-up */
	double measured_s;          /* between the first and the last sample */
	double throughput_mb_per_s; /* rows × 16 bytes that the store read, checked and counted */
	double peak_mb_per_s;       /* best interval */
	double zmq_mb_per_s;        /* control plane; and batches with shared memory off */
	double messages_per_s;
	double queue_batches; /* produced and not yet stored, mean over the samples */
	double cpu_percent;   /* supervisor and all jobs; 100 = one core */
	double latency_p50_ms, latency_p95_ms, latency_p99_ms, latency_p999_ms, latency_max_ms; /* whole measurement */
	double latency_p95_mean_ms;                    /* mean of the intervals' p95: "Avg p95 Latency" */
	double latency_p99_peak_ms;                    /* worst interval's p99: "Peak p99 Latency" */
	uint64_t batches, lost, duplicated, corrupted; /* whole run, warm-up and drain included */
	bool is_accounted;                             /* produced = stored, by the ledger, at the end */
	char store[32];                                /* "memory", "root", "arrow" */
	bool use_shm;
	char date[32]; /* UTC */
	struct limits limits;
	enum regime regime;
};

/* 1: generation and checking were measured, and one client ran as fast as it could. Ratio to the slower of the two. */
int bench_result_ratio(const struct bench_result *result, double *ret_ratio);

/* New object; NULL: no memory. */
struct json_t *bench_result_format(const struct bench_result *result);

/* The summary of the founding document, line by line, and ours below it. */
void bench_result_print(const struct bench_result *result, FILE *stream);

/* {"cpu", "cores", "kernel", "memory_gb"}; new reference. */
struct json_t *bench_machine_format(void);

#endif
