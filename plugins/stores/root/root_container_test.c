/* root_container_test.c: keys from the first byte to the last, places that are used again, and the switch. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "container.h"
#include "job/file/handle.h"

static const struct compress_setting setting = {COMPRESS_ZSTD, 5};
static char folder[64], journal_path[128], path[128];
static struct enrg_store *store;
static struct container container;
static uint8_t filling[4000];

static void open_store(void)
{
	struct enrg_error err = {0};

	if (store_create_alone("test", journal_path, &store, &err) != 0)
		fail_msg("%s", err.text);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/root_test.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(journal_path, sizeof(journal_path), "%s/journal", folder);
	snprintf(path, sizeof(path), "%s/t.root", folder);
	open_store();
	container = (struct container){0};
	assert_int_equal(enrg_file_open(store, path, &container.file, NULL), 0);
	assert_int_equal(container_create(&container, container.file, &setting, NULL), 0);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	container_fini(&container);
	store_destroy_alone(store);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static void put(const char *name, uint64_t count, struct place *place)
{
	const struct record record = {.class_name = "RBlob",
		.name = name,
		.title = "",
		.payload = filling,
		.payload_bytes = count,
		.object_bytes = count,
		.in_directory = true,
		.grows = true};

	assert_int_equal(container_drop(&container, place, NULL), 0);
	assert_int_equal(container_put(&container, &record, place, NULL), 0);
	assert_int_equal(container_list(&container, &(struct container_key){"RBlob", name, "", *place}, NULL), 0);
}

static void commit(void)
{
	assert_int_equal(container_commit(&container, NULL), 0);
	store_commit_alone(store);
}

static uint8_t *read_all(size_t *ret_count)
{
	struct stat status;
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &status), 0);
	uint8_t *bytes = malloc((size_t)status.st_size);
	*ret_count = fread(bytes, 1, (size_t)status.st_size, file);
	assert_int_equal(*ret_count, status.st_size);
	fclose(file);
	return bytes;
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* From key to key, gaps and all; the number of keys. */
static unsigned walk(void)
{
	size_t count, at = 100;
	uint8_t *bytes = read_all(&count);
	unsigned keys = 0;

	assert_memory_equal(bytes, "root", 4);
	assert_int_equal(bytes_get_be64(bytes + 12), count); /* fEND */
	while (at < count) {
		int32_t length = (int32_t)get32(bytes + at);
		assert_int_not_equal(length, 0);
		if (length > 0) {
			assert_int_equal(bytes_get_be64(bytes + at + 18), at);
			keys++;
		}
		at += (size_t)(length > 0 ? length : -length);
	}
	assert_int_equal(at, count);
	free(bytes);
	return keys;
}

static void keys_lead_from_the_first_byte_to_the_last(void **state)
{
	struct place a = {0}, b = {0};
	size_t before, after;

	(void)state;
	for (unsigned i = 0; i < 60; i++) {
		put("a", 100 + 7 * i, &a);
		put("b", 1 + i % 3, &b);
		commit();
		assert_true(walk() >= 6);
	}
	free(read_all(&before));
	for (unsigned i = 0; i < 200; i++) {
		put("a", 500, &a);
		put("b", 3, &b);
		commit();
	}
	free(read_all(&after));
	assert_true(after - before < 200 * 160); /* notes, not objects */
	walk();
	assert_int_equal(container_finish(&container, NULL), 0);
	store_commit_alone(store);
	walk();
	size_t count;
	uint8_t *bytes = read_all(&count);
	uint64_t free_list = bytes_get_be64(bytes + 20);
	uint32_t free_bytes = get32(bytes + 28);
	/* The last segment begins where the file ends. */
	assert_int_equal(bytes_get_be64(bytes + free_list + free_bytes - 16), count);
	free(bytes);
}

/* Each state is whole while the next one is being written: what it refers to is not touched. */
static void a_state_outlives_two_commits(void **state)
{
	struct place a = {0};

	(void)state;
	for (unsigned i = 0; i < 40; i++) {
		memset(filling, (int)i, sizeof(filling));
		put("a", 900, &a);
		commit();
		struct place old = a;
		for (unsigned k = 1; k <= 2; k++) {
			memset(filling, (int)(i + k), sizeof(filling));
			put("a", 900, &a);
			size_t count;
			uint8_t *bytes = read_all(&count);
			for (unsigned n = 0; n < 900; n++)
				assert_int_equal(bytes[old.position + old.key_bytes + n], i);
			free(bytes);
			commit();
		}
	}
}

static void write_head(const uint8_t *head)
{
	int descriptor = open(path, O_WRONLY | O_CLOEXEC);

	assert_int_equal(pwrite(descriptor, head, 512, 0), 512);
	close(descriptor);
}

