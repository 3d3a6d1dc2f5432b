/* statistics_file.h: the table of statistics of a digitizer, as the CSV store writes it, in memory. Also that of
 * ENRGDAQ's Python program. One thread. */
#ifndef PLOT_STATISTICS_FILE_H
#define PLOT_STATISTICS_FILE_H

#include <stddef.h>
#include <stdio.h>

#include "enrgdaq/error.h"

enum statistics_column {
	STATISTICS_TIMESTAMP,
	STATISTICS_EVENTS,
	STATISTICS_SAMPLES,
	STATISTICS_MEAN_MV,
	STATISTICS_SQUARE_MV,
	STATISTICS_MIN_MV,
	STATISTICS_MAX_MV,
	STATISTICS_FILTERED,
	STATISTICS_RAW,
	STATISTICS_DROPPED,
	STATISTICS_NEEDED
};

struct statistics_file {
	size_t count, capacity;
	double (*rows)[STATISTICS_NEEDED]; /* what is no number is NaN */
	size_t bad_lines;                  /* with too few values: left out */
};

/* Reads the columns by their names, in any order. -errno; -EINVAL: a column is missing, err names it; -ENODATA: no row;
 * -ENOMEM. */
int statistics_file_read(const char *path, struct statistics_file *ret_file, struct enrg_error *err);
/* The same of a stream; `path` is for messages. */
int statistics_file_parse(const char *path, FILE *stream, struct statistics_file *ret_file, struct enrg_error *err);
void statistics_file_fini(struct statistics_file *file); /* takes zeroed state */

#endif
