/* odd.c: see the header. In the test process. */
#include "odd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "suite.h"

#define LARGE_BYTES (17u << 20)

/* NaN, infinities, the smallest and largest reals, text that is no UTF-8. */
void odd_values_are_kept(void)
{
	const struct harness_table odd = {.source = "source", .tag = "", .schema = &data_odd};

	suite_open(__LINE__);
	suite_write(__LINE__, &odd, 0, 100, 0);
	suite_commit(__LINE__, 1);
	suite_close(__LINE__);
	suite_check_file(__LINE__, suite.kind->file_path, &data_odd, 0, 100);
}

/* Also in a second life, which has to find the columns again. */
void odd_names_keep_their_columns_apart(void)
{
	const struct harness_table names = {.source = "source", .tag = "", .schema = &data_names};

	for (unsigned i = 0; i < 2; i++) {
		suite_open(__LINE__);
		suite_write(__LINE__, &names, 20 * i, 20, 0);
		suite_commit(__LINE__, i + 1);
		suite_close(__LINE__);
	}
	suite_check_file(__LINE__, suite.kind->file_path, &data_names, suite.kind->keeps_newest ? 20 : 0,
		suite.kind->keeps_newest ? 20 : 40);
}

/* Every second string is missing. Producers can't send that yet; converted files can. */
void missing_values_keep_their_places(void)
{
	static const struct enrg_column columns[] = {
		{.name = "n", .type = ENRG_I64}, {.name = "text", .type = ENRG_STRING}};
	static const struct enrg_schema schema = {.column_count = 2, .columns = columns};
	static const int64_t numbers[] = {0, 1, 2, 3};
	static const int32_t offsets[] = {0, 1, 1, 3, 3};
	static const uint8_t validity = 0x5;
	const struct enrg_column_view views[] = {{.values = numbers, .value_count = 4},
		{.validity = &validity, .offsets = offsets, .values = "abc", .value_count = 3, .null_count = 2}};
	const struct enrg_batch batch = {.schema = &schema, .rows = 4, .columns = views};
	const struct harness_table table = {.source = "source", .tag = "", .schema = &schema};
	const char *wanted[] = {"0", "a", "1", suite.kind->missing, "2", "bc", "3", suite.kind->missing};
	struct enrg_error err = {0};
	struct cells cells = {0};
	char path[1024];

	if (!suite.kind->missing)
		return;
	suite_open(__LINE__);
	suite_check_code(__LINE__, harness_write_batch(suite.life, &table, &batch, &err), &err);
	suite_commit(__LINE__, 1);
	suite_close(__LINE__);
	snprintf(path, sizeof(path), "%s/%s", suite.out_dir, suite.kind->file_path);
	suite_check(__LINE__, suite.kind->read_back(path, &schema, &cells) && cells.rows == 4, "it can be read back");
	for (size_t i = 0; i < cells.count; i++)
		suite_check(__LINE__, strcmp(cells.items[i], wanted[i]) == 0, cells.items[i]);
	cells_fini(&cells);
}

/* --- paths -------------------- */

/* The kind with another file_path in its section. */
static struct store_kind with_path(const char *path, char *keys, size_t keys_bytes)
{
	static const char key[] = "file_path = \"";
	struct store_kind kind = *suite.kind;
	const char *before = strstr(kind.section_keys, key), *after;

	suite_check(__LINE__, before != NULL, "the section names a file");
	before += sizeof(key) - 1;
	after = strchr(before, '"');
	snprintf(keys, keys_bytes, "%.*s%s%s", (int)(before - kind.section_keys), kind.section_keys, path, after);
	kind.section_keys = keys;
	return kind;
}

static void check_refused(const char *path)
{
	const struct store_kind *whole = suite.kind;
	struct enrg_error err = {0};
	char keys[2048];
	struct store_kind kind = with_path(path, keys, sizeof(keys));
	int rc;

	suite.kind = &kind;
	suite_open(__LINE__);
	rc = harness_write(suite.life, &suite_wide, 0, 5, 0, &err);
	suite_check(__LINE__, rc < 0, path);
	suite_check(__LINE__, strstr(err.text, "file_path") && strstr(err.text, "out_dir") && strstr(err.text, path),
		"the refusal names the key, what it holds, and what to change");
	harness_kill(suite.life);
	suite.kind = whole;
}

