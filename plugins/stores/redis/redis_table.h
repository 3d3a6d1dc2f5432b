/* redis_table.h: what one producer's table becomes on the server: a list or a time series a column, or one key for a
 * blob.
 */
#ifndef REDIS_REDIS_TABLE_H
#define REDIS_REDIS_TABLE_H

#include <time.h>

#include "sql/table.h"
#include "connection.h"

struct redis_section {
	const char *key;
	int64_t key_expiration_days; /* 0: none */
	bool use_timeseries;
};

struct redis_table {
	struct sql_table sql; /* first: the store lists these; its name is key[.tag] */
	struct connection *connection;
	const struct redis_section *section;
	char *field;          /* of the hash of marks */
	char day[16];         /* of the keys at hand, "" = none */
	uint32_t time_column; /* with use_timeseries */
	bool has_series;      /* use_timeseries, and no blob */
	int64_t last_time_ms; /* of the row before; -1: none */
	uint64_t same_times;  /* rows that had it as well */
	uint64_t marked;      /* sequence that its mark on the server has */
	/* Gathered until the next commit, or until they are many; one a column. Redis takes many values in one command
	 * much faster than one by one. */
	uint32_t column_count;
	char **names;
	struct request *columns;
	uint64_t rows;       /* in them */
	struct request blob; /* the newest, where there was one before it (has_blob) since the last commit */
	bool has_blob;
	bool needs_expiry; /* the keys of `day` are new */
	time_t day_left_s; /* after which they go */
};

struct redis_table_params {
	struct enrg_store *store;
	struct connection *connection;
	struct request *request; /* gets the command that removes old marks */
	const struct enrg_target *what;
};

/* Judges a section before anything starts, by a text that begins with the key. */
int redis_table_check(const struct redis_section *section, struct enrg_error *err);

/* Checks the keys (creates time series) and reads the mark. */
int redis_table_open(const struct redis_table_params *params, struct redis_table **ret_target, struct enrg_error *err);
void redis_table_close(struct redis_table *target); /* takes NULL */

/* Will target_write go on to other keys, and ask the server about them? Then all that is gathered has to be there. */
bool redis_table_asks(const struct redis_table *target, const struct enrg_batch *batch);
/* Gathers a batch, unless it is on the server already; sends what is much. */
int redis_table_write(
	struct redis_table *target, const struct enrg_batch *batch, struct request *request, struct enrg_error *err);
/* The marks of a commit: each has two arguments of a command that sets them, counted as one of its commands. */
struct redis_table_marks {
	struct request with; /* of lists and blobs: set in the transaction that has their values */
	/* Of time series: set once the server has taken every sample. Samples that come again change nothing. */
	struct request behind;
};

/* Adds the commands for what is gathered to `request`, and the mark to one of `marks`. */
int redis_table_mark(
	struct redis_table *target, struct request *request, struct redis_table_marks *marks, struct enrg_error *err);

#endif
