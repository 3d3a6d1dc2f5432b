/* schema.c: one step a version. A step that stands is never changed: databases were made by it. One thread. */
#include "runs/schema.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

/* `id` counts microseconds from the begin of the run, so that rows lie in the order of time, which lists and the search
 * go by. */
static const char version_1[] =
	"CREATE TABLE run(id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, number INTEGER, supervisor TEXT NOT NULL,"
	" run TEXT NOT NULL, type TEXT NOT NULL, description TEXT NOT NULL, state TEXT NOT NULL,"
	" began_ns INTEGER NOT NULL, ended_ns INTEGER, quality TEXT NOT NULL, flags TEXT NOT NULL, rows INTEGER NOT "
	"NULL,"
	" bytes INTEGER NOT NULL, is_deleted INTEGER NOT NULL, has_begin INTEGER NOT NULL, folder TEXT NOT NULL,"
	" changed INTEGER NOT NULL, written INTEGER NOT NULL) STRICT;"
	"CREATE INDEX run_by_number ON run(number);"
	"CREATE INDEX run_open ON run(id) WHERE ended_ns IS NULL;"
	"CREATE INDEX run_unwritten ON run(id) WHERE changed <> written;"
	"CREATE TABLE entry(seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, run INTEGER, kind TEXT NOT NULL,"
	" wall_ns INTEGER NOT NULL, who TEXT NOT NULL, body TEXT NOT NULL) STRICT;"
	"CREATE INDEX entry_by_run ON entry(run, kind, wall_ns);"
	"CREATE TABLE piece(sha256 TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE file(run INTEGER NOT NULL, path TEXT NOT NULL, store TEXT NOT NULL, format TEXT NOT NULL,"
	" state TEXT NOT NULL, is_open INTEGER NOT NULL, bytes INTEGER, rows INTEGER, first_ns INTEGER, last_ns "
	"INTEGER,"
	" sha256 TEXT, tries INTEGER NOT NULL, PRIMARY KEY(run, path)) STRICT, WITHOUT ROWID;"
	"CREATE INDEX file_unhashed ON file(run) WHERE sha256 IS NULL AND is_open = 0 AND state = 'closed';"
	"CREATE INDEX file_by_path ON file(path);"
	"CREATE VIRTUAL TABLE found USING fts5(text, tokenize = 'trigram');"
	"CREATE TABLE state(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;";

/* Lists of one type, of one quality, and of those that are marked. */
static const char version_2[] = "CREATE INDEX run_by_type ON run(type, id);"
				"CREATE INDEX run_by_quality ON run(quality, id);"
				"CREATE INDEX run_flagged ON run(id) WHERE flags <> '';";

static const char *const steps[SCHEMA_VERSION] = {version_1, version_2};

static int get_version(struct database *database, int64_t *ret_version, struct enrg_error *err)
{
	return database_get(database, "PRAGMA user_version", 0, ret_version, err, "");
}

static int exec(struct database *database, const char *sql, struct enrg_error *err)
{
	int rc = sqlite3_exec(database->handle, sql, NULL, NULL, NULL);

	return rc ? database_fail(database, rc, err) : 0;
}

/* A whole copy of its own, whatever still lies in a log: DATABASE.version-N.TIME */
static int back_up(struct database *database, int64_t version, struct enrg_error *err)
{
	char time[40];

	clock_format_utc(clock_wall_ns(), time, sizeof(time));
	snprintf(database->backup, sizeof(database->backup), "%s.version-%lld.%s", database->path, (long long)version,
		time);
	int rc = database_run(database, "VACUUM INTO ?", err, "t", database->backup);
	return rc ? enrg_error_add(err, rc, "it can't be copied before its layout is changed, so it stays as it is")
		  : 0;
}

static int take_steps(struct database *database, int64_t version, struct enrg_error *err)
{
	char pragma[120];
	int rc = database_begin(database, err);

	if (rc)
		return rc;
	for (int64_t i = version; !rc && i < SCHEMA_VERSION; i++)
		rc = exec(database, steps[i], err);
	snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d; PRAGMA application_id = %d", SCHEMA_VERSION,
		SCHEMA_APPLICATION);
	if (!rc)
		rc = exec(database, pragma, err);
	if (!rc)
		return database_commit(database, err);
	database_abort(database);
	return rc;
}

static int refuse_foreign(struct database *database, struct enrg_error *err)
{
	int64_t tables = 0;
	int rc = database_get(database, "SELECT count(*) FROM sqlite_schema", 0, &tables, err, "");

	if (rc || !tables)
		return rc;
	return enrg_error_set(
		err, -EEXIST, "%s is a database of something else: name another file (runs.database)", database->path);
}

int schema_prepare(struct database *database, bool is_reader, struct enrg_error *err)
{
	int64_t version = 0;
	int rc = get_version(database, &version, err);

	if (rc || version == SCHEMA_VERSION)
		return rc;
	if (version > SCHEMA_VERSION)
		return enrg_error_set(err, ENRG_E_VERSION,
			"%s was made by a newer version of this program (layout %lld, this one knows %d): install that "
			"one, or name another file (runs.database)",
			database->path, (long long)version, SCHEMA_VERSION);
	if (is_reader)
		return enrg_error_set(err, ENRG_E_VERSION,
			"%s has the layout of an older version of this program (%lld): the next `enrgdaq run` changes "
			"it",
			database->path, (long long)version);
	rc = version > 0 ? back_up(database, version, err) : refuse_foreign(database, err);
	return rc ? rc : take_steps(database, version, err);
}
