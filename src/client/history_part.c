/* history_part.c: the files of a history by their names. Any thread. */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "enrgdaq/history_file.h"

#define NS_PER_S  1000000000ull
#define YEAR_LAST 2500
#define PARTS_MAX 100000u

static uint64_t time_of(int year, int month, int day, int hour)
{
	struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour};

	return (uint64_t)timegm(&tm) * NS_PER_S;
}

int enrg_history_part_set(struct enrg_history_part *ret_part, uint32_t span_s, uint32_t number, uint64_t time_ns)
{
	time_t time = (time_t)(time_ns / NS_PER_S);
	struct tm tm;

	if ((span_s != 1 && span_s != 60) || !gmtime_r(&time, &tm) || tm.tm_year + 1900 > YEAR_LAST)
		return -EINVAL;
	int year = tm.tm_year + 1900, month = tm.tm_mon + 1;
	*ret_part = (struct enrg_history_part){.span_s = span_s, .number = number};
	if (span_s == 1) {
		ret_part->from_ns = time_of(year, month, tm.tm_mday, tm.tm_hour);
		ret_part->to_ns = ret_part->from_ns + 3600 * NS_PER_S;
		snprintf(ret_part->name, sizeof(ret_part->name), "seconds_%08u_%04d%02d%02dT%02dZ.history", number,
			year, month, tm.tm_mday, tm.tm_hour);
	} else {
		ret_part->from_ns = time_of(year, month, 1, 0);
		ret_part->to_ns = time_of(year, month + 1, 1, 0); /* timegm takes a 13th month */
		snprintf(ret_part->name, sizeof(ret_part->name), "minutes_%08u_%04d%02dZ.history", number, year, month);
	}
	return 0;
}

/* false: no such name. It has to be the very one that is made of what it says. */
static bool parse_name(const char *name, struct enrg_history_part *ret_part)
{
	unsigned number, year, month, day = 1, hour = 0;
	uint32_t span_s = 1;

	if (sscanf(name, "seconds_%8u_%4u%2u%2uT%2uZ.history", &number, &year, &month, &day, &hour) != 5) {
		span_s = 60;
		if (sscanf(name, "minutes_%8u_%4u%2uZ.history", &number, &year, &month) != 3)
			return false;
	}
	return year >= 1970 && year <= YEAR_LAST && month >= 1 && month <= 12 &&
	       enrg_history_part_set(ret_part, span_s, number, time_of((int)year, (int)month, (int)day, (int)hour)) ==
		       0 &&
	       !strcmp(name, ret_part->name);
}

static int compare(const void *left, const void *right)
{
	const struct enrg_history_part *a = left, *b = right;

	if (a->span_s != b->span_s)
		return a->span_s < b->span_s ? -1 : 1;
	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return strcmp(a->name, b->name);
}

int enrg_history_parts_list(
	const char *folder, struct enrg_history_part **ret_parts, uint32_t *ret_count, struct enrg_error *err)
{
	struct enrg_history_part *parts = malloc(sizeof(*parts)), part;
	uint32_t count = 0, room = 1;
	DIR *dir = opendir(folder);
	int rc = dir ? 0 : -errno;

	for (struct dirent *entry; rc == 0 && count < PARTS_MAX && (entry = readdir(dir));) {
		if (!parse_name(entry->d_name, &part))
			continue;
		if (!parts || count == room) {
			struct enrg_history_part *more = realloc(parts, 2 * (size_t)room * sizeof(*parts));
			rc = more ? 0 : -ENOMEM;
			parts = more ? more : parts;
			room *= 2;
		}
		if (rc == 0)
			parts[count++] = part;
	}
	if (dir)
		closedir(dir);
	if (rc < 0) {
		free(parts);
		return enrg_error_set(err, rc, "%s: %s", folder, enrg_error_name(rc));
	}
	if (count)
		qsort(parts, count, sizeof(*parts), compare);
	*ret_parts = parts;
	*ret_count = count;
	return 0;
}
