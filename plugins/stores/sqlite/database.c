/* database.c: see the header. Runs in the store's job process, on its main thread. */
#include "database.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LOG_BYTES_MAX   (64u << 20) /* SQLite makes its log that short again once all of it is in the database */
#define LOG_FRAME_BYTES 24          /* before each page in it */
#define BUSY_MS         5000        /* another program may write for a while; the watchdog allows much more */

static const char create_marks[] =
	"CREATE TABLE IF NOT EXISTS " SQL_POSITIONS " (store TEXT NOT NULL, source TEXT NOT NULL, run TEXT NOT NULL, "
	"tag TEXT NOT NULL, table_name TEXT NOT NULL, columns TEXT NOT NULL, sequence INTEGER NOT NULL, "
	"PRIMARY KEY (store, source, run, tag, table_name, columns)) WITHOUT ROWID";
static const char get_mark[] = "SELECT sequence FROM " SQL_POSITIONS " WHERE store = ?1 AND source = ?2 AND run = ?3 "
			       "AND tag = ?4 AND table_name = ?5 AND columns = ?6";
static const char set_mark[] = "INSERT OR REPLACE INTO " SQL_POSITIONS " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

/* A code that the framework has a remedy for. */
static int find_code(const sqlite3 *connection)
{
	sqlite3 *asked = (sqlite3 *)connection;

	switch (connection ? sqlite3_errcode(asked) & 0xFF : SQLITE_NOMEM) {
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return -EACCES;
	case SQLITE_IOERR:
		return sqlite3_system_errno(asked) == EFBIG ? -EFBIG : -EIO;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_TOOBIG:
		return -EMSGSIZE;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return ENRG_E_CORRUPT;
	default:
		return -EINVAL;
	}
}

int database_fail(struct database *database, const char *doing, struct enrg_error *err)
{
	return enrg_error_set(err, find_code(database->connection), "%.400s: %.200s: %.300s", database->path, doing,
		database->connection ? sqlite3_errmsg(database->connection) : "out of memory");
}

