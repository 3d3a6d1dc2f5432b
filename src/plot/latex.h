/* latex.h: a results file as two LaTeX tables: how throughput scales with the payload of one client, and with the
 * number of clients. One thread. */
#ifndef PLOT_LATEX_H
#define PLOT_LATEX_H

#include <stdio.h>

#include "enrgdaq/error.h"

/* Writes both to `out`, for the package booktabs. A table for which the results hold
 * nothing is left out, and a comment says so. Errors of results_read; -EIO: `out` can't be written. */
int latex_write(const char *results_path, FILE *out, struct enrg_error *err);

#endif
