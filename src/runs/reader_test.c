/* reader_test.c: lists and searches, by indexes; a record that says all, and makes the database again. */
#include "runs/sample.h"

#include <errno.h>
#include <unistd.h>

#include "base/path.h"
#include "runs/beside.h"
#include "runs/reader.h"

#define RUNS 300u

static struct database *fill(const char *name)
{
	struct database *database = sample_open(name);
	const struct enter_context context = {.database = database, .supervisor = "lab1", .folder = sample_folder};
	uint64_t number;

	assert_int_equal(database_begin(database, NULL), 0);
	for (unsigned i = 1; i <= RUNS; i++) {
		struct entry begin = sample_begin(i, i % 50 ? "beam on target" : "Müller's cosmic µ run");
		assert_int_equal(enter_number(&context, &begin, 0, &number, NULL), 0);
		entry_fini(&begin);
	}
	assert_int_equal(database_commit(database, NULL), 0);
	return database;
}

static bool count_row(void *context, const struct reader_row *row)
{
	uint64_t *numbers = context; /* how many, the first, the last */

	numbers[0]++;
	if (!numbers[1])
		numbers[1] = row->number;
	numbers[2] = row->number;
	return true;
}

static void finds(struct database *database, struct reader_query query, uint64_t count, uint64_t first, uint64_t last)
{
	uint64_t numbers[3] = {0};

	assert_int_equal(reader_list(database, &query, count_row, numbers, NULL), 0);
	assert_int_equal(numbers[0], count);
	assert_int_equal(numbers[1], first);
	assert_int_equal(numbers[2], last);
}

static void test_lists(void **state)
{
	struct database *database = fill("runs.sqlite");

	(void)state;
	finds(database, (struct reader_query){.limit = 50}, 50, 300, 251);
	finds(database, (struct reader_query){.limit = 10, .before = (SAMPLE_BEGAN_NS + 251 * SAMPLE_SECOND) / 1000},
		10, 250, 241);
	finds(database, (struct reader_query){0}, 300, 300, 1);
	finds(database, (struct reader_query){.words = "cosmic"}, 6, 300, 50);
	finds(database, (struct reader_query){.words = "COSMIC üller"}, 6, 300, 50);
	finds(database, (struct reader_query){.words = "cosmic target"}, 0, 0, 0);
	finds(database, (struct reader_query){.words = "µ"}, 6, 300, 50); /* shorter than the index goes */
	finds(database, (struct reader_query){.words = "\" OR found : \""}, 0, 0, 0);
	finds(database, (struct reader_query){.words = "2026-run-17"}, 11, 179, 17);
	finds(database, (struct reader_query){.type = "calibration"}, 30, 300, 10);
	finds(database, (struct reader_query){.number_from = 100, .number_to = 199}, 100, 199, 100);
	finds(database, (struct reader_query){.is_open = true, .limit = 3}, 3, 300, 298);
	finds(database,
		(struct reader_query){.began_from_ns = (uint64_t)(SAMPLE_BEGAN_NS + 290 * SAMPLE_SECOND),
			.began_to_ns = (uint64_t)(SAMPLE_BEGAN_NS + 295 * SAMPLE_SECOND)},
		6, 295, 290);
	(void)sample_enter(database, sample_entry("delete", 299, "d", 1, json_pack("{s:b}", "is_deleted", 1)));
	finds(database, (struct reader_query){.limit = 2}, 2, 300, 298);
	finds(database, (struct reader_query){.limit = 2, .with_deleted = true}, 2, 300, 299);
	(void)sample_enter(database, sample_entry("note", 7, "n", 1, json_pack("{s:s}", "text", "magnet tripped")));
	finds(database, (struct reader_query){.words = "magnet"}, 1, 7, 7);
	database_close(database);
}

static void plan_has(struct database *database, struct reader_query query, const char *wanted)
{
	char plan[2000];

	assert_int_equal(reader_explain(database, &query, plan, sizeof(plan), NULL), 0);
	if (!strstr(plan, wanted) || strstr(plan, "SCAN run\n") || strstr(plan, "TEMP B-TREE"))
		fail_msg("\"%s\" was expected, and no scan or sort:\n%s", wanted, plan);
}

