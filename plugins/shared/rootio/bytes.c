/* bytes.c: see the header. Store process. */
#include "rootio/bytes.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void bytes_fini(struct bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct bytes){0};
}

void bytes_clear(struct bytes *bytes)
{
	bytes->count = 0;
	bytes->is_short = false;
}

uint8_t *bytes_reserve(struct bytes *bytes, size_t count)
{
	size_t need = bytes->count + count;

	if (need > bytes->capacity || !bytes->data) {
		size_t capacity = bytes->capacity ? bytes->capacity : 256;
		while (capacity < need)
			capacity += capacity / 2;
		uint8_t *data = realloc(bytes->data, capacity);
		if (!data) {
			bytes->is_short = true;
			return NULL;
		}
		bytes->data = data;
		bytes->capacity = capacity;
	}
	return bytes->data + bytes->count;
}

int bytes_check(const struct bytes *bytes, struct enrg_error *err)
{
	return bytes->is_short ? enrg_error_set(err, -ENOMEM, "out of memory") : 0;
}

void bytes_put(struct bytes *bytes, const void *data, size_t count)
{
	uint8_t *at = bytes_reserve(bytes, count);

	if (!at)
		return;
	if (count)
		memcpy(at, data, count);
	bytes->count += count;
}

void bytes_zero(struct bytes *bytes, size_t count)
{
	uint8_t *at = bytes_reserve(bytes, count);

	if (!at)
		return;
	memset(at, 0, count);
	bytes->count += count;
}

/* --- big-endian --------------------------------------------------------------------------------------------------- */

void bytes_be8(struct bytes *bytes, uint8_t value)
{
	bytes_put(bytes, &value, sizeof(value));
}

void bytes_be16(struct bytes *bytes, uint16_t value)
{
	value = htobe16(value);
	bytes_put(bytes, &value, sizeof(value));
}

void bytes_be32(struct bytes *bytes, uint32_t value)
{
	value = htobe32(value);
	bytes_put(bytes, &value, sizeof(value));
}

void bytes_be64(struct bytes *bytes, uint64_t value)
{
	value = htobe64(value);
	bytes_put(bytes, &value, sizeof(value));
}

void bytes_be_float(struct bytes *bytes, float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	bytes_be32(bytes, bits);
}

void bytes_be_double(struct bytes *bytes, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	bytes_be64(bytes, bits);
}

void bytes_be_string(struct bytes *bytes, const char *text)
{
	size_t count = strlen(text);

	bytes_be8(bytes, count < 255 ? (uint8_t)count : 255);
	if (count >= 255)
		bytes_be32(bytes, (uint32_t)count);
	bytes_put(bytes, text, count);
}

size_t bytes_be_string_count(const char *text)
{
	size_t count = strlen(text);

	return count + (count < 255 ? 1 : 5);
}

/* --- little-endian ------------------------------------------------------------------------------------------------ */

void bytes_le16(struct bytes *bytes, uint16_t value)
{
	value = htole16(value);
	bytes_put(bytes, &value, sizeof(value));
}

void bytes_le32(struct bytes *bytes, uint32_t value)
{
	value = htole32(value);
	bytes_put(bytes, &value, sizeof(value));
}

void bytes_le64(struct bytes *bytes, uint64_t value)
{
	value = htole64(value);
	bytes_put(bytes, &value, sizeof(value));
}

void bytes_le_string(struct bytes *bytes, const char *text)
{
	size_t count = strlen(text);

	bytes_le32(bytes, (uint32_t)count);
	bytes_put(bytes, text, count);
}

/* --- in place ----------------------------------------------------------------------------------------------------- */

void bytes_set_be32(uint8_t *at, uint32_t value)
{
	value = htobe32(value);
	memcpy(at, &value, sizeof(value));
}

void bytes_set_be64(uint8_t *at, uint64_t value)
{
	value = htobe64(value);
	memcpy(at, &value, sizeof(value));
}

void bytes_set_le64(uint8_t *at, uint64_t value)
{
	value = htole64(value);
	memcpy(at, &value, sizeof(value));
}

uint64_t bytes_get_be64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return be64toh(value);
}
