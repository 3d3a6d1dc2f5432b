/* schema_test.c: layouts of older, newer and other programs; file systems of a network. */
#include "runs/sample.h"

#include <errno.h>
#include <glob.h>
#include <unistd.h>

#include "runs/schema.h"

/* What the version before this one left. */
static void plant_version_1(void)
{
	struct database *database = sample_open("runs.sqlite");

	for (unsigned i = 1; i <= 20; i++)
		assert_int_equal(sample_number(database, sample_begin(i, "old"), 0), i);
	assert_int_equal(sqlite3_exec(database->handle,
				 "DROP INDEX run_by_type; DROP INDEX run_by_quality; DROP INDEX run_flagged; PRAGMA "
				 "user_version = 1",
				 NULL, NULL, NULL),
		0);
	database_close(database);
}

static void test_an_older_layout_is_backed_up_first(void **state)
{
	struct database *database;
	glob_t found;
	char path[300];

	(void)state;
	plant_version_1();
	database = sample_open("runs.sqlite");
	assert_int_equal(sample_get(database, "PRAGMA user_version"), SCHEMA_VERSION);
	assert_int_equal(sample_get(database, "SELECT count(*) FROM sqlite_schema WHERE name = 'run_by_type'"), 1);
	assert_int_equal(sample_get(database, "SELECT count(*) FROM run"), 20);
	assert_int_equal(sample_number(database, sample_begin(21, "new"), 0), 21);
	assert_true(*database->backup);
	database_close(database);
	/* the copy is a whole database of the old layout */
	snprintf(path, sizeof(path), "%s.version-1.*", sample_path("runs.sqlite"));
	assert_int_equal(glob(path, 0, NULL, &found), 0);
	assert_int_equal(found.gl_pathc, 1);
	sqlite3 *handle;
	sqlite3_stmt *statement;
	assert_int_equal(sqlite3_open(found.gl_pathv[0], &handle), 0);
	assert_int_equal(
		sqlite3_prepare_v2(handle, "SELECT (SELECT count(*) FROM run), user_version FROM pragma_user_version",
			-1, &statement, NULL),
		0);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(statement, 0), 20);
	assert_int_equal(sqlite3_column_int(statement, 1), 1);
	sqlite3_finalize(statement);
	sqlite3_close(handle);
	globfree(&found);
}

static void test_a_layout_that_cannot_be_copied_stays(void **state)
{
	struct database *database = NULL;
	struct enrg_error err = {0};
	const struct database_params params = {.path = sample_path("runs.sqlite"), .is_reader = true};

	(void)state;
	plant_version_1();
	/* a reader changes nothing */
	assert_int_equal(database_open(&params, &database, &err), ENRG_E_VERSION);
	assert_non_null(strstr(err.text, "older version"));
}

static void test_a_newer_layout_is_left_alone(void **state)
{
	struct database *database = sample_open("runs.sqlite");
	const struct database_params params = {.path = sample_path("runs.sqlite")};
	struct enrg_error err = {0};

	(void)state;
	assert_int_equal(sqlite3_exec(database->handle, "PRAGMA user_version = 99", NULL, NULL, NULL), 0);
	database_close(database);
	assert_int_equal(database_open(&params, &database, &err), ENRG_E_VERSION);
	assert_non_null(strstr(err.text, "newer version"));
}

static void test_a_database_of_something_else_is_left_alone(void **state)
{
	const struct database_params params = {.path = sample_path("other.sqlite")};
	struct database *database;
	struct enrg_error err = {0};
	sqlite3 *handle;

	(void)state;
	assert_int_equal(sqlite3_open(sample_path("other.sqlite"), &handle), 0);
	assert_int_equal(sqlite3_exec(handle, "CREATE TABLE mail(text)", NULL, NULL, NULL), 0);
	sqlite3_close(handle);
	assert_int_equal(database_open(&params, &database, &err), -EEXIST);
	assert_non_null(strstr(err.text, "something else"));
}

static void test_no_log_with_shared_memory_on_a_network(void **state)
{
	const struct database_params params = {.path = sample_path("runs.sqlite"), .network = DATABASE_NETWORK};
	struct database *database;
	char mode[400];

	(void)state;
	assert_int_equal(database_open(&params, &database, NULL), 0);
	sample_text(database, "PRAGMA journal_mode", mode);
	assert_string_equal(mode, "delete");
	assert_int_equal(sample_get(database, "PRAGMA synchronous"), 2); /* full */
	assert_int_equal(sample_number(database, sample_begin(1, "x"), 0), 1);
	assert_int_not_equal(access(sample_path("runs.sqlite-shm"), F_OK), 0);
	database_close(database);
	database = sample_open("runs.sqlite");
	sample_text(database, "PRAGMA journal_mode", mode);
	assert_string_equal(mode, "wal");
	assert_int_equal(sample_get(database, "PRAGMA synchronous"), 2);
	database_close(database);
}

static void test_damage_is_seen(void **state)
{
	const struct database_params params = {.path = sample_path("runs.sqlite")};
	struct database *database = sample_open("runs.sqlite");
	uint8_t rubbish[4096];

	(void)state;
	for (unsigned i = 1; i <= 300; i++)
		(void)sample_enter(database, sample_begin(i, "much text, so that there are many pages of it"));
	database_close(database);
	memset(rubbish, 0xa5, sizeof(rubbish));
	FILE *file = fopen(params.path, "r+");
	assert_non_null(file);
	fseek(file, 12 * 4096L, SEEK_SET);
	assert_int_equal(fwrite(rubbish, 1, sizeof(rubbish), file), sizeof(rubbish));
	fclose(file);
	assert_int_equal(database_open(&params, &database, NULL), ENRG_E_CORRUPT);
	file = fopen(params.path, "r+");
	assert_non_null(file);
	assert_int_equal(fwrite(rubbish, 1, sizeof(rubbish), file), sizeof(rubbish));
	fclose(file);
	assert_int_equal(database_open(&params, &database, NULL), ENRG_E_CORRUPT);
}

#define with_folder(test) cmocka_unit_test_setup_teardown(test, sample_make_folder, sample_remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_folder(test_an_older_layout_is_backed_up_first),
		with_folder(test_a_layout_that_cannot_be_copied_stays),
		with_folder(test_a_newer_layout_is_left_alone),
		with_folder(test_a_database_of_something_else_is_left_alone),
		with_folder(test_no_log_with_shared_memory_on_a_network),
		with_folder(test_damage_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
