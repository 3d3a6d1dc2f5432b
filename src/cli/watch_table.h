/* watch_table.h: what `enrgdaq watch` knows of one table of a source, and how it shows it. */
#ifndef CLI_WATCH_TABLE_H
#define CLI_WATCH_TABLE_H

#include <stdio.h>

#include <enrgdaq/client.h>

struct watch_table {
	bool is_known;              /* something has come from it */
	char tag[256];              /* as the stream has it; "" = none */
	struct enrg_batch batch;    /* whose last row is shown; schema NULL: none was read yet */
	uint64_t seen, rows, bytes; /* since the last view */
	bool is_fresh;              /* the batch came since then */
};

struct watch_rates {
	double seconds; /* since the last view */
	double scale;   /* all batches of the stream to those that were looked at */
};

/* A head line with rates, then a line a column; lists as a sparkline of up to `width` characters in all. */
void watch_table_print(const struct watch_table *table, const struct watch_rates *rates, unsigned width, FILE *stream);
/* One object in one line. */
void watch_table_print_json(
	const struct watch_table *table, const struct watch_rates *rates, const char *source, FILE *stream);

#endif
