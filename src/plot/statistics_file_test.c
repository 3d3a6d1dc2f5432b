/* statistics_file_test.c: tables of statistics with columns in another order, torn lines, and what is none. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plot/statistics_file.h"

#define HEAD                                                                                                           \
	"timestamp,acq_events,acq_samples,mean_value_mv,sum_value_mv_squared,min_value_mv,max_value_mv,"               \
	"samples_filtered_out,total_samples_raw,events_dropped"

static char path[] = "/dev/shm/statistics_file_test.XXXXXX";

static int set_up(void **state)
{
	(void)state;
	int descriptor = mkstemp(path);
	return descriptor < 0 ? -1 : close(descriptor);
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

static int read_text(const char *text, struct statistics_file *ret_file, struct enrg_error *err)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
	return statistics_file_read(path, ret_file, err);
}

static void test_rows(void **state)
{
	struct statistics_file file;

	(void)state;
	assert_int_equal(
		read_text("queue_depth," HEAD ",more\r\n9,1000,1,2,3,4,-5,6,7,8,9,x\n9,2000,,2,3,4,-5,6,7,8,9,x\n"
			  "\n9,3000,1,2\n9,now,1,2,3,4,-5,6,7,8,9,x\n9,4000,1,2,3,4,-5,6,7,8,10",
			&file, NULL),
		0);
	assert_int_equal(file.count, 3);
	assert_int_equal(file.bad_lines, 3); /* empty, torn, without a time */
	assert_true(file.rows[0][STATISTICS_MIN_MV] < -4.9 && file.rows[0][STATISTICS_MIN_MV] > -5.1);
	assert_true(isnan(file.rows[1][STATISTICS_EVENTS]));
	assert_true(file.rows[2][STATISTICS_DROPPED] > 9.9); /* the last line has no end yet */
	statistics_file_fini(&file);
}

static void test_refusals(void **state)
{
	struct statistics_file file;
	struct enrg_error err = {0};

	(void)state;
	assert_int_equal(read_text("", &file, &err), -ENODATA);
	assert_int_equal(read_text(HEAD "\n", &file, &err), -ENODATA);
	assert_int_equal(read_text("timestamp,A,B,C\n1,2,3,4\n", &file, &err), -EINVAL);
	assert_non_null(strstr(err.text, "has no column acq_events"));
	assert_int_equal(read_text("\x01\xff\n,,,,\n", &file, &err), -EINVAL);
	assert_int_equal(statistics_file_read("/nowhere/stats.csv", &file, &err), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
