/* people_test.c: passwords are yescrypt in a file of this user alone; who is removed or gets another password is
 * another. */
#include "web/access/sample.h"

#include <errno.h>
#include <sys/stat.h>

#include "web/access/people.h"

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

static void a_person_has_a_password(void **state)
{
	struct record_stamp stamp;
	struct people people;
	char path[4096];
	struct stat now;

	(void)state;
	assert_int_equal(people_add(folder, "anna", ACCESS_USER, "correct horse", NULL), 0);
	people_format_path(folder, path);
	assert_int_equal(stat(path, &now), 0);
	assert_int_equal(now.st_mode & 07777, 0600);
	assert_int_equal(people_read(folder, &people, &stamp, NULL), 0);
	const struct person *anna = people_find(&people, "anna");
	assert_non_null(anna);
	assert_int_equal(strncmp(anna->hash, "$y$", 3), 0);
	assert_true(password_is("correct horse", anna->hash));
	assert_false(password_is("correct hors", anna->hash));
	assert_false(password_is("", anna->hash));
	assert_null(people_find(&people, "Anna"));
	people_fini(&people);
	char *file = sample_read(folder, "people");
	assert_null(strstr(file, "horse"));
	free(file);
}

static void nobody_is_nobody(void **state)
{
	char long_one[PASSWORD_BYTES_MAX + 2];

	(void)state;
	memset(long_one, 'a', sizeof(long_one) - 1);
	long_one[sizeof(long_one) - 1] = '\0';
	assert_false(password_is("anything", NULL));
	assert_false(password_is("anything", "*0"));
	assert_false(password_is("anything", ""));
	assert_false(password_is(long_one, NULL));
	assert_false(password_hash_is_good("*"));
	assert_false(password_hash_is_good("!"));
	assert_true(password_hash_is_good("$y$j9T$F5Jx5fExrKuPp53xLKQ..1$tnSYvahCwPBHKZUspmcxMfb0.WiB9W.zEaKlOBL35rC"));
}

static void assert_person(enum access_role role, const char *password)
{
	struct record_stamp stamp;
	struct people people;

	assert_int_equal(people_read(folder, &people, &stamp, NULL), 0);
	const struct person *anna = people_find(&people, "anna");
	assert_non_null(anna);
	assert_int_equal(anna->role, role);
	assert_true(password_is(password, anna->hash));
	people_fini(&people);
}

static void what_may_not_be_is_refused(void **state)
{
	struct enrg_error err;

	(void)state;
	assert_int_equal(people_add(folder, "anna", ACCESS_USER, "short", &err), -EINVAL);
	assert_non_null(strstr(err.text, "8 to 256"));
	assert_int_equal(people_add(folder, "a b", ACCESS_USER, "correct horse", &err), -EINVAL);
	assert_int_equal(people_add(folder, "anna", ACCESS_NOBODY, "correct horse", &err), -EINVAL);
	assert_int_equal(people_change(folder, "anna", ACCESS_USER, "correct horse", &err), -ENOENT);
	assert_int_equal(people_remove(folder, "anna", &err), -ENOENT);
	assert_int_equal(people_add(folder, "anna", ACCESS_USER, "correct horse", &err), 0);
	assert_int_equal(people_add(folder, "anna", ACCESS_ADMIN, "correct horse", &err), -EEXIST);
	assert_int_equal(people_change(folder, "anna", ACCESS_ADMIN, "short", &err), -EINVAL);
	assert_int_equal(people_change(folder, "anna", ACCESS_ADMIN, NULL, &err), 0);
	assert_person(ACCESS_ADMIN, "correct horse");
	assert_int_equal(people_change(folder, "anna", ACCESS_NOBODY, "another horse", &err), 0);
	assert_person(ACCESS_ADMIN, "another horse");
	assert_int_equal(people_remove(folder, "anna", &err), 0);
}

static void lines_that_are_nobody_are_named(void **state)
{
	char text[] = "# head\nanna user 2026-11-28T10:00:00Z *\nberta boss 2026-11-28T10:00:00Z "
		      "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$tnSYvahCwPBHKZUspmcxMfb0.WiB9W.zEaKlOBL35rC\n"
		      "carl user 2026-11-28T10:00:00Z "
		      "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$tnSYvahCwPBHKZUspmcxMfb0.WiB9W.zEaKlOBL35rC\n";
	struct people people;

	(void)state;
	assert_int_equal(people_parse(text, &people, NULL), 0);
	assert_int_equal(people.count, 1);
	assert_string_equal(people.items[0].name, "carl");
	assert_int_equal(people.faulty_line, 2);
	people_fini(&people);
}

int main(void)
{
	char hash[PASSWORD_HASH_BYTES];
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_person_has_a_password, set_up, tear_down),
		cmocka_unit_test(nobody_is_nobody),
		cmocka_unit_test_setup_teardown(what_may_not_be_is_refused, set_up, tear_down),
		cmocka_unit_test(lines_that_are_nobody_are_named),
	};

	if (password_hash("correct horse", hash, NULL) == -ENOTSUP)
		return 0; /* built without libcrypt */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
