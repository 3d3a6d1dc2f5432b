/* ipc_test.c: what is encoded comes back the same, lies where it should, and no damage makes the reader read outside.
 * Its inputs lie in blocks of exactly their size, so that the address sanitizer sees one byte too many. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "arrow/ipc_layout.h"
#include "arrow/sample.h"

static const struct ipc_origin origin = {"detector", "run-7", "fast"};

static struct ipc_template *make_template(const struct enrg_schema *schema)
{
	struct ipc_template *template = NULL;

	assert_int_equal(ipc_template_create(schema, &origin, &template, NULL), 0);
	return template;
}

static void schema_comes_back(void **state)
{
	struct enrg_schema *decoded = NULL, *copy;
	struct enrg_error err = {0};
	struct ipc_message message;
	uint32_t count;
	size_t wanted;
	void *bytes;

	(void)state;
	assert_int_equal(ipc_encode_schema(sample_schema(), &origin, &bytes, &count, &err), 0);
	assert_int_equal(count % 8, 0);
	assert_int_equal(ipc_read_message(bytes, count, &message, &wanted, &err), 0);
	assert_int_equal(message.type, IPC_SCHEMA);
	assert_true(message.has_keys && message.meta_crc_ok && !message.has_stamp);
	assert_int_equal(ipc_decode_schema(bytes, count, &decoded, &err), 0);
	assert_true(ipc_schema_equal(decoded, sample_schema()));
	assert_string_equal(decoded->columns[5].unit, "µm");
	assert_false(decoded->is_blob);
	free(bytes);
	copy = ipc_copy_schema(decoded);
	assert_true(ipc_schema_equal(copy, decoded));
	free(decoded);
	assert_string_equal(copy->columns[2].name, "wave");
	((struct enrg_column *)copy->columns)[2].item = ENRG_U16;
	assert_false(ipc_schema_equal(copy, sample_schema()));
	((struct enrg_column *)copy->columns)[2].item = ENRG_I16;
	assert_true(ipc_schema_equal(copy, sample_schema()));
	((struct enrg_column *)copy->columns)[1].unit = "V";
	assert_false(ipc_schema_equal(copy, sample_schema()));
	((struct enrg_column *)copy->columns)[1].unit = "";
	assert_true(ipc_schema_equal(copy, sample_schema()));
	((struct enrg_column *)copy->columns)[1].name = "flog";
	assert_false(ipc_schema_equal(copy, sample_schema()));
	free(copy);
}

static void blob_and_wide_schemas_come_back(void **state)
{
	static struct enrg_column columns[ENRG_COLUMNS_MAX];
	static char names[ENRG_COLUMNS_MAX][ENRG_NAME_BYTES_MAX + 1];
	const struct enrg_schema wide = {.column_count = ENRG_COLUMNS_MAX, .columns = columns};
	const struct enrg_schema *schemas[] = {enrg_schema_blob(), &wide};

	(void)state;
	for (uint32_t i = 0; i < ENRG_COLUMNS_MAX; i++) {
		memset(names[i], 'x', ENRG_NAME_BYTES_MAX);
		names[i][snprintf(names[i], 9, "%07u", i)] = 'x';
		columns[i] = (struct enrg_column){names[i], ENRG_LIST, ENRG_F64, names[i]};
	}
	for (int i = 0; i < 2; i++) {
		struct enrg_schema *decoded = NULL;
		uint32_t count;
		void *bytes;
		assert_int_equal(ipc_encode_schema(schemas[i], NULL, &bytes, &count, NULL), 0);
		assert_int_equal(ipc_decode_schema(bytes, count, &decoded, NULL), 0);
		assert_true(ipc_schema_equal(decoded, schemas[i]));
		assert_int_equal(decoded->is_blob, i == 0);
		free(decoded);
		free(bytes);
	}
}

static void bad_schemas_and_names_are_refused(void **state)
{
	const struct enrg_column column = {"x", ENRG_LIST, ENRG_STRING, NULL};
	const struct enrg_schema schema = {.column_count = 1, .columns = &column};
	struct ipc_template *template = NULL;
	struct enrg_error err = {0};
	uint32_t count;
	char name[300];
	void *bytes;

	(void)state;
	assert_int_equal(ipc_encode_schema(&schema, NULL, &bytes, &count, &err), -EINVAL);
	assert_int_equal(ipc_template_create(&schema, &origin, &template, &err), -EINVAL);
	memset(name, 'r', sizeof(name));
	name[256] = '\0';
	const struct ipc_origin long_run = {"a", name, ""};
	assert_int_equal(ipc_template_create(sample_schema(), &long_run, &template, &err), -EMSGSIZE);
	assert_null(template);
	ipc_template_destroy(NULL);
}

static void places_are_aligned_and_exact(void **state)
{
	struct ipc_template *template = make_template(sample_schema());
	const uint64_t variable[SAMPLE_COLUMNS] = {0, 0, 7, 100, 0, 0};
	struct ipc_column_place places[SAMPLE_COLUMNS];

	(void)state;
	uint64_t body = ipc_place_columns(template, 9, variable, places);
	assert_int_equal(body, ipc_body_bytes(template, 9, variable));
	assert_int_equal(places[0].values_offset, 0);
	assert_int_equal(places[0].values_bytes, 72);
	assert_int_equal(places[1].values_offset, 128);
	assert_int_equal(places[1].values_bytes, 2); /* nine bits */
	assert_int_equal(places[2].offsets_offset, 192);
	assert_int_equal(places[2].values_offset, 256);
	assert_int_equal(places[2].values_bytes, 14);
	assert_int_equal(places[3].offsets_offset, 320);
	assert_int_equal(places[3].values_offset, 384);
	assert_int_equal(places[4].offsets_offset, 512);
	assert_int_equal(places[4].values_offset, 576);
	assert_int_equal(places[5].values_offset, 576);
	assert_int_equal(body, 640);
	assert_int_equal(ipc_meta_bytes(template) % 64, 0);
	assert_int_equal(ipc_body_bytes(template, 0, NULL), 3 * 64);
	ipc_template_destroy(template);
}

