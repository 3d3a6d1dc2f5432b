/* choice_test.c: which file a table continues in: names, days, parts, and what the store judges to be another's. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixtures/store_alone.h"
#include "job/file/handle.h"

#define MINUTE_NS   60000000000ull
#define MIDNIGHT_NS 1750032000000000000ull /* 2025-06-16 00:00 UTC */
#define JUDGED_MAX  128u

static char alerts[4000];
static struct enrg_file_options options;
static const struct enrg_column columns[] = {{.name = "n", .type = ENRG_I64}};
static const struct enrg_schema schema = {.column_count = 1, .columns = columns};

/* The store: opens a candidate, unless its name ends so, or all is taken. */
static struct {
	char taken[8][32];
	unsigned taken_count, judged_count;
	char judged[JUDGED_MAX][PATH_MAX];
	bool is_all_taken, has_own_file;
	int failure;
	struct enrg_file *file;
} fake;

static void keep_alert(void *context, enum enrg_level level, const char *text)
{
	(void)context;
	assert_int_equal(level, ENRG_WARNING);
	snprintf(alerts + strlen(alerts), sizeof(alerts) - strlen(alerts), "%s\n", text);
}

static int judge(void *state, void *target, struct enrg_file_candidate *candidate, struct enrg_error *err)
{
	const char *own = strrchr(candidate->path, '/') + 1;
	struct enrg_file *file;

	assert_ptr_equal(state, &fake);
	assert_ptr_equal(target, folder);
	assert_ptr_equal(candidate->schema, &schema);
	assert_null(candidate->file);
	assert_in_range(fake.judged_count, 0, JUDGED_MAX - 1);
	snprintf(fake.judged[fake.judged_count++], PATH_MAX, "%s", own);
	if (fake.failure)
		return enrg_error_set(err, fake.failure, "no");
	for (unsigned i = 0; i < fake.taken_count; i++)
		if (strcmp(own, fake.taken[i]) == 0)
			return ENRG_FILE_IS_OTHER;
	if (fake.is_all_taken)
		return ENRG_FILE_IS_OTHER;
	if (fake.has_own_file)
		return 0;
	int rc = enrg_file_open(store, candidate->path, &file, err);
	if (rc < 0)
		return rc;
	enrg_file_close(fake.file);
	fake.file = candidate->file = file;
	return 0;
}

