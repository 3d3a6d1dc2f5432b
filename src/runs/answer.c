/* answer.c: see the header. One thread. */
#include "runs/answer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runs/compare.h"
#include "runs/crate.h"
#include "runs/flat.h"
#include "runs/reader.h"
#include "runs/sequence.h"

#define ROWS_USUAL 50

static const char *text_of(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

/* NULL: it is missing, or empty. */
static const char *wanted_text(const json_t *json, const char *key)
{
	const char *text = text_of(json, key);

	return *text ? text : NULL;
}

static uint64_t number_of(const json_t *json, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(json, key));

	return value > 0 ? (uint64_t)value : 0;
}

static uint64_t bounded(uint64_t value, uint64_t otherwise, uint64_t max)
{
	value = value ? value : otherwise;
	return value < max ? value : max;
}

static int no_memory(struct enrg_error *err)
{
	return enrg_error_set(err, -ENOMEM, "out of memory");
}

/* --- lists --- */

struct page {
	json_t *rows;
	uint64_t skip, limit, seen;
	int64_t last;  /* id of the last row of the page */
	bool has_more; /* there is one behind it */
};

static bool take_row(void *context, const struct reader_row *row)
{
	struct page *page = context;

	if (page->seen++ < page->skip)
		return true;
	if (json_array_size(page->rows) == page->limit) {
		page->has_more = true;
		return false;
	}
	json_array_append_new(page->rows, reader_format_row(row));
	page->last = row->id;
	return true;
}

static int answer_list(struct database *database, const json_t *question, json_t **ret_answer, struct enrg_error *err)
{
	uint64_t number = bounded(number_of(question, "page"), 1, UINT32_MAX);
	struct page page = {
		.rows = json_array(), .limit = bounded(number_of(question, "limit"), ROWS_USUAL, ANSWER_ROWS_MAX)};
	const struct reader_query query = {.words = wanted_text(question, "words"),
		.type = wanted_text(question, "type"),
		.quality = wanted_text(question, "quality"),
		.flag = wanted_text(question, "flag"),
		.number_from = number_of(question, "number_from"),
		.number_to = number_of(question, "number_to"),
		.began_from_ns = number_of(question, "began_from_ns"),
		.began_to_ns = number_of(question, "began_to_ns"),
		.is_open = json_is_true(json_object_get(question, "open")),
		.with_deleted = json_is_true(json_object_get(question, "deleted")),
		.before = json_integer_value(json_object_get(question, "before")),
		.limit = (unsigned)(number * page.limit + 1)};

	page.skip = (number - 1) * page.limit;
	if (page.skip > ANSWER_SKIP_MAX) {
		json_decref(page.rows);
		return enrg_error_set(err, -EINVAL,
			"page: at most %u runs are stepped over; `before` goes on where an answer has ended (its "
			"`next`)",
			ANSWER_SKIP_MAX);
	}
	int rc = page.rows ? reader_list(database, &query, take_row, &page, err) : no_memory(err);
	if (rc) {
		json_decref(page.rows);
		return rc;
	}
	*ret_answer = json_pack("{s:o, s:o}", "runs", page.rows, "next",
		page.has_more ? json_integer((json_int_t)page.last) : json_null());
	return 0;
}

/* --- one run --- */

static int read_run(struct database *database, const char *name, json_t **ret_run, struct enrg_error *err)
{
	int64_t id = 0;
	int rc = reader_find(database, name, &id, err);

	return rc ? rc : reader_show(database, id, ret_run, err);
}

/* What only reader_show adds. */
static void keep_row(json_t *run)
{
	json_object_del(run, "v");
	json_object_del(run, "files");
	json_object_del(run, "notes");
	json_object_del(run, "entries");
}

/* Entries of a kind as {"entry_id", "wall_ns", "who", and what the body says}; the body of a hook has an `id` of its
 * own.
 */
static json_t *flatten(const json_t *run, const char *kind)
{
	const json_t *entries = json_object_get(json_object_get(run, "entries"), kind);
	json_t *list = json_array();

	for (size_t i = 0; i < json_array_size(entries); i++) {
		const json_t *entry = json_array_get(entries, i);
		json_t *one = json_deep_copy(json_object_get(entry, "body"));
		if (!json_is_object(one)) {
			json_decref(one);
			one = json_object();
		}
		json_object_set(one, "entry_id", json_object_get(entry, "id"));
		json_object_set(one, "wall_ns", json_object_get(entry, "wall_ns"));
		json_object_set(one, "who", json_object_get(entry, "who"));
		json_array_append_new(list, one);
	}
	return list;
}

