/* sha256.c: see the header. Any thread. */
#include "base/sha256.h"

#include <string.h>

#include "base/text.h"

#define BLOCK_BYTES sizeof(((struct sha256 *)0)->block)

/* The first 32 bits of the fractions of the cube roots of the first 64 primes. */
static const uint32_t constants[64] = {0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
	0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7,
	0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
	0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c,
	0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t turn(uint32_t value, unsigned bits)
{
	return value >> bits | value << (32 - bits);
}

static void spread_block(const uint8_t *block, uint32_t schedule[64])
{
	for (unsigned i = 0; i < 16; i++)
		schedule[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
			      (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
	for (unsigned i = 16; i < 64; i++) {
		uint32_t a = schedule[i - 15], b = schedule[i - 2];
		schedule[i] = schedule[i - 16] + (turn(a, 7) ^ turn(a, 18) ^ a >> 3) + schedule[i - 7] +
			      (turn(b, 17) ^ turn(b, 19) ^ b >> 10);
	}
}

static void take_block(struct sha256 *sha256, const uint8_t *block)
{
	uint32_t schedule[64], state[8];

	spread_block(block, schedule);
	memcpy(state, sha256->words, sizeof(state));
	for (unsigned i = 0; i < 64; i++) {
		uint32_t a = state[0], e = state[4];
		uint32_t first = state[7] + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) +
				 ((e & state[5]) ^ (~e & state[6])) + constants[i] + schedule[i];
		uint32_t second = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) +
				  ((a & state[1]) ^ (a & state[2]) ^ (state[1] & state[2]));
		memmove(state + 1, state, 7 * sizeof(*state));
		state[4] += first;
		state[0] = first + second;
	}
	for (unsigned i = 0; i < 8; i++)
		sha256->words[i] += state[i];
}

void sha256_init(struct sha256 *sha256)
{
	*sha256 = (struct sha256){.words = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c,
					  0x1f83d9ab, 0x5be0cd19}};
}

void sha256_add(struct sha256 *sha256, const void *bytes, size_t byte_count)
{
	const uint8_t *from = bytes;

	while (byte_count > 0) {
		size_t at = (size_t)(sha256->byte_count % BLOCK_BYTES), room = BLOCK_BYTES - at;
		size_t piece = byte_count < room ? byte_count : room;
		sha256->byte_count += piece;
		byte_count -= piece;
		if (piece == BLOCK_BYTES) {
			take_block(sha256, from);
		} else {
			memcpy(sha256->block + at, from, piece);
			if (piece == room)
				take_block(sha256, sha256->block);
		}
		from += piece;
	}
}

void sha256_finish(struct sha256 *sha256, uint8_t ret_digest[SHA256_BYTES])
{
	static const uint8_t padding[64] = {0x80};
	uint64_t bits = 8 * sha256->byte_count;
	size_t at = (size_t)(sha256->byte_count % BLOCK_BYTES);
	uint8_t length[8];

	for (unsigned i = 0; i < sizeof(length); i++)
		length[i] = (uint8_t)(bits >> (56 - 8 * i));
	sha256_add(sha256, padding, (at < 56 ? 56 : 120) - at);
	sha256_add(sha256, length, sizeof(length));
	for (unsigned i = 0; i < SHA256_BYTES; i++)
		ret_digest[i] = (uint8_t)(sha256->words[i / 4] >> (24 - 8 * (i % 4)));
}

void sha256_format(const void *bytes, size_t byte_count, char ret_hex[SHA256_HEX_BYTES])
{
	struct sha256 sha256;
	uint8_t digest[SHA256_BYTES];

	sha256_init(&sha256);
	sha256_add(&sha256, bytes, byte_count);
	sha256_finish(&sha256, digest);
	text_format_hex(digest, sizeof(digest), ret_hex);
}
