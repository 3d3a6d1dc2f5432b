/* hmac.c: see the header. Bodies of alerts are a kilobyte: clear before fast. */
#include "hmac.h"

#include <stdio.h>
#include <string.h>

#define BLOCK_BYTES 64u

struct digest {
	uint32_t words[8];
	uint64_t byte_count;
	uint8_t block[BLOCK_BYTES];
};

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

static void take_block(struct digest *digest)
{
	uint32_t schedule[64], state[8];

	spread_block(digest->block, schedule);
	memcpy(state, digest->words, sizeof(state));
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
		digest->words[i] += state[i];
}

static void begin(struct digest *digest)
{
	static const uint32_t words[8] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

	memcpy(digest->words, words, sizeof(words));
	digest->byte_count = 0;
}

static void take(struct digest *digest, const void *bytes, size_t byte_count)
{
	const uint8_t *from = bytes;

	for (size_t i = 0; i < byte_count; i++) {
		digest->block[digest->byte_count++ % BLOCK_BYTES] = from[i];
		if (digest->byte_count % BLOCK_BYTES == 0)
			take_block(digest);
	}
}

static void end(struct digest *digest, uint8_t ret_digest[HMAC_BYTES])
{
	uint64_t bits = 8 * digest->byte_count;
	uint8_t tail[8];

	for (unsigned i = 0; i < 8; i++)
		tail[i] = (uint8_t)(bits >> (56 - 8 * i));
	take(digest, "\x80", 1);
	while (digest->byte_count % BLOCK_BYTES != BLOCK_BYTES - sizeof(tail))
		take(digest, "", 1);
	take(digest, tail, sizeof(tail));
	for (unsigned i = 0; i < HMAC_BYTES; i++)
		ret_digest[i] = (uint8_t)(digest->words[i / 4] >> (24 - 8 * (i % 4)));
}

void hmac_digest(const void *bytes, size_t byte_count, uint8_t ret_digest[HMAC_BYTES])
{
	struct digest digest;

	begin(&digest);
	take(&digest, bytes, byte_count);
	end(&digest, ret_digest);
}

void hmac_sign(const void *key, size_t key_bytes, const void *bytes, size_t byte_count, uint8_t ret_mac[HMAC_BYTES])
{
	uint8_t block[BLOCK_BYTES] = {0}, inner[HMAC_BYTES];
	struct digest digest;

	if (key_bytes > sizeof(block))
		hmac_digest(key, key_bytes, block);
	else
		memcpy(block, key, key_bytes);
	for (unsigned i = 0; i < sizeof(block); i++)
		block[i] ^= 0x36;
	begin(&digest);
	take(&digest, block, sizeof(block));
	take(&digest, bytes, byte_count);
	end(&digest, inner);
	for (unsigned i = 0; i < sizeof(block); i++)
		block[i] ^= 0x36 ^ 0x5c;
	begin(&digest);
	take(&digest, block, sizeof(block));
	take(&digest, inner, sizeof(inner));
	end(&digest, ret_mac);
}

void hmac_format(const uint8_t mac[HMAC_BYTES], char ret_text[HMAC_HEX_BYTES])
{
	for (unsigned i = 0; i < HMAC_BYTES; i++)
		snprintf(ret_text + 2 * i, 3, "%02x", mac[i]);
}
