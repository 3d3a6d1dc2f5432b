/* hardware_test.c: what a job says of its instrument comes across whole, and as text alone. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/secret.h"
#include "handover/hardware.h"

static void an_instrument_is_named(void **state)
{
	char folder[] = "/tmp/enrg-hardware-XXXXXX", page[100], path[100], large[300];
	struct hardware found;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(page, sizeof(page), "%s/job.page", folder);
	snprintf(path, sizeof(path), "%s/job.hardware", folder);
	assert_false(hardware_read(page, &found));
	secret_remember("tell-nobody");
	assert_int_equal(hardware_write(page, "V1730 \xc2\xb5", "17\n42 tell-nobody", NULL, NULL), 0);
	assert_true(hardware_read(page, &found));
	assert_string_equal(found.model, "V1730 \xc2\xb5");
	assert_string_equal(found.serial, "17 42 ***");
	assert_string_equal(found.firmware, "");
	memset(large, 'x', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	assert_int_equal(hardware_write(page, "", large, "4.17", NULL), 0);
	assert_true(hardware_read(page, &found));
	assert_int_equal(strlen(found.serial), HARDWARE_TEXT_BYTES - 1);
	assert_string_equal(found.firmware, "4.17");
	unlink(path);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(an_instrument_is_named)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
