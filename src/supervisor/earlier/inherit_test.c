/* inherit_test.c: when a configured store takes the place of one that ran with its defaults, and which journals go. In
 * the test process.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "handover/journal.h"
#include "plane/stream.h"
#include "supervisor/earlier/inherit.h"

static const struct enrg_job_type test_job = {.size = sizeof(struct enrg_job_type), .name = "DAQJobTest"};
static const struct enrg_store_type csv_store = {
	.size = sizeof(struct enrg_store_type), .name = "DAQJobStoreCSV", .section = "csv", .starts_by_default = true};
static const struct enrg_store_type mysql_store = {
	.size = sizeof(struct enrg_store_type), .name = "DAQJobStoreMySQL", .section = "mysql"};
static const struct type_entry test_type = {.job = &test_job, .name = "DAQJobTest"};
static const struct type_entry csv_type = {.store = &csv_store, .name = "DAQJobStoreCSV"};
static const struct type_entry mysql_type = {.store = &mysql_store, .name = "DAQJobStoreMySQL"};

static struct job_config jobs[3];
static struct folder folder;
static struct runtime runtime;

static void set_job(size_t index, const char *name, const struct type_entry *type)
{
	free(jobs[index].name);
	jobs[index] = (struct job_config){.name = strdup(name), .file = (char *)"file", .type = type};
	folder = (struct folder){.jobs = jobs, .job_count = index + 1};
}

static int set_up(void **state)
{
	(void)state;
	strcpy(runtime.folder, "/dev/shm/enrgdaq-test-XXXXXX");
	assert_non_null(mkdtemp(runtime.folder));
	set_job(0, "source", &test_type);
	set_job(1, "mine", &csv_type);
	return 0;
}

static int tear_down(void **state)
{
	char command[RUNTIME_PATH_BYTES + 20];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		free(jobs[i].name);
		jobs[i].name = NULL;
	}
	snprintf(command, sizeof(command), "rm -r %s", runtime.folder);
	return system(command);
}

/* A stream with one batch that `left` has not stored and `done` has; NULL = nobody. */
static void leave_stream(const char *source, const char *left, const char *done)
{
	char path[RUNTIME_PATH_BYTES + 40];
	const struct stream_params params = {.path = path,
		.source = source,
		.run = "r1",
		.supervisor = "s",
		.data_bytes = 1 << 20,
		.record_bytes_max = 10000,
		.checks = true};
	struct stream *stream = NULL;
	struct stream_claim claim;
	uint16_t route;

	snprintf(path, sizeof(path), "%s/%s.stream", runtime.folder, source);
	assert_int_equal(stream_create(&params, NULL), 0);
	if (left)
		assert_int_equal(stream_add_consumer(path, left, NULL), 0);
	assert_int_equal(stream_open(path, 0, &stream, NULL), 0);
	assert_int_equal(
		stream_add_route(
			stream, &(struct stream_route){.tag = "", .schema = "schema", .schema_bytes = 6}, &route, NULL),
		0);
	assert_int_equal(stream_claim(stream, 100, 0, &claim), 0);
	memset(claim.payload, 0, 100);
	stream_commit(stream, &(struct stream_commit){.type = RECORD_DATA, .rows = 1, .body_bytes = 100});
	stream_close(stream, true);
	if (done) /* a consumer begins at head */
		assert_int_equal(stream_add_consumer(path, done, NULL), 0);
}

static void expect_name(const char *name)
{
	struct enrg_error err = {0};

	if (inherit_names(&folder, &runtime, &err) != 0)
		fail_msg("%s", err.text);
	assert_string_equal(jobs[1].name, name);
}

static void a_configured_store_goes_on(void **state)
{
	(void)state;
	leave_stream("source", "DAQJobStoreCSV", "other");
	expect_name("DAQJobStoreCSV");
	assert_string_equal(jobs[0].name, "source");
	expect_name("DAQJobStoreCSV"); /* also asked twice */
}

static void nothing_is_left(void **state)
{
	(void)state;
	expect_name("mine");
	leave_stream("source", NULL, "DAQJobStoreCSV");
	leave_stream("second", "other", NULL);
	expect_name("mine");
}

