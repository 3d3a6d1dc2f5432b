/* summary.c: a row of `run` and rows of `file`, as entries change them. One thread. */
#include "runs/summary.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runs/number.h"

#define FLAGS_BYTES 400u

static const char *text_of(const json_t *body, const char *key)
{
	const char *text = json_string_value(json_object_get(body, key));

	return text ? text : "";
}

static int64_t number_of(const json_t *body, const char *key)
{
	return (int64_t)json_integer_value(json_object_get(body, key));
}

/* --- flags --- */

static void set_flag(char flags[FLAGS_BYTES], const char *flag, bool is_set)
{
	char padded[FLAGS_BYTES + 2], wanted[100], *found;
	size_t used = strlen(flags);

	snprintf(padded, sizeof(padded), ",%s,", flags);
	snprintf(wanted, sizeof(wanted), ",%.90s,", flag);
	found = strstr(padded, wanted);
	if (!*flag || strchr(flag, ',') || (found != NULL) == is_set)
		return;
	if (is_set) {
		if (used + strlen(flag) + 2 < FLAGS_BYTES)
			snprintf(flags + used, FLAGS_BYTES - used, "%s%s", used ? "," : "", flag);
		return;
	}
	memmove(found, found + strlen(wanted) - 1, strlen(found + strlen(wanted) - 1) + 1);
	used = strlen(padded);
	snprintf(flags, FLAGS_BYTES, "%.*s", used > 2 ? (int)used - 2 : 0, padded + 1);
}

/* What the end says, then what was said by hand, in that order. */
static int collect_flags(
	struct database *database, int64_t run, const json_t *end, char ret_flags[FLAGS_BYTES], struct enrg_error *err)
{
	const json_t *list = json_object_get(end, "flags");
	sqlite3_stmt *statement;

	ret_flags[0] = '\0';
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *flag = json_string_value(json_array_get(list, i));
		set_flag(ret_flags, flag ? flag : "", true);
	}
	int rc = database_bind(database, "SELECT body FROM entry WHERE run = ? AND kind = 'flag' ORDER BY wall_ns, seq",
		&statement, err, "i", run);
	while (!rc && database_step(database, statement, &rc, err)) {
		json_t *body = json_loads(database_text(statement, 0), 0, NULL);
		set_flag(ret_flags, text_of(body, "flag"), !json_is_false(json_object_get(body, "is_set")));
		json_decref(body);
	}
	return rc;
}

/* --- the end --- */

/* That of the supervisor, though it comes later than the book's own; NULL: there is none. New reference. */
static int find_end(struct database *database, int64_t run, json_t **ret_end, struct enrg_error *err)
{
	sqlite3_stmt *statement;
	json_t *end = NULL;
	int rc = database_bind(database, "SELECT body FROM entry WHERE run = ? AND kind = 'end' ORDER BY wall_ns, seq",
		&statement, err, "i", run);

	while (!rc && database_step(database, statement, &rc, err)) {
		json_t *body = json_loads(database_text(statement, 0), 0, NULL);
		if (end && json_is_true(json_object_get(body, "by_book"))) {
			json_decref(body);
			continue;
		}
		json_decref(end);
		end = body;
	}
	*ret_end = end;
	return rc;
}

static void add_up(const json_t *body, int64_t *ret_rows, int64_t *ret_bytes)
{
	const json_t *sources = json_object_get(json_object_get(body, "account"), "sources");

	*ret_rows = *ret_bytes = 0;
	for (size_t i = 0; i < json_array_size(sources); i++) {
		*ret_rows += number_of(json_array_get(sources, i), "produced_rows");
		*ret_bytes += number_of(json_array_get(sources, i), "produced_bytes");
	}
}