/* Nothing is written there, and the store works on when the path is put right. */
void path_outside_of_out_dir_is_refused(void)
{
	char absolute[600], found[900];
	struct stat status;

	if (!suite.kind->has_out_dir)
		return;
	snprintf(absolute, sizeof(absolute), "%s/outside", suite.folder);
	check_refused(absolute);
	check_refused("../outside");
	check_refused("deep/../../../outside");
	check_refused("deep/../outside");
	suite_check(__LINE__, stat(absolute, &status) < 0, "an absolute path is not written");
	snprintf(found, sizeof(found), "%s/../outside", suite.out_dir);
	suite_check(__LINE__, stat(found, &status) < 0, "nothing is written beside out_dir");
	suite_open(__LINE__);
	suite_write(__LINE__, &suite_wide, 0, 5, 0);
	suite_commit(__LINE__, 1);
	suite_close(__LINE__);
	suite_check_file(__LINE__, suite.kind->file_path, &data_wide, 0, 5);
}

/* --- sizes -------------------- */

static bool is_large_object(const char *hex)
{
	static const char digits[] = "0123456789abcdef";
	size_t place = 0;

	for (; place < LARGE_BYTES; place++)
		if (hex[2 * place] != digits[data_blob_byte(place) >> 4] ||
			hex[2 * place + 1] != digits[data_blob_byte(place) & 15])
			return false;
	return hex[2 * place] == '\0';
}

void large_object_is_whole(void)
{
	struct enrg_schema blob = *enrg_schema_blob();
	const struct harness_table table = {.source = "camera", .tag = "", .schema = &blob};
	struct enrg_error err = {0};
	struct cells cells = {0};
	char path[1024];

	suite_open(__LINE__);
	suite_check_code(__LINE__, harness_write_blob(suite.life, &table, LARGE_BYTES, &err), &err);
	suite_commit(__LINE__, 1);
	suite_close(__LINE__);
	if (!suite.kind->has_out_dir)
		return;
	snprintf(path, sizeof(path), "%s/%s", suite.out_dir, suite.kind->file_path);
	suite_check(__LINE__, suite.kind->read_back(path, &blob, &cells) && cells.rows == 1, "it can be read back");
	suite_check(__LINE__, is_large_object(cells.items[0]), "its bytes are the same");
	cells_fini(&cells);
}

/* --- columns -------------------- */

void newest_may_have_other_columns(void)
{
	const struct harness_table narrow = {.source = "narrow", .tag = "", .schema = &data_narrow};

	if (!suite.kind->keeps_newest)
		return;
	suite_open(__LINE__);
	suite_write(__LINE__, &suite_wide, 0, 3, 0);
	suite_commit(__LINE__, 1);
	suite_write(__LINE__, &narrow, 0, 4, 0);
	suite_commit(__LINE__, 2);
	suite_close(__LINE__);
	suite_check_file(__LINE__, suite.kind->file_path, &data_narrow, 0, 4);
}

/* --- cuts -------------------- */

#define CUT_BATCHES 4u
#define CUT_ROWS    3u /* of a batch */
#ifndef CUTS
#define CUTS 50u
#endif

/* In place of the C library's. Hundreds of cuts would wait for the disk, and what is cut here is cut by hand. */
static bool is_sync_off;

int fdatasync(int descriptor)
{
	return is_sync_off ? 0 : (int)syscall(SYS_fdatasync, descriptor);
}

/* A file of CUT_BATCHES commits, and how long it was after each; [0] = with no row. */
static void write_commits(const char *path, off_t ret_sizes[CUT_BATCHES + 1])
{
	struct stat status;

	suite_open(__LINE__);
	for (unsigned i = 0; i <= CUT_BATCHES; i++) {
		suite_write(__LINE__, &suite_wide, i ? (i - 1) * CUT_ROWS : 0, i ? CUT_ROWS : 0, 0);
		suite_commit(__LINE__, i + 1);
		suite_check(__LINE__, stat(path, &status) == 0, "stat");
		ret_sizes[i] = status.st_size;
	}
	harness_kill(suite.life); /* closed in order it may become another: arrow merges small batches */
}