static void too_large_bodies_are_told(void **state)
{
	struct ipc_template *template = make_template(sample_schema());
	uint64_t variable[SAMPLE_COLUMNS] = {0, 0, INT32_MAX, INT32_MAX, INT32_MAX, 0};

	(void)state;
	assert_true(ipc_body_bytes(template, 10, variable) > 8ull << 30);
	variable[3]++;
	assert_true(ipc_body_bytes(template, 10, variable) == UINT64_MAX);
	assert_true(ipc_body_bytes(template, UINT64_MAX, NULL) == UINT64_MAX);
	assert_true(ipc_body_bytes(template, UINT64_MAX / 8, NULL) == UINT64_MAX);
	ipc_template_destroy(template);
}

static void check_sample_columns(const struct enrg_batch *batch, uint64_t seed)
{
	const struct enrg_column_view *columns = batch->columns;
	uint64_t variable[SAMPLE_COLUMNS];

	sample_variable(batch->rows, variable);
	for (uint64_t row = 0; row < batch->rows; row++) {
		assert_int_equal(((const uint64_t *)columns[0].values)[row], seed + row);
		assert_int_equal(((const uint8_t *)columns[1].values)[row / 8] >> (row % 8) & 1, row % 2);
		assert_true(((const float *)columns[5].values)[row] == (float)row / 2);
		for (int i = 2; i <= 4; i++)
			assert_int_equal(columns[i].offsets[row + 1] - columns[i].offsets[row], row % 3);
	}
	for (int i = 2; i <= 4; i++) {
		assert_int_equal(columns[i].value_count, variable[i]);
		for (uint64_t k = 0; k < variable[i] * (i == 2 ? 2 : 1); k++)
			assert_int_equal(((const uint8_t *)columns[i].values)[k], 'a' + (k + seed) % 26);
	}
	for (int i = 0; i < SAMPLE_COLUMNS; i++) {
		assert_null(columns[i].validity);
		assert_int_equal(columns[i].null_count, 0);
	}
}

