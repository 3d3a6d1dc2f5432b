/* database_open.c: a database is opened, as what its file system can do, and proved. One thread. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "base/clock.h"
#include "runs/schema.h"

#define BUSY_MS     5000
#define PROOF_NS    300000000ull /* at an open; a large file is proved by `enrgdaq runs check` */
#define PROOF_STEPS 10000        /* of SQLite's machine between two looks at the clock */
#define URI_BYTES   (3 * DATABASE_PATH_BYTES + 64)

/* --- proof --- */

static int is_late(void *until_ns)
{
	return clock_mono_ns() > *(const uint64_t *)until_ns;
}

int database_prove(struct database *database, uint64_t budget_ns, struct enrg_error *err)
{
	uint64_t until_ns = budget_ns == UINT64_MAX ? budget_ns : clock_mono_ns() + budget_ns;
	sqlite3_stmt *statement = NULL;
	int rc;

	sqlite3_progress_handler(database->handle, PROOF_STEPS, is_late, &until_ns);
	rc = sqlite3_prepare_v2(database->handle, "PRAGMA quick_check(1)", -1, &statement, NULL);
	if (!rc)
		rc = sqlite3_step(statement);
	if (rc == SQLITE_ROW && strcmp(database_text(statement, 0), "ok") != 0)
		rc = enrg_error_set(err, ENRG_E_CORRUPT, "%s: %s", database->path, database_text(statement, 0));
	else if (rc == SQLITE_ROW || rc == SQLITE_INTERRUPT || rc == SQLITE_DONE)
		rc = 0; /* what was read is sound */
	else
		rc = database_fail(database, rc, err);
	sqlite3_finalize(statement);
	sqlite3_progress_handler(database->handle, 0, NULL, NULL);
	return rc;
}

/* --- open --- */

/* Kinds whose files several machines may write: a write-ahead log shares memory, which they do not. */
static bool is_on_network(const char *path)
{
	static const long kinds[] = {0x6969 /* NFS */, 0x517b /* SMB */, (long)0xff534d42 /* CIFS */,
		(long)0xfe534d42 /* SMB2 */, 0x65735546 /* FUSE: sshfs and others */, 0x01021997 /* 9P */,
		0x5346414f /* AFS */, 0x00c36400 /* Ceph */, 0x0bd00bd0 /* Lustre */, 0x19830326 /* BeeGFS */,
		0x47504653 /* GPFS */, 0x7461636f /* OCFS2 */, 0x01161970 /* GFS2 */};
	char folder[DATABASE_PATH_BYTES];
	const char *slash = strrchr(path, '/');
	struct statfs status;

	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
	if (statfs(folder, &status))
		return false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if ((long)status.f_type == kinds[i])
			return true;
	return false;
}

/* A name as part of a URI. */
static void format_uri(const char *path, const char *query, char ret_uri[URI_BYTES])
{
	size_t used = (size_t)snprintf(ret_uri, URI_BYTES, "file:");

	for (; *path && used + 40 < URI_BYTES; path++)
		used += (size_t)snprintf(
			ret_uri + used, URI_BYTES - used, strchr("%?#", *path) ? "%%%02x" : "%c", *path);
	snprintf(ret_uri + used, URI_BYTES - used, "%s", query);
}

static int run_pragmas(struct database *database, bool is_reader, struct enrg_error *err)
{
	static const char *const reader[] = {
		"PRAGMA query_only = 1", "PRAGMA temp_store = MEMORY", "PRAGMA mmap_size = 1073741824"};
	const char *const writer[] = {
		database->is_network ? "PRAGMA journal_mode = DELETE" : "PRAGMA journal_mode = WAL",
		"PRAGMA synchronous = FULL", "PRAGMA foreign_keys = 1", "PRAGMA temp_store = MEMORY",
		"PRAGMA cache_size = -512", "PRAGMA wal_autocheckpoint = 256"};
	size_t count = is_reader ? sizeof(reader) / sizeof(reader[0]) : sizeof(writer) / sizeof(writer[0]);

	for (size_t i = 0; i < count; i++) {
		int rc = sqlite3_exec(database->handle, is_reader ? reader[i] : writer[i], NULL, NULL, NULL);
		if (rc)
			return database_fail(database, rc, err);
	}
	return 0;
}

static int open_handle(struct database *database, bool is_reader, const char *query, struct enrg_error *err)
{
	int flags = is_reader ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	char uri[URI_BYTES];

	format_uri(database->path, query, uri);
	sqlite3_close_v2(database->handle);
	database->handle = NULL;
	int rc = sqlite3_open_v2(uri, &database->handle, flags | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc)
		return database_fail(database, rc, err);
	sqlite3_extended_result_codes(database->handle, 1);
	sqlite3_busy_timeout(database->handle, BUSY_MS);
	return run_pragmas(database, is_reader, err);
}

static int prepare(struct database *database, const struct database_params *params, struct enrg_error *err)
{
	int rc = open_handle(database, params->is_reader, "", err);

	if (!rc)
		rc = schema_prepare(database, params->is_reader, err);
	/* Where its folder can't be written a reader finds no shared memory of the log: it is nobody's then. */
	if (rc && params->is_reader && rc != ENRG_E_VERSION) {
		int before = rc;
		rc = open_handle(database, true, "?immutable=1", NULL);
		if (!rc)
			rc = schema_prepare(database, true, err);
		rc = rc && rc != ENRG_E_VERSION ? before : rc;
	}
	if (!rc && !params->is_reader && sqlite3_db_readonly(database->handle, "main") == 1)
		rc = enrg_error_set(err, -EROFS, "%s: it can be read only", database->path);
	return rc || params->is_reader || params->is_proved ? rc : database_prove(database, PROOF_NS, err);
}

int database_open(const struct database_params *params, struct database **ret_database, struct enrg_error *err)
{
	struct database *database = calloc(1, sizeof(*database));
	struct stat status;

	if (!database)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	snprintf(database->path, sizeof(database->path), "%s", params->path);
	database->is_network =
		params->network == DATABASE_ASK ? is_on_network(params->path) : params->network == DATABASE_NETWORK;
	int rc = params->is_reader && stat(params->path, &status) < 0 ? -errno : 0;
	if (rc)
		enrg_error_set(err, rc, "%s: %s", params->path, strerror(-rc));
	else
		rc = prepare(database, params, err);
	if (rc) {
		database_close(database);
		return rc;
	}
	*ret_database = database;
	return 0;
}
