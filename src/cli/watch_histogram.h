/* watch_histogram.h: `enrgdaq watch --histogram NAME`: a histogram in the terminal, or as JSON. */
#ifndef CLI_WATCH_HISTOGRAM_H
#define CLI_WATCH_HISTOGRAM_H

#include <signal.h>
#include <stdio.h>

#include <enrgdaq/histogram.h>

enum watch_histogram_form { WATCH_HISTOGRAM_TEXT, WATCH_HISTOGRAM_JSROOT, WATCH_HISTOGRAM_UHI };

struct watch_histogram_params {
	const char *name, *supervisor; /* supervisor NULL: the one that runs */
	double every_s, seconds;       /* seconds 0: text until interrupted, JSON once */
	enum watch_histogram_form form;
	const volatile sig_atomic_t *is_over;
};

/* An exit code. */
int watch_histogram_run(const struct watch_histogram_params *params);

/* `width` columns, about `height` lines. */
void watch_histogram_print(const struct enrg_histogram *histogram, unsigned width, unsigned height, FILE *stream);

#endif