static void batches_come_back(void **state)
{
	static const uint64_t row_counts[] = {0, 1, 2, 7, 8, 9, 63, 64, 65, 1000};
	struct ipc_template *template = make_template(sample_schema());

	(void)state;
	for (size_t i = 0; i < sizeof(row_counts) / sizeof(row_counts[0]); i++) {
		struct enrg_column_view views[SAMPLE_COLUMNS];
		struct enrg_batch batch = {0};
		struct ipc_message message;
		struct enrg_error err = {0};
		size_t count, wanted;
		uint8_t *bytes = sample_message(template, row_counts[i], 0x123456789abcdef0u + i, false, &count);
		assert_int_equal(ipc_read_message(bytes, ipc_meta_bytes(template), &message, &wanted, &err), 0);
		assert_int_equal(message.type, IPC_RECORD_BATCH);
		assert_true(message.has_stamp && message.has_keys && message.meta_crc_ok && !message.is_end);
		assert_int_equal(message.stamp.sequence, 0x123456789abcdef0u + i);
		assert_int_equal(message.stamp.epoch, 2);
		assert_int_equal(message.rows, row_counts[i]);
		assert_int_equal(message.meta_bytes + message.body_bytes, count);
		assert_string_equal(message.source, "detector");
		assert_string_equal(message.run, "run-7");
		assert_string_equal(message.tag, "fast");
		assert_int_equal(message.stamp.body_crc, crc32c(0, bytes + message.meta_bytes, message.body_bytes));
		assert_int_equal(ipc_decode_batch(sample_schema(), bytes, count, views, &batch, &err), 0);
		assert_int_equal(batch.rows, row_counts[i]);
		assert_int_equal(batch.sequence, message.stamp.sequence);
		assert_int_equal(batch.acquired_ns, 1000 + message.stamp.sequence);
		assert_int_equal(batch.body_bytes, message.body_bytes);
		assert_int_equal(batch.ipc_bytes, count);
		assert_ptr_equal(batch.ipc, bytes);
		check_sample_columns(&batch, message.stamp.sequence);
		free(bytes);
	}
	ipc_template_destroy(template);
}

static void a_gap_is_a_batch_without_rows(void **state)
{
	struct ipc_template *template = make_template(sample_schema());
	struct enrg_column_view views[SAMPLE_COLUMNS];
	struct enrg_batch batch = {0};
	size_t count;

	(void)state;
	uint8_t *bytes = sample_message(template, 0, 9, true, &count);
	assert_int_equal(ipc_decode_batch(sample_schema(), bytes, count, views, &batch, NULL), 0);
	assert_true(batch.is_gap);
	assert_int_equal(batch.rows, 0);
	assert_int_equal(views[3].offsets[0], 0);
	free(bytes);
	ipc_template_destroy(template);
}

/* A producer claims much and commits little: the body must be what a claim of just that had given. */
static void compacting_gives_the_exact_layout(void **state)
{
	struct ipc_template *template = make_template(sample_schema());
	struct ipc_column_place places[SAMPLE_COLUMNS];
	const uint64_t rows_max = 100, variable_max[SAMPLE_COLUMNS] = {0, 0, 500, 300, 900, 0};
	uint64_t body_max = ipc_place_columns(template, rows_max, variable_max, places);
	uint8_t *body = malloc(body_max);

	(void)state;
	for (uint64_t rows = 0; rows <= rows_max; rows++) {
		uint64_t variable[SAMPLE_COLUMNS];
		struct ipc_column_place exact[SAMPLE_COLUMNS];
		sample_variable(rows, variable);
		ipc_place_columns(template, rows_max, variable_max, places);
		memset(body, 0xEE, body_max);
		memset(body + places[1].values_offset, 0xFF, (rows_max + 7) / 8);
		for (uint64_t row = 0; row < rows; row++)
			body[places[1].values_offset + row / 8] &= (uint8_t) ~(1u << (row % 8));
		for (int i = 2; i <= 4; i++)
			places[i].values_bytes = variable[i] * (i == 2 ? 2 : 1);
		sample_fill(body, places, rows, 5);
		uint64_t bytes = ipc_compact(template, body, rows_max, variable_max, rows, variable);
		assert_int_equal(bytes, ipc_place_columns(template, rows, variable, exact));
		uint8_t *expected = calloc(1, bytes + 1);
		sample_fill(expected, exact, rows, 5);
		assert_memory_equal(body, expected, bytes);
		/* Nothing to move: the same again. */
		assert_int_equal(ipc_compact(template, body, rows, variable, rows, variable), bytes);
		assert_memory_equal(body, expected, bytes);
		free(expected);
	}
	free(body);
	ipc_template_destroy(template);
}

