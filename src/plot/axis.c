/* axis.c: ranges, ticks and numbers for figures. In the process of `enrgdaq bench suite` or `enrgdaq plot`, one
 * thread. */
#include "plot/axis.h"

#include <math.h>
#include <string.h>

#define DECADES_MAX 8.0
#define AIR         1.25
/* Up to so many decades the ticks at 2 and 5 have room for a number. */
#define DENSE_DECADES 2.6

/* The next of 1, 2, 5 × 10^k at or beyond `value`. */
static double round_up(double value)
{
	double decade = pow(10, floor(log10(value)));
	static const double steps[] = {1, 2, 5, 10};

	for (size_t i = 0; i < 4; i++)
		if (value <= steps[i] * decade * (1 + 1e-9))
			return steps[i] * decade;
	return 10 * decade;
}

static double round_down(double value)
{
	double decade = pow(10, floor(log10(value) + 1e-9));
	static const double steps[] = {5, 2, 1};

	for (size_t i = 0; i < 3; i++)
		if (value >= steps[i] * decade * (1 - 1e-9))
			return steps[i] * decade;
	return decade;
}

struct axis axis_log(double lowest, double highest)
{
	struct axis axis = {true, round_down(lowest / AIR), round_up(highest * AIR)};
	double missing = 1 - log10(axis.max / axis.min);

	if (missing > 0) {
		axis.min = round_down(axis.min / pow(10, missing / 2));
		axis.max = round_up(axis.max * pow(10, missing / 2));
	}
	if (log10(axis.max / axis.min) > DECADES_MAX)
		axis.min = axis.max / pow(10, DECADES_MAX);
	return axis;
}

static double linear_step(double span)
{
	return round_up(span / 7);
}

struct axis axis_linear(double highest, double air)
{
	double wanted = highest > 0 ? highest * air : 1, step = linear_step(wanted);

	return (struct axis){false, 0, ceil(wanted / step - 1e-9) * step};
}

double axis_fraction(const struct axis *axis, double value)
{
	double fraction;

	if (!(value > axis->min))
		return 0;
	if (axis->is_log)
		fraction = log(value / axis->min) / log(axis->max / axis->min);
	else
		fraction = (value - axis->min) / (axis->max - axis->min);
	return fraction < 1 ? fraction : 1;
}

static void write_tick(FILE *script, bool *is_first, double value, bool is_labelled)
{
	char text[48] = "";

	if (is_labelled)
		number_format_exact(value, text, sizeof(text));
	fprintf(script, "%s'%s' %.9g %d", *is_first ? "" : ", ", text, value, is_labelled ? 0 : 1);
	*is_first = false;
}

static void write_log_ticks(const struct axis *axis, FILE *script)
{
	bool is_dense = log10(axis->max / axis->min) < DENSE_DECADES, is_first = true;

	int first = (int)floor(log10(axis->min) + 1e-9), last = (int)floor(log10(axis->max * (1 + 1e-9)));

	for (int decade = first; decade <= last; decade++) {
		for (int i = 1; i < 10; i++) {
			double value = i * pow(10, decade);
			if (value < axis->min * (1 - 1e-9) || value > axis->max * (1 + 1e-9))
				continue;
			write_tick(script, &is_first, value, i == 1 || (is_dense && (i == 2 || i == 5)));
		}
	}
}

void axis_write_ticks(const struct axis *axis, const char *name, double size, FILE *script)
{
	bool is_first = true;

	fprintf(script, "set %s nomirror font 'DejaVu Sans,%g' (", name, size);
	if (axis->is_log) {
		write_log_ticks(axis, script);
	} else {
		double step = linear_step(axis->max);
		for (int i = 0; i * step <= axis->max * (1 + 1e-9); i++)
			write_tick(script, &is_first, i * step, true);
	}
	fputs(")\n", script);
}

/* Commas into the digits ahead of the point. */
static void insert_commas(const char *plain, char *ret_text, size_t text_bytes)
{
	size_t digits = strspn(plain, "0123456789"), out = 0;

	for (size_t i = 0; plain[i] && out + 2 < text_bytes; i++) {
		if (i > 0 && i < digits && (digits - i) % 3 == 0)
			ret_text[out++] = ',';
		ret_text[out++] = plain[i];
	}
	ret_text[out] = 0;
}

void number_format(double value, char *ret_text, size_t text_bytes)
{
	char plain[400];
	int decimals = 0;

	/* 99.96 is 100, not 100.0 */
	if (value > 0 && value < 99.95)
		decimals = value < 1e-6 ? 8 : 2 - (int)floor(log10(value * 1.0005));
	snprintf(plain, sizeof(plain), "%.*f", decimals, value);
	insert_commas(plain, ret_text, text_bytes);
}

void number_format_exact(double value, char *ret_text, size_t text_bytes)
{
	char plain[400];

	snprintf(plain, sizeof(plain), "%.*f", value < 1 ? 9 : 3, value);
	if (strchr(plain, '.')) {
		size_t length = strlen(plain);
		while (plain[length - 1] == '0')
			plain[--length] = 0;
		if (plain[length - 1] == '.')
			plain[length - 1] = 0;
	}
	insert_commas(plain, ret_text, text_bytes);
}
