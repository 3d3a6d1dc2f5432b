/* suite.c: see the header. In the test process. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "suite.h"

struct suite suite;
const struct harness_table suite_wide = {.source = "source", .tag = "", .schema = &data_wide};

/* --- checks that name the store -------------------- */

void suite_check(int line, bool is_true, const char *what)
{
	if (!is_true)
		fail_msg("%s: line %d: %s", suite.kind->name, line, what);
}

void suite_check_code(int line, int rc, const struct enrg_error *err)
{
	if (rc < 0)
		fail_msg("%s: line %d: %s (%d)", suite.kind->name, line, err->text, rc);
}

void suite_open(int line)
{
	struct enrg_error err = {0};

	suite_check_code(line, harness_open(suite.kind, suite.journal_path, suite.out_dir, &suite.life, &err), &err);
}

void suite_write(int line, const struct harness_table *table, uint64_t first, uint64_t count, uint64_t acquired_ns)
{
	struct enrg_error err = {0};

	suite_check_code(line, harness_write(suite.life, table, first, count, acquired_ns, &err), &err);
}

void suite_commit(int line, uint64_t position)
{
	struct enrg_error err = {0};

	suite_check_code(line, harness_commit(suite.life, position, &err), &err);
}

void suite_close(int line)
{
	struct enrg_error err = {0};

	suite_check_code(line, harness_close(suite.life, &err), &err);
	suite.life = NULL;
}

static void check_cells(int line, const struct cells *cells, const struct enrg_schema *schema, uint64_t first)
{
	char expected[4096];

	for (size_t row = 0; row < cells->rows; row++) {
		for (uint32_t i = 0; i < schema->column_count; i++) {
			const char *found = cells->items[row * schema->column_count + i];

			if (cells->is_absent && cells->is_absent[i])
				continue;
			data_format_cell(&schema->columns[i], first + row, expected, sizeof(expected));
			if (strcmp(found, expected) != 0)
				fail_msg("%s: line %d: row %zu, column %s: expected \"%s\", found \"%s\"",
					suite.kind->name, line, row, schema->columns[i].name, expected, found);
		}
	}
}

void suite_check_file(int line, const char *file, const struct enrg_schema *schema, uint64_t first, uint64_t count)
{
	struct cells cells = {0};
	char path[1024];

	if (!suite.kind->has_out_dir)
		return;
	snprintf(path, sizeof(path), "%s/%s", suite.out_dir, file);
	if (!suite.kind->read_back(path, schema, &cells))
		fail_msg("%s: line %d: %s can't be read back", suite.kind->name, line, path);
	if (cells.rows != count)
		fail_msg("%s: line %d: %s: expected %llu rows, found %zu", suite.kind->name, line, path,
			(unsigned long long)count, cells.rows);
	check_cells(line, &cells, schema, first);
	cells_fini(&cells);
}

const char *suite_file_name(const char *date, const char *more)
{
	static char name[512];
	const char *slash = strrchr(suite.kind->file_path, '/');
	const char *own = slash ? slash + 1 : suite.kind->file_path;
	const char *dot = strchr(own, '.');

	snprintf(name, sizeof(name), "%.*s%s%.*s%s%s", (int)(own - suite.kind->file_path), suite.kind->file_path, date,
		(int)(dot - own), own, more, dot);
	return name;
}

/* --- the frame -------------------- */

static int remove_entry(const char *path, const struct stat *status, int flag, struct FTW *walk)
{
	(void)status;
	(void)flag;
	(void)walk;
	return remove(path);
}

void suite_run(void **state)
{
	void (*const *function)(void) = *state;
	const char *base = getenv("TMPDIR");

	for (unsigned i = 0; i < store_kind_count; i++) {
		suite.kind = &store_kinds[i];
		snprintf(suite.folder, sizeof(suite.folder), "%s/enrg-conformance-XXXXXX",
			base && *base ? base : "/tmp");
		assert_non_null(mkdtemp(suite.folder));
		snprintf(suite.out_dir, sizeof(suite.out_dir), "%s/new/out", suite.folder);
		snprintf(suite.journal_path, sizeof(suite.journal_path), "%s/journal", suite.folder);
		(*function)();
		nftw(suite.folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	}
}