static int take_end(struct database *database, int64_t run, struct enrg_error *err)
{
	char flags[FLAGS_BYTES];
	int64_t rows, bytes;
	json_t *end = NULL;
	int rc = find_end(database, run, &end, err);

	if (!rc)
		rc = collect_flags(database, run, end, flags, err);
	if (!rc && !end)
		rc = database_run(database, "UPDATE run SET flags = ? WHERE id = ?", err, "ti", flags, run);
	add_up(end, &rows, &bytes);
	if (!rc && end)
		rc = database_run(database,
			"UPDATE run SET flags = ?, ended_ns = ?, quality = ?, rows = max(rows, ?), bytes = max(bytes, "
			"?)"
			" WHERE id = ?",
			err, "titiii", flags, number_of(end, "wall_ns"), text_of(end, "quality"), rows, bytes, run);
	json_decref(end);
	return rc;
}

static int take_progress(struct database *database, int64_t run, const json_t *body, struct enrg_error *err)
{
	int64_t rows, bytes;

	add_up(body, &rows, &bytes);
	return database_run(database, "UPDATE run SET rows = max(rows, ?), bytes = max(bytes, ?) WHERE id = ?", err,
		"iii", rows, bytes, run);
}

/* --- the begin --- */

static int take_begin(
	struct database *database, const char *folder, int64_t run, const json_t *body, struct enrg_error *err)
{
	int64_t number = number_of(body, "number"), began_ns = number_of(body, "wall_ns");

	if (number > NUMBER_MAX)
		number = 0; /* somebody else's record: no number could follow it */
	return database_run(database,
		"UPDATE run SET number = CASE WHEN ?1 > 0 THEN ?1 ELSE number END, supervisor = ?2, run = ?3, type = "
		"?4,"
		" description = ?5, began_ns = CASE WHEN ?6 > 0 THEN ?6 ELSE began_ns END, folder = ?7, has_begin = 1"
		" WHERE id = ?8",
		err, "ittttiti", number, text_of(body, "supervisor"), text_of(body, "run"), text_of(body, "type"),
		text_of(body, "description"), began_ns, folder, run);
}

/* --- files --- */

static const char *state_of(const char *event)
{
	static const char *const states[][2] = {{"opened", "open"}, {"closed", "closed"}, {"moved", "moved"},
		{"archived", "archived"}, {"deleted", "deleted"}};

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (!strcmp(event, states[i][0]))
			return states[i][1];
	return ""; /* as it was */
}

static int bind_number(sqlite3_stmt *statement, int place, const json_t *value)
{
	return json_is_integer(value) ? sqlite3_bind_int64(statement, place, json_integer_value(value))
				      : sqlite3_bind_null(statement, place);
}

/* What an entry does not say stays as it was; a file that was closed anew has no hash any more. */
static const char upsert[] =
	"INSERT INTO file(run, path, store, format, state, is_open, sha256, bytes, rows, first_ns, last_ns, tries)"
	" VALUES(?1, ?2, ?3, ?4, CASE ?5 WHEN '' THEN 'closed' ELSE ?5 END, ?6, ?7, ?8, ?9, ?10, ?11, 0)"
	" ON CONFLICT(run, path) DO UPDATE SET store = CASE ?3 WHEN '' THEN store ELSE ?3 END,"
	" format = CASE ?4 WHEN '' THEN format ELSE ?4 END, state = CASE ?5 WHEN '' THEN state ELSE ?5 END,"
	" is_open = CASE ?5 WHEN '' THEN is_open ELSE ?6 END,"
	" sha256 = CASE WHEN ?5 IN ('open', 'closed') THEN ?7 ELSE coalesce(?7, sha256) END,"
	" bytes = coalesce(?8, bytes), rows = coalesce(?9, rows), first_ns = coalesce(?10, first_ns),"
	" last_ns = coalesce(?11, last_ns), tries = 0";

