/* number_test.c: numbers read back as themselves, as short as they can be, as Python prints them. ENRG_NUMBER_CASES=N
 * in the environment checks N random reals of each sort instead of a few hundred thousand (30,000,000: two minutes). */
#include "number.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#ifndef NUMBER_CASES
#define NUMBER_CASES  300000
#define PYTHON_VALUES 1000000
#endif
#define TEXT_OF(number)    TEXT_OF_WORD(number)
#define TEXT_OF_WORD(word) #word

static uint64_t seed = 88172645463325252ull;
static unsigned long cases = NUMBER_CASES;

static uint64_t random_bits(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x9E3779B97F4A7C15ull;
}

static double real_of(uint64_t bits)
{
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static uint64_t bits_of(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static float single_of(uint32_t bits)
{
	float value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static const char *text_f64(double value)
{
	static char text[NUMBER_BYTES_MAX + 1];
	char *end = number_format_f64(text, value);

	assert_true(end - text <= (ptrdiff_t)NUMBER_BYTES_MAX);
	*end = '\0';
	return text;
}

static const char *text_f32(float value)
{
	static char text[NUMBER_BYTES_MAX + 1];
	char *end = number_format_f32(text, value);

	assert_true(end - text <= (ptrdiff_t)NUMBER_BYTES_MAX);
	*end = '\0';
	return text;
}

/* The significant digits, without zeros at either end; how many they are. */
static int digits_of(const char *text, char ret_digits[64])
{
	int count = 0, kept = 0;

	for (; *text && *text != 'e'; text++) {
		if (*text == '.' || *text == '-' || (*text == '0' && count == 0))
			continue;
		ret_digits[count++] = *text;
		if (*text != '0')
			kept = count;
	}
	ret_digits[kept] = '\0';
	return kept;
}

/* Of all decimals with one digit less the nearest is no text for `value`, and of those with as many ours is nearest.
 * `is_power`: the nearest may lie below and be out of its interval, which is shorter there, while another above is not.
 */
static void check_digits(const char *text, double value, bool is_single, bool is_power)
{
	char ours[64], nearest[64], shorter[64];
	int count = digits_of(text, ours);

	if (count > 1) {
		snprintf(shorter, sizeof(shorter), "%.*e", count - 2, value);
		if (is_single ? (double)strtof(shorter, NULL) == value : strtod(shorter, NULL) == value)
			fail_msg("%a became %s, but %s is shorter", value, text, shorter);
	}
	snprintf(shorter, sizeof(shorter), "%.*e", count - 1, value);
	digits_of(shorter, nearest);
	if (!is_power && strcmp(ours, nearest) != 0)
		fail_msg("%a became %s, but %s is nearer", value, text, shorter);
}

static void check_f64(double value)
{
	const char *text = text_f64(value);

	if (bits_of(strtod(text, NULL)) != bits_of(value))
		fail_msg("%a became %s, which is %a", value, text, strtod(text, NULL));
	if (value != 0)
		check_digits(text, value, false, (bits_of(value) & ((1ull << 52) - 1)) == 0);
}

static void check_f32(uint32_t bits)
{
	float value = single_of(bits), back;
	const char *text = text_f32(value);

	back = strtof(text, NULL);
	if (memcmp(&back, &value, sizeof(back)) != 0)
		fail_msg("%a became %s, which is %a", (double)value, text, (double)back);
	if (value != 0)
		check_digits(text, (double)value, true, (bits & ((1u << 23) - 1)) == 0);
}

/* The real itself, its neighbours, and what lies opposite. */
static void check_around(double value)
{
	check_f64(value);
	check_f64(-value);
	check_f64(nextafter(value, INFINITY));
	check_f64(nextafter(value, -INFINITY));
}

static void random_doubles_read_back(void **state)
{
	(void)state;
	for (unsigned long i = 0; i < cases; i++) {
		double value = real_of(random_bits());

		if (isfinite(value))
			check_f64(value);
	}
}

static void everyday_doubles_read_back(void **state)
{
	static const double steps[] = {1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};

	(void)state;
	for (unsigned long i = 0; i < cases / 4; i++) {
		check_f64((double)(random_bits() >> 12) * 0x1p-52);
		check_f64((double)(random_bits() >> 40) / steps[i % 9]);
		check_f64(1.7e12 + (double)(random_bits() % 1000000000) / 1000.0);
		check_around((double)(random_bits() >> (11 + random_bits() % 50)) / steps[i % 9]);
	}
}

/* Each power of two and of ten, with random fractions in between: each power of ten of the table is used. */
static void all_exponents_read_back(void **state)
{
	char text[32];

	(void)state;
	for (uint64_t exponent = 0; exponent < 0x7FF; exponent++) {
		check_around(real_of(exponent << 52));
		for (int i = 0; i < 50; i++)
			check_f64(real_of(exponent << 52 | random_bits() >> 12));
	}
	for (int exponent = -323; exponent <= 308; exponent++) {
		snprintf(text, sizeof(text), "1e%+03d", exponent);
		if (exponent <= -5 || exponent >= 16)
			assert_string_equal(text_f64(strtod(text, NULL)), text);
		check_around(strtod(text, NULL));
	}
}

/* Where decimals of the table's 60 bits end: an interval that ends at a decimal, or a value halfway between two. */
static void exact_halves_read_back(void **state)
{
	(void)state;
	for (int shift = 40; shift < 64; shift++)
		for (int i = 0; i < 2000; i++) {
			uint64_t whole = random_bits() >> (63 - shift) | 1ull << shift;

			check_around((double)(int64_t)(whole >> 1));
			for (int places = 1; places <= 5; places++)
				check_f64(ldexp((double)(int64_t)(whole >> 11), -places));
		}
	/* Whole numbers that end in 5 and 0, beyond 2^53. */
	for (int i = 0; i < 20000; i++)
		check_around((double)(random_bits() >> 4) * 10 + 5);
	/* The smallest, with one to a few bits. */
	for (uint64_t bits = 1; bits < 20000; bits++)
		check_f64(real_of(bits));
}

/* Fixed decimals have a way of their own up to 2^33, and up to 2^14 for floats: its ends. */
static void fixed_decimals_read_back(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		check_around((double)(int64_t)(8589934592000000 - 10000 + i) / 1e6);
		check_around((double)(int64_t)(4503599627370496 - 10000 + i) / 1e6);
		check_around((double)i / 1e6);
		check_around((double)i / 1e8);
		check_around((double)(100000000 - 10000 + i) / 1e4);
		check_f32((127u + 14u) * 8388608u - 10000u + (uint32_t)i);
		check_f32((127u - 10u) * 8388608u - 10000u + (uint32_t)i);
	}
}

static void doubles_look_as_in_python(void **state)
{
	static const struct {
		double value;
		const char *text;
	} table[] = {
		{0.0, "0.0"},
		{-0.0, "-0.0"},
		{1.0, "1.0"},
		{-1.5, "-1.5"},
		{0.1, "0.1"},
		{100.0, "100.0"},
		{0.0001, "0.0001"},
		{0.00012345, "0.00012345"},
		{0.00001, "1e-05"},
		{0.000075, "7.5e-05"},
		{0.000099, "9.9e-05"},
		{0.0001001, "0.0001001"},
		{0.000123, "0.000123"},
		{1.25e-7, "1.25e-07"},
		{1e15, "1000000000000000.0"},
		{9007199254740993.0, "9007199254740992.0"},
		{1e16, "1e+16"},
		{1.5e16, "1.5e+16"},
		{123456789012345680.0, "1.2345678901234568e+17"},
		{1e22, "1e+22"},
		{1e23, "1e+23"},
		{9007199254740994.0, "9007199254740994.0"},
		{5e-324, "5e-324"},
		{1e-323, "1e-323"},
		{1.7976931348623157e308, "1.7976931348623157e+308"},
		{2.2250738585072014e-308, "2.2250738585072014e-308"},
		{2.225073858507201e-308, "2.225073858507201e-308"},
		{1732431234567.125, "1732431234567.125"},
		{1763975123.123456, "1763975123.123456"},
		{0.30000000000000004, "0.30000000000000004"},
		{2e-44, "2e-44"},
		{9.5367431640625e-07, "9.5367431640625e-07"},
		{8589934592.000001, "8589934592.000002"},
		{4294967295.999999, "4294967295.999999"},
		{9999.9999, "9999.9999"},
		{10000.0001, "10000.0001"},
		{99999999.999999, "99999999.999999"},
		{2.0, "2.0"},
		{0.5, "0.5"},
		{4503599627370495.5, "4503599627370495.5"},
		{1.0 / 0.0, "inf"},
		{-1.0 / 0.0, "-inf"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_string_equal(text_f64(table[i].value), table[i].text);
	assert_string_equal(text_f64(strtod("nan", NULL)), "nan");
	assert_string_equal(text_f64(-strtod("nan", NULL)), "nan");
}

/* --- by Python itself -------------------- */

static double python_value(unsigned index)
{
	switch (index % 5) {
	case 0:
		return (double)(random_bits() % 2000000) / 1000.0 - 1000.0;
	case 1:
		return (double)(random_bits() >> 11) * 0x1p-53;
	case 2:
		return 1763975123.0 + (double)(random_bits() % 1000000000) / 1e6;
	default:
		return real_of(random_bits());
	}
}

/* Runs a script over a file that `make` writes, and removes the file. */
static void ask_python(const char *script, void (*make)(FILE *stream))
{
	char path[] = "/tmp/enrgdaq_number_XXXXXX", command[3000];
	int descriptor;

	if (system("python3 -c '' 2>/dev/null") != 0)
		skip();
	descriptor = mkstemp(path);
	assert_true(descriptor >= 0);
	FILE *stream = fdopen(descriptor, "w");
	assert_non_null(stream);
	make(stream);
	assert_int_equal(fclose(stream), 0);
	snprintf(command, sizeof(command), "python3 -c \"%s\" %s", script, path);
	int status = system(command);
	unlink(path);
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* A line a value: its bits, and our text. */
static void write_values(FILE *stream)
{
	for (unsigned i = 0; i < PYTHON_VALUES; i++) {
		double value = python_value(i);

		fprintf(stream, "%016" PRIx64 " %s\n", bits_of(value), text_f64(value));
	}
}

static void python_prints_the_same(void **state)
{
	(void)state;
	ask_python("import struct, sys\n"
		   "count, wrong = 0, []\n"
		   "for line in open(sys.argv[1]):\n"
		   "    bits, text = line.split()\n"
		   "    count += 1\n"
		   "    if repr(struct.unpack('>d', bytes.fromhex(bits))[0]) != text:\n"
		   "        wrong.append(line)\n"
		   "print(count, 'values,', len(wrong), 'others than ours', wrong[:3])\n"
		   "sys.exit(len(wrong) > 0 or count != " TEXT_OF(PYTHON_VALUES) ")\n",
		write_values);
}

static void write_powers(FILE *stream)
{
	for (int k = NUMBER_POWER_MIN; k <= NUMBER_POWER_MAX; k++) {
		uint64_t high, low;

		number_get_power(k, &high, &low);
		fprintf(stream, "%d %016" PRIx64 "%016" PRIx64 "\n", k, high, low);
	}
}

static void python_computes_the_same_powers(void **state)
{
	(void)state;
	ask_python("import sys\n"
		   "from fractions import Fraction\n"
		   "count = 0\n"
		   "for line in open(sys.argv[1]):\n"
		   "    k, digits = line.split()\n"
		   "    power, ours = Fraction(10) ** int(k), int(digits, 16)\n"
		   "    while power >= 2 ** 128: power /= 2\n"
		   "    while power < 2 ** 127: power *= 2\n"
		   "    if -(-power.numerator // power.denominator) != ours: sys.exit('10^' + k)\n"
		   "    count += 1\n"
		   "sys.exit(count != 617)\n",
		write_powers);
}

/* --- floats and integers -------------------- */

static void floats_read_back(void **state)
{
	(void)state;
	for (unsigned long i = 0; i < cases; i++) {
		uint32_t bits = (uint32_t)(random_bits() >> 32);

		if (isfinite(single_of(bits)))
			check_f32(bits);
	}
	for (uint32_t exponent = 0; exponent < 0xFF; exponent++)
		for (uint32_t i = 0; i < 400; i++) {
			check_f32(exponent << 23 | i);
			check_f32(exponent << 23 | (uint32_t)(random_bits() >> 41));
			check_f32((((exponent + 1) << 23) - 1 - i) | 1u << 31);
		}
	for (uint32_t i = 0; i < 100000; i++) {
		float tenths = (float)i / 10.0f, thousandths = (float)i / 1e3f;
		uint32_t bits[2];

		memcpy(&bits[0], &tenths, 4);
		memcpy(&bits[1], &thousandths, 4);
		check_f32(bits[0]);
		check_f32(bits[1] | 1u << 31);
		check_f32(bits[1] + 1);
	}
	assert_string_equal(text_f32(0.1f), "0.1");
	assert_string_equal(text_f32(-0.0f), "-0.0");
	assert_string_equal(text_f32(16777216.0f), "16777216.0");
	assert_string_equal(text_f32(3.4028235e38f), "3.4028235e+38");
	assert_string_equal(text_f32(1e-45f), "1e-45");
	assert_string_equal(text_f32(1.17549435e-38f), "1.1754944e-38");
	assert_string_equal(text_f32(-INFINITY), "-inf");
	assert_string_equal(text_f32((float)strtod("nan", NULL)), "nan");
}

static void check_whole(uint64_t value)
{
	char text[NUMBER_BYTES_MAX + 1], wanted[64];

	*number_format_u64(text, value) = '\0';
	snprintf(wanted, sizeof(wanted), "%" PRIu64, value);
	assert_string_equal(text, wanted);
	*number_format_i64(text, (int64_t)value) = '\0';
	snprintf(wanted, sizeof(wanted), "%" PRId64, (int64_t)value);
	assert_string_equal(text, wanted);
}

static void integers_are_exact(void **state)
{
	(void)state;
	for (unsigned long i = 0; i < cases; i++)
		check_whole(random_bits() >> (random_bits() % 64));
	for (unsigned i = 0; i < 64; i++) {
		check_whole(UINT64_MAX >> i);
		check_whole(1ull << i);
		check_whole(0 - (1ull << i));
	}
	for (uint64_t power = 1, i = 0; i < 20; i++, power *= 10)
		for (uint64_t near = 0; near < 200; near++)
			check_whole(power + near - 100);
	for (uint64_t value = 0; value < 100000; value++)
		check_whole(value);
}

static int set_up(void **state)
{
	const char *wanted = getenv("ENRG_NUMBER_CASES");

	(void)state;
	if (wanted)
		cases = strtoul(wanted, NULL, 10);
	number_init();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_doubles_read_back),
		cmocka_unit_test(everyday_doubles_read_back),
		cmocka_unit_test(all_exponents_read_back),
		cmocka_unit_test(exact_halves_read_back),
		cmocka_unit_test(fixed_decimals_read_back),
		cmocka_unit_test(doubles_look_as_in_python),
		cmocka_unit_test(python_prints_the_same),
		cmocka_unit_test(python_computes_the_same_powers),
		cmocka_unit_test(floats_read_back),
		cmocka_unit_test(integers_are_exact),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
