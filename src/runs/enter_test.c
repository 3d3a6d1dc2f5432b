/* enter_test.c: entries become rows once, in any order; numbers only go up; no run stays open for ever. */
#include "runs/sample.h"

#include "runs/reader.h"

static struct entry end_of(unsigned run, const char *id, const char *quality, bool is_own)
{
	return sample_entry("end", run, id, SAMPLE_BEGAN_NS + 100 * SAMPLE_SECOND,
		json_pack("{s:I, s:s, s:[s], s:b, s:{s:[{s:i, s:i}]}}", "wall_ns",
			(json_int_t)(SAMPLE_BEGAN_NS + 90 * SAMPLE_SECOND), "quality", quality, "flags", "degraded",
			"by_book", is_own, "account", "sources", "produced_rows", 7, "produced_bytes", 70));
}

static void test_an_entry_is_entered_once(void **state)
{
	struct database *database = sample_open("runs.sqlite");

	(void)state;
	assert_int_equal(sample_enter(database, sample_begin(1, "beam")), 0);
	assert_int_equal(sample_enter(database, sample_begin(1, "beam")), 1);
	assert_int_equal(sample_enter(database, sample_entry("note", 1, "n", 5, json_pack("{s:s}", "text", "a"))), 0);
	assert_int_equal(sample_enter(database, sample_entry("note", 1, "n", 5, json_pack("{s:s}", "text", "a"))), 1);
	assert_int_equal(sample_get(database, "SELECT count(*) FROM entry"), 2);
	assert_int_equal(sample_get(database, "SELECT count(*) FROM run"), 1);
	database_close(database);
}

static void test_the_order_does_not_matter(void **state)
{
	struct database *database = sample_open("runs.sqlite");
	char text[400];

	(void)state;
	assert_int_equal(sample_enter(database, end_of(1, "e", "complete", false)), 0);
	assert_int_equal(sample_enter(database, sample_begin(1, "beam")), 0);
	assert_int_equal(sample_get(database, "SELECT ended_ns FROM run"), SAMPLE_BEGAN_NS + 90 * SAMPLE_SECOND);
	assert_int_equal(sample_get(database, "SELECT began_ns FROM run"), SAMPLE_BEGAN_NS + SAMPLE_SECOND);
	assert_int_equal(sample_get(database, "SELECT rows FROM run"), 7);
	sample_text(database, "SELECT description || quality || flags || supervisor FROM run", text);
	assert_string_equal(text, "beamcompletedegradedlab1");
	database_close(database);
}

static void test_a_number_that_none_follows_is_none(void **state)
{
	struct database *database = sample_open("runs.sqlite");
	struct entry begin = sample_begin(1, "");

	(void)state;
	json_object_set_new(begin.body, "number", json_integer(INT64_MAX));
	assert_int_equal(sample_enter(database, begin), 0);
	assert_int_equal(sample_number(database, sample_begin(2, ""), 0), 1);
	database_close(database);
}

static void test_numbers_go_on_above_what_files_say(void **state)
{
	struct database *database = sample_open("runs.sqlite");
	char command[300];

	(void)state;
	assert_int_equal(sample_number(database, sample_begin(1, ""), 0), 1);
	assert_int_equal(sample_number(database, sample_begin(1, ""), 0), 1); /* asked again after a kill */
	database_close(database);
	snprintf(command, sizeof(command), "cp %s %s", sample_path("runs.sqlite"), sample_path("older"));
	assert_int_equal(system(command), 0);
	database = sample_open("runs.sqlite");
	for (unsigned i = 2; i < 8; i++)
		assert_int_equal(sample_number(database, sample_begin(i, ""), 0), i);
	assert_int_equal(sample_number(database, sample_begin(8, ""), 100), 101);
	assert_int_equal(sample_number(database, sample_begin(9, ""), 50), 102);
	database_close(database);
	database = sample_open("older");
	assert_int_equal(sample_number(database, sample_begin(10, ""), 102), 103);
	database_close(database);
}

