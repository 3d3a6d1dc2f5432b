/* public_test.c: what an existing .arrows file is taken for, cut at every byte. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "arrow/ipc.h"
#include "base/crc32c.h"
#include "enrgdaq/store.h"

static const struct enrg_column columns[] = {{.name = "a", .type = ENRG_I64}, {.name = "b", .type = ENRG_F64}};
static const struct enrg_schema schema = {.column_count = 2, .columns = columns};
static const struct enrg_schema narrow = {.column_count = 1, .columns = columns};

static _Alignas(64) uint8_t stream[65536];
static size_t ends[4]; /* behind the schema and each batch */

static void add_batch(struct ipc_template *template, unsigned index)
{
	struct ipc_stamp stamp = {.sequence = index, .epoch = 1, .acquired_ns = 5};
	uint64_t rows = 10 * index, body_bytes = ipc_body_bytes(template, rows, NULL);
	uint32_t meta_bytes = ipc_meta_bytes(template);
	uint8_t *at = stream + ends[index - 1];

	memset(at + meta_bytes, (int)index, body_bytes);
	stamp.body_crc = crc32c(0, at + meta_bytes, body_bytes);
	ipc_write_meta(template, at, rows, NULL, &stamp);
	ends[index] = ends[index - 1] + meta_bytes + body_bytes;
}

static int build_stream(void **state)
{
	const struct ipc_origin origin = {"source", "run", ""};
	struct ipc_template *template;
	void *bytes;
	uint32_t count;

	(void)state;
	assert_int_equal(enrg_schema_format_ipc(&schema, "source", &bytes, &count, NULL), 0);
	memcpy(stream, bytes, count);
	free(bytes);
	ends[0] = count;
	assert_int_equal(ipc_template_create(&schema, &origin, &template, NULL), 0);
	for (unsigned i = 1; i <= 3; i++)
		add_batch(template, i);
	ipc_template_destroy(template);
	return 0;
}

static void check(const void *bytes, size_t count, const struct enrg_schema *wanted_schema,
	enum enrg_ipc_content wanted, uint64_t wanted_good)
{
	int descriptor = memfd_create("public", MFD_CLOEXEC);
	enum enrg_ipc_content content;
	uint64_t good;

	assert_true(descriptor >= 0);
	assert_int_equal(write(descriptor, bytes, count), count);
	assert_int_equal(enrg_ipc_inspect(descriptor, wanted_schema, &content, &good, NULL), 0);
	assert_int_equal(content, wanted);
	if (content == ENRG_IPC_OURS)
		assert_int_equal(good, wanted_good);
	close(descriptor);
}

static void every_cut_is_found(void **state)
{
	(void)state;
	for (size_t count = 0; count <= ends[3]; count++) {
		size_t good = 0;

		for (unsigned i = 0; i <= 3; i++)
			if (ends[i] <= count)
				good = ends[i];
		check(stream, count, &schema, ENRG_IPC_OURS, good);
	}
}

static void tails_are_cut(void **state)
{
	static uint8_t copy[sizeof(stream)];

	(void)state;
	memset(copy, 0, sizeof(copy));
	memcpy(copy, stream, ends[3]);
	check(copy, ends[3] + 5000, &schema, ENRG_IPC_OURS, ends[3]);
	memset(copy + ends[3], 0xFF, 4);
	check(copy, ends[3] + 8, &schema, ENRG_IPC_OURS, ends[3]);
	copy[ends[3] - 20] ^= 1; /* in the last body */
	check(copy, ends[3], &schema, ENRG_IPC_OURS, ends[2]);
}

static void others_are_left_alone(void **state)
{
	static uint8_t copy[sizeof(stream)];

	(void)state;
	check(stream, ends[3], &narrow, ENRG_IPC_OTHER, 0);
	check("some text of somebody\n", 22, &schema, ENRG_IPC_OTHER, 0);
	check("\0\0\0\0\0\0\0\0\0\0", 10, &schema, ENRG_IPC_OTHER, 0);
	check(stream + ends[0], ends[1] - ends[0], &schema, ENRG_IPC_OTHER, 0);
	memcpy(copy, stream, ends[3]);
	copy[ends[1] + 100] ^= 1; /* in the head of the second batch */
	check(copy, ends[3], &schema, ENRG_IPC_DAMAGED, 0);
}

/* A file says which format it follows; one that says nothing is of before and is continued, one of a later format is
 * left alone. */
