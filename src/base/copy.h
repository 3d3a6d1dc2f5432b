/* copy.h: the copy into a ring by memcpy, rep movsb, or non-temporal stores: they differ by up to 8 times, and which is
 * best changes with the core complex. The way is one for the process; who copies chooses it before each batch
 * (copy_tuner.h). Pieces below 64 KiB are always copied by memcpy. Any thread. */
#ifndef BASE_COPY_H
#define BASE_COPY_H

#include <stddef.h>
#include <stdint.h>

enum copy_method { COPY_MEMCPY, COPY_REP_MOVSB, COPY_NON_TEMPORAL };

/* Sets the process's way; memcpy until then. */
void copy_set_method(enum copy_method method);
enum copy_method copy_method_now(void);
const char *copy_method_name(enum copy_method method);

void copy_bytes(void *destination, const void *source, size_t count);

/* Copies and returns crc32c(crc, source, count) in one pass through the cache. */
uint32_t copy_bytes_crc(void *destination, const void *source, size_t count, uint32_t crc);

#endif
