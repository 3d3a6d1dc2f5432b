/* series.c: names of rotated files. Store process, main thread. */
#include "job/file/series.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"
#include "job/file/name.h"

#define NS_PER_S 1000000000ull
#define STAMP_FORM                                                                                                     \
	"dddddddd"                                                                                                     \
	"T"                                                                                                            \
	"dddddd"                                                                                                       \
	"Z"
#define NUMBER_MAX 1000000u
/* Less, where nothing goes by time, is no wrong clock but one that was put right by a little. */
#define SET_BACK_S 60.0

bool series_is_on(const struct enrg_file_rules *rules)
{
	return rules->rotate_mb > 0 || rules->rotate_seconds > 0 || rules->rotate_run;
}

static bool has_times(const struct enrg_file_rules *rules)
{
	return rules->rotate_mb > 0 || rules->rotate_seconds > 0;
}

/* Where something goes in between: before the extension of the file's own name. */
static size_t stem_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t folder = slash ? (size_t)(slash + 1 - path) : 0;

	return folder + file_stem_length(path + folder);
}

static char *insert(const char *path, const char *text)
{
	size_t stem = stem_of(path);
	char *result = NULL;

	if (asprintf(&result, "%.*s_%s%s", (int)stem, path, text, path + stem) < 0)
		return NULL;
	return result;
}

/* Whole seconds: a shorter time would leave a name's own second at once. */
static double period_of(const struct enrg_file_rules *rules)
{
	return rules->rotate_seconds < 1 ? 1 : rules->rotate_seconds;
}

/* How far a clock may be set back without having been wrong, in seconds. */
static double set_back_max(const struct enrg_file_rules *rules)
{
	return rules->rotate_seconds > 0 ? period_of(rules) : SET_BACK_S;
}

/* --- parts that are there ----------------------------------------------------------------------------------------- */

/* "20261124T083015Z" or "20261124T083015Z_002", exactly `count` characters. */
static bool parse_part(const char *text, size_t count, char *ret_stamp, uint32_t *ret_number)
{
	size_t length = SERIES_STAMP_BYTES - 1;
	uint32_t number = 1;

	if (count < length)
		return false;
	for (size_t i = 0; i < length; i++)
		if (STAMP_FORM[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != STAMP_FORM[i])
			return false;
	if (count > length) {
		if (text[length] != '_' || count < length + 4 || count > length + 7)
			return false;
		number = 0;
		for (size_t i = length + 1; i < count; i++) {
			if (text[i] < '0' || text[i] > '9')
				return false;
			number = number * 10 + (uint32_t)(text[i] - '0');
		}
	}
	memcpy(ret_stamp, text, length);
	ret_stamp[length] = '\0';
	*ret_number = number;
	return true;
}

static void format_stamp(uint64_t seconds, char ret_stamp[SERIES_STAMP_BYTES])
{
	time_t time = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&time, &tm) ||
		strftime(ret_stamp, SERIES_STAMP_BYTES, "%Y%m%dT%H%M%SZ", &tm) != SERIES_STAMP_BYTES - 1)
		ret_stamp[0] = '\0';
}

/* `latest`: a part with a later time was begun under a wrong clock, and is over. */
static void take_newest(struct series *series, const char *name, const char *own, size_t stem, const char *latest)
{
	size_t length = strlen(name), tail = strlen(own + stem);
	char stamp[SERIES_STAMP_BYTES];
	uint32_t number;

	if (length <= stem + 1 + tail || memcmp(name, own, stem) != 0 || name[stem] != '_' ||
		strcmp(name + length - tail, own + stem) != 0)
		return;
	if (!parse_part(name + stem + 1, length - stem - 1 - tail, stamp, &number))
		return;
	if (strcmp(stamp, latest) > 0)
		return;
	int order = strcmp(stamp, series->stamp);
	if (order < 0 || (order == 0 && number <= series->number))
		return;
	memcpy(series->stamp, stamp, sizeof(stamp));
	series->number = number;
}

static int name_part(struct series *series)
{
	char text[SERIES_STAMP_BYTES + 16];

	snprintf(text, sizeof(text), series->number > 1 ? "%s_%03u" : "%s", series->stamp, series->number);
	char *part = insert(series->path, text);
	if (!part)
		return -ENOMEM;
	free(series->part);
	series->part = part;
	struct tm tm = {0};
	series->started_s = strptime(series->stamp, "%Y%m%dT%H%M%SZ", &tm) ? (uint64_t)timegm(&tm) : 0;
	return 0;
}

