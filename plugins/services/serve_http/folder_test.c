/* folder_test.c: what lies in the folder is opened and listed, and nothing else. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "folder.h"

static char work[64], root[80];

static const char *place(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", work, name);
	return path;
}

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(place(name), "we");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void link_to(const char *target, const char *name)
{
	assert_int_equal(symlink(target, place(name)), 0);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(work, "/tmp/folder_test.XXXXXX");
	assert_non_null(mkdtemp(work));
	snprintf(root, sizeof(root), "%s/root", work);
	assert_int_equal(mkdir(root, 0700) | mkdir(place("root/deep"), 0700) | mkdir(place("other"), 0700), 0);
	write_file("secret.txt", "secret");
	write_file("other/secret.txt", "secret");
	write_file("root/b.csv", "12345");
	write_file("root/a <&\"'>\n.csv", "x");
	write_file("root/.hidden", "x");
	write_file("root/deep/c.csv", "x");
	assert_int_equal(mkfifo(place("root/fifo"), 0600), 0);
	link_to("deep/c.csv", "root/inside");
	link_to("../secret.txt", "root/outside");
	link_to("../other", "root/folder_outside");
	link_to("/proc/self/root", "root/magic");
	link_to("loop", "root/loop");
	link_to(place("secret.txt"), "root/absolute");
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", work);
	return system(command);
}

static int try(const char *path)
{
	struct stat status;
	int descriptor = folder_open(root, path, &status);

	if (descriptor >= 0)
		close(descriptor);
	return descriptor < 0 ? descriptor : 0;
}

static void only_what_lies_in_it_is_opened(void **state)
{
	static const char *const wrong[] = {"outside", "folder_outside/secret.txt", "absolute", "magic/etc/passwd",
		"loop", "fifo", "none", "b.csv/x", "../secret.txt", "deep/../../secret.txt", "/etc/passwd"};
	struct enrg_error err = {0};
	struct stat status;

	(void)state;
	assert_int_equal(folder_check_kernel(&err), 0);
	assert_int_equal(try("b.csv"), 0);
	assert_int_equal(try("."), 0);
	assert_int_equal(try("deep/c.csv"), 0);
	assert_int_equal(try("inside"), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (try(wrong[i]) != -ENOENT)
			fail_msg("%s: %d", wrong[i], try(wrong[i]));
	assert_int_equal(folder_open("/nowhere", ".", &status), -ENOTDIR);
}

static void lists_show_what_may_be_seen(void **state)
{
	struct stat status;
	char *html;
	size_t bytes;
	int descriptor = folder_open(root, ".", &status);

	(void)state;
	assert_true(descriptor >= 0);
	assert_int_equal(folder_list(descriptor, root, ".", &html, &bytes), 0);
	close(descriptor);
	assert_int_equal(strlen(html), bytes);
	char *deep = strstr(html, "<a href=\"/deep/\">deep/</a>");
	char *first = strstr(
		html, "<a href=\"/a%20%3C%26%22%27%3E%0A.csv\">a &lt;&amp;&quot;&#39;&gt;?.csv</a></td><td>1 B<");
	char *second = strstr(html, "<a href=\"/b.csv\">b.csv</a></td><td>5 B</td><td>20");
	assert_non_null(deep);
	assert_non_null(first);
	assert_non_null(second);
	assert_true(deep < first && first < second);
	assert_non_null(strstr(html, ">inside</a>"));
	static const char *const hidden[] = {
		"hidden", "outside<", "folder_outside", "magic", "loop", "fifo", "absolute", ">..<"};
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (strstr(html, hidden[i]))
			fail_msg("%s is listed: %s", hidden[i], html);
	free(html);
	descriptor = folder_open(root, "deep", &status);
	assert_int_equal(folder_list(descriptor, root, "deep", &html, &bytes), 0);
	close(descriptor);
	assert_non_null(strstr(html, "<a href=\"/\">..</a>"));
	assert_non_null(strstr(html, "<a href=\"/deep/c.csv\">c.csv</a>"));
	free(html);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_lies_in_it_is_opened),
		cmocka_unit_test(lists_show_what_may_be_seen),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