static void copy_start(const char *from, const char *to, off_t count)
{
	FILE *in = fopen(from, "re"), *out = fopen(to, "we");
	char *bytes = malloc((size_t)count + 1);
	bool is_good = in && out && bytes && fread(bytes, 1, (size_t)count, in) == (size_t)count &&
		       fwrite(bytes, 1, (size_t)count, out) == (size_t)count && fclose(out) == 0;

	suite_check(__LINE__, is_good, "the file is copied");
	fclose(in);
	free(bytes);
}

static uint64_t count_rows(const char *path)
{
	struct cells cells = {0};
	uint64_t rows;

	suite_check(__LINE__, suite.kind->read_back(path, &data_wide, &cells), "the file can be read back");
	rows = cells.rows;
	cells_fini(&cells);
	return rows;
}

/* As after a power cut: no journal, and the file ends anywhere. What was whole is kept, what is torn is cut off, and
 * new rows follow. */
static void check_cut(const char *path, off_t cut, const off_t *sizes)
{
	char kept[700];
	uint64_t rows, whole = 0;

	for (unsigned i = 0; i < CUT_BATCHES; i++)
		whole += sizes[i + 1] <= cut ? CUT_ROWS : 0;
	snprintf(kept, sizeof(kept), "%s/kept", suite.folder);
	copy_start(kept, path, cut);
	unlink(suite.journal_path);
	suite_open(__LINE__);
	suite_write(__LINE__, &suite_wide, 0, 0, 0); /* opens the file */
	suite_commit(__LINE__, 1);
	rows = count_rows(path);
	if (rows < whole || rows > CUT_BATCHES * CUT_ROWS)
		fprintf(stderr, "cut at %lld of %lld bytes: %llu rows, %llu were whole\n", (long long)cut,
			(long long)sizes[CUT_BATCHES], (unsigned long long)rows, (unsigned long long)whole);
	suite_check(__LINE__, rows >= whole && rows <= CUT_BATCHES * CUT_ROWS, "whole rows are kept");
	suite_write(__LINE__, &suite_wide, rows, 7, 0);
	suite_commit(__LINE__, 2);
	suite_close(__LINE__);
	suite_check_file(__LINE__, suite.kind->file_path, &data_wide, 0, rows + 7);
}

/* In text some of them stand inside of a value. */
static void check_cuts_after_line_ends(const char *kept, const off_t *sizes, const char *path)
{
	FILE *stream = fopen(kept, "re");
	off_t cut = 0;

	suite_check(__LINE__, stream != NULL, "fopen");
	for (int byte = getc(stream); byte != EOF; byte = getc(stream)) {
		cut++;
		if (byte == '\n' && cut >= sizes[0])
			check_cut(path, cut, sizes);
	}
	fclose(stream);
}

/* Stores that never continue a file, or keep one that is no log, have tests of their own for this. */
void file_cut_anywhere_goes_on(void)
{
	off_t sizes[CUT_BATCHES + 1], cut, step;
	char path[700], kept[700];

	if (!suite.kind->has_out_dir || suite.kind->keeps_newest || suite.kind->is_database || suite.kind->is_indexed ||
		suite.kind->starts_files)
		return;
	snprintf(path, sizeof(path), "%s/%s", suite.out_dir, suite.kind->file_path);
	snprintf(kept, sizeof(kept), "%s/kept", suite.folder);
	is_sync_off = true;
	write_commits(path, sizes);
	copy_start(path, kept, sizes[CUT_BATCHES]);
	step = (sizes[CUT_BATCHES] - sizes[0]) / CUTS + 1;
	for (cut = sizes[0]; cut <= sizes[CUT_BATCHES]; cut += step)
		check_cut(path, cut, sizes);
	if (strcmp(suite.kind->module, "csv") == 0)
		check_cuts_after_line_ends(kept, sizes, path);
	for (unsigned i = 0; i <= CUT_BATCHES; i++)
		for (off_t more = i ? -3 : 0; more <= 3; more++)
			if (sizes[i] + more <= sizes[CUT_BATCHES])
				check_cut(path, sizes[i] + more, sizes);
	is_sync_off = false;
}
