/* chronicle_test.c: what the book of runs hears of a store's files, and what is written beside them. The files, entries
 * and run_info.json are real. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "job/file/beside.h"
#include "job/file/handle.h"
#include "runs/entry/entry.h"

#define ONE "11111111-1111-8111-8111-111111111111"
#define TWO "22222222-2222-8222-8222-222222222222"

static char folder[] = "/tmp/enrg-chronicle-XXXXXX", journal[100], path[100];
static struct enrg_store *store;

static void write_text(const char *name, const char *text)
{
	char full[200];

	snprintf(full, sizeof(full), "%s/%s", folder, name);
	assert_int_equal(path_write_file(full, text, strlen(text), 0, NULL), 0);
}

static void open_store(void)
{
	assert_int_equal(store_create_alone("csv", journal, &store, NULL), 0);
	chronicle_init(&store->files.chronicle, folder, "csv", "csv");
	enrg_store_keep_runs_beside(store, ENRG_RUNS_BESIDE_ALL);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/enrg-chronicle-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(journal, sizeof(journal), "%s/" ENTRY_FOLDER, folder);
	if (mkdir(journal, 0700)) /* the supervisor's, where there is a run book */
		return -1;
	snprintf(journal, sizeof(journal), "%s/journal", folder);
	snprintf(path, sizeof(path), "%s/data.csv", folder);
	write_text("run_info.json",
		"{\"runs\": [{\"run\": \"two\", \"number\": 2, \"uuid\": \"" TWO
		"\", \"config\": \"b\", \"config_sha256\": \"bb\"}, {\"run\": \"one\", \"number\": 1, \"uuid\": \"" ONE
		"\", \"config\": \"a\", \"config_sha256\": \"aa\", \"began_wall_ns\": 1000000000}]}");
	open_store();
	return 0;
}

