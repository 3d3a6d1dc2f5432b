/* reader.c: see the header. One thread. */
#include "runs/reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define SQL_BYTES   2000u
#define MATCH_BYTES 2000u
#define COLUMNS                                                                                                        \
	"id, number, uuid, supervisor, run, type, description, state, quality, flags, began_ns, ended_ns, rows, "      \
	"bytes,"                                                                                                       \
	" is_deleted"

/* --- lists --- */

/* Words as the index of three letters in a row wants them: each in quotes, all of them. false: one is shorter. */
static bool format_match(const char *words, char ret_match[MATCH_BYTES])
{
	char copy[MATCH_BYTES / 2], *rest = copy, *word;
	bool is_indexed = true;
	size_t used = 0;

	ret_match[0] = '\0';
	snprintf(copy, sizeof(copy), "%s", words);
	while ((word = strsep(&rest, " \t\n"))) {
		size_t letters = 0;
		if (!*word)
			continue;
		if (used + 2 * strlen(word) + 8 > MATCH_BYTES)
			break;
		used += (size_t)snprintf(ret_match + used, MATCH_BYTES - used, "%s\"", used ? " " : "");
		for (; *word; word++) {
			letters += ((unsigned char)*word & 0xc0) != 0x80;
			if (*word == '"')
				ret_match[used++] = '"';
			ret_match[used++] = *word;
		}
		ret_match[used++] = '"';
		ret_match[used] = '\0';
		is_indexed &= letters >= 3;
	}
	return is_indexed;
}

/* As a part of a text: its signs stand for nothing else. */
static void format_like(const char *words, char ret_like[MATCH_BYTES])
{
	size_t used = 0;

	ret_like[used++] = '%';
	for (; *words && used + 4 < MATCH_BYTES; words++) {
		if (strchr("%_\\", *words))
			ret_like[used++] = '\\';
		ret_like[used++] = *words;
	}
	ret_like[used++] = '%';
	ret_like[used] = '\0';
}

struct values {
	char match[MATCH_BYTES];
	char like[MATCH_BYTES];
};

static void add(char sql[SQL_BYTES], const char *part)
{
	size_t used = strlen(sql);

	snprintf(sql + used, SQL_BYTES - used, "%s", part);
}

/* Each value has its own number, whether it is used or not. */
static void format_sql(const struct reader_query *query, char ret_sql[SQL_BYTES], struct values *ret_values)
{
	bool is_indexed = !query->words || format_match(query->words, ret_values->match);

	ret_sql[0] = '\0';
	/* The search goes through its own index, the newest first, until there are rows enough. */
	bool is_searched = query->words && *query->words;
	add(ret_sql, is_searched ? "SELECT " COLUMNS " FROM found CROSS JOIN run ON run.id = found.rowid WHERE "
				 : "SELECT " COLUMNS " FROM run WHERE 1");
	format_like(is_searched ? query->words : "", ret_values->like);
	if (is_searched)
		add(ret_sql, is_indexed && *ret_values->match ? "found MATCH ?1" : "found.text LIKE ?2 ESCAPE '\\'");
	if (query->type)
		add(ret_sql, " AND type = ?3");
	if (query->quality)
		add(ret_sql, " AND quality = ?4");
	if (query->flag)
		add(ret_sql, " AND flags <> '' AND instr(',' || flags || ',', ',' || ?5 || ',')");
	if (query->number_from || query->number_to)
		add(ret_sql, " AND number BETWEEN ?6 AND ?7");
	if (query->began_from_ns)
		add(ret_sql, is_searched ? " AND found.rowid >= ?8" : " AND id >= ?8");
	if (query->began_to_ns)
		add(ret_sql, is_searched ? " AND found.rowid <= ?9" : " AND id <= ?9");
	if (query->is_open)
		add(ret_sql, " AND ended_ns IS NULL");
	if (!query->with_deleted)
		add(ret_sql, " AND is_deleted = 0");
	if (query->before)
		add(ret_sql, is_searched ? " AND found.rowid < ?10" : " AND id < ?10");
	add(ret_sql, is_searched ? " ORDER BY found.rowid DESC" : " ORDER BY id DESC");
	if (query->limit)
		add(ret_sql, " LIMIT ?11");
}