static int set_up(void **state)
{
	char journal_path[128];
	struct enrg_error err = {0};

	(void)state;
	strcpy(folder, "/tmp/choice_test.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(journal_path, sizeof(journal_path), "%s/journal", folder);
	assert_int_equal(store_create_alone("test", journal_path, &store, &err), 0);
	options = (struct enrg_file_options){.rules = {.sync_seconds = 1}};
	enrg_store_set_files(store, &options);
	store->files.alert = keep_alert;
	memset(&fake, 0, sizeof(fake));
	alerts[0] = '\0';
	return 0;
}

static struct enrg_file_choice_params params_of(bool add_date)
{
	return (struct enrg_file_choice_params){.out_dir = folder,
		.file_path = "a.csv",
		.add_date = add_date,
		.other = "has other columns",
		.judge = judge,
		.state = &fake,
		.target = folder};
}

static struct enrg_file_choice *choose(const struct enrg_file_choice_params *params, const char *tag, uint64_t time_ns)
{
	const struct enrg_target target = {
		.source = "scope", .run = "r1", .tag = tag, .schema = &schema, .acquired_ns = time_ns};
	struct enrg_file_choice *choice = NULL;
	struct enrg_error err = {0};

	if (enrg_file_choice_create(store, params, &target, &choice, &err) != 0)
		fail_msg("%s", err.text);
	return choice;
}

static void follow(struct enrg_file_choice *choice, const char *run, uint64_t time_ns, bool is_dirty)
{
	const struct enrg_batch batch = {.schema = &schema, .source = "scope", .run = run, .acquired_ns = time_ns};
	struct enrg_error err = {0};

	if (enrg_file_choice_follow(choice, &batch, is_dirty, &err) != 0)
		fail_msg("%s", err.text);
}

/* All that was judged since the last call, in order. */
static void expect_judged(const char *want)
{
	char found[4000] = "";

	for (unsigned i = 0; i < fake.judged_count; i++)
		snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s%s", i ? " " : "", fake.judged[i]);
	fake.judged_count = 0;
	assert_string_equal(found, want);
}

static void write_line(void)
{
	assert_int_equal(enrg_file_write(fake.file, "0123456789\n", 11, NULL), 0);
}

static void take_name(const char *name)
{
	strcpy(fake.taken[fake.taken_count++], name);
}

static void a_table_stays_in_its_file(void **state)
{
	(void)state;
	const struct enrg_file_choice_params params = params_of(false);
	struct enrg_file_choice *choice = choose(&params, "", MIDNIGHT_NS);
	expect_judged("a.csv");
	follow(choice, "r2", MIDNIGHT_NS + 3000 * MINUTE_NS, false);
	write_line();
	follow(choice, "r3", MIDNIGHT_NS, true);
	expect_judged("");
	enrg_file_choice_destroy(choice);
	assert_string_equal(alerts, "");
	enrg_file_choice_destroy(NULL);
}

static void the_next_free_name_is_announced(void **state)
{
	(void)state;
	const struct enrg_file_choice_params params = params_of(false);
	take_name("a.csv");
	take_name("a_2.csv");
	take_name("a_x.csv");
	struct enrg_file_choice *choice = choose(&params, "", MIDNIGHT_NS);
	expect_judged("a.csv a_2.csv a_3.csv");
	assert_non_null(strstr(alerts, "/a.csv has other columns: what \"scope\" sends goes to "));
	assert_non_null(strstr(alerts, "/a_3.csv\n"));
	struct enrg_file_choice *tagged = choose(&params, "x", MIDNIGHT_NS);
	expect_judged("a_x.csv a_x_2.csv");
	enrg_file_choice_destroy(choice);
	enrg_file_choice_destroy(tagged);
}

static void a_hundred_names_are_enough(void **state)
{
	(void)state;
	const struct enrg_file_choice_params params = params_of(false);
	const struct enrg_target target = {.source = "scope", .run = "r1", .tag = "", .schema = &schema};
	struct enrg_file_choice *choice = NULL;
	struct enrg_error err = {0};

	fake.is_all_taken = true;
	assert_int_equal(enrg_file_choice_create(store, &params, &target, &choice, &err), -EEXIST);
	assert_int_equal(fake.judged_count, 100);
	assert_string_equal(fake.judged[99], "a_100.csv");
	assert_non_null(strstr(err.text, "has other columns"));
	assert_null(choice);
	assert_string_equal(alerts, "");
}

static void a_failure_is_no_judgement(void **state)
{
	(void)state;
	const struct enrg_file_choice_params params = params_of(false);
	const struct enrg_target target = {.source = "scope", .run = "r1", .tag = "", .schema = &schema};
	struct enrg_file_choice *choice = NULL;
	struct enrg_error err = {0};

	fake.failure = -ENOSPC;
	assert_int_equal(enrg_file_choice_create(store, &params, &target, &choice, &err), -ENOSPC);
	expect_judged("a.csv");
	assert_string_equal(err.text, "no");
}

/* Another name that was found yesterday says nothing about today. */
static void each_day_begins_with_the_first_name(void **state)
{
	(void)state;
	const struct enrg_file_choice_params params = params_of(true);
	take_name("2025-06-15_a.csv");
	struct enrg_file_choice *choice = choose(&params, "", MIDNIGHT_NS - MINUTE_NS);
	expect_judged("2025-06-15_a.csv 2025-06-15_a_2.csv");
	follow(choice, "r1", MIDNIGHT_NS - 30 * MINUTE_NS, true);
	expect_judged("");
	follow(choice, "r1", MIDNIGHT_NS, true); /* also where something is not committed */
	expect_judged("2025-06-16_a.csv");
	follow(choice, "r1", MIDNIGHT_NS + 20 * MINUTE_NS, false);
	expect_judged("");
	enrg_file_choice_destroy(choice);
}

/* A part continues with the number that was found for the file before it. */
static void parts_begin_between_commits(void **state)
{
	(void)state;
	options.rules.rotate_run = true;
	const struct enrg_file_choice_params params = params_of(true);
	take_name("2025-06-16_a_r1.csv");
	struct enrg_file_choice *choice = choose(&params, "", MIDNIGHT_NS);
	expect_judged("2025-06-16_a_r1.csv 2025-06-16_a_2_r1.csv");
	follow(choice, "r2", MIDNIGHT_NS, true); /* the store holds something in memory */
	expect_judged("");
	follow(choice, "r2", MIDNIGHT_NS + 30 * MINUTE_NS, true); /* it might be another day, and is not */
	expect_judged("");
	write_line();
	follow(choice, "r2", MIDNIGHT_NS, false); /* the framework knows of something */
	expect_judged("");
	store_commit_alone(store);
	follow(choice, "r2", MIDNIGHT_NS, false);
	expect_judged("2025-06-16_a_2_r2.csv");
	follow(choice, "r2", MIDNIGHT_NS, false);
	expect_judged("");
	enrg_file_choice_destroy(choice);
}

static void a_store_without_files_of_the_framework_has_parts_too(void **state)
{
	(void)state;
	options.rules.rotate_run = true;
	fake.has_own_file = true;
	const struct enrg_file_choice_params params = params_of(false);
	struct enrg_file_choice *choice = choose(&params, "", MIDNIGHT_NS);
	expect_judged("a_r1.csv");
	follow(choice, "r1", MIDNIGHT_NS, false);
	follow(choice, "r2", MIDNIGHT_NS, true);
	expect_judged("");
	follow(choice, "r2", MIDNIGHT_NS, false);
	expect_judged("a_r2.csv");
	follow(choice, "r2", MIDNIGHT_NS, false);
	expect_judged("");
	enrg_file_choice_destroy(choice);
}

static void a_file_that_is_replaced_has_no_parts(void **state)
{
	(void)state;
	options.rules.rotate_run = true;
	fake.has_own_file = true;
	struct enrg_file_choice_params params = params_of(false);
	params.is_replaced = true;
	struct enrg_file_choice *choice = choose(&params, "", MIDNIGHT_NS);
	expect_judged("a.csv");
	follow(choice, "r2", MIDNIGHT_NS, false);
	expect_judged("");
	enrg_file_choice_destroy(choice);
}

static void a_tag_without_room_for_a_number_is_an_error(void **state)
{
	(void)state;
	const struct enrg_file_choice_params params = params_of(false);
	char tag[ENRG_NAME_BYTES_MAX + 1];
	const struct enrg_target target = {.source = "scope", .run = "r1", .tag = tag, .schema = &schema};
	struct enrg_file_choice *choice = NULL;
	struct enrg_error err = {0};

	memset(tag, 't', sizeof(tag) - 1);
	tag[sizeof(tag) - 1] = '\0';
	fake.is_all_taken = true;
	assert_int_equal(enrg_file_choice_create(store, &params, &target, &choice, &err), -ENAMETOOLONG);
	assert_int_equal(fake.judged_count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_table_stays_in_its_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_next_free_name_is_announced, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_hundred_names_are_enough, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_failure_is_no_judgement, set_up, tear_down),
		cmocka_unit_test_setup_teardown(each_day_begins_with_the_first_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(parts_begin_between_commits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_store_without_files_of_the_framework_has_parts_too, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_that_is_replaced_has_no_parts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_tag_without_room_for_a_number_is_an_error, set_up, tear_down),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests_name("job.file.choice", tests, NULL, NULL);
}