/* The newest part of an earlier life, so that a restart continues with it. */
static int find_newest(struct series *series, const struct enrg_file_rules *rules)
{
	const char *slash = strrchr(series->path, '/');
	const char *own = slash ? slash + 1 : series->path;
	char folder[PATH_MAX];
	char latest[SERIES_STAMP_BYTES];
	const struct dirent *entry;

	format_stamp(clock_wall_ns() / NS_PER_S + (uint64_t)set_back_max(rules), latest);
	if (snprintf(folder, sizeof(folder), "%.*s", (int)(own - series->path), series->path) >= (int)sizeof(folder))
		return 0;
	DIR *directory = opendir(*folder ? folder : ".");
	if (!directory)
		return 0; /* opening the first part makes it, or says why not */
	while ((entry = readdir(directory)))
		take_newest(series, entry->d_name, own, file_stem_length(own), latest);
	closedir(directory);
	return series->number ? name_part(series) : 0;
}

/* --- the list ----------------------------------------------------------------------------------------------------- */

static void destroy(struct series *series)
{
	if (!series)
		return;
	free(series->path);
	free(series->run);
	free(series->part);
	free(series);
}

static struct series *create(const struct enrg_file_rules *rules, const char *path, const char *run)
{
	struct series *series = calloc(1, sizeof(*series));
	int rc = -ENOMEM;

	if (series) {
		series->path = strdup(path);
		series->run = strdup(run);
		series->begun_mono_ns = clock_mono_ns();
	}
	if (series && series->path && series->run) {
		rc = 0;
		if (has_times(rules))
			rc = find_newest(series, rules);
		else if (!(series->part = strdup(path)))
			rc = -ENOMEM;
	}
	if (rc < 0) {
		destroy(series);
		return NULL;
	}
	return series;
}

struct series *series_get(struct series **first, const struct enrg_file_rules *rules, const char *path, const char *run)
{
	char name[ENRG_NAME_BYTES_MAX + 1];
	char *inserted = NULL;

	if (rules->rotate_run && *run) {
		path_safe_name(run, name, sizeof(name));
		inserted = insert(path, name);
		if (!inserted)
			return NULL;
		path = inserted;
	}
	struct series *series = *first;
	while (series && strcmp(series->path, path) != 0)
		series = series->next;
	if (!series) {
		series = create(rules, path, run);
		if (series) {
			series->next = *first;
			*first = series;
		}
	}
	free(inserted);
	return series;
}

void series_drop(struct series **first, struct series *series)
{
	while (*first && *first != series)
		first = &(*first)->next;
	if (*first)
		*first = series->next;
	destroy(series);
}

/* --- the next part ------------------------------------------------------------------------------------------------ */

bool series_is_full(const struct series *series, const struct enrg_file_rules *rules, uint64_t bytes, uint64_t wall_ns)
{
	if (rules->rotate_mb > 0 && bytes && (double)bytes >= rules->rotate_mb * 1e6)
		return true;
	if (!(rules->rotate_seconds > 0))
		return false;
	double period = period_of(rules);
	uint64_t now = (uint64_t)((double)(wall_ns / NS_PER_S) / period);
	uint64_t begun = (uint64_t)((double)series->started_s / period);

	if (now >= begun)
		return now > begun;
	/* The clock was set back: the part has its period all the same, and is not held until the clock has come to its
	 * time again. */
	return (double)(clock_mono_ns() - series->begun_mono_ns) >= period * 1e9;
}

/* Names go on from the time of the last part where the clock was set back by no more than it may be to be put right;
 * where it was wrong they follow the right time. */
static void take_stamp(struct series *series, const struct enrg_file_rules *rules, uint64_t seconds, const char *stamp)
{
	int order = strcmp(stamp, series->stamp);

	if (order == 0 || (order < 0 && (double)(series->started_s - seconds) <= set_back_max(rules)))
		return;
	memcpy(series->stamp, stamp, SERIES_STAMP_BYTES);
	series->number = 0;
}

int series_advance(struct series *series, const struct enrg_file_rules *rules, uint64_t wall_ns)
{
	uint64_t seconds = wall_ns / NS_PER_S;
	char stamp[SERIES_STAMP_BYTES];

	if (!has_times(rules))
		return 0;
	format_stamp(seconds, stamp);
	if (!stamp[0])
		return -EOVERFLOW;
	series->file = NULL;
	series->begun_mono_ns = clock_mono_ns();
	take_stamp(series, rules, seconds, stamp);
	do {
		series->number++;
		int rc = name_part(series);
		if (rc < 0)
			return rc;
	} while (access(series->part, F_OK) == 0 && series->number < NUMBER_MAX);
	return 0;
}
