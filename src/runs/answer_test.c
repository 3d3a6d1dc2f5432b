/* answer_test.c: questions about the run book, answered as bytes; questions of somebody who means harm. */
#include "runs/sample.h"

#include <errno.h>

#include "runs/answer.h"
#include "runs/compare.h"

#define RUNS 120u

static struct database *fill(const char *name)
{
	struct database *database = sample_open(name);

	for (unsigned i = 1; i <= RUNS; i++)
		(void)sample_number(database, sample_begin(i, i % 50 ? "beam" : "100 % cosmic_ray"), 0);
	(void)sample_enter(database, sample_entry("note", 7, "n", 1, json_pack("{s:s}", "text", "magnet tripped")));
	(void)sample_enter(database, sample_entry("file", 7, "f", 2,
					     json_pack("{s:s, s:s, s:s, s:i}", "event", "closed", "path",
						     "/data/a.arrows", "store", "arrow", "bytes", 10)));
	(void)sample_enter(database, sample_entry("end", 7, "e", SAMPLE_BEGAN_NS + 8 * SAMPLE_SECOND,
					     json_pack("{s:I, s:s, s:s, s:{s:b}, s:f}", "wall_ns",
						     (json_int_t)(SAMPLE_BEGAN_NS + 8 * SAMPLE_SECOND), "quality",
						     "complete", "reason", "", "account", "closed", 1, "live_s", 1.5)));
	return database;
}

static int ask(struct database *database, json_t *question, json_t **ret_answer)
{
	struct enrg_error err = {0};
	char *bytes = NULL;
	size_t count = 0;
	int rc = answer_question(database, question, &bytes, &count, &err);

	json_decref(question);
	if (rc) {
		assert_int_not_equal(err.text[0], '\0');
		return rc;
	}
	*ret_answer = json_loadb(bytes, count, 0, NULL);
	assert_non_null(*ret_answer);
	free(bytes);
	return 0;
}

/* How many runs, and the number of the first. */
static size_t list(struct database *database, json_t *question, json_int_t *ret_first, json_int_t *ret_next)
{
	json_t *answer = NULL;

	json_object_set_new(question, "do", json_string("list"));
	assert_int_equal(ask(database, question, &answer), 0);
	const json_t *runs = json_object_get(answer, "runs");
	size_t count = json_array_size(runs);
	*ret_first = json_integer_value(json_object_get(json_array_get(runs, 0), "number"));
	*ret_next = json_integer_value(json_object_get(answer, "next"));
	json_decref(answer);
	return count;
}

static void pages_follow_each_other(void **state)
{
	struct database *database = fill("pages.sqlite");
	json_int_t first, next;
	json_t *answer = NULL;

	(void)state;
	assert_int_equal(list(database, json_object(), &first, &next), 50);
	assert_int_equal(first, 120);
	assert_int_equal(list(database, json_pack("{s:I}", "before", next), &first, &next), 50);
	assert_int_equal(first, 70);
	assert_int_equal(list(database, json_pack("{s:i, s:i}", "limit", 50, "page", 3), &first, &next), 20);
	assert_int_equal(first, 20);
	assert_int_equal(next, 0);
	assert_int_equal(list(database, json_pack("{s:i, s:i}", "limit", 60, "page", 2), &first, &next), 60);
	assert_int_equal(next, 0); /* the last row ends the last page */
	assert_int_equal(list(database, json_pack("{s:i}", "page", 201), &first, &next), 0);
	assert_int_equal(ask(database, json_pack("{s:s, s:i}", "do", "list", "page", 202), &answer), -EINVAL);
	assert_int_equal(ask(database, json_pack("{s:s, s:I}", "do", "list", "page", INT64_MAX), &answer), -EINVAL);
	assert_int_equal(list(database, json_pack("{s:i}", "limit", 100000000), &first, &next), 120);
	database_close(database);
}

static void words_are_words(void **state)
{
	static const char *const hostile[] = {"'; DROP TABLE run; --", "\" OR 1=1 --", "found : \"x\"", "NEAR(a b)",
		"*", "%%%", "\\", "beam* NOT", "(((", "\xf0\x9f\x92\xa5\xf0\x9f\x92\xa5\xf0\x9f\x92\xa5"};
	struct database *database = fill("words.sqlite");
	json_int_t first, next;

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++)
		assert_int_equal(list(database, json_pack("{s:s}", "words", hostile[i]), &first, &next), 0);
	assert_int_equal(list(database, json_pack("{s:s}", "words", "cosmic_ray"), &first, &next), 2);
	assert_int_equal(list(database, json_pack("{s:s}", "words", "%"), &first, &next), 2);
	assert_int_equal(list(database, json_pack("{s:s}", "words", "c_"), &first, &next), 2);
	assert_int_equal(list(database, json_pack("{s:s}", "words", "b m"), &first, &next), 0);
	assert_int_equal(list(database, json_pack("{s:s}", "words", "b%m"), &first, &next), 0);
	assert_int_equal(list(database, json_pack("{s:s}", "type", "x' OR '1'='1"), &first, &next), 0);
	assert_int_equal(list(database, json_pack("{s:s}", "flag", "%"), &first, &next), 0);
	assert_int_equal(list(database, json_pack("{s:I}", "before", (json_int_t)-5), &first, &next), 0);
	assert_int_equal(list(database, json_object(), &first, &next), 50); /* all is still there */
	database_close(database);
}

