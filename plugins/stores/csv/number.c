/* number.c: integers two digits a step, reals by the Schubfach algorithm (Raffaello Giulietti, "The Schubfach way
 * to render doubles", 2020). Runs in the store's job process, on its main thread; after number_init any thread may
 * format.
 *
 * A real is c * 2^q with an interval around it in which every decimal reads back as itself. The interval is scaled
 * by 10^-k so that it spans between 1 and 10 units; then one of very few candidates is the shortest decimal in it.
 * The scaling is exact enough with powers of ten of 128 bits and odd rounding, as the paper proves. Floats use the
 * same steps: their interval is only wider.
 */
#include "number.h"

#include <stdbool.h>
#include <string.h>

#define POWER_MIN (-292)
#define POWER_MAX 324
#define BIG_WORDS 48 /* of 32 bits: 2^1536 > 10^324 * 2^128 and > 2^(128 + 64) * 10^292 */

struct power {
	uint64_t high, low; /* 10^k * 2^-r rounded up, 2^127 <= value < 2^128 */
};

static struct power powers[POWER_MAX - POWER_MIN + 1];

/* --- the table of powers -------------------- */

struct big {
	uint32_t words[BIG_WORDS]; /* least significant first */
};

static void big_multiply_by_ten(struct big *big)
{
	uint64_t carry = 0;

	for (int i = 0; i < BIG_WORDS; i++) {
		carry += (uint64_t)big->words[i] * 10;
		big->words[i] = (uint32_t)carry;
		carry >>= 32;
	}
}

/* Rounds down. Dividing by ten k times gives the same as dividing once by 10^k. */
static void big_divide_by_ten(struct big *big)
{
	uint64_t rest = 0;

	for (int i = BIG_WORDS - 1; i >= 0; i--) {
		rest = rest << 32 | big->words[i];
		big->words[i] = (uint32_t)(rest / 10);
		rest %= 10;
	}
}

static bool big_bit(const struct big *big, int bit)
{
	return bit >= 0 && (big->words[bit / 32] >> (bit % 32) & 1);
}

/* The 128 most significant bits, rounded up where something is cut off or `is_cut` says that it was before. */
static struct power big_top(const struct big *big, bool is_cut)
{
	struct power power = { 0, 0 };
	int top = BIG_WORDS * 32 - 1;

	while (!big_bit(big, top))
		top--;
	for (int i = 0; i < 128; i++) {
		power.high = power.high << 1 | power.low >> 63;
		power.low = power.low << 1 | big_bit(big, top - i);
	}
	for (int bit = top - 128; bit >= 0 && !is_cut; bit--)
		is_cut = big_bit(big, bit);
	if (is_cut && ++power.low == 0)
		power.high++;
	return power;
}

void number_init(void)
{
	struct big big = { { 1 } };

	for (int k = 0; k <= POWER_MAX; k++) {
		powers[k - POWER_MIN] = big_top(&big, false);
		big_multiply_by_ten(&big);
	}
	memset(&big, 0, sizeof(big));
	big.words[BIG_WORDS - 1] = 0x80000000u;
	for (int k = -1; k >= POWER_MIN; k--) {
		big_divide_by_ten(&big);
		powers[k - POWER_MIN] = big_top(&big, true);
	}
}

/* --- reals -------------------- */

struct decimal {
	uint64_t digits;
	int exponent; /* value = digits * 10^exponent */
};

/* floor(log10(2^e)), floor(log10(3/4 * 2^e)), floor(log2(10^e)): exact for |e| <= 1500 or so. */
static int floor_log10_pow2(int e)
{
	return (e * 1262611) >> 22;
}

static int floor_log10_three_quarters_pow2(int e)
{
	return (e * 1262611 - 524031) >> 22;
}

static int floor_log2_pow10(int e)
{
	return (e * 1741647) >> 19;
}

