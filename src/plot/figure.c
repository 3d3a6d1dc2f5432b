/* figure.c: writes gnuplot scripts. In the process of `enrgdaq bench suite` or `enrgdaq plot`, one
 * thread. */
#include "plot/figure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Sizes are those of a page 10 inches wide. In one column of a journal (8.6 cm) it is printed at a third of that, where
 * the footer is the smallest text that can still be read. */
#define TITLE_SIZE       16.0
#define SUBTITLE_SIZE    12.0
#define LABEL_SIZE       12.5
#define REFERENCE_SIZE   11.0
#define TICK_SIZE        11.0
#define LEGEND_SIZE      11.5
#define LEGEND_ROW_IN    0.3
#define LEGEND_SAMPLE_IN 0.42
#define LEGEND_GAP_IN    0.3
#define FOOTER_SIZE      11.0
#define FOOTER_SIZE_MIN  8.0
#define FOOTER_ROWS      4
#define FOOTER_EDGE      0.015
#define SEPARATOR        " \u00b7 "

/* --- texts -------------------------------------------------------------------------------------------------------- */

/* Measured on DejaVu Sans as gnuplot's cairo terminals draw it, with a reserve. */
double figure_text_width(const char *text, double size, bool is_bold)
{
	size_t characters = 0;

	for (; *text; text++)
		characters += ((unsigned char)*text & 0xc0) != 0x80;
	return (double)characters * size / 72 * (is_bold ? 0.82 : 0.72);
}

double figure_text_height(double size)
{
	return size / 72 * 1.4;
}

void figure_write_text(struct figure *figure, const struct figure_text *at, const char *format, ...)
{
	static const char *const aligns[] = {"left", "center", "right"};
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	fputs("set label ", figure->script);
	drawing_quote(figure->script, text);
	fprintf(figure->script, " at screen %.5f,%.5f %s%s font 'DejaVu Sans%s,%g' textcolor rgb '%s' front%s\n", at->x,
		at->y, aligns[at->align], at->is_upright ? " rotate by 90" : "", at->is_bold ? ":Bold" : "", at->size,
		at->color, at->is_boxed ? " boxed" : "");
}

/* The size at which a text fits between the edges of the page. */
static double fit_size(const char *text, double size, bool is_bold)
{
	double width = figure_text_width(text, size, is_bold), fits = FIGURE_WIDTH_IN * 0.99;

	return width > fits ? size * fits / width : size;
}

/* --- page --------------------------------------------------------------------------------------------------------- */

static void write_head(struct figure *figure, const struct figure_params *params)
{
	double middle_x = (figure->left + figure->right) / 2, middle_y = (figure->bottom + figure->top) / 2;

	fprintf(figure->script,
		"# %s: drawn by ENRGDAQ from %s.dat; `gnuplot %s.gp` draws it again.\n"
		"reset session\n"
		"set encoding utf8\n"
		"set terminal pngcairo noenhanced size 3000,1800 font 'DejaVu Sans,9' fontscale 4.166667"
		" linewidth 4.166667 pointscale 4.166667\n"
		"set style textbox opaque noborder fillcolor rgb 'white' margins 0.4,0.4\n"
		"set border 3 linecolor rgb '%s' linewidth 0.8\n"
		"set lmargin at screen %.5f\nset rmargin at screen %.5f\n"
		"set bmargin at screen %.5f\nset tmargin at screen %.5f\n"
		"unset key\n",
		params->title, params->name, params->name, FIGURE_GREY, figure->left, figure->right, figure->bottom,
		figure->top);
	figure_write_text(figure,
		&(struct figure_text){0.5, 0.95, FIGURE_CENTER, fit_size(params->title, TITLE_SIZE, true), FIGURE_DARK,
			.is_bold = true},
		"%s", params->title);
	figure_write_text(figure,
		&(struct figure_text){0.5, 0.885, FIGURE_CENTER, fit_size(params->subtitle, SUBTITLE_SIZE, false),
			FIGURE_DARK, .is_bold = false},
		"%s", params->subtitle);
	if (params->x_label)
		figure_write_text(figure,
			&(struct figure_text){middle_x, 0.175, FIGURE_CENTER, LABEL_SIZE, FIGURE_DARK, .is_bold = true},
			"%s", params->x_label);
	figure_write_text(figure,
		&(struct figure_text){
			0.02, middle_y, FIGURE_CENTER, LABEL_SIZE, FIGURE_DARK, .is_bold = true, .is_upright = true},
		"%s", params->y_label);
}

/* One row of the footer from `text`: whole items between separators, as many as fit. Length of what it takes. */
static size_t footer_row(const char *text, double size, char *ret_row, size_t row_bytes)
{
	size_t taken = 0;

	for (const char *end = text; *end;) {
		const char *next = strstr(end, SEPARATOR);
		size_t length = next ? (size_t)(next - text) : strlen(text);
		char row[512];

		snprintf(row, sizeof(row), "%.*s", (int)length, text);
		if (taken && figure_text_width(row, size, false) > FIGURE_WIDTH_IN * (1 - 2 * FOOTER_EDGE))
			break;
		taken = length + (next ? strlen(SEPARATOR) : 0);
		snprintf(ret_row, row_bytes, "%s", row);
		end = text + taken;
	}
	return taken;
}

