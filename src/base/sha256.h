/* sha256.h: SHA-256 (FIPS 180-4), by which configurations and files of a run are known again. Any thread. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES     32u
#define SHA256_HEX_BYTES 65u /* lower-case digits, with the final NUL */

struct sha256 {
	uint32_t words[8];
	uint64_t byte_count;
	uint8_t block[64];
};

void sha256_init(struct sha256 *sha256);
void sha256_add(struct sha256 *sha256, const void *bytes, size_t byte_count);
/* Of all that was added; nothing may follow. */
void sha256_finish(struct sha256 *sha256, uint8_t ret_digest[SHA256_BYTES]);

/* Of bytes in memory, as digits. */
void sha256_format(const void *bytes, size_t byte_count, char ret_hex[SHA256_HEX_BYTES]);

#endif
