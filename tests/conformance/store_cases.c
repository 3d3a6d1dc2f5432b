/* store_cases.c: what every store must do, one test after the other, each with every store under test. A failure names
 * the store and the line. */
#include "store_cases.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "odd.h"
#include "suite.h"

/* --- cases -------------------- */

static void all_types_are_kept(void)
{
	suite_open(__LINE__);
	suite_write(__LINE__, &suite_wide, 0, 200, 0);
	suite_commit(__LINE__, 1);
	suite_close(__LINE__);
	suite_check_file(__LINE__, suite.kind->file_path, &data_wide, 0, 200);
}

static void zero_rows_and_one_row(void)
{
	suite_open(__LINE__);
	suite_write(__LINE__, &suite_wide, 0, 0, 0);
	suite_commit(__LINE__, 1);
	suite_check_file(__LINE__, suite.kind->file_path, &data_wide, 0, 0);
	suite_write(__LINE__, &suite_wide, 0, 1, 0);
	suite_commit(__LINE__, 2);
	suite_check_file(__LINE__, suite.kind->file_path, &data_wide, 0, 1);
	suite_close(__LINE__);
	suite_check_file(__LINE__, suite.kind->file_path, &data_wide, 0, 1);
}

static void gaps_hold_no_rows(void)
{
	struct enrg_error err = {0};

	suite_open(__LINE__);
	suite_write(__LINE__, &suite_wide, 0, 3, 0);
	suite_check_code(__LINE__, harness_write_gap(suite.life, &suite_wide, &err), &err);
	if (!suite.kind->keeps_newest)
		suite_write(__LINE__, &suite_wide, 3, 4, 0);
	suite_commit(__LINE__, 3);
	suite_close(__LINE__);
	suite_check_file(__LINE__, suite.kind->file_path, &data_wide, 0, suite.kind->keeps_newest ? 3 : 7);
}

static void many_batches_keep_their_order(void)
{
	uint64_t row = 0, newest = 0;

	suite_open(__LINE__);
	for (unsigned i = 0; i < 300; i++) {
		uint64_t count = i * 7 % 40;

		suite_write(__LINE__, &suite_wide, row, count, 0);
		newest = row;
		row += count;
		if (i % 7 == 6)
			suite_commit(__LINE__, i);
	}
	suite_write(__LINE__, &suite_wide, row, 20000, 0); /* larger than buffers are */
	newest = row;
	row += 20000;
	suite_commit(__LINE__, 1000);
	suite_close(__LINE__);
	if (suite.kind->keeps_newest)
		suite_check_file(__LINE__, suite.kind->file_path, &data_wide, newest, 20000);
	else
		suite_check_file(__LINE__, suite.kind->file_path, &data_wide, 0, row);
}

/* Sequences begin at 1 in each run: what a store remembers of those that it has is of one run. */
static void runs_follow_one_another(void)
{
	struct enrg_error err = {0};

	if (suite.kind->keeps_newest)
		return;
	suite_open(__LINE__);
	suite_write(__LINE__, &suite_wide, 0, 5, 0);
	suite_write(__LINE__, &suite_wide, 5, 5, 0);
	suite_commit(__LINE__, 1);
	suite_check_code(__LINE__, harness_pass_boundary(suite.life, "second", 2, &err), &err);
	suite_write(__LINE__, &suite_wide, 10, 7, 0);
	suite_write(__LINE__, &suite_wide, 17, 1, 0);
	suite_commit(__LINE__, 3);
	suite_write(__LINE__, &suite_wide, 18, 2, 0);
	suite_check_code(__LINE__, harness_commit_half(suite.life, &err), &err);
	harness_kill(suite.life); /* before the journal has it: the same batch comes again */
	suite_open(__LINE__);
	suite_write(__LINE__, &suite_wide, 18, 2, 0);
	suite_commit(__LINE__, 4);
	suite_check_code(__LINE__, harness_pass_boundary(suite.life, "third", 4, &err), &err);
	harness_kill(suite.life);
	suite_open(__LINE__);
	suite_check(__LINE__, harness_position(suite.life) == 4, "the boundary is passed");
	suite_write(__LINE__, &suite_wide, 20, 4, 0);
	suite_commit(__LINE__, 5);
	suite_close(__LINE__);
	suite_check_file(__LINE__, suite.kind->file_path, &data_wide, 0, 24);
}

