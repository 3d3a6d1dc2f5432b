/* hdf5_sections_test.c: what a producer's section may ask of the HDF5 store: the module as the framework drives it
 * (tests/conformance/harness.c). In the test process. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include <hdf5.h>

#include "base/log.h"
#include "data.h"
#include "harness.h"

static char folder[64], out_dir[80], journal_path[80], keys[300];
static const struct store_kind kind = {
	.name = "hdf5", .module = "hdf5", .type = "DAQJobStoreHDF5", .section_keys = keys, .has_out_dir = true};
static const struct harness_table table = {.source = "source", .tag = "", .schema = &data_narrow};

static int remove_entry(const char *path, const struct stat *status, int flag, struct FTW *walk)
{
	(void)status, (void)flag, (void)walk;
	return remove(path);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/hdf5_sections.XXXXXX");
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

/* Three rows into a section with these keys; what the first write says. */
static int try_section(const char *file_path, const char *dataset_name, struct enrg_error *err)
{
	struct harness *life;
	int rc;

	snprintf(keys, sizeof(keys), "file_path = \"%s\"\ndataset_name = \"%s\"", file_path, dataset_name);
	unlink(journal_path);
	if (harness_open(&kind, journal_path, out_dir, &life, err) < 0)
		fail_msg("%s", err->text);
	rc = harness_write(life, &table, 0, 3, 0, err);
	if (rc == 0)
		assert_int_equal(harness_commit(life, 1, err), 0);
	assert_int_equal(harness_close(life, NULL), 0);
	return rc;
}

static void names_that_are_no_group_are_refused(void **state)
{
	static const char *const names[] = {"", "/", "//", ".", "./a", "a/.", "a/./b", "run_valid", "a/run_valid/"};
	char path[200];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct enrg_error err = {0};

		if (try_section("refused.h5", names[i], &err) != ENRG_E_CONFIG || !strstr(err.text, "dataset_name"))
			fail_msg("\"%s\": %s", names[i], err.text);
	}
	snprintf(path, sizeof(path), "%s/refused.h5", out_dir);
	assert_int_not_equal(access(path, F_OK), 0);
}

static void paths_that_lead_out_are_refused(void **state)
{
	static const char *const paths[] = {"../a.h5", "/tmp/a.h5", "b/../../a.h5", "b/"};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct enrg_error err = {0};

		if (try_section(paths[i], "run", &err) >= 0 || !strstr(err.text, "file_path"))
			fail_msg("\"%s\": %s", paths[i], err.text);
	}
}

static hsize_t count_rows(const char *file_name, const char *dataset)
{
	char path[200];
	hsize_t count = 0;

	snprintf(path, sizeof(path), "%s/%s", out_dir, file_name);
	hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
	hid_t opened = file < 0 ? -1 : H5Dopen2(file, dataset, H5P_DEFAULT);
	if (opened < 0)
		fail_msg("%s: no %s", path, dataset);
	hid_t space = H5Dget_space(opened);
	H5Sget_simple_extent_dims(space, &count, NULL);
	H5Sclose(space);
	H5Dclose(opened);
	H5Fclose(file);
	return count;
}

/* An attribute that is text; "" where there is none. */
static void read_attribute(hid_t file, const char *object, const char *name, char ret_text[64])
{
	memset(ret_text, 0, 64);
	if (H5Aexists_by_name(file, object, name, H5P_DEFAULT) <= 0)
		return;
	hid_t attribute = H5Aopen_by_name(file, object, name, H5P_DEFAULT, H5P_DEFAULT);
	hid_t type = H5Aget_type(attribute);
	assert_true(H5Tget_size(type) < 64 && H5Aread(attribute, type, ret_text) >= 0);
	H5Tclose(type);
	H5Aclose(attribute);
}

static void notes_are_attributes(void **state)
{
	struct enrg_error err = {0};
	char path[200], text[64];

	(void)state;
	assert_int_equal(try_section("noted.h5", "run", &err), 0);
	snprintf(path, sizeof(path), "%s/noted.h5", out_dir);
	hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
	assert_true(file >= 0);
	read_attribute(file, "run/n", "clock", text);
	assert_string_equal(text, "device");
	read_attribute(file, "run", "sample_ns", text);
	assert_string_equal(text, "2");
	read_attribute(file, "run/n", "sample_ns", text);
	assert_string_equal(text, "");
	H5Fclose(file);
}

static void odd_names_of_groups_are_kept(void **state)
{
	static const char *const names[][2] = {
		{"..", "../n"}, {"/x//y/", "x/y/n"}, {"a b.c%2F", "a b.c%2F/n"}, {"_valid_", "_valid_/n"}};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct enrg_error err = {0};

		if (try_section("deep/er/odd.h5", names[i][0], &err) != 0)
			fail_msg("\"%s\": %s", names[i][0], err.text);
		assert_int_equal(count_rows("deep/er/odd.h5", names[i][1]), 3);
	}
}

/* A group that another section's group lies in has one more member: for the next start these are other columns. */
static void groups_within_groups_lose_nothing(void **state)
{
	struct enrg_error err = {0};

	(void)state;
	assert_int_equal(try_section("nest.h5", "run", &err), 0);
	assert_int_equal(try_section("nest.h5", "run/part", &err), 0);
	assert_int_equal(try_section("nest.h5", "run", &err), 0);
	assert_int_equal(count_rows("nest.h5", "run/n"), 3);
	assert_int_equal(count_rows("nest.h5", "run/part/n"), 3);
	assert_int_equal(count_rows("nest_2.h5", "run/n"), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(names_that_are_no_group_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(paths_that_lead_out_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(notes_are_attributes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(odd_names_of_groups_are_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(groups_within_groups_lose_nothing, set_up, tear_down),
	};

	log_init("hdf5", ENRG_ERROR);
	return cmocka_run_group_tests_name("plugin.hdf5_sections", tests, NULL, NULL);
}