/* Rows that the text takes at a size; in `rows` where it is not NULL. FOOTER_ROWS + 1: more than there is room for. */
static size_t break_footer(const char *text, double size, char (*rows)[512])
{
	size_t count = 0;
	bool is_too_wide = false;
	char row[512];

	while (*text && count <= FOOTER_ROWS) {
		text += footer_row(text, size, row, sizeof(row));
		is_too_wide |= figure_text_width(row, size, false) > FIGURE_WIDTH_IN * (1 - FOOTER_EDGE);
		if (rows && count < FOOTER_ROWS)
			memcpy(rows[count], row, sizeof(row));
		count++;
	}
	return is_too_wide ? FOOTER_ROWS + 1 : count;
}

/* What the figure rests on, in a few rows; smaller where that is not enough. */
static void write_footers(struct figure *figure, const struct figure_params *params)
{
	char origin[400], runs[200], text[1200], rows[FOOTER_ROWS][512] = {{0}};
	double size = FOOTER_SIZE;
	size_t count;

	results_format_origin(params->results, origin, sizeof(origin));
	results_format_runs(params->results, runs, sizeof(runs));
	snprintf(text, sizeof(text), "%s" SEPARATOR "%s%s%s", runs, params->note ? params->note : "",
		params->note ? SEPARATOR : "", origin);
	while (size > FOOTER_SIZE_MIN && break_footer(text, size, NULL) > FOOTER_ROWS)
		size -= 0.5;
	count = break_footer(text, size, rows);
	count = count < FOOTER_ROWS ? count : FOOTER_ROWS;
	for (size_t i = 0; i < count; i++) {
		double step = figure_text_height(size) / FIGURE_HEIGHT_IN;
		struct figure_text at = {FOOTER_EDGE, 0.028 + (double)(count - 1 - i) * step, FIGURE_LEFT, size,
			FIGURE_GREY, .is_bold = false};
		figure_write_text(figure, &at, "%s", rows[i]);
	}
}

struct figure *figure_create(const struct figure_params *params)
{
	struct figure *figure = calloc(1, sizeof(*figure));

	if (!figure)
		return NULL;
	figure->name = params->name;
	figure->left = 0.135;
	figure->right = params->has_references ? 0.735 : 0.97;
	figure->bottom = 0.265;
	figure->top = params->has_legend ? 0.76 : 0.82;
	if (drawing_open(&figure->drawing) < 0) {
		figure_destroy(figure);
		return NULL;
	}
	figure->script = figure->drawing.script;
	figure->data = figure->drawing.data;
	write_head(figure, params);
	write_footers(figure, params);
	return figure;
}

void figure_destroy(struct figure *figure)
{
	if (!figure)
		return;
	drawing_close(&figure->drawing);
	free(figure);
}

/* --- axes --------------------------------------------------------------------------------------------------------- */

double figure_x(const struct figure *figure, double value)
{
	return figure->left + (figure->right - figure->left) * axis_fraction(&figure->x, value);
}

double figure_y(const struct figure *figure, double value)
{
	return figure->bottom + (figure->top - figure->bottom) * axis_fraction(&figure->y, value);
}

void figure_write_axes(struct figure *figure, bool has_x_ticks)
{
	FILE *script = figure->script;

	fprintf(script, "%sset xrange [%.9g:%.9g]\n", figure->x.is_log ? "set logscale x\n" : "", figure->x.min,
		figure->x.max);
	fprintf(script, "%sset yrange [%.9g:%.9g]\n", figure->y.is_log ? "set logscale y\n" : "", figure->y.min,
		figure->y.max);
	if (has_x_ticks)
		axis_write_ticks(&figure->x, "xtics", TICK_SIZE, script);
	else
		fputs("unset xtics\n", script);
	axis_write_ticks(&figure->y, "ytics", TICK_SIZE, script);
	fprintf(script,
		"set grid ytics mytics %s linecolor rgb '#CED4DA' linewidth 0.7 dashtype solid,"
		" linecolor rgb '#E9ECEF' linewidth 0.5 dashtype solid back\n",
		has_x_ticks ? "xtics" : "noxtics");
	/* What is not above the lower end of a log axis, such as 0, is drawn at that end. */
	fprintf(script, "clip(y) = y > %.9g ? y : %.9g\n", figure->y.min, figure->y.min);
}

/* --- reference lines ---------------------------------------------------------------------------------------------- */

static size_t count_lines(const struct figure_reference *reference)
{
	size_t count = 0;

	while (count < 3 && reference->lines[count][0])
		count++;
	return count;
}