static void formats_are_told_apart(void **state)
{
	static const uint8_t value[] = {1, 0, 0, 0, '1', 0};
	uint8_t *place = memmem(stream, ends[0], value, sizeof(value));
	struct enrg_schema *decoded;
	struct enrg_error err = {0};
	void *bytes;
	uint32_t count;

	(void)state;
	assert_non_null(memmem(stream, ends[0], "enrgdaq.format", 14));
	assert_non_null(place);
	assert_int_equal(ipc_encode_schema(&schema, NULL, &bytes, &count, NULL), 0);
	assert_null(memmem(bytes, count, "enrgdaq.format", 14));
	check(bytes, count, &schema, ENRG_IPC_OURS, count);
	free(bytes);
	place[4] = '2';
	check(stream, ends[3], &schema, ENRG_IPC_OTHER, 0);
	assert_int_equal(ipc_decode_schema(stream, ends[0], &decoded, &err), ENRG_E_VERSION);
	assert_non_null(strstr(err.text, "format 2 of .arrows"));
	place[4] = '1';
}

/* What is said of columns makes no other file; where the file says another value, that is named. */
static void notes_do_not_matter(void **state)
{
	const struct enrg_note now[] = {{schema.columns[0].name, "clock", "tai"}, {NULL, "bits", "14"}};
	const struct enrg_note other[] = {{schema.columns[0].name, "clock", "gps"}, {NULL, "more", "x"}};
	struct enrg_schema noted = schema, changed = schema;
	char text[200] = "";
	uint32_t count;
	void *bytes;

	(void)state;
	noted.notes = now;
	changed.notes = other;
	noted.note_count = changed.note_count = 2;
	check(stream, ends[3], &noted, ENRG_IPC_OURS, ends[3]);
	assert_int_equal(enrg_schema_format_ipc(&noted, "job", &bytes, &count, NULL), 0);
	check(bytes, count, &schema, ENRG_IPC_OURS, count);
	check(bytes, count, &changed, ENRG_IPC_OURS, count);

	int descriptor = memfd_create("noted", 0);
	assert_int_equal(write(descriptor, bytes, count), count);
	assert_int_equal(enrg_ipc_find_other_note(descriptor, &noted, text, sizeof(text), NULL), 0);
	assert_int_equal(enrg_ipc_find_other_note(descriptor, &schema, text, sizeof(text), NULL), 0);
	assert_int_equal(enrg_ipc_find_other_note(descriptor, &changed, text, sizeof(text), NULL), 1);
	assert_non_null(strstr(text, ".clock = \"tai\" there, \"gps\" now"));
	close(descriptor);
	free(bytes);
}

static struct enrg_batch batch_of(unsigned index)
{
	struct ipc_message message;

	assert_int_equal(
		ipc_read_message(stream + ends[index - 1], ends[index] - ends[index - 1], &message, NULL, NULL), 0);
	return (struct enrg_batch){.ipc = stream + ends[index - 1],
		.ipc_bytes = ends[index] - ends[index - 1],
		.body_bytes = message.body_bytes};
}

/* A padded batch is the same batch, and its check sums hold. */
static void padded_batches_are_whole(void **state)
{
	static _Alignas(64) uint8_t copy[16384];

	(void)state;
	for (uint32_t padding = 0; padding < 4096; padding += 8) {
		struct enrg_batch batch = batch_of(3), decoded;
		uint64_t meta_bytes = batch.ipc_bytes - batch.body_bytes;
		struct enrg_column_view views[2];
		struct ipc_message message;
		assert_int_equal(enrg_ipc_pad(&batch, padding, copy, NULL), 0);
		memcpy(copy + meta_bytes + padding, (const uint8_t *)batch.ipc + meta_bytes, batch.body_bytes);
		assert_int_equal(ipc_read_message(copy, sizeof(copy), &message, NULL, NULL), 0);
		assert_int_equal(message.meta_bytes, meta_bytes + padding);
		assert_true(message.has_stamp && message.meta_crc_ok);
		assert_int_equal(message.stamp.sequence, 3);
		assert_int_equal(ipc_decode_batch(&schema, copy, batch.ipc_bytes + padding, views, &decoded, NULL), 0);
		assert_int_equal(decoded.rows, 30);
		assert_int_equal(((const uint8_t *)views[1].values)[239], 3);
	}
	struct enrg_batch batch = batch_of(3);
	assert_int_equal(enrg_ipc_pad(&batch, 4, copy, NULL), -EINVAL);
}

