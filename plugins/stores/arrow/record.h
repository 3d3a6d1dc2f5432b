/* record.h: one .arrows file that is being written by one or several targets of the same schema. One thread. */
#ifndef ARROW_RECORD_H
#define ARROW_RECORD_H

#include <stdbool.h>

#include "enrgdaq/store.h"

struct record_schema {
	void *bytes; /* its Schema message without a source: equal bytes, equal schema */
	uint32_t count;
};

struct record {
	char *path;
	struct record_schema schema;
	struct enrg_file *file;
	uint8_t *buffer; /* small messages gather here, so that each does not cost a system call */
	uint64_t buffered;
	bool is_dirty;  /* something for the next commit */
	unsigned users; /* targets that write to it */
	struct record *next;
};

int record_schema_init(struct record_schema *record_schema, const struct enrg_schema *schema, struct enrg_error *err);
void record_schema_fini(struct record_schema *record_schema);
bool record_schema_equal(const struct record_schema *a, const struct record_schema *b);

struct record_params {
	const char *path, *source, *run;
	const struct enrg_schema *schema;
};

/* Opens the file, cuts a torn tail, writes the schema into a new one. ENRG_FILE_IS_OTHER: what is there is another
 * schema's, no Arrow stream, or damaged inside; nothing was changed. */
int record_open(struct enrg_store *store, const struct record_params *params, struct record **ret_record,
	struct enrg_error *err);
/* How long a process may merge: closing a hundred files at once (midnight, a stop) must not hold up sources, and
 * whoever waits for the stop, for minutes. Zeroed: nothing was spent. */
struct record_budget {
	uint64_t since_ns, spent_ns;
};

#define RECORD_BUDGET_NS        10000000000ull
#define RECORD_BUDGET_PERIOD_NS 60000000000ull /* a new budget then */

/* Is there any left at `now_ns`, monotonic? */
bool record_budget_has(struct record_budget *budget, uint64_t now_ns);

/* Once it is closed and all that is in it is committed, small batches in it are merged into large ones. */
void record_compact_at_end(struct enrg_store *store, struct record *record);
/* Frees; does not commit. NULL is allowed. */
void record_close(struct record *record);

int record_write(struct record *record, const void *bytes, uint64_t byte_count, struct enrg_error *err);
int record_write_batch(struct record *record, const struct enrg_batch *batch, struct enrg_error *err);
int record_commit(struct record *record, struct enrg_error *err);

#endif