/* Of the end, or of the last progress while the run is on. */
static json_t *take_account(const json_t *run)
{
	static const char *const keys[] = {
		"account", "rates", "live_s", "dead_s", "dead", "restarts", "hardware", "slow", "clock"};
	const json_t *end = reader_newest(run, "end"), *progress = reader_newest(run, "progress");
	json_t *answer = json_pack("{s:b}", "is_final", end != NULL);

	for (size_t i = 0; answer && i < sizeof(keys) / sizeof(keys[0]); i++) {
		json_t *value = json_object_get(end, keys[i]);
		value = value ? value : json_object_get(progress, keys[i]);
		json_object_set(answer, keys[i], value ? value : json_null());
	}
	return answer;
}

static int answer_part(const json_t *run, const char *part, json_t **ret_answer, struct enrg_error *err)
{
	static const char *const kinds[][2] = {
		{"hooks", "hook"}, {"states", "state"}, {"alarms", "alarm"}, {"messages", "message"}};

	if (!strcmp(part, "account"))
		*ret_answer = take_account(run);
	else if (!strcmp(part, "files") || !strcmp(part, "notes"))
		*ret_answer = json_pack("{s:O}", part, json_object_get(run, part));
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(part, kinds[i][0]))
			*ret_answer = json_pack("{s:o}", part, flatten(run, kinds[i][1]));
	return *ret_answer ? 0 : enrg_error_set(err, -EINVAL, "a run has no part \"%.40s\"", part);
}

static int answer_run(struct database *database, const json_t *question, json_t **ret_answer, struct enrg_error *err)
{
	const char *what = text_of(question, "do");
	json_t *run = NULL;
	int rc = read_run(database, text_of(question, "run"), &run, err);

	if (rc)
		return rc;
	if (!strcmp(what, "part")) {
		rc = answer_part(run, text_of(question, "part"), ret_answer, err);
		json_decref(run);
		return rc;
	}
	if (!strcmp(what, "row"))
		keep_row(run);
	*ret_answer = run;
	return 0;
}

static int answer_diff(struct database *database, const json_t *question, json_t **ret_answer, struct enrg_error *err)
{
	json_t *from = NULL, *to = NULL;
	int rc = read_run(database, text_of(question, "from"), &from, err);

	if (!rc)
		rc = read_run(database, text_of(question, "to"), &to, err);
	if (!rc && !(*ret_answer = compare_runs(from, to)))
		rc = no_memory(err);
	json_decref(from);
	json_decref(to);
	return rc;
}

/* --- what the next run may take of an earlier one --- */

static bool take_id(void *context, const struct reader_row *row)
{
	*(int64_t *)context = row->id;
	return false;
}

static int answer_same(struct database *database, const json_t *question, json_t **ret_answer, struct enrg_error *err)
{
	static const char *const texts[] = {"type", "description", "comment"};
	const char *name = text_of(question, "run"), *type = text_of(question, "type");
	const struct reader_query query = {.type = type, .limit = 1};
	json_t *run = NULL;
	int64_t id = 0;
	int rc = *name ? reader_find(database, name, &id, err) : reader_list(database, &query, take_id, &id, err);

	if (!rc && !id)
		rc = enrg_error_set(err, -ENOENT, "there was no run of the type \"%.100s\" yet", type);
	if (!rc)
		rc = reader_show(database, id, &run, err);
	if (rc)
		return rc;
	const json_t *begin = reader_newest(run, "begin");
	json_t *values = json_object_get(begin, "values");
	json_t *answer = json_pack("{s:O}", "number", json_object_get(run, "number"));
	for (size_t i = 0; answer && i < sizeof(texts) / sizeof(texts[0]); i++)
		json_object_set_new(answer, texts[i], json_string(text_of(begin, texts[i])));
	json_object_set_new(answer, "values", json_is_object(values) ? json_incref(values) : json_object());
	json_decref(run);
	*ret_answer = answer;
	return answer ? 0 : no_memory(err);
}

/* --- sequences and files --- */

static int answer_sequence(
	struct database *database, const json_t *question, json_t **ret_answer, struct enrg_error *err)
{
	const char *name = text_of(question, "name");
	struct sequence sequence;
	json_t *list = NULL;
	int rc;

	if (!strcmp(text_of(question, "do"), "sequences")) {
		rc = sequence_list(database, &list, err);
		if (!rc)
			*ret_answer = json_pack("{s:o}", "sequences", list);
		return rc;
	}
	rc = sequence_load(database, name, &sequence, err);
	if (rc == -ENOENT)
		return enrg_error_set(err, rc, "no sequence \"%.100s\" was ever started with this run book", name);
	return rc ? rc : sequence_format(database, &sequence, true, ret_answer, err);
}

static json_t *integer_at(sqlite3_stmt *statement, int column)
{
	return sqlite3_column_type(statement, column) == SQLITE_NULL
		       ? json_null()
		       : json_integer((json_int_t)sqlite3_column_int64(statement, column));
}

