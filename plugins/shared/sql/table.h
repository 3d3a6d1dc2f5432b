/* table.h: what a store of a database knows of each table that reaches it: who sends it, where it goes, and up to
 * which batch it is there. Compiled into the stores for SQLite, MySQL and Redis, each of which adds its own to it.
 */
#ifndef SHARED_SQL_TABLE_H
#define SHARED_SQL_TABLE_H

#include "enrgdaq/store.h"
#include "names.h"

struct sql_table {
	struct sql_table *next;
	struct enrg_store *store;
	const void *section;
	const void *place; /* the database, where a store has several; else NULL */
	bool ignores_case; /* `T` and `t` are one name there */
	char *source, *run, *tag;
	char *name;                          /* of the table or key, as the database knows it */
	char columns[SQL_FINGERPRINT_BYTES]; /* stands for the names and types */
	uint64_t done;                       /* sequence of the last batch that is there */
	bool is_checked;                     /* that nothing is missing before the first batch */
	bool is_dirty;                       /* `done` is ahead of the mark */
};

/* Names a mark, in the order of the columns of the table of marks. */
#define SQL_KEY_PARTS 6u
#define SQL_KEY_RUN   2u /* place of the run among them */
struct sql_key {
	const char *parts[SQL_KEY_PARTS]; /* store, source, run, tag, name, columns */
};

/* Copies of all. */
int sql_table_init(struct sql_table *target, struct enrg_store *store, const struct enrg_target *what, const char *name,
	struct enrg_error *err);
void sql_table_fini(struct sql_table *target); /* takes a zeroed target */
struct sql_key sql_table_key(const struct sql_table *target);

/* Refused: two store groups of one producer that lead to one name; they count their batches apart, and their marks
 * would be one. `wanted`: "another table_name". Told once: two tags that lead to one name. */
int sql_tables_add(struct sql_table **list, struct sql_table *target, const char *wanted, struct enrg_error *err);
void sql_tables_remove(struct sql_table **list, const struct sql_table *target);

/* Is this batch to be written? false: it is there already. What was acknowledged before this life has to be there: an
 * alert where it is not, that begins with `where` and says what prevents it. */
bool sql_table_wants(struct sql_table *target, const struct enrg_batch *batch, const char *where, const char *remedy);
/* It is. */
void sql_table_took(struct sql_table *target, const struct enrg_batch *batch);

#endif
