/* number.c: numbers as text, integers eight digits a step, reals as their shortest text. Runs in the store's job
 * process, on its main thread; after number_init any thread may format. Little-endian machines.
 *
 * A real is c * 2^q with an interval around it in which every decimal reads back as itself. Scaled by 10^-k the
 * interval spans between 1 and 10 units, so there is at most one multiple of ten in it, which then is the shortest
 * decimal, zeros at its end left out; else the nearest integer is. find_decimal decides that from one product with a
 * power of ten of 128 bits, of which it knows 60 bits behind the point. Where these don't decide (an end of the
 * interval, or a half, closer than 2^-58), shortest_decimal does, the Schubfach algorithm (Raffaello Giulietti, "The
 * Schubfach way to render doubles", 2020): its three products rounded to odd are exact enough for every case, as the
 * paper proves. Floats use the same steps: their interval is only wider.
 */
#include "number.h"

#include <stdbool.h>
#include <string.h>

#define POINT_MAX 16 /* digits before the point; with more the text has an exponent */
#define BIG_WORDS 48 /* of 32 bits: 2^1536 > 10^324 * 2^128 and > 2^(128 + 64) * 10^292 */

struct power {
	uint64_t high, low; /* 10^k * 2^-r rounded up, 2^127 <= value < 2^128 */
};

static struct power powers[NUMBER_POWER_MAX - NUMBER_POWER_MIN + 1];

/* How the point is put into 16 digits: the bytes before it stay, the others move up by one. */
struct split {
	uint64_t keep[2], point[2];
};

static struct split splits[POINT_MAX + 1]; /* by the number of digits before the point, the first digit among them */

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
	struct power power = {0, 0};
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

static void init_splits(void)
{
	for (int point = 1; point <= POINT_MAX; point++) {
		struct split *split = &splits[point];
		int at = point - 1, word = at / 8;

		split->keep[0] = word ? UINT64_MAX : 0;
		split->keep[word] = (1ull << at % 8 * 8) - 1;
		split->point[word] = (uint64_t)'.' << at % 8 * 8;
	}
}

void number_init(void)
{
	struct big big = {{1}};

	for (int k = 0; k <= NUMBER_POWER_MAX; k++) {
		powers[k - NUMBER_POWER_MIN] = big_top(&big, false);
		big_multiply_by_ten(&big);
	}
	memset(&big, 0, sizeof(big));
	big.words[BIG_WORDS - 1] = 0x80000000u;
	for (int k = -1; k >= NUMBER_POWER_MIN; k--) {
		big_divide_by_ten(&big);
		powers[k - NUMBER_POWER_MIN] = big_top(&big, true);
	}
	init_splits();
}

void number_get_power(int k, uint64_t *ret_high, uint64_t *ret_low)
{
	*ret_high = powers[k - NUMBER_POWER_MIN].high;
	*ret_low = powers[k - NUMBER_POWER_MIN].low;
}

/* --- integers -------------------- */

#define TEN_8       100000000ull
#define TEN_16      10000000000000000ull
#define EIGHT_ZEROS 0x3030303030303030ull

static inline void put(char *out, uint64_t bytes)
{
	memcpy(out, &bytes, 8);
}

/* The eight digits (0 … 9) of a value below 10^8, the first in the lowest byte. Divides by 100 and 10 in several lanes
 * at once: n * 10486 / 2^20 is right for n < 10^4, n * 103 / 2^10 for n < 100. */
static inline uint64_t spread(uint32_t value)
{
	uint64_t fours = value / 10000 | (uint64_t)(value % 10000) << 32;
	uint64_t hundreds = fours * 10486 >> 20 & 0x0000007F0000007Full;
	uint64_t twos = hundreds | (fours - hundreds * 100) << 16;
	uint64_t tens = twos * 103 >> 10 & 0x000F000F000F000Full;

	return tens | (twos - tens * 10) << 8;
}

/* Without zeros in front. */
static inline char *put_head(char *out, uint32_t value)
{
	uint64_t digits = spread(value);
	unsigned zeros = (unsigned)__builtin_ctzll(digits | 1ull << 56) / 8;

	put(out, (digits | EIGHT_ZEROS) >> 8 * zeros);
	return out + 8 - zeros;
}

char *number_format_u64(char *out, uint64_t value)
{
	if (value < TEN_8)
		return put_head(out, (uint32_t)value);
	if (value < TEN_16) {
		out = put_head(out, (uint32_t)(value / TEN_8));
	} else {
		uint64_t rest = value % TEN_16;

		out = put_head(out, (uint32_t)(value / TEN_16));
		put(out, spread((uint32_t)(rest / TEN_8)) | EIGHT_ZEROS);
		out += 8;
	}
	put(out, spread((uint32_t)(value % TEN_8)) | EIGHT_ZEROS);
	return out + 8;
}