static void tags_have_files_of_their_own(void)
{
	const struct harness_table x = {.source = "source", .tag = "x", .schema = &data_wide};
	const struct harness_table odd = {.source = "source", .tag = "a/../b", .schema = &data_wide};

	suite_open(__LINE__);
	suite_write(__LINE__, &suite_wide, 0, 2, 0);
	suite_write(__LINE__, &x, 10, 3, 0);
	suite_write(__LINE__, &odd, 20, 4, 0);
	suite_commit(__LINE__, 1);
	suite_close(__LINE__);
	if (!suite.kind->has_out_dir)
		return;
	suite_check_file(__LINE__, suite.kind->file_path, &data_wide, 0, 2);
	suite_check_file(__LINE__, suite_file_name("", "_x"), &data_wide, 10, 3);
	suite_check_file(__LINE__, suite_file_name("", "_a_.._b"), &data_wide, 20, 4);
}

static void days_have_files_of_their_own(void)
{
	const struct harness_table dated = {
		.source = "source", .tag = "", .schema = &data_wide, .more_keys = "add_date = true"};
	const uint64_t minute_ns = 60000000000ull, midnight_ns = 1750032000000000000ull; /* 2025-06-16 00:00 UTC */

	if (!suite.kind->has_dates)
		return;
	suite_open(__LINE__);
	suite_write(__LINE__, &dated, 0, 5, midnight_ns - minute_ns);
	suite_commit(__LINE__, 1);
	if (!suite.kind->keeps_newest)
		suite_write(__LINE__, &dated, 5, 5, midnight_ns - 1);
	suite_write(__LINE__, &dated, 10, 6, midnight_ns);
	suite_commit(__LINE__, 2);
	if (!suite.kind->keeps_newest)
		suite_write(__LINE__, &dated, 16, 7, midnight_ns + 20 * minute_ns);
	suite_commit(__LINE__, 3);
	suite_close(__LINE__);
	suite_check_file(
		__LINE__, suite_file_name("2025-06-15_", ""), &data_wide, 0, suite.kind->keeps_newest ? 5 : 10);
	suite_check_file(
		__LINE__, suite_file_name("2025-06-16_", ""), &data_wide, 10, suite.kind->keeps_newest ? 6 : 13);
}

static void producers_share_a_file(void)
{
	const struct harness_table other = {.source = "other", .tag = "", .schema = &data_wide};

	suite_open(__LINE__);
	suite_write(__LINE__, &suite_wide, 0, 3, 0);
	suite_write(__LINE__, &other, 3, 4, 0);
	if (!suite.kind->keeps_newest)
		suite_write(__LINE__, &suite_wide, 7, 5, 0);
	suite_commit(__LINE__, 1);
	suite_close(__LINE__);
	if (suite.kind->keeps_newest)
		suite_check_file(__LINE__, suite.kind->file_path, &data_wide, 3, 4);
	else
		suite_check_file(__LINE__, suite.kind->file_path, &data_wide, 0, 12);
}

/* Rows of other columns are kept beside the file, never in it; in the same life and in a later one. */
static void other_columns_go_elsewhere(void)
{
	const struct harness_table narrow = {.source = "narrow", .tag = "", .schema = &data_narrow};

	if (suite.kind->keeps_newest || suite.kind->is_database)
		return;
	suite_open(__LINE__);
	suite_write(__LINE__, &suite_wide, 0, 3, 0);
	suite_write(__LINE__, &narrow, 0, 4, 0);
	suite_commit(__LINE__, 1);
	suite_close(__LINE__);
	suite_open(__LINE__);
	suite_write(__LINE__, &narrow, 4, 5, 0);
	suite_write(__LINE__, &suite_wide, 3, 6, 0);
	suite_commit(__LINE__, 2);
	suite_close(__LINE__);
	if (!suite.kind->has_out_dir)
		return;
	suite_check_file(__LINE__, suite.kind->file_path, &data_wide, 0, 9);
	suite_check_file(__LINE__, suite_file_name("", suite.kind->starts_files ? "" : "_2"), &data_narrow, 0, 9);
}

