/* copy.h: the copy into a ring, with the instruction that is fastest on this machine now (memcpy, rep movsb, or
 * non-temporal stores; they differ by up to 8 times and the order changes with the core complex: docs/architecture.md).
 * copy_calibrate measures once (about 20 ms) and is called at the start of a process that copies batches of 64 KiB and
 * more; before it, and for small copies, memcpy is used. Any thread after calibration. */
#ifndef BASE_COPY_H
#define BASE_COPY_H

#include <stddef.h>
#include <stdint.h>

enum copy_method { COPY_MEMCPY, COPY_REP_MOVSB, COPY_NON_TEMPORAL };

/* Picks the method by hand, for good; copy_calibrate does it by measuring. The choice is per process. */
void copy_set_method(enum copy_method method);
enum copy_method copy_method_now(void);
const char *copy_method_name(enum copy_method method);

/* Producers that share consumers with this process, itself included (1 until it is said): how much they have in flight
 * together decides whether going past the caches costs the reader something. */
void copy_set_producers(unsigned count);

/* Measures copies of `bytes` from private memory into `destination` (may be a ring that another process reads) and
 * keeps the fastest method. From then on slices of a few copies (64 KiB and more) try the other methods, about once a
 * second, since which one is fastest depends on who reads and on which cores. */
void copy_calibrate(void *destination, size_t bytes);

void copy_bytes(void *destination, const void *source, size_t count);

/* Copies and returns crc32c(crc, source, count) in one pass through the cache. */
uint32_t copy_bytes_crc(void *destination, const void *source, size_t count, uint32_t crc);

#endif
