/* hmac.h: SHA-256 and HMAC-SHA256 (FIPS 180-4, RFC 2104), by which a receiver knows who sent. */
#ifndef HTTP_HMAC_H
#define HTTP_HMAC_H

#include <stddef.h>
#include <stdint.h>

#define HMAC_BYTES     32u
#define HMAC_HEX_BYTES (2 * HMAC_BYTES + 1)

void hmac_digest(const void *bytes, size_t byte_count, uint8_t ret_digest[HMAC_BYTES]); /* SHA-256 */
void hmac_sign(const void *key, size_t key_bytes, const void *bytes, size_t byte_count, uint8_t ret_mac[HMAC_BYTES]);
void hmac_format(const uint8_t mac[HMAC_BYTES], char ret_text[HMAC_HEX_BYTES]);

#endif
