/* target.h: what one producer's table becomes on the server: a list or a time series a column, or one key for a blob.
 */
#ifndef REDIS_TARGET_H
#define REDIS_TARGET_H

#include "connection.h"

struct redis_section {
	const char *key;
	int64_t key_expiration_days; /* 0: none */
	bool use_timeseries;
};

struct target {
	struct target *next;
	struct enrg_store *store;
	struct connection *connection;
	const struct redis_section *section;
	char *source, *tag, *field; /* of the hash of marks */
	char *prefix;               /* key[.tag] */
	char day[16];               /* of the keys at hand, "" = none */
	uint32_t time_column;       /* with use_timeseries */
	uint64_t done;              /* sequence of the last batch that is on the server or in the request */
	bool is_checked;            /* that nothing is missing before the first batch */
	bool is_dirty, has_told_left_out;
};

/* Checks the keys (creates time series) and reads the mark. */
int target_open(struct enrg_store *store, struct connection *connection, const struct enrg_target *what,
	struct target **ret_target, struct enrg_error *err);
void target_close(struct target *target); /* takes NULL */

/* Adds the commands for a batch to the request, unless it is on the server already. */
int target_write(
	struct target *target, const struct enrg_batch *batch, struct request *request, struct enrg_error *err);
/* Adds the command that sets the mark. */
void target_mark(struct target *target, struct request *request);

#endif
