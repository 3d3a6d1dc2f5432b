/* sqlite_table.h: one table of a SQLite file as one producer writes it. */
#ifndef SQLITE_SQLITE_TABLE_H
#define SQLITE_SQLITE_TABLE_H

#include "sql/table.h"
#include "database.h"

struct table_params {
	struct enrg_store *store;
	struct database *database;
	const char *table_name;
	const struct enrg_target *target;
	bool create_tables, add_columns;
};

struct table {
	struct sql_target target; /* first: the store lists these */
	struct database *database;
	sqlite3_stmt *insert;
};

/* Creates the table or checks that it has all columns, and reads its mark. */
int table_open(const struct table_params *params, struct table **ret_table, struct enrg_error *err);
void table_close(struct table *table); /* takes NULL */

/* Adds the rows in the open transaction, unless they are there already. */
int table_write(struct table *table, const struct enrg_batch *batch, struct enrg_error *err);
/* Writes the mark in the same transaction. */
int table_mark(struct table *table, struct enrg_error *err);

#endif
