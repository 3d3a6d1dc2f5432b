/* file_writer.h: writes Arrow's file format (ARROW1 … footer … ARROW1) from the messages of a stream, or those messages
 * alone as a stream. The schema message stands at the front in both, so that a file whose footer was lost can still be
 * read. One thread. */
#ifndef ARROW_FILE_WRITER_H
#define ARROW_FILE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "enrgdaq/error.h"

/* struct Block of File.fbs, as it lies in the footer. */
struct file_block {
	int64_t offset;
	int32_t meta_bytes, padding;
	int64_t body_bytes;
};

struct file_blocks {
	struct file_block *items; /* free() */
	uint32_t count, capacity;
};

struct file_writer {
	FILE *stream;
	uint64_t at;
	bool is_stream;  /* neither magic nor end mark nor footer: as the arrow store leaves its files */
	uint8_t *schema; /* the schema message: the footer has it again */
	uint32_t schema_bytes;
	struct file_blocks blocks;
};

int file_blocks_add(
	struct file_blocks *blocks, uint64_t offset, uint32_t meta_bytes, uint64_t body_bytes, struct enrg_error *err);

/* Creates the file, which may not be there yet, and begins it with this schema message. */
int file_writer_open(struct file_writer *writer, const char *path, bool is_stream, const void *schema,
	uint32_t schema_bytes, struct enrg_error *err);
/* Adds a record batch message: prefix and metadata, and its body; each a multiple of 8 bytes. */
int file_writer_add(struct file_writer *writer, const void *meta, uint32_t meta_bytes, const void *body,
	uint64_t body_bytes, struct enrg_error *err);
/* Writes end mark and footer, where it has them; the file is whole after that. */
int file_writer_finish(struct file_writer *writer, struct enrg_error *err);
/* Takes zeroed writers, and those that anything above failed on. */
void file_writer_close(struct file_writer *writer);

#endif
