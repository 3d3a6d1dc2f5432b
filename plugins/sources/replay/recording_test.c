/* recording_test.c: files of several tables and parts are one recording, in the order in which it was taken; what can't
 * be read is named. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arrow/sample.h"
#include "recording.h"

static char folder[64];
static unsigned told;

static void note(void *context, const char *sentence)
{
	(void)context;
	assert_true(strlen(sentence) > 10);
	told++;
}

static const struct recording_hooks hooks = {.tell = note};

static const char *place(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

/* A file of a table with batches of these times; the last `cut` bytes are missing. A time of 0 ends them. */
static void write_file(const char *name, const char *tag, const uint64_t *times, size_t cut)
{
	const struct ipc_origin origin = {"a", "run-1", tag};
	struct ipc_template *template;
	uint32_t schema_bytes;
	void *schema;
	FILE *file = fopen(place(name), "we");

	assert_non_null(file);
	assert_int_equal(ipc_template_create(sample_schema(), &origin, &template, NULL), 0);
	assert_int_equal(ipc_encode_file_schema(sample_schema(), &origin, &schema, &schema_bytes, NULL), 0);
	fwrite(schema, 1, schema_bytes, file);
	for (; *times; times++) {
		size_t count;
		uint8_t *message = sample_message(template, 2, *times - 1000, false, &count); /* acquired 1000 later */
		fwrite(message, 1, count, file);
		free(message);
	}
	long end = ftell(file);
	fclose(file);
	assert_int_equal(truncate(place(name), end - (long)cut), 0);
	ipc_template_destroy(template);
	free(schema);
}

/* Tags and times of all that comes: "x1001 y1002 "; "! " for what does not. */
static void read_all(struct recording *recording, char *ret_text)
{
	struct recording_batch next;
	struct enrg_error err = {0};
	int rc;

	*ret_text = '\0';
	while ((rc = recording_next(recording, &next, &err)) != 0) {
		if (rc < 0)
			assert_int_equal(rc, ENRG_E_CORRUPT);
		ret_text += rc < 0 ? sprintf(ret_text, "! ")
				   : sprintf(ret_text, "%s%d ", next.batch->tag, (int)next.batch->acquired_ns);
	}
	assert_int_equal(recording_next(recording, &next, &err), 0);
}

static void parts_and_tables_come_in_their_order(void **state)
{
	struct recording *recording;
	struct recording_sum sum;
	struct enrg_error err = {0};
	char text[400];

	(void)state;
	write_file("b.arrows", "x", (const uint64_t[]){1010, 1020, 1030, 0}, 0);
	write_file("a.arrows", "x", (const uint64_t[]){1040, 1050, 0}, 0); /* a later part with an earlier name */
	mkdir(place("deep"), 0700);
	write_file("deep/c.arrows", "y", (const uint64_t[]){1015, 1012, 1030, 1045, 0}, 0); /* its clock was set back */
	write_file(".hidden.arrows", "z", (const uint64_t[]){1001, 0}, 0);
	write_file("recovered_x.arrows", "z", (const uint64_t[]){1001, 0}, 0);
	write_file("other.csv", "z", (const uint64_t[]){1001, 0}, 0);
	write_file("empty.arrows", "z", (const uint64_t[]){0}, 0);
	assert_int_equal(recording_open(folder, &hooks, &recording, &err), 0);
	recording_get_sum(recording, &sum);
	assert_int_equal(sum.files, 3);
	assert_int_equal(sum.first_ns, 1010);
	assert_int_equal(sum.last_ns, 1040);
	for (int pass = 0; pass < 2; pass++) {
		read_all(recording, text);
		assert_string_equal(text, "x1010 y1015 y1012 x1020 x1030 y1030 x1040 y1045 x1050 ");
		recording_rewind(recording);
	}
	recording_close(recording);
	assert_int_equal(told, 0);
	assert_int_equal(symlink(".", place("link")), 0);
	assert_int_equal(recording_open(place("link"), &hooks, &recording, &err), 0);
	recording_get_sum(recording, &sum);
	assert_int_equal(sum.files, 3);
	recording_close(recording);
	assert_int_equal(unlink(place("link")), 0);
	assert_int_equal(recording_open(place("[ab].arrows"), &hooks, &recording, &err), 0);
	read_all(recording, text);
	assert_string_equal(text, "x1010 x1020 x1030 x1040 x1050 ");
	recording_close(recording);
}

static void what_is_damaged_is_named(void **state)
{
	struct recording *recording;
	struct enrg_error err = {0};
	char text[400];

	(void)state;
	write_file("b.arrows", "x", (const uint64_t[]){1010, 1020, 1030, 0}, 50); /* cut inside the last one */
	FILE *file = fopen(place("a.arrows"), "we");
	fputs("this is no Arrow file at all", file);
	fclose(file);
	told = 0;
	assert_int_equal(recording_open(folder, &hooks, &recording, &err), 0);
	assert_int_equal(told, 1);
	read_all(recording, text);
	assert_string_equal(text, "x1010 y1015 y1012 x1020 ! y1030 y1045 ");
	recording_close(recording);
	assert_int_equal(recording_open(place("a.arrows"), &hooks, &recording, &err), ENRG_E_CONFIG);
	assert_int_equal(recording_open(place("none*"), &hooks, &recording, &err), ENRG_E_CONFIG);
	assert_non_null(strstr(err.text, "none*"));
	assert_int_equal(recording_open(place("empty.arrows"), &hooks, &recording, &err), ENRG_E_CONFIG);
}

/* As files of other programs are, which have no times at all. */
static void many_files_of_one_time_are_not_open_at_once(void **state)
{
	struct recording *recording;
	struct rlimit limit;
	struct enrg_error err = {0};
	char name[32], text[1000];

	(void)state;
	mkdir(place("many"), 0700);
	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "many/%02d.arrows", i);
		write_file(name, i % 2 ? "y" : "x", (const uint64_t[]){1001, 1001, 0}, 0);
	}
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	const struct rlimit few = {30, limit.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(recording_open(place("many"), &hooks, &recording, &err), 0);
	read_all(recording, text);
	assert_int_equal(strlen(text), 40 * 2 * strlen("x1001 "));
	assert_memory_equal(text, "x1001 x1001 y1001 y1001 x1001 ", 30);
	recording_close(recording);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static int clean_up(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_and_tables_come_in_their_order),
		cmocka_unit_test(what_is_damaged_is_named),
		cmocka_unit_test(many_files_of_one_time_are_not_open_at_once),
	};

	strcpy(folder, "/tmp/recording_test.XXXXXX");
	if (!mkdtemp(folder))
		return 1;
	return cmocka_run_group_tests(tests, NULL, clean_up);
}
