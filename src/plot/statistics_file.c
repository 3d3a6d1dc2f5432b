/* statistics_file.c: see the header. */
#include "plot/statistics_file.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_MAX 64u

static const char *const names[STATISTICS_NEEDED] = {"timestamp", "acq_events", "acq_samples", "mean_value_mv",
	"sum_value_mv_squared", "min_value_mv", "max_value_mv", "samples_filtered_out", "total_samples_raw",
	"events_dropped"};

/* Cuts a line at its commas; how many values there are. None of these tables has a quoted one. */
static size_t cut_line(char *line, char *ret_fields[FIELDS_MAX])
{
	size_t count = 0;

	line[strcspn(line, "\r\n")] = '\0';
	while (line && count < FIELDS_MAX) {
		char *comma = strchr(line, ',');
		ret_fields[count++] = line;
		if (comma)
			*comma++ = '\0';
		line = comma;
	}
	return count;
}

static int find_columns(const char *path, char *line, size_t ret_places[STATISTICS_NEEDED], struct enrg_error *err)
{
	char *fields[FIELDS_MAX];
	size_t count = cut_line(line, fields);

	for (size_t i = 0; i < STATISTICS_NEEDED; i++) {
		size_t at = 0;
		while (at < count && strcmp(fields[at], names[i]))
			at++;
		if (at == count)
			return enrg_error_set(err, -EINVAL,
				"%s: has no column %s: not the statistics of a digitizer (the CSV file of its "
				"stats_store_config)",
				path, names[i]);
		ret_places[i] = at;
	}
	return 0;
}

static double read_number(const char *text)
{
	char *end;
	double value = strtod(text, &end);

	return end == text || *end ? NAN : value;
}

static int add_line(struct statistics_file *file, char *line, const size_t places[STATISTICS_NEEDED])
{
	char *fields[FIELDS_MAX];
	size_t count = cut_line(line, fields);

	for (size_t i = 0; i < STATISTICS_NEEDED; i++)
		if (places[i] >= count) {
			file->bad_lines++;
			return 0;
		}
	if (file->count == file->capacity) {
		size_t capacity = file->capacity ? 2 * file->capacity : 1024;
		void *rows = realloc(file->rows, capacity * sizeof(*file->rows));
		if (!rows)
			return -ENOMEM;
		file->rows = rows;
		file->capacity = capacity;
	}
	for (size_t i = 0; i < STATISTICS_NEEDED; i++)
		file->rows[file->count][i] = read_number(fields[places[i]]);
	if (isfinite(file->rows[file->count][STATISTICS_TIMESTAMP]))
		file->count++;
	else
		file->bad_lines++;
	return 0;
}

static int read_lines(const char *path, FILE *stream, struct statistics_file *file, struct enrg_error *err)
{
	size_t places[STATISTICS_NEEDED], bytes = 0;
	char *line = NULL;
	int rc = 0;

	if (getline(&line, &bytes, stream) < 0)
		rc = enrg_error_set(err, -ENODATA, "%s: is empty", path);
	else
		rc = find_columns(path, line, places, err);
	while (rc == 0 && getline(&line, &bytes, stream) >= 0)
		if ((rc = add_line(file, line, places)) < 0)
			enrg_error_set(err, rc, "%s: no memory for its rows", path);
	if (rc == 0 && ferror(stream))
		rc = enrg_error_set(err, -EIO, "%s: can't be read", path);
	if (rc == 0 && file->count == 0)
		rc = enrg_error_set(err, -ENODATA, "%s: has no row yet: there is one each second", path);
	free(line);
	return rc;
}

int statistics_file_parse(const char *path, FILE *stream, struct statistics_file *ret_file, struct enrg_error *err)
{
	struct statistics_file file = {0};
	int rc = read_lines(path, stream, &file, err);

	if (rc < 0)
		statistics_file_fini(&file);
	else
		*ret_file = file;
	return rc;
}

int statistics_file_read(const char *path, struct statistics_file *ret_file, struct enrg_error *err)
{
	FILE *stream = fopen(path, "re");

	if (!stream)
		return enrg_error_set(err, -errno, "%s: %s", path, strerror(errno));
	int rc = statistics_file_parse(path, stream, ret_file, err);
	fclose(stream);
	return rc;
}

void statistics_file_fini(struct statistics_file *file)
{
	free(file->rows);
	*file = (struct statistics_file){0};
}
