/* root_edges_test.c: what may come to the ROOT store at the edges, as jsroot sees it (read_root.mjs): names that ROOT
 * can't have, NaN and infinities, text that is no UTF-8, empty text, lists and batches, missing values; and what the
 * store refuses. The store runs as the framework drives it (tests/conformance/harness.c). In the test process. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "data.h"
#include "harness.h"

#define LINES_BYTES 20000u

static char folder[64], out_dir[80], journal_path[80], keys[300];
static const struct store_kind kind = {
	.name = "root", .module = "root", .type = "DAQJobStoreROOT", .section_keys = keys, .has_out_dir = true};
static const char *const formats[] = {"ttree", "rntuple"};
static const char *const classes[] = {"TTree", "ROOT::RNTuple"};

static int remove_entry(const char *path, const struct stat *status, int flag, struct FTW *walk)
{
	(void)status, (void)flag, (void)walk;
	return remove(path);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/root_edges.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(out_dir, sizeof(out_dir), "%s/out", folder);
	snprintf(journal_path, sizeof(journal_path), "%s/journal", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static struct harness *open_life(const char *file, const char *format, const char *more)
{
	struct enrg_error err = {0};
	struct harness *life;

	snprintf(keys, sizeof(keys), "file_path = \"%s\"\nformat = \"%s\"\n%s\n", file, format, more);
	unlink(journal_path);
	if (harness_open(&kind, journal_path, out_dir, &life, &err) < 0)
		fail_msg("%s", err.text);
	return life;
}

static void check(int rc, const struct enrg_error *err)
{
	if (rc < 0)
		fail_msg("%s", err->text);
}

/* One file of these batches, each with a commit behind it; all that jsroot says of it against `wanted`. */
static void check_batches(unsigned format, const struct enrg_batch *batches, unsigned count, const char *wanted)
{
	const struct harness_table table = {.source = "source", .tag = "", .schema = batches->schema};
	struct harness *life = open_life("t.root", formats[format], "");
	struct enrg_error err = {0};
	char command[400], expected[LINES_BYTES];
	static char found[LINES_BYTES];

	for (unsigned i = 0; i < count; i++) {
		check(harness_write_batch(life, &table, &batches[i], &err), &err);
		check(harness_commit(life, i + 1, &err), &err);
	}
	check(harness_close(life, &err), &err);
	snprintf(command, sizeof(command), "node '%s/tests/interop/read_root.mjs' '%s/t.root'", ENRG_BINARY_DIR,
		out_dir);
	FILE *stream = popen(command, "re");
	assert_non_null(stream);
	found[fread(found, 1, sizeof(found) - 1, stream)] = '\0';
	pclose(stream);
	snprintf(expected, sizeof(expected), "table tree %s %s", classes[format], wanted);
	assert_string_equal(found, expected);
	snprintf(command, sizeof(command), "%s/t.root", out_dir);
	assert_int_equal(unlink(command), 0);
}

/* The columns' counts in a TTree have names of their own, which must be free as well. */
static void names_are_made_fit_for_root(void **state)
{
	static const struct enrg_column columns[] = {{.name = "a.b", .type = ENRG_I8}, {.name = "a/b", .type = ENRG_I8},
		{.name = "a_b", .type = ENRG_I8}, {.name = "2 x", .type = ENRG_I8}, {.name = "n[1]", .type = ENRG_I8},
		{.name = "nwave", .type = ENRG_I8}, {.name = "wave", .type = ENRG_LIST, .item = ENRG_I16},
		{.name = "%", .type = ENRG_I8}, {.name = "a_b_2", .type = ENRG_I8}};
	static const struct enrg_schema schema = {.column_count = 9, .columns = columns};
	static const int8_t small[] = {-1};
	static const int16_t wave[] = {5, -6};
	static const int32_t ends[] = {0, 2};
	const struct enrg_column_view plain = {.values = small, .value_count = 1};
	const struct enrg_column_view views[] = {plain, plain, plain, plain, plain, plain,
		{.values = wave, .offsets = ends, .value_count = 2}, plain, plain};
	const struct enrg_batch batch = {.schema = &schema, .rows = 1, .columns = views};

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		check_batches(i, &batch, 1,
			"1 9\na_b\na_b_2\na_b_3\n2_x\nn_1_\nnwave\nwave\n_\na_b_2_2\n"
			"i -1\ni -1\ni -1\ni -1\ni -1\ni -1\nl 5 -6\ni -1\ni -1\n");
}

