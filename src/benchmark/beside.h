/* beside.h: ENRGDAQ beside other ways to move the same data, measured in turn within one run: links first, then the
 * suite's points, where ENRGDAQ is the whole system and the others are bare pairs of processes. One thread; children.
 */
#ifndef BENCHMARK_BESIDE_H
#define BENCHMARK_BESIDE_H

#include <stdbool.h>

#include "enrgdaq/error.h"

struct json_t;
struct python;

struct beside_params {
	const char *program;         /* path of this executable */
	double duration_s;           /* of each measurement */
	const struct python *python; /* runs beside ours; NULL = none */
	bool has_links, has_points;  /* what is measured */
	unsigned clients, rows;      /* the point alone that is measured; 0 = those of the suite */
	bool is_quiet;               /* prints nothing */
};

/* Prints a row a measurement. `ret_rows`: [{"part", "case", "name", "gb_per_s", "messages_per_s", "latency_p50_ms",
 * "latency_p99_ms", "cpu_percent", "regime"}], a new reference; what could not be measured has "why" instead. 0; the
 * error of ENRGDAQ's own link; ENRG_E_STOPPED. */
int beside_run(const struct beside_params *params, struct json_t **ret_rows, struct enrg_error *err);

#endif
