/* ipc_compressed.c: the metadata of a record batch whose buffers a store has compressed one by one (BodyCompression
 * with method BUFFER of Message.fbs). In store processes, on batches that were checked; which compressor it is, is not
 * known here.
 */
#include <errno.h>
#include <stdlib.h>

#include "arrow/ipc_layout.h"
#include "base/crc32c.h"
#include "enrgdaq/store.h"

#define BODY_ALIGN 64u

enum { COMPRESSION_CODEC, COMPRESSION_METHOD, COMPRESSION_FIELDS };

struct source {
	struct ipc_head head;
	struct ipc_marks marks;
	struct fb_vector nodes, buffers;
	uint64_t rows;
};

static int read_source(const struct enrg_batch *batch, struct source *ret_source, struct enrg_error *err)
{
	struct source source = {0};
	size_t wanted;
	int rc = ipc_read_head(batch->ipc, batch->ipc_bytes - batch->body_bytes, &source.head, &wanted, err);

	if (rc == 0)
		rc = ipc_read_marks(&source.head, &source.marks, err);
	if (rc < 0)
		return rc;
	struct fb_reader *reader = &source.head.reader;
	source.rows = fb_read_number(reader, &source.head.header, BATCH_LENGTH, 8, 0);
	fb_read_vector(reader, &source.head.header, BATCH_NODES, IPC_NODE_BYTES, &source.nodes);
	fb_read_vector(reader, &source.head.header, BATCH_BUFFERS, IPC_BUFFER_BYTES, &source.buffers);
	if (reader->is_bad || source.head.header_type != IPC_RECORD_BATCH)
		return enrg_error_set(err, ENRG_E_CORRUPT, "the record batch's metadata is damaged");
	*ret_source = source;
	return 0;
}

int enrg_ipc_buffers(const struct enrg_batch *batch, struct enrg_ipc_buffer *ret_buffers, uint32_t capacity,
	uint32_t *ret_count, struct enrg_error *err)
{
	struct source source;
	int rc = read_source(batch, &source, err);

	if (rc < 0)
		return rc;
	*ret_count = source.buffers.count;
	if (source.buffers.count > capacity)
		return -ENOBUFS;
	const uint8_t *body = (const uint8_t *)batch->ipc + source.head.meta_bytes;
	for (uint32_t i = 0; i < source.buffers.count; i++) {
		const uint8_t *at = source.head.reader.bytes + source.buffers.at + (size_t)i * IPC_BUFFER_BYTES;
		uint64_t offset = fb_load_u64(at), bytes = fb_load_u64(at + 8);
		if (offset > batch->body_bytes || bytes > batch->body_bytes - offset)
			return enrg_error_set(err, ENRG_E_CORRUPT, "buffer %u lies outside the body", i);
		ret_buffers[i] = (struct enrg_ipc_buffer){body + offset, bytes};
	}
	return 0;
}

/* Places in the finished message of what is patched into it. */
struct places {
	uint32_t nodes, buffers, body_crc, meta_crc;
};

static void build(struct fb_builder *builder, const struct source *source, const struct enrg_ipc_compressed *params,
	struct places *ret_places)
{
	static const uint8_t message_sizes[MESSAGE_FIELDS] = {2, 1, 4, 8, 4};
	static const uint8_t batch_sizes[BATCH_FIELDS] = {8, 4, 4, 4};
	static const uint8_t compression_sizes[COMPRESSION_FIELDS] = {1, 1};
	const struct ipc_stamp *stamp = &source->marks.stamp;
	uint32_t message[MESSAGE_FIELDS], batch[BATCH_FIELDS], compression[COMPRESSION_FIELDS];
	char sequence[17] = {0}, epoch[9] = {0}, acquired[17] = {0}, last[17] = {0};
	const struct ipc_key_value keys[] = {
		{IPC_KEY_PREFIX "source", source->marks.source ? source->marks.source : ""},
		{IPC_KEY_PREFIX "run", source->marks.run ? source->marks.run : ""},
		{IPC_KEY_PREFIX "tag", source->marks.tag ? source->marks.tag : ""},
		{IPC_KEY_PREFIX "sequence", sequence},
		{IPC_KEY_PREFIX "epoch", epoch},
		{IPC_KEY_PREFIX "acquired_ns", acquired},
		{IPC_KEY_PREFIX "kind", stamp->is_gap ? "gap " : "data"},
		{IPC_KEY_PREFIX "body_crc32c", "00000000"},
		{IPC_KEY_PREFIX "meta_crc32c", "00000000"},
		{IPC_KEY_PREFIX "sequence_last", last},
	};
	bool is_merged = stamp->sequence_last != stamp->sequence;
	enum { KEYS = sizeof(keys) / sizeof(keys[0]) };
	uint32_t values[KEYS];

