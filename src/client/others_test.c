/* others_test.c: runs of other users, from the kernel's list of sockets. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/others.h"

#define LISTENS  "0000000000000001: 00000002 00000000 00010000 0001 01 4711 "
#define CONNECTS "0000000000000002: 00000003 00000000 00000000 0001 03 4712 "

static char base[] = "/tmp/others_test.XXXXXX";

static size_t describe(const char *list, const char *own, const char *name, char *ret_text, size_t bytes)
{
	FILE *stream = fmemopen((void *)(uintptr_t)list, strlen(list), "r");
	size_t count;

	assert_non_null(stream);
	count = others_describe_list(stream, own, name, ret_text, bytes);
	fclose(stream);
	return count;
}

static void names_owner_and_command(void **state)
{
	char list[2048], text[600], folder[64];

	(void)state;
	assert_non_null(mkdtemp(base));
	snprintf(folder, sizeof(folder), "%s/lab", base);
	assert_int_equal(mkdir(folder, 0700), 0);
	snprintf(list, sizeof(list),
		"Num       RefCount Protocol Flags    Type St Inode Path\n" LISTENS "%s/bus.pub\n" CONNECTS
		"%s/bus.pub\n" LISTENS "%s/bus.sub\n" LISTENS "/run/dbus/socket\n" LISTENS "@abstract/bus.pub\n" LISTENS
		"/bus.pub\n" CONNECTS "\n",
		folder, folder, folder);
	assert_int_equal(describe(list, "/dev/shm/mine", NULL, text, sizeof(text)), 1);
	assert_non_null(
		strstr(text, "\"lab\" runs with another runtime folder: ENRGDAQ_RUNTIME_DIR=/tmp/others_test."));
	assert_int_equal(describe(list, base, NULL, text, sizeof(text)), 0); /* our own */
	assert_string_equal(text, "");
	assert_int_equal(describe(list, "/dev/shm/mine", "lab", text, sizeof(text)), 1);
	assert_int_equal(describe(list, "/dev/shm/mine", "other", text, sizeof(text)), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(folder, 65534, 65534), 0);
		assert_int_equal(describe(list, "/dev/shm/mine", NULL, text, sizeof(text)), 1);
		assert_non_null(strstr(text, "(uid 65534) runs \"lab\" in /tmp/others_test."));
	}
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(rmdir(base), 0);
}

static void a_long_list_is_cut(void **state)
{
	char list[4096] = "", text[100];

	(void)state;
	for (int i = 0; i < 20; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), LISTENS "/nowhere%d/lab/bus.pub\n", i);
	assert_int_equal(describe(list, "/dev/shm/mine", NULL, text, sizeof(text)), 20);
	assert_in_range(strlen(text), 50, 99);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_owner_and_command),
		cmocka_unit_test(a_long_list_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