static int prepare(struct database *database, const struct reader_query *query, const char *prefix,
	struct values *values, sqlite3_stmt **ret_statement, struct enrg_error *err)
{
	char sql[SQL_BYTES], text[SQL_BYTES + 32];

	format_sql(query, sql, values);
	snprintf(text, sizeof(text), "%s%s", prefix, sql);
	int rc = sqlite3_prepare_v2(database->handle, text, -1, ret_statement, NULL);
	if (rc)
		return database_fail(database, rc, err);
	const char *const texts[] = {values->match, values->like, query->type, query->quality, query->flag};
	const int64_t numbers[] = {(int64_t)query->number_from,
		query->number_to ? (int64_t)query->number_to : INT64_MAX, (int64_t)(query->began_from_ns / 1000),
		(int64_t)(query->began_to_ns / 1000), query->before, (int64_t)query->limit};
	for (int i = 0; i < 5; i++) /* a number that the text does not have is refused, which does not matter */
		(void)sqlite3_bind_text(*ret_statement, i + 1, texts[i], -1, SQLITE_STATIC);
	for (int i = 0; i < 6; i++)
		(void)sqlite3_bind_int64(*ret_statement, i + 6, numbers[i]);
	return 0;
}

static uint64_t unsigned_at(sqlite3_stmt *statement, int column)
{
	int64_t value = sqlite3_column_int64(statement, column);

	return value > 0 ? (uint64_t)value : 0;
}

static struct reader_row row_of(sqlite3_stmt *statement)
{
	return (struct reader_row){.id = sqlite3_column_int64(statement, 0),
		.number = unsigned_at(statement, 1),
		.uuid = database_text(statement, 2),
		.supervisor = database_text(statement, 3),
		.run = database_text(statement, 4),
		.type = database_text(statement, 5),
		.description = database_text(statement, 6),
		.state = database_text(statement, 7),
		.quality = database_text(statement, 8),
		.flags = database_text(statement, 9),
		.began_ns = unsigned_at(statement, 10),
		.ended_ns = unsigned_at(statement, 11),
		.rows = unsigned_at(statement, 12),
		.bytes = unsigned_at(statement, 13),
		.is_deleted = sqlite3_column_int(statement, 14) != 0};
}

int reader_list(struct database *database, const struct reader_query *query,
	bool (*each)(void *context, const struct reader_row *row), void *context, struct enrg_error *err)
{
	sqlite3_stmt *statement = NULL;
	struct values values = {0};
	int rc = prepare(database, query, "", &values, &statement, err);
	bool goes_on = true;

	while (!rc && goes_on && database_step(database, statement, &rc, err)) {
		const struct reader_row row = row_of(statement);
		goes_on = each(context, &row);
	}
	sqlite3_finalize(statement);
	return rc;
}

int reader_explain(struct database *database, const struct reader_query *query, char *ret_text, size_t text_bytes,
	struct enrg_error *err)
{
	sqlite3_stmt *statement = NULL;
	struct values values = {0};
	size_t used = 0;
	int rc = prepare(database, query, "EXPLAIN QUERY PLAN ", &values, &statement, err);

	ret_text[0] = '\0';
	while (!rc && used < text_bytes && database_step(database, statement, &rc, err))
		used += (size_t)snprintf(ret_text + used, text_bytes - used, "%s\n", database_text(statement, 3));
	sqlite3_finalize(statement);
	return rc;
}

/* --- a run --- */

static json_t *format_flags(const char *flags)
{
	char copy[600], *rest = copy, *flag;
	json_t *list = json_array();

	snprintf(copy, sizeof(copy), "%s", flags);
	while ((flag = strsep(&rest, ",")))
		if (*flag)
			json_array_append_new(list, json_string(flag));
	return list;
}