static void restart_appends(void)
{
	for (unsigned i = 0; i < 5; i++) {
		suite_open(__LINE__);
		suite_write(__LINE__, &suite_wide, 10 * i, 10, 0);
		suite_commit(__LINE__, i + 1);
		suite_close(__LINE__);
	}
	suite_check_file(__LINE__, suite.kind->file_path, &data_wide, suite.kind->keeps_newest ? 40 : 0,
		suite.kind->keeps_newest ? 10 : 50);
}

/* Without the journal, as after a start of the machine. */
static void new_journal_appends(void)
{
	for (unsigned i = 0; i < 3; i++) {
		unlink(suite.journal_path);
		suite_open(__LINE__);
		suite_write(__LINE__, &suite_wide, 10 * i, 10, 0);
		suite_commit(__LINE__, i + 1);
		suite_close(__LINE__);
	}
	suite_check_file(__LINE__, suite.kind->file_path, &data_wide, suite.kind->keeps_newest ? 20 : 0,
		suite.kind->keeps_newest ? 10 : 30);
}

static void uncommitted_rows_come_once(void)
{
	suite_open(__LINE__);
	suite_write(__LINE__, &suite_wide, 0, 10, 0);
	suite_commit(__LINE__, 1);
	suite_write(__LINE__, &suite_wide, 10, 30000, 0);
	harness_kill(suite.life);
	suite_open(__LINE__);
	suite_check(__LINE__, harness_position(suite.life) == 1, "the journal has the position of the last commit");
	suite_write(__LINE__, &suite_wide, 10, 20, 0);
	suite_commit(__LINE__, 2);
	suite_close(__LINE__);
	suite_check_file(__LINE__, suite.kind->file_path, &data_wide, suite.kind->keeps_newest ? 10 : 0,
		suite.kind->keeps_newest ? 20 : 30);
}

static void half_a_commit_comes_once(void)
{
	struct enrg_error err = {0};

	suite_open(__LINE__);
	suite_write(__LINE__, &suite_wide, 0, 10, 0);
	suite_commit(__LINE__, 1);
	suite_write(__LINE__, &suite_wide, 10, 20, 0);
	suite_write(__LINE__, &suite_wide, 30, 20, 0);
	suite_check_code(__LINE__, harness_commit_half(suite.life, &err), &err);
	harness_kill(suite.life);
	suite_open(__LINE__);
	suite_write(__LINE__, &suite_wide, 10, 20, 0);
	suite_write(__LINE__, &suite_wide, 30, 20, 0);
	suite_write(__LINE__, &suite_wide, 50, 5, 0);
	suite_commit(__LINE__, 2);
	suite_close(__LINE__);
	suite_check_file(__LINE__, suite.kind->file_path, &data_wide, suite.kind->keeps_newest ? 50 : 0,
		suite.kind->keeps_newest ? 5 : 55);
}

static void roll_back_forgets_what_was_not_committed(void)
{
	struct enrg_error err = {0};

	suite_open(__LINE__);
	suite_write(__LINE__, &suite_wide, 0, 10, 0);
	suite_commit(__LINE__, 1);
	suite_write(__LINE__, &suite_wide, 10, 30000, 0);
	suite_check_code(__LINE__, harness_roll_back(suite.life, &err), &err);
	suite_write(__LINE__, &suite_wide, 10, 20, 0);
	suite_commit(__LINE__, 2);
	suite_close(__LINE__);
	suite_check_file(__LINE__, suite.kind->file_path, &data_wide, suite.kind->keeps_newest ? 10 : 0,
		suite.kind->keeps_newest ? 20 : 30);
}

/* --- kills -------------------- */

