/* connection.c: see the header. Runs in the store's job process, on its main thread. */
#include "connection.h"

#include <errmsg.h>
#include <errno.h>
#include <inttypes.h>
#include <mysqld_error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Far below the watchdog's 60 s. */
#define CONNECT_SECONDS 5u
#define ANSWER_SECONDS  20u

#define KEYS "store, source, run, tag, table_name, columns"

static const char create_marks[] =
	"CREATE TABLE IF NOT EXISTS " SQL_POSITIONS " (store VARBINARY(255) NOT NULL, source VARBINARY(255) NOT NULL, "
	"run VARBINARY(64) NOT NULL, tag VARBINARY(255) NOT NULL, table_name VARBINARY(64) NOT NULL, "
	"columns VARBINARY(16) NOT NULL, sequence BIGINT UNSIGNED NOT NULL, PRIMARY KEY (" KEYS ")) ENGINE=InnoDB";
static const char get_mark[] = "SELECT sequence FROM " SQL_POSITIONS " WHERE store = ? AND source = ? AND run = ? "
			       "AND tag = ? AND table_name = ? AND columns = ? FOR UPDATE";
static const char set_mark[] = "INSERT INTO " SQL_POSITIONS " (" KEYS ", sequence) VALUES (?, ?, ?, ?, ?, ?, ?) "
			       "ON DUPLICATE KEY UPDATE sequence = VALUES(sequence)";

/* READ COMMITTED: the lock on a mark that is not there yet must not lock its neighbours out. Strict: a value that does
 * not fit its column is an error, not another value. */
static const char *const session[] = {
	"SET SESSION autocommit = 0, sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', "
	"innodb_lock_wait_timeout = 10, lock_wait_timeout = 10, wait_timeout = 31536000",
	"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
};

/* --- errors ------------------------------------------------------------------------------------------------------- */

static const char *find_remedy(unsigned number)
{
	switch (number) {
	case CR_CONNECTION_ERROR:
	case CR_CONN_HOST_ERROR:
	case CR_UNKNOWN_HOST:
	case CR_SERVER_GONE_ERROR:
	case CR_SERVER_LOST:
		return "; check that the server runs, and host and port in the store's file";
	case ER_ACCESS_DENIED_ERROR:
		return "; check user and password in the store's file";
	case ER_BAD_DB_ERROR:
	case ER_DBACCESS_DENIED_ERROR:
		return "; check database in the store's file, and the user's rights";
	case ER_TABLEACCESS_DENIED_ERROR:
		return "; grant the user of the store's file this right";
	case ER_TOO_MANY_FIELDS:
		return "; a table of InnoDB has at most 1,017 columns: take another table_name or store";
	case ER_TOO_BIG_ROWSIZE:
		return "; a row has at most 65,535 bytes: send fewer columns, or take another store";
	case ER_WARN_DATA_OUT_OF_RANGE:
	case ER_DATA_TOO_LONG:
		return "; that column is too narrow: ALTER TABLE … MODIFY … makes room, or give another table_name";
	case ER_DUP_ENTRY:
		return "; a unique key of the table does not allow what the data repeat: ALTER TABLE … DROP INDEX …, "
		       "or "
		       "give another table_name";
	case ER_TRUNCATED_WRONG_VALUE:
		return "; that column has another type than the data (a date or a time?): ALTER TABLE … MODIFY … to "
		       "theirs, or give another table_name";
	case ER_NO_DEFAULT_FOR_FIELD:
		return "; the data have no such column: ALTER TABLE … ALTER … SET DEFAULT …, or let it be NULL";
	case ER_NO_PARTITION_FOR_GIVEN_VALUE:
		return "; no partition of the table takes this value: ALTER TABLE … ADD PARTITION …";
	case ER_SIGNAL_EXCEPTION:
		return "; a trigger of the table refuses the row: SHOW TRIGGERS shows it, DROP TRIGGER … removes it";
	case ER_LOCK_DEADLOCK:
	case ER_LOCK_WAIT_TIMEOUT:
		return "; another transaction is in the way: it is tried again";
	case ER_NET_PACKET_TOO_LARGE:
		return "; raise max_allowed_packet in the server";
	default:
		return "";
	}
}

static int set_error(const struct connection *connection, unsigned number, const char *text, const char *doing,
	struct enrg_error *err)
{
	int rc = number == ER_DISK_FULL || number == ER_RECORD_FILE_FULL ? -ENOSPC
		 : number >= CR_MIN_ERROR && number <= CR_MAX_ERROR      ? -ENOTCONN
									 : -EINVAL;

	/* Of a statement what it does to which table: its list of columns may be long. */
	size_t shown = strcspn(doing, "(");

	return enrg_error_set(err, rc, "MySQL server %.200s:%u: %.*s: %.400s (%u)%s", connection->server->host,
		connection->server->port, shown < 200 ? (int)shown : 200, doing, text, number, find_remedy(number));
}

int connection_fail(struct connection *connection, const char *doing, struct enrg_error *err)
{
	return set_error(connection, mysql_errno(connection->mysql), mysql_error(connection->mysql), doing, err);
}