/* The stream is kept only with all its consumers: so that the other store gets its batches. */
static void another_store_has_left_batches(void **state)
{
	(void)state;
	leave_stream("source", "other", "DAQJobStoreCSV");
	expect_name("DAQJobStoreCSV");
}

/* It has left-overs of its own by this name. */
static void a_name_that_is_in_use_stays(void **state)
{
	(void)state;
	leave_stream("source", "DAQJobStoreCSV", NULL);
	leave_stream("second", "mine", NULL);
	expect_name("mine");
}

static void two_jobs_of_the_type(void **state)
{
	(void)state;
	set_job(2, "second", &csv_type);
	leave_stream("source", "DAQJobStoreCSV", NULL);
	expect_name("mine");
}

static void a_name_that_another_job_has(void **state)
{
	(void)state;
	set_job(2, "DAQJobStoreCSV", &test_type);
	leave_stream("source", "DAQJobStoreCSV", NULL);
	expect_name("mine");
}

/* It never runs without a file: who is called so got the name from the operator. */
static void a_type_without_defaults(void **state)
{
	(void)state;
	set_job(1, "mine", &mysql_type);
	leave_stream("source", "DAQJobStoreMySQL", NULL);
	expect_name("mine");
}

/* --- journals --- */

static char left_file[600];

/* The journal of a store that was killed in the middle of a write to `left_file`, or of none. */
static void leave_journal(const char *name, bool has_file)
{
	char path[RUNTIME_PATH_BYTES + 40];
	struct journal *journal = NULL;
	uint64_t length;
	uint32_t index;
	bool is_known;

	snprintf(path, sizeof(path), "%s/%s.journal", runtime.folder, name);
	assert_int_equal(journal_open(path, &journal, NULL), 0);
	if (has_file) {
		assert_int_equal(journal_add_file(journal, left_file, &index, &is_known, &length, NULL), 0);
		journal_reset_file(journal, index, 9);
	}
	journal_close(journal);
}

static bool has_journal(const char *name)
{
	char path[RUNTIME_PATH_BYTES + 40];

	snprintf(path, sizeof(path), "%s/%s.journal", runtime.folder, name);
	return access(path, F_OK) == 0;
}

static void journals_of_nobody_go(void **state)
{
	char path[RUNTIME_PATH_BYTES + 40];
	struct plan plan = {.journal_path = path}, source = {0};
	struct plan *list[] = {&source, &plan};
	const struct plan_set plans = {.count = 2, .plans = list};
	char *bytes = NULL;
	size_t count;

	(void)state;
	snprintf(path, sizeof(path), "%s/mine.journal", runtime.folder);
	snprintf(left_file, sizeof(left_file), "%s/rows", runtime.folder);
	leave_journal("mine", false);
	leave_journal("DAQJobStoreCSV", false);
	leave_journal("killed", true);
	assert_int_equal(path_write_file(left_file, "committedtorn", 13, 0, NULL), 0);
	inherit_remove_journals(&runtime, &plans);
	assert_true(has_journal("mine"));
	assert_false(has_journal("DAQJobStoreCSV"));
	/* what the killed store wrote is put in order first */
	assert_false(has_journal("killed"));
	assert_int_equal(path_read_file(left_file, 100, &bytes, &count, NULL), 0);
	assert_string_equal(bytes, "committed");
	free(bytes);
}

/* A disk that is not there now may come back. */
static void a_journal_of_a_file_out_of_reach_stays(void **state)
{
	const struct plan_set plans = {0};

	(void)state;
	snprintf(left_file, sizeof(left_file), "%s/not/mounted/rows", runtime.folder);
	leave_journal("killed", true);
	inherit_remove_journals(&runtime, &plans);
	assert_true(has_journal("killed"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_configured_store_goes_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_is_left, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_store_has_left_batches, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_name_that_is_in_use_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(two_jobs_of_the_type, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_name_that_another_job_has, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_type_without_defaults, set_up, tear_down),
		cmocka_unit_test_setup_teardown(journals_of_nobody_go, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_journal_of_a_file_out_of_reach_stays, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
