/* gnuplot.h: runs gnuplot. One thread. */
#ifndef PLOT_GNUPLOT_H
#define PLOT_GNUPLOT_H

#include "enrgdaq/error.h"

/* Runs `script` in `folder` (where its relative paths start) and waits for it. -ENOENT: no gnuplot in the PATH;
 * -EIO: it failed, with what it said. The user's own start-up files are not read. */
int gnuplot_run(const char *folder, const char *script, struct enrg_error *err);

#endif