/* Taken from files while no database answered: it is entered as it was said. */
static void test_a_repeated_number_is_flagged(void **state)
{
	struct database *database = sample_open("runs.sqlite");
	struct entry other = sample_begin(2, "from files");
	char flags[400];

	(void)state;
	assert_int_equal(sample_number(database, sample_begin(1, ""), 4), 5);
	json_object_set_new(other.body, "number", json_integer(5));
	assert_int_equal(sample_enter(database, other), 0);
	assert_int_equal(sample_get(database, "SELECT count(*) FROM run WHERE number = 5"), 2);
	sample_text(database, "SELECT flags FROM run WHERE description = 'from files'", flags);
	assert_string_equal(flags, "number_repeated");
	sample_text(database, "SELECT flags FROM run WHERE description = ''", flags);
	assert_string_equal(flags, "");
	database_close(database);
}

static void test_what_nobody_continues_is_closed(void **state)
{
	struct database *database = sample_open("runs.sqlite");
	const struct enter_context context = {.database = database, .supervisor = "lab1", .folder = sample_folder};
	json_t *continues = json_pack("[s]", sample_uuid(2));
	unsigned count = 0;
	char text[400];

	(void)state;
	for (unsigned i = 1; i <= 3; i++)
		(void)sample_number(database, sample_begin(i, ""), 0);
	struct entry other = sample_begin(4, "");
	json_object_set_new(other.body, "supervisor", json_string("lab2"));
	(void)sample_enter(database, other);
	int64_t last_ns = SAMPLE_BEGAN_NS + 50 * SAMPLE_SECOND;
	for (int i = 0; i < 3; i++) {
		char id[16];
		snprintf(id, sizeof(id), "progress %d", i);
		(void)sample_enter(
			database, sample_entry("progress", 1, id, last_ns - 2 + i,
					  json_pack("{s:{s:[{s:i}]}}", "account", "sources", "produced_rows", 10 * i)));
	}
	assert_int_equal(sample_get(database, "SELECT count(*) FROM entry WHERE kind = 'progress'"), 1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(database_begin(database, NULL), 0);
		assert_int_equal(enter_close_orphans(&context, continues, &count, NULL), 0);
		assert_int_equal(database_commit(database, NULL), 0);
		assert_int_equal(count, i ? 0 : 2);
	}
	json_decref(continues);
	sample_text(database,
		"SELECT group_concat(number || quality || flags, ' ') FROM (SELECT * FROM run ORDER BY id)", text);
	assert_string_equal(text, "1abortedinterrupted 2 3abortedinterrupted");
	assert_int_equal(sample_get(database, "SELECT ended_ns FROM run WHERE number = 1"), last_ns);
	assert_int_equal(sample_get(database, "SELECT rows FROM run WHERE number = 1"), 20);
	assert_int_equal(sample_get(database, "SELECT count(*) FROM run WHERE ended_ns IS NULL"), 2);
	/* its supervisor knew better, and says it late */
	(void)sample_enter(database, end_of(1, "late", "complete", false));
	sample_text(database, "SELECT quality FROM run WHERE number = 1", text);
	assert_string_equal(text, "complete");
	database_close(database);
}

static void flag(struct database *database, const char *id, const char *name, bool is_set)
{
	(void)sample_enter(database,
		sample_entry("flag", 1, id, SAMPLE_BEGAN_NS, json_pack("{s:s, s:b}", "flag", name, "is_set", is_set)));
}

static void test_flags_are_set_and_cleared(void **state)
{
	struct database *database = sample_open("runs.sqlite");
	char flags[400];

	(void)state;
	(void)sample_enter(database, sample_begin(1, ""));
	flag(database, "1", "tainted", true);
	flag(database, "2", "taint", true);
	flag(database, "3", "last", true);
	flag(database, "4", "taint", false);
	sample_text(database, "SELECT flags FROM run", flags);
	assert_string_equal(flags, "tainted,last");
	flag(database, "5", "tainted", false);
	flag(database, "6", "last", false);
	sample_text(database, "SELECT flags FROM run", flags);
	assert_string_equal(flags, "");
	(void)sample_enter(database, end_of(1, "e", "complete", false));
	flag(database, "7", "tainted", true);
	sample_text(database, "SELECT flags FROM run", flags);
	assert_string_equal(flags, "degraded,tainted");
	database_close(database);
}

