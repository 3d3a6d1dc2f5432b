/* error_test.c: codes, chains and cut texts. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "enrgdaq/error.h"

static void test_set_returns_the_code(void **state)
{
	struct enrg_error err = {0};

	(void)state;
	assert_int_equal(enrg_error_set(&err, -ENOENT, "no %s", "file"), -ENOENT);
	assert_int_equal(err.code, -ENOENT);
	assert_string_equal(err.text, "no file");
	assert_int_equal(enrg_error_set(NULL, -EIO, "x"), -EIO);
}

static void test_add_puts_context_before(void **state)
{
	struct enrg_error err = {0};

	(void)state;
	enrg_error_set(&err, -EIO, "disk");
	assert_int_equal(enrg_error_add(&err, -EIO, "job %d", 3), -EIO);
	assert_string_equal(err.text, "job 3: disk");
}

/* A callee that said nothing, or was given no object: the failure must arrive all the same. */
static void test_add_carries_the_code_through(void **state)
{
	struct enrg_error err = {0};

	(void)state;
	assert_int_equal(enrg_error_add(NULL, -EIO, "disk"), -EIO);
	assert_int_equal(enrg_error_add(&err, -ENOSPC, "job %d", 3), -ENOSPC);
	assert_int_equal(err.code, -ENOSPC);
	assert_string_equal(err.text, "job 3: No space left on device");
	assert_int_equal(enrg_error_add(&err, -ENOSPC, "store"), -ENOSPC);
	assert_string_equal(err.text, "store: job 3: No space left on device");
}

static void test_long_chain_stays_terminated(void **state)
{
	struct enrg_error err = {0};

	(void)state;
	enrg_error_set(&err, -EIO, "x");
	for (int i = 0; i < 500; i++)
		enrg_error_add(&err, -EIO, "context");
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_int_equal(err.code, -EIO);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(enrg_error_name(ENRG_E_STOPPED), "asked to stop");
	assert_string_equal(enrg_error_name(-ENOENT), "No such file or directory");
	assert_string_equal(enrg_error_name(-9999), "unknown error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_returns_the_code),
		cmocka_unit_test(test_add_puts_context_before),
		cmocka_unit_test(test_add_carries_the_code_through),
		cmocka_unit_test(test_long_chain_stays_terminated),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
