/* database.h: one SQLite file: a connection, its transaction, the table of marks.
 *
 * A mark says up to which sequence the batches of a table are in the file. It changes in the transaction that adds the
 * rows, so that a batch that comes again after a kill is known.
 */
#ifndef SQLITE_DATABASE_H
#define SQLITE_DATABASE_H

#include <sqlite3.h>

#include "sql/table.h"
#include "enrgdaq/store.h"

struct database {
	struct database *next;
	char *path;
	sqlite3 *connection;
	sqlite3_stmt *set_mark;
	bool has_transaction;
	uint64_t log_bytes;                                 /* of the -wal, as last seen */
	struct enrg_watch *watch, *log_watch, *index_watch; /* the file, its -wal and its -shm */
};

/* Creates the file and its folders. `synchronous`: "OFF", "NORMAL", "FULL". */
int database_open(struct enrg_store *store, const char *path, const char *synchronous, struct database **ret_database,
	struct enrg_error *err);
/* Once a second and after each commit: what another program's VACUUM or checkpoint makes smaller was not cut. */
void database_look(struct database *database);
/* What is not committed is forgotten. Takes NULL. */
void database_close(struct database *database);

int database_run(struct database *database, const char *sql, struct enrg_error *err);
/* The error of the last call on this file, with its path: "doing what: why". Returns the code. */
int database_fail(struct database *database, const char *doing, struct enrg_error *err);

/* Starts a transaction where there is none. */
int database_begin(struct database *database, struct enrg_error *err);
int database_commit(struct database *database, struct enrg_error *err);

/* 0 in *ret_sequence: nothing of that table yet. */
int database_get_mark(
	struct database *database, const struct sql_key *key, uint64_t *ret_sequence, struct enrg_error *err);
int database_set_mark(struct database *database, const struct sql_key *key, uint64_t sequence, struct enrg_error *err);

/* Removes the marks that other runs, which began long ago, left for the same table. */
int database_prune_marks(struct database *database, const struct sql_key *key, struct enrg_error *err);

#endif
