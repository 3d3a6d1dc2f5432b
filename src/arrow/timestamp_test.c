/* timestamp_test.c: times as text, beside the C library. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "enrgdaq/schema.h"

#define CASES 200000u

static const char *format(int64_t timestamp_ns)
{
	static char text[ENRG_TIMESTAMP_BYTES + 1];

	text[ENRG_TIMESTAMP_BYTES] = '#';
	assert_ptr_equal(enrg_timestamp_format(timestamp_ns, text), text + ENRG_TIMESTAMP_BYTES);
	assert_int_equal(text[ENRG_TIMESTAMP_BYTES], '#'); /* no NUL */
	text[ENRG_TIMESTAMP_BYTES] = '\0';
	return text;
}

static void known_times(void **state)
{
	(void)state;
	assert_string_equal(format(0), "1970-01-01T00:00:00.000000000Z");
	assert_string_equal(format(-1), "1969-12-31T23:59:59.999999999Z");
	assert_string_equal(format(1795824754123456789), "2026-11-28T00:12:34.123456789Z");
	assert_string_equal(format(951782400000000000), "2000-02-29T00:00:00.000000000Z");
	assert_string_equal(format(4107542400000000000), "2100-03-01T00:00:00.000000000Z"); /* no 29 February */
	assert_string_equal(format(INT64_MAX), "2262-04-11T23:47:16.854775807Z");
	assert_string_equal(format(INT64_MIN), "1677-09-21T00:12:43.145224192Z");
}

static void as_the_library(void **state)
{
	char wanted[64], day[32];
	struct tm parts;
	uint64_t bits = 1;

	(void)state;
	for (unsigned i = 0; i < CASES; i++) {
		bits = bits * 6364136223846793005u + 1442695040888963407u;
		int64_t value = (int64_t)bits;
		if (i % 2) /* the days one by one, at their edges */
			value = ((int64_t)i - CASES / 2) * 86400 * 1000000000 / 2 % (INT64_MAX / 2) - i % 4;
		time_t seconds = (time_t)(value / 1000000000 - (value % 1000000000 < 0));
		int64_t part = value % 1000000000;
		gmtime_r(&seconds, &parts);
		strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &parts);
		snprintf(wanted, sizeof(wanted), "%s.%09" PRId64 "Z", day, part < 0 ? part + 1000000000 : part);
		assert_string_equal(format(value), wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_times),
		cmocka_unit_test(as_the_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