static void more_bytes_are_asked_for(void **state)
{
	struct ipc_template *template = make_template(sample_schema());
	struct ipc_message message;
	size_t count, wanted = 0;
	uint8_t *bytes = sample_message(template, 3, 1, false, &count);

	(void)state;
	for (size_t have = 0; have < ipc_meta_bytes(template); have++) {
		uint8_t *exact = malloc(have ? have : 1);
		memcpy(exact, bytes, have);
		assert_int_equal(ipc_read_message(exact, have, &message, &wanted, NULL), -EAGAIN);
		assert_int_equal(wanted, have < 8 ? 8 : ipc_meta_bytes(template));
		free(exact);
	}
	free(bytes);
	static const uint32_t end[2] = {UINT32_MAX, 0};
	assert_int_equal(ipc_read_message(end, 8, &message, &wanted, NULL), 0);
	assert_true(message.is_end);
	assert_int_equal(message.meta_bytes, 8);
	assert_int_equal(message.body_bytes, 0);
	ipc_template_destroy(template);
}

/* Each bit of the metadata, flipped: the CRC sees it, and the decoder neither crashes nor reads outside. */
static void every_flipped_bit_is_seen(void **state)
{
	struct ipc_template *template = make_template(sample_schema());
	struct enrg_column_view views[SAMPLE_COLUMNS];
	struct ipc_message message;
	struct enrg_batch batch;
	size_t count, wanted;
	uint8_t *bytes = sample_message(template, 5, 1, false, &count);

	(void)state;
	for (size_t bit = 0; bit < 8 * (size_t)ipc_meta_bytes(template); bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		if (ipc_read_message(bytes, count, &message, &wanted, NULL) == 0)
			assert_false(message.meta_crc_ok && message.has_stamp);
		ipc_decode_batch(sample_schema(), bytes, count, views, &batch, NULL);
		bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
	free(bytes);
	ipc_template_destroy(template);
}

static void every_cut_is_refused(void **state)
{
	struct ipc_template *template = make_template(sample_schema());
	struct enrg_column_view views[SAMPLE_COLUMNS];
	struct enrg_batch batch;
	struct enrg_schema *decoded = NULL;
	uint32_t schema_count;
	void *schema_bytes;
	size_t count;
	uint8_t *bytes = sample_message(template, 5, 1, false, &count);

	(void)state;
	for (size_t have = 0; have < count; have++) {
		uint8_t *exact = malloc(have ? have : 1);
		memcpy(exact, bytes, have);
		assert_int_equal(ipc_decode_batch(sample_schema(), exact, have, views, &batch, NULL), ENRG_E_CORRUPT);
		free(exact);
	}
	free(bytes);
	assert_int_equal(ipc_encode_schema(sample_schema(), &origin, &schema_bytes, &schema_count, NULL), 0);
	for (size_t have = 0; have < schema_count; have++) {
		uint8_t *exact = malloc(have ? have : 1);
		memcpy(exact, schema_bytes, have);
		assert_int_equal(ipc_decode_schema(exact, have, &decoded, NULL), ENRG_E_CORRUPT);
		free(exact);
	}
	free(schema_bytes);
	ipc_template_destroy(template);
}

static void flipped_schemas_are_harmless(void **state)
{
	struct enrg_schema *decoded;
	struct ipc_message message;
	uint32_t count;
	size_t wanted;
	void *bytes;

	(void)state;
	assert_int_equal(ipc_encode_schema(sample_schema(), &origin, &bytes, &count, NULL), 0);
	uint8_t *exact = malloc(count);
	memcpy(exact, bytes, count);
	for (size_t bit = 0; bit < 8 * (size_t)count; bit++) {
		exact[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		if (ipc_decode_schema(exact, count, &decoded, NULL) == 0)
			free(decoded);
		if (ipc_read_message(exact, count, &message, &wanted, NULL) == 0)
			assert_false(message.meta_crc_ok);
		exact[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
	free(exact);
	free(bytes);
}

/* Finds the offsets of column "text" in a message and spoils them. */
static void offsets_are_checked(void **state)
{
	static const int32_t bad[][3] = {{0, 5, 4}, {-1, 0, 0}, {0, 0, 1000}, {0, INT32_MAX, INT32_MAX}, {1, 0, 1}};
	struct ipc_template *template = make_template(sample_schema());
	struct enrg_column_view views[SAMPLE_COLUMNS];
	struct ipc_column_place places[SAMPLE_COLUMNS];
	uint64_t variable[SAMPLE_COLUMNS];
	struct enrg_batch batch;
	size_t count;

	(void)state;
	sample_variable(2, variable);
	ipc_place_columns(template, 2, variable, places);
	for (int column = 2; column <= 4; column++) {
		for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
			struct enrg_error err = {0};
			uint8_t *bytes = sample_message(template, 2, 1, false, &count);
			memcpy(bytes + ipc_meta_bytes(template) + places[column].offsets_offset, bad[i],
				sizeof(bad[i]));
			assert_int_equal(
				ipc_decode_batch(sample_schema(), bytes, count, views, &batch, &err), ENRG_E_CORRUPT);
			assert_non_null(strstr(err.text, sample_schema()->columns[column].name));
			free(bytes);
		}
	}
	ipc_template_destroy(template);
}

/* Decodes the message with the 8 bytes at `at` replaced, and puts them back. */
static int decode_patched(uint8_t *bytes, size_t count, size_t at, uint64_t value)
{
	struct enrg_column_view views[SAMPLE_COLUMNS];
	struct enrg_batch batch;
	uint64_t before;

	memcpy(&before, bytes + at, 8);
	memcpy(bytes + at, &value, 8);
	int rc = ipc_decode_batch(sample_schema(), bytes, count, views, &batch, NULL);
	memcpy(bytes + at, &before, 8);
	return rc;
}

static void every_length_is_checked(void **state)
{
	struct ipc_template *template = make_template(sample_schema());
	struct fb_vector nodes, buffers;
	struct ipc_head head;
	size_t count, wanted;
	uint8_t *bytes = sample_message(template, 5, 1, false, &count);

	(void)state;
	assert_int_equal(ipc_read_head(bytes, count, &head, &wanted, NULL), 0);
	assert_true(fb_read_vector(&head.reader, &head.header, BATCH_NODES, IPC_NODE_BYTES, &nodes));
	assert_true(fb_read_vector(&head.reader, &head.header, BATCH_BUFFERS, IPC_BUFFER_BYTES, &buffers));
	assert_int_equal(nodes.count, SAMPLE_COLUMNS + 1);
	assert_int_equal(buffers.count, 3 * 2 + 2 * 3 + 4);
	for (uint32_t i = 0; i < buffers.count; i++) {
		size_t at = IPC_PREFIX_BYTES + buffers.at + i * IPC_BUFFER_BYTES;
		uint64_t length = fb_load_u64(bytes + at + 8);
		assert_int_equal(decode_patched(bytes, count, at, head.body_bytes + 64), ENRG_E_CORRUPT);
		assert_int_equal(decode_patched(bytes, count, at, UINT64_MAX - 63), ENRG_E_CORRUPT);
		assert_int_equal(decode_patched(bytes, count, at + 8, head.body_bytes + 1), ENRG_E_CORRUPT);
		assert_int_equal(decode_patched(bytes, count, at + 8, UINT64_MAX - 63), ENRG_E_CORRUPT);
		if (length > 0) {
			assert_int_equal(decode_patched(bytes, count, at, fb_load_u64(bytes + at) + 4), ENRG_E_CORRUPT);
			assert_int_equal(decode_patched(bytes, count, at + 8, length - 1), ENRG_E_CORRUPT);
		}
	}
	for (uint32_t i = 0; i < nodes.count; i++) {
		size_t at = IPC_PREFIX_BYTES + nodes.at + i * IPC_NODE_BYTES;
		assert_int_equal(decode_patched(bytes, count, at, fb_load_u64(bytes + at) - 1), ENRG_E_CORRUPT);
		assert_int_equal(decode_patched(bytes, count, at, UINT64_MAX), ENRG_E_CORRUPT);
		assert_int_equal(
			decode_patched(bytes, count, at + 8, 1), ENRG_E_CORRUPT); /* without a validity buffer */
		assert_int_equal(decode_patched(bytes, count, at + 8, UINT64_MAX), ENRG_E_CORRUPT);
	}
	free(bytes);
	ipc_template_destroy(template);
}

static void another_schema_does_not_fit(void **state)
{
	static const struct enrg_column few[] = {{"time", ENRG_U64, 0, "ns"}};
	static const struct enrg_column many[] = {{"a", ENRG_STRING, 0, NULL}, {"b", ENRG_STRING, 0, NULL},
		{"c", ENRG_STRING, 0, NULL}, {"d", ENRG_STRING, 0, NULL}, {"e", ENRG_STRING, 0, NULL},
		{"f", ENRG_STRING, 0, NULL}, {"g", ENRG_STRING, 0, NULL}, {"h", ENRG_STRING, 0, NULL}};
	const struct enrg_schema schemas[] = {
		{.column_count = 1, .columns = few}, {.column_count = 8, .columns = many}};
	struct ipc_template *template = make_template(sample_schema());
	struct enrg_column_view views[8];
	struct enrg_batch batch;
	size_t count;
	uint8_t *bytes = sample_message(template, 5, 1, false, &count);

	(void)state;
	for (int i = 0; i < 2; i++)
		assert_int_equal(ipc_decode_batch(&schemas[i], bytes, count, views, &batch, NULL), ENRG_E_CORRUPT);
	free(bytes);
	ipc_template_destroy(template);
}

/* A stream that pyarrow wrote (tests/fuzz/corpus), cut into its messages; returns the next one and moves *at on. */
static const uint8_t *next_message(const uint8_t *stream, size_t stream_bytes, size_t *at, size_t *ret_count)
{
	struct ipc_message message;
	const uint8_t *start = stream + *at;
	size_t wanted;

	assert_int_equal(ipc_read_message(start, stream_bytes - *at, &message, &wanted, NULL), 0);
	*ret_count = message.meta_bytes + message.body_bytes;
	*at += *ret_count;
	assert_true(*at <= stream_bytes);
	assert_false(message.has_keys || message.has_stamp || message.meta_crc_ok);
	return start;
}

static uint8_t *read_corpus(const char *name, size_t *ret_count)
{
	char path[4096];
	uint8_t *bytes = malloc(16384);

	snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s", ENRG_SOURCE_DIR, name);
	FILE *file = fopen(path, "rbe");
	assert_non_null(file);
	*ret_count = fread(bytes, 1, 16384, file);
	fclose(file);
	return bytes;
}

static void streams_of_others_are_read(void **state)
{
	size_t bytes, at = 0, count;
	uint8_t *stream = read_corpus("arrow_file/foreign_nulls", &bytes);
	struct enrg_schema *schema = NULL;
	struct enrg_column_view views[7];
	struct enrg_batch batch = {0};
	const uint8_t *message;

	(void)state;
	message = next_message(stream, bytes, &at, &count);
	assert_int_equal(ipc_decode_schema(message, count, &schema, NULL), 0);
	assert_int_equal(schema->column_count, 7);
	assert_int_equal(schema->columns[2].type, ENRG_LIST);
	assert_int_equal(schema->columns[2].item, ENRG_I16);
	assert_int_equal(schema->columns[3].type, ENRG_I64); /* timestamp[ns] */
	assert_string_equal(schema->columns[3].unit, "ns");
	assert_int_equal(schema->columns[4].type, ENRG_I32); /* date32 */
	message = next_message(stream, bytes, &at, &count);
	assert_int_equal(ipc_decode_batch(schema, message, count, views, &batch, NULL), 0);
	assert_int_equal(batch.rows, 3);
	assert_int_equal(batch.sequence, 0);
	assert_int_equal(views[0].null_count, 1);
	assert_true(enrg_column_present(&views[0], 0) && !enrg_column_present(&views[0], 1));
	assert_int_equal(((const int32_t *)views[0].values)[2], 3);
	assert_memory_equal(views[1].values, "accc", 4);
	assert_int_equal(views[1].offsets[3], 4);
	assert_int_equal(((const int16_t *)views[2].values)[2], 3);
	assert_false(enrg_column_present(&views[3], 2));
	assert_int_equal(((const int32_t *)views[4].values)[2], 30);
	assert_true(((const double *)views[6].values)[1] == 1.5);
	message = next_message(stream, bytes, &at, &count);
	assert_int_equal(ipc_decode_batch(schema, message, count, views, &batch, NULL), 0);
	assert_int_equal(batch.rows, 0);
	assert_int_equal(views[1].offsets[0], 0);
	message = next_message(stream, bytes, &at, &count);
	assert_int_equal(ipc_decode_batch(schema, message, count, views, &batch, NULL), 0);
	assert_int_equal(batch.rows, 2);
	assert_false(enrg_column_present(&views[1], 0));
	free(schema);
	free(stream);
}

static void what_is_unsupported_is_named(void **state)
{
	static const struct {
		const char *name, *text;
	} cases[] = {
		{"arrow_file/foreign_large_utf8", "unsupported type \"large utf8\" of the field \"t\""},
		{"arrow_file/foreign_dictionary", "unsupported type \"dictionary of utf8\" of the field \"d\""},
		{"arrow_schema/foreign_struct", "unsupported type \"struct\" of the field \"s\""},
		{"arrow_schema/foreign_half", "unsupported type \"floating point\" of the field \"h\""},
		{"arrow_file/foreign_compressed", "the record batch is compressed, which is unsupported"},
		{"arrow_file/foreign_null_items", "column \"l\": nulls inside a list are unsupported"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct enrg_schema *schema = NULL;
		struct enrg_column_view views[7];
		struct enrg_error err = {0};
		struct enrg_batch batch;
		size_t bytes, at = 0, count;
		uint8_t *stream = read_corpus(cases[i].name, &bytes);
		const uint8_t *message = next_message(stream, bytes, &at, &count);
		int rc = ipc_decode_schema(message, count, &schema, &err);
		if (rc == 0) {
			message = next_message(stream, bytes, &at, &count);
			rc = ipc_decode_batch(schema, message, count, views, &batch, &err);
		}
		assert_int_equal(rc, ENRG_E_CORRUPT);
		assert_string_equal(err.text, cases[i].text);
		free(schema);
		free(stream);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schema_comes_back),
		cmocka_unit_test(blob_and_wide_schemas_come_back),
		cmocka_unit_test(bad_schemas_and_names_are_refused),
		cmocka_unit_test(places_are_aligned_and_exact),
		cmocka_unit_test(too_large_bodies_are_told),
		cmocka_unit_test(batches_come_back),
		cmocka_unit_test(a_gap_is_a_batch_without_rows),
		cmocka_unit_test(compacting_gives_the_exact_layout),
		cmocka_unit_test(more_bytes_are_asked_for),
		cmocka_unit_test(every_flipped_bit_is_seen),
		cmocka_unit_test(every_cut_is_refused),
		cmocka_unit_test(flipped_schemas_are_harmless),
		cmocka_unit_test(offsets_are_checked),
		cmocka_unit_test(every_length_is_checked),
		cmocka_unit_test(another_schema_does_not_fit),
		cmocka_unit_test(streams_of_others_are_read),
		cmocka_unit_test(what_is_unsupported_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