/* With more runs a list may not take longer. */
static void test_lists_go_by_indexes(void **state)
{
	struct database *database = sample_open("runs.sqlite");
	char plan[2000];

	(void)state;
	plan_has(database, (struct reader_query){.words = "cosmic", .limit = 50}, "VIRTUAL TABLE");
	plan_has(database, (struct reader_query){.type = "physics", .limit = 50}, "run_by_type");
	plan_has(database, (struct reader_query){.quality = "incomplete", .limit = 50}, "run_by_quality");
	plan_has(database, (struct reader_query){.flag = "tainted", .limit = 50}, "run_flagged");
	plan_has(database, (struct reader_query){.began_from_ns = 1, .limit = 50}, "INTEGER PRIMARY KEY");
	/* the newest come first in the table itself: the limit ends the scan */
	assert_int_equal(reader_explain(database, &(struct reader_query){.limit = 50}, plan, sizeof(plan), NULL), 0);
	assert_null(strstr(plan, "TEMP B-TREE"));
	database_close(database);
}

static void test_runs_have_three_names(void **state)
{
	struct database *database = fill("runs.sqlite");
	int64_t run = 0, same = 0;

	(void)state;
	assert_int_equal(reader_find(database, "42", &run, NULL), 0);
	assert_int_equal(reader_find(database, "2026-run-42", &same, NULL), 0);
	assert_int_equal(run, same);
	assert_int_equal(reader_find(database, sample_uuid(42), &same, NULL), 0);
	assert_int_equal(run, same);
	assert_int_equal(reader_find(database, "last", &run, NULL), 0);
	assert_int_equal(reader_find(database, "300", &same, NULL), 0);
	assert_int_equal(run, same);
	assert_int_equal(reader_find(database, "301", &run, NULL), -ENOENT);
	assert_int_equal(reader_find(database, "", &run, NULL), -ENOENT);
	database_close(database);
}

static json_t *show(struct database *database, const char *name)
{
	json_t *json = NULL;
	int64_t run = 0;

	assert_int_equal(reader_find(database, name, &run, NULL), 0);
	assert_int_equal(reader_show(database, run, &json, NULL), 0);
	return json;
}

static void test_a_note_keeps_what_it_was(void **state)
{
	struct database *database = fill("runs.sqlite");

	(void)state;
	struct entry note = sample_entry("note", 5, "one", 10, json_pack("{s:s}", "text", "beam of"));
	char id[ENTRY_ID_BYTES];
	snprintf(id, sizeof(id), "%s", note.id);
	(void)sample_enter(database, note);
	(void)sample_enter(database,
		sample_entry("note", 5, "two", 20, json_pack("{s:s, s:s}", "text", "beam off", "replaces", id)));
	json_t *run = show(database, "5");
	const json_t *notes = json_object_get(run, "notes"), *first = json_array_get(notes, 0);
	assert_int_equal(json_array_size(notes), 1);
	assert_string_equal(json_string_value(json_object_get(first, "text")), "beam off");
	const json_t *was = json_array_get(json_object_get(first, "was"), 0);
	assert_string_equal(json_string_value(json_object_get(was, "text")), "beam of");
	assert_int_equal(json_array_size(json_object_get(json_object_get(run, "entries"), "note")), 2);
	json_decref(run);
	finds(database, (struct reader_query){.words = "off"}, 1, 5, 5);
	database_close(database);
}

static void write_record(struct database *database, const char *name)
{
	json_t *run = show(database, name);
	char path[BESIDE_PATH_BYTES], *text = json_dumps(run, JSON_INDENT(1));

	beside_format_path(sample_folder, (uint64_t)json_integer_value(json_object_get(run, "number")),
		json_string_value(json_object_get(run, "run")), json_string_value(json_object_get(run, "uuid")), path);
	assert_int_equal(path_write_file(path, text, strlen(text), 0, NULL), 0);
	free(text);
	json_decref(run);
}

static void ignore(void *context, const char *text)
{
	(void)text;
	++*(unsigned *)context;
}

static void test_records_make_the_database_again(void **state)
{
	struct database *database = fill("runs.sqlite"), *again;
	unsigned runs = 0, complaints = 0;

	(void)state;
	(void)sample_enter(database, sample_entry("note", 5, "n", 20, json_pack("{s:s}", "text", "beam off")));
	(void)sample_enter(database, sample_entry("flag", 5, "f", 20, json_pack("{s:s}", "flag", "tainted")));
	(void)sample_enter(
		database, sample_entry("file", 5, "x", 20,
				  json_pack("{s:s, s:s, s:s}", "event", "hashed", "path", "/a", "sha256", "aa")));
	for (unsigned i = 1; i <= 20; i++) {
		char name[16];
		snprintf(name, sizeof(name), "%u", i);
		write_record(database, name);
	}
	assert_int_equal(path_write_file(sample_path("run_000021_X.json"), "{}", 2, 0, NULL), 0);  /* of no book */
	assert_int_equal(path_write_file(sample_path("run_000022.json"), "{\"uu", 4, 0, NULL), 0); /* cut */
	again = sample_open("again.sqlite");
	const struct enter_context context = {.database = again, .supervisor = "lab1", .folder = sample_folder};
	for (int i = 0; i < 2; i++)
		assert_int_equal(beside_enter_all(&context, sample_folder, ignore, &complaints, &runs, NULL), 0);
	assert_int_equal(runs, 20);
	assert_int_equal(complaints, 4);
	json_t *before = show(database, "5"), *after = show(again, "5");
	assert_true(json_equal(before, after));
	json_decref(before);
	json_decref(after);
	finds(again, (struct reader_query){.words = "beam off"}, 1, 5, 5);
	database_close(again);
	database_close(database);
}