int database_run(struct database *database, const char *sql, struct enrg_error *err)
{
	if (sqlite3_exec(database->connection, sql, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return database_fail(database, sql, err);
}

static int create_folders(const char *path, struct enrg_error *err)
{
	char folder[PATH_MAX];

	snprintf(folder, sizeof(folder), "%s", path);
	for (char *at = strchr(folder + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = '\0';
		if (mkdir(folder, 0777) < 0 && errno != EEXIST) {
			int rc = -errno;
			return enrg_error_set(err, rc, "%s: can't create the folder: %s", folder, enrg_error_name(rc));
		}
		*at = '/';
	}
	return 0;
}

static int watch(struct enrg_store *store, struct database *database, struct enrg_error *err)
{
	char path[PATH_MAX];
	struct enrg_watch_params params = {.path = database->path, .descriptor = -1, .kind = ENRG_WATCH_ROWS};
	int rc = enrg_watch_open(store, &params, &database->watch, err);

	if (rc < 0)
		return rc;
	snprintf(path, sizeof(path), "%s-wal", database->path);
	params = (struct enrg_watch_params){.path = path,
		.descriptor = -1,
		.kind = ENRG_WATCH_LOG,
		.part_of = database->watch,
		.large_bytes = LOG_BYTES_MAX,
		.large_text = "a reader keeps SQLite from putting its log into the database, and it grows until that "
			      "reader is done; end transactions that read for long (programs that have the file open: "
			      "`fuser`), or copy the database and read the copy"};
	rc = enrg_watch_open(store, &params, &database->log_watch, err);
	if (rc < 0)
		return rc;
	snprintf(path, sizeof(path), "%s-shm", database->path);
	params = (struct enrg_watch_params){
		.path = path, .descriptor = -1, .kind = ENRG_WATCH_HELPER, .part_of = database->watch};
	return enrg_watch_open(store, &params, &database->index_watch, err);
}

/* -1: it can't be asked now. */
static int64_t ask(const struct database *database, const char *pragma)
{
	sqlite3_stmt *statement;
	int64_t value = -1;

	if (sqlite3_prepare_v2(database->connection, pragma, -1, &statement, NULL) != SQLITE_OK)
		return -1;
	if (sqlite3_step(statement) == SQLITE_ROW)
		value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return value;
}

/* Does SQLite know that its log is short? It counts the frames in its index, which a file that was cut does not change.
 */
static bool is_log_known(const struct database *database, uint64_t bytes, int64_t page_bytes)
{
	int frames = -1, done;

	if (sqlite3_wal_checkpoint_v2(database->connection, NULL, SQLITE_CHECKPOINT_PASSIVE, &frames, &done) !=
		SQLITE_OK)
		return false;
	return frames >= 0 && (uint64_t)frames * (uint64_t)(page_bytes + LOG_FRAME_BYTES) <= bytes;
}

static void look_at_log(struct database *database, int64_t page_bytes)
{
	char path[PATH_MAX];
	struct stat status;

	snprintf(path, sizeof(path), "%s-wal", database->path);
	if (stat(path, &status) < 0)
		return;
	uint64_t bytes = (uint64_t)status.st_size;
	if (bytes < database->log_bytes && (bytes >= LOG_BYTES_MAX || is_log_known(database, bytes, page_bytes)))
		enrg_watch_allow_shorter(database->log_watch, bytes);
	database->log_bytes = bytes;
}

void database_look(struct database *database)
{
	int64_t pages = ask(database, "PRAGMA page_count"), page_bytes = ask(database, "PRAGMA page_size");

	if (database->has_transaction || pages < 0 || page_bytes <= 0)
		return;
	enrg_watch_allow_shorter(database->watch, (uint64_t)(pages * page_bytes));
	look_at_log(database, page_bytes);
}

static int set_up(struct database *database, const char *synchronous, struct enrg_error *err)
{
	char sql[128];
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;

	if (sqlite3_open_v2(database->path, &database->connection, flags, NULL) != SQLITE_OK)
		return database_fail(database, "can't open", err);
	sqlite3_busy_timeout(database->connection, BUSY_MS);
	snprintf(sql, sizeof(sql), "PRAGMA synchronous = %s; PRAGMA journal_size_limit = 67108864", synchronous);
	int rc = database_run(database, "PRAGMA journal_mode = WAL", err);
	if (rc == 0)
		rc = database_run(database, sql, err);
	if (rc == 0)
		rc = database_run(database, create_marks, err);
	if (rc == 0 && sqlite3_prepare_v3(database->connection, set_mark, -1, SQLITE_PREPARE_PERSISTENT,
			       &database->set_mark, NULL) != SQLITE_OK)
		rc = database_fail(database, SQL_POSITIONS " is not the store's own table", err);
	return rc;
}

int database_open(struct enrg_store *store, const char *path, const char *synchronous, struct database **ret_database,
	struct enrg_error *err)
{
	struct database *database = calloc(1, sizeof(*database));

	if (!database || !(database->path = strdup(path))) {
		free(database);
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	int rc = create_folders(path, err);
	if (rc == 0)
		rc = set_up(database, synchronous, err);
	if (rc == 0)
		rc = watch(store, database, err);
	if (rc < 0) {
		database_close(database);
		return rc;
	}
	*ret_database = database;
	return 0;
}

void database_close(struct database *database)
{
	if (!database)
		return;
	sqlite3_finalize(database->set_mark);
	if (database->has_transaction)
		sqlite3_exec(database->connection, "ROLLBACK", NULL, NULL, NULL);
	sqlite3_close_v2(database->connection);
	enrg_watch_close(database->index_watch);
	enrg_watch_close(database->log_watch);
	enrg_watch_close(database->watch);
	free(database->path);
	free(database);
}

int database_begin(struct database *database, struct enrg_error *err)
{
	if (database->has_transaction)
		return 0;
	int rc = database_run(database, "BEGIN IMMEDIATE", err);
	database->has_transaction = rc == 0;
	return rc;
}

int database_commit(struct database *database, struct enrg_error *err)
{
	if (!database->has_transaction)
		return 0;
	int rc = database_run(database, "COMMIT", err);
	database->has_transaction = rc < 0;
	if (rc == 0)
		database_look(database);
	return rc;
}

static void bind_key(sqlite3_stmt *statement, const struct sql_key *key)
{
	for (unsigned i = 0; i < SQL_KEY_PARTS; i++)
		sqlite3_bind_text(statement, (int)i + 1, key->parts[i], -1, SQLITE_STATIC);
}

int database_get_mark(
	struct database *database, const struct sql_key *key, uint64_t *ret_sequence, struct enrg_error *err)
{
	sqlite3_stmt *statement;
	int rc = 0;

	if (sqlite3_prepare_v2(database->connection, get_mark, -1, &statement, NULL) != SQLITE_OK)
		return database_fail(database, SQL_POSITIONS " is not the store's own table", err);
	bind_key(statement, key);
	int found = sqlite3_step(statement);
	if (found == SQLITE_ROW || found == SQLITE_DONE)
		*ret_sequence = found == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
	else
		rc = database_fail(database, "reading " SQL_POSITIONS, err);
	sqlite3_finalize(statement);
	return rc;
}

int database_set_mark(struct database *database, const struct sql_key *key, uint64_t sequence, struct enrg_error *err)
{
	bind_key(database->set_mark, key);
	sqlite3_bind_int64(database->set_mark, 7, (sqlite3_int64)sequence);
	int done = sqlite3_step(database->set_mark);
	int rc = done == SQLITE_DONE ? 0 : database_fail(database, "writing " SQL_POSITIONS, err);
	sqlite3_reset(database->set_mark);
	return rc;
}

int database_prune_marks(struct database *database, const struct sql_key *key, struct enrg_error *err)
{
	static const char prune[] = "DELETE FROM " SQL_POSITIONS " WHERE store = ?1 AND source = ?2 AND run <> ?3 AND "
				    "tag = ?4 AND table_name = ?5 AND run BETWEEN '1' AND ?7";
	char oldest[SQL_RUN_TIME_BYTES];
	sqlite3_stmt *statement;

	if (!sql_find_oldest_run(key->parts[SQL_KEY_RUN], time(NULL), oldest))
		return 0;
	if (sqlite3_prepare_v2(database->connection, prune, -1, &statement, NULL) != SQLITE_OK)
		return database_fail(database, SQL_POSITIONS " is not the store's own table", err);
	bind_key(statement, key);
	sqlite3_bind_text(statement, 7, oldest, -1, SQLITE_STATIC);
	int rc = sqlite3_step(statement) == SQLITE_DONE ? 0 : database_fail(database, "pruning " SQL_POSITIONS, err);
	sqlite3_finalize(statement);
	return rc;
}
