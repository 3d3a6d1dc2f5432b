/* read_arrows.c: reads an Arrow stream message by message and checks its CRCs. In the test process. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>
#ifdef ENRG_HAS_LZ4
#include <lz4frame.h>
#endif

#include "arrow/ipc_layout.h"
#include "base/crc32c.h"
#include "base/path.h"
#include "readers.h"

static int format_number(enum enrg_type type, const void *values, uint64_t i, char *ret_text, size_t text_bytes)
{
	switch (type) {
	case ENRG_I8:
		return snprintf(ret_text, text_bytes, "%d", ((const int8_t *)values)[i]);
	case ENRG_I16:
		return snprintf(ret_text, text_bytes, "%d", ((const int16_t *)values)[i]);
	case ENRG_I32:
		return snprintf(ret_text, text_bytes, "%" PRId32, ((const int32_t *)values)[i]);
	case ENRG_I64:
	case ENRG_TIMESTAMP_NS:
		return snprintf(ret_text, text_bytes, "%" PRId64, ((const int64_t *)values)[i]);
	case ENRG_U8:
		return snprintf(ret_text, text_bytes, "%u", ((const uint8_t *)values)[i]);
	case ENRG_U16:
		return snprintf(ret_text, text_bytes, "%u", ((const uint16_t *)values)[i]);
	case ENRG_U32:
		return snprintf(ret_text, text_bytes, "%" PRIu32, ((const uint32_t *)values)[i]);
	case ENRG_U64:
		return snprintf(ret_text, text_bytes, "%" PRIu64, ((const uint64_t *)values)[i]);
	case ENRG_F32:
		return snprintf(ret_text, text_bytes, "%a", (double)((const float *)values)[i]);
	case ENRG_F64:
		return snprintf(ret_text, text_bytes, "%a", ((const double *)values)[i]);
	case ENRG_BOOL:
		return snprintf(ret_text, text_bytes, "%s",
			((const uint8_t *)values)[i >> 3] >> (i & 7) & 1 ? "true" : "false");
	case ENRG_STRING:
	case ENRG_BINARY:
	case ENRG_LIST:
		break;
	}
	return 0;
}

static void add_cell(
	const struct enrg_column *column, const struct enrg_column_view *view, uint64_t row, struct cells *cells)
{
	uint64_t first = view->offsets ? (uint64_t)view->offsets[row] : row;
	uint64_t end = view->offsets ? (uint64_t)view->offsets[row + 1] : row + 1;
	char text[65536];
	size_t used = 0;

	if (column->type == ENRG_STRING) {
		cells_add(cells, (const char *)view->values + first, end - first);
		return;
	}
	if (column->type == ENRG_BINARY) {
		cells_add_hex(cells, (const uint8_t *)view->values + first, end - first);
		return;
	}
	for (uint64_t i = first; i < end; i++) {
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s", i > first ? " " : "");
		used += (size_t)format_number(
			enrg_column_item(column), view->values, i, text + used, sizeof(text) - used);
	}
	cells_add(cells, text, used);
}

/* --- compressed bodies -------------------- */

