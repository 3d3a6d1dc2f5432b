/* digitizer_figure.h: the six panels of a digitizer's statistics, as `analyze_digitizer_stats` of ENRGDAQ's Python
 * program draws them. */
#ifndef PLOT_DIGITIZER_FIGURE_H
#define PLOT_DIGITIZER_FIGURE_H

#include <stdio.h>

#include "enrgdaq/error.h"

#define DIGITIZER_FIGURE "digitizer_stats"

/* Draws DIGITIZER_FIGURE from the CSV file into `folder` (created), and prints its main figures to `out`. Errors of
 * statistics_file_read and sheet_draw. */
int digitizer_figure_draw(const char *path, const char *folder, FILE *out, struct enrg_error *err);

#endif