char *number_format_i64(char *out, int64_t value)
{
	uint64_t sign = (uint64_t)(value >> 63);

	*out = '-';
	return number_format_u64(out + (sign & 1), ((uint64_t)value ^ sign) - sign);
}

/* --- shortest decimals -------------------- */

struct decimal {
	uint64_t digits;
	int exponent; /* value = digits * 10^exponent */
};

/* c * 2^q; `is_irregular`: the next smaller real is only half as far away as the next larger one. */
struct real {
	uint64_t c;
	int q;
	bool is_irregular;
};

/* floor(log10(2^e)), floor(log10(3/4 * 2^e)), floor(log2(10^e)): exact for |e| <= 1500 or so. */
static inline int floor_log10_pow2(int e)
{
	return (e * 1262611) >> 22;
}

static int floor_log10_three_quarters_pow2(int e)
{
	return (e * 1262611 - 524031) >> 22;
}

static inline int floor_log2_pow10(int e)
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

/* The shortest decimal that rounds to `real`; the closest of those. */
static struct decimal shortest_decimal(const struct real *real)
{
	uint64_t c = real->c;
	bool is_odd = c & 1;
	int k = real->is_irregular ? floor_log10_three_quarters_pow2(real->q) : floor_log10_pow2(real->q);
	int h = real->q + floor_log2_pow10(-k) + 1;
	struct power power = powers[-k - NUMBER_POWER_MIN];
	uint64_t middle = multiply_round_to_odd(power, (4 * c) << h);
	uint64_t lower = multiply_round_to_odd(power, (4 * c - 2 + real->is_irregular) << h) + is_odd;
	uint64_t upper = multiply_round_to_odd(power, (4 * c + 2) << h) - is_odd;
	uint64_t s = middle / 4;
	bool below_fits, above_fits;

	if (s >= 10) {
		uint64_t tens = s / 10;

		below_fits = lower <= 40 * tens;
		above_fits = 40 * tens + 40 <= upper;
		if (below_fits != above_fits)
			return (struct decimal){tens + above_fits, k + 1};
	}
	below_fits = lower <= 4 * s;
	above_fits = 4 * s + 4 <= upper;
	if (below_fits != above_fits)
		return (struct decimal){s + above_fits, k};
	return (struct decimal){s + (middle > 4 * s + 2 || (middle == 4 * s + 2 && (s & 1))), k};
}

#define UNIT (1ull << 60)

static inline bool is_close(uint64_t a, uint64_t b, uint64_t doubt)
{
	return a - b + doubt <= 2 * doubt;
}

/* The same for nearly all reals; false: shortest_decimal has to say. Normalised ones only: their interval is far from
 * 0. A multiple of ten in the interval is the shortest whatever k is, so an irregular real is not special then.
 * `is_single`: c has 24 bits, for which the upper half of the power is enough. `doubt` (of 2^-60) is more than what is
 * cut off the power, the product, and the half. */
static inline __attribute__((always_inline)) bool find_decimal(
	const struct real *real, bool is_single, struct decimal *ret_decimal)
{
	int k = floor_log10_pow2(real->q);
	int h = real->q + floor_log2_pow10(-k) + 1; /* 1 … 4 */
	const struct power *power = &powers[-k - NUMBER_POWER_MIN];
	uint64_t factor = real->c << h, doubt = is_single ? 1u << 26 : 2;
	__extension__ unsigned __int128 low = power->low, high = power->high;

	low = is_single ? 0 : low * factor;
	high = high * factor + (uint64_t)(low >> 64);
	uint64_t whole = (uint64_t)(high >> 64), part = (uint64_t)high >> 4; /* part in UNITs */
	uint64_t half = power->high >> (5 - h), half_below = half >> real->is_irregular;
	uint64_t tens = whole / 10, below = (whole - 10 * tens) * UNIT + part, above = 10 * UNIT - below;
	uint64_t goes_down = below < half_below, goes_up = above < half;

	if (is_close(below, half_below, doubt) || is_close(above, half, doubt) || is_close(part, UNIT / 2, doubt))
		return false;
	if (real->is_irregular && !goes_down && !goes_up)
		return false;
	/* No branch: which of the two it is looks random. */
	uint64_t is_tens = 0 - (goes_down | goes_up);
	*ret_decimal =
		(struct decimal){((tens + goes_up) * 10 & is_tens) | ((whole + (part > UNIT / 2)) & ~is_tens), k};
	return true;
}