static int take_file(struct database *database, int64_t run, const json_t *body, struct enrg_error *err)
{
	static const char *const numbers[] = {"bytes", "rows", "first_ns", "last_ns"};
	const char *sha256 = text_of(body, "sha256"), *state = state_of(text_of(body, "event"));
	const json_t *open = json_object_get(body, "open");
	bool is_open = open ? json_is_true(open) : !strcmp(state, "open");
	sqlite3_stmt *statement;

	if (!*text_of(body, "path"))
		return 0;
	int rc = database_bind(database, upsert, &statement, err, "itttti", run, text_of(body, "path"),
		text_of(body, "store"), text_of(body, "format"), state, (int64_t)is_open);
	if (!rc && *sha256)
		rc = sqlite3_bind_text(statement, 7, sha256, -1, SQLITE_STATIC);
	for (int i = 0; !rc && i < 4; i++)
		rc = bind_number(statement, 8 + i, json_object_get(body, numbers[i]));
	while (!rc && database_step(database, statement, &rc, err))
		;
	return rc;
}

/* --- the search --- */

/* Notes that no other replaces. */
static int add_notes(struct database *database, int64_t run, FILE *stream, struct enrg_error *err)
{
	sqlite3_stmt *statement;
	int rc = database_bind(database,
		"SELECT json_extract(body, '$.text') FROM entry AS note WHERE run = ?1 AND kind = 'note' AND NOT EXISTS"
		" (SELECT 1 FROM entry AS other WHERE other.run = ?1 AND other.kind = 'note' AND"
		" json_extract(other.body, '$.replaces') = note.id)",
		&statement, err, "i", run);

	while (!rc && database_step(database, statement, &rc, err))
		fprintf(stream, "%s\n", database_text(statement, 0));
	return rc;
}

static int index_words(struct database *database, int64_t run, struct enrg_error *err)
{
	sqlite3_stmt *statement;
	char *text = NULL;
	size_t bytes;
	FILE *stream = open_memstream(&text, &bytes);

	if (!stream)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	int rc = database_bind(
		database, "SELECT type, description, run, supervisor FROM run WHERE id = ?", &statement, err, "i", run);
	while (!rc && database_step(database, statement, &rc, err))
		for (int i = 0; i < 4; i++)
			fprintf(stream, "%s\n", database_text(statement, i));
	if (!rc)
		rc = add_notes(database, run, stream, err);
	if (fclose(stream) || rc) {
		free(text);
		return rc ? rc : enrg_error_set(err, -ENOMEM, "out of memory");
	}
	rc = database_run(database, "DELETE FROM found WHERE rowid = ?", err, "i", run);
	if (!rc)
		rc = database_run(database, "INSERT INTO found(rowid, text) VALUES(?, ?)", err, "it", run, text);
	free(text);
	return rc;
}

/* --- all --- */

static int take(
	struct database *database, const char *folder, int64_t run, const struct entry *entry, struct enrg_error *err)
{
	int rc;

	switch (entry->kind) {
	case ENTRY_BEGIN:
		rc = take_begin(database, folder, run, entry->body, err);
		return rc ? rc : index_words(database, run, err);
	case ENTRY_STATE:
		return database_run(database, "UPDATE run SET state = ? WHERE id = ?", err, "ti",
			text_of(entry->body, "state"), run);
	case ENTRY_PROGRESS:
		return take_progress(database, run, entry->body, err);
	case ENTRY_FILE:
		return take_file(database, run, entry->body, err);
	case ENTRY_END:
	case ENTRY_FLAG:
		return take_end(database, run, err);
	case ENTRY_NOTE:
		return index_words(database, run, err);
	case ENTRY_DELETE:
		return database_run(database, "UPDATE run SET is_deleted = ? WHERE id = ?", err, "ii",
			(int64_t)!json_is_false(json_object_get(entry->body, "is_deleted")), run);
	case ENTRY_ALARM:
	case ENTRY_MESSAGE:
	case ENTRY_HOOK:
	case ENTRY_SEQUENCE:
	case ENTRY_KIND_COUNT:
		return 0;
	}
	return 0;
}

int summary_take(
	struct database *database, const char *folder, int64_t run, const struct entry *entry, struct enrg_error *err)
{
	int rc = take(database, folder, run, entry, err);

	if (rc || entry->kind == ENTRY_PROGRESS)
		return rc; /* what lies beside the data has it when something else changes */
	return database_run(database, "UPDATE run SET changed = changed + 1 WHERE id = ?", err, "i", run);
}
