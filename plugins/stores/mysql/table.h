/* table.h: one table of the data base as one producer writes it. */
#ifndef MYSQL_TABLE_H
#define MYSQL_TABLE_H

#include "../sql/names.h"
#include "cells.h"
#include "connection.h"

struct table_params {
	struct enrg_store *store;
	struct connection *connection;
	const char *table_name;
	const struct enrg_target *target;
	bool create_tables, add_columns;
	/* Called before a statement that would end the transaction without marks. */
	int (*commit)(void *context, struct enrg_error *err);
	void *context;
};

struct table {
	struct table *next;
	struct enrg_store *store;
	struct connection *connection;
	const void *section;
	char *source, *run, *tag;
	char name[SQL_NAME_BYTES_MAX + 1], columns[SQL_PRINT_BYTES];
	uint32_t column_count, group_rows; /* rows of insert_group; 0: the server takes arrays */
	MYSQL_STMT *insert, *insert_group;
	uint64_t done;   /* sequence of the last batch that is in the table */
	bool is_checked; /* that nothing is missing before the first batch */
	bool is_dirty;   /* `done` is ahead of the mark */
	bool has_told_not_finite, has_told_not_utf8;
};

/* Creates the table or checks that it has all columns, and reads its mark. */
int table_open(const struct table_params *params, struct table **ret_table, struct enrg_error *err);
void table_close(struct table *table); /* takes NULL */

/* Adds the rows in the open transaction, unless they are there already. */
int table_write(struct table *table, const struct enrg_batch *batch, struct enrg_error *err);
/* Writes the mark in the same transaction. */
int table_mark(struct table *table, struct enrg_error *err);

#endif