/* --- reals -------------------- */

static char *put_exponent(char *out, int exponent)
{
	unsigned magnitude = (unsigned)(exponent < 0 ? -exponent : exponent);

	*out++ = 'e';
	*out++ = exponent < 0 ? '-' : '+';
	if (magnitude >= 100) {
		*out++ = (char)('0' + magnitude / 100);
		magnitude %= 100;
	}
	*out++ = (char)('0' + magnitude / 10);
	*out++ = (char)('0' + magnitude % 10);
	return out;
}

/* The first digit, and eight and eight more as spread gives them; `count` of them are to be seen; `point` stand before
 * the point. */
static inline char *put_digits(char *out, char first, uint64_t high, uint64_t low, int count, int point)
{
	first = (char)(first + '0');
	high |= EIGHT_ZEROS;
	low |= EIGHT_ZEROS;
	if (point > 0 && point <= POINT_MAX) {
		const struct split *split = &splits[point];
		uint64_t moved[2] = {high & ~split->keep[0], low & ~split->keep[1]};

		out[0] = first;
		put(out + 1, (high ^ moved[0]) | split->point[0] | moved[0] << 8);
		put(out + 9, (low ^ moved[1]) | split->point[1] | moved[1] << 8 | moved[0] >> 56);
		out[17] = (char)(low >> 56);
		return out + (count > point ? count + 1 : point + 2);
	}
	if (point <= 0 && point > -4) {
		memcpy(out, "0.000000", 8);
		out += 2 - point;
		out[0] = first;
		put(out + 1, high);
		put(out + 9, low);
		return out + count;
	}
	out[0] = first;
	out[1] = '.';
	put(out + 2, high);
	put(out + 10, low);
	return put_exponent(out + (count > 1 ? count + 1 : 1), point - 1);
}

/* Without the zeros at the end; at least one. */
static inline int count_digits(uint64_t eight)
{
	return 8 - (int)((unsigned)__builtin_clzll(eight | 1) / 8);
}

/* A value of 17 digits, zeros at the end included, of which `point` stand before the point. */
static inline char *put_real(char *out, uint64_t value, int point)
{
	uint64_t first = value / TEN_16, rest = value % TEN_16;
	uint64_t high = spread((uint32_t)(rest / TEN_8)), low = spread((uint32_t)(rest % TEN_8));
	int count = low ? 9 + count_digits(low) : high ? 1 + count_digits(high) : 1;

	return put_digits(out, (char)first, high, low, count, point);
}

/* The same of 9 digits. */
static inline char *put_short_real(char *out, uint32_t value, int point)
{
	uint32_t first = value / (uint32_t)TEN_8;
	uint64_t high = spread(value % (uint32_t)TEN_8);

	return put_digits(out, (char)first, high, 0, high ? 1 + count_digits(high) : 1, point);
}

/* Four digits before and four behind the point, without the zeros at both ends but for one. */
static inline char *put_fixed_small(char *out, uint32_t ten_thousandths)
{
	uint64_t digits = spread(ten_thousandths), text = digits | EIGHT_ZEROS;
	unsigned zeros = (unsigned)__builtin_ctz((uint32_t)digits | 1u << 24) / 8;

	put(out, (text & UINT32_MAX) >> 8 * zeros);
	out += 4 - zeros;
	put(out, (uint64_t)'.' | text >> 32 << 8);
	return out + 5 - (unsigned)__builtin_clz((uint32_t)(digits >> 32) | 1) / 8;
}

static inline char *put_fixed(char *out, uint64_t millionths)
{
	uint64_t whole = millionths / 1000000, ten_thousandths = millionths / 100;

	if (ten_thousandths * 100 == millionths && ten_thousandths < TEN_8)
		return put_fixed_small(out, (uint32_t)ten_thousandths);
	uint64_t digits = spread((uint32_t)(millionths - whole * 1000000) * 100);
	out = whole < TEN_8 ? put_head(out, (uint32_t)whole) : number_format_u64(out, whole);
	*out = '.';
	put(out + 1, digits | EIGHT_ZEROS);
	return out + 1 + count_digits(digits);
}

/* What find_decimal leaves. */
static __attribute__((noinline)) char *format_hard(char *out, const struct real *real)
{
	struct decimal decimal = shortest_decimal(real);

	while (decimal.digits < TEN_16) {
		decimal.digits *= 10;
		decimal.exponent--;
	}
	return put_real(out, decimal.digits, decimal.exponent + 17);
}