json_t *reader_format_row(const struct reader_row *row)
{
	char began[40], ended[40] = "";

	clock_format_utc(row->began_ns, began, sizeof(began));
	if (row->ended_ns)
		clock_format_utc(row->ended_ns, ended, sizeof(ended));
	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:I, s:s, s:s, s:o, s:I, s:I, s:b}", "number",
		(json_int_t)row->number, "uuid", row->uuid, "supervisor", row->supervisor, "run", row->run, "type",
		row->type, "description", row->description, "state", row->ended_ns ? "ended" : row->state,
		"began_wall_ns", (json_int_t)row->began_ns, "began", began, "ended_wall_ns", (json_int_t)row->ended_ns,
		"ended", ended, "quality", row->quality, "flags", format_flags(row->flags), "rows",
		(json_int_t)row->rows, "bytes", (json_int_t)row->bytes, "deleted", row->is_deleted);
}

int reader_find(struct database *database, const char *name, int64_t *ret_run, struct enrg_error *err)
{
	char *end;
	long long number = strtoll(name, &end, 10);
	int64_t run = 0;
	int rc;

	if (!strcmp(name, "last"))
		rc = database_get(database, "SELECT max(id) FROM run WHERE is_deleted = 0", 0, &run, err, "");
	else if (*name && !*end && number > 0)
		rc = database_get(
			database, "SELECT max(id) FROM run WHERE number = ?", 0, &run, err, "i", (int64_t)number);
	else
		rc = database_get(
			database, "SELECT max(id) FROM run WHERE uuid = ?1 OR run = ?1", 0, &run, err, "t", name);
	if (rc)
		return rc;
	if (!run)
		return enrg_error_set(err, -ENOENT, "%s has no run \"%s\"", database->path, name);
	*ret_run = run;
	return 0;
}

static int get_piece(struct database *database, const char *sha256, json_t **ret_value, struct enrg_error *err)
{
	sqlite3_stmt *statement;
	json_t *value = NULL;
	int rc = database_bind(database, "SELECT text FROM piece WHERE sha256 = ?", &statement, err, "t", sha256);

	if (!rc && database_step(database, statement, &rc, err)) {
		value = json_loads(database_text(statement, 0), JSON_DECODE_ANY, NULL);
		sqlite3_reset(statement);
	}
	*ret_value = value;
	return rc;
}

/* As it came. */
static int fill_pieces(struct database *database, json_t *body, struct enrg_error *err)
{
	json_t *value, *whole;
	const char *key;
	int rc = 0;

	json_object_foreach(body, key, value)
	{
		const char *sha256 = json_string_value(json_object_get(value, "$piece"));
		if (!sha256 || json_object_size(value) != 1 || rc)
			continue;
		rc = get_piece(database, sha256, &whole, err);
		if (!rc && whole)
			json_object_set_new(body, key, whole);
	}
	return rc;
}

static int add_entries(struct database *database, int64_t run, json_t *json, struct enrg_error *err)
{
	json_t *kinds = json_object();
	sqlite3_stmt *statement;
	int rc = database_bind(database,
		"SELECT id, kind, wall_ns, who, body FROM entry WHERE run = ? ORDER BY wall_ns, seq", &statement, err,
		"i", run);

	json_object_set_new(json, "entries", kinds);
	while (!rc && database_step(database, statement, &rc, err)) {
		const char *kind = database_text(statement, 1);
		json_t *list = json_object_get(kinds, kind), *body = json_loads(database_text(statement, 4), 0, NULL);
		if (!list) {
			list = json_array();
			json_object_set_new(kinds, kind, list);
		}
		json_array_append_new(list, json_pack("{s:s, s:I, s:s, s:o*}", "id", database_text(statement, 0),
						    "wall_ns", (json_int_t)sqlite3_column_int64(statement, 2), "who",
						    database_text(statement, 3), "body", body));
	}
	const json_t *begins = json_object_get(kinds, "begin");
	for (size_t i = 0; !rc && i < json_array_size(begins); i++)
		rc = fill_pieces(database, json_object_get(json_array_get(begins, i), "body"), err);
	return rc;
}

static json_t *value_at(sqlite3_stmt *statement, int column)
{
	if (sqlite3_column_type(statement, column) == SQLITE_INTEGER)
		return json_integer((json_int_t)sqlite3_column_int64(statement, column));
	return sqlite3_column_type(statement, column) == SQLITE_NULL ? json_null()
								     : json_string(database_text(statement, column));
}

