/* digest.h: bytes of secrets: drawn, compared, signed, as text. Any thread. */
#ifndef WEB_ACCESS_DIGEST_H
#define WEB_ACCESS_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/sha256.h"

/* Looks at every byte, whatever they are: how long it takes says nothing of where two differ. All comparisons of what
 * is secret, or was made of it, are this one. */
bool digest_is_equal(const void *one, const void *other, size_t count);
/* From the kernel; 0, or -errno. */
int digest_draw(void *ret_bytes, size_t count);
void digest_of(const void *bytes, size_t count, uint8_t ret_digest[SHA256_BYTES]);
/* HMAC-SHA256 (RFC 2104). */
void digest_sign(const void *key, size_t key_bytes, const void *bytes, size_t count, uint8_t ret_mac[SHA256_BYTES]);

#define DIGEST_TEXT_BYTES(count) (((count)*4 + 2) / 3 + 1)
/* base64url without padding (RFC 4648); DIGEST_TEXT_BYTES(count) bytes. */
void digest_format_text(const void *bytes, size_t count, char *ret_text);
/* Its bytes; -EINVAL: another character, a length or bits at the end that no encoder writes; -EMSGSIZE: more than
 * `bytes_max`. */
ssize_t digest_parse_text(const char *text, size_t length, void *ret_bytes, size_t bytes_max);

#endif
