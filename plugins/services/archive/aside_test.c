/* aside_test.c: a file that fails alone is set aside, a target that fails with all of them is not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "aside.h"

#define DELAY_NS 1000u

static struct aside aside;
static char names[4][8] = {"a", "b", "c", "d"};
static struct inventory_file files[4];

static int set_up(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		files[i] = (struct inventory_file){.name = names[i], .status = {.st_size = 10 + i}};
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	aside_fini(&aside);
	return 0;
}

static bool fail_file(int i, const char *reason, uint64_t now_ns)
{
	const struct aside_failure failure = {.reason = reason, .now_ns = now_ns, .delay_ns = DELAY_NS};

	return aside_fail(&aside, &files[i], &failure);
}

static bool is_among(int i, uint64_t now_ns)
{
	return aside_is_due(&aside, &files[i], false, now_ns);
}

static bool is_behind(int i, uint64_t now_ns)
{
	return aside_is_due(&aside, &files[i], true, now_ns);
}

static void one_that_fails_alone_is_set_aside(void **state)
{
	(void)state;
	assert_false(fail_file(0, "too large", 1));
	assert_false(fail_file(0, "too large", 2));
	assert_true(is_among(0, 3) && !is_behind(0, 3));
	assert_false(fail_file(0, "too large", 3));
	assert_true(!is_among(0, 3) && is_behind(0, 3)); /* now others have their turn */
	assert_true(is_among(1, 3));
	aside_succeed(&aside, &files[1], 4);
	assert_true(fail_file(0, "too large", 5)); /* and went through */
	assert_int_equal(aside.set_aside, 1);
	assert_string_equal(aside_first(&aside)->name, "a");
	assert_false(is_among(0, 6) || is_behind(0, 5 + DELAY_NS - 1));
	assert_true(is_behind(0, 5 + DELAY_NS));
	/* twice as long, up to a day */
	uint64_t now_ns = 2000;
	for (uint64_t delay_ns = 2 * DELAY_NS; delay_ns < 86400000000000u; delay_ns *= 2) {
		assert_true(fail_file(0, "too large", now_ns));
		assert_false(is_behind(0, now_ns + delay_ns - 1));
		now_ns += delay_ns;
		assert_true(is_behind(0, now_ns));
	}
	assert_true(fail_file(0, "too large", now_ns));
	assert_true(is_behind(0, now_ns + 86400000000000u));
	aside_succeed(&aside, &files[0], now_ns);
	assert_int_equal(aside.set_aside + aside.count, 0);
	assert_true(is_among(0, now_ns));
}

static void a_target_that_takes_nothing_is_to_blame(void **state)
{
	(void)state;
	aside_succeed(&aside, &files[3], 1); /* before */
	for (uint64_t now_ns = 2; now_ns < 50; now_ns++)
		assert_false(fail_file((int)(now_ns % 3), "no", now_ns));
	assert_int_equal(aside.set_aside, 0);
	assert_true(is_behind(0, 50)); /* each of them is still tried */
}

static void a_known_reason_is_no_news(void **state)
{
	struct aside_failure own = {.reason = "name too long", .is_own = true, .now_ns = 1, .delay_ns = DELAY_NS};

	(void)state;
	assert_true(aside_fail(&aside, &files[0], &own));
	assert_false(fail_file(1, "name too long", 2)); /* nothing went through since */
	aside_succeed(&aside, &files[2], 3);
	assert_true(fail_file(1, "name too long", 4));
	assert_false(fail_file(3, "another", 5));
	assert_false(fail_file(3, "name too long", 6)); /* as the target may say for all from now on */
}

static void another_file_of_that_name_is_tried(void **state)
{
	struct aside_failure own = {.reason = "unreadable", .is_own = true, .now_ns = 1, .delay_ns = DELAY_NS};
	struct inventory inventory = {.files = files, .count = 4};

	(void)state;
	assert_true(aside_fail(&aside, &files[0], &own) && aside_fail(&aside, &files[1], &own));
	aside_forget_gone(&aside, &inventory);
	assert_int_equal(aside.set_aside, 2);
	files[0].status.st_size++;
	assert_true(is_among(0, 2) && !aside_find(&aside, &files[0]));
	aside_forget_gone(&aside, &inventory);
	assert_int_equal(aside.set_aside, 1);
	assert_true(aside_find(&aside, &files[1])->is_set_aside);
	inventory.count = 1;
	aside_forget_gone(&aside, &inventory);
	assert_int_equal(aside.set_aside + aside.count, 0);
	assert_null(aside_first(&aside));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_that_fails_alone_is_set_aside, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_target_that_takes_nothing_is_to_blame, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_known_reason_is_no_news, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_file_of_that_name_is_tried, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