#define KILL_ROWS    40u  /* a batch */
#define KILL_BATCHES 400u /* position p = batches 1 … p are committed */
#ifndef KILL_LIVES
#define KILL_LIVES 60u
#endif

/* A life that continues from the journal's position to the last batch; in a child that the test kills. */
static int run_to_the_end(void)
{
	struct enrg_error err = {0};
	uint64_t position;
	int rc = harness_open(suite.kind, suite.journal_path, suite.out_dir, &suite.life, &err);

	if (rc < 0)
		return 1;
	for (position = harness_position(suite.life); position < KILL_BATCHES && rc == 0; position++) {
		rc = harness_write(suite.life, &suite_wide, position * KILL_ROWS, KILL_ROWS, 0, &err);
		if (rc == 0 && (position % 3 == 2 || position + 1 == KILL_BATCHES))
			rc = harness_commit(suite.life, position + 1, &err);
	}
	if (rc == 0)
		rc = harness_close(suite.life, &err);
	if (rc < 0)
		fprintf(stderr, "%s\n", err.text);
	return rc < 0;
}

/* Runs a life that dies after `delay_us`, if that is not 0. true: it ended by itself, in order. */
static bool run_life(unsigned delay_us)
{
	/* Its own alarm: nobody handles that, and it comes in time also where this process has to wait for a core. */
	const struct itimerval alarm = {.it_value = {.tv_usec = delay_us}};
	pid_t child = fork();
	int status;

	suite_check(__LINE__, child >= 0, "fork");
	if (child == 0) {
		setitimer(ITIMER_REAL, &alarm, NULL);
		_exit(run_to_the_end());
	}
	suite_check(__LINE__, waitpid(child, &status, 0) == child, "waitpid");
	suite_check(__LINE__, WIFSIGNALED(status) ? WTERMSIG(status) == SIGALRM : WEXITSTATUS(status) == 0,
		"the life of the store ended in an error");
	return WIFEXITED(status);
}

static void kills_lose_nothing_and_double_nothing(void)
{
	unsigned kills = 0;

	for (unsigned i = 0; i < KILL_LIVES; i++)
		kills += !run_life(200 + (unsigned)(rand() % 4000));
	while (!run_life(0))
		;
	suite_check(__LINE__, kills >= 3, "some lives were killed");
	if (suite.kind->keeps_newest)
		suite_check_file(
			__LINE__, suite.kind->file_path, &data_wide, (KILL_BATCHES - 1) * KILL_ROWS, KILL_ROWS);
	else
		suite_check_file(__LINE__, suite.kind->file_path, &data_wide, 0, KILL_BATCHES * KILL_ROWS);
}

/* --- disks -------------------- */

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = bytes;
	suite_check(__LINE__, setrlimit(RLIMIT_FSIZE, &limit) == 0, "setrlimit");
}

/* A limit of the file's size stands for the full disk: a write is cut short, the next one fails. */
static void full_disk_recovers(void)
{
	struct enrg_error err = {0};
	uint64_t committed = 0;
	int rc = 0;

	if (!suite.kind->has_out_dir)
		return;
	signal(SIGXFSZ, SIG_IGN);
	suite_open(__LINE__);
	limit_files(suite.kind->is_indexed ? 2000001 : 100001); /* the first chunk of each column is to fit */
	for (unsigned i = 0; i < 20000 && rc == 0; i++) {
		rc = harness_write(suite.life, &suite_wide, committed, 10 + i, 0, &err);
		if (rc == 0)
			rc = harness_commit(suite.life, i + 1, &err);
		if (rc == 0)
			committed += 10 + i;
	}
	suite_check(__LINE__, rc < 0, "a full disk is an error");
	suite_check(__LINE__, strstr(err.text, suite.out_dir) != NULL, "the error names the file");
	suite_check_code(__LINE__, harness_roll_back(suite.life, &err), &err);
	limit_files(RLIM_INFINITY);
	if (!suite.kind->keeps_newest)
		suite_check_file(__LINE__, suite.kind->file_path, &data_wide, 0, committed);
	suite_write(__LINE__, &suite_wide, committed, 5000, 0);
	suite_commit(__LINE__, 100000);
	suite_close(__LINE__);
	if (suite.kind->keeps_newest)
		suite_check_file(__LINE__, suite.kind->file_path, &data_wide, committed, 5000);
	else
		suite_check_file(__LINE__, suite.kind->file_path, &data_wide, 0, committed + 5000);
}

