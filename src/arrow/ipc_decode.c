/* ipc_decode.c: record batches read in place. Runs for each batch in the consuming process, on bytes that another
 * process may have written badly: every length is checked before it is used. */
#include "arrow/ipc_layout.h"

#include <errno.h>
#include <inttypes.h>

struct batch_cursor {
	struct fb_reader *reader;
	struct fb_vector nodes, buffers;
	uint32_t node, buffer; /* next ones */
	const uint8_t *body;
	uint64_t body_bytes;
	const char *column; /* for messages */
	struct enrg_error *err;
};

struct batch_buffer {
	const uint8_t *at; /* NULL where its length is 0 */
	uint64_t bytes;
};

static int next_node(struct batch_cursor *cursor, uint64_t *ret_length, uint64_t *ret_nulls)
{
	if (cursor->node >= cursor->nodes.count)
		return enrg_error_set(cursor->err, ENRG_E_CORRUPT,
			"column \"%s\": the batch has fewer columns than its schema", cursor->column);
	const uint8_t *at = cursor->reader->bytes + cursor->nodes.at + cursor->node++ * IPC_NODE_BYTES;
	*ret_length = fb_load_u64(at);
	*ret_nulls = fb_load_u64(at + 8);
	/* 2^56 keeps every product with a width below 2^63. */
	if (*ret_length > UINT64_C(1) << 56 || *ret_nulls > *ret_length)
		return enrg_error_set(cursor->err, ENRG_E_CORRUPT,
			"column \"%s\": impossible counts: %" PRIu64 " values, %" PRIu64 " nulls", cursor->column,
			*ret_length, *ret_nulls);
	return 0;
}

/* The next buffer, which must hold `wanted` bytes. */
static int next_buffer(struct batch_cursor *cursor, uint64_t wanted, struct batch_buffer *ret_buffer)
{
	if (cursor->buffer >= cursor->buffers.count)
		return enrg_error_set(cursor->err, ENRG_E_CORRUPT,
			"column \"%s\": the batch has fewer buffers than its schema", cursor->column);
	const uint8_t *at = cursor->reader->bytes + cursor->buffers.at + cursor->buffer++ * IPC_BUFFER_BYTES;
	uint64_t offset = fb_load_u64(at), length = fb_load_u64(at + 8);
	if (offset > cursor->body_bytes || length > cursor->body_bytes - offset)
		return enrg_error_set(
			cursor->err, ENRG_E_CORRUPT, "column \"%s\": a buffer lies outside the body", cursor->column);
	if (length > 0 && offset % 8 != 0)
		return enrg_error_set(cursor->err, ENRG_E_CORRUPT, "column \"%s\": a buffer is not aligned to 8 bytes",
			cursor->column);
	if (length < wanted)
		return enrg_error_set(cursor->err, ENRG_E_CORRUPT,
			"column \"%s\": a buffer of %" PRIu64 " bytes where %" PRIu64 " are needed", cursor->column,
			length, wanted);
	*ret_buffer = (struct batch_buffer){.at = length ? cursor->body + offset : NULL, .bytes = length};
	return 0;
}

/* Node and validity buffer of a column or of a list's items. */
static int next_array(
	struct batch_cursor *cursor, uint64_t *ret_length, uint64_t *ret_nulls, const uint8_t **ret_validity)
{
	struct batch_buffer validity;

	int rc = next_node(cursor, ret_length, ret_nulls);
	if (rc == 0)
		rc = next_buffer(cursor, *ret_nulls ? (*ret_length + 7) / 8 : 0, &validity);
	if (rc == 0)
		*ret_validity = *ret_nulls ? validity.at : NULL;
	return rc;
}

/* One pass without a branch in it, so that the compiler can use vector instructions. */
static bool offsets_ascend(const int32_t *offsets, uint64_t rows)
{
	int is_wrong = offsets[0] < 0;

	for (uint64_t i = 0; i < rows; i++)
		is_wrong |= offsets[i + 1] < offsets[i];
	return !is_wrong;
}

/* The offsets buffer of `rows` rows; a writer may leave it out where there are none. */
static int next_offsets(struct batch_cursor *cursor, uint64_t rows, const int32_t **ret_offsets)
{
	static const int32_t none[1];
	struct batch_buffer buffer = {0};

	int rc = next_buffer(cursor, rows ? (rows + 1) * sizeof(int32_t) : 0, &buffer);
	if (rc < 0)
		return rc;
	const int32_t *offsets = buffer.bytes >= sizeof(int32_t) ? (const int32_t *)(const void *)buffer.at : none;
	if (!offsets_ascend(offsets, rows))
		return enrg_error_set(
			cursor->err, ENRG_E_CORRUPT, "column \"%s\": offsets that do not ascend", cursor->column);
	*ret_offsets = offsets;
	return 0;
}

static int decode_fixed(struct batch_cursor *cursor, enum enrg_type type, uint64_t count, const void **ret_values)
{
	uint32_t width = enrg_type_bytes(type);
	struct batch_buffer buffer = {0};

	int rc = next_buffer(cursor, width ? count * width : (count + 7) / 8, &buffer);
	if (rc == 0)
		*ret_values = buffer.at ? buffer.at : cursor->body;
	return rc;
}

