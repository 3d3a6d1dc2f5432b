/* history_time.c: times and spans as people write them. One thread. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/history.h"

#define NS_PER_S 1000000000ull
#define S_MAX    9e9 /* beyond all ns of an int64_t */

int history_parse_time(const char *text, uint64_t *ret_ns)
{
	static const char *const formats[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H", "%Y-%m-%d"};
	char *behind;
	double seconds = text[0] == '@' ? strtod(text + 1, &behind) : NAN;

	if (text[0] == '@' && behind != text + 1 && !*behind && seconds >= 0 && seconds < S_MAX) {
		*ret_ns = (uint64_t)(seconds * 1e9);
		return 0;
	}
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct tm tm = {.tm_isdst = -1};
		const char *end = strptime(text, formats[i], &tm);

		if (!end || (*end && strcmp(end, "Z") != 0))
			continue;
		time_t time = *end ? timegm(&tm) : mktime(&tm);
		if (time < 0 || (double)time >= S_MAX)
			return -EINVAL;
		*ret_ns = (uint64_t)time * NS_PER_S;
		return 0;
	}
	return -EINVAL;
}

int history_parse_span(const char *text, uint64_t *ret_ns)
{
	static const struct {
		const char *name;
		double seconds;
	} units[] = {{"s", 1}, {"m", 60}, {"min", 60}, {"h", 3600}, {"d", 86400}, {"w", 604800}, {"y", 31556952}};
	char *end;
	double value = strtod(text, &end);

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]) && end != text; i++) {
		double seconds = value * units[i].seconds;

		if (strcmp(end, units[i].name) != 0 || !(seconds > 0) || seconds >= S_MAX)
			continue;
		*ret_ns = (uint64_t)(seconds * 1e9);
		return *ret_ns ? 0 : -EINVAL;
	}
	return -EINVAL;
}
