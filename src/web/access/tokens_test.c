/* tokens_test.c: tokens are added, found, expire and go; files that others may read, and lines that are none, let
 * nobody in; several programs change the file at once. */
#include "web/access/sample.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "web/access/tokens.h"

static char folder[64];

static int set_up(void **state)
{
	(void)state;
	sample_make_folder(folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sample_remove_folder(folder);
	return 0;
}

static struct tokens read_all(void)
{
	struct record_stamp stamp;
	struct tokens tokens;

	assert_int_equal(tokens_read(folder, &tokens, &stamp, NULL), 0);
	return tokens;
}

static void a_token_is_found_until_it_expires(void **state)
{
	char text[TOKEN_TEXT_BYTES], other[TOKEN_TEXT_BYTES], path[4096];
	struct stat now;
	time_t time_s = time(NULL);

	(void)state;
	assert_int_equal(tokens_add(folder, "script", ACCESS_USER, 2, text, NULL), 0);
	assert_int_equal(tokens_add(folder, "panel", ACCESS_ADMIN, 0, other, NULL), 0);
	assert_string_not_equal(text, other);
	assert_int_equal(strlen(text), 5 + 43); /* 256 bits */
	tokens_format_path(folder, path);
	assert_int_equal(stat(path, &now), 0);
	assert_int_equal(now.st_mode & 07777, 0600);
	struct tokens tokens = read_all();
	assert_int_equal(tokens.count, 2);
	const struct token *found = tokens_find(&tokens, text, time_s);
	assert_non_null(found);
	assert_string_equal(found->name, "script");
	assert_int_equal(found->role, ACCESS_USER);
	assert_non_null(tokens_find(&tokens, text, time_s + 2 * 86400 - 5));
	assert_null(tokens_find(&tokens, text, time_s + 2 * 86400 + 5));
	assert_non_null(tokens_find(&tokens, other, time_s + 20000 * 86400L));
	text[10] ^= 1;
	assert_null(tokens_find(&tokens, text, time_s)); /* guessed */
	assert_null(tokens_find(&tokens, "", time_s));
	tokens_fini(&tokens);
}

static void the_file_holds_no_token(void **state)
{
	char text[TOKEN_TEXT_BYTES];

	(void)state;
	assert_int_equal(tokens_add(folder, "script", ACCESS_USER, 0, text, NULL), 0);
	char *file = sample_read(folder, "tokens");
	assert_non_null(strstr(file, "\nscript user "));
	assert_null(strstr(file, text));
	assert_null(strstr(file, text + 5));
	free(file);
}

static void names_are_given_once_and_go(void **state)
{
	char text[TOKEN_TEXT_BYTES];
	struct enrg_error err;

	(void)state;
	assert_int_equal(tokens_add(folder, "a", ACCESS_USER, 0, text, NULL), 0);
	assert_int_equal(tokens_add(folder, "a", ACCESS_USER, 0, text, &err), -EEXIST);
	assert_non_null(strstr(err.text, "enrgdaq token remove a"));
	assert_int_equal(tokens_remove(folder, "b", &err), -ENOENT);
	assert_int_equal(tokens_remove(folder, "a", NULL), 0);
	struct tokens tokens = read_all();
	assert_int_equal(tokens.count, 0);
	tokens_fini(&tokens);
	static const char *const bad[] = {"", "-a", "a b", "a\nb", "ä", "a/b",
		"0123456789012345678901234567890123456789012345678901234567890123"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(tokens_add(folder, bad[i], ACCESS_USER, 0, text, NULL), -EINVAL);
	assert_int_equal(tokens_add(folder, "c", ACCESS_NOBODY, 0, text, NULL), -EINVAL);
	assert_int_equal(tokens_add(folder, "c", ACCESS_USER, 36501, text, NULL), -EINVAL);
}

static void what_is_no_token_lets_nobody_in(void **state)
{
	static const char digest[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	static const char *const lines[] = {"a user %s 2026-11-28T10:00:00Z never",
		"a root %s 2026-11-28T10:00:00Z never", "a nobody %s 2026-11-28T10:00:00Z never",
		"a user %.63s 2026-11-28T10:00:00Z never", "a user %s0 2026-11-28T10:00:00Z never",
		"a user %s 2026-11-28 never", "a user %s 2026-02-31T10:00:00Z never", "a user %s 2026-11-28T10:00:00Z",
		"a user %s 2026-11-28T10:00:00Z never more", "a user %s 2026-11-28T10:00:00Z 0"};
	char text[400], expected[] = {1, 0, 0, 0, 0, 0, 0, 0, 0, 0};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct tokens tokens;
		size_t used = (size_t)sprintf(text, "# head\n\n");
		used += (size_t)snprintf(text + used, sizeof(text) - used, lines[i], digest);
		snprintf(text + used, sizeof(text) - used, "\n");
		assert_int_equal(tokens_parse(text, &tokens, NULL), 0);
		assert_int_equal(tokens.count, expected[i]);
		assert_int_equal(tokens.faulty_line, expected[i] ? 0 : 3);
		tokens_fini(&tokens);
	}
}

static void a_faulty_line_is_never_lost(void **state)
{
	char text[TOKEN_TEXT_BYTES], path[4096];
	struct enrg_error err;

	(void)state;
	assert_int_equal(tokens_add(folder, "a", ACCESS_USER, 0, text, NULL), 0);
	tokens_format_path(folder, path);
	FILE *stream = fopen(path, "a");
	fputs("by hand\n", stream);
	fclose(stream);
	assert_int_equal(tokens_add(folder, "b", ACCESS_USER, 0, text, &err), -EINVAL);
	assert_non_null(strstr(err.text, "line 3"));
	struct tokens tokens = read_all();
	assert_int_equal(tokens.count, 1); /* the others count */
	tokens_fini(&tokens);
}

static void files_of_others_are_refused(void **state)
{
	static const mode_t modes[] = {0644, 0640, 0660, 0602, 0700};
	char text[TOKEN_TEXT_BYTES], path[4096];
	struct record_stamp stamp;
	struct tokens tokens;
	struct enrg_error err;

	(void)state;
	assert_int_equal(tokens_add(folder, "a", ACCESS_USER, 0, text, NULL), 0);
	tokens_format_path(folder, path);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		assert_int_equal(chmod(path, modes[i]), 0);
		assert_int_equal(tokens_read(folder, &tokens, &stamp, &err), -EPERM);
		assert_non_null(strstr(err.text, path));
	}
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_true(tokens_read(folder, &tokens, &stamp, &err) < 0);
}

static void add_ten(char first)
{
	char text[TOKEN_TEXT_BYTES], name[8];
	int rc = 0;

	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "%c%d", first, i);
		rc |= tokens_add(folder, name, ACCESS_USER, 0, text, NULL);
	}
	_exit(rc != 0);
}

