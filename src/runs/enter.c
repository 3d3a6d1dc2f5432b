/* enter.c: entries of all kinds; what lists show is made in summary.c. One thread. */
#include "runs/enter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/sha256.h"
#include "runs/sequence.h"
#include "runs/summary.h"

#define PIECE_BYTES 400u /* a longer value of a `begin` is kept once for all runs that have it */

/* --- long texts --- */

static int keep_piece(
	struct database *database, const char *text, char ret_sha256[SHA256_HEX_BYTES], struct enrg_error *err)
{
	sha256_format(text, strlen(text), ret_sha256);
	return database_run(database, "INSERT INTO piece(sha256, text) VALUES(?, ?) ON CONFLICT DO NOTHING", err, "tt",
		ret_sha256, text);
}

/* The body with {"$piece": SHA-256} in the place of each long value; new reference. */
static int replace_pieces(struct database *database, const json_t *body, json_t **ret_body, struct enrg_error *err)
{
	json_t *copy = json_copy((json_t *)body), *value;
	char sha256[SHA256_HEX_BYTES];
	const char *key;
	int rc = copy ? 0 : -ENOMEM;

	json_object_foreach((json_t *)body, key, value)
	{
		char *text = rc ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
		if (text && strlen(text) > PIECE_BYTES) {
			rc = keep_piece(database, text, sha256, err);
			if (!rc)
				json_object_set_new(copy, key, json_pack("{s:s}", "$piece", sha256));
		}
		free(text);
	}
	if (rc)
		json_decref(copy);
	else
		*ret_body = copy;
	return rc;
}

/* --- rows --- */

static int find_run(struct database *database, const char *uuid, int64_t *ret_run, struct enrg_error *err)
{
	return database_get(database, "SELECT id FROM run WHERE uuid = ?", 0, ret_run, err, "t", uuid);
}

static uint64_t began_of(const struct entry *entry)
{
	json_int_t wall_ns = json_integer_value(json_object_get(entry->body, "wall_ns"));

	return entry->kind == ENTRY_BEGIN && wall_ns > 0 ? (uint64_t)wall_ns : entry->wall_ns;
}

static int make_run(
	const struct enter_context *context, const struct entry *entry, int64_t *ret_run, struct enrg_error *err)
{
	uint64_t began_ns = began_of(entry);
	int64_t id = (int64_t)(began_ns / 1000), used = 0;
	int rc;

	do {
		rc = database_get(context->database, "SELECT 1 FROM run WHERE id = ?", 0, &used, err, "i", id);
	} while (!rc && used && id++ < INT64_MAX);
	if (rc)
		return rc;
	*ret_run = id;
	return database_run(context->database,
		"INSERT INTO run(id, uuid, supervisor, run, type, description, state, began_ns, quality, flags, rows, "
		"bytes,"
		" is_deleted, has_begin, folder, changed, written)"
		" VALUES(?, ?, '', '', '', '', '', ?, '', '', 0, 0, 0, 0, ?, 0, 0)",
		err, "itit", id, entry->uuid, (int64_t)began_ns, context->folder);
}

static int find_or_make_run(
	const struct enter_context *context, const struct entry *entry, int64_t *ret_run, struct enrg_error *err)
{
	*ret_run = 0;
	if (!*entry->uuid)
		return 0;
	int rc = find_run(context->database, entry->uuid, ret_run, err);
	return rc || *ret_run ? rc : make_run(context, entry, ret_run, err);
}

/* 1: it was there. */
static int insert(struct database *database, const struct entry *entry, int64_t run, struct enrg_error *err)
{
	json_t *body = NULL;
	int rc = entry->kind == ENTRY_BEGIN ? replace_pieces(database, entry->body, &body, err) : 0;
	char *text = rc ? NULL : json_dumps(body ? body : entry->body, JSON_COMPACT);

	json_decref(body);
	if (!rc && !text)
		rc = enrg_error_set(err, -ENOMEM, "out of memory");
	if (!rc)
		rc = database_run(database,
			"INSERT INTO entry(id, run, kind, wall_ns, who, body) VALUES(?, ?, ?, ?, ?, ?)"
			" ON CONFLICT(id) DO NOTHING",
			err, "tititt", entry->id, run, entry_kind_name(entry->kind), (int64_t)entry->wall_ns,
			entry->who, text);
	if (!rc && !sqlite3_changes(database->handle))
		rc = 1;
	free(text);
	return rc;
}

