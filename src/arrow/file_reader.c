/* file_reader.c: see the header. In commands that read files, and in jobs through enrgdaq/reader.h. */
#include "arrow/file_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arrow/decompress.h"
#include "arrow/file_message.h"
#include "base/crc32c.h"

__attribute__((format(printf, 3, 4))) static int tell_damage(
	struct file_reader *reader, struct enrg_error *err, const char *format, ...)
{
	char reason[600];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	return enrg_error_set(err, ENRG_E_CORRUPT,
		"%s: at byte %" PRIu64 ": %s; `enrgdaq verify %s` says what can be read", reader->path, reader->offset,
		reason, reader->path);
}

int file_reader_open(struct file_reader *reader, const char *path, struct enrg_error *err)
{
	*reader = (struct file_reader){.path = path, .window = {.descriptor = -1}};
	return file_window_open(&reader->window, path, err);
}

/* The message at the offset; 1, or 0 at the end of the file. */
static int read_head(struct file_reader *reader, struct enrg_error *err)
{
	uint64_t left = reader->window.file_bytes - reader->offset;
	struct ipc_message *message = &reader->message;
	struct enrg_error reason = {0};
	bool is_cut = false;

	if (left == 0)
		return 0;
	int rc = file_message_read(
		&reader->window, reader->offset, reader->window.file_bytes, message, &is_cut, &reason);
	if (rc == ENRG_E_CORRUPT)
		return tell_damage(reader, err, "%s", reason.text);
	if (rc < 0)
		return enrg_error_set(err, rc, "%s: %s", reader->path, reason.text);
	if (is_cut)
		return tell_damage(reader, err, "the file ends inside a message");
	if (message->is_end)
		return 1;
	if ((message->has_keys || reader->is_stamped) && !message->meta_crc_ok)
		return tell_damage(reader, err, "the check sum of a message is wrong");
	if (message->body_bytes > left - message->meta_bytes)
		return tell_damage(reader, err, "the file ends inside a message");
	return 1;
}

static int keep_schema(
	struct file_reader *reader, struct enrg_schema *schema, const void *bytes, struct enrg_error *err)
{
	reader->schema = schema;
	reader->views = calloc(schema->column_count, sizeof(*reader->views));
	reader->schema_ipc = malloc(reader->message.meta_bytes);
	if (!reader->views || !reader->schema_ipc)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	memcpy(reader->schema_ipc, bytes, reader->message.meta_bytes);
	reader->schema_ipc_bytes = reader->message.meta_bytes;
	return 0;
}

static int take_schema(struct file_reader *reader, struct enrg_error *err)
{
	struct enrg_schema *schema = NULL;
	struct enrg_error reason = {0};
	const uint8_t *bytes;
	size_t count;

	int rc = file_window_get(&reader->window, reader->offset, reader->message.meta_bytes, &bytes, &count, err);
	if (rc < 0)
		return enrg_error_add(err, rc, "%s", reader->path);
	rc = ipc_decode_schema(bytes, count, &schema, &reason);
	if (rc == ENRG_E_CORRUPT)
		return tell_damage(reader, err, "%s", reason.text);
	if (rc < 0)
		return enrg_error_set(err, rc, "%s: %s", reader->path, reason.text);
	if (!reader->schema) {
		rc = keep_schema(reader, schema, bytes, err);
	} else {
		if (!ipc_schema_equal(schema, reader->schema))
			rc = tell_damage(reader, err, "another schema begins");
		free(schema);
	}
	if (rc < 0)
		return rc;
	reader->is_stamped = reader->message.has_keys;
	reader->wants_schema = false;
	reader->offset += reader->message.meta_bytes + reader->message.body_bytes;
	return 0;
}

int file_reader_start(struct file_reader *reader, struct enrg_error *err)
{
	const uint8_t *bytes;
	size_t count;

	if (!reader->window.file_bytes)
		return enrg_error_set(err, -ENODATA, "%s: the file is empty: it holds no rows", reader->path);
	int rc = file_window_get(&reader->window, 0, FILE_READER_MAGIC_BYTES, &bytes, &count, err);
	if (rc < 0)
		return enrg_error_add(err, rc, "%s", reader->path);
	reader->is_file =
		count >= FILE_READER_MAGIC_BYTES && !memcmp(bytes, FILE_READER_MAGIC, FILE_READER_MAGIC_BYTES);
	reader->offset = reader->is_file ? FILE_READER_MAGIC_BYTES : 0;
	rc = read_head(reader, err);
	if (rc == 0)
		return tell_damage(reader, err, "the file ends in front of its schema");
	if (rc > 0 && (reader->message.type != IPC_SCHEMA || reader->message.is_end))
		return tell_damage(reader, err, "no schema stands at the start of the file");
	return rc > 0 ? take_schema(reader, err) : rc;
}

