/* connection.h: one connection to a MySQL or MariaDB server, with its transaction and the table of marks.
 *
 * A mark says up to which sequence the batches of a table are in the database. It changes in the transaction that adds
 * the rows, so that a batch that comes again after a kill, or after a commit whose answer was lost, is known.
 */
#ifndef MYSQL_CONNECTION_H
#define MYSQL_CONNECTION_H

#include <mysql.h>

#include "sql/table.h"

struct server {
	const char *host, *user, *password, *database;
	unsigned port;
	bool create_tables, wants_bulk;
};

struct connection {
	MYSQL *mysql;
	const struct server *server;
	MYSQL_STMT *set_mark;
	uint64_t packet_bytes; /* the largest that the server takes; fixed while it is connected */
	bool has_bulk;         /* arrays of rows in one prepared statement */
	bool has_transaction;
};

/* Connects, and creates the table of marks where it is missing. Errors name server and key; their codes are those of a
 * whole store (-ENOTCONN for one, also where the password is wrong), not of one table. */
int connection_open(const struct server *server, struct connection **ret_connection, struct enrg_error *err);
/* The server forgets what is not committed. Takes NULL. */
void connection_close(struct connection *connection);

/* 1: the server would take larger packets from a new connection. */
int connection_check_packet(struct connection *connection, struct enrg_error *err);

/* A statement whose result is not wanted. */
int connection_run(struct connection *connection, const char *sql, struct enrg_error *err);
/* The last error with its server: "doing what: why; what to change". Returns the code. */
int connection_fail(struct connection *connection, const char *doing, struct enrg_error *err);
int connection_fail_statement(
	struct connection *connection, MYSQL_STMT *statement, const char *doing, struct enrg_error *err);
/* NULL with err set. */
MYSQL_STMT *connection_prepare(struct connection *connection, const char *sql, struct enrg_error *err);

int connection_commit(struct connection *connection, struct enrg_error *err);

/* 0 in *ret_sequence: nothing of that table yet. Waits for a transaction of an earlier life that has not ended yet. */
int connection_get_mark(
	struct connection *connection, const struct sql_key *key, uint64_t *ret_sequence, struct enrg_error *err);
int connection_set_mark(
	struct connection *connection, const struct sql_key *key, uint64_t sequence, struct enrg_error *err);

/* Removes the marks that other runs, which began long ago, left for the same table; nothing where the user may not.
 * After another failure the transaction is not to go on: a deadlock takes back all of it. */
int connection_prune_marks(struct connection *connection, const struct sql_key *key, struct enrg_error *err);

#endif
