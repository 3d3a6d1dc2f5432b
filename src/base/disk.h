/* disk.h: bytes at a place of a file, all of them or an error. Any thread. */
#ifndef BASE_DISK_H
#define BASE_DISK_H

#include <stdint.h>

#include "enrgdaq/error.h"

/* All bytes at that place; negative with errno set. */
int disk_write_all(int descriptor, const uint8_t *from, uint64_t byte_count, uint64_t offset);
/* The same at the end of the file, which should be `offset`: one that was cut meanwhile gets no hole, and its length
 * says how much is gone. */
int disk_append_all(int descriptor, const uint8_t *from, uint64_t byte_count, uint64_t offset);
/* Sets `err` from errno, "PATH: can't VERB: …", and returns the code. */
int disk_fail(struct enrg_error *err, const char *path, const char *verb);

#endif
