/* names.c: see the header. In the process of DAQJobArchive, on its main thread. */
#include "names.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define GOING ".archived"

static const char *own_name(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

/* FNV-1a, which names nothing but a temporary file. */
static uint64_t sum_of(uint64_t sum, const char *text)
{
	for (; *text; text++)
		sum = (sum ^ (unsigned char)*text) * 1099511628211u;
	return sum;
}

static bool fits(int count)
{
	return count > 0 && count < (int)NAMES_PATH_BYTES;
}

bool names_format_part(const char *name, const char *job, char ret_part[NAMES_PATH_BYTES])
{
	uint64_t sum = sum_of(sum_of(14695981039346656037u, job) * 31, name);

	return fits(snprintf(ret_part, NAMES_PATH_BYTES, "%.*s.archive-%016llx.part", (int)(own_name(name) - name),
		name, (unsigned long long)sum));
}

bool names_format_copy(const char *name, int64_t changed_ns, unsigned try, char ret_name[NAMES_PATH_BYTES])
{
	const char *own = own_name(name), *dot = strchr(own + 1, '.');
	size_t stem = dot ? (size_t)(dot - name) : strlen(name);
	time_t seconds = (time_t)(changed_ns / 1000000000);
	char date[32] = "", number[16] = "";
	struct tm utc;

	if (!try)
		return fits(snprintf(ret_name, NAMES_PATH_BYTES, "%s", name));
	if (gmtime_r(&seconds, &utc))
		strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", &utc);
	if (try > 1)
		snprintf(number, sizeof(number), "_%u", try);
	return fits(snprintf(ret_name, NAMES_PATH_BYTES, "%.*s~%s%s%s", (int)stem, name, date, number, name + stem));
}

bool names_format_going(const char *name, char ret_going[NAMES_PATH_BYTES])
{
	const char *own = own_name(name);

	return fits(snprintf(ret_going, NAMES_PATH_BYTES, "%.*s.%s" GOING, (int)(own - name), name, own));
}

bool names_parse_going(const char *going, char ret_name[NAMES_PATH_BYTES])
{
	const char *own = own_name(going);
	size_t length = strlen(own), ending = strlen(GOING);

	if (own[0] != '.' || length <= ending + 1 || strcmp(own + length - ending, GOING) != 0)
		return false;
	return fits(snprintf(ret_name, NAMES_PATH_BYTES, "%.*s%.*s", (int)(own - going), going,
		(int)(length - ending - 1), own + 1));
}

bool names_match(const char *name, const struct names_patterns *patterns)
{
	for (size_t i = 0; i < patterns->count; i++) {
		const char *pattern = patterns->items[i];
		if (fnmatch(pattern, strchr(pattern, '/') ? name : own_name(name), 0) == 0)
			return true;
	}
	return false;
}

bool names_is_inside(const char *inner, const char *outer)
{
	size_t length = strlen(outer);

	while (length > 1 && outer[length - 1] == '/')
		length--;
	if (strncmp(inner, outer, length) != 0)
		return false;
	return !inner[length] || inner[length] == '/' || (length == 1 && outer[0] == '/');
}

size_t names_find(const void *entries, size_t count, size_t entry_bytes, const char *name, bool *ret_is_there)
{
	size_t low = 0, high = count;

	*ret_is_there = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		char *const *other = (char *const *)((const char *)entries + middle * entry_bytes);
		int order = strcmp(*other, name);
		if (order == 0) {
			*ret_is_there = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
