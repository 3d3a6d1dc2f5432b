/* file_reader.h: the batches of an Arrow stream or file, from front to back, each proved by its check sums, where it
 * has some, before it is handed on. Memory: the largest message, decompressed. The file may hold anything at all. One
 * thread. */
#ifndef ARROW_FILE_READER_H
#define ARROW_FILE_READER_H

#include "arrow/file_window.h"
#include "arrow/ipc.h"

#define FILE_READER_MAGIC       "ARROW1\0" /* in front of Arrow's file format, padded to 8 bytes */
#define FILE_READER_MAGIC_BYTES 8u

struct file_reader {
	const char *path; /* the caller's, for messages */
	struct file_window window;
	uint64_t offset; /* behind the message at hand */
	struct enrg_schema *schema;
	void *schema_ipc; /* its message as it stands in the file */
	uint32_t schema_ipc_bytes;
	struct enrg_column_view *views;
	bool is_file;      /* with ARROW1 in front: ends at its end mark */
	bool is_stamped;   /* messages have ENRGDAQ's check sums: one without is damaged */
	bool wants_schema; /* behind an end mark */
	/* the batch at hand */
	struct ipc_message message;
	struct enrg_batch batch;
	void *unpacked; /* the message that it points into, where that one was compressed */
};

/* Opens the file; nothing in it is looked at. -errno, -EINVAL (no regular file). `path` outlives the reader. */
int file_reader_open(struct file_reader *reader, const char *path, struct enrg_error *err);
/* Reads the schema. -ENODATA: there is no byte in it; ENRG_E_CORRUPT: no schema stands at its start; ENRG_E_VERSION. */
int file_reader_start(struct file_reader *reader, struct enrg_error *err);
/* 1: `message` and `batch` are the next batch (rows 0 for a gap) until the next call; 0: the end. ENRG_E_CORRUPT with
 * the offset and what to do about it: what stands there is passed over, and the next call goes on at the next message
 * that can be trusted. With `stays_packed` a compressed batch is handed on as it is, with batch.columns NULL. */
int file_reader_next(struct file_reader *reader, bool stays_packed, struct enrg_error *err);
/* Takes a reader that file_reader_open failed on. */
void file_reader_close(struct file_reader *reader);

#endif
