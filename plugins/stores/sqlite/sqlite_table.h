/* sqlite_table.h: one table of a SQLite file as one producer writes it. */
#ifndef SQLITE_SQLITE_TABLE_H
#define SQLITE_SQLITE_TABLE_H

#include "sql/table.h"
#include "database.h"

struct sqlite_table_params {
	struct enrg_store *store;
	struct database *database;
	const char *table_name;
	const struct enrg_target *target;
	bool create_tables, add_columns;
};

struct sqlite_table {
	struct sql_table target; /* first: the store lists these */
	struct database *database;
	sqlite3_stmt *insert;
};

/* Creates the table or checks that it has all columns, and reads its mark. */
int sqlite_table_open(
	const struct sqlite_table_params *params, struct sqlite_table **ret_table, struct enrg_error *err);
void sqlite_table_close(struct sqlite_table *table); /* takes NULL */

/* Adds the rows in the open transaction, unless they are there already. */
int sqlite_table_write(struct sqlite_table *table, const struct enrg_batch *batch, struct enrg_error *err);
/* Writes the mark in the same transaction. */
int sqlite_table_mark(struct sqlite_table *table, struct enrg_error *err);

#endif
