/* rotation.c: which part of a series a file is, for all file stores. Store process, main thread. */
#include "job/file/rotation.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "job/file/handle.h"
#include "job/file/series.h"

/* Of the part that would be written now. */
static uint64_t part_bytes(const struct series *series)
{
	struct stat status;

	if (series->file)
		return series->file->size;
	return stat(series->part, &status) == 0 && status.st_size > 0 ? (uint64_t)status.st_size : 0;
}

static bool is_clean(const struct enrg_file *file)
{
	return file->size == file->committed && !file->is_torn;
}

static bool is_part_full(const struct series *series, const struct enrg_file_rules *rules, uint64_t now)
{
	return !series->part ||
	       ((!series->file || is_clean(series->file)) && series_is_full(series, rules, part_bytes(series), now));
}

static bool is_part_begun(const struct series *series)
{
	struct stat status;

	return !series->part || stat(series->part, &status) < 0 || status.st_size > 0;
}

/* *ret_part: `path`, or a name that lives as long as its series. */
static int find_part(struct enrg_store *store, const char *path, const char *run, bool is_new, const char **ret_part,
	struct enrg_error *err)
{
	struct file_set *set = &store->files;

	*ret_part = path;

	if (set->options && series_is_on(&set->options->rules)) {
		const struct enrg_file_rules *rules = &set->options->rules;
		struct series *series = series_get(&set->series, rules, path, run ? run : "");
		int rc = series ? 0 : -ENOMEM;
		uint64_t now = clock_wall_ns();
		if (series && (is_new ? is_part_begun(series) : is_part_full(series, rules, now)))
			rc = series_advance(series, rules, now);
		if (rc < 0)
			return enrg_error_set(err, rc, "%s: can't name its next part: %s", path, enrg_error_name(rc));
		*ret_part = series->part;
	}
	return 0;
}

static int copy_part(const char *part, char *ret_path, size_t path_bytes, struct enrg_error *err)
{
	if ((size_t)snprintf(ret_path, path_bytes, "%s", part) >= path_bytes)
		return enrg_error_set(
			err, -ENAMETOOLONG, "%s: the path is longer than %zu bytes", part, path_bytes - 1);
	return 0;
}

int enrg_file_part(struct enrg_store *store, const char *path, const char *run, char *ret_path, size_t path_bytes,
	struct enrg_error *err)
{
	const char *part;
	int rc = find_part(store, path, run, false, &part, err);

	return rc ? rc : copy_part(part, ret_path, path_bytes, err);
}

int enrg_file_new_part(struct enrg_store *store, const char *path, const char *run, char *ret_path, size_t path_bytes,
	struct enrg_error *err)
{
	const char *part;
	int rc = find_part(store, path, run, true, &part, err);

	return rc ? rc : copy_part(part, ret_path, path_bytes, err);
}

bool enrg_file_is_due(const struct enrg_file *file, const char *run)
{
	const struct series *series = file->series;

	if (file->is_superseded || (series && series->file != file))
		return true;
	if (!series || !is_clean(file))
		return false;
	const struct enrg_file_rules *rules = &file->set->options->rules;
	if (rules->rotate_run && strcmp(series->run, run ? run : "") != 0)
		return true;
	return series_is_full(series, rules, file->size, rules->rotate_seconds > 0 ? clock_wall_ns() : 0);
}

void file_rotation_opened(struct enrg_file *file, const char *path)
{
	struct file_set *set = file->set;

	if (!set->options)
		return;
	for (struct series *series = set->series; series; series = series->next) {
		if (!series->part || strcmp(series->part, path) != 0)
			continue;
		series->file = file;
		file->series = series;
		file->is_superseded = false;
	}
}

/* The list of series does not grow with every day and run: a later open finds the newest part on the disk again. */
static void forget_series(struct file_set *set, struct series *series)
{
	for (struct enrg_file *file = set->first; file; file = file->next)
		if (file->series == series) {
			file->series = NULL;
			file->is_superseded = true;
		}
	series_drop(&set->series, series);
}

void file_rotation_closing(struct enrg_file *file)
{
	if (file->series && file->series->file == file)
		forget_series(file->set, file->series);
}

void file_rotation_fini(struct file_set *set)
{
	while (set->series)
		series_drop(&set->series, set->series);
}
