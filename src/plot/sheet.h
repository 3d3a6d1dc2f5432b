/* sheet.h: a figure of several panels in rows and columns, with a title above and a footer below. One thread. */
#ifndef PLOT_SHEET_H
#define PLOT_SHEET_H

#include <stdbool.h>
#include <stdio.h>

#include "plot/drawing.h"

#define SHEET_BLUE      "#0072B2"
#define SHEET_SKY       "#56B4E9"
#define SHEET_VERMILION "#C44E00"
#define SHEET_ORANGE    "#E69F00"
#define SHEET_GREEN     "#009E73"
#define SHEET_DARK      "#212529"
#define SHEET_GREY      "#6C757D"

struct sheet_params {
	const char *name, *title, *subtitle;
	const char *footer[2]; /* lines; NULL: none */
	unsigned rows, columns;
	double width_in, height_in;
};

struct sheet_panel {
	unsigned row, column, span; /* from 0, above left; span 0 is 1: so many columns */
	const char *title, *x_label, *y_label;
	const char *y2_label; /* an axis at the right; NULL: none */
	const char *setup;    /* more commands of gnuplot, each with its line's end; or NULL */
	const char *plot;     /* gnuplot's command */
	bool is_log;          /* y */
	bool has_key;
};

struct sheet;

/* NULL: no memory. `params` and its texts stay the caller's until sheet_draw has returned. */
struct sheet *sheet_create(const struct sheet_params *params);
void sheet_destroy(struct sheet *sheet); /* takes NULL */

/* Where the next block of data is written: lines with blanks between the values. *ret_index is gnuplot's index of it;
 * the file is NAME.dat. */
FILE *sheet_begin_data(struct sheet *sheet, unsigned *ret_index);

void sheet_add_panel(struct sheet *sheet, const struct sheet_panel *panel);

/* Writes NAME.dat, NAME.gp, and by gnuplot NAME.png and NAME.pdf into the folder. As drawing_draw. */
int sheet_draw(struct sheet *sheet, const char *folder, struct enrg_error *err);

#endif