/* Nothing but zeros or ones in the exponent. `fraction` * 2^q is the subnormal. */
static __attribute__((noinline)) char *format_rare(
	char *out, bool is_negative, bool is_subnormal, uint64_t fraction, int q)
{
	const struct real real = {fraction, q, false};

	*out = '-';
	if (!is_subnormal && fraction) {
		memcpy(out, "nan", 3);
		return out + 3;
	}
	out += is_negative;
	if (is_subnormal && fraction)
		return format_hard(out, &real);
	memcpy(out, is_subnormal ? "0.0" : "inf", 3);
	return out + 3;
}

/* Most reals that people measure have few decimals: n / 10^6, n < 2^53, correctly rounded, gives them back. Below 2^33
 * neighbours are less than 10^-6 apart, so no other multiple of 10^-6 does, and a decimal that is shorter would be one.
 */
static inline bool find_fixed_f64(double magnitude, int exponent, uint64_t *ret_millionths)
{
	if ((unsigned)(exponent - (1023 - 13)) > 13 + 32) /* 2^-13 > 0.0001: below there is an exponent */
		return false;
	*ret_millionths = (uint64_t)(int64_t)(magnitude * 1e6 + 0.5);
	return (double)(int64_t)*ret_millionths / 1e6 == magnitude;
}

static __attribute__((noinline)) char *format_f64(char *out, uint64_t bits)
{
	struct decimal decimal;
	uint64_t fraction = bits & ((1ull << 52) - 1);
	int exponent = (int)(bits >> 52 & 0x7FF);

	if (exponent == 0 || exponent == 0x7FF)
		return format_rare(out, bits >> 63, exponent == 0, fraction, -1074);
	const struct real real = {1ull << 52 | fraction, exponent - 1075, fraction == 0 && exponent > 1};
	*out = '-';
	out += bits >> 63;
	if (!find_decimal(&real, false, &decimal))
		return format_hard(out, &real);
	/* c is 2^52 … 2^53, a unit a tenth of 2^q or more: 16 or 17 digits. */
	bool is_short = decimal.digits < TEN_16;
	decimal.digits += (decimal.digits * 9) & (0 - (uint64_t)is_short);
	return put_real(out, decimal.digits, decimal.exponent + 17 - is_short);
}

char *number_format_f64(char *out, double value)
{
	double magnitude;
	uint64_t bits, millionths;

	memcpy(&bits, &value, sizeof(bits));
	uint64_t unsigned_bits = bits & ~(1ull << 63);
	memcpy(&magnitude, &unsigned_bits, sizeof(magnitude));
	if (!find_fixed_f64(magnitude, (int)(unsigned_bits >> 52), &millionths))
		return format_f64(out, bits);
	*out = '-';
	return put_fixed(out + (bits >> 63), millionths);
}

/* As find_fixed_f64: n / 10^3, n < 2^24; below 2^14 neighbours are less than 10^-3 apart. */
static inline bool find_fixed_f32(float magnitude, int exponent, uint32_t *ret_thousandths)
{
	if ((unsigned)(exponent - (127 - 10)) > 10 + 13)
		return false;
	*ret_thousandths = (uint32_t)(int32_t)(magnitude * 1e3f + 0.5f);
	return (float)(int32_t)*ret_thousandths / 1e3f == magnitude;
}

static __attribute__((noinline)) char *format_f32(char *out, uint32_t bits)
{
	struct decimal decimal;
	uint32_t fraction = bits & ((1u << 23) - 1);
	int exponent = (int)(bits >> 23 & 0xFF);

	if (exponent == 0 || exponent == 0xFF)
		return format_rare(out, bits >> 31, exponent == 0, fraction, -149);
	const struct real real = {1u << 23 | fraction, exponent - 150, fraction == 0 && exponent > 1};
	*out = '-';
	out += bits >> 31;
	if (!find_decimal(&real, true, &decimal))
		return format_hard(out, &real);
	/* 7 to 9 digits. */
	bool is_short = decimal.digits < TEN_8, is_shorter = decimal.digits < TEN_8 / 10;
	decimal.digits *= is_shorter ? 100 : is_short ? 10 : 1;
	return put_short_real(out, (uint32_t)decimal.digits, decimal.exponent + 9 - is_short - is_shorter);
}

char *number_format_f32(char *out, float value)
{
	float magnitude;
	uint32_t bits, thousandths;

	memcpy(&bits, &value, sizeof(bits));
	uint32_t unsigned_bits = bits & ~(1u << 31);
	memcpy(&magnitude, &unsigned_bits, sizeof(magnitude));
	if (!find_fixed_f32(magnitude, (int)(unsigned_bits >> 23), &thousandths))
		return format_f32(out, bits);
	*out = '-';
	return put_fixed(out + (bits >> 31), (uint64_t)thousandths * 1000);
}
