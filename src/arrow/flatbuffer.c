/* flatbuffer.c: see the header. Used by every process that writes or reads Arrow metadata. */
#include "arrow/flatbuffer.h"

#include <stdlib.h>

#define BUILDER_BYTES_MAX (1u << 30)

/* Appends `bytes` zero bytes at a multiple of `align`. */
static uint32_t reserve(struct fb_builder *builder, uint32_t bytes, uint32_t align)
{
	uint64_t at = ((uint64_t)builder->count + align - 1) & ~(uint64_t)(align - 1);

	if (builder->is_failed)
		return 0;
	if (at + bytes > builder->capacity) {
		uint64_t capacity = 2 * (at + bytes) + 1024;
		uint8_t *grown = at + bytes <= BUILDER_BYTES_MAX ? realloc(builder->bytes, capacity) : NULL;
		if (!grown) {
			builder->is_failed = true;
			return 0;
		}
		memset(grown + builder->count, 0, capacity - builder->count);
		builder->bytes = grown;
		builder->capacity = (uint32_t)capacity;
	}
	builder->count = (uint32_t)(at + bytes);
	return (uint32_t)at;
}

void fb_init(struct fb_builder *builder)
{
	*builder = (struct fb_builder){0};
	reserve(builder, 4, 4);
}

void fb_fini(struct fb_builder *builder)
{
	free(builder->bytes);
	*builder = (struct fb_builder){0};
}

void fb_put(struct fb_builder *builder, uint32_t at, const void *value, uint32_t bytes)
{
	if (!builder->is_failed)
		memcpy(builder->bytes + at, value, bytes);
}

void fb_link(struct fb_builder *builder, uint32_t reference, uint32_t target)
{
	uint32_t distance = target - reference;
	fb_put(builder, reference, &distance, sizeof(distance));
}

void fb_pad(struct fb_builder *builder, uint32_t align)
{
	reserve(builder, 0, align);
}

/* Writes the vtables that are waiting, and makes their tables point to them. */
static void put_vtables(struct fb_builder *builder)
{
	for (uint32_t i = 0; i < builder->vtable_count; i++) {
		const struct fb_vtable *vtable = &builder->vtables[i];
		uint32_t at = reserve(builder, vtable->places[0], 2);
		fb_put(builder, at, vtable->places, vtable->places[0]);
		for (uint32_t table = vtable->last_table; table && !builder->is_failed;) {
			uint32_t before = fb_load_u32(builder->bytes + table);
			int32_t distance = (int32_t)table - (int32_t)at;
			fb_put(builder, table, &distance, sizeof(distance));
			table = before;
		}
	}
	builder->vtable_count = 0;
}

/* Notes that the table at `table` has this vtable; an equal one is written once. Until then the tables of one vtable
 * are a chain: each has the place of the one before it where its distance will stand. */
static void take_vtable(struct fb_builder *builder, uint32_t table, const uint16_t *places)
{
	uint32_t index = 0;

	while (index < builder->vtable_count && memcmp(builder->vtables[index].places, places, places[0]) != 0)
		index++;
	if (index == FB_VTABLES_MAX) {
		put_vtables(builder);
		index = 0;
	}
	struct fb_vtable *vtable = &builder->vtables[index];
	if (index == builder->vtable_count) {
		*vtable = (struct fb_vtable){0};
		memcpy(vtable->places, places, places[0]);
		builder->vtable_count++;
	}
	fb_put(builder, table, &vtable->last_table, sizeof(vtable->last_table));
	vtable->last_table = table;
}

void fb_finish(struct fb_builder *builder)
{
	put_vtables(builder);
}

uint32_t fb_add_table(struct fb_builder *builder, uint32_t field_count, const uint8_t *sizes, uint32_t *ret_fields)
{
	uint16_t vtable[2 + FB_FIELDS_MAX] = {(uint16_t)(4 + 2 * field_count)};
	uint16_t at = 4;
	uint32_t align = 4;

	/* Large fields first: no holes but one before the first 8-byte field. */
	for (uint32_t size = 8; size > 0; size /= 2) {
		for (uint32_t i = 0; i < field_count; i++) {
			if (sizes[i] != size)
				continue;
			align = size > align ? size : align;
			at = (uint16_t)((at + size - 1) & ~(size - 1));
			vtable[2 + i] = at;
			at = (uint16_t)(at + size);
		}
	}
	vtable[1] = at;
	uint32_t table_at = reserve(builder, at, align);
	take_vtable(builder, table_at, vtable);
	for (uint32_t i = 0; i < field_count; i++)
		ret_fields[i] = sizes[i] ? table_at + vtable[2 + i] : 0;
	if (!builder->is_failed && fb_load_u32(builder->bytes) == 0)
		fb_link(builder, 0, table_at);
	return table_at;
}

uint32_t fb_add_vector(
	struct fb_builder *builder, uint32_t reference, uint32_t element_count, uint32_t element_bytes, uint32_t align)
{
	/* The count stands right before the first element, which decides the alignment. */
	uint32_t first = (builder->count + 4 + align - 1) & ~(align - 1);
	if (first - 4 > builder->count)
		reserve(builder, first - 4 - builder->count, 1);
	uint32_t at = reserve(builder, 4 + element_count * element_bytes, 4);
	fb_put(builder, at, &element_count, sizeof(element_count));
	fb_link(builder, reference, at);
	return at + 4;
}

