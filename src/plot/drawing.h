/* drawing.h: a gnuplot script and its data while they are written, and the four files that become of them: NAME.gp,
 * NAME.dat, and by gnuplot NAME.png (300 dpi) and NAME.pdf. One thread. */
#ifndef PLOT_DRAWING_H
#define PLOT_DRAWING_H

#include <stddef.h>
#include <stdio.h>

#include "enrgdaq/error.h"

struct drawing {
	FILE *script, *data; /* into the texts below; memory that runs out is drawing_draw's error */
	char *script_text, *data_text;
	size_t script_bytes, data_bytes;
};

struct drawing_params {
	const char *folder, *name;
	double width_in, height_in; /* of the PDF; the script has set the PNG's terminal */
};

/* 0, -ENOMEM; drawing_close is due either way. */
int drawing_open(struct drawing *drawing);
void drawing_close(struct drawing *drawing); /* takes zeroed state */

/* Writes a text that gnuplot takes as it is. */
void drawing_quote(FILE *script, const char *text);

/* `plot`: gnuplot's commands that draw, once for each of the two. -ENOENT: no gnuplot; -EIO: it failed. */
int drawing_draw(
	struct drawing *drawing, const struct drawing_params *params, const char *plot, struct enrg_error *err);

/* Removes the four files of an earlier run. */
void drawing_remove(const char *folder, const char *name);

#endif