static int tear_down(void **state)
{
	char command[100];

	(void)state;
	store_destroy_alone(store);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static int is_entry(const struct dirent *entry)
{
	return strstr(entry->d_name, ".json") != NULL;
}

/* "run:event:rows:open " of each, in their order; the bodies have the file's full name, its bytes, and the run's key.
 */
static void take_entries(char *ret_text, size_t text_bytes)
{
	char inbox[120], full[500], *text;
	struct dirent **names = NULL;
	size_t count;

	ret_text[0] = '\0';
	snprintf(inbox, sizeof(inbox), "%s/" ENTRY_FOLDER, folder);
	int found = scandir(inbox, &names, is_entry, alphasort);
	for (int i = 0; i < found; i++) {
		struct entry entry;
		snprintf(full, sizeof(full), "%s/%s", inbox, names[i]->d_name);
		assert_int_equal(path_read_file(full, 1 << 20, &text, &count, NULL), 0);
		assert_int_equal(entry_parse(text, count, &entry, NULL), 0);
		const char *run = json_string_value(json_object_get(entry.body, "run"));
		const json_t *rows = json_object_get(entry.body, "rows");
		assert_string_equal(entry.uuid, !strcmp(run, "one") ? ONE : TWO);
		assert_int_equal(entry.kind, ENTRY_FILE);
		size_t used = strlen(ret_text);
		snprintf(ret_text + used, text_bytes - used, "%s:%s:%d%s ", run,
			json_string_value(json_object_get(entry.body, "event")),
			rows ? (int)json_integer_value(rows) : -1,
			json_is_true(json_object_get(entry.body, "open")) ? ":open" : "");
		entry_fini(&entry);
		unlink(full);
		free(text);
		free(names[i]);
	}
	free(names);
}

static void expect(const char *entries)
{
	char text[2000];

	take_entries(text, sizeof(text));
	assert_string_equal(text, entries);
}

static void write_rows(struct enrg_file *file, const char *run, unsigned rows)
{
	chronicle_turn(&store->files.chronicle, run, 7);
	assert_int_equal(enrg_file_write(file, "x\n", 2, NULL), 0);
	enrg_file_count_rows(file, rows);
}

static struct enrg_file *open_file(void)
{
	struct enrg_file *file = NULL;

	assert_int_equal(enrg_file_open(store, path, &file, NULL), 0);
	return file;
}

static void a_file_says_which_runs_it_holds(void **state)
{
	struct enrg_file *file = open_file();

	(void)state;
	write_rows(file, "one", 3);
	expect("one:opened:-1:open ");
	write_rows(file, "", 100); /* between two runs */
	expect("one:closed:3:open ");
	write_rows(file, "two", 4);
	write_rows(file, "two", 1);
	expect("two:opened:-1:open ");
	store_commit_alone(store);
	chronicle_end_run(&store->files.chronicle, "two");
	chronicle_end_run(&store->files.chronicle, "two");
	expect("two:closed:5:open ");
	enrg_file_close(file);
	expect("two:closed:5 one:closed:3 ");
}

static void what_is_rolled_back_does_not_count(void **state)
{
	struct enrg_file *file = open_file();

	(void)state;
	write_rows(file, "one", 3);
	store_commit_alone(store);
	write_rows(file, "one", 4);
	store->files.is_going_back = true;
	enrg_file_close(file);
	assert_int_equal(store_roll_back_alone(store, NULL), 0);
	store->files.is_going_back = false;
	file = open_file();
	write_rows(file, "one", 4);
	store_commit_alone(store);
	enrg_file_close(file);
	expect("one:opened:-1:open one:closed:7 ");
}

/* Two sources in one file, one of them in the next run already. */
static void what_is_rolled_back_is_that_of_no_other_run(void **state)
{
	struct enrg_file *file = open_file();

	(void)state;
	write_rows(file, "one", 3);
	write_rows(file, "two", 4);
	store_commit_alone(store);
	write_rows(file, "two", 5);
	store->files.is_going_back = true;
	enrg_file_close(file);
	assert_int_equal(store_roll_back_alone(store, NULL), 0);
	store->files.is_going_back = false;
	file = open_file();
	write_rows(file, "two", 1);
	store_commit_alone(store);
	enrg_file_close(file);
	expect("one:opened:-1:open two:opened:-1:open one:closed:3:open two:closed:5 one:closed:3 ");
}

static void after_a_kill_the_next_instance_says_it_again(void **state)
{
	struct enrg_file *file = open_file();

	(void)state;
	write_rows(file, "one", 3);
	store_commit_alone(store);
	store_destroy_alone(store);
	open_store();
	file = open_file();
	write_rows(file, "one", 3);
	store_commit_alone(store);
	enrg_file_close(file);
	expect("one:opened:-1:open one:opened:-1:open one:closed:-1 "); /* nobody knows how many rows */
}

static void of_unknown_runs_nothing_is_said(void **state)
{
	struct enrg_file *file = open_file();

	(void)state;
	write_rows(file, "three", 3);
	store_commit_alone(store);
	enrg_file_close(file);
	expect("");
	assert_null(enrg_store_find_run(store, "three"));
	write_text("run_info.json", "{\"runs\": [{\"run\": \"three\", \"number\": 3}]}");
	assert_int_equal(enrg_store_find_run(store, "three")->number, 3);
}

static json_t *read_beside(void)
{
	char name[200], *text;
	size_t count;

	snprintf(name, sizeof(name), "%s" BESIDE_SUFFIX, path);
	assert_int_equal(path_read_file(name, 1 << 20, &text, &count, NULL), 0);
	json_t *json = json_loads(text, 0, NULL);
	free(text);
	assert_non_null(json);
	return json;
}

static void runs_stand_beside_a_file(void **state)
{
	struct enrg_file *file = open_file();
	const char *names[] = {"one", "two", "one"};

	(void)state;
	for (size_t i = 0; i < 3; i++)
		write_rows(file, names[i], 1);
	store_commit_alone(store);
	store_destroy_alone(store); /* killed */
	open_store();
	file = open_file();
	write_rows(file, "two", 1);
	store_commit_alone(store);
	enrg_file_close(file);
	json_t *json = read_beside(), *runs = json_object_get(json, "runs");
	assert_int_equal(json_array_size(runs), 2);
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(runs, 0), "began")), "1970-01-01T00:00:01Z");
	assert_string_equal(json_string_value(json_object_get(json_object_get(json, "configs"), "bb")), "b");
	json_decref(json);
	unlink(path); /* another file of that name holds other runs */
	file = open_file();
	write_rows(file, "two", 1);
	store_commit_alone(store);
	enrg_file_close(file);
	json = read_beside();
	assert_int_equal(json_array_size(json_object_get(json, "runs")), 1);
	json_decref(json);
}

/* Where there is no run book nobody would take them. */
static void without_a_book_nothing_is_said(void **state)
{
	char inbox[120];
	struct enrg_file *file = open_file();

	(void)state;
	snprintf(inbox, sizeof(inbox), "%s/" ENTRY_FOLDER, folder);
	assert_int_equal(rmdir(inbox), 0);
	write_rows(file, "one", 3);
	store_commit_alone(store);
	enrg_file_close(file);
	assert_int_equal(access(inbox, F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_says_which_runs_it_holds, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_rolled_back_does_not_count, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_rolled_back_is_that_of_no_other_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(after_a_kill_the_next_instance_says_it_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(of_unknown_runs_nothing_is_said, set_up, tear_down),
		cmocka_unit_test_setup_teardown(runs_stand_beside_a_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(without_a_book_nothing_is_said, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
