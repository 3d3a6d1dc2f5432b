/* reader.c: file_reader.h as jobs and programs outside of this tree see it (enrgdaq/reader.h). Any thread. */
#include "enrgdaq/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arrow/file_reader.h"
#include "arrow/verify.h"

struct enrg_reader {
	struct file_reader file;
	char *path;
	bool has_batch;
};

/* The schema could not be read: is the file damaged, or none of Arrow's? As `enrgdaq verify` judges it. */
static int judge_start(const char *path, struct enrg_error *err)
{
	struct verify_report report;
	struct enrg_error reason = {0};

	if (verify_file(path, NULL, NULL, &report, &reason) != ENRG_E_CORRUPT)
		return ENRG_E_CORRUPT;
	return enrg_error_set(err, -EINVAL, "%s: this is no Arrow file", path);
}

int enrg_reader_open(const char *path, struct enrg_reader **ret_reader, struct enrg_error *err)
{
	struct enrg_reader *reader = calloc(1, sizeof(*reader));

	if (!reader || !(reader->path = strdup(path))) {
		free(reader);
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	int rc = file_reader_open(&reader->file, reader->path, err);
	if (rc == 0)
		rc = file_reader_start(&reader->file, err);
	if (rc == ENRG_E_CORRUPT)
		rc = judge_start(path, err);
	if (rc == 0)
		*ret_reader = reader;
	else
		enrg_reader_close(reader);
	return rc;
}

const struct enrg_schema *enrg_reader_schema(const struct enrg_reader *reader)
{
	return reader->file.schema;
}

int enrg_reader_next(struct enrg_reader *reader, const struct enrg_batch **ret_batch, struct enrg_error *err)
{
	int rc = file_reader_next(&reader->file, false, err);

	reader->has_batch = rc == 1;
	if (rc == 1)
		*ret_batch = &reader->file.batch;
	return rc;
}

uint64_t enrg_reader_merged(const struct enrg_reader *reader)
{
	const struct ipc_message *message = &reader->file.message;

	if (!reader->has_batch || !message->has_stamp)
		return 0;
	return message->stamp.sequence_last - message->stamp.sequence + 1;
}

uint64_t enrg_reader_offset(const struct enrg_reader *reader)
{
	return reader->file.offset;
}

uint64_t enrg_reader_bytes(const struct enrg_reader *reader)
{
	return reader->file.window.file_bytes;
}

void enrg_reader_close(struct enrg_reader *reader)
{
	if (!reader)
		return;
	file_reader_close(&reader->file);
	free(reader->path);
	free(reader);
}
