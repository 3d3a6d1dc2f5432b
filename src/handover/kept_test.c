/* kept_test.c: what an instance kept is there for the next one of the same run, and for no other. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "handover/kept.h"

static char folder[] = "/dev/shm/kept_test.XXXXXX";
static char page[96], file[96];

static int set_up(void **state)
{
	(void)state;
	snprintf(page, sizeof(page), "%s/tank.page", mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/tank.kept", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(file);
	return rmdir(folder);
}

/* What an instance finds; it leaves `leaves`. */
static uint64_t live(const char *run, size_t bytes, uint64_t leaves)
{
	struct kept kept = {0};
	void *memory;

	assert_int_equal(kept_open(&kept, page, run, bytes, &memory, NULL), 0);
	assert_int_equal((uintptr_t)memory % 64, 0);
	uint64_t *value = memory, found = *value;
	*value = leaves;
	kept_close(&kept);
	return found;
}

static void test_instances_of_a_run(void **state)
{
	(void)state;
	assert_int_equal(live("run1", 16, 1), 0);
	assert_int_equal(live("run1", 16, 2), 1);
	assert_int_equal(live("run1", 16, 3), 2);
	assert_int_equal(live("run2", 16, 4), 0); /* another run */
	assert_int_equal(live("run2", 32, 5), 0); /* another program, that keeps something else */
	assert_int_equal(live("run2", 32, 6), 5);
}

static void test_cut_file(void **state)
{
	(void)state;
	live("run3", 16, 7);
	assert_int_equal(truncate(file, 0), 0);
	assert_int_equal(live("run3", 16, 8), 0);
	assert_int_equal(truncate(file, 60), 0);
	assert_int_equal(live("run3", 16, 9), 0); /* its run was cut off */
}

static void test_refusals(void **state)
{
	struct kept kept = {0};
	struct enrg_error err = {0};
	void *memory;

	(void)state;
	assert_int_equal(kept_open(&kept, page, "run", 0, &memory, &err), -EINVAL);
	assert_int_equal(kept_open(&kept, page, "run", KEPT_BYTES_MAX + 1, &memory, &err), -EINVAL);
	assert_int_equal(kept_open(&kept, "/nowhere/tank.page", "run", 8, &memory, &err), -ENOENT);
	kept_close(&kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_instances_of_a_run),
		cmocka_unit_test(test_cut_file),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
