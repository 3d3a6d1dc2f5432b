/* number_test.c: numbers read back as themselves, and as short as they can be. */
#include "number.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static uint64_t seed = 88172645463325252ull;

static uint64_t random_bits(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x9E3779B97F4A7C15ull;
}

static const char *text_f64(double value)
{
	static char text[NUMBER_BYTES_MAX + 1];
	char *end = number_format_f64(text, value);

	assert_true(end - text <= (ptrdiff_t)NUMBER_BYTES_MAX);
	*end = '\0';
	return text;
}

static unsigned digits_of(const char *text)
{
	unsigned count = 0, zeros = 0;

	for (; *text && *text != 'e'; text++) {
		if (*text == '.' || *text == '-' || (*text == '0' && count == 0))
			continue;
		count++;
		zeros = *text == '0' ? zeros + 1 : 0;
	}
	return count - zeros;
}

/* Significant digits of the shortest %.*e that reads back. */
static unsigned shortest_digits(double value)
{
	char text[64];

	for (int precision = 0; precision < 17; precision++) {
		snprintf(text, sizeof(text), "%.*e", precision, value);
		if (strtod(text, NULL) == value)
			return digits_of(text);
	}
	return 17;
}

static void check_f64(double value)
{
	const char *text = text_f64(value);
	double back = strtod(text, NULL);

	if (memcmp(&back, &value, sizeof(back)) != 0)
		fail_msg("%a became %s, which is %a", value, text, back);
	if (digits_of(text) > shortest_digits(value))
		fail_msg("%a became %s, but %u digits are enough", value, text, shortest_digits(value));
}

static void random_doubles_read_back(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		uint64_t bits = random_bits();
		double value;

		memcpy(&value, &bits, sizeof(value));
		if (value - value != 0.0)
			continue;
		check_f64(value);
	}
}

static void everyday_doubles_read_back(void **state)
{
	(void)state;
	for (int i = 0; i < 100000; i++) {
		check_f64((double)(random_bits() >> 12) * 0x1p-52);
		check_f64((double)(int)(random_bits() % 2000000) / 1000.0 - 1000.0);
		check_f64(1.7e12 + (double)(random_bits() % 1000000000) / 1000.0);
	}
	for (int exponent = -1074; exponent <= 1023; exponent++) {
		double power;
		uint64_t bits = exponent < -1022 ? 1ull << (exponent + 1074) : (uint64_t)(exponent + 1023) << 52;

		memcpy(&power, &bits, sizeof(power));
		check_f64(power);
		bits--;
		memcpy(&power, &bits, sizeof(power));
		check_f64(power);
		bits += 2;
		memcpy(&power, &bits, sizeof(power));
		check_f64(power);
	}
}

static void doubles_look_as_in_python(void **state)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {
		{ 0.0, "0.0" }, { -0.0, "-0.0" }, { 1.0, "1.0" }, { -1.5, "-1.5" }, { 0.1, "0.1" }, { 100.0, "100.0" },
		{ 0.0001, "0.0001" }, { 0.00012345, "0.00012345" }, { 0.00001, "1e-05" }, { 1.25e-7, "1.25e-07" },
		{ 1e15, "1000000000000000.0" }, { 9007199254740993.0, "9007199254740992.0" },
		{ 1e16, "1e+16" }, { 1.5e16, "1.5e+16" }, { 123456789012345680.0, "1.2345678901234568e+17" },
		{ 1e22, "1e+22" }, { 1e23, "1e+23" }, { 9007199254740994.0, "9007199254740994.0" },
		{ 5e-324, "5e-324" }, { 1.7976931348623157e308, "1.7976931348623157e+308" },
		{ 2.2250738585072014e-308, "2.2250738585072014e-308" }, { 1732431234567.125, "1732431234567.125" },
		{ 0.30000000000000004, "0.30000000000000004" }, { 2e-44, "2e-44" },
		{ 1.0 / 0.0, "inf" }, { -1.0 / 0.0, "-inf" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(text_f64(cases[i].value), cases[i].text);
	assert_string_equal(text_f64(strtod("nan", NULL)), "nan");
}

static void floats_read_back(void **state)
{
	char text[NUMBER_BYTES_MAX + 1];

	(void)state;
	for (unsigned i = 0; i < 300000; i++) {
		uint32_t bits = (uint32_t)(random_bits() >> 32);
		float value, back;

		if (i < 512)
			bits = (i / 2) << 23 | (i & 1);
		memcpy(&value, &bits, sizeof(value));
		if (value - value != 0.0f)
			continue;
		*number_format_f32(text, value) = '\0';
		back = strtof(text, NULL);
		if (memcmp(&back, &value, sizeof(back)) != 0)
			fail_msg("%a became %s", (double)value, text);
		assert_true(digits_of(text) <= 9);
	}
	*number_format_f32(text, 0.1f) = '\0';
	assert_string_equal(text, "0.1");
	*number_format_f32(text, 16777216.0f) = '\0';
	assert_string_equal(text, "16777216.0");
	*number_format_f32(text, 3.4028235e38f) = '\0';
	assert_string_equal(text, "3.4028235e+38");
}

static void integers_are_exact(void **state)
{
	char text[NUMBER_BYTES_MAX + 1], wanted[64];

	(void)state;
	for (unsigned i = 0; i < 200000; i++) {
		uint64_t bits = random_bits() >> (random_bits() % 64);

		if (i < 64)
			bits = UINT64_MAX >> i;
		*number_format_u64(text, bits) = '\0';
		snprintf(wanted, sizeof(wanted), "%" PRIu64, bits);
		assert_string_equal(text, wanted);
		*number_format_i64(text, (int64_t)bits) = '\0';
		snprintf(wanted, sizeof(wanted), "%" PRId64, (int64_t)bits);
		assert_string_equal(text, wanted);
	}
	*number_format_i64(text, INT64_MIN) = '\0';
	assert_string_equal(text, "-9223372036854775808");
	*number_format_u64(text, 0) = '\0';
	assert_string_equal(text, "0");
}

static int set_up(void **state)
{
	(void)state;
	number_init();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_doubles_read_back),
		cmocka_unit_test(everyday_doubles_read_back),
		cmocka_unit_test(doubles_look_as_in_python),
		cmocka_unit_test(floats_read_back),
		cmocka_unit_test(integers_are_exact),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