static int decode_batch(struct file_reader *reader, const void *bytes, size_t count, struct enrg_error *reason)
{
	int rc = 0;

	free(reader->unpacked);
	reader->unpacked = NULL;
	if (reader->message.is_compressed) {
		rc = ipc_unpack(bytes, count, decompress, &reader->unpacked, &count, reason);
		bytes = reader->unpacked;
	}
	if (rc == 0)
		rc = ipc_decode_batch(reader->schema, bytes, count, reader->views, &reader->batch, reason);
	reader->batch.columns = reader->views;
	reader->batch.schema = reader->schema;
	return rc;
}

/* The message at the offset is a batch, and all of it is there. 1; ENRG_E_CORRUPT. */
static int take_batch(struct file_reader *reader, bool stays_packed, struct enrg_error *err)
{
	const struct ipc_message *message = &reader->message;
	size_t count, total = (size_t)(message->meta_bytes + message->body_bytes);
	struct enrg_error reason = {0};
	const uint8_t *bytes;

	int rc = file_window_get(&reader->window, reader->offset, total, &bytes, &count, err);
	if (rc < 0)
		return enrg_error_add(err, rc, "%s", reader->path);
	if (message->has_stamp) {
		uint32_t crc = crc32c(0, bytes + message->meta_bytes, (size_t)message->body_bytes);
		if (crc != message->stamp.body_crc)
			return tell_damage(
				reader, err, "the check sum of batch %" PRIu64 " is wrong", message->stamp.sequence);
	}
	reader->batch = (struct enrg_batch){.schema = reader->schema};
	if (message->is_compressed && stays_packed) {
		reader->batch.rows = message->rows;
		reader->batch.sequence = message->stamp.sequence;
		reader->batch.ipc = bytes;
		reader->batch.ipc_bytes = total;
		reader->batch.body_bytes = message->body_bytes;
	} else {
		rc = decode_batch(reader, bytes, total, &reason);
		if (rc < 0)
			return tell_damage(reader, err, "%s", reason.text);
	}
	reader->batch.source = message->source;
	reader->batch.run = message->run;
	reader->batch.tag = message->tag;
	reader->batch.committed_ns = 1;
	return 1;
}

/* Behind a head that is damaged: to the next message that is proved by its check sum, or to the end. */
static int pass_head(struct file_reader *reader, int rc, struct enrg_error *err)
{
	uint64_t end = reader->window.file_bytes, next = end;

	if (rc != ENRG_E_CORRUPT)
		return rc;
	int found = file_message_find(&reader->window, reader->offset + 8, end, &next, err);
	reader->offset = next;
	return found < 0 ? enrg_error_add(err, found, "%s", reader->path) : rc;
}

int file_reader_next(struct file_reader *reader, bool stays_packed, struct enrg_error *err)
{
	for (;;) {
		const struct ipc_message *message = &reader->message;
		int rc = read_head(reader, err);
		if (rc <= 0)
			return pass_head(reader, rc, err);
		uint64_t behind = reader->offset + message->meta_bytes + (message->is_end ? 0 : message->body_bytes);
		if (message->is_end && reader->is_file)
			return 0;
		if (message->is_end) {
			reader->wants_schema = true;
			reader->offset = behind;
			continue;
		}
		if (message->type == IPC_RECORD_BATCH && !reader->wants_schema)
			rc = take_batch(reader, stays_packed, err);
		else if (message->type == IPC_SCHEMA && reader->wants_schema)
			rc = take_schema(reader, err);
		else
			rc = tell_damage(reader, err, "neither a batch nor the end stands here");
		if (rc == 1 || rc == ENRG_E_CORRUPT)
			reader->offset = behind;
		if (rc != 0)
			return rc;
	}
}

void file_reader_close(struct file_reader *reader)
{
	file_window_close(&reader->window);
	free(reader->schema);
	free(reader->schema_ipc);
	free(reader->views);
	free(reader->unpacked);
	*reader = (struct file_reader){.window = {.descriptor = -1}};
}