static void many_programs_change_it_at_once(void **state)
{
	int status;

	(void)state;
	for (char first = 'a'; first < 'd'; first++)
		if (fork() == 0)
			add_ten(first);
	for (int i = 0; i < 3; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	struct tokens tokens = read_all();
	assert_int_equal(tokens.count, 30);
	tokens_fini(&tokens);
}

static void a_change_shows(void **state)
{
	char text[TOKEN_TEXT_BYTES], path[4096], *bytes;
	struct record_stamp stamp;

	(void)state;
	tokens_format_path(folder, path);
	assert_int_equal(record_file_read(path, &bytes, &stamp, NULL), 0);
	free(bytes);
	assert_false(record_file_has_changed(path, &stamp)); /* not there, and still not */
	for (int i = 0; i < 20; i++) {                       /* within one tick of the file system's clock, too */
		char name[8];
		snprintf(name, sizeof(name), "t%d", i % 2);
		if (i % 2)
			assert_int_equal(tokens_remove(folder, "t0", NULL), 0);
		else
			assert_int_equal(tokens_add(folder, name, ACCESS_USER, 0, text, NULL), 0);
		assert_true(record_file_has_changed(path, &stamp));
		assert_int_equal(record_file_read(path, &bytes, &stamp, NULL), 0);
		free(bytes);
	}
	unlink(path);
	assert_true(record_file_has_changed(path, &stamp));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_token_is_found_until_it_expires, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_file_holds_no_token, set_up, tear_down),
		cmocka_unit_test_setup_teardown(names_are_given_once_and_go, set_up, tear_down),
		cmocka_unit_test(what_is_no_token_lets_nobody_in),
		cmocka_unit_test_setup_teardown(a_faulty_line_is_never_lost, set_up, tear_down),
		cmocka_unit_test_setup_teardown(files_of_others_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many_programs_change_it_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_change_shows, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
