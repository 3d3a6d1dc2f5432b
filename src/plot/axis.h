/* axis.h: the range of an axis, where a value lies on it, and its ticks. Numbers as humans read them. One thread. */
#ifndef PLOT_AXIS_H
#define PLOT_AXIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct axis {
	bool is_log;
	double min, max; /* min < max; on a log axis min > 0 */
};

/* Both ends of the data lie inside, with a little air; at least one decade, at most eight: what lies lower is clipped.
 * Both positive. */
struct axis axis_log(double lowest, double highest);
/* From 0; a top that is a round number above `highest` × `air`. */
struct axis axis_linear(double highest, double air);

/* 0 = lower end, 1 = upper end; values beyond are clipped, so 0 is fine on a log axis. */
double axis_fraction(const struct axis *axis, double value);

/* gnuplot's command for its ticks; `name` is "xtics" or "ytics", `size` the font's. */
void axis_write_ticks(const struct axis *axis, const char *name, double size, FILE *script);

/* "12,345", "98.7", "4.25", "0.0123": three digits below a thousand, a comma for thousands. */
void number_format(double value, char *ret_text, size_t text_bytes);
/* The same without rounding to three digits and without useless zeros: for ticks. */
void number_format_exact(double value, char *ret_text, size_t text_bytes);

#endif
