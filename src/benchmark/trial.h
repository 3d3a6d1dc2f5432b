/* trial.h: one stream between processes of this machine, driven as hard as asked, and measured: what the programs in
 * bench/ compare with the limits. The producer copies every payload in, each consumer reads every byte. The producer
 * and its consumers are pinned children of the caller; signals that end the caller are held back until the stream's
 * file is gone. One thread. */
#ifndef BENCHMARK_TRIAL_H
#define BENCHMARK_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/copy.h"
#include "enrgdaq/error.h"

#define TRIAL_CONSUMERS_MAX 7u

struct trial_params {
	uint64_t payload_bytes;
	uint64_t data_bytes;     /* of the ring */
	uint64_t hot_bytes;      /* in flight before the producer first waits; 0 = the whole ring */
	uint64_t target_ns;      /* of latency: the window is found as in the product; 0 = it is hot_bytes */
	uint64_t period_ns;      /* between the begins of two records; 0 = as fast as it goes */
	unsigned required_count; /* at least 1 */
	unsigned observer_count;
	uint64_t observer_period_ns; /* between two looks of an observer at the newest; 0 = it copies all that it meets
				      */
	bool checks;                 /* CRC-32C by the producer while it copies, by every consumer before it counts */
	bool is_tuned;               /* the product's own choice of the copy's instruction; else `method` */
	enum copy_method method;
	uint32_t read_passes;    /* times that a consumer reads each payload, as a store that works on it; 0 = 1 */
	uint32_t publish_every;  /* records that are published together; 0 = 1 */
	uint32_t stamp_every;    /* records that share one reading of the clock; 0 = 1 */
	uint32_t window_records; /* a rate is taken of so many; 0 = 8 */
	uint64_t measure_ns;     /* after a warm-up of two windows */
};

struct trial_result {
	double records_per_s; /* of the slowest required consumer: median of the windows */
	double gb_per_s;
	double latency_mean_us, latency_p50_us, latency_p99_us; /* commit to consumed; of a period, begin to consumed */
	double copy_p50_us, read_p50_us;                        /* of one record, where there is a period */
	double in_flight_bytes, in_flight_p99_bytes; /* at commit, itself included: not yet released by the slowest */
	uint64_t records;                            /* that the slowest required consumer read in all */
	uint64_t observed, lapped;                   /* of all observers together */
	uint64_t rescued;                            /* sleepers that found work which nobody had rung for: must be 0 */
	enum copy_method method;                     /* the last one */
};

/* 0; ENRG_E_SEQUENCE: a record was missing or came twice; ENRG_E_CORRUPT; others as pair_run. */
int trial_run(const struct trial_params *params, struct trial_result *ret_result, struct enrg_error *err);

/* Rows of 64 bytes (eight columns) that a job hands over 256 at a time with enrg_output_append_many; the consumer reads
 * every byte, and the CRC where `checks`. Rows a second, after a warm-up of a fifth of the time. */
int trial_rows(bool checks, uint64_t measure_ns, double *ret_rows_per_s, struct enrg_error *err);

/* A consumer sleeps, the producer publishes one record of 64 bytes: time from before the claim until the consumer has
 * read it, `count` times; sorted ascending into ret_samples_us. Same sides and same rest between two as in
 * limits_measure_wakeup. */
int trial_wakeup(uint32_t count, double *ret_samples_us, struct enrg_error *err);

#endif
