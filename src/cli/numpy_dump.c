/* numpy_dump.c: see the header. */
#include "cli/numpy_dump.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arrow/ipc.h"
#include "arrow/decompress.h"

#define ENDING       ".npy.lz4"
#define LENGTH_BYTES 4u

static const uint8_t frame_magic[4] = {0x04, 0x22, 0x4d, 0x18};

bool numpy_dump_fits(const char *path, const uint8_t *bytes, size_t count)
{
	size_t length = strlen(path), ending = strlen(ENDING);

	if (count >= LENGTH_BYTES + sizeof(frame_magic) &&
		!memcmp(bytes + LENGTH_BYTES, frame_magic, sizeof(frame_magic)))
		return true;
	return length >= ending && !strcmp(path + length - ending, ENDING);
}

/* The LZ4 frame of the record at `offset`: 1, 0 at the end of the file, or negative. */
static int read_frame(struct file_window *window, uint64_t offset, const uint8_t **ret_frame, size_t *ret_bytes,
	struct enrg_error *reason)
{
	uint64_t left = window->file_bytes - offset;
	const uint8_t *bytes;
	uint32_t frame_bytes;
	size_t count;

	if (left == 0)
		return 0;
	if (left < LENGTH_BYTES)
		return enrg_error_set(reason, ENRG_E_CORRUPT, "the file ends inside a record");
	int rc = file_window_get(window, offset, LENGTH_BYTES, &bytes, &count, reason);
	if (rc < 0)
		return rc;
	if (!memcmp(bytes, frame_magic, sizeof(frame_magic)))
		return enrg_error_set(reason, ENRG_E_CORRUPT,
			"an LZ4 frame without its length in front stands here; dumps have the length");
	memcpy(&frame_bytes, bytes, sizeof(frame_bytes));
	if (frame_bytes > left - LENGTH_BYTES)
		return enrg_error_set(reason, ENRG_E_CORRUPT, "the file ends inside a record");
	rc = file_window_get(window, offset, LENGTH_BYTES + (size_t)frame_bytes, &bytes, &count, reason);
	if (rc < 0)
		return rc;
	*ret_frame = bytes + LENGTH_BYTES;
	*ret_bytes = frame_bytes;
	return 1;
}

/* Makes dump->table the record at *offset and moves behind it. */
static int read_record(struct numpy_dump *dump, struct file_window *window, uint64_t *offset, struct enrg_error *reason)
{
	const uint8_t *frame = NULL;
	size_t frame_bytes = 0, raw_bytes;

	npy_fini(&dump->table);
	int rc = read_frame(window, *offset, &frame, &frame_bytes, reason);
	if (rc <= 0)
		return rc;
	dump->raw.capacity_max = NUMPY_DUMP_RECORD_MAX;
	rc = decompress_frame(frame, frame_bytes, &dump->raw, &raw_bytes, reason);
	if (rc == 0)
		rc = npy_init(&dump->table, dump->raw.bytes, raw_bytes, reason);
	if (rc < 0)
		return rc;
	if (dump->schema && !ipc_schema_equal(&dump->table.schema, dump->schema))
		return enrg_error_set(
			reason, ENRG_E_CORRUPT, "the record has other arrays than the first, or others types of them");
	*offset += LENGTH_BYTES + frame_bytes;
	return 1;
}

int numpy_dump_open(struct numpy_dump *dump, struct file_window *window, uint64_t *offset, struct enrg_error *reason)
{
	int rc = read_record(dump, window, offset, reason);

	if (rc < 0)
		return rc;
	if (rc == 0)
		return enrg_error_set(reason, ENRG_E_CORRUPT, "the file is empty");
	dump->schema = ipc_copy_schema(&dump->table.schema);
	dump->is_first_waiting = true;
	return dump->schema ? 0 : enrg_error_set(reason, -ENOMEM, "out of memory");
}

int numpy_dump_next(struct numpy_dump *dump, struct file_window *window, uint64_t *offset, struct enrg_batch *ret_batch,
	struct enrg_error *reason)
{
	int rc = dump->is_first_waiting ? 1 : read_record(dump, window, offset, reason);

	dump->is_first_waiting = false;
	if (rc <= 0)
		return rc;
	*ret_batch = (struct enrg_batch){.schema = dump->schema,
		.rows = dump->table.rows,
		.columns = dump->table.views,
		.source = "",
		.run = "",
		.tag = "",
		.sequence = ++dump->sequence,
		.epoch = 1,
		.committed_ns = 1,
		.body_bytes = dump->table.value_bytes};
	return 1;
}

void numpy_dump_close(struct numpy_dump *dump)
{
	npy_fini(&dump->table);
	free(dump->raw.bytes);
	free(dump->schema);
	*dump = (struct numpy_dump){0};
}