static void file(struct database *database, const char *id, const char *event, json_t *more)
{
	json_t *body = json_pack("{s:s, s:s}", "event", event, "path", "/data/a.csv");

	json_object_update(body, more);
	json_decref(more);
	(void)sample_enter(database, sample_entry("file", 1, id, SAMPLE_BEGAN_NS, body));
}

static void test_a_file_is_followed(void **state)
{
	struct database *database = sample_open("runs.sqlite");
	char text[400];

	(void)state;
	(void)sample_enter(database, sample_begin(1, ""));
	file(database, "1", "opened", json_pack("{s:s, s:s, s:b}", "store", "csv", "format", "csv", "open", 1));
	assert_int_equal(sample_get(database, "SELECT count(*) FROM file WHERE is_open AND state = 'open'"), 1);
	file(database, "2", "closed", json_pack("{s:i, s:i, s:b}", "bytes", 100, "rows", 10, "open", 0));
	file(database, "3", "hashed", json_pack("{s:s}", "sha256", "aa"));
	sample_text(database, "SELECT state || is_open || sha256 || bytes || rows || store FROM file", text);
	assert_string_equal(text, "closed0aa10010csv");
	file(database, "4", "archived", json_object());
	sample_text(database, "SELECT state || sha256 FROM file", text);
	assert_string_equal(text, "archivedaa");
	file(database, "5", "closed",
		json_pack("{s:i, s:b}", "bytes", 200, "open", 0)); /* it has grown: another hash */
	assert_int_equal(sample_get(database, "SELECT count(*) FROM file WHERE sha256 IS NULL AND bytes = 200"), 1);
	database_close(database);
}

/* Who archives a file need not know which runs it holds. */
static void test_a_file_of_all_runs_is_archived(void **state)
{
	static const struct entry none;
	struct database *database = sample_open("runs.sqlite");

	(void)state;
	for (unsigned run = 1; run <= 3; run++) {
		json_t *body =
			json_pack("{s:s, s:s}", "event", "closed", "path", run == 3 ? "/data/b.csv" : "/data/a.csv");
		(void)sample_enter(database, sample_begin(run, ""));
		(void)sample_enter(database, sample_entry("file", run,
						     run == 1   ? "1"
						     : run == 2 ? "2"
								: "3",
						     SAMPLE_BEGAN_NS, body));
	}
	for (int i = 0; i < 2; i++) { /* again after a kill: the same */
		json_t *json = entry_make("file", "", "archive",
			json_pack("{s:s, s:s, s:s}", "event", "archived", "path", "/data/a.csv", "sha256", "ab"));
		struct entry entry = none;
		json_object_set_new(json, "id", json_string("00000000000000000000000000000001"));
		assert_int_equal(entry_parse_json(json, &entry, NULL), 0);
		json_decref(json);
		assert_int_equal(sample_enter(database, entry), i);
	}
	assert_int_equal(
		sample_get(database, "SELECT count(*) FROM file WHERE state = 'archived' AND sha256 = 'ab'"), 2);
	assert_int_equal(sample_get(database, "SELECT count(*) FROM file WHERE state = 'closed'"), 1);
	assert_int_equal(sample_get(database, "SELECT count(*) FROM entry WHERE kind = 'file'"), 6);
	database_close(database);
}

#define with_folder(test) cmocka_unit_test_setup_teardown(test, sample_make_folder, sample_remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_folder(test_an_entry_is_entered_once),
		with_folder(test_the_order_does_not_matter),
		with_folder(test_a_number_that_none_follows_is_none),
		with_folder(test_numbers_go_on_above_what_files_say),
		with_folder(test_a_repeated_number_is_flagged),
		with_folder(test_what_nobody_continues_is_closed),
		with_folder(test_flags_are_set_and_cleared),
		with_folder(test_a_file_is_followed),
		with_folder(test_a_file_of_all_runs_is_archived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
