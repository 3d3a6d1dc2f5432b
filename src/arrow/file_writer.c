/* file_writer.c: see the header. In `enrgdaq convert`. */
#include "arrow/file_writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arrow/ipc_layout.h"

#define MAGIC "ARROW1\0" /* with the NUL that the literal adds: padded to 8 bytes */

_Static_assert(sizeof(struct file_block) == 24, "as in File.fbs");
_Static_assert(sizeof(MAGIC) == 8, "magic and padding");

static int put(struct file_writer *writer, const void *bytes, uint64_t count, struct enrg_error *err)
{
	if (count && fwrite(bytes, 1, count, writer->stream) != count)
		return enrg_error_set(err, -errno, "can't write the Arrow file: %s", strerror(errno));
	writer->at += count;
	return 0;
}

int file_writer_open(struct file_writer *writer, const char *path, bool is_stream, const void *schema,
	uint32_t schema_bytes, struct enrg_error *err)
{
	*writer = (struct file_writer){
		.is_stream = is_stream, .schema = malloc(schema_bytes), .schema_bytes = schema_bytes};
	if (!writer->schema)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	memcpy(writer->schema, schema, schema_bytes);
	writer->stream = fopen(path, "wxe");
	if (!writer->stream)
		return enrg_error_set(err, -errno, "%s: %s", path, strerror(errno));
	int rc = is_stream ? 0 : put(writer, MAGIC, sizeof(MAGIC), err);
	return rc < 0 ? rc : put(writer, schema, schema_bytes, err);
}

int file_blocks_add(
	struct file_blocks *blocks, uint64_t offset, uint32_t meta_bytes, uint64_t body_bytes, struct enrg_error *err)
{
	if (blocks->count == blocks->capacity) {
		uint32_t capacity = blocks->capacity ? 2 * blocks->capacity : 256;
		struct file_block *grown = realloc(blocks->items, capacity * sizeof(*grown));
		if (!grown)
			return enrg_error_set(err, -ENOMEM, "no memory for the places of %u batches", capacity);
		blocks->items = grown;
		blocks->capacity = capacity;
	}
	blocks->items[blocks->count++] = (struct file_block){
		.offset = (int64_t)offset, .meta_bytes = (int32_t)meta_bytes, .body_bytes = (int64_t)body_bytes};
	return 0;
}

int file_writer_add(struct file_writer *writer, const void *meta, uint32_t meta_bytes, const void *body,
	uint64_t body_bytes, struct enrg_error *err)
{
	int rc = writer->is_stream ? 0 : file_blocks_add(&writer->blocks, writer->at, meta_bytes, body_bytes, err);

	if (rc == 0)
		rc = put(writer, meta, meta_bytes, err);
	return rc < 0 ? rc : put(writer, body, body_bytes, err);
}

/* The schema's flatbuffer goes into the footer's as it is, with everything that another writer may have noted in it:
 * its references are distances, which do not change. */
static int add_schema(
	struct fb_builder *builder, const struct file_writer *writer, uint32_t reference, struct enrg_error *err)
{
	struct ipc_head head;
	size_t wanted;

	int rc = ipc_read_head(writer->schema, writer->schema_bytes, &head, &wanted, err);
	if (rc < 0)
		return rc;
	uint32_t count = writer->schema_bytes - IPC_PREFIX_BYTES;
	uint32_t first = fb_add_vector(builder, reference, count, 1, 8);
	fb_put(builder, first, writer->schema + IPC_PREFIX_BYTES, count);
	fb_link(builder, reference, first + head.header.at);
	return 0;
}

static int put_footer(struct file_writer *writer, struct enrg_error *err)
{
	static const uint8_t sizes[FOOTER_FIELDS] = {2, 4, 4, 4};
	static const uint32_t end_mark[2] = {IPC_CONTINUATION, 0};
	uint32_t fields[FOOTER_FIELDS], block_bytes = sizeof(struct file_block);
	struct fb_builder builder;

	int rc = put(writer, end_mark, sizeof(end_mark), err);
	if (rc < 0)
		return rc;
	fb_init(&builder);
	fb_add_table(&builder, FOOTER_FIELDS, sizes, fields);
	fb_put(&builder, fields[FOOTER_VERSION], &(uint16_t){IPC_VERSION_V5}, 2);
	fb_add_vector(&builder, fields[FOOTER_DICTIONARIES], 0, block_bytes, 8);
	uint32_t first = fb_add_vector(&builder, fields[FOOTER_BATCHES], writer->blocks.count, block_bytes, 8);
	if (writer->blocks.count)
		fb_put(&builder, first, writer->blocks.items, writer->blocks.count * block_bytes);
	rc = add_schema(&builder, writer, fields[FOOTER_SCHEMA], err);
	fb_finish(&builder);
	if (rc == 0 && builder.is_failed)
		rc = enrg_error_set(err, -ENOMEM, "no memory for the footer of %u batches", writer->blocks.count);
	if (rc == 0)
		rc = put(writer, builder.bytes, builder.count, err);
	if (rc == 0)
		rc = put(writer, &builder.count, sizeof(builder.count), err);
	if (rc == 0)
		rc = put(writer, MAGIC, 6, err);
	fb_fini(&builder);
	return rc;
}

int file_writer_finish(struct file_writer *writer, struct enrg_error *err)
{
	int rc = writer->is_stream ? 0 : put_footer(writer, err);

	if (rc == 0 && fflush(writer->stream) != 0)
		rc = enrg_error_set(err, -errno, "can't write the Arrow file: %s", strerror(errno));
	return rc;
}

void file_writer_close(struct file_writer *writer)
{
	if (writer->stream)
		fclose(writer->stream);
	free(writer->schema);
	free(writer->blocks.items);
	*writer = (struct file_writer){0};
}
