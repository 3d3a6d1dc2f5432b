/* timestamp.c: moments as text, by arithmetic: no time zone, no locale, no lock. Any process and thread. */
#include "enrgdaq/schema.h"

#include <string.h>

#define NS_PER_S   INT64_C(1000000000)
#define S_PER_DAY  INT64_C(86400)
#define ERA_DAYS   INT64_C(146097) /* 400 years, after which the calendar is the same again */
#define ERA_YEARS  400
#define MARCH_1970 INT64_C(719468) /* days from 1 March of the year 0 to 1 January 1970 */

static int64_t divide_down(int64_t value, int64_t by)
{
	return value / by - (value % by < 0);
}

/* `count` digits, leading zeros included. */
static char *put_digits(char *out, uint64_t value, unsigned count)
{
	for (unsigned i = count; i-- > 0; value /= 10)
		out[i] = (char)('0' + value % 10);
	return out + count;
}

/* The year begins with March here, so that the day that some years lack is its last one. */
static char *put_day(char *out, int64_t day)
{
	int64_t from_march = day + MARCH_1970, era = divide_down(from_march, ERA_DAYS);
	uint64_t in_era = (uint64_t)(from_march - era * ERA_DAYS);
	uint64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	uint64_t in_year = in_era - (365 * year + year / 4 - year / 100);
	uint64_t month = (5 * in_year + 2) / 153, in_month = in_year - (153 * month + 2) / 5;
	bool is_next_year = month >= 10;

	out = put_digits(out, (uint64_t)(era * ERA_YEARS) + year + is_next_year, 4);
	*out++ = '-';
	out = put_digits(out, is_next_year ? month - 9 : month + 3, 2);
	*out++ = '-';
	return put_digits(out, in_month + 1, 2);
}

char *enrg_timestamp_format(int64_t timestamp_ns, char *ret_text)
{
	int64_t seconds = divide_down(timestamp_ns, NS_PER_S), day = divide_down(seconds, S_PER_DAY);
	uint64_t in_day = (uint64_t)(seconds - day * S_PER_DAY);
	char *out = put_day(ret_text, day);

	*out++ = 'T';
	out = put_digits(out, in_day / 3600, 2);
	*out++ = ':';
	out = put_digits(out, in_day / 60 % 60, 2);
	*out++ = ':';
	out = put_digits(out, in_day % 60, 2);
	*out++ = '.';
	/* the remainder, which is not negative; seconds * NS_PER_S may be below the least integer */
	int64_t part = timestamp_ns % NS_PER_S;
	out = put_digits(out, (uint64_t)(part < 0 ? part + NS_PER_S : part), 9);
	*out++ = 'Z';
	return out;
}
