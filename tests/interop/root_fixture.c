/* root_fixture.c: see the header. In the test process. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "readers.h"
#include "root_fixture.h"

char folder[64], out_dir[80], journal_path[80], keys[300];
struct store_kind kind = {
	.name = "root", .module = "root", .type = "DAQJobStoreROOT", .section_keys = keys, .has_out_dir = true};
const struct harness_table wide = {.source = "source", .tag = "", .schema = &data_wide};
struct harness *life;

static int remove_entry(const char *path, const struct stat *status, int flag, struct FTW *walk)
{
	(void)status, (void)flag, (void)walk;
	return remove(path);
}

bool root_fixture_is_whole(void)
{
	const char *wish = getenv("ENRGDAQ_PROOF");

	return wish && !strcmp(wish, "whole");
}

int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/root_interop.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(out_dir, sizeof(out_dir), "%s/out", folder);
	snprintf(journal_path, sizeof(journal_path), "%s/journal", folder);
	return 0;
}

int tear_down(void **state)
{
	(void)state;
	if (getenv("ENRG_KEEP")) /* for a look at the files */
		return 0;
	return nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

void set_keys(const char *file, const char *format, const char *more)
{
	snprintf(keys, sizeof(keys), "file_path = \"%s\"\nformat = \"%s\"\n%s\n", file, format, more);
}

void open_life(void)
{
	struct enrg_error err = {0};

	if (harness_open(&kind, journal_path, out_dir, &life, &err) < 0)
		fail_msg("%s", err.text);
}

void write_table(const struct harness_table *table, uint64_t first, uint64_t count)
{
	struct enrg_error err = {0};

	if (harness_write(life, table, first, count, 0, &err) < 0)
		fail_msg("%s", err.text);
}

void write_rows(uint64_t first, uint64_t count)
{
	write_table(&wide, first, count);
}

void commit(uint64_t position)
{
	struct enrg_error err = {0};

	if (harness_commit(life, position, &err) < 0)
		fail_msg("%s", err.text);
}

void close_life(void)
{
	struct enrg_error err = {0};

	if (harness_close(life, &err) < 0)
		fail_msg("%s", err.text);
}

void check_file(const char *file, const struct enrg_schema *schema, uint64_t first, uint64_t count)
{
	struct cells cells = {0};
	char path[200], expected[4096];

	snprintf(path, sizeof(path), "%s/%s", out_dir, file);
	if (!read_root(path, schema, &cells))
		fail_msg("%s can't be read: %s", path, keys);
	if (cells.rows != count)
		fail_msg("%s: %llu rows, found %zu: %s", path, (unsigned long long)count, cells.rows, keys);
	for (size_t i = 0; i < cells.count; i++) {
		const struct enrg_column *column = &schema->columns[i % schema->column_count];
		data_format_cell(column, first + i / schema->column_count, expected, sizeof(expected));
		if (strcmp(cells.items[i], expected) != 0)
			fail_msg("%s: row %zu, %s: \"%s\", found \"%s\"", path, i / schema->column_count, column->name,
				expected, cells.items[i]);
	}
	cells_fini(&cells);
}
const char *const formats[] = {"ttree", "rntuple"};

/* --- rows that jsroot sees ---------------------------------------------------------------------------------------- */

/* The rows of each file, as jsroot sees them: one process reads all. */
void count_rows(struct sight *sights, size_t count)
{
	char list[200], command[600], line[400];

	snprintf(list, sizeof(list), "%s/list", folder);
	FILE *stream = fopen(list, "w");
	for (size_t i = 0; i < count; i++)
		if (!sights[i].same)
			fprintf(stream, "%s\n", sights[i].path);
	fclose(stream);
	snprintf(command, sizeof(command), "node '%s/tests/interop/read_root.mjs' --served <'%s'", ENRG_BINARY_DIR,
		list);
	stream = popen(command, "re");
	assert_non_null(stream);
	for (size_t i = 0; i < count; i++) {
		char *end;
		if (sights[i].same) {
			sights[i].rows = sights[sights[i].same - 1].rows;
			continue;
		}
		assert_non_null(fgets(line, sizeof(line), stream));
		sights[i].rows = strtol(line, &end, 10); /* an empty line: no tree yet */
		if (end == line && *line != '\n')
			fail_msg("%s: %s", sights[i].path, line);
	}
	pclose(stream);
}

char *read_file(const char *path, size_t *ret_count)
{
	char *bytes = NULL;

	if (path_read_file(path, 1u << 28, &bytes, ret_count, NULL) < 0)
		fail_msg("%s can't be read", path);
	return bytes;
}

void write_file(const char *path, const char *bytes, size_t count)
{
	assert_int_equal(path_write_file(path, bytes, count, 0, NULL), 0);
}
