/* flatbuffer.h: the part of the FlatBuffers format that Arrow's metadata needs: a builder that writes front to back, so
 * that places are known for patching, and a reader that believes nothing. No global state; any thread.
 *
 * Layout: a 32-bit offset to the root table; a table begins with the signed distance back to its vtable (size of
 * vtable, size of table, one 16-bit place a field, 0 = absent); references are unsigned distances forward; vectors and
 * strings begin with a 32-bit count; everything lies at a multiple of its own size.
 */
#ifndef ARROW_FLATBUFFER_H
#define ARROW_FLATBUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "Arrow and FlatBuffers data are used as they lie in memory");

#define FB_FIELDS_MAX  8u
#define FB_VTABLES_MAX 16u
#define FB_WORK_MAX                                                                                                    \
	(UINT64_C(256) << 20) /* references may all point to one long string: bounds the time, not only the place */

static inline uint16_t fb_load_u16(const void *at)
{
	uint16_t value;
	memcpy(&value, at, sizeof(value));
	return value;
}

static inline uint32_t fb_load_u32(const void *at)
{
	uint32_t value;
	memcpy(&value, at, sizeof(value));
	return value;
}

static inline uint64_t fb_load_u64(const void *at)
{
	uint64_t value;
	memcpy(&value, at, sizeof(value));
	return value;
}

/* --- writing --- */

struct fb_builder {
	uint8_t *bytes; /* malloc'ed, zeroed beyond `count` */
	uint32_t count, capacity;
	bool is_failed; /* out of memory or over 1 GiB: everything else becomes a no-op, to be checked once at the end
			 */
	struct fb_vtable {
		uint16_t places[2 + FB_FIELDS_MAX]; /* its bytes, the table's bytes, a place a field */
		uint32_t last_table;                /* the table added last that has it */
	} vtables[FB_VTABLES_MAX];                  /* to be written behind their tables */
	uint32_t vtable_count;
};

/* Starts with the reference to the root; the first table added is the root. fb_fini takes zeroed state. */
void fb_init(struct fb_builder *builder);
void fb_fini(struct fb_builder *builder);

/* To be called once all is added. Vtables are written here, behind all tables that have them, as the builders of
 * FlatBuffers do it, which write back to front and share vtables: Rust's planus, and with it polars, does not find one
 * that stands in front of the vector or table from which it came. */
void fb_finish(struct fb_builder *builder);

/* Adds a table whose field i takes sizes[i] bytes (1, 2, 4 or 8; 0 = absent). ret_fields[i] = place of field i. */
uint32_t fb_add_table(struct fb_builder *builder, uint32_t field_count, const uint8_t *sizes, uint32_t *ret_fields);
/* Adds a zeroed vector of elements aligned to `align` and makes `reference` point to it. Returns its first element. */
uint32_t fb_add_vector(
	struct fb_builder *builder, uint32_t reference, uint32_t element_count, uint32_t element_bytes, uint32_t align);
/* Adds a string and makes `reference` point to it. Returns its first character. */
uint32_t fb_add_string(struct fb_builder *builder, uint32_t reference, const char *text);
/* Makes the reference at `reference` point to the object at `target`, which lies behind it. */
void fb_link(struct fb_builder *builder, uint32_t reference, uint32_t target);
void fb_put(struct fb_builder *builder, uint32_t at, const void *value, uint32_t bytes);
/* Zeroes up to a multiple of `align`. */
void fb_pad(struct fb_builder *builder, uint32_t align);

/* --- reading --- */

struct fb_reader {
	const uint8_t *bytes;
	uint32_t count;
	uint64_t work; /* bytes looked at so far */
	bool is_bad;   /* something pointed outside; sticks. What the functions return then is empty but safe. */
};

struct fb_table {
	uint32_t at, vtable;
	uint16_t table_bytes, vtable_bytes;
};

struct fb_vector {
	uint32_t at, count; /* first element */
};

bool fb_read_root(struct fb_reader *reader, struct fb_table *ret_table);
/* Place of field `index` with room for `bytes`, 0 where it is absent. */
uint32_t fb_find_field(struct fb_reader *reader, const struct fb_table *table, uint32_t index, uint32_t bytes);
uint64_t fb_read_number(
	struct fb_reader *reader, const struct fb_table *table, uint32_t index, uint32_t bytes, uint64_t absent);
/* These return false where the field is absent or bad. */
bool fb_read_table(struct fb_reader *reader, const struct fb_table *table, uint32_t index, struct fb_table *ret_table);
bool fb_read_vector(struct fb_reader *reader, const struct fb_table *table, uint32_t index, uint32_t element_bytes,
	struct fb_vector *ret_vector);
/* NUL-terminated; NULL where absent or bad. A string has no NUL inside; characters may. */
const char *fb_read_characters(
	struct fb_reader *reader, const struct fb_table *table, uint32_t index, uint32_t *ret_count);
const char *fb_read_string(struct fb_reader *reader, const struct fb_table *table, uint32_t index, uint32_t *ret_count);
/* Element `index` (< count) of a vector of tables. */
bool fb_read_element(
	struct fb_reader *reader, const struct fb_vector *vector, uint32_t index, struct fb_table *ret_table);

#endif
