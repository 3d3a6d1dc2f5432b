/* reader_test.c: what a program outside sees of a file: every batch that is proved, and a sentence for each that is
 * not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arrow/sample.h"
#include "enrgdaq/reader.h"

#define BATCHES 5

struct draft {
	uint8_t *bytes;
	size_t count, starts[BATCHES + 2];
};

static int file;
static char path[64];

static void append(struct draft *draft, const void *bytes, size_t count)
{
	draft->bytes = realloc(draft->bytes, draft->count + count);
	memcpy(draft->bytes + draft->count, bytes, count);
	draft->count += count;
}

/* A schema, BATCHES batches of 4 rows with sequences from 1, the third a gap, and no end mark. */
static struct draft make_draft(void)
{
	const struct ipc_origin origin = {"a", "run-1", "t"};
	struct ipc_template *template;
	struct draft draft = {0};
	uint32_t schema_bytes;
	void *schema;

	assert_int_equal(ipc_template_create(sample_schema(), &origin, &template, NULL), 0);
	assert_int_equal(ipc_encode_file_schema(sample_schema(), &origin, &schema, &schema_bytes, NULL), 0);
	append(&draft, schema, schema_bytes);
	free(schema);
	for (uint64_t i = 0; i < BATCHES; i++) {
		size_t count;
		bool is_gap = i == 2;
		uint8_t *message = sample_message(template, is_gap ? 0 : 4, i + 1, is_gap, &count);
		draft.starts[i] = draft.count;
		append(&draft, message, count);
		free(message);
	}
	draft.starts[BATCHES] = draft.count;
	ipc_template_destroy(template);
	return draft;
}

static void write_file(const void *bytes, size_t count)
{
	assert_int_equal(ftruncate(file, 0), 0);
	assert_int_equal(pwrite(file, bytes, count, 0), count);
}

/* Sequences of all batches that are handed out as digits, 'x' for each piece that is not. */
static void read_all(char *ret_text)
{
	struct enrg_reader *reader;
	const struct enrg_batch *batch;
	struct enrg_error err = {0};
	int rc;

	assert_int_equal(enrg_reader_open(path, &reader, &err), 0);
	assert_true(ipc_schema_equal(enrg_reader_schema(reader), sample_schema()));
	while ((rc = enrg_reader_next(reader, &batch, &err)) != 0) {
		*ret_text++ = rc == 1 ? (char)('0' + batch->sequence) : 'x';
		if (rc < 0) {
			assert_int_equal(rc, ENRG_E_CORRUPT);
			assert_non_null(strstr(err.text, "at byte"));
			continue;
		}
		assert_int_equal(batch->is_gap, batch->sequence == 3);
		assert_int_equal(batch->rows, batch->is_gap ? 0 : 4);
		assert_int_equal(batch->acquired_ns, 1000 + batch->sequence);
		assert_string_equal(batch->source, "a");
		assert_string_equal(batch->run, "run-1");
		assert_string_equal(batch->tag, "t");
		assert_int_equal(enrg_reader_merged(reader), 1);
		if (batch->rows)
			assert_int_equal(((const uint64_t *)batch->columns[0].values)[3], batch->sequence + 3);
	}
	*ret_text = '\0';
	assert_int_equal(enrg_reader_next(reader, &batch, &err), 0);
	assert_int_equal(enrg_reader_offset(reader), enrg_reader_bytes(reader));
	enrg_reader_close(reader);
}

static void expect(const struct draft *draft, size_t count, const char *wanted)
{
	char text[64];

	write_file(draft->bytes, count);
	read_all(text);
	assert_string_equal(text, wanted);
}

static void all_batches_come(void **state)
{
	struct draft draft = make_draft();

	(void)state;
	expect(&draft, draft.count, "12345");
	free(draft.bytes);
}

static void damage_costs_what_is_damaged(void **state)
{
	struct draft draft = make_draft();

	(void)state;
	draft.bytes[draft.starts[2] - 1] ^= 1; /* the body of the second */
	expect(&draft, draft.count, "1x345");
	draft.bytes[draft.starts[3] + 4] ^= 0x10; /* the length of the fourth */
	expect(&draft, draft.count, "1x3x5");
	draft.bytes[draft.starts[4]] ^= 1; /* the head of the last: nothing can be found behind that of the fourth */
	expect(&draft, draft.count, "1x3x");
	free(draft.bytes);
}

static void a_cut_is_named(void **state)
{
	struct draft draft = make_draft();

	(void)state;
	for (size_t end = draft.starts[3] + 1; end < draft.starts[4]; end += 7)
		expect(&draft, end, "123x");
	expect(&draft, draft.starts[3], "123");
	memset(draft.bytes + draft.starts[3], 0, draft.count - draft.starts[3]); /* as a power cut leaves it */
	expect(&draft, draft.count, "123x");
	free(draft.bytes);
}

static void what_is_no_file_is_refused(void **state)
{
	struct draft draft = make_draft();
	struct enrg_reader *reader;
	struct enrg_error err = {0};

	(void)state;
	write_file("", 0);
	assert_int_equal(enrg_reader_open(path, &reader, &err), -ENODATA);
	write_file("timestamp,A,B\n1,2,3\n", 20);
	assert_int_equal(enrg_reader_open(path, &reader, &err), -EINVAL);
	assert_non_null(strstr(err.text, "this is no Arrow file"));
	draft.bytes[20] ^= 1; /* in the schema */
	write_file(draft.bytes, draft.count);
	assert_int_equal(enrg_reader_open(path, &reader, &err), ENRG_E_CORRUPT);
	assert_int_equal(enrg_reader_open("/nowhere/at/all", &reader, &err), -ENOENT);
	assert_int_equal(enrg_reader_open("/", &reader, &err), -EINVAL);
	enrg_reader_close(NULL);
	free(draft.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_batches_come),
		cmocka_unit_test(damage_costs_what_is_damaged),
		cmocka_unit_test(a_cut_is_named),
		cmocka_unit_test(what_is_no_file_is_refused),
	};

	file = memfd_create("reader", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