int connection_fail_statement(
	struct connection *connection, MYSQL_STMT *statement, const char *doing, struct enrg_error *err)
{
	return set_error(connection, mysql_stmt_errno(statement), mysql_stmt_error(statement), doing, err);
}

/* --- open and close ----------------------------------------------------------------------------------------------- */

int connection_run(struct connection *connection, const char *sql, struct enrg_error *err)
{
	if (mysql_real_query(connection->mysql, sql, strlen(sql)) != 0)
		return connection_fail(connection, sql, err);
	mysql_free_result(mysql_store_result(connection->mysql));
	return 0;
}

MYSQL_STMT *connection_prepare(struct connection *connection, const char *sql, struct enrg_error *err)
{
	MYSQL_STMT *statement = mysql_stmt_init(connection->mysql);

	if (!statement) {
		enrg_error_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	if (mysql_stmt_prepare(statement, sql, strlen(sql)) == 0)
		return statement;
	connection_fail_statement(connection, statement, sql, err);
	mysql_stmt_close(statement);
	return NULL;
}

static int connect_to(struct connection *connection, struct enrg_error *err)
{
	const struct server *server = connection->server;
	unsigned connect_seconds = CONNECT_SECONDS, answer_seconds = ANSWER_SECONDS, off = 0;
	/* "localhost" would silently be a socket file, and `port` of no effect. */
	bool is_socket = server->host[0] == '/';
	unsigned protocol = is_socket ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;

	connection->mysql = mysql_init(NULL);
	if (!connection->mysql)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	mysql_options(connection->mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_seconds);
	mysql_options(connection->mysql, MYSQL_OPT_READ_TIMEOUT, &answer_seconds);
	mysql_options(connection->mysql, MYSQL_OPT_WRITE_TIMEOUT, &answer_seconds);
	mysql_options(connection->mysql, MYSQL_OPT_LOCAL_INFILE, &off);
	mysql_options(connection->mysql, MYSQL_OPT_PROTOCOL, &protocol);
	mysql_options(connection->mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	if (mysql_real_connect(connection->mysql, is_socket ? NULL : server->host, server->user, server->password,
		    server->database, server->port, is_socket ? server->host : NULL, 0))
		return 0;
	return connection_fail(connection, "can't connect", err);
}

static int ask_number(struct connection *connection, const char *sql, uint64_t *ret_number, struct enrg_error *err)
{
	if (mysql_real_query(connection->mysql, sql, strlen(sql)) != 0)
		return connection_fail(connection, sql, err);
	MYSQL_RES *result = mysql_store_result(connection->mysql);
	MYSQL_ROW row = result ? mysql_fetch_row(result) : NULL;
	if (row && row[0])
		*ret_number = strtoull(row[0], NULL, 10);
	mysql_free_result(result);
	return 0;
}

int connection_check_packet(struct connection *connection, struct enrg_error *err)
{
	uint64_t bytes = 0;
	int rc = ask_number(connection, "SELECT @@GLOBAL.max_allowed_packet", &bytes, err);

	return rc < 0 ? rc : bytes > connection->packet_bytes;
}

/* Asked for first: CREATE … IF NOT EXISTS needs a right that the user may not have. */
static int create_marks_table(struct connection *connection, struct enrg_error *err)
{
	static const char sql[] = "SELECT sequence FROM " SQL_POSITIONS " LIMIT 0";

	if (mysql_real_query(connection->mysql, sql, sizeof(sql) - 1) == 0) {
		mysql_free_result(mysql_store_result(connection->mysql));
		return 0;
	}
	if (mysql_errno(connection->mysql) != ER_NO_SUCH_TABLE)
		return connection_fail(connection, sql, err);
	if (!connection->server->create_tables)
		return enrg_error_set(err, -ENOENT,
			"MySQL server %.200s:%u: there is no table " SQL_POSITIONS ", in which the store marks what is "
			"stored: create it (the store's page says how), or set create_tables = true",
			connection->server->host, connection->server->port);
	return connection_run(connection, create_marks, err);
}

static int set_up(struct connection *connection, struct enrg_error *err)
{
	unsigned long capabilities = 0;
	int rc = connect_to(connection, err);

	for (size_t i = 0; rc == 0 && i < sizeof(session) / sizeof(session[0]); i++)
		rc = connection_run(connection, session[i], err);
	connection->packet_bytes = 1u << 20;
	if (rc == 0)
		rc = ask_number(connection, "SELECT @@max_allowed_packet", &connection->packet_bytes, err);
	if (rc == 0)
		rc = create_marks_table(connection, err);
	if (rc < 0)
		return rc;
	connection->set_mark = connection_prepare(connection, set_mark, err);
	if (!connection->set_mark)
		return -ENOTCONN;
	mariadb_get_infov(connection->mysql, MARIADB_CONNECTION_EXTENDED_SERVER_CAPABILITIES, &capabilities);
	connection->has_bulk = connection->server->wants_bulk &&
			       (capabilities & (unsigned long)(MARIADB_CLIENT_STMT_BULK_OPERATIONS >> 32));
	return connection_commit(connection, err);
}

int connection_open(const struct server *server, struct connection **ret_connection, struct enrg_error *err)
{
	struct connection *connection = calloc(1, sizeof(*connection));

	if (!connection)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	connection->server = server;
	int rc = set_up(connection, err);
	if (rc < 0) {
		connection_close(connection);
		/* -EINVAL would be the trouble of one table; whoever can't log in stores none. */
		if (rc == -EINVAL)
			rc = -ENOTCONN;
		if (err)
			err->code = rc;
		return rc;
	}
	*ret_connection = connection;
	return 0;
}

void connection_close(struct connection *connection)
{
	if (!connection)
		return;
	if (connection->set_mark)
		mysql_stmt_close(connection->set_mark);
	if (connection->mysql)
		mysql_close(connection->mysql);
	free(connection);
}

int connection_commit(struct connection *connection, struct enrg_error *err)
{
	if (mysql_commit(connection->mysql) != 0)
		return connection_fail(connection, "COMMIT", err);
	connection->has_transaction = false;
	return 0;
}

/* --- marks -------------------------------------------------------------------------------------------------------- */

static void bind_key(MYSQL_BIND *binds, const struct sql_key *key)
{
	for (unsigned i = 0; i < SQL_KEY_PARTS; i++) {
		binds[i].buffer_type = MYSQL_TYPE_BLOB;
		binds[i].buffer = (void *)(uintptr_t)key->parts[i];
		binds[i].buffer_length = strlen(key->parts[i]);
	}
}

int connection_get_mark(
	struct connection *connection, const struct sql_key *key, uint64_t *ret_sequence, struct enrg_error *err)
{
	MYSQL_STMT *statement = connection_prepare(connection, get_mark, err);
	MYSQL_BIND binds[SQL_KEY_PARTS], result;
	uint64_t sequence = 0;
	int rc = 0;

	if (!statement)
		return err && err->code ? err->code : -EINVAL;
	memset(binds, 0, sizeof(binds));
	memset(&result, 0, sizeof(result));
	bind_key(binds, key);
	result.buffer_type = MYSQL_TYPE_LONGLONG;
	result.buffer = &sequence;
	result.is_unsigned = 1;
	connection->has_transaction = true;
	int got = mysql_stmt_bind_param(statement, binds) || mysql_stmt_execute(statement) ||
				  mysql_stmt_bind_result(statement, &result)
			  ? 1
			  : mysql_stmt_fetch(statement);
	if (got == 0 || got == MYSQL_NO_DATA)
		*ret_sequence = got == 0 ? sequence : 0;
	else
		rc = connection_fail_statement(connection, statement, "reading " SQL_POSITIONS, err);
	mysql_stmt_close(statement);
	return rc;
}

int connection_set_mark(
	struct connection *connection, const struct sql_key *key, uint64_t sequence, struct enrg_error *err)
{
	MYSQL_BIND binds[SQL_KEY_PARTS + 1];

	memset(binds, 0, sizeof(binds));
	bind_key(binds, key);
	binds[SQL_KEY_PARTS].buffer_type = MYSQL_TYPE_LONGLONG;
	binds[SQL_KEY_PARTS].buffer = &sequence;
	binds[SQL_KEY_PARTS].is_unsigned = 1;
	connection->has_transaction = true;
	if (mysql_stmt_bind_param(connection->set_mark, binds) || mysql_stmt_execute(connection->set_mark))
		return connection_fail_statement(connection, connection->set_mark, "writing " SQL_POSITIONS, err);
	return 0;
}

static bool is_denied(struct connection *connection)
{
	unsigned number = mysql_errno(connection->mysql);

	return number == ER_TABLEACCESS_DENIED_ERROR || number == ER_COLUMNACCESS_DENIED_ERROR;
}

int connection_prune_marks(struct connection *connection, const struct sql_key *key, struct enrg_error *err)
{
	static const char prune[] = "DELETE FROM " SQL_POSITIONS " WHERE store = ? AND source = ? AND run <> ? AND "
				    "tag = ? AND table_name = ? AND run BETWEEN '1' AND ?";
	char oldest[SQL_RUN_TIME_BYTES];
	MYSQL_BIND binds[SQL_KEY_PARTS];

	if (!sql_find_oldest_run(key->parts[SQL_KEY_RUN], time(NULL), oldest))
		return 0;
	connection->has_transaction = true;
	MYSQL_STMT *statement = mysql_stmt_init(connection->mysql);
	if (!statement)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	memset(binds, 0, sizeof(binds));
	bind_key(binds, key); /* whatever the columns: their place is that of the time */
	binds[SQL_KEY_PARTS - 1].buffer = oldest;
	binds[SQL_KEY_PARTS - 1].buffer_length = strlen(oldest);
	int rc = 0;
	if ((mysql_stmt_prepare(statement, prune, sizeof(prune) - 1) || mysql_stmt_bind_param(statement, binds) ||
		    mysql_stmt_execute(statement)) &&
		!is_denied(connection))
		rc = connection_fail_statement(connection, statement, "pruning " SQL_POSITIONS, err);
	mysql_stmt_close(statement);
	return rc;
}
