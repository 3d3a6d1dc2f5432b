/* table.h: what a store of a data base knows of each table that reaches it: who sends it, where it goes, and up to
 * which batch it is there. Compiled into the stores for SQLite, MySQL and Redis, each of which adds its own to it.
 */
#ifndef SHARED_SQL_TABLE_H
#define SHARED_SQL_TABLE_H

#include "enrgdaq/store.h"
#include "names.h"

struct sql_target {
	struct sql_target *next;
	struct enrg_store *store;
	const void *section;
	const void *place; /* the data base, where a store has several; else NULL */
	bool ignores_case; /* `T` and `t` are one name there */
	char *source, *run, *tag;
	char *name;                    /* of the table or key, as the data base knows it */
	char columns[SQL_PRINT_BYTES]; /* stands for the names and types */
	uint64_t done;                 /* sequence of the last batch that is there */
	bool is_checked;               /* that nothing is missing before the first batch */
	bool is_dirty;                 /* `done` is ahead of the mark */
};

/* Names a mark, in the order of the columns of the table of marks. */
#define SQL_KEY_PARTS 6u
#define SQL_KEY_RUN   2u /* place of the run among them */
struct sql_key {
	const char *parts[SQL_KEY_PARTS]; /* store, source, run, tag, name, columns */
};

/* Copies of all. */
int sql_target_init(struct sql_target *target, struct enrg_store *store, const struct enrg_target *what,
	const char *name, struct enrg_error *err);
void sql_target_fini(struct sql_target *target); /* takes a zeroed target */
struct sql_key sql_target_key(const struct sql_target *target);

/* Refused: two store groups of one producer that lead to one name; they count their batches apart, and their marks
 * would be one. `wanted`: "another table_name". Told once: two tags that lead to one name. */
int sql_targets_add(struct sql_target **list, struct sql_target *target, const char *wanted, struct enrg_error *err);
void sql_targets_remove(struct sql_target **list, const struct sql_target *target);

/* Is this batch to be written? false: it is there already. What was acknowledged before this life has to be there: an
 * alert where it is not, that begins with `where` and says what prevents it. */
bool sql_target_wants(struct sql_target *target, const struct enrg_batch *batch, const char *where, const char *remedy);
/* It is. */
void sql_target_took(struct sql_target *target, const struct enrg_batch *batch);

#endif