static bool decompress(uint8_t codec, const uint8_t *from, size_t count, uint8_t *to, size_t wanted)
{
	if (codec == 1)
		return ZSTD_decompress(to, wanted, from, count) == wanted;
#ifdef ENRG_HAS_LZ4
	LZ4F_dctx *context;
	size_t done = wanted, taken = count;
	if (codec != 0 || LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
		return false;
	size_t rest = LZ4F_decompress(context, to, &done, from, &taken, NULL);
	LZ4F_freeDecompressionContext(context);
	return rest == 0 && done == wanted && taken == count;
#else
	return false;
#endif
}

/* Makes a plain message of a compressed one: each buffer is decompressed and its place noted anew, and the field that
 * says how it was compressed is taken out. malloc'ed; NULL: it is not well formed. */
static uint8_t *make_plain(const uint8_t *bytes, const struct ipc_message *message, uint64_t *ret_count)
{
	struct fb_table compression;
	struct fb_vector buffers;
	struct ipc_head head;
	size_t wanted;

	if (ipc_read_head(bytes, message->meta_bytes, &head, &wanted, NULL) < 0 ||
		!fb_read_table(&head.reader, &head.header, BATCH_COMPRESSION, &compression) ||
		!fb_read_vector(&head.reader, &head.header, BATCH_BUFFERS, IPC_BUFFER_BYTES, &buffers))
		return NULL;
	uint8_t codec = (uint8_t)fb_read_number(&head.reader, &compression, 0, 1, 0);
	uint64_t capacity = message->meta_bytes + ((uint64_t)64 << 20), at = message->meta_bytes;
	uint8_t *plain = calloc(1, capacity);
	memcpy(plain, bytes, message->meta_bytes);
	memset(plain + IPC_PREFIX_BYTES + head.header.vtable + 4 + 2 * BATCH_COMPRESSION, 0, 2);
	for (uint32_t i = 0; i < buffers.count; i++) {
		uint8_t *place = plain + IPC_PREFIX_BYTES + buffers.at + (size_t)i * IPC_BUFFER_BYTES;
		uint64_t offset = fb_load_u64(place), count = fb_load_u64(place + 8), length = 0;
		const uint8_t *from = bytes + message->meta_bytes + offset;
		bool is_good = offset % 8 == 0 && offset + count <= message->body_bytes && (count == 0 || count > 8);
		if (is_good && count) {
			bool is_raw = (int64_t)fb_load_u64(from) == -1;
			length = is_raw ? count - 8 : fb_load_u64(from);
			is_good = length <= capacity - at;
			if (is_good && is_raw)
				memcpy(plain + at, from + 8, length);
			else if (is_good)
				is_good = decompress(codec, from + 8, count - 8, plain + at, length);
		}
		if (!is_good) {
			free(plain);
			return NULL;
		}
		const uint64_t pair[2] = {at - message->meta_bytes, length};
		memcpy(place, pair, sizeof(pair));
		at += (length + 7) & ~(uint64_t)7;
	}
	const uint64_t body_bytes = at - message->meta_bytes;
	memcpy(plain + IPC_PREFIX_BYTES + fb_find_field(&head.reader, &head.message, MESSAGE_BODY_LENGTH, 8),
		&body_bytes, 8);
	*ret_count = at;
	return plain;
}

static bool take_batch(
	const uint8_t *bytes, const struct ipc_message *message, const struct enrg_schema *schema, struct cells *cells)
{
	struct enrg_column_view views[32];
	struct enrg_batch batch;

	if (!message->has_stamp || !message->meta_crc_ok ||
		crc32c(0, bytes + message->meta_bytes, message->body_bytes) != message->stamp.body_crc)
		return false;
	uint64_t count = message->meta_bytes + message->body_bytes;
	uint8_t *plain = message->is_compressed ? make_plain(bytes, message, &count) : NULL;
	if (message->is_compressed && !plain)
		return false;
	if (ipc_decode_batch(schema, plain ? plain : bytes, count, views, &batch, NULL) < 0) {
		free(plain);
		return false;
	}
	for (uint64_t row = 0; row < batch.rows; row++)
		for (uint32_t i = 0; i < schema->column_count; i++)
			add_cell(&schema->columns[i], &views[i], row, cells);
	cells->rows += batch.rows;
	free(plain);
	return true;
}

static bool read_messages(const uint8_t *bytes, size_t count, const struct enrg_schema *schema, struct cells *cells)
{
	struct enrg_schema *found = NULL;
	struct ipc_message message;
	size_t at = 0, wanted;
	bool is_good = true;

	while (is_good && at < count) {
		if (ipc_read_message(bytes + at, count - at, &message, &wanted, NULL) < 0 ||
			message.body_bytes > count - at - message.meta_bytes || message.is_end) {
			is_good = false;
			break;
		}
		if (at == 0)
			is_good = message.type == IPC_SCHEMA &&
				  ipc_decode_schema(bytes, message.meta_bytes, &found, NULL) == 0 &&
				  ipc_schema_equal(found, schema);
		else
			is_good = message.type == IPC_RECORD_BATCH && take_batch(bytes + at, &message, found, cells);
		at += message.meta_bytes + message.body_bytes;
	}
	free(found);
	return is_good && at > 0;
}

bool read_arrows(const char *path, const struct enrg_schema *schema, struct cells *ret_cells)
{
	char *bytes = NULL;
	size_t count;
	bool is_good = path_read_file(path, 1u << 30, &bytes, &count, NULL) == 0 &&
		       read_messages((const uint8_t *)bytes, count, schema, ret_cells);

	ret_cells->columns = schema->column_count;
	free(bytes);
	return is_good;
}
