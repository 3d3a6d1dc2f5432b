/* numpy_dump.h: a .npy.lz4 dump of earlier versions as batches of rows: records of 4 bytes of length (little-endian)
 * and one LZ4 frame, in which numpy.save wrote a dictionary of arrays (numpy/npy.h). A record is a batch; all have the
 * columns of the first. Memory: the largest record, unpacked and as columns. One thread. */
#ifndef CLI_NUMPY_DUMP_H
#define CLI_NUMPY_DUMP_H

#include "arrow/file_window.h"
#include "arrow/decompress.h"
#include "numpy/npy.h"

/* What a record may have when it is unpacked: those of the digitizer have about a megabyte. */
#define NUMPY_DUMP_RECORD_MAX (512u << 20)

struct numpy_dump {
	struct decompress_memory raw;
	struct npy_table table;     /* the record at hand */
	struct enrg_schema *schema; /* of the first record; NULL before it was read */
	uint64_t sequence;
	bool is_first_waiting; /* the first record is at hand, and was not handed on yet */
};

/* Does the file look like such a dump? Its first bytes, or its name. */
bool numpy_dump_fits(const char *path, const uint8_t *bytes, size_t count);
/* Reads the first record, and with it the schema. */
int numpy_dump_open(struct numpy_dump *dump, struct file_window *window, uint64_t *offset, struct enrg_error *reason);
/* The record at *offset, which moves behind it: 1 and *ret_batch; 0: the end; negative: `reason` says what is wrong
 * with the record at *offset. */
int numpy_dump_next(struct numpy_dump *dump, struct file_window *window, uint64_t *offset, struct enrg_batch *ret_batch,
	struct enrg_error *reason);
void numpy_dump_close(struct numpy_dump *dump); /* takes zeroed ones */

#endif