static int add_files(struct database *database, int64_t run, json_t *json, struct enrg_error *err)
{
	static const char *const keys[] = {
		"path", "store", "format", "state", "open", "bytes", "rows", "first_ns", "last_ns", "sha256"};
	json_t *list = json_array();
	sqlite3_stmt *statement;
	int rc = database_bind(database,
		"SELECT path, store, format, state, is_open, bytes, rows, first_ns, last_ns, sha256 FROM file WHERE "
		"run = ?"
		" ORDER BY path",
		&statement, err, "i", run);

	json_object_set_new(json, "files", list);
	while (!rc && database_step(database, statement, &rc, err)) {
		json_t *file = json_object();
		for (int i = 0; i < (int)(sizeof(keys) / sizeof(keys[0])); i++)
			json_object_set_new(file, keys[i],
				i == 4 ? json_boolean(sqlite3_column_int(statement, i)) : value_at(statement, i));
		json_array_append_new(list, file);
	}
	return rc;
}

static json_t *find_note(const json_t *notes, const char *id)
{
	for (size_t i = 0; id && i < json_array_size(notes); i++) {
		json_t *note = json_array_get(notes, i);
		const char *other = json_string_value(json_object_get(note, "id"));
		if (other && !strcmp(other, id))
			return note;
	}
	return NULL;
}

/* A note that replaces another takes its place, and keeps what it was. One of no text is gone, but not what it was. */
static void add_notes(json_t *json)
{
	const json_t *entries = json_object_get(json_object_get(json, "entries"), "note");
	json_t *notes = json_array();

	for (size_t i = 0; i < json_array_size(entries); i++) {
		const json_t *entry = json_array_get(entries, i), *body = json_object_get(entry, "body");
		json_t *before = find_note(notes, json_string_value(json_object_get(body, "replaces")));
		json_t *note = json_pack("{s:O, s:O, s:O, s:O*}", "id", json_object_get(entry, "id"), "wall_ns",
			json_object_get(entry, "wall_ns"), "who", json_object_get(entry, "who"), "text",
			json_object_get(body, "text"));
		if (before && note) {
			json_t *was = json_object_get(before, "was");
			was = was ? json_copy(was) : json_array();
			json_array_append_new(
				was, json_pack("{s:O, s:O, s:O*}", "wall_ns", json_object_get(before, "wall_ns"), "who",
					     json_object_get(before, "who"), "text", json_object_get(before, "text")));
			json_object_set_new(note, "was", was);
			json_object_clear(before);
			json_object_update(before, note);
			json_decref(note);
		} else {
			json_array_append_new(notes, note);
		}
	}
	json_object_set_new(json, "notes", notes);
}

int reader_show(struct database *database, int64_t run, json_t **ret_run, struct enrg_error *err)
{
	json_t *json = json_pack("{s:i}", "v", 1), *row = NULL;
	sqlite3_stmt *statement;
	int rc = database_bind(database, "SELECT " COLUMNS " FROM run WHERE id = ?", &statement, err, "i", run);

	if (!rc && database_step(database, statement, &rc, err)) {
		const struct reader_row columns = row_of(statement);
		row = reader_format_row(&columns);
		sqlite3_reset(statement);
	} else if (!rc) {
		rc = enrg_error_set(err, -ENOENT, "%s has no such run", database->path);
	}
	if (!rc && (!json || !row))
		rc = enrg_error_set(err, -ENOMEM, "out of memory");
	if (!rc)
		json_object_update(json, row);
	json_decref(row);
	if (!rc)
		rc = add_files(database, run, json, err);
	if (!rc)
		rc = add_entries(database, run, json, err);
	if (rc) {
		json_decref(json);
		return rc;
	}
	add_notes(json);
	*ret_run = json;
	return 0;
}

const json_t *reader_newest(const json_t *run, const char *kind)
{
	const json_t *list = json_object_get(json_object_get(run, "entries"), kind), *newest = NULL;

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *body = json_object_get(json_array_get(list, i), "body");
		if (!newest || !json_is_true(json_object_get(body, "by_book")))
			newest = body;
	}
	return newest;
}
