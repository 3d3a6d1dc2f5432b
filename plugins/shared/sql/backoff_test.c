/* backoff_test.c: the delays double up to a limit, and a success ends them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "backoff.h"

static void delays_double_up_to_eight_seconds(void **state)
{
	static const uint64_t delays_ms[] = {900, 1800, 3600, 7200, 8000, 8000};
	const struct enrg_error why = {-111, "refused"};
	struct backoff backoff = {0};
	struct enrg_error err = {0};
	uint64_t now = 5;

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(backoff_check(&backoff, now, &err), 0);
		backoff_note(&backoff, -111, &why, now);
		now += delays_ms[i] * 1000000 - 1;
		assert_int_equal(backoff_check(&backoff, now, &err), -111);
		assert_string_equal(err.text, "refused");
		now++;
	}
	backoff_note(&backoff, 0, &why, now);
	assert_int_equal(backoff_check(&backoff, now, &err), 0);
	backoff_note(&backoff, -111, &why, now);
	assert_int_equal(backoff_check(&backoff, now + 900000000, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(delays_double_up_to_eight_seconds)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
