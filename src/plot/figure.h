/* figure.h: one figure: a page of 10 × 6 inches with title, axes, legend, reference lines and footer, written as a
 * gnuplot script. All texts have a place that is computed here, so that none depends on what gnuplot finds. One thread.
 *
 * Places are fractions of the page, (0, 0) below left. Memory that runs out while writing is figure_draw's error. */
#ifndef PLOT_FIGURE_H
#define PLOT_FIGURE_H

#include <stdio.h>

#include "enrgdaq/error.h"
#include "plot/axis.h"
#include "plot/drawing.h"
#include "plot/results.h"

#define FIGURE_WIDTH_IN  10.0
#define FIGURE_HEIGHT_IN 6.0

/* Okabe and Ito's colours: told apart also by the colour-blind and in grey. */
#define FIGURE_BLUE      "#0072B2"
#define FIGURE_SKY       "#56B4E9"
#define FIGURE_VERMILION "#C44E00" /* a little darker than theirs: it is a colour of texts as well */
#define FIGURE_ORANGE    "#E69F00"
#define FIGURE_GREEN     "#009E73"
#define FIGURE_DARK      "#212529"
#define FIGURE_GREY      "#6C757D"

struct figure {
	const char *name;
	struct drawing drawing;
	FILE *script, *data;             /* its own */
	double left, right, bottom, top; /* of the area between the axes */
	struct axis x, y;
};

enum figure_align { FIGURE_LEFT, FIGURE_CENTER, FIGURE_RIGHT };

struct figure_text {
	double x, y; /* of its edge or middle, as `align` says, and of its middle line */
	enum figure_align align;
	double size; /* of the font */
	const char *color;
	bool is_bold, is_upright; /* upright: rotated by 90° */
	bool is_boxed;            /* white behind it */
};

/* A horizontal line with a text of up to three lines in the right margin. */
struct figure_reference {
	double value;
	const char *color;
	const char *dash; /* gnuplot's dash type */
	bool is_front;    /* over bars, not behind them */
	char lines[3][64];
};

struct figure_curve {
	char title[64];
	const char *color, *dash;
	int point; /* gnuplot's point type */
	double width, point_size;
};

struct figure_params {
	const char *name, *title, *subtitle, *x_label, *y_label;
	const char *note; /* in the footer, items apart by a middle dot between blanks; or NULL */
	const struct results *results;
	bool has_references; /* leaves a margin for their texts */
	bool has_legend;     /* leaves a row for it */
};

/* NULL: no memory. */
struct figure *figure_create(const struct figure_params *params);
void figure_destroy(struct figure *figure);

/* Ranges, ticks and grid from figure->x and ->y. Without x ticks where `has_x_ticks` is false. */
void figure_write_axes(struct figure *figure, bool has_x_ticks);
void figure_write_text(struct figure *figure, const struct figure_text *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void figure_write_references(struct figure *figure, const struct figure_reference *references, size_t count);
void figure_write_legend(struct figure *figure, const struct figure_curve *curves, size_t count);

/* Inches that a text takes at most. */
double figure_text_width(const char *text, double size, bool is_bold);
double figure_text_height(double size);
/* Page fractions of values on the axes. */
double figure_x(const struct figure *figure, double value);
double figure_y(const struct figure *figure, double value);

/* `plot` is gnuplot's command. Writes NAME.dat, NAME.gp, and by gnuplot NAME.png and NAME.pdf. */
int figure_draw(struct figure *figure, const char *folder, const char *plot, struct enrg_error *err);
#endif
