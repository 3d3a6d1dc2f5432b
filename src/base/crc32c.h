/* crc32c.h: CRC-32C (Castagnoli, reflected polynomial 0x82F63B78, as in RFC 3720 and SSE4.2), with initial value and
 * final inversion as usual: crc32c(0, "123456789", 9) = 0xE3069283. Continue by passing the last result. Any thread. */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(uint32_t crc, const void *bytes, size_t count);

/* Of exactly 64 bytes or fewer: inlined hardware steps, for record headers. */
uint32_t crc32c_small(uint32_t crc, const void *bytes, size_t count);

#endif
