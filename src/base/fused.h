/* fused.h: copy and CRC-32C in the same registers: every cache line is loaded once, stored and folded into the sum.
 * Used by copy.c alone. Any thread. */
#ifndef BASE_FUSED_H
#define BASE_FUSED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Has this machine the instructions? */
bool fused_is_supported(void);

/* Copies, and returns crc32c(crc, source, count). `stream`: stores past the caches, fenced before it returns. */
uint32_t fused_copy_crc(void *destination, const void *source, size_t count, uint32_t crc, bool stream);

#endif
