/* suite.h: the founding document's runs: payloads of 1000 to 500000 rows with three clients, then one to eight clients
 * with 500000 rows, each a process of its own (`enrgdaq bench run --json`), so that one that fails or hangs is left out
 * and the rest goes on. Two runs more go into a file of their own, so that the first holds the founding document's runs
 * alone: the document's detector at its own rate, and one client to the disk. */
#ifndef BENCHMARK_SUITE_H
#define BENCHMARK_SUITE_H

#include "enrgdaq/error.h"

#define SUITE_RESULTS "latest_results.json"

struct suite_params {
	const char *program;     /* path of this executable */
	double duration_s;       /* of each run */
	const char *results_dir; /* created */
};

/* Runs all, shows progress on stdout, writes latest_results.json and latest_detector.json ({"detector": RUN, "disk":
 * RUN}; one that failed is missing) to results_dir, and copies with the date. 0; -ECANCELED: none
 * of the runs succeeded (nothing is written); ENRG_E_STOPPED: Ctrl-C (what was measured is written). */
int suite_run(const struct suite_params *params, unsigned *ret_failed, struct enrg_error *err);

#endif
