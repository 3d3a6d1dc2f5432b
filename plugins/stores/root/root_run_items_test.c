/* root_run_items_test.c: runs in a ROOT file: which items are listed, and that nothing they leave behind is lost. What
 * readers find is proved by `make interop`. In the test process. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "job/file/handle.h"
#include "run_items.h"

static void add_run(struct enrg_store *store, const char *name, int number)
{
	run_info_add(&store->files.chronicle.info, json_pack("{s:s, s:i, s:s, s:s}", "run", name, "number", number,
							   "uuid", "u", "config", "password = \"***\""));
}

static bool has_key(const struct container *container, const char *name)
{
	for (uint32_t i = 0; i < container->key_count; i++)
		if (!strcmp(container->keys[i].name, name) && !strcmp(container->keys[i].class_name, "TNamed"))
			return true;
	return false;
}

static void runs_are_items_of_the_file(void **state)
{
	const struct compress_setting setting = {COMPRESS_ZSTD, 5};
	char folder[] = "/tmp/root_items.XXXXXX", path[100], journal[100], *bytes;
	struct container container = {0};
	struct run_items items = {0};
	struct enrg_store *store;
	size_t count;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/t.root", folder);
	snprintf(journal, sizeof(journal), "%s/journal", folder);
	assert_int_equal(store_create_alone("root", journal, &store, NULL), 0);
	assert_int_equal(enrg_file_open(store, path, &container.file, NULL), 0);
	assert_int_equal(container_create(&container, container.file, &setting, NULL), 0);
	add_run(store, "first", 41);
	add_run(store, "second", 42);
	const char *const order[] = {"", "unknown", "first", "first", "second", "fir", "first"};
	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
		assert_int_equal(run_items_note(&items, store, &container, order[i], NULL), 0);
	assert_true(has_key(&container, "run") && has_key(&container, "run_number") && has_key(&container, "runs"));
	assert_true(has_key(&container, "run_2") && has_key(&container, "run_config_2"));
	assert_false(has_key(&container, "run_3") || has_key(&container, "run_type"));
	assert_string_equal(items.runs, "first second");
	assert_int_equal(container.free.count, 1); /* the list of one run, which that of two has replaced */
	assert_int_equal(container_commit(&container, NULL), 0);
	store_commit_alone(store);
	assert_int_equal(path_read_file(path, 1 << 20, &bytes, &count, NULL), 0);
	assert_non_null(memmem(bytes, count,
		"\x0c"
		"first second",
		13));
	free(bytes);
	container_fini(&container);
	run_items_fini(&items);
	store_destroy_alone(store);
	unlink(path);
	unlink(journal);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(runs_are_items_of_the_file)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
