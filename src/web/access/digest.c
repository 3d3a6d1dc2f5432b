/* digest.c: see the header. */
#include "web/access/digest.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

bool digest_is_equal(const void *one, const void *other, size_t count)
{
	const volatile uint8_t *a = one, *b = other;
	uint8_t difference = 0;

	for (size_t i = 0; i < count; i++)
		difference = (uint8_t)(difference | (a[i] ^ b[i]));
	return difference == 0;
}

int digest_draw(void *ret_bytes, size_t count)
{
	uint8_t *bytes = ret_bytes;

	while (count) {
		ssize_t got = getrandom(bytes, count, 0);
		if (got < 0 && errno != EINTR)
			return -errno;
		bytes += got > 0 ? got : 0;
		count -= got > 0 ? (size_t)got : 0;
	}
	return 0;
}

void digest_of(const void *bytes, size_t count, uint8_t ret_digest[SHA256_BYTES])
{
	struct sha256 sha256;

	sha256_init(&sha256);
	sha256_add(&sha256, bytes, count);
	sha256_finish(&sha256, ret_digest);
}

/* --- HMAC --- */

static void add_padded(struct sha256 *sha256, const uint8_t key[64], uint8_t pad)
{
	uint8_t block[64];

	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = key[i] ^ pad;
	sha256_init(sha256);
	sha256_add(sha256, block, sizeof(block));
}

void digest_sign(const void *key, size_t key_bytes, const void *bytes, size_t count, uint8_t ret_mac[SHA256_BYTES])
{
	uint8_t block[64] = {0}, inner[SHA256_BYTES];
	struct sha256 sha256;

	if (key_bytes > sizeof(block))
		digest_of(key, key_bytes, block);
	else
		memcpy(block, key, key_bytes);
	add_padded(&sha256, block, 0x36);
	sha256_add(&sha256, bytes, count);
	sha256_finish(&sha256, inner);
	add_padded(&sha256, block, 0x5c);
	sha256_add(&sha256, inner, sizeof(inner));
	sha256_finish(&sha256, ret_mac);
}

/* --- text --- */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void digest_format_text(const void *bytes, size_t count, char *ret_text)
{
	const uint8_t *from = bytes;
	uint32_t bits = 0;
	unsigned held = 0;

	for (size_t i = 0; i < count; i++) {
		bits = bits << 8 | from[i];
		for (held += 8; held >= 6; held -= 6)
			*ret_text++ = alphabet[bits >> (held - 6) & 63];
	}
	if (held)
		*ret_text++ = alphabet[bits << (6 - held) & 63];
	*ret_text = '\0';
}

ssize_t digest_parse_text(const char *text, size_t length, void *ret_bytes, size_t bytes_max)
{
	uint8_t *to = ret_bytes;
	uint32_t bits = 0;
	unsigned held = 0;
	size_t count = 0;

	if (length % 4 == 1)
		return -EINVAL;
	for (size_t i = 0; i < length; i++) {
		const char *place = text[i] ? strchr(alphabet, text[i]) : NULL;
		if (!place)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)(place - alphabet);
		held += 6;
		if (held < 8)
			continue;
		if (count == bytes_max)
			return -EMSGSIZE;
		held -= 8;
		to[count++] = (uint8_t)(bits >> held);
	}
	return bits & ((1u << held) - 1) ? -EINVAL : (ssize_t)count;
}
