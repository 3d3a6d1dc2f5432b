/* hdf5_run_notes_test.c: runs in an HDF5 file, read back by libhdf5. In the test process. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "job/file/handle.h"
#include "run_notes.h"

static char folder[64], path[100], journal[100];
static struct enrg_store *store;
static hid_t file;

static void add_run(const char *name, int number, json_int_t ended_ns)
{
	run_info_add(&store->files.chronicle.info,
		json_pack("{s:s, s:i, s:s, s:s, s:s, s:I, s:I, s:s, s:s}", "run", name, "number", number, "uuid", "u",
			"supervisor", "lab1", "description", "LED", "began_wall_ns", (json_int_t)1764313390123456789,
			"ended_wall_ns", ended_ns, "config", "password = \"***\"\n", "config_sha256", "ab"));
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/hdf5_notes.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/t.h5", folder);
	snprintf(journal, sizeof(journal), "%s/journal", folder);
	assert_int_equal(store_create_alone("hdf5", journal, &store, NULL), 0);
	file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
	return file < 0;
}

static int tear_down(void **state)
{
	(void)state;
	H5Fclose(file);
	store_destroy_alone(store);
	unlink(path);
	unlink(journal);
	return rmdir(folder);
}

/* The text of an attribute; "": there is none. */
static const char *text_of(const char *group, const char *name)
{
	static char text[200];
	hid_t attribute, type;

	memset(text, 0, sizeof(text));
	if (H5Aexists_by_name(file, group, name, H5P_DEFAULT) <= 0)
		return text;
	attribute = H5Aopen_by_name(file, group, name, H5P_DEFAULT, H5P_DEFAULT);
	type = H5Aget_type(attribute);
	assert_true(H5Tget_size(type) < sizeof(text));
	assert_true(H5Aread(attribute, type, text) >= 0);
	H5Tclose(type);
	H5Aclose(attribute);
	return text;
}

static void runs_stand_in_the_file(void **state)
{
	struct run_notes notes = {0};

	(void)state;
	add_run("one", 1, 0);
	add_run("two", 2, 0);
	assert_false(run_notes_begin(&notes, store, file, ""));
	assert_false(run_notes_begin(&notes, store, file, "unknown"));
	assert_int_equal(H5Lexists(file, "enrgdaq_runs", H5P_DEFAULT), 0);
	assert_true(run_notes_begin(&notes, store, file, "one"));
	assert_false(run_notes_begin(&notes, store, file, "one"));
	assert_true(run_notes_begin(&notes, store, file, "two"));
	assert_string_equal(text_of("/", "entry_identifier"), "1"); /* of the one that it was begun in */
	assert_string_equal(text_of("/", "experiment_identifier"), "lab1");
	assert_string_equal(text_of("/", "start_time"), "2025-11-28T07:03:10.123456+00:00");
	assert_string_equal(text_of("/enrgdaq_runs/two", "entry_identifier"), "2");
	assert_string_equal(text_of("/enrgdaq_runs/two", "NX_class"), "NXentry");
	assert_true(H5Lexists(file, "/enrgdaq_runs/two/config", H5P_DEFAULT) > 0);
	assert_string_equal(text_of("/", "end_time"), "");
}

static void an_end_is_noted_once_it_is_known(void **state)
{
	struct run_notes notes = {0};

	(void)state;
	add_run("one", 1, 1764313400123456789);
	assert_false(run_notes_end(&notes, store, file));
	assert_true(run_notes_begin(&notes, store, file, "one"));
	assert_true(run_notes_end(&notes, store, file));
	assert_false(run_notes_end(&notes, store, file));
	assert_string_equal(text_of("/", "end_time"), "2025-11-28T07:03:20.123456+00:00");
	assert_string_equal(text_of("/enrgdaq_runs/one", "end_time"), "2025-11-28T07:03:20.123456+00:00");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(runs_stand_in_the_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_end_is_noted_once_it_is_known, set_up, tear_down),
	};

	H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
