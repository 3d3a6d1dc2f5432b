/* raw_copier_test.c: the copier takes the cheaper way, notices when that changes, and copies every byte either way. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "copier.h"

/* Pieces of `count` that go the way `way` where plain copies cost `plain` and others `other` ns a byte. */
static unsigned drive(struct copier *copier, unsigned count, double plain, double other, enum copier_way way)
{
	unsigned taken = 0;

	for (unsigned i = 0; i < count; i++) {
		enum copier_way next = copier_choose(copier);

		taken += next == way;
		copier_learn(copier, next, next == COPIER_PLAIN ? plain : other);
	}
	return taken;
}

static void test_cheaper_way_is_taken(void **state)
{
	struct copier plain = {0}, other = {0};

	(void)state;
	assert_true(drive(&plain, 320, 0.05, 0.1, COPIER_PLAIN) > 300);
	assert_true(drive(&other, 320, 0.1, 0.05, COPIER_NON_TEMPORAL) > 300);
	/* the cores have moved */
	drive(&plain, 640, 0.2, 0.1, COPIER_PLAIN);
	assert_true(drive(&plain, 320, 0.2, 0.1, COPIER_NON_TEMPORAL) > 300);
	drive(&other, 640, 0.05, 0.1, COPIER_PLAIN);
	assert_true(drive(&other, 320, 0.05, 0.1, COPIER_PLAIN) > 300);
}

static void test_every_byte_is_copied(void **state)
{
	enum { BYTES = 5000 };
	uint8_t *from = malloc(BYTES), *to = malloc(BYTES);

	(void)state;
	for (size_t i = 0; i < BYTES; i++)
		from[i] = (uint8_t)(i * 7 + i / 256);
	for (unsigned round = 0; round < 256; round++) {
		size_t at = round % 67, count = (round * 19) % (BYTES - 130);

		memset(to, 0xee, BYTES);
		copier_copy(round % COPIER_WAYS, to + at, from + round % 13, count);
		assert_memory_equal(to + at, from + round % 13, count);
		assert_int_equal(to[at + count], 0xee);
		assert_true(at == 0 || to[at - 1] == 0xee);
	}
	free(from);
	free(to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cheaper_way_is_taken),
		cmocka_unit_test(test_every_byte_is_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