	ipc_format_hex(sequence, stamp->sequence, 16);
	ipc_format_hex(last, stamp->sequence_last, 16);
	ipc_format_hex(epoch, stamp->epoch, 8);
	ipc_format_hex(acquired, stamp->acquired_ns, 16);
	fb_add_table(builder, MESSAGE_FIELDS, message_sizes, message);
	fb_put(builder, message[MESSAGE_VERSION], &(uint16_t){IPC_VERSION_V5}, 2);
	fb_put(builder, message[MESSAGE_HEADER_TYPE], &(uint8_t){IPC_RECORD_BATCH}, 1);
	fb_put(builder, message[MESSAGE_BODY_LENGTH], &params->body_bytes, 8);
	fb_link(builder, message[MESSAGE_HEADER], fb_add_table(builder, BATCH_FIELDS, batch_sizes, batch));
	fb_put(builder, batch[BATCH_LENGTH], &source->rows, 8);
	fb_link(builder, batch[BATCH_COMPRESSION],
		fb_add_table(builder, COMPRESSION_FIELDS, compression_sizes, compression));
	fb_put(builder, compression[COMPRESSION_CODEC], &(uint8_t){(uint8_t)params->codec}, 1);
	ret_places->nodes = fb_add_vector(builder, batch[BATCH_NODES], source->nodes.count, IPC_NODE_BYTES, 8);
	ret_places->buffers = fb_add_vector(builder, batch[BATCH_BUFFERS], params->buffer_count, IPC_BUFFER_BYTES, 8);
	ipc_add_keys(builder, message[MESSAGE_KEYS], is_merged ? KEYS : KEYS - 1, keys, values);
	ret_places->body_crc = IPC_PREFIX_BYTES + values[7];
	ret_places->meta_crc = IPC_PREFIX_BYTES + values[8];
}

int enrg_ipc_format_compressed(const struct enrg_batch *batch, const struct enrg_ipc_compressed *params,
	void **ret_meta, uint32_t *ret_meta_bytes, struct enrg_error *err)
{
	struct fb_builder builder;
	struct source source;
	struct places places;
	uint8_t *bytes;
	int rc = read_source(batch, &source, err);

	if (rc < 0)
		return rc;
	if (params->buffer_count != source.buffers.count || params->body_bytes % 8 != 0)
		return enrg_error_set(err, -EINVAL, "these are not the buffers of the batch");
	fb_init(&builder);
	build(&builder, &source, params, &places);
	if (!builder.is_failed)
		fb_put(&builder, places.nodes, source.head.reader.bytes + source.nodes.at,
			source.nodes.count * IPC_NODE_BYTES);
	for (uint32_t i = 0; i < params->buffer_count && !builder.is_failed; i++) {
		const struct enrg_ipc_buffer *buffer = &params->buffers[i];
		const uint64_t place[2] = {
			(uint64_t)((const uint8_t *)buffer->bytes - (const uint8_t *)params->body), buffer->byte_count};
		fb_put(&builder, places.buffers + i * IPC_BUFFER_BYTES, place, sizeof(place));
	}
	rc = ipc_finish_message(&builder, BODY_ALIGN, &bytes, ret_meta_bytes);
	fb_fini(&builder);
	if (rc < 0)
		return enrg_error_set(err, rc, "no memory for the metadata of a batch");
	ipc_format_hex(bytes + places.body_crc, crc32c(0, params->body, params->body_bytes), 8);
	ipc_format_hex(bytes + places.meta_crc, crc32c(0, bytes, *ret_meta_bytes), 8);
	*ret_meta = bytes;
	return 0;
}
