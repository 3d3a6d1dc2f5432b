/* folder_text_test.c: names, links and races: nothing is read or written outside of the folder, and nothing that
 * somebody else has changed is overwritten. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "web/api/folder_text.h"

static char root[64], folder[80], kept[80];

static int set_up(void **state)
{
	char sub[100];

	(void)state;
	snprintf(root, sizeof(root), "/tmp/enrgdaq-text.XXXXXX");
	if (!mkdtemp(root))
		return -1;
	snprintf(folder, sizeof(folder), "%s/lab", root);
	snprintf(kept, sizeof(kept), "%s/kept", root);
	snprintf(sub, sizeof(sub), "%s/sub", folder);
	return mkdir(folder, 0755) || mkdir(sub, 0755);
}

static int tear_down(void **state)
{
	char command[100];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	return system(command);
}

static void put(const char *file, const char *text)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", root, file);
	assert_int_equal(path_write_file(path, text, strlen(text), 0, NULL), 0);
}

static void expect_file(const char *file, const char *text)
{
	char path[400], *found;
	size_t bytes;

	snprintf(path, sizeof(path), "%s/%s", root, file);
	assert_int_equal(path_read_file(path, 1000, &found, &bytes, NULL), 0);
	assert_string_equal(found, text);
	free(found);
}

static int write_text(const char *file, const char *text, const char *expected, char ret_sha256[SHA256_HEX_BYTES])
{
	const struct folder_text_change change = {
		.folder = folder, .file = file, .text = text, .kept_folder = kept, .expected = expected};
	struct enrg_error err = {0};

	return folder_text_write(&change, ret_sha256, &err);
}

static unsigned count(const char *path, const char *prefix)
{
	DIR *open = opendir(path);
	unsigned found = 0;
	struct dirent *entry;

	while (open && (entry = readdir(open)))
		found += !strncmp(entry->d_name, prefix, strlen(prefix)) && strcmp(entry->d_name, ".") != 0 &&
			 strcmp(entry->d_name, "..") != 0;
	if (open)
		closedir(open);
	return found;
}

static void test_names(void **state)
{
	static const char *const wrong[] = {"", ".toml", "a", "a.txt", "../a.toml", "/etc/a.toml", "sub/../a.toml",
		"./a.toml", ".old/a.toml", "sub/.a.toml", "a//b.toml", "-a.toml", "a\n.toml", "a\x1b.toml", "a;b.toml",
		"a\\b.toml", "a\xff.toml", "a$x.toml", " a.toml", "a.toml/"};
	static const char *const right[] = {"a.toml", "sub/a.toml", "runs/templates/l_1.toml", "\303\251t\303\251.toml",
		"my file.toml", "a..b.toml"};
	char longest[600];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(folder_text_check_name(wrong[i], NULL), -EINVAL);
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++)
		assert_int_equal(folder_text_check_name(right[i], NULL), 0);
	memset(longest, 'a', sizeof(longest));
	memcpy(longest + sizeof(longest) - 6, ".toml", 6);
	assert_int_equal(folder_text_check_name(longest, NULL), -EINVAL);
}

static void test_links_are_not_followed(void **state)
{
	char path[400], outside[200], sha256[SHA256_HEX_BYTES], *text;
	size_t bytes;

	(void)state;
	put("secret.toml", "outside");
	snprintf(outside, sizeof(outside), "%s/secret.toml", root);
	snprintf(path, sizeof(path), "%s/link.toml", folder);
	assert_int_equal(symlink(outside, path), 0);
	snprintf(path, sizeof(path), "%s/way", folder);
	assert_int_equal(symlink(root, path), 0);
	assert_int_equal(folder_text_read(folder, "link.toml", &text, &bytes, NULL), -EINVAL);
	assert_int_equal(folder_text_read(folder, "way/secret.toml", &text, &bytes, NULL), -EINVAL);
	assert_int_equal(write_text("link.toml", "new", "", sha256), -EINVAL);
	assert_int_equal(write_text("way/new.toml", "new", "", sha256), -EINVAL);
	expect_file("secret.toml", "outside");
	snprintf(path, sizeof(path), "%s/pipe.toml", folder);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_true(folder_text_read(folder, "pipe.toml", &text, &bytes, NULL) < 0); /* and waits for nobody */
	put("lab/b.toml", "inside");
	snprintf(path, sizeof(path), "%s/near.toml", folder);
	assert_int_equal(symlink("b.toml", path), 0);
	assert_int_equal(folder_text_read(folder, "near.toml", &text, &bytes, NULL), -EINVAL);
	assert_int_equal(folder_text_read(folder, "none.toml", &text, &bytes, NULL), -ENOENT);
	assert_int_equal(folder_text_read("", "none.toml", &text, &bytes, NULL), -ENOENT);
}