static void test_two_runs_of_one_number_have_a_file_each(void **state)
{
	char path[BESIDE_PATH_BYTES];

	(void)state;
	beside_format_path(sample_folder, 7, "r", sample_uuid(1), path);
	assert_string_equal(path, sample_path("run_000007.json"));
	struct entry entry = sample_begin(1, "");
	json_object_set_new(entry.body, "number", json_integer(7));
	assert_int_equal(beside_keep(sample_folder, &entry, path, NULL), 0);
	assert_string_equal(path, sample_path("run_000007.json"));
	entry_fini(&entry);
	beside_format_path(sample_folder, 7, "r", sample_uuid(1), path);
	assert_string_equal(path, sample_path("run_000007.json"));
	beside_format_path(sample_folder, 7, "r/2", sample_uuid(2), path);
	assert_string_equal(path, sample_path("run_000007_r_2.json"));
	struct entry same = sample_begin(2, "");
	json_object_set_new(same.body, "number", json_integer(7));
	assert_int_equal(beside_keep(sample_folder, &same, path, NULL), 0);
	assert_string_equal(path, sample_path("run_000007_2026-run-2.json"));
	entry_fini(&same);
	beside_format_path(sample_folder, 7, "2026-run-2", sample_uuid(3), path);
	assert_string_equal(path, sample_path("run_000007_00000003-0000-8000-8000-000000000000.json"));
}

static void test_what_is_kept_is_entered_later(void **state)
{
	struct database *database = sample_open("runs.sqlite");
	const struct enter_context context = {.database = database, .supervisor = "lab1", .folder = sample_folder};
	char first[BESIDE_PATH_BYTES], second[BESIDE_PATH_BYTES];
	unsigned count = 0;

	(void)state;
	struct entry begin = sample_begin(1, "kept");
	json_object_set_new(begin.body, "number", json_integer(9));
	assert_int_equal(beside_keep(sample_folder, &begin, first, NULL), 0);
	entry_fini(&begin);
	struct entry note = sample_entry("note", 1, "n", 20, json_pack("{s:s}", "text", "in the dark"));
	assert_int_equal(beside_keep(sample_folder, &note, second, NULL), 0);
	entry_fini(&note);
	assert_string_equal(first, second);
	assert_int_equal(database_begin(database, NULL), 0);
	assert_int_equal(beside_enter(&context, first, &count, NULL), 0);
	assert_int_equal(database_commit(database, NULL), 0);
	assert_int_equal(count, 2);
	finds(database, (struct reader_query){.words = "dark"}, 1, 9, 9);
	database_close(database);
}

static void test_nothing_kept_is_lost_among_many_records(void **state)
{
	struct database *database = sample_open("runs.sqlite");
	const struct enter_context context = {.database = database, .supervisor = "lab1", .folder = sample_folder};
	char path[BESIDE_PATH_BYTES], name[40];
	unsigned count = 0;

	(void)state;
	for (unsigned i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "run_%06u.json", 100 + i);
		FILE *file = fopen(sample_path(name), "w");
		assert_non_null(file);
		fclose(file);
	}
	for (unsigned i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "note %u", i);
		struct entry note =
			sample_entry("note", 5, name, SAMPLE_BEGAN_NS + i, json_pack("{s:s}", "text", name));
		assert_int_equal(beside_keep(sample_folder, &note, path, NULL), 0);
		entry_fini(&note);
	}
	assert_int_equal(database_begin(database, NULL), 0);
	assert_int_equal(beside_enter(&context, path, &count, NULL), 0);
	assert_int_equal(database_commit(database, NULL), 0);
	assert_int_equal(count, 3);
	database_close(database);
}

#define with_folder(test) cmocka_unit_test_setup_teardown(test, sample_make_folder, sample_remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_folder(test_lists),
		with_folder(test_lists_go_by_indexes),
		with_folder(test_runs_have_three_names),
		with_folder(test_a_note_keeps_what_it_was),
		with_folder(test_records_make_the_database_again),
		with_folder(test_two_runs_of_one_number_have_a_file_each),
		with_folder(test_what_is_kept_is_entered_later),
		with_folder(test_nothing_kept_is_lost_among_many_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
