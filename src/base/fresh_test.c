/* fresh_test.c: zeroed, and not there before it is used. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/mman.h>

#include "base/fresh.h"

#define PAGES 32u
#define PAGE  4096u

static void only_what_is_used_takes_memory(void **state)
{
	unsigned char resident[PAGES], *memory = fresh_create(PAGES * PAGE);
	unsigned count = 0;

	(void)state;
	assert_non_null(memory);
	memory[5 * PAGE] = 1;
	assert_int_equal(mincore(memory, PAGES * PAGE, resident), 0);
	for (size_t i = 0; i < PAGES; i++)
		count += resident[i] & 1u;
	assert_true(count < PAGES / 2);
	for (size_t i = 0; i < PAGES * PAGE; i++)
		assert_int_equal(memory[i], i == 5 * PAGE);
	fresh_destroy(memory, PAGES * PAGE);
	fresh_destroy(NULL, PAGES * PAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(only_what_is_used_takes_memory)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