static json_t *format_file(sqlite3_stmt *statement)
{
	return json_pack("{s:o, s:s, s:s, s:s, s:s, s:s, s:b, s:o, s:o, s:o}", "number", integer_at(statement, 0),
		"uuid", database_text(statement, 1), "path", database_text(statement, 2), "store",
		database_text(statement, 3), "format", database_text(statement, 4), "state",
		database_text(statement, 5), "open", sqlite3_column_int(statement, 6), "bytes",
		integer_at(statement, 7), "rows", integer_at(statement, 8), "sha256",
		sqlite3_column_type(statement, 9) == SQLITE_NULL ? json_null()
								 : json_string(database_text(statement, 9)));
}

static int answer_file(struct database *database, const json_t *question, json_t **ret_answer, struct enrg_error *err)
{
	const char *path = text_of(question, "path");
	json_t *list = json_array();
	sqlite3_stmt *statement;
	int rc = database_bind(database,
		"SELECT run.number, run.uuid, path, store, format, file.state, is_open, file.bytes, file.rows, sha256"
		" FROM file JOIN run ON run.id = file.run WHERE path = ? ORDER BY run.id DESC LIMIT 100",
		&statement, err, "t", path);

	while (!rc && database_step(database, statement, &rc, err))
		json_array_append_new(list, format_file(statement));
	if (!rc && !json_array_size(list))
		rc = enrg_error_set(err, -ENOENT, "no run of the run book has a file \"%.200s\"", path);
	if (rc)
		json_decref(list);
	else
		*ret_answer = json_pack("{s:o}", "files", list);
	return rc;
}

/* --- all of them --- */

static int print(const json_t *run, const char *format, char **ret_bytes, size_t *ret_count, struct enrg_error *err)
{
	FILE *stream = open_memstream(ret_bytes, ret_count);
	json_t *crate = !strcmp(format, "ro-crate") ? crate_make(run, NULL) : NULL;
	int rc = 0;

	if (!stream)
		rc = no_memory(err);
	else if (!strcmp(format, "csv"))
		flat_print(run, stream);
	else if (json_dumpf(crate ? crate : run, stream, JSON_INDENT(2)) < 0)
		rc = no_memory(err);
	json_decref(crate);
	if (stream && fclose(stream) && !rc)
		rc = no_memory(err);
	if (rc && stream) {
		free(*ret_bytes);
		*ret_bytes = NULL;
	}
	return rc;
}

static int answer_export(
	struct database *database, const json_t *question, char **ret_bytes, size_t *ret_count, struct enrg_error *err)
{
	const char *format = text_of(question, "format");
	json_t *run = NULL;

	if (strcmp(format, "csv") != 0 && strcmp(format, "json") != 0 && strcmp(format, "ro-crate") != 0)
		return enrg_error_set(err, -EINVAL, "formats are ro-crate, csv and json, not \"%.40s\"", format);
	int rc = read_run(database, text_of(question, "run"), &run, err);
	if (!rc)
		rc = print(run, format, ret_bytes, ret_count, err);
	json_decref(run);
	return rc;
}

static const struct {
	const char *name;
	int (*answer)(struct database *database, const json_t *question, json_t **ret_answer, struct enrg_error *err);
} answers[] = {{"list", answer_list}, {"run", answer_run}, {"row", answer_run}, {"part", answer_run},
	{"diff", answer_diff}, {"same", answer_same}, {"sequences", answer_sequence}, {"sequence", answer_sequence},
	{"file", answer_file}};

#define ANSWER_COUNT (sizeof(answers) / sizeof(answers[0]))

static int answer_json(
	struct database *database, const json_t *question, char **ret_bytes, size_t *ret_count, struct enrg_error *err)
{
	const char *what = text_of(question, "do");
	json_t *json = NULL;
	size_t i = 0;

	while (i < ANSWER_COUNT && strcmp(what, answers[i].name) != 0)
		i++;
	int rc = i < ANSWER_COUNT
			 ? answers[i].answer(database, question, &json, err)
			 : enrg_error_set(err, -EINVAL, "\"%.40s\" is nothing that the run book is asked", what);
	if (rc)
		return rc;
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	if (!text)
		return no_memory(err);
	*ret_bytes = text;
	*ret_count = strlen(text);
	return 0;
}

int answer_question(
	struct database *database, const json_t *question, char **ret_bytes, size_t *ret_count, struct enrg_error *err)
{
	bool is_export = !strcmp(text_of(question, "do"), "export");
	char *bytes = NULL;
	size_t count = 0;
	int rc = is_export ? answer_export(database, question, &bytes, &count, err)
			   : answer_json(database, question, &bytes, &count, err);

	if (!rc && count > ANSWER_BYTES_MAX) {
		rc = enrg_error_set(err, -E2BIG, "the answer would have %zu bytes, and at most %u are sent", count,
			ANSWER_BYTES_MAX);
		free(bytes);
	}
	if (rc)
		return rc;
	*ret_bytes = bytes;
	*ret_count = count;
	return 0;
}
