/* verify_test.c: `enrgdaq verify`: its words and exit codes, on the files of write_arrows. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

static char folder[64];
static char output[65536]; /* what the last call printed on stdout */

/* Runs `enrgdaq verify` with the arguments up to NULL inside the folder; returns its exit code. */
static int run(const char *first, ...)
{
	char *argv[16] = {(char *)(uintptr_t) "verify"};
	int argc = 1;
	va_list arguments;

	va_start(arguments, first);
	for (const char *argument = first; argument; argument = va_arg(arguments, const char *))
		argv[argc++] = (char *)(uintptr_t)argument;
	va_end(arguments);
	fflush(stdout);
	int keep = dup(STDOUT_FILENO), file = open("output", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(keep >= 0 && file >= 0);
	dup2(file, STDOUT_FILENO);
	int code = cli_verify(argc, argv);
	fflush(stdout);
	dup2(keep, STDOUT_FILENO);
	close(keep);
	ssize_t count = pread(file, output, sizeof(output) - 1, 0);
	close(file);
	output[count > 0 ? count : 0] = '\0';
	return code;
}

static void assert_output(const char *expected)
{
	if (!strstr(output, expected))
		fail_msg("expected “%s” in:\n%s", expected, output);
}

static void whole_files_are_told_in_words(void **state)
{
	(void)state;
	assert_int_equal(run("types.arrows", "large.arrows", NULL), 0);
	assert_output("types.arrows: whole: 3 batches, 1,005 rows, 78 kB of 1 source; 1 restart gap\n");
	assert_output("large.arrows: whole: 1 batch, 1,500,000 rows, 23 MB of 1 source\n");
	assert_int_equal(run("--quiet", "types.arrows", "large.arrows", NULL), 0);
	assert_string_equal(output, "");
}

static void torn_tails_are_told_and_cut(void **state)
{
	(void)state;
	assert_int_equal(run("cut.arrows", "types.arrows", NULL), 1);
	assert_output("cut.arrows: not whole: torn tail; readable: 3 batches, 1,005 rows");
	assert_output("  the last message is not whole");
	assert_int_equal(run("--quiet", "cut.arrows", "types.arrows", NULL), 1);
	assert_output("cut.arrows: not whole");
	assert_null(strstr(output, "types.arrows"));
	assert_int_equal(run("--repair", "cut.arrows", NULL), 0);
	assert_output("cut.arrows: cut off a torn tail of ");
	assert_output("now whole: 3 batches");
	assert_int_equal(run("cut.arrows", NULL), 0);
}

static void damage_is_told_and_not_repaired(void **state)
{
	struct stat before, after;

	(void)state;
	int file = open("blob.arrows", O_RDWR | O_CLOEXEC);
	assert_int_equal(fstat(file, &before), 0);
	assert_int_equal(pwrite(file, "?", 1, before.st_size - 1), 1);
	assert_int_equal(run("--repair", "blob.arrows", NULL), 1);
	assert_output("blob.arrows: not whole: 1 place damaged; readable: 2 batches, 2 rows");
	assert_output("batch 3 at byte ");
	assert_int_equal(fstat(file, &after), 0);
	assert_int_equal(before.st_size, after.st_size);
	assert_int_equal(pwrite(file, "\0", 1, before.st_size - 1), 1);
	assert_int_equal(run("blob.arrows", NULL), 0);
	close(file);
}

static void json_has_everything(void **state)
{
	(void)state;
	assert_int_equal(run("--json", "types.arrows", NULL), 0);
	json_t *report = json_loads(output, 0, NULL);
	assert_non_null(report);
	assert_true(json_is_true(json_object_get(report, "whole")));
	assert_true(json_is_true(json_object_get(report, "end_mark")));
	assert_int_equal(json_integer_value(json_object_get(report, "rows")), 1005);
	assert_int_equal(json_integer_value(json_object_get(report, "gaps")), 1);
	assert_int_equal(json_array_size(json_object_get(report, "findings")), 1);
	assert_string_equal(json_string_value(json_object_get(report, "file")), "types.arrows");
	json_decref(report);
	assert_int_equal(run("--json", "no\xffsuch", NULL), 2);
	report = json_loads(output, 0, NULL);
	assert_non_null(report);
	assert_string_equal(json_string_value(json_object_get(report, "file")), "no?such");
	json_decref(report);
}

static void wrong_use_is_code_two(void **state)
{
	(void)state;
	assert_int_equal(run(NULL), 2);
	assert_int_equal(run("--wrong", "types.arrows", NULL), 2);
	assert_int_equal(run("missing.arrows", "types.arrows", NULL), 2);
	assert_output("types.arrows: whole"); /* one bad name does not hide the others */
	assert_int_equal(run("/etc/passwd", NULL), 2);
	assert_int_equal(run(".", NULL), 2);
	assert_int_equal(run("--help", NULL), 0);
	assert_output("usage: enrgdaq verify");
}

static int set_up(void **state)
{
	char command[4096];

	(void)state;
	strcpy(folder, "/tmp/enrgdaq-verify-XXXXXX");
	if (!mkdtemp(folder) || chdir(folder) < 0)
		return -1;
	snprintf(command, sizeof(command), "'%s' '%s'", WRITE_ARROWS, folder);
	return system(command);
}

static int tear_down(void **state)
{
	static const char *const names[] = {"types", "cut", "wide", "blob", "large"};
	char path[32];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s.arrows", names[i]);
		unlink(path);
	}
	unlink("output");
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_files_are_told_in_words),
		cmocka_unit_test(torn_tails_are_told_and_cut),
		cmocka_unit_test(damage_is_told_and_not_repaired),
		cmocka_unit_test(json_has_everything),
		cmocka_unit_test(wrong_use_is_code_two),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