static void kill_store(void)
{
	store_destroy_alone(store);
	open_store();
	container.file = NULL;
}

static enum container_content mend(void)
{
	enum container_content content;
	struct enrg_file *file;
	struct enrg_error err = {0};

	assert_int_equal(enrg_file_open(store, path, &file, NULL), 0);
	if (container_mend(file, &content, &err) != 0)
		fail_msg("%s", err.text);
	enrg_file_close(file);
	return content;
}

static void a_switch_that_a_kill_prevented_is_made_up_for(void **state)
{
	struct place a = {0};
	size_t count, made_up_count;

	(void)state;
	put("a", 100, &a);
	commit();
	uint8_t *old = read_all(&count);
	put("a", 200, &a);
	commit();
	uint8_t *new = read_all(&count);
	assert_memory_not_equal(old, new, 512);
	put("a", 300, &a);
	assert_int_equal(container_commit(&container, NULL), 0); /* killed before the journal has it */
	write_head(old);
	kill_store();
	assert_int_equal(mend(), CONTAINER_WHOLE); /* the framework has done it */
	uint8_t *made_up = read_all(&made_up_count);
	assert_int_equal(made_up_count, count);
	assert_memory_equal(made_up, new, count);
	walk();
	free(old);
	free(new);
	free(made_up);
}

/* What was synced is on the disk, the first sector and all on tmpfs are gone. */
static void a_switch_that_a_power_cut_lost_is_made_up_for(void **state)
{
	char command[200];
	struct place a = {0};
	size_t count, mended_count;

	(void)state;
	put("a", 100, &a);
	commit();
	uint8_t *old = read_all(&count);
	put("a", 200, &a);
	commit();
	uint8_t *new = read_all(&count);
	write_head(old);
	snprintf(command, sizeof(command), "rm %s*", journal_path);
	assert_int_equal(system(command), 0);
	kill_store();
	assert_int_equal(mend(), CONTAINER_MENDED);
	uint8_t *mended = read_all(&mended_count);
	assert_int_equal(mended_count, count);
	/* All but the date of the change. */
	assert_memory_equal(mended, new, 100);
	assert_int_equal(bytes_get_be64(mended + 12), count);
	walk();
	assert_int_equal(mend(), CONTAINER_WHOLE);
	free(old);
	free(new);
	free(mended);
}

static void a_cut_file_goes_back(void **state)
{
	struct place a = {0};
	size_t first, second;

	(void)state;
	put("a", 100, &a);
	commit();
	free(read_all(&first));
	put("a", 2000, &a);
	commit();
	free(read_all(&second));
	container_fini(&container);
	container = (struct container){0};
	kill_store();
	unlink(journal_path);
	kill_store();
	assert_int_equal(truncate(path, (off_t)second - 1), 0);
	assert_int_equal(mend(), CONTAINER_MENDED);
	size_t count;
	free(read_all(&count));
	assert_int_equal(count, first);
	walk();
	assert_int_equal(truncate(path, 300), 0);
	assert_int_equal(mend(), CONTAINER_BROKEN);
	assert_int_equal(truncate(path, 50), 0);
	assert_int_equal(mend(), CONTAINER_FOREIGN);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(mend(), CONTAINER_EMPTY);
}

static void places_ripen(void **state)
{
	struct extent_list list = {0};
	uint64_t rest;

	(void)state;
	assert_int_equal(extent_add(&list, 1000, 100, 1), 0);
	assert_int_equal(extent_add(&list, 1100, 100, 1), 0);
	assert_int_equal(list.count, 1);
	assert_true(extent_take(&list, 100, 3, &rest) == UINT64_MAX);
	assert_true(extent_take(&list, 201, 9, &rest) == UINT64_MAX);
	assert_true(extent_take(&list, 198, 9, &rest) == UINT64_MAX); /* 2 bytes can't be marked */
	assert_int_equal(extent_take(&list, 196, 4, &rest), 1000);
	assert_int_equal(rest, 4);
	assert_int_equal(extent_take(&list, 4, 4, &rest), 1196);
	assert_int_equal(rest, 0);
	assert_int_equal(list.count, 0);
	/* An old place and a new neighbour: the old one does not wait for it. */
	assert_int_equal(extent_add(&list, 1000, 100, 1), 0);
	assert_int_equal(extent_add(&list, 1100, 100, 3), 0);
	assert_int_equal(extent_take(&list, 100, 4, &rest), 1000);
	extent_list_fini(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keys_lead_from_the_first_byte_to_the_last, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_state_outlives_two_commits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_switch_that_a_kill_prevented_is_made_up_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_switch_that_a_power_cut_lost_is_made_up_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_cut_file_goes_back, set_up, tear_down),
		cmocka_unit_test(places_ripen),
	};
	log_init("root_container", ENRG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
