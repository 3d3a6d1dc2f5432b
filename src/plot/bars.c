/* bars.c: bars and where their texts go. In the process of `enrgdaq bench suite` or `enrgdaq plot`, one thread. */
#include "plot/bars.h"

#include <math.h>
#include <stdlib.h>

#define LINEAR_RATIO_MAX 30.0
#define VALUE_SIZE       11.5
#define BELOW_SIZE       11.0
#define SIZE_MIN         7.0
#define GAP              0.008
#define HALF_WIDTH       0.4 /* of a bar; bars stand 1 apart */

struct axis bars_choose_axis(const struct bar *bars, size_t count, double reference)
{
	double lowest = reference > 0 ? reference : INFINITY, highest = reference > 0 ? reference : 0, highest_bar = 0;

	for (size_t i = 0; i < count; i++) {
		if (!(bars[i].value > 0))
			continue;
		lowest = fmin(lowest, bars[i].value);
		highest_bar = fmax(highest_bar, bars[i].value);
	}
	highest = fmax(highest, highest_bar);
	if (!(highest > 0))
		return axis_linear(1, 1);
	if (highest / lowest > LINEAR_RATIO_MAX)
		return axis_log(lowest, fmax(highest, highest_bar * 2.5));
	return axis_linear(fmax(highest * 1.04, highest_bar * 1.15), 1);
}

struct axis bars_axis(size_t count)
{
	double spare = count < 3 ? (3 - (double)count) * 0.25 : 0;

	return (struct axis){false, 0.5 - spare, (double)count + 0.5 + spare};
}

/* The size at which the widest of the texts fits into the width of one bar, or of its place; it may be too small. */
static double fit_size(const struct figure *figure, const struct bar *bars, size_t count, bool is_below, double size)
{
	double place =
		(figure_x(figure, 2) - figure_x(figure, 1)) * FIGURE_WIDTH_IN * (is_below ? 0.95 : 1.9 * HALF_WIDTH);
	double widest = 0;

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < 2; k++)
			widest = fmax(widest,
				figure_text_width(is_below ? bars[i].below[k] : bars[i].lines[k], size, !is_below));
	return widest > place ? size * place / widest : size;
}

/* `at` is the place of the first line. */
static void write_lines(struct figure *figure, const char *first, const char *second, struct figure_text at)
{
	figure_write_text(figure, &at, "%s", first);
	at.y -= figure_text_height(at.size) / FIGURE_HEIGHT_IN;
	if (second[0])
		figure_write_text(figure, &at, "%s", second);
}

/* Where the texts of bars may go; numbers are middles of all lines of a text. */
struct places {
	double height, above, inside, beyond;
	bool is_above_free, is_inside_free;
};

static bool is_free(double middle, double height, double line)
{
	return isnan(line) || line < middle - height / 2 - GAP / 2 || line > middle + height / 2 + GAP / 2;
}

static struct places find_places(const struct figure *figure, const struct bar *bar, double size, double line)
{
	double end = isnan(bar->value) ? figure->bottom : figure_y(figure, bar->value);
	double height = (bar->lines[1][0] ? 2 : 1) * figure_text_height(size) / FIGURE_HEIGHT_IN;
	struct places places = {
		height, end + GAP + height / 2, end - GAP - height / 2, line + GAP + height / 2, false, false};

	places.is_above_free = is_free(places.above, height, line);
	places.is_inside_free = places.inside - height / 2 > figure->bottom && is_free(places.inside, height, line);
	return places;
}

/* What the texts at all bars have in common. */
struct values {
	double size, line;
	bool are_inside; /* where they fit */
};

/* Above the bar; else in its end; else above the line; else above the bar, white behind the text. */
static void write_value(struct figure *figure, const struct bar *bar, double x, const struct values *values)
{
	struct places places = find_places(figure, bar, values->size, values->line);
	struct figure_text at = {x, places.above, FIGURE_CENTER, values->size, FIGURE_DARK, .is_bold = true};

	if (places.is_inside_free && (values->are_inside || !places.is_above_free)) {
		at.y = places.inside;
		at.color = "white";
	} else if (!places.is_above_free && places.beyond + places.height / 2 < figure->top + 0.02) {
		at.y = places.beyond;
	} else {
		at.is_boxed = !places.is_above_free;
	}
	if (bar->lines[1][0])
		at.y += places.height / 4;
	write_lines(figure, bar->lines[0], bar->lines[1], at);
}

static void write_texts(struct figure *figure, const struct bar *bars, size_t count, double reference)
{
	double below_size = fit_size(figure, bars, count, true, BELOW_SIZE);
	size_t every = below_size < SIZE_MIN ? (size_t)ceil(SIZE_MIN / below_size) : 1;
	struct values values = {
		.size = fit_size(figure, bars, count, false, VALUE_SIZE),
		.line = reference > 0 ? figure_y(figure, reference) : (double)NAN,
	};

	for (size_t i = 0; i < count; i++)
		values.are_inside |= !find_places(figure, &bars[i], values.size, values.line).is_above_free;
	for (size_t i = 0; i < count; i++) {
		struct figure_text below = {figure_x(figure, (double)i + 1), figure->bottom - 0.036, FIGURE_CENTER,
			fmax(below_size, SIZE_MIN), FIGURE_DARK, .is_bold = false};
		if (values.size >= SIZE_MIN)
			write_value(figure, &bars[i], below.x, &values);
		if (i % every == 0)
			write_lines(figure, bars[i].below[0], bars[i].below[1], below);
	}
}

const char *bars_write(struct figure *figure, const struct bar *bars, size_t count, double reference)
{
	figure->x = bars_axis(count);
	figure_write_axes(figure, false);
	fputs("set datafile missing '?'\n", figure->script);
	for (size_t i = 0; i < count; i++) {
		char value[32] = "?";
		if (!isnan(bars[i].value))
			snprintf(value, sizeof(value), "%.9g", bars[i].value);
		fprintf(figure->data, "%zu %s %ld \"%s\"\n", i + 1, value, strtol(bars[i].color + 1, NULL, 16),
			bars[i].below[0]);
	}
	write_texts(figure, bars, count, reference);
	fprintf(figure->script, "low = %.9g\nhalf = %g\nset style fill solid 0.85 noborder\n", figure->y.min,
		HALF_WIDTH);
	return "using 1:2:($1-half):($1+half):(low):(clip($2)):3 with boxxyerror linecolor rgb variable notitle";
}