static const struct enrg_column edge_columns[] = {{.name = "f32", .type = ENRG_F32}, {.name = "f64", .type = ENRG_F64},
	{.name = "text", .type = ENRG_STRING}, {.name = "wave", .type = ENRG_LIST, .item = ENRG_F64},
	{.name = "n", .type = ENRG_I64}, {.name = "flag", .type = ENRG_BOOL}};
static const struct enrg_schema edge_schema = {.column_count = 6, .columns = edge_columns};
static const double reals[] = {NAN, INFINITY, -INFINITY, -0.0, 5e-324, 1.7976931348623157e308};
static const float singles[] = {NAN, INFINITY, -INFINITY, -0.0f, 1.401298464324817e-45f, 3.4028234663852886e38f};
/* jsroot 7.11 takes negative int64 of a TTree wrongly where bit 31 is 0; ROOT and uproot don't. */
static const int64_t integers[] = {INT64_MIN + UINT32_MAX, INT64_MAX, 0, -1, 9007199254740993, 1};
static const int32_t text_ends[] = {0, 0, 2, 2, 4, 4, 5}, wave_ends[] = {0, 0, 0, 6, 6, 6, 6};
static const uint8_t flags[] = {0x15};

#define EDGE_NAMES "6\nf32\nf64\ntext\nwave\nn\nflag\n"

/* Batches without rows before, between and behind. */
static void edges_of_values_are_kept(void **state)
{
	const struct enrg_column_view views[] = {{.values = singles, .value_count = 6},
		{.values = reals, .value_count = 6},
		{.values = "\xFF\xFE"
			   "ab"
			   "z",
			.offsets = text_ends,
			.value_count = 5},
		{.values = reals, .offsets = wave_ends, .value_count = 6}, {.values = integers, .value_count = 6},
		{.values = flags, .value_count = 6}};
	const struct enrg_batch empty = {.schema = &edge_schema, .columns = views};
	const struct enrg_batch full = {.schema = &edge_schema, .rows = 6, .columns = views};
	const struct enrg_batch batches[] = {empty, full, empty, empty};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		check_batches(i, batches, 1, "0 " EDGE_NAMES);
		check_batches(i, batches, 4,
			"6 " EDGE_NAMES "f 7ff8000000000000\nf 7ff8000000000000\ns \nl\ni -9223372032559808513\nb 1\n"
			"f 7ff0000000000000\nf 7ff0000000000000\ns fffe\nl\ni 9223372036854775807\nb 0\n"
			"f fff0000000000000\nf fff0000000000000\ns \nl 7ff8000000000000 7ff0000000000000 "
			"fff0000000000000 "
			"8000000000000000 0000000000000001 7fefffffffffffff\ni 0\nb 1\n"
			"f 8000000000000000\nf 8000000000000000\ns 6162\nl\ni -1\nb 0\n"
			"f 36a0000000000000\nf 0000000000000001\ns \nl\ni 9007199254740993\nb 1\n"
			"f 47efffffe0000000\nf 7fefffffffffffff\ns 7a\nl\ni 1\nb 0\n");
	}
}

