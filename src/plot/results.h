/* results.h: a results file in memory: the founding document's keys, and ours where the file has them. One thread. */
#ifndef PLOT_RESULTS_H
#define PLOT_RESULTS_H

#include <stdbool.h>
#include <stddef.h>

#include "enrgdaq/error.h"

#define RESULTS_SERIES_CLIENTS    3.0      /* the runs that differ in their payload alone */
#define RESULTS_AGGREGATE_PAYLOAD 500000.0 /* the runs that differ in their clients alone */

enum results_limit { RESULTS_LIMIT_NONE, RESULTS_LIMIT_GENERATION, RESULTS_LIMIT_CHECKING, RESULTS_LIMIT_PAIR };

/* What the file does not hold is NAN, or "". */
struct results_entry {
	size_t index; /* in the file */
	double clients, payload_rows;
	double mb_per_s, peak_mb_per_s, zmq_mb_per_s;
	double cpu_percent;
	double p50_ms, p95_ms, p99_ms, p999_ms; /* p95: mean of the intervals; p99: worst interval */
	double run_p95_ms, run_p99_ms;          /* of the whole measurement, as p50 and p99.9 are */
	double duration_s;
	double lost, duplicated, corrupted;
	enum results_limit limit; /* the lowest of the limits that were measured with it */
	double limit_mb_per_s;
	bool is_shm; /* batches through shared memory; true where the file does not say */
	char regime[24], date[40], cpu[80], store[24];
	double cores;
};

struct results {
	size_t count; /* at least 1 */
	struct results_entry *entries;
	bool has_detector, has_disk;
	struct results_entry detector, disk; /* runs of the suite's second file */
};

/* -ENOENT and other system errors; ENRG_E_CORRUPT: not a results file, with what is wrong; -ENODATA: no run in it. One
 * object, as `enrgdaq bench run --json` prints it, is a results file of one run. */
int results_read(const char *path, struct results **ret_results, struct enrg_error *err);
/* Adds the runs of the file beside it, "…detector…" for "…results…", to results->detector and ->disk. 0 also where
 * there is none; else as results_read. */
int results_read_detector(struct results *results, const char *results_path, struct enrg_error *err);
void results_destroy(struct results *results);

/* Any key of ours: not a file of the Python program. */
bool results_are_ours(const struct results *results);

/* Some of the entries, in an order. */
struct results_series {
	size_t count;
	const struct results_entry **entries; /* free() */
};

/* By payload, each payload once: the runs with 3 clients; where there is none, all runs. Of several with one payload
 * the one with the fewest clients stays, of equal ones the last of the file. */
int results_select_payloads(const struct results *results, struct results_series *ret_series);
/* The runs with one client by payload, each payload once: the last of the file. */
int results_select_one_client(const struct results *results, struct results_series *ret_series);
/* The runs with 500000 rows by clients, each number of clients once: the last of the file. */
int results_select_clients(const struct results *results, struct results_series *ret_series);

/* The run whose limit is the median of all (the lower of the middle two); NULL where no limit was measured. */
const struct results_entry *results_find_limit(const struct results *results);

/* "3 clients", "1 to 8 clients". */
void results_format_clients(const struct results_series *series, char *ret_text, size_t text_bytes);

/* Machine, dates, regimes; and runs: how many, how long, into which store, losses where the file counts them. */
void results_format_origin(const struct results *results, char *ret_text, size_t text_bytes);
void results_format_runs(const struct results *results, char *ret_text, size_t text_bytes);

#endif
