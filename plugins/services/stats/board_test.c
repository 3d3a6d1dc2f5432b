/* board_test.c: what is known of jobs by messages that come, stay away and come from many. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "board.h"

#define MS 1000000ull
#define S  1000000000ull

static struct enrg_job_figures dice = {.job = "dice", .job_type = "DAQJobTest", .is_alive = true, .out_batches = 7};
static struct enrg_job_figures csv = {.job = "csv", .job_type = "DAQJobStoreCSV", .is_alive = true, .in_batches = 6};

static int take(struct board *board, const char *supervisor, uint32_t count, uint64_t mono_ns)
{
	const struct enrg_job_figures *jobs[] = {&dice, &csv};
	const struct enrg_combined_stats stats = {
		.sender = {.supervisor = supervisor, .sent_ns = 5 * S}, .count = count, .jobs = jobs};

	return board_take(board, &stats, mono_ns);
}

static void jobs_come_and_go(void **state)
{
	struct board board = {0};

	(void)state;
	assert_int_equal(take(&board, "lab", 2, S), 0);
	assert_int_equal(take(&board, "far", 1, S), 0);
	assert_int_equal(board.count, 2);
	assert_int_equal(board_count_jobs(&board), 3);
	board.supervisors[0].jobs[0].series = (struct enrg_output *)&board;
	dice.out_batches = 9;
	assert_int_equal(take(&board, "lab", 1, 2 * S), 0); /* csv was removed */
	assert_int_equal(board_count_jobs(&board), 2);
	assert_int_equal(board.supervisors[0].jobs[0].out_batches, 9);
	assert_ptr_equal(board.supervisors[0].jobs[0].series, &board);
	assert_true(board_is_alive(&board.supervisors[0], 31 * S));
	assert_false(board_is_alive(&board.supervisors[0], 33 * S));
	assert_false(board_is_alive(&board.supervisors[1], 31 * S));
	board_fini(&board);
}

/* A date is calculated anew each second from two clocks, and must stand still all the same. */
static void dates_stand_still(void **state)
{
	struct board board = {0};

	(void)state;
	dice.last_out_ns = 100 * S;
	dice.last_restart_ns = 90 * S;
	assert_int_equal(take(&board, "lab", 1, S), 0);
	dice.last_out_ns += 2 * MS;
	assert_int_equal(take(&board, "lab", 1, S), 0);
	assert_int_equal(board.supervisors[0].jobs[0].last_out_ns, 100 * S);
	dice.last_out_ns = dice.last_restart_ns = 0; /* a new instance that has sent nothing yet */
	assert_int_equal(take(&board, "lab", 1, S), 0);
	assert_int_equal(board.supervisors[0].jobs[0].last_out_ns, 100 * S);
	assert_int_equal(board.supervisors[0].jobs[0].last_restart_ns, 90 * S);
	dice.last_out_ns = 103 * S;
	assert_int_equal(take(&board, "lab", 1, S), 0);
	assert_int_equal(board.supervisors[0].jobs[0].last_out_ns, 103 * S);
	board_fini(&board);
}

static void supervisors_are_bounded(void **state)
{
	struct board board = {0};
	char name[16];

	(void)state;
	for (unsigned i = 0; i < BOARD_SUPERVISORS_MAX; i++) {
		snprintf(name, sizeof(name), "s%u", i);
		assert_int_equal(take(&board, name, 1, S), 0);
	}
	assert_int_equal(take(&board, "one_more", 1, S), -ENOSPC);
	assert_int_equal(board.count, BOARD_SUPERVISORS_MAX);
	assert_int_equal(take(&board, "s7", 2, S), 0);
	board_fini(&board);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs_come_and_go),
		cmocka_unit_test(dates_stand_still),
		cmocka_unit_test(supervisors_are_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
