/* proof_test.c: one file is proved at a time, its progress seen, cancelled, and what came of it kept. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "web/record/proof.h"

#define PATIENCE_NS 200000000000ull /* what it starts comes last */

static char folder[64];

static const char *write_file(const char *name, const char *text)
{
	static char path[200];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0755), 0);
	return path;
}

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/dev/shm/enrg-proof-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char line[200];

	(void)state;
	snprintf(line, sizeof(line), "rm -rf %s", folder);
	return system(line);
}

static struct proof *open_proof(const char *program)
{
	struct proof *proof = NULL;

	assert_int_equal(proof_open(program, &proof, NULL), 0);
	return proof;
}

static void get(struct proof *proof, const char *key, char ret_text[1000])
{
	json_t *json = proof_format(proof);
	const json_t *value = json_object_get(json, key);

	assert_non_null(value);
	if (json_is_integer(value))
		snprintf(ret_text, 1000, "%lld", (long long)json_integer_value(value));
	else
		snprintf(ret_text, 1000, "%s", json_is_string(value) ? json_string_value(value) : "(object)");
	json_decref(json);
}

static void is(struct proof *proof, const char *key, const char *wanted)
{
	char text[1000];

	get(proof, key, text);
	assert_string_equal(text, wanted);
}

static void wait_for(struct proof *proof, const char *key, const char *wanted)
{
	const struct timespec pause = {.tv_nsec = 2000000};
	uint64_t until_ns = clock_mono_ns() + PATIENCE_NS;
	char text[1000];

	for (get(proof, key, text); strcmp(text, wanted) != 0 && clock_mono_ns() < until_ns; get(proof, key, text))
		nanosleep(&pause, NULL);
	assert_string_equal(text, wanted);
}

static void a_file_is_proved(void **state)
{
	struct proof *proof = open_proof(write_file("whole",
		"#!/bin/sh\n[ \"$*\" = \"verify --json --progress -- /data/-a b.arrows\" ] || exit 3\n"
		"echo '{\"progress\":{\"done_bytes\":5,\"all_bytes\":10}}'\nwhile [ ! -e \"$0.go\" ]; do sleep 0.01; "
		"done\n"
		"echo '{\"file\":\"x\",\"whole\":true,\"file_bytes\":10,\"findings\":[]}'\n"));

	(void)state;
	is(proof, "state", "idle");
	assert_int_equal(proof_start(proof, "/data/-a b.arrows", "ann", NULL), 0);
	wait_for(proof, "done_bytes", "5");
	is(proof, "state", "running");
	is(proof, "all_bytes", "10");
	is(proof, "who", "ann");
	struct enrg_error err = {0};
	assert_int_equal(proof_start(proof, "/data/b.arrows", "bob", &err), -EBUSY);
	assert_non_null(strstr(err.text, "/data/-a b.arrows is being proved, for ann"));
	write_file("whole.go", "");
	wait_for(proof, "state", "whole");
	is(proof, "done_bytes", "10");
	is(proof, "path", "/data/-a b.arrows");
	assert_false(proof_cancel(proof));
	is(proof, "state", "whole"); /* the result is kept */
	is(proof, "result", "(object)");
	proof_close(proof);
}

static void what_is_wrong_is_said(void **state)
{
	struct proof *proof = open_proof(write_file("damaged",
		"#!/bin/sh\necho "
		"'{\"file\":\"x\",\"whole\":false,\"file_bytes\":10,\"findings\":[{\"kind\":\"corrupt\"}]}'\n"
		"exit 1\n"));

	(void)state;
	assert_int_equal(proof_start(proof, "/a", "", NULL), 0);
	wait_for(proof, "state", "damaged");
	assert_int_equal(proof_start(proof, "/b", "", NULL), 0);
	wait_for(proof, "state", "damaged");
	is(proof, "path", "/b");
	proof_close(proof);
	proof = open_proof(write_file("silent", "#!/bin/sh\nexit 0\n"));
	assert_int_equal(proof_start(proof, "/a", "", NULL), 0);
	wait_for(proof, "state", "failed");
	proof_close(proof);
	proof = open_proof(ENRG_BINARY_DIR "/enrgdaq");
	assert_int_equal(proof_start(proof, write_file("none.arrows", "no data"), "", NULL), 0);
	wait_for(proof, "state", "failed"); /* it is no Arrow file */
	proof_close(proof);
	proof = open_proof("/nowhere/enrgdaq");
	assert_int_equal(proof_start(proof, "/a", "", NULL), -ENOENT);
	is(proof, "state", "idle");
	proof_close(proof);
	proof = open_proof("");
	assert_int_equal(proof_start(proof, "/a", "", NULL), -ENODEV);
	proof_close(proof);
}

static void one_that_runs_is_cancelled(void **state)
{
	struct proof *proof = open_proof(write_file(
		"long", "#!/bin/sh\necho '{\"progress\":{\"done_bytes\":1,\"all_bytes\":10}}'\nexec sleep 1000\n"));

	(void)state;
	assert_int_equal(proof_start(proof, "/a", "", NULL), 0);
	wait_for(proof, "done_bytes", "1");
	assert_true(proof_cancel(proof));
	wait_for(proof, "state", "cancelled");
	assert_int_equal(proof_start(proof, "/b", "", NULL), 0);
	proof_close(proof); /* ends it */
}

static void a_line_without_end_is_cut(void **state)
{
	struct proof *proof = open_proof(write_file(
		"endless", "#!/bin/sh\nhead -c 9000000 /dev/zero\necho\necho '{\"file\":\"x\",\"whole\":true}'\n"));

	(void)state;
	assert_int_equal(proof_start(proof, "/a", "", NULL), 0);
	wait_for(proof, "state", "damaged");
	proof_close(proof);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_proved),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(one_that_runs_is_cancelled),
		cmocka_unit_test(a_line_without_end_is_cut),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
