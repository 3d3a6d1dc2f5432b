/* direct.h: direct I/O for large batches (enrg_file_padding of enrgdaq/store.h). Called by file.c. Store process, main
 * thread. */
#ifndef JOB_FILE_DIRECT_H
#define JOB_FILE_DIRECT_H

#include "job/file/file.h"

/* Writes at the end, past the page cache where that pays. Negative with errno set. */
int file_direct_write(struct enrg_file *file, const void *bytes, uint64_t byte_count);

#endif