static int decode_bytes(struct batch_cursor *cursor, uint64_t rows, struct enrg_column_view *view)
{
	struct batch_buffer buffer = {0};

	int rc = next_offsets(cursor, rows, &view->offsets);
	if (rc == 0)
		rc = next_buffer(cursor, (uint64_t)view->offsets[rows], &buffer);
	if (rc < 0)
		return rc;
	view->values = buffer.at ? buffer.at : cursor->body;
	view->value_count = (uint64_t)view->offsets[rows];
	return 0;
}

static int decode_list(struct batch_cursor *cursor, enum enrg_type item, uint64_t rows, struct enrg_column_view *view)
{
	const uint8_t *item_validity = NULL;
	uint64_t items = 0, item_nulls = 0;

	int rc = next_offsets(cursor, rows, &view->offsets);
	if (rc == 0)
		rc = next_array(cursor, &items, &item_nulls, &item_validity);
	if (rc < 0)
		return rc;
	if (item_nulls)
		return enrg_error_set(cursor->err, ENRG_E_CORRUPT, "column \"%s\": nulls inside a list are unsupported",
			cursor->column);
	if ((uint64_t)view->offsets[rows] > items)
		return enrg_error_set(cursor->err, ENRG_E_CORRUPT,
			"column \"%s\": offsets end at %" PRId32 ", behind %" PRIu64 " items", cursor->column,
			view->offsets[rows], items);
	view->value_count = items;
	return decode_fixed(cursor, item, items, &view->values);
}

static int decode_column(
	struct batch_cursor *cursor, const struct enrg_column *column, uint64_t rows, struct enrg_column_view *ret_view)
{
	struct enrg_column_view view = {0};
	uint64_t length = 0;

	cursor->column = column->name;
	int rc = next_array(cursor, &length, &view.null_count, &view.validity);
	if (rc < 0)
		return rc;
	if (length != rows)
		return enrg_error_set(cursor->err, ENRG_E_CORRUPT,
			"column \"%s\": %" PRIu64 " rows in a batch of %" PRIu64, column->name, length, rows);
	if (column->type == ENRG_LIST) {
		rc = decode_list(cursor, column->item, rows, &view);
	} else if (enrg_type_is_variable(column->type)) {
		rc = decode_bytes(cursor, rows, &view);
	} else {
		view.value_count = rows;
		rc = decode_fixed(cursor, column->type, rows, &view.values);
	}
	*ret_view = view;
	return rc;
}

static int read_batch_head(const void *bytes, size_t count, struct ipc_head *ret_head, struct enrg_error *err)
{
	size_t wanted;

	int rc = ipc_read_head(bytes, count, ret_head, &wanted, err);
	if (rc == -EAGAIN || (rc == 0 && ret_head->body_bytes > count - ret_head->meta_bytes))
		return enrg_error_set(err, ENRG_E_CORRUPT, "the record batch message is cut off");
	if (rc < 0)
		return rc;
	if (ret_head->is_end || ret_head->header_type != IPC_RECORD_BATCH)
		return enrg_error_set(err, ENRG_E_CORRUPT, "this is no record batch message");
	if ((uintptr_t)bytes % 8 != 0)
		return enrg_error_set(err, -EINVAL, "a record batch message must lie at a multiple of 8 bytes");
	return 0;
}

int ipc_decode_batch(const struct enrg_schema *schema, const void *bytes, size_t count, struct enrg_column_view *views,
	struct enrg_batch *ret_batch, struct enrg_error *err)
{
	struct batch_cursor cursor = {.err = err};
	struct fb_table compression;
	struct ipc_marks marks;
	struct ipc_head head;

	int rc = read_batch_head(bytes, count, &head, err);
	if (rc == 0)
		rc = ipc_read_marks(&head, &marks, err);
	if (rc < 0)
		return rc;
	cursor.reader = &head.reader;
	cursor.body = (const uint8_t *)bytes + head.meta_bytes;
	cursor.body_bytes = head.body_bytes;
	uint64_t rows = fb_read_number(cursor.reader, &head.header, BATCH_LENGTH, 8, 0);
	fb_read_vector(cursor.reader, &head.header, BATCH_NODES, IPC_NODE_BYTES, &cursor.nodes);
	fb_read_vector(cursor.reader, &head.header, BATCH_BUFFERS, IPC_BUFFER_BYTES, &cursor.buffers);
	if (fb_read_table(cursor.reader, &head.header, BATCH_COMPRESSION, &compression))
		return enrg_error_set(err, ENRG_E_CORRUPT, "the record batch is compressed, which is unsupported");
	if (head.reader.is_bad)
		return enrg_error_set(err, ENRG_E_CORRUPT, "the record batch's metadata is damaged");
	for (uint32_t i = 0; i < schema->column_count; i++) {
		rc = decode_column(&cursor, &schema->columns[i], rows, &views[i]);
		if (rc < 0)
			return rc;
	}
	if (cursor.node != cursor.nodes.count || cursor.buffer != cursor.buffers.count)
		return enrg_error_set(err, ENRG_E_CORRUPT, "the batch has more columns than its schema");
	ret_batch->schema = schema;
	ret_batch->rows = rows;
	ret_batch->columns = views;
	ret_batch->sequence = marks.stamp.sequence;
	ret_batch->epoch = marks.stamp.epoch;
	ret_batch->is_gap = marks.stamp.is_gap;
	ret_batch->acquired_ns = marks.stamp.acquired_ns;
	ret_batch->ipc = bytes;
	ret_batch->ipc_bytes = head.meta_bytes + head.body_bytes;
	ret_batch->body_bytes = head.body_bytes;
	return 0;
}
