/* bytes.h: a growing buffer and the ways numbers are laid out in it: big-endian for the container and for trees,
 * little-endian for RNTuple. Out of memory is remembered and told once, by bytes_check. Any thread, one at a time.
 */
#ifndef ROOT_BYTES_H
#define ROOT_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enrgdaq/error.h"

struct bytes {
	uint8_t *data;
	size_t count, capacity;
	bool is_short; /* out of memory: something is missing */
};

void bytes_fini(struct bytes *bytes); /* takes zeroed */
void bytes_clear(struct bytes *bytes);
/* Room for `count` more at the end; NULL when there is none. Does not count them as used. */
uint8_t *bytes_reserve(struct bytes *bytes, size_t count);
/* -ENOMEM when something is missing. */
int bytes_check(const struct bytes *bytes, struct enrg_error *err);

void bytes_put(struct bytes *bytes, const void *data, size_t count);
void bytes_zero(struct bytes *bytes, size_t count);

void bytes_be8(struct bytes *bytes, uint8_t value);
void bytes_be16(struct bytes *bytes, uint16_t value);
void bytes_be32(struct bytes *bytes, uint32_t value);
void bytes_be64(struct bytes *bytes, uint64_t value);
void bytes_be_float(struct bytes *bytes, float value);
void bytes_be_double(struct bytes *bytes, double value);
/* One length byte, or 255 and four. */
void bytes_be_string(struct bytes *bytes, const char *text);
size_t bytes_be_string_count(const char *text);

void bytes_le16(struct bytes *bytes, uint16_t value);
void bytes_le32(struct bytes *bytes, uint32_t value);
void bytes_le64(struct bytes *bytes, uint64_t value);
void bytes_le_string(struct bytes *bytes, const char *text); /* u32 length */

/* Numbers that stand at a place already. */
void bytes_set_be32(uint8_t *at, uint32_t value);
void bytes_set_be64(uint8_t *at, uint64_t value);
void bytes_set_le64(uint8_t *at, uint64_t value);
uint64_t bytes_get_be64(const uint8_t *at);

#endif
