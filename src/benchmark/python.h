/* python.h: the benchmark of the Python ENRGDAQ as it lies in a checkout, none of its files changed. One thread; it
 * runs as a child, in a temporary folder. */
#ifndef BENCHMARK_PYTHON_H
#define BENCHMARK_PYTHON_H

#include <limits.h>

#include "enrgdaq/error.h"

struct python {
	char checkout[PATH_MAX];
	char interpreter[PATH_MAX]; /* as execvp finds it */
};

struct python_result { /* as its own summary has it; NAN: it is not there */
	double gb_per_s, messages_per_s;
	double latency_p99_ms; /* of its worst second */
	double cpu_percent;
};

/* `interpreter` NULL: that of the checkout's .venv, else python3. 0; ENRG_E_CONFIG, with what is missing and how to get
 * it, where it is no checkout, the interpreter can't be started or its benchmark can't be imported. */
int python_find(const char *checkout, const char *interpreter, struct python *ret_python, struct enrg_error *err);

/* Measures for `seconds`, after some seconds of start and warm-up. 0; a negative code with what it said last;
 * ENRG_E_STOPPED. */
int python_run(const struct python *python, unsigned clients, unsigned rows, double seconds,
	struct python_result *ret_result, struct enrg_error *err);

#endif