/* power * factor / 2^128, and the last bit set where something was cut off. */
static uint64_t multiply_round_to_odd(struct power power, uint64_t factor)
{
	__extension__ unsigned __int128 low = power.low, high = power.high;

	low *= factor;
	high = high * factor + (uint64_t)(low >> 64);
	return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

/* The shortest decimal that rounds to c * 2^q; the closest of those. `is_irregular`: the next smaller real is only
 * half as far away as the next larger one. */
static struct decimal shortest_decimal(uint64_t c, int q, bool is_irregular)
{
	bool is_odd = c & 1;
	int k = is_irregular ? floor_log10_three_quarters_pow2(q) : floor_log10_pow2(q);
	int h = q + floor_log2_pow10(-k) + 1;
	struct power power = powers[-k - POWER_MIN];
	uint64_t middle = multiply_round_to_odd(power, (4 * c) << h);
	uint64_t lower = multiply_round_to_odd(power, (4 * c - 2 + is_irregular) << h) + is_odd;
	uint64_t upper = multiply_round_to_odd(power, (4 * c + 2) << h) - is_odd;
	uint64_t s = middle / 4;
	bool below_fits, above_fits;

	if (s >= 10) {
		uint64_t tens = s / 10;

		below_fits = lower <= 40 * tens;
		above_fits = 40 * tens + 40 <= upper;
		if (below_fits != above_fits)
			return (struct decimal){ tens + above_fits, k + 1 };
	}
	below_fits = lower <= 4 * s;
	above_fits = 4 * s + 4 <= upper;
	if (below_fits != above_fits)
		return (struct decimal){ s + above_fits, k };
	return (struct decimal){ s + (middle > 4 * s + 2 || (middle == 4 * s + 2 && (s & 1))), k };
}

/* --- text -------------------- */

static const char digit_pairs[201] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
				     "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
				     "8081828384858687888990919293949596979899";

static unsigned count_digits(uint64_t value)
{
	unsigned count = 1;

	for (; value >= 10000; value /= 10000)
		count += 4;
	return count + (value >= 10) + (value >= 100) + (value >= 1000);
}

char *number_format_u64(char *out, uint64_t value)
{
	char *end = out + count_digits(value), *at = end;

	while (value >= 100) {
		at -= 2;
		memcpy(at, digit_pairs + 2 * (value % 100), 2);
		value /= 100;
	}
	if (value >= 10)
		memcpy(at - 2, digit_pairs + 2 * value, 2);
	else
		at[-1] = (char)('0' + value);
	return end;
}

char *number_format_i64(char *out, int64_t value)
{
	uint64_t magnitude = (uint64_t)value;

	if (value < 0) {
		*out++ = '-';
		magnitude = 0 - magnitude;
	}
	return number_format_u64(out, magnitude);
}

static char *format_exponent(char *out, int exponent)
{
	unsigned magnitude = (unsigned)(exponent < 0 ? -exponent : exponent);

	*out++ = 'e';
	*out++ = exponent < 0 ? '-' : '+';
	if (magnitude >= 100) {
		*out++ = (char)('0' + magnitude / 100);
		magnitude %= 100;
	}
	memcpy(out, digit_pairs + 2 * magnitude, 2);
	return out + 2;
}

static char *format_decimal(char *out, struct decimal decimal)
{
	char digits[24];
	int count, point;

	while (decimal.digits % 10 == 0) {
		decimal.digits /= 10;
		decimal.exponent++;
	}
	count = (int)(number_format_u64(digits, decimal.digits) - digits);
	point = count + decimal.exponent; /* digits in front of the point */
	if (point <= -4 || point > 16) {
		*out++ = digits[0];
		if (count > 1) {
			*out++ = '.';
			memcpy(out, digits + 1, (size_t)count - 1);
			out += count - 1;
		}
		return format_exponent(out, point - 1);
	}
	if (point <= 0) {
		memcpy(out, "0.0000", 6);
		out += 2 - point;
		memcpy(out, digits, (size_t)count);
		return out + count;
	}
	if (point < count) {
		memcpy(out, digits, (size_t)point);
		out[point] = '.';
		memcpy(out + point + 1, digits + point, (size_t)(count - point));
		return out + count + 1;
	}
	memcpy(out, digits, (size_t)count);
	memset(out + count, '0', (size_t)(point - count));
	memcpy(out + point, ".0", 2);
	return out + point + 2;
}

static char *format_special(char *out, bool is_nan)
{
	memcpy(out, is_nan ? "nan" : "inf", 3);
	return out + 3;
}

char *number_format_f64(char *out, double value)
{
	uint64_t bits, fraction;
	int exponent;

	memcpy(&bits, &value, sizeof(bits));
	fraction = bits & ((1ull << 52) - 1);
	exponent = (int)(bits >> 52 & 0x7FF);
	if (exponent == 0x7FF && fraction != 0)
		return format_special(out, true);
	if (bits >> 63)
		*out++ = '-';
	if (exponent == 0x7FF)
		return format_special(out, false);
	if (exponent == 0 && fraction == 0) {
		memcpy(out, "0.0", 3);
		return out + 3;
	}
	if (exponent == 0)
		return format_decimal(out, shortest_decimal(fraction, -1074, false));
	if (exponent >= 1023 && exponent <= 1075) {
		uint64_t whole = (1ull << 52 | fraction) >> (1075 - exponent);

		if (whole << (1075 - exponent) == (1ull << 52 | fraction)) { /* an integer below 2^53 */
			out = number_format_u64(out, whole);
			memcpy(out, ".0", 2);
			return out + 2;
		}
	}
	return format_decimal(out, shortest_decimal(1ull << 52 | fraction, exponent - 1075,
		fraction == 0 && exponent > 1));
}

char *number_format_f32(char *out, float value)
{
	uint32_t bits, fraction;
	int exponent;

	memcpy(&bits, &value, sizeof(bits));
	fraction = bits & ((1u << 23) - 1);
	exponent = (int)(bits >> 23 & 0xFF);
	if (exponent == 0xFF && fraction != 0)
		return format_special(out, true);
	if (bits >> 31)
		*out++ = '-';
	if (exponent == 0xFF)
		return format_special(out, false);
	if (exponent == 0 && fraction == 0) {
		memcpy(out, "0.0", 3);
		return out + 3;
	}
	if (exponent == 0)
		return format_decimal(out, shortest_decimal(fraction, -149, false));
	return format_decimal(out, shortest_decimal(1u << 23 | fraction, exponent - 150,
		fraction == 0 && exponent > 1));
}
