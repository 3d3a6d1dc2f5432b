/* test.c: DAQJobTest: a row of random integers at each interval. Runs in its own job process, on the main thread. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "dice.h"
#include "enrgdaq/job.h"

struct test_options {
	int64_t rand_min, rand_max;
	double interval_seconds;
};

struct test {
	struct enrg_output *output;
	struct dice dice;
};

static const struct enrg_option test_option_list[] = {
	{.key = "rand_min",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct test_options, rand_min),
		.required = true,
		.help = "The smallest number."},
	{.key = "rand_max",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct test_options, rand_max),
		.required = true,
		.help = "The largest number."},
	{.key = "interval_seconds",
		.kind = ENRG_OPTION_FLOAT,
		.offset = offsetof(struct test_options, interval_seconds),
		.default_value = "1.0",
		.min = 0.00001,
		.max = 86400,
		.unit = "s",
		.help = "From one row to the next."},
	{.key = NULL},
};

static const struct enrg_column test_columns[] = {
	{.name = "timestamp", .type = ENRG_I64, .unit = "ms"},
	{.name = "A", .type = ENRG_I64},
	{.name = "B", .type = ENRG_I64},
	{.name = "C", .type = ENRG_I64},
};

static const struct enrg_note test_notes[] = {ENRG_NOTES_HOST_TIME("timestamp", "1000000")};

static const struct enrg_schema test_schema = {.column_count = 4,
	.columns = test_columns,
	.note_count = sizeof(test_notes) / sizeof(test_notes[0]),
	.notes = test_notes};

static int test_start(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	const struct test_options *chosen = options;
	struct test *test;
	uint64_t seed = 0;
	int rc;

	if (chosen->rand_min > chosen->rand_max)
		return enrg_error_set(err, ENRG_E_CONFIG,
			"rand_min: expected at most rand_max (%" PRId64 "), found %" PRId64, chosen->rand_max,
			chosen->rand_min);
	test = calloc(1, sizeof(*test));
	if (!test)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	rc = enrg_output_open(job, "store_config", NULL, &test_schema, &test->output, err);
	if (rc < 0) {
		free(test);
		return rc;
	}
	(void)!getrandom(&seed, sizeof(seed), GRND_NONBLOCK);
	dice_init(&test->dice, seed, chosen->rand_min, chosen->rand_max);
	enrg_job_set_interval(job, (uint64_t)(chosen->interval_seconds * 1e9));
	*ret_state = test;
	return 0;
}

static int test_poll(struct enrg_job *job, void *state, struct enrg_error *err)
{
	struct test *test = state;
	struct enrg_claim claim;
	struct timespec now;
	int rc;

	(void)job;
	clock_gettime(CLOCK_REALTIME, &now);
	rc = enrg_output_claim(test->output, 1, NULL, &claim, err);
	if (rc < 0)
		return rc;
	((int64_t *)claim.columns[0].values)[0] = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	for (int column = 1; column <= 3; column++)
		((int64_t *)claim.columns[column].values)[0] = dice_throw(&test->dice);
	rc = enrg_output_commit(test->output, 1, (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec, err);
	return rc < 0 ? rc : ENRG_POLL_IDLE;
}

static void test_destroy(void *state)
{
	free(state);
}

static const struct enrg_job_group test_groups[] = {
	{.key = "store_config", .required = true, .help = "Where the rows go."},
	{.key = NULL},
};

static const char *const test_old_names[] = {"test", NULL};

static const struct enrg_job_type test_job = {
	.size = sizeof(struct enrg_job_type),
	.name = "DAQJobTest",
	.old_names = test_old_names,
	.summary = "Makes a row of random integers at each interval.",
	.options = {.size = sizeof(struct test_options), .options = test_option_list},
	.groups = test_groups,
	.start = test_start,
	.poll = test_poll,
	.destroy = test_destroy,
};

static const struct enrg_job_type *const test_jobs[] = {&test_job, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "test", .jobs = test_jobs};