/* Of six rows the first and the fourth are there. */
static void missing_values_have_a_stand_in(void **state)
{
	static const uint8_t validity[] = {0x09};
	struct enrg_column_view views[] = {{.values = singles, .value_count = 6}, {.values = reals, .value_count = 6},
		{.values = "??"
			   "ab"
			   "?",
			.offsets = text_ends,
			.value_count = 5},
		{.values = reals, .offsets = wave_ends, .value_count = 6}, {.values = integers, .value_count = 6},
		{.values = flags, .value_count = 6}};
	const struct enrg_batch batch = {.schema = &edge_schema, .rows = 6, .columns = views};
	static const char missing[] = "f 7ff8000000000000\nf 7ff8000000000000\ns \nl\ni 0\nb 0\n";
	char wanted[2000];

	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		views[i].validity = validity;
		views[i].null_count = 4;
	}
	snprintf(wanted, sizeof(wanted),
		"6 " EDGE_NAMES "f 7ff8000000000000\nf 7ff8000000000000\ns \nl\ni -9223372032559808513\nb 1\n%s%s"
		"f 8000000000000000\nf 8000000000000000\ns 6162\nl\ni -1\nb 0\n%s%s",
		missing, missing, missing, missing);
	for (unsigned i = 0; i < 2; i++)
		check_batches(i, &batch, 1, wanted);
}

static void what_can_not_be_written_is_refused(void **state)
{
	static const struct {
		const char *file, *more, *said;
	} cases[] = {{"t.root", "tree_name = \"a.b\"", "tree_name"}, {"t.root", "tree_name = \"\"", "tree_name"},
		{"t.root", "tree_name = \"a/b\"", "tree_name"}, {"t.root", "tree_name = \"a b\"", "tree_name"},
		{"../t.root", "", "file_path"}, {"/tmp/t.root", "", "file_path"}, {"a/../../t.root", "", "file_path"},
		{"a/", "", "file_path"}};
	const struct harness_table table = {.source = "source", .tag = "", .schema = &data_narrow};
	char path[200];

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct harness *life = open_life(cases[i].file, formats[i % 2], cases[i].more);
		struct enrg_error err = {0};
		if (harness_write(life, &table, 0, 3, 0, &err) >= 0 || !strstr(err.text, cases[i].said))
			fail_msg("%s %s: %s", cases[i].file, cases[i].more, err.text);
		assert_int_equal(harness_close(life, NULL), 0);
	}
	snprintf(path, sizeof(path), "%s/t.root", out_dir);
	assert_int_not_equal(access(path, F_OK), 0);
}

/* Files that are there are left as they are, to the last byte: of others, of earlier lives, and what is no file. */
static void files_that_are_there_stay(void **state)
{
	static const char foreign[] = "root\0\0\xF4not one of ours";
	const struct harness_table table = {.source = "source", .tag = "", .schema = &data_narrow};
	char path[200], content[100];

	(void)state;
	assert_int_equal(mkdir(out_dir, 0755), 0);
	snprintf(path, sizeof(path), "%s/t_1.root", out_dir);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/t.root", out_dir);
	FILE *stream = fopen(path, "we");
	assert_int_equal(fwrite(foreign, 1, sizeof(foreign), stream), sizeof(foreign));
	fclose(stream);
	for (unsigned i = 0; i < 2; i++) {
		struct harness *life = open_life("t.root", formats[i], "");
		struct enrg_error err = {0};
		check(harness_write(life, &table, 0, 3, 0, &err), &err);
		check(harness_commit(life, 1, &err), &err);
		check(harness_close(life, &err), &err);
		snprintf(path, sizeof(path), "%s/t_%u.root", out_dir, i + 2);
		assert_int_equal(access(path, F_OK), 0);
	}
	snprintf(path, sizeof(path), "%s/t.root", out_dir);
	stream = fopen(path, "re");
	assert_int_equal(fread(content, 1, sizeof(content), stream), sizeof(foreign));
	fclose(stream);
	assert_memory_equal(content, foreign, sizeof(foreign));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(names_are_made_fit_for_root, set_up, tear_down),
		cmocka_unit_test_setup_teardown(edges_of_values_are_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(missing_values_have_a_stand_in, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_can_not_be_written_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(files_that_are_there_stay, set_up, tear_down),
	};

	log_init("root", ENRG_ERROR);
	return cmocka_run_group_tests_name("interop.root_edges", tests, NULL, NULL);
}
