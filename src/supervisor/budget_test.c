/* budget_test.c: shares, the least size, a full file system. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "supervisor/budget.h"

static void rings_share_the_budget(void **state)
{
	(void)state;
	assert_int_equal(budget_ring_bytes(0, 256, 4, 1024), 64ull << 20);
	assert_int_equal(budget_ring_bytes(12, 256, 4, 1024), 12ull << 20);
	assert_true(budget_ring_bytes(0, 256, 1000, 1024) >= 2ull << 20);
	assert_true(budget_ring_bytes(1, 256, 1, 8192) >= 16ull << 20);
	assert_int_equal(budget_ring_bytes(1, 256, 1, 8193) % 4096, 0);
}

static void a_full_file_system_is_explained(void **state)
{
	struct enrg_error err = {0};

	(void)state;
	assert_int_equal(budget_check("/dev/shm", 1, 1, &err), 0);
	assert_int_equal(budget_check("/dev/shm", 1ull << 60, 3, &err), 1); /* rings take pages when they need them */
	assert_non_null(strstr(err.text, "waits for its stores"));
	assert_int_equal(budget_check("/dev/shm", 1ull << 60, 1ull << 40, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "ring_buffer_size_mb"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rings_share_the_budget),
		cmocka_unit_test(a_full_file_system_is_explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
