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

#include "arrow/ipc.h"
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
	int rc = cli_verify(argc, argv);
	fflush(stdout);
	dup2(keep, STDOUT_FILENO);
	close(keep);
	ssize_t count = pread(file, output, sizeof(output) - 1, 0);
	close(file);
	output[count > 0 ? count : 0] = '\0';
	return rc;
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
	assert_int_equal(run("cut.arrows", "large.arrows", NULL), 1);
	assert_output("cut.arrows: not whole: torn tail; readable: 3 batches, 1,005 rows");
	assert_output("  the last message is not whole");
	assert_int_equal(run("--quiet", "cut.arrows", "large.arrows", NULL), 1);
	assert_output("cut.arrows: not whole");
	assert_null(strstr(output, "large.arrows"));
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

static void copy_bytes(const char *path, const uint8_t *bytes, size_t count, const char *mode)
{
	FILE *file = fopen(path, mode);

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, count, file), count);
	fclose(file);
}

/* Each batch of types.arrows in a file of its own, as if the store had rotated: part_1.arrows … part_4.arrows. */
static void make_parts(void)
{
	static uint8_t bytes[1u << 20];
	struct ipc_message message;
	size_t wanted, at = 0, schema_bytes = 0;
	char path[32];
	int part = 0;

	FILE *file = fopen("types.arrows", "re");
	assert_non_null(file);
	size_t count = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	while (at < count) {
		assert_int_equal(ipc_read_message(bytes + at, count - at, &message, &wanted, NULL), 0);
		size_t total = message.meta_bytes + (size_t)message.body_bytes;
		snprintf(path, sizeof(path), "part_%d.arrows", part);
		if (message.type == IPC_RECORD_BATCH && !message.is_end) {
			copy_bytes(path, bytes, schema_bytes, "we");
			copy_bytes(path, bytes + at, total, "ae");
		} else if (at == 0) {
			schema_bytes = total;
		}
		part++;
		at += total;
	}
	assert_true(part > 4);
}

static void rotated_files_are_judged_together(void **state)
{
	(void)state;
	make_parts();
	assert_int_equal(run("part_4.arrows", "part_1.arrows", "part_2.arrows", "part_3.arrows", NULL), 0);
	assert_output("4 files of source \"");
	assert_output(": nothing missing between them: batches 1 to 4\n");
	assert_int_equal(run("part_1.arrows", "part_2.arrows", "part_4.arrows", NULL), 1);
	assert_output("part_1.arrows: whole: ");
	assert_output(": not whole: 1 batch missing between them: batches 1 to 4\n"
		      "  batch 3 is missing between part_2.arrows and part_4.arrows\n");
	assert_int_equal(run("--quiet", "part_1.arrows", "part_4.arrows", NULL), 1);
	assert_output("not whole: 2 batches missing between them");
	assert_null(strstr(output, "part_1"));
	assert_int_equal(run("part_2.arrows", "part_3.arrows", NULL), 0);
	assert_output("  batch 1 is in none of these files: the first one here is part_2.arrows\n");
	/* A file that stands alone begins anywhere, and is not its own copy. */
	assert_int_equal(run("part_3.arrows", "./part_3.arrows", NULL), 0);
	assert_null(strstr(output, "files of"));
	/* Another name, the same batches: what two stores kept. Rotation alone makes it a repetition. */
	assert_int_equal(run("part_3.arrows", "types.arrows", NULL), 0);
	assert_int_equal(link("types.arrows", "part_9.arrows"), 0);
	assert_int_equal(run("part_3.arrows", "part_9.arrows", NULL), 1);
	assert_output("batch 3 is in both ");
	assert_int_equal(run("part_1.arrows", "part_2.arrows", "types.arrows", NULL), 0);
	assert_output(": nothing missing between them: batches 1 to 2 (part_1.arrows …)\n");
	unlink("part_9.arrows");
	assert_int_equal(run("--json", "part_1.arrows", "part_3.arrows", NULL), 1);
	char *line = strstr(output, "{\"duplicated\":0,\"files\":2,");
	assert_non_null(line);
	json_t *report = json_loads(line, 0, NULL);
	assert_non_null(report);
	assert_true(json_is_false(json_object_get(report, "whole")));
	assert_int_equal(json_integer_value(json_object_get(report, "missing")), 1);
	assert_int_equal(json_integer_value(json_object_get(report, "last")), 3);
	assert_string_equal(json_string_value(json_object_get(report, "last_file")), "part_3.arrows");
	assert_non_null(json_object_get(json_object_get(report, "series"), "run"));
	assert_int_equal(json_array_size(json_object_get(report, "findings")), 1);
	json_decref(report);
}

static void an_empty_file_holds_no_rows(void **state)
{
	(void)state;
	copy_bytes("empty.arrows", (const uint8_t *)"", 0, "we");
	assert_int_equal(run("empty.arrows", NULL), 0);
	assert_string_equal(output, "empty.arrows: whole: the file is empty: it holds no rows\n");
}

static void folders_are_taken_whole(void **state)
{
	(void)state;
	assert_int_equal(
		system("mkdir -p sub/deep sub/none sub/.enrgdaq-convert-x && cp part_1.arrows part_3.arrows sub && "
		       "cp part_2.arrows sub/deep && : >sub/notes.txt && ln -sf . sub/circle && "
		       "cp cut.arrows sub/.hidden.arrows && cp cut.arrows sub/.enrgdaq-convert-x"),
		0);
	int rc = run("sub", NULL);
	assert_output("sub/part_1.arrows: whole");
	assert_output("sub/deep/part_2.arrows: whole");
	assert_true(strstr(output, "sub/part_3") < strstr(output, "sub/deep/part_2"));
	assert_null(strstr(output, "hidden"));
	assert_null(strstr(output, "convert-x"));
	assert_output("3 files: whole");
	assert_int_equal(run("--json", "sub/", NULL), rc);
	assert_output("{\"total\":{");
	assert_output("\"files\":3");
	assert_int_equal(system("truncate -s -100 sub/part_1.arrows"), 0);
	assert_int_equal(run("sub", NULL), 1);
	assert_output("3 files: 1 is not whole; readable: ");
	assert_int_equal(run("sub/none", NULL), 2);
	assert_int_equal(system("rm -r sub"), 0);
}

static void wrong_use_is_code_two(void **state)
{
	(void)state;
	assert_int_equal(run(NULL), 2);
	assert_int_equal(run("--wrong", "types.arrows", NULL), 2);
	assert_int_equal(run("missing.arrows", "types.arrows", NULL), 2);
	assert_output("types.arrows: whole"); /* one bad name does not hide the others */
	assert_int_equal(run("/etc/passwd", NULL), 2);
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
	static const char *const names[] = {"types", "cut", "wide", "blob", "large", "zstd", "lz4", "empty", "part_1",
		"part_2", "part_3", "part_4"};
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
		cmocka_unit_test(rotated_files_are_judged_together),
		cmocka_unit_test(an_empty_file_holds_no_rows),
		cmocka_unit_test(folders_are_taken_whole),
		cmocka_unit_test(wrong_use_is_code_two),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