/* Of the progress of a run the newest alone is of use. */
static int thin_progress(struct database *database, int64_t run, struct enrg_error *err)
{
	return database_run(database,
		"DELETE FROM entry WHERE run = ?1 AND kind = 'progress' AND seq <> (SELECT seq FROM entry WHERE run = "
		"?1"
		" AND kind = 'progress' ORDER BY wall_ns DESC, seq DESC LIMIT 1)",
		err, "i", run);
}

/* --- entries --- */

static int flag_repeated(
	const struct enter_context *context, int64_t run, const struct entry *entry, struct enrg_error *err)
{
	int64_t number = json_integer_value(json_object_get(entry->body, "number")), other = 0;
	int rc = database_get(context->database, "SELECT id FROM run WHERE number = ? AND id <> ?", 0, &other, err,
		"ii", number, run);

	if (rc || !other || number <= 0)
		return rc;
	rc = enter_own(context, "flag", entry->uuid, "its number is that of another run",
		json_pack("{s:s, s:b, s:s}", "flag", "number_repeated", "is_set", 1, "reason",
			"another run of this book has the same number; files of both carry it"),
		err);
	return rc < 0 ? rc : 0;
}

/* One that names a file and no run is of all runs that the file holds. */
static int enter_for_runs(const struct enter_context *context, const struct entry *entry, struct enrg_error *err)
{
	const char *path = json_string_value(json_object_get(entry->body, "path"));
	json_t *uuids = json_array(), *uuid;
	sqlite3_stmt *statement;
	size_t i;
	int rc = database_bind(context->database,
		"SELECT run.uuid FROM file JOIN run ON run.id = file.run WHERE file.path = ?", &statement, err, "t",
		path ? path : "");

	while (!rc && database_step(context->database, statement, &rc, err))
		json_array_append_new(uuids, json_string(database_text(statement, 0)));
	json_array_foreach(uuids, i, uuid)
	{
		if (!rc)
			rc = enter_own(
				context, "file", json_string_value(uuid), entry->id, json_deep_copy(entry->body), err);
		rc = rc > 0 ? 0 : rc;
	}
	json_decref(uuids);
	return rc;
}

int enter_entry(const struct enter_context *context, const struct entry *entry, struct enrg_error *err)
{
	struct database *database = context->database;
	int64_t run = 0, is_known = 0;
	int rc = database_get(database, "SELECT 1 FROM entry WHERE id = ?", 0, &is_known, err, "t", entry->id);

	if (rc || is_known)
		return rc ? rc : 1;
	rc = find_or_make_run(context, entry, &run, err);
	if (!rc)
		rc = insert(database, entry, run, err);
	if (!rc && entry->kind == ENTRY_PROGRESS)
		rc = thin_progress(database, run, err);
	if (!rc && entry->kind == ENTRY_SEQUENCE)
		rc = sequence_enter(database, entry, err);
	if (!rc && entry->kind == ENTRY_FILE && !run)
		return enter_for_runs(context, entry, err);
	if (!rc && run)
		rc = summary_take(database, context->folder, run, entry, err);
	return rc || entry->kind != ENTRY_BEGIN ? rc : flag_repeated(context, run, entry, err);
}

/* --- entries of its own --- */

int enter_own(const struct enter_context *context, const char *kind, const char *uuid, const char *reason, json_t *body,
	struct enrg_error *err)
{
	char text[ENTRY_UUID_BYTES + 200], sha256[SHA256_HEX_BYTES];
	json_t *json = entry_make(kind, uuid, "the run book", body);
	struct entry entry;