static void compressed_batches_keep_their_marks(void **state)
{
	struct enrg_batch batch = batch_of(2);
	struct enrg_ipc_buffer from[4], to[4] = {0};
	_Alignas(8) uint8_t body[512] = {0};
	uint32_t count, meta_bytes;
	uint64_t at = 0;
	void *meta;

	(void)state;
	assert_int_equal(enrg_ipc_buffers(&batch, from, 3, &count, NULL), -ENOBUFS);
	assert_int_equal(count, 4);
	assert_int_equal(enrg_ipc_buffers(&batch, from, 4, &count, NULL), 0);
	for (uint32_t i = 0; i < count; i++) { /* "as it was" */
		to[i] = (struct enrg_ipc_buffer){body + at, from[i].byte_count ? 8 + from[i].byte_count : 0};
		if (from[i].byte_count) {
			memset(body + at, 0xFF, 8);
			memcpy(body + at + 8, from[i].bytes, from[i].byte_count);
		}
		at += to[i].byte_count;
	}
	assert_int_equal(at, 2 * (8 + 160));
	struct enrg_ipc_compressed params = {ENRG_IPC_ZSTD, to, count, body, at};
	assert_int_equal(enrg_ipc_format_compressed(&batch, &params, &meta, &meta_bytes, NULL), 0);
	struct ipc_message message;
	assert_int_equal(ipc_read_message(meta, meta_bytes, &message, NULL, NULL), 0);
	assert_true(message.is_compressed && message.has_stamp && message.meta_crc_ok);
	assert_int_equal(message.rows, 20);
	assert_int_equal(message.body_bytes, at);
	assert_int_equal(message.stamp.sequence, 2);
	assert_int_equal(message.stamp.body_crc, crc32c(0, body, at));
	assert_string_equal(message.source, "source");
	free(meta);
	params.buffer_count = 3;
	assert_int_equal(enrg_ipc_format_compressed(&batch, &params, &meta, &meta_bytes, NULL), -EINVAL);
}

static int never(enum enrg_ipc_codec codec, const void *packed, size_t packed_bytes, void *raw, size_t raw_bytes,
	struct enrg_error *err)
{
	(void)codec, (void)packed, (void)packed_bytes, (void)raw, (void)raw_bytes, (void)err;
	fail_msg("memory was asked for");
	return 0;
}

/* A few bytes that claim to be 3 GB are refused before memory is asked for. */
static void claims_are_bounded_by_what_is_there(void **state)
{
	static const struct {
		enum enrg_ipc_codec codec;
		uint64_t claim;
	} cases[] = {{ENRG_IPC_ZSTD, 3000000000}, {ENRG_IPC_LZ4_FRAME, 256 * 160}, {ENRG_IPC_ZSTD, UINT64_MAX - 1}};
	struct enrg_batch batch = batch_of(2);
	struct enrg_ipc_buffer from[4], to[4] = {0};
	_Alignas(8) uint8_t message[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_Alignas(8) uint8_t body[512] = {0};
		struct enrg_error err = {0};
		uint32_t count, meta_bytes;
		void *meta, *plain;
		size_t plain_bytes;

		assert_int_equal(enrg_ipc_buffers(&batch, from, 4, &count, NULL), 0);
		to[1] = (struct enrg_ipc_buffer){body, 168};
		to[3] = (struct enrg_ipc_buffer){body + 168, 168};
		to[0].bytes = to[2].bytes = body;
		memcpy(body + 168, &cases[i].claim, 8);
		struct enrg_ipc_compressed params = {cases[i].codec, to, count, body, 336};
		assert_int_equal(enrg_ipc_format_compressed(&batch, &params, &meta, &meta_bytes, NULL), 0);
		memcpy(message, meta, meta_bytes);
		memcpy(message + meta_bytes, body, 336);
		assert_int_equal(
			ipc_unpack(message, meta_bytes + 336, never, &plain, &plain_bytes, &err), ENRG_E_CORRUPT);
		assert_non_null(strstr(err.text, "claims to be of"));
		free(meta);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(claims_are_bounded_by_what_is_there),
		cmocka_unit_test(every_cut_is_found),
		cmocka_unit_test(tails_are_cut),
		cmocka_unit_test(others_are_left_alone),
		cmocka_unit_test(formats_are_told_apart),
		cmocka_unit_test(notes_do_not_matter),
		cmocka_unit_test(padded_batches_are_whole),
		cmocka_unit_test(compressed_batches_keep_their_marks),
	};

	return cmocka_run_group_tests(tests, build_stream, NULL);
}
