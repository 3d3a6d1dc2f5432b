/* suite_figures.h: the five figures of the founding document, from a results file, by gnuplot. */
#ifndef PLOT_SUITE_FIGURES_H
#define PLOT_SUITE_FIGURES_H

#include "enrgdaq/error.h"

/* Draws wcd_headroom, throughput_scaling, latency_jitter, cpu_efficiency and aggregate_scaling into `folder` (created),
 * each as NAME.png (300 dpi) and NAME.pdf, with its script NAME.gp and its data NAME.dat beside it: `gnuplot NAME.gp`
 * draws it again. A figure for which the results hold nothing is left out, which is said on stdout. -ENOENT: no
 * gnuplot; ENRG_E_CORRUPT: not a results file. */
int suite_figures_draw(const char *results_path, const char *folder, struct enrg_error *err);

#endif