static void a_run_is_shown_in_parts(void **state)
{
	struct database *database = fill("parts.sqlite");
	json_t *answer = NULL;

	(void)state;
	assert_int_equal(ask(database, json_pack("{s:s, s:s}", "do", "run", "run", "7"), &answer), 0);
	assert_non_null(json_object_get(answer, "entries"));
	json_decref(answer);
	assert_int_equal(ask(database, json_pack("{s:s, s:s}", "do", "row", "run", "2026-run-7"), &answer), 0);
	assert_null(json_object_get(answer, "entries"));
	assert_int_equal(json_integer_value(json_object_get(answer, "number")), 7);
	json_decref(answer);
	assert_int_equal(
		ask(database, json_pack("{s:s, s:s, s:s}", "do", "part", "run", "7", "part", "files"), &answer), 0);
	assert_int_equal(json_array_size(json_object_get(answer, "files")), 1);
	json_decref(answer);
	assert_int_equal(
		ask(database, json_pack("{s:s, s:s, s:s}", "do", "part", "run", "7", "part", "account"), &answer), 0);
	assert_true(json_is_true(json_object_get(answer, "is_final")));
	assert_true(json_is_true(json_object_get(json_object_get(answer, "account"), "closed")));
	assert_true(json_is_null(json_object_get(answer, "rates")));
	json_decref(answer);
	assert_int_equal(
		ask(database, json_pack("{s:s, s:s, s:s}", "do", "part", "run", "7", "part", "config"), &answer),
		-EINVAL);
	assert_int_equal(ask(database, json_pack("{s:s, s:s}", "do", "run", "run", "7777"), &answer), -ENOENT);
	assert_int_equal(ask(database, json_pack("{s:s, s:s}", "do", "run", "run", "../../etc"), &answer), -ENOENT);
	assert_int_equal(ask(database, json_pack("{s:s}", "do", "drop"), &answer), -EINVAL);
	assert_int_equal(ask(database, json_object(), &answer), -EINVAL);
	database_close(database);
}

static void files_and_earlier_runs_are_found(void **state)
{
	struct database *database = fill("found.sqlite");
	json_t *answer = NULL;

	(void)state;
	assert_int_equal(ask(database, json_pack("{s:s, s:s}", "do", "file", "path", "/data/a.arrows"), &answer), 0);
	const json_t *file = json_array_get(json_object_get(answer, "files"), 0);
	assert_int_equal(json_integer_value(json_object_get(file, "number")), 7);
	assert_int_equal(json_integer_value(json_object_get(file, "bytes")), 10);
	json_decref(answer);
	assert_int_equal(ask(database, json_pack("{s:s, s:s}", "do", "file", "path", "/etc/passwd"), &answer), -ENOENT);
	assert_int_equal(ask(database, json_pack("{s:s, s:s}", "do", "same", "type", "calibration"), &answer), 0);
	assert_int_equal(json_integer_value(json_object_get(answer, "number")), 120);
	assert_string_equal(json_string_value(json_object_get(answer, "type")), "calibration");
	assert_true(json_is_object(json_object_get(answer, "values")));
	json_decref(answer);
	assert_int_equal(ask(database, json_pack("{s:s, s:s}", "do", "same", "type", "none"), &answer), -ENOENT);
	assert_int_equal(ask(database, json_pack("{s:s}", "do", "sequences"), &answer), 0);
	assert_int_equal(json_array_size(json_object_get(answer, "sequences")), 0);
	json_decref(answer);
	assert_int_equal(ask(database, json_pack("{s:s, s:s}", "do", "sequence", "name", "x"), &answer), -ENOENT);
	database_close(database);
}

static void a_run_is_exported(void **state)
{
	struct database *database = fill("export.sqlite");
	struct enrg_error err = {0};
	json_t *question = json_pack("{s:s, s:s, s:s}", "do", "export", "run", "7", "format", "csv"), *answer = NULL;
	char *bytes = NULL;
	size_t count = 0;

	(void)state;
	assert_int_equal(answer_question(database, question, &bytes, &count, &err), 0);
	assert_non_null(strstr(bytes, "\"section\""));
	free(bytes);
	json_object_set_new(question, "format", json_string("xml"));
	assert_int_equal(answer_question(database, question, &bytes, &count, &err), -EINVAL);
	json_object_set_new(question, "format", json_string("ro-crate"));
	assert_int_equal(ask(database, question, &answer), 0);
	assert_non_null(json_object_get(answer, "@graph"));
	json_decref(answer);
	assert_int_equal(ask(database, json_pack("{s:s, s:s, s:s}", "do", "diff", "from", "7", "to", "8"), &answer), 0);
	assert_int_equal(json_integer_value(json_object_get(answer, "from")), 7);
	json_decref(answer);
	assert_int_equal(
		ask(database, json_pack("{s:s, s:s, s:s}", "do", "diff", "from", "7", "to", "x"), &answer), -ENOENT);
	database_close(database);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_follow_each_other),
		cmocka_unit_test(words_are_words),
		cmocka_unit_test(a_run_is_shown_in_parts),
		cmocka_unit_test(files_and_earlier_runs_are_found),
		cmocka_unit_test(a_run_is_exported),
	};
	return cmocka_run_group_tests(tests, sample_make_folder, sample_remove_folder);
}
