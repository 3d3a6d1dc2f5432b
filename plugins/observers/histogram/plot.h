/* plot.h: one [[histogram]] of the configuration: its axes, which tables it is filled from, and what it says when it
 * can't be. One thread. */
#ifndef HISTOGRAM_PLOT_H
#define HISTOGRAM_PLOT_H

#include "bins.h"
#include "enrgdaq/client.h"
#include "enrgdaq/job.h"
#include "histogram_page.h"
#include "quantity.h"

struct plot_options {
	const char *name, *title, *job, *tag, *x, *y, *x_edges, *y_edges;
	int64_t x_bins, y_bins, channel;
	double x_min, x_max, y_min, y_max, threshold, sample_ns;
	bool has_x_range, has_x_end, has_y_range, has_y_end;
	int polarity;
};

extern const struct enrg_table plot_table;

#define PLOT_TABLES 256u /* of one source */

struct plot {
	const struct plot_options *options;
	struct quantity x, y;
	struct quantity_params params;
	struct bins bins;
	struct histogram_page page;
	struct quantity_values x_values, y_values;
	uint64_t shown_changes;
	uint32_t told_instance;           /* of the stream; of its tables: */
	uint8_t is_told[PLOT_TABLES / 8]; /* that they can't be used */
	bool is_filled;                   /* by a table, ever */
};

/* Is it right, as far as the configuration alone says? The text begins with the key, without what stands before it. */
int plot_check(const struct plot_options *options, struct enrg_error *err);
int plot_open(struct plot *plot, const struct plot_options *options, struct enrg_error *err);
void plot_close(struct plot *plot); /* takes zeroed; keeps its page */

bool plot_wants(const struct plot *plot, const char *job, const char *tag);
/* A batch of such a table. A table that has not what it needs is told once. -ENOMEM. */
int plot_fill(struct plot *plot, struct enrg_job *job, const struct enrg_record *record, const struct enrg_batch *batch,
	struct enrg_error *err);

#endif