uint32_t fb_add_string(struct fb_builder *builder, uint32_t reference, const char *text)
{
	uint32_t length = (uint32_t)strlen(text);
	uint32_t at = reserve(builder, 4 + length + 1, 4);

	fb_put(builder, at, &length, sizeof(length));
	fb_put(builder, at + 4, text, length);
	fb_link(builder, reference, at);
	return at + 4;
}

static bool is_inside(struct fb_reader *reader, uint64_t at, uint64_t bytes)
{
	reader->work += bytes;
	if (at + bytes <= reader->count && reader->work <= FB_WORK_MAX)
		return true;
	reader->is_bad = true;
	return false;
}

static bool read_table_at(struct fb_reader *reader, uint64_t at, struct fb_table *ret_table)
{
	if (!is_inside(reader, at, 4))
		return false;
	int64_t vtable = (int64_t)at - (int32_t)fb_load_u32(reader->bytes + at);
	if (vtable < 0 || !is_inside(reader, (uint64_t)vtable, 4)) {
		reader->is_bad = true;
		return false;
	}
	struct fb_table table = {
		.at = (uint32_t)at,
		.vtable = (uint32_t)vtable,
		.vtable_bytes = fb_load_u16(reader->bytes + vtable),
		.table_bytes = fb_load_u16(reader->bytes + vtable + 2),
	};
	if (table.vtable_bytes < 4 || !is_inside(reader, table.vtable, table.vtable_bytes) ||
		!is_inside(reader, table.at, table.table_bytes)) {
		reader->is_bad = true;
		return false;
	}
	*ret_table = table;
	return true;
}

bool fb_read_root(struct fb_reader *reader, struct fb_table *ret_table)
{
	return is_inside(reader, 0, 4) && read_table_at(reader, fb_load_u32(reader->bytes), ret_table);
}

uint32_t fb_find_field(struct fb_reader *reader, const struct fb_table *table, uint32_t index, uint32_t bytes)
{
	if (4 + 2 * index + 2 > table->vtable_bytes)
		return 0;
	uint32_t place = fb_load_u16(reader->bytes + table->vtable + 4 + 2 * index);
	if (place == 0)
		return 0;
	if (place < 4 || place + bytes > table->table_bytes) {
		reader->is_bad = true;
		return 0;
	}
	return table->at + place;
}

uint64_t fb_read_number(
	struct fb_reader *reader, const struct fb_table *table, uint32_t index, uint32_t bytes, uint64_t absent)
{
	uint32_t at = fb_find_field(reader, table, index, bytes);
	uint64_t value = 0;

	if (!at)
		return absent;
	memcpy(&value, reader->bytes + at, bytes);
	return value;
}

/* Follows the reference in field `index`; 0 where it is absent. */
static uint64_t follow(struct fb_reader *reader, const struct fb_table *table, uint32_t index)
{
	uint32_t at = fb_find_field(reader, table, index, 4);
	return at ? (uint64_t)at + fb_load_u32(reader->bytes + at) : 0;
}

bool fb_read_table(struct fb_reader *reader, const struct fb_table *table, uint32_t index, struct fb_table *ret_table)
{
	uint64_t at = follow(reader, table, index);
	return at && read_table_at(reader, at, ret_table);
}

bool fb_read_vector(struct fb_reader *reader, const struct fb_table *table, uint32_t index, uint32_t element_bytes,
	struct fb_vector *ret_vector)
{
	uint64_t at = follow(reader, table, index);

	if (!at || !is_inside(reader, at, 4))
		return false;
	uint32_t count = fb_load_u32(reader->bytes + at);
	if (!is_inside(reader, at + 4, (uint64_t)count * element_bytes))
		return false;
	*ret_vector = (struct fb_vector){.at = (uint32_t)at + 4, .count = count};
	return true;
}

const char *fb_read_characters(
	struct fb_reader *reader, const struct fb_table *table, uint32_t index, uint32_t *ret_count)
{
	struct fb_vector vector;

	if (!fb_read_vector(reader, table, index, 1, &vector) ||
		!is_inside(reader, vector.at, (uint64_t)vector.count + 1))
		return NULL;
	const char *text = (const char *)reader->bytes + vector.at;
	if (text[vector.count] != '\0') {
		reader->is_bad = true;
		return NULL;
	}
	*ret_count = vector.count;
	return text;
}

const char *fb_read_string(struct fb_reader *reader, const struct fb_table *table, uint32_t index, uint32_t *ret_count)
{
	const char *text = fb_read_characters(reader, table, index, ret_count);

	if (text && memchr(text, '\0', *ret_count)) {
		reader->is_bad = true;
		return NULL;
	}
	return text;
}

bool fb_read_element(
	struct fb_reader *reader, const struct fb_vector *vector, uint32_t index, struct fb_table *ret_table)
{
	uint64_t at = vector->at + 4 * (uint64_t)index;
	return read_table_at(reader, at + fb_load_u32(reader->bytes + at), ret_table);
}
