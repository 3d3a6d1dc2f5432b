/* remove_ipc_test.c: what a logind.conf says of RemoveIPC. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/remove_ipc.h"

static void the_last_word_counts(void **state)
{
	(void)state;
	assert_int_equal(remove_ipc_parse(""), -1);
	assert_int_equal(remove_ipc_parse("[Login]\n#RemoveIPC=no\n"), -1);
	assert_int_equal(remove_ipc_parse("[Login]\nRemoveIPC=no\n"), 0);
	assert_int_equal(remove_ipc_parse("[Login]\n  RemoveIPC = off \r\nKillUserProcesses=yes"), 0);
	assert_int_equal(remove_ipc_parse("RemoveIPC=no\nRemoveIPC=yes"), 1);
	assert_int_equal(remove_ipc_parse("RemoveIPC=nonsense\n"), -1);
	assert_int_equal(remove_ipc_parse("RemoveIPCs=no\n"), -1);
}

static void system_users_and_other_folders_are_left_alone(void **state)
{
	(void)state;
	assert_false(remove_ipc_concerns(0, "/dev/shm/enrgdaq-0"));
	assert_false(remove_ipc_concerns(999, "/dev/shm/enrgdaq-999"));
	assert_false(remove_ipc_concerns(1000, "/run/enrgdaq"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_word_counts),
		cmocka_unit_test(system_users_and_other_folders_are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