	if (!json)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	snprintf(text, sizeof(text), "%s %.150s", uuid, reason);
	sha256_format(text, strlen(text), sha256);
	json_object_set_new(json, "id", json_stringn(sha256, ENTRY_ID_BYTES - 1));
	int rc = entry_parse_json(json, &entry, err);
	json_decref(json);
	if (rc)
		return rc;
	rc = enter_entry(context, &entry, err);
	entry_fini(&entry);
	return rc;
}

/* --- runs that nobody continues --- */

struct orphan {
	char uuid[ENTRY_UUID_BYTES];
	int64_t last_ns;
	json_t *progress;
};

static bool is_in(const json_t *list, const char *uuid)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));
		if (text && !strcmp(text, uuid))
			return true;
	}
	return false;
}

/* The first that nobody continues; uuid "" where there is none. */
static int find_orphan(
	const struct enter_context *context, const json_t *continues, struct orphan *ret_orphan, struct enrg_error *err)
{
	sqlite3_stmt *statement;
	int rc = database_bind(context->database,
		"SELECT uuid, (SELECT max(wall_ns) FROM entry WHERE entry.run = run.id), (SELECT body FROM entry WHERE"
		" entry.run = run.id AND kind = 'progress' ORDER BY wall_ns DESC LIMIT 1) FROM run WHERE ended_ns IS "
		"NULL AND"
		" supervisor IN (?, '')",
		&statement, err, "t", context->supervisor);

	*ret_orphan = (struct orphan){0};
	while (!rc && database_step(context->database, statement, &rc, err)) {
		if (is_in(continues, database_text(statement, 0)))
			continue;
		snprintf(ret_orphan->uuid, sizeof(ret_orphan->uuid), "%s", database_text(statement, 0));
		ret_orphan->last_ns = sqlite3_column_int64(statement, 1);
		ret_orphan->progress = json_loads(database_text(statement, 2), 0, NULL);
		sqlite3_reset(statement);
		break;
	}
	return rc;
}

int enter_close_orphans(
	const struct enter_context *context, const json_t *continues, unsigned *ret_count, struct enrg_error *err)
{
	struct orphan orphan;
	unsigned count = 0;
	int rc;

	while (!(rc = find_orphan(context, continues, &orphan, err)) && *orphan.uuid) {
		json_t *account = json_object_get(orphan.progress, "account");
		json_t *body = json_pack("{s:I, s:s, s:[s], s:s, s:b, s:O?}", "wall_ns", (json_int_t)orphan.last_ns,
			"quality", "aborted", "flags", "interrupted", "reason",
			"its supervisor ended without closing it, and none continues it", "by_book", 1, "account",
			account);
		json_decref(orphan.progress);
		rc = enter_own(context, "end", orphan.uuid, "nobody continues it", body, err);
		if (rc == 1) /* said before, and still open: not again and again */
			rc = database_run(context->database, "UPDATE run SET ended_ns = ? WHERE uuid = ?", err, "it",
				orphan.last_ns, orphan.uuid);
		if (rc)
			return rc;
		count++;
	}
	*ret_count = count;
	return rc;
}

/* --- numbers --- */

static int find_number(
	struct database *database, const struct entry *begin, int64_t *ret_number, struct enrg_error *err)
{
	return database_get(database,
		"SELECT number FROM run WHERE uuid = ? AND EXISTS (SELECT 1 FROM entry WHERE id = ?)", 0, ret_number,
		err, "tt", begin->uuid, begin->id);
}

int enter_number(const struct enter_context *context, const struct entry *begin, uint64_t floor, uint64_t *ret_number,
	struct enrg_error *err)
{
	int64_t number = 0;
	int rc = find_number(context->database, begin, &number, err);

	if (rc || number > 0) {
		*ret_number = (uint64_t)number;
		return rc;
	}
	rc = database_get(context->database, "SELECT max(number) FROM run", 0, &number, err, "");
	if (rc)
		return rc;
	number = (uint64_t)number > floor ? number + 1 : (int64_t)floor + 1;
	json_object_set_new(begin->body, "number", json_integer(number));
	rc = enter_entry(context, begin, err);
	*ret_number = (uint64_t)number;
	return rc < 0 ? rc : 0;
}