/* Root may write anywhere, but nobody can make a folder below a file. */
static void unusable_folder_is_an_error(void)
{
	struct enrg_error err = {0};
	char file[512], below[600];
	FILE *stream;
	int rc;

	if (!suite.kind->has_out_dir)
		return;
	snprintf(file, sizeof(file), "%s/file", suite.folder);
	snprintf(below, sizeof(below), "%s/out", file);
	stream = fopen(file, "w");
	suite_check(__LINE__, stream != NULL, "fopen");
	fclose(stream);
	rc = harness_open(suite.kind, suite.journal_path, below, &suite.life, &err);
	if (rc == 0) {
		rc = harness_write(suite.life, &suite_wide, 0, 1, 0, &err);
		if (rc == 0)
			rc = harness_commit(suite.life, 1, &err);
		harness_kill(suite.life);
	}
	suite_check(__LINE__, rc < 0, "a folder that can't be made is an error");
	suite_check(__LINE__, strstr(err.text, file) != NULL, err.text);
}

static void foreign_file_is_left_alone(void)
{
	static const char notes[] = "notes of somebody, without a line end";
	char path[600], found[100] = "";
	FILE *stream;

	if (!suite.kind->has_out_dir || suite.kind->keeps_newest || suite.kind->is_database)
		return;
	suite_open(__LINE__); /* makes the folders */
	suite_write(__LINE__, &suite_wide, 0, 1, 0);
	suite_commit(__LINE__, 1);
	suite_close(__LINE__);
	snprintf(path, sizeof(path), "%s/%s", suite.out_dir, suite.kind->file_path);
	unlink(suite.journal_path);
	stream = fopen(path, "w");
	suite_check(__LINE__, stream && fwrite(notes, 1, sizeof(notes), stream) == sizeof(notes), "fwrite");
	fclose(stream);
	suite_open(__LINE__);
	suite_write(__LINE__, &suite_wide, 0, 5, 0);
	suite_commit(__LINE__, 1);
	suite_close(__LINE__);
	stream = fopen(path, "r");
	suite_check(__LINE__, stream && fread(found, 1, sizeof(found), stream) == sizeof(notes),
		"the file's length is the same");
	fclose(stream);
	suite_check(__LINE__, memcmp(found, notes, sizeof(notes)) == 0, "the file's bytes are the same");
	suite_check_file(__LINE__, suite_file_name("", suite.kind->starts_files ? "_1" : "_2"), &data_wide, 0, 5);
}

/* A power cut: no journal, and the end of the file is not whole. What is whole stays, what comes is appended. */
static void torn_tail_is_cut(void)
{
	struct stat status;
	char path[600];

	if (!suite.kind->has_out_dir || suite.kind->keeps_newest || suite.kind->is_database || suite.kind->is_indexed)
		return;
	suite_open(__LINE__);
	suite_write(__LINE__, &suite_wide, 0, 50, 0);
	suite_commit(__LINE__, 1);
	snprintf(path, sizeof(path), "%s/%s", suite.out_dir, suite.kind->file_path);
	suite_check(__LINE__, stat(path, &status) == 0, "stat");
	suite_write(__LINE__, &suite_wide, 50, 1, 0);
	suite_commit(__LINE__, 2);
	suite_close(__LINE__);
	unlink(suite.journal_path);
	suite_check(__LINE__, truncate(path, status.st_size + 3) == 0, "truncate");
	suite_open(__LINE__);
	suite_write(__LINE__, &suite_wide, 50, 30, 0);
	suite_commit(__LINE__, 3);
	suite_close(__LINE__);
	suite_check_file(__LINE__, suite.kind->file_path, &data_wide, 0, 80);
}

