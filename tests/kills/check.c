/* check.c: see the header. */
#include "check.h"

#include <ctype.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/path.h"
#include "data.h"
#include "lives.h"

#define FILES_MAX  256u
#define ROWS_MAX   64u
#define SEEN_MAX   65536u
#define FILE_BYTES (64u << 20)

static struct {
	char *paths[FILES_MAX];
	size_t sizes[FILES_MAX], count;
} files;
static uint64_t seen[SEEN_MAX];
static unsigned seen_count;

/* --- what is there ------------------------------------------------------------------------------------------------ */

static int add_file(const char *path, const struct stat *status, int flag, struct FTW *walk)
{
	(void)walk;
	if (flag != FTW_F)
		return 0;
	if (files.count == FILES_MAX)
		abort();
	files.paths[files.count] = strdup(path);
	files.sizes[files.count++] = (size_t)status->st_size;
	return 0;
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list_files(const char *folder)
{
	for (size_t i = 0; i < files.count; i++)
		free(files.paths[i]);
	files.count = 0;
	nftw(folder, add_file, 16, FTW_PHYS);
	qsort(files.paths, files.count, sizeof(files.paths[0]), compare_paths);
}

/* Of names and bytes of all files. */
static uint64_t sum_files(void)
{
	uint32_t first = 1, second = 2;

	for (size_t i = 0; i < files.count; i++) {
		char *bytes;
		size_t count;
		if (path_read_file(files.paths[i], FILE_BYTES, &bytes, &count, NULL) < 0)
			abort();
		const char *path = files.paths[i];
		first = crc32c(crc32c(first, path, strlen(path) + 1), bytes, count);
		/* A second sum that is not a function of the first. */
		for (size_t at = 0; at < count; at++)
			second = (second ^ (uint8_t)bytes[at]) * 16777619u + (second >> 15);
		free(bytes);
	}
	return (uint64_t)first << 32 | second;
}

static bool was_seen(uint64_t sum)
{
	for (unsigned i = 0; i < seen_count; i++)
		if (seen[i] == sum)
			return true;
	return false;
}

unsigned check_count(void)
{
	return seen_count;
}

/* --- which file is of which table --------------------------------------------------------------------------------- */

static const char *own_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* name_7.root where name.root is there: the reader takes it with that one. */
static bool follows_another(const struct store_kind *kind, const char *path)
{
	char first[1200];
	const char *dot = strrchr(path, '.'), *digits = dot;

	while (digits && digits > path && isdigit((unsigned char)digits[-1]))
		digits--;
	if (!kind->starts_files || !digits || digits == dot || digits[-1] != '_' || *digits == '0')
		return false;
	snprintf(first, sizeof(first), "%.*s%s", (int)(digits - 1 - path), path, dot);
	return access(first, F_OK) == 0;
}

/* "2025-06-15_t_x_20250615T150640Z.csv" is of the table with tag x. */
static bool has_tag(const char *path)
{
	return strstr(own_name(path), "t_x") != NULL;
}

/* A file of rows: no hidden ones, none of databases beside theirs, and of blobs none. */
static bool is_wanted(const struct store_kind *kind, size_t i)
{
	const char *path = files.paths[i], *own = own_name(path), *ending = strchr(own_name(kind->file_path), '.');
	struct stat status;
	size_t length = strlen(own), tail = strlen(ending);

	/* What a file held before it was replaced, on a file system without marks. */
	if (kind->keeps_newest && strstr(own, "_earlier"))
		return false;
	return *own != '.' && length > tail && strcmp(own + length - tail, ending) == 0 && stat(path, &status) == 0 &&
	       status.st_size > 0 && !follows_another(kind, path);
}

/* --- rows --------------------------------------------------------------------------------------------------------- */

struct rows {
	const struct enrg_schema *schema;
	unsigned counts[ROWS_MAX];
	char *text;
	size_t text_bytes;
};

static bool check_cells(struct rows *rows, const struct cells *cells, const char *path)
{
	const struct enrg_schema *schema = rows->schema;
	unsigned long before = 0;
	char expected[4096];

	for (size_t row = 0; row < cells->rows; row++) {
		char *const *line = cells->items + row * schema->column_count;
		unsigned long number = strtoul(line[0], NULL, 10);
		if (number >= ROWS_MAX || (row > 0 && number <= before)) {
			snprintf(rows->text, rows->text_bytes, "%s: row %s follows row %lu", path, line[0], before);
			return false;
		}
		before = number;
		rows->counts[number]++;
		for (uint32_t i = 0; i < schema->column_count; i++) {
			data_format_cell(&schema->columns[i], number, expected, sizeof(expected));
			if (strcmp(line[i], expected) == 0)
				continue;
			snprintf(rows->text, rows->text_bytes, "%s: row %lu, %s: expected \"%s\", found \"%s\"", path,
				number, schema->columns[i].name, expected, line[i]);
			return false;
		}
	}
	return true;
}

static bool read_file(const struct store_kind *kind, const char *path, struct rows *rows)
{
	struct cells cells = {0};
	bool is_good = kind->read_back(path, rows->schema, &cells);

	if (!is_good)
		snprintf(rows->text, rows->text_bytes, "%s can't be read back", path);
	else
		is_good = check_cells(rows, &cells, path);
	cells_fini(&cells);
	return is_good;
}

static bool check_counts(const struct rows *rows, const char *table, unsigned first, unsigned end)
{
	size_t used = 0;

	for (unsigned i = 0; i < ROWS_MAX; i++) {
		unsigned wanted = i >= first && i < end;
		if (rows->counts[i] == wanted)
			continue;
		int count = snprintf(rows->text + used, rows->text_bytes - used, "%s row %u of %s is there %u times",
			used ? ";" : "", i, table, rows->counts[i]);
		used += count > 0 && used + (size_t)count < rows->text_bytes ? (size_t)count : 0;
	}
	return used == 0;
}

static bool check_table(const struct store_kind *kind, const struct harness_table *table, unsigned round_rows,
	unsigned batch_rows, char *ret_text, size_t text_bytes)
{
	struct rows rows = {.schema = table->schema, .text = ret_text, .text_bytes = text_bytes};
	unsigned end = LIVES_ROUNDS * round_rows;
	char path[1200];
	bool is_good = true;

	if (kind->is_database) { /* tables in one file; the reader knows which */
		snprintf(path, sizeof(path), "%.*s/t%s%s%s", (int)(own_name(files.paths[0]) - files.paths[0] - 1),
			files.paths[0], *table->tag ? "_" : "", table->tag, strchr(kind->file_path, '.'));
		is_good = read_file(kind, path, &rows);
	}
	for (size_t i = 0; i < files.count && is_good && !kind->is_database; i++)
		if (is_wanted(kind, i) && has_tag(files.paths[i]) == (*table->tag != '\0'))
			is_good = read_file(kind, files.paths[i], &rows);
	return is_good && check_counts(&rows, *table->tag ? "the second table" : "the first table",
				  kind->keeps_newest ? end - batch_rows : 0, end);
}

bool check_folder(const struct store_kind *kind, const char *out_dir, char *ret_text, size_t text_bytes)
{
	*ret_text = '\0';
	if (!kind->has_out_dir)
		return true;
	list_files(out_dir);
	uint64_t sum = sum_files();
	if (was_seen(sum))
		return true;
	if (files.count == 0) {
		snprintf(ret_text, text_bytes, "%s is empty", out_dir);
		return false;
	}
	bool is_good = check_table(kind, &lives_wide, LIVES_WIDE_ROWS, LIVES_WIDE_ROWS / 2, ret_text, text_bytes) &&
		       check_table(kind, &lives_narrow, LIVES_NARROW_ROWS, LIVES_NARROW_ROWS, ret_text, text_bytes);
	if (is_good && seen_count < SEEN_MAX)
		seen[seen_count++] = sum;
	return is_good;
}