static void test_written_with_a_copy_of_the_old(void **state)
{
	char first[SHA256_HEX_BYTES], second[SHA256_HEX_BYTES];
	struct stat info;
	char path[400];

	(void)state;
	assert_int_equal(write_text("sub/a.toml", "one", "", first), 0);
	expect_file("lab/sub/a.toml", "one");
	assert_int_equal(count(kept, ""), 0);
	snprintf(path, sizeof(path), "%s/sub/a.toml", folder);
	assert_int_equal(chmod(path, 0604), 0);
	assert_int_equal(write_text("sub/a.toml", "two", first, second), 0);
	expect_file("lab/sub/a.toml", "two");
	assert_int_equal(count(kept, "sub+a.toml."), 1);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0604);
	assert_int_equal(stat(kept, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0700);
	assert_int_equal(count(folder, ".enrgdaq"), 0);
	assert_string_not_equal(first, second);
}

static void test_what_has_changed_is_not_overwritten(void **state)
{
	char sum[SHA256_HEX_BYTES], present[SHA256_HEX_BYTES];

	(void)state;
	assert_int_equal(write_text("a.toml", "one", "", sum), 0);
	put("lab/a.toml", "by hand");
	assert_int_equal(write_text("a.toml", "two", sum, present), -ESTALE);
	expect_file("lab/a.toml", "by hand");
	assert_string_not_equal(present, sum);
	assert_int_equal(write_text("a.toml", "two", "", present), -ESTALE); /* it was to be a new one */
	assert_int_equal(write_text("none.toml", "two", sum, present), -ESTALE);
	assert_string_equal(present, "");
	assert_int_equal(write_text("nowhere/a.toml", "two", "", present), -ENOENT);
	assert_int_equal(count(folder, "none"), 0);
}

static void test_copies_are_bounded(void **state)
{
	char sum[SHA256_HEX_BYTES] = "", text[20], name[60];

	(void)state;
	assert_int_equal(path_make_private_folder(kept, NULL), 0);
	for (unsigned i = 0; i < 120; i++) {
		snprintf(name, sizeof(name), "kept/a.toml.2020-01-01T00:00:00.%03uZ", i);
		put(name, "old");
	}
	put("kept/a.tomlx", "another file's");
	for (unsigned i = 0; i < 2; i++) {
		snprintf(text, sizeof(text), "%u", i);
		assert_int_equal(write_text("a.toml", text, sum, sum), 0);
	}
	assert_int_equal(count(kept, "a.toml."), 100);
	assert_int_equal(count(kept, "a.tomlx"), 1);
}

/* Somebody with an editor, who asks nobody: renames versions of his own into place. */
static void *edit(void *argument)
{
	char text[32];

	(void)argument;
	for (unsigned i = 0; i < 500; i++) {
		snprintf(text, sizeof(text), "hand %u", i);
		put("lab/a.toml", text);
	}
	return NULL;
}

/* Is the editor's last version in its place, or has it been replaced by one who had seen it? */
static void expect_last(void)
{
	char command[300];

	snprintf(
		command, sizeof(command), "grep -qx 'hand 499' '%s/a.toml' || grep -rqx 'hand 499' '%s'", folder, kept);
	assert_int_equal(system(command), 0);
}

static void test_a_race_with_an_editor_loses_nothing(void **state)
{
	char sum[SHA256_HEX_BYTES], *text;
	unsigned written = 0, refused = 0;
	bool is_over = false;
	pthread_t thread;
	size_t bytes;

	(void)state;
	put("lab/a.toml", "begin");
	assert_int_equal(pthread_create(&thread, NULL, edit, NULL), 0);
	for (unsigned after = 0; after < 3; after += is_over) {
		assert_int_equal(folder_text_read(folder, "a.toml", &text, &bytes, NULL), 0);
		sha256_format(text, bytes, sum);
		free(text);
		int rc = write_text("a.toml", "web", sum, sum);
		assert_true(rc == 0 || rc == -ESTALE);
		written += rc == 0;
		refused += rc == -ESTALE;
		is_over = is_over || !pthread_tryjoin_np(thread, NULL);
	}
	assert_true(written > 0);
	print_message("%u written, %u refused\n", written, refused);
	expect_last();
	assert_int_equal(count(folder, ".enrgdaq"), 0);
}

static void test_list(void **state)
{
	char path[400];

	(void)state;
	put("lab/b.toml", "12345");
	put("lab/sub/a.toml", "1");
	put("lab/.hidden.toml", "1");
	put("lab/readme.md", "1");
	snprintf(path, sizeof(path), "%s/link.toml", folder);
	assert_int_equal(symlink("b.toml", path), 0);
	json_t *list = folder_text_list(folder, NULL);
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "file")), "b.toml");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "bytes")), 5);
	assert_string_equal(json_string_value(json_object_get(json_array_get(list, 1), "file")), "sub/a.toml");
	json_decref(list);
	assert_null(folder_text_list("", NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_names),
		TEST(test_links_are_not_followed),
		TEST(test_written_with_a_copy_of_the_old),
		TEST(test_what_has_changed_is_not_overwritten),
		TEST(test_copies_are_bounded),
		TEST(test_a_race_with_an_editor_loses_nothing),
		TEST(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
