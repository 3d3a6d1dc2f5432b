/* entry_test.c: what is written is read back; what is wrong is named. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "runs/entry/entry.h"

#define UUID "01234567-89ab-8def-8123-456789abcdef"

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/dev/shm/entry_test_XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

/* How many there are; the last name. */
static size_t list(char ret_name[400])
{
	char path[100];
	size_t count = 0;

	snprintf(path, sizeof(path), "%s/book", folder);
	DIR *directory = opendir(path);
	for (const struct dirent *entry; directory && (entry = readdir(directory));)
		if (entry->d_name[0] != '.') {
			snprintf(ret_name, 400, "%s/%s", path, entry->d_name);
			count++;
		}
	if (directory)
		closedir(directory);
	return count;
}

static void test_what_is_written_is_read(void **state)
{
	struct enrg_error err = {0};
	char name[400], *text;
	struct entry entry;
	size_t bytes;

	(void)state;
	assert_int_equal(entry_write(folder, "note", UUID, "daq", json_pack("{s:s}", "text", "beam off"), &err), 0);
	assert_int_equal(list(name), 1);
	assert_int_equal(path_read_file(name, ENTRY_BYTES_MAX, &text, &bytes, &err), 0);
	assert_int_equal(entry_parse(text, bytes, &entry, &err), 0);
	free(text);
	assert_int_equal(entry.kind, ENTRY_NOTE);
	assert_string_equal(entry.uuid, UUID);
	assert_string_equal(entry.who, "daq");
	assert_int_equal(strlen(entry.id), 32);
	assert_true(entry.wall_ns > 1700000000000000000ull);
	assert_string_equal(json_string_value(json_object_get(entry.body, "text")), "beam off");
	entry_fini(&entry);
}

static void test_progress_takes_the_place_of_the_last(void **state)
{
	char name[400], *text;
	struct entry entry;
	size_t bytes;

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(entry_write(folder, "progress", UUID, "", json_pack("{s:i}", "n", i), NULL), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(entry_write(folder, "state", UUID, "", json_object(), NULL), 0);
	assert_int_equal(list(name), 6);
	snprintf(name, sizeof(name), "%s/book/progress-" UUID ".json", folder);
	assert_int_equal(path_read_file(name, ENTRY_BYTES_MAX, &text, &bytes, NULL), 0);
	assert_int_equal(entry_parse(text, bytes, &entry, NULL), 0);
	free(text);
	assert_int_equal(json_integer_value(json_object_get(entry.body, "n")), 4);
	entry_fini(&entry);
}

static void refuses(const char *text, const char *why)
{
	struct enrg_error err = {0};
	struct entry entry;

	assert_int_equal(entry_parse(text, strlen(text), &entry, &err), ENRG_E_PROTOCOL);
	if (!strstr(err.text, why))
		fail_msg("%s: \"%s\" was expected in \"%s\"", text, why, err.text);
}

#define ID "\"id\": \"0123456789abcdef0123456789abcdef\""

static void test_what_is_wrong_is_named(void **state)
{
	char name[400];

	(void)state;
	refuses("", "no entry of the run book");
	refuses("[]", "not a JSON object");
	refuses("{\"v\": 2}", "\"v\" is not 1");
	refuses("{\"v\": 1, \"id\": \"x\"}", "\"id\"");
	refuses("{\"v\": 1, " ID ", \"kind\": \"drop\"}", "\"kind\"");
	refuses("{\"v\": 1, " ID ", \"kind\": \"note\", \"uuid\": \"\"}", "\"uuid\"");
	refuses("{\"v\": 1, " ID ", \"kind\": \"note\", \"uuid\": \"01234567-89ab-8def-8123-456789abcdeX\"}",
		"\"uuid\"");
	refuses("{\"v\": 1, " ID ", \"kind\": \"note\", \"uuid\": \"" UUID "\", \"wall_ns\": -1}", "\"wall_ns\"");
	refuses("{\"v\": 1, " ID ", \"kind\": \"note\", \"uuid\": \"" UUID "\", \"wall_ns\": 1}", "\"body\"");
	/* and is not written either */
	assert_int_equal(entry_write(folder, "drop", UUID, "", json_object(), NULL), ENRG_E_PROTOCOL);
	assert_int_equal(entry_write(folder, "note", "x", "", json_object(), NULL), ENRG_E_PROTOCOL);
	assert_int_equal(list(name), 0);
}

static void test_the_key_is_the_same_again(void **state)
{
	char first[ENTRY_UUID_BYTES], again[ENTRY_UUID_BYTES], other[ENTRY_UUID_BYTES];

	(void)state;
	entry_make_uuid("lab1", "20261128T065216Z-abcd", 1795848736123456789ull, first);
	entry_make_uuid("lab1", "20261128T065216Z-abcd", 1795848736123456789ull, again);
	assert_string_equal(first, again);
	assert_int_equal(first[14], '8');
	assert_non_null(strchr("89ab", first[19]));
	entry_make_uuid("lab12", "0261128T065216Z-abcd", 1795848736123456789ull, other);
	assert_string_not_equal(first, other);
	entry_make_uuid("lab1", "20261128T065216Z-abcd", 1795848736123456788ull, other);
	assert_string_not_equal(first, other);
}

#define with_folder(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_folder(test_what_is_written_is_read),
		with_folder(test_progress_takes_the_place_of_the_last),
		with_folder(test_what_is_wrong_is_named),
		cmocka_unit_test(test_the_key_is_the_same_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