static void blob_is_kept_or_refused_clearly(void)
{
	struct enrg_schema blob = *enrg_schema_blob();
	const struct harness_table table = {.source = "camera", .tag = "", .schema = &blob};
	struct enrg_error err = {0};
	int rc;

	suite_open(__LINE__);
	rc = harness_write(suite.life, &table, 1, 1, 0, &err);
	if (rc == 0)
		rc = harness_commit(suite.life, 1, &err);
	suite_check(__LINE__, rc == 0 || strlen(err.text) > 10, "a refusal says why");
	if (rc == 0)
		suite_close(__LINE__);
	else
		harness_kill(suite.life);
	if (rc == 0)
		suite_check_file(__LINE__, suite.kind->file_path, &blob, 1, 1);
}

static void ticks_and_empty_commits_do_nothing(void)
{
	struct enrg_error err = {0};

	suite_open(__LINE__);
	suite_check_code(__LINE__, harness_tick(suite.life, &err), &err);
	suite_commit(__LINE__, 1);
	suite_write(__LINE__, &suite_wide, 0, 5, 0);
	suite_check_code(__LINE__, harness_tick(suite.life, &err), &err);
	suite_commit(__LINE__, 2);
	for (unsigned i = 0; i < 5; i++) {
		suite_check_code(__LINE__, harness_tick(suite.life, &err), &err);
		suite_commit(__LINE__, 3 + i);
	}
	suite_close(__LINE__);
	suite_check_file(__LINE__, suite.kind->file_path, &data_wide, 0, 5);
}

static const struct CMUnitTest cases[] = {
	SUITE_CASE(all_types_are_kept),
	SUITE_CASE(zero_rows_and_one_row),
	SUITE_CASE(gaps_hold_no_rows),
	SUITE_CASE(many_batches_keep_their_order),
	SUITE_CASE(runs_follow_one_another),
	SUITE_CASE(tags_have_files_of_their_own),
	SUITE_CASE(days_have_files_of_their_own),
	SUITE_CASE(producers_share_a_file),
	SUITE_CASE(other_columns_go_elsewhere),
	SUITE_CASE(restart_appends),
	SUITE_CASE(new_journal_appends),
	SUITE_CASE(uncommitted_rows_come_once),
	SUITE_CASE(half_a_commit_comes_once),
	SUITE_CASE(roll_back_forgets_what_was_not_committed),
	SUITE_CASE(kills_lose_nothing_and_double_nothing),
	SUITE_CASE(full_disk_recovers),
	SUITE_CASE(unusable_folder_is_an_error),
	SUITE_CASE(foreign_file_is_left_alone),
	SUITE_CASE(torn_tail_is_cut),
	SUITE_CASE(blob_is_kept_or_refused_clearly),
	SUITE_CASE(ticks_and_empty_commits_do_nothing),
	SUITE_CASE(odd_values_are_kept),
	SUITE_CASE(odd_names_keep_their_columns_apart),
	SUITE_CASE(missing_values_keep_their_places),
	SUITE_CASE(path_outside_of_out_dir_is_refused),
	SUITE_CASE(large_object_is_whole),
	SUITE_CASE(newest_may_have_other_columns),
	SUITE_CASE(file_cut_anywhere_goes_on),
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

static bool is_among(const char *name, const char *const *names)
{
	for (; names && *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

bool store_cases_has(const char *name)
{
	for (size_t i = 0; i < CASES; i++)
		if (!strcmp(cases[i].name, name))
			return true;
	return false;
}

void store_cases_print(FILE *stream)
{
	for (size_t i = 0; i < CASES; i++)
		fprintf(stream, "%s\n", cases[i].name);
}

int store_cases_run(const char *group, const char *pattern, const char *const *without)
{
	struct CMUnitTest chosen[CASES];
	size_t count = 0;

	for (size_t i = 0; i < CASES; i++)
		if (!is_among(cases[i].name, without))
			chosen[count++] = cases[i];
	setenv("TZ", "UTC", 1);
	cmocka_set_test_filter(pattern);
	return _cmocka_run_group_tests(group, chosen, count, NULL, NULL);
}
