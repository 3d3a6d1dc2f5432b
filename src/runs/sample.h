/* sample.h: runs for tests: a folder, entries, and a database that they are entered into. */
#ifndef RUNS_SAMPLE_H
#define RUNS_SAMPLE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "runs/enter.h"

#define SAMPLE_BEGAN_NS 1795000000000000000ll
#define SAMPLE_SECOND   1000000000ll

static char sample_folder[64]; /* on tmpfs: what is synced costs nothing */

static int sample_make_folder(void **state)
{
	(void)state;
	strcpy(sample_folder, "/dev/shm/enrg-runs-XXXXXX");
	return mkdtemp(sample_folder) ? 0 : -1;
}

static int sample_remove_folder(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", sample_folder);
	return system(command);
}

static inline const char *sample_path(const char *name)
{
	static char paths[4][200];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", sample_folder, name);
	return path;
}

static inline const char *sample_uuid(unsigned run)
{
	static char uuids[8][ENTRY_UUID_BYTES];
	static unsigned next;
	char *uuid = uuids[next++ % 8];

	snprintf(uuid, ENTRY_UUID_BYTES, "%08x-0000-8000-8000-000000000000", run);
	return uuid;
}

/* `id` makes the entry's id: the same is the same entry. */
static inline struct entry sample_entry(const char *kind, unsigned run, const char *id, int64_t wall_ns, json_t *body)
{
	char sha256[SHA256_HEX_BYTES];
	struct entry entry;
	json_t *json = entry_make(kind, sample_uuid(run), "somebody", body);

	assert_non_null(json);
	sha256_format(id, strlen(id), sha256);
	json_object_set_new(json, "id", json_stringn(sha256, ENTRY_ID_BYTES - 1));
	json_object_set_new(json, "wall_ns", json_integer(wall_ns));
	assert_int_equal(entry_parse_json(json, &entry, NULL), 0);
	json_decref(json);
	return entry;
}

static inline struct entry sample_begin(unsigned run, const char *description)
{
	char id[32], name[32];

	snprintf(id, sizeof(id), "begin %u", run);
	snprintf(name, sizeof(name), "2026-run-%u", run);
	return sample_entry("begin", run, id, SAMPLE_BEGAN_NS + run * SAMPLE_SECOND,
		json_pack("{s:s, s:s, s:s, s:s, s:I}", "run", name, "supervisor", "lab1", "type",
			run % 10 ? "physics" : "calibration", "description", description, "wall_ns",
			(json_int_t)(SAMPLE_BEGAN_NS + run * SAMPLE_SECOND)));
}

static inline struct database *sample_open(const char *name)
{
	const struct database_params params = {.path = sample_path(name), .network = DATABASE_LOCAL};
	struct database *database = NULL;
	struct enrg_error err = {0};

	if (database_open(&params, &database, &err))
		fail_msg("%s", err.text);
	return database;
}

/* Frees the entry. What enter_entry returns. */
static inline int sample_enter(struct database *database, struct entry entry)
{
	const struct enter_context context = {.database = database, .supervisor = "lab1", .folder = sample_folder};
	struct enrg_error err = {0};

	assert_int_equal(database_begin(database, NULL), 0);
	int rc = enter_entry(&context, &entry, &err);
	if (rc < 0)
		fail_msg("%s", err.text);
	assert_int_equal(database_commit(database, NULL), 0);
	entry_fini(&entry);
	return rc;
}

static inline uint64_t sample_number(struct database *database, struct entry begin, uint64_t floor)
{
	const struct enter_context context = {.database = database, .supervisor = "lab1", .folder = sample_folder};
	uint64_t number = 0;

	assert_int_equal(database_begin(database, NULL), 0);
	assert_int_equal(enter_number(&context, &begin, floor, &number, NULL), 0);
	assert_int_equal(database_commit(database, NULL), 0);
	entry_fini(&begin);
	return number;
}

static inline int64_t sample_get(struct database *database, const char *sql)
{
	int64_t value = -1;

	assert_int_equal(database_get(database, sql, -1, &value, NULL, ""), 0);
	return value;
}

static inline void sample_text(struct database *database, const char *sql, char ret_text[400])
{
	sqlite3_stmt *statement;
	int rc;

	assert_int_equal(database_bind(database, sql, &statement, NULL, ""), 0);
	assert_true(database_step(database, statement, &rc, NULL));
	snprintf(ret_text, 400, "%s", database_text(statement, 0));
	sqlite3_reset(statement);
}

#endif
