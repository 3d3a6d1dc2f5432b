/* mysql_table.h: one table of the database as one producer writes it. */
#ifndef MYSQL_MYSQL_TABLE_H
#define MYSQL_MYSQL_TABLE_H

#include "sql/table.h"
#include "cells.h"
#include "connection.h"

struct mysql_table_params {
	struct enrg_store *store;
	struct connection *connection;
	const char *table_name;
	const struct enrg_target *target;
	bool create_tables, add_columns;
	/* Called before a statement that would end the transaction without marks. */
	int (*commit)(void *context, struct enrg_error *err);
	void *context;
};

struct mysql_table {
	struct sql_table target; /* first: the store lists these */
	struct connection *connection;
	uint32_t column_count, group_rows;   /* rows of insert_group; 0: the server takes arrays */
	char *insert_sql, *insert_group_sql; /* as prepared in: */
	MYSQL_STMT *insert, *insert_group;
};

/* Creates the table or checks that it has all columns, and reads its mark. */
int mysql_table_open(const struct mysql_table_params *params, struct mysql_table **ret_table, struct enrg_error *err);
void mysql_table_close(struct mysql_table *table); /* takes NULL */

/* The store changes its connection between two transactions: first every table leaves the old one, then takes the new
 * one. In between a table can only be closed. */
void mysql_table_leave_connection(struct mysql_table *table);
int mysql_table_take_connection(struct mysql_table *table, struct connection *connection, struct enrg_error *err);

/* Adds the rows in the open transaction, unless they are there already. */
int mysql_table_write(struct mysql_table *table, const struct enrg_batch *batch, struct enrg_error *err);
/* Writes the mark in the same transaction. */
int mysql_table_mark(struct mysql_table *table, struct enrg_error *err);

#endif
