/* held_test.c: what became of a file that is open. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/held.h"

static char folder[64], path[96], other[96];
static int held;

static void make(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/held_test.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/a.csv", folder);
	snprintf(other, sizeof(other), "%s/b.csv", folder);
	make(path, "hello\n");
	held = open(path, O_RDWR | O_CLOEXEC);
	assert_true(held >= 0);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	close(held);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static void each_fate_has_its_word(void **state)
{
	struct stat status;
	char name[128];

	(void)state;
	assert_int_equal(held_look(held, path, 6, &status), HELD_SAME);
	assert_int_equal(status.st_size, 6);
	assert_int_equal(truncate(path, 2), 0);
	assert_int_equal(held_look(held, path, 6, NULL), HELD_CUT);
	assert_int_equal(held_look(held, path, 2, NULL), HELD_SAME);
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(held_look(held, path, 2, NULL), HELD_MOVED);
	assert_true(held_find_name(held, name, sizeof(name)));
	assert_string_equal(name, other);
	make(path, "another\n");
	assert_int_equal(held_look(held, path, 2, NULL), HELD_MOVED);
	assert_int_equal(unlink(other), 0);
	assert_int_equal(held_look(held, path, 2, NULL), HELD_REPLACED);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(held_look(held, path, 2, NULL), HELD_REMOVED);
	assert_false(held_find_name(held, name, sizeof(name)));
	assert_string_equal(held_describe(HELD_REMOVED), "was removed");
}

/* What can't be asked has not gone. */
static void a_folder_that_may_not_be_searched_says_nothing(void **state)
{
	(void)state;
	if (geteuid() == 0)
		skip();
	assert_int_equal(chmod(folder, 0), 0);
	assert_int_equal(held_look(held, path, 6, NULL), HELD_SAME);
	assert_int_equal(chmod(folder, 0700), 0);
}

static void a_folder_that_was_removed_is_a_file_that_was_removed(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
	assert_int_equal(held_look(held, path, 6, NULL), HELD_REMOVED);
}

static void names_alone_are_compared_too(void **state)
{
	struct held_name name;

	(void)state;
	assert_false(held_name_take(&name, other));
	assert_true(held_name_take(&name, path));
	assert_int_equal(name.bytes, 6);
	make(path, "longer text\n");
	assert_int_equal(held_name_look(&name, path), HELD_SAME);
	assert_int_equal(name.bytes, 12);
	make(path, "");
	assert_int_equal(held_name_look(&name, path), HELD_CUT);
	make(other, "x");
	assert_int_equal(rename(other, path), 0);
	assert_int_equal(held_name_look(&name, path), HELD_REPLACED);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(held_name_look(&name, path), HELD_REMOVED);
}

/* A name that was removed leads to the file that is still open, and to no other. */
static void a_path_can_lead_to_what_is_held(void **state)
{
	char text[8] = "";

	(void)state;
	assert_int_equal(unlink(path), 0);
	assert_int_equal(held_lead(path, held), 0);
	assert_true(held_is_led(path));
	assert_int_equal(held_look(held, path, 6, NULL), HELD_SAME);
	int descriptor = held_open(path, O_RDONLY);
	assert_true(descriptor >= 0);
	assert_int_equal(read(descriptor, text, sizeof(text) - 1), 6);
	assert_string_equal(text, "hello\n");
	close(descriptor);
	/* a second time, over what somebody else has put there */
	make(other, "foreign");
	assert_int_equal(rename(other, path), 0);
	assert_false(held_is_led(path));
	assert_int_equal(held_lead(path, held), 0);
	assert_true(held_is_led(path));
	/* any other link is refused */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_false(held_is_led(path));
	assert_int_equal(held_open(path, O_RDONLY), -1);
	assert_int_equal(errno, ELOOP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_fate_has_its_word, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_folder_that_may_not_be_searched_says_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_folder_that_was_removed_is_a_file_that_was_removed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(names_alone_are_compared_too, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_path_can_lead_to_what_is_held, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