/* The middles of the texts, in `middles`: each as near to its line as the one below it allows. `order` is by value. */
static void spread(const struct figure *figure, const struct figure_reference *references, const size_t *order,
	size_t count, double *middles)
{
	double floor = figure->bottom, height[8];

	for (size_t i = 0; i < count; i++) {
		const struct figure_reference *reference = &references[order[i]];
		height[i] =
			((double)count_lines(reference) + 0.6) * figure_text_height(REFERENCE_SIZE) / FIGURE_HEIGHT_IN;
		middles[i] = fmax(figure_y(figure, reference->value), floor + height[i] / 2);
		floor = middles[i] + height[i] / 2;
	}
	double ceiling = figure->top + 0.03;
	for (size_t i = count; i-- > 0;) {
		middles[i] = fmin(middles[i], ceiling - height[i] / 2);
		ceiling = middles[i] - height[i] / 2;
	}
}

static void write_reference(struct figure *figure, const struct figure_reference *reference, double middle)
{
	double y = figure_y(figure, reference->value), step = figure_text_height(REFERENCE_SIZE) / FIGURE_HEIGHT_IN;
	size_t lines = count_lines(reference);

	fprintf(figure->script,
		"set arrow from screen %.5f,%.5f to screen %.5f,%.5f nohead linecolor rgb '%s' linewidth 1.6"
		" dashtype %s %s\n",
		figure->left, y, figure->right, y, reference->color, reference->dash,
		reference->is_front ? "front" : "back");
	fprintf(figure->script,
		"set arrow from screen %.5f,%.5f to screen %.5f,%.5f nohead linecolor rgb '%s' linewidth 0.8\n",
		figure->right, y, figure->right + 0.011, middle, reference->color);
	for (size_t i = 0; i < lines; i++)
		figure_write_text(figure,
			&(struct figure_text){figure->right + 0.015,
				middle + ((double)(lines - 1) / 2 - (double)i) * step, FIGURE_LEFT, REFERENCE_SIZE,
				reference->color, .is_bold = i == 0},
			"%s", reference->lines[i]);
}

void figure_write_references(struct figure *figure, const struct figure_reference *references, size_t count)
{
	size_t order[8];
	double middles[8];

	count = count < 8 ? count : 8;
	for (size_t i = 0; i < count; i++) {
		size_t at = i;
		for (; at > 0 && references[order[at - 1]].value > references[i].value; at--)
			order[at] = order[at - 1];
		order[at] = i;
	}
	spread(figure, references, order, count, middles);
	for (size_t i = 0; i < count; i++)
		write_reference(figure, &references[order[i]], middles[i]);
}

/* --- legend ------------------------------------------------------------------------------------------------------- */

static double entry_width(const struct figure_curve *curve)
{
	return LEGEND_SAMPLE_IN + 0.08 + figure_text_width(curve->title, LEGEND_SIZE, false);
}

static void write_legend_entry(struct figure *figure, const struct figure_curve *curve, double x, double y)
{
	double sample = LEGEND_SAMPLE_IN / FIGURE_WIDTH_IN;

	fprintf(figure->script,
		"set arrow from screen %.5f,%.5f to screen %.5f,%.5f nohead linecolor rgb '%s' linewidth %g"
		" dashtype %s\n",
		x, y, x + sample, y, curve->color, curve->width, curve->dash);
	fprintf(figure->script, "set label '' at screen %.5f,%.5f point pointtype %d pointsize %g linecolor rgb '%s'\n",
		x + sample / 2, y, curve->point, curve->point_size, curve->color);
	figure_write_text(figure,
		&(struct figure_text){x + sample + 0.008, y, FIGURE_LEFT, LEGEND_SIZE, FIGURE_DARK, .is_bold = false},
		"%s", curve->title);
}

/* One row where all fit between the edges of the page, else as many in a row as fit. */
void figure_write_legend(struct figure *figure, const struct figure_curve *curves, size_t count)
{
	double y = figure->top + 0.055;

	for (size_t first = 0; first < count;) {
		double width = entry_width(&curves[first]);
		size_t end = first + 1;
		while (end < count && width + LEGEND_GAP_IN + entry_width(&curves[end]) < FIGURE_WIDTH_IN * 0.97)
			width += LEGEND_GAP_IN + entry_width(&curves[end++]);
		double x = 0.5 - width / FIGURE_WIDTH_IN / 2;
		for (; first < end; first++) {
			write_legend_entry(figure, &curves[first], x, y);
			x += (entry_width(&curves[first]) + LEGEND_GAP_IN) / FIGURE_WIDTH_IN;
		}
		y -= LEGEND_ROW_IN / FIGURE_HEIGHT_IN;
	}
}

int figure_draw(struct figure *figure, const char *folder, const char *plot, struct enrg_error *err)
{
	const struct drawing_params params = {
		.folder = folder, .name = figure->name, .width_in = FIGURE_WIDTH_IN, .height_in = FIGURE_HEIGHT_IN};

	return drawing_draw(&figure->drawing, &params, plot, err);
}
