/* basket.c: see the header. Store process, main thread (encode: its helper as well). */
#include "basket.h"

#include <endian.h>
#include <string.h>

#define TAIL_BYTES      19u
#define BASKET_VERSION  3u
#define BUFFER_BYTES    32000u
#define LENGTH_BYTE_MAX 254u

static const struct cluster_column *column_of(const struct tree *tree, const struct part *part)
{
	return &tree->open.columns[part->column];
}

char basket_leaf_letter(const struct tree *tree, const struct part *part)
{
	const struct cluster_column *column = column_of(tree, part);

	if (part->is_ends)
		return 'I';
	if (column->type == ENRG_STRING)
		return 'C';
	switch (column->item) {
	case ENRG_BOOL:
		return 'O';
	case ENRG_I8:
	case ENRG_U8:
		return 'B';
	case ENRG_I16:
	case ENRG_U16:
		return 'S';
	case ENRG_I32:
	case ENRG_U32:
		return 'I';
	case ENRG_F32:
		return 'F';
	case ENRG_F64:
		return 'D';
	case ENRG_I64:
	case ENRG_U64:
	case ENRG_TIMESTAMP_NS:
	case ENRG_STRING: /* none of these is an item */
	case ENRG_BINARY:
	case ENRG_LIST:
		break;
	}
	return 'L';
}

uint32_t basket_leaf_bytes(const struct tree *tree, const struct part *part)
{
	return part->is_ends ? 4 : column_of(tree, part)->width;
}

bool basket_has_offsets(const struct tree *tree, const struct part *part)
{
	return !part->is_ends && cluster_is_variable(column_of(tree, part));
}

static struct record basket_record(const struct tree *tree, const struct part *part)
{
	return (struct record){.class_name = "TBasket",
		.name = part->name,
		.title = tree->name,
		.key_tail_bytes = TAIL_BYTES,
		.in_directory = true};
}

/* --- values ------------------------------------------------------------------------------------------------------- */

static void swap_values(const struct bytes *values, uint32_t width, struct bytes *out)
{
	uint8_t *to = bytes_reserve(out, values->count);
	const uint8_t *from = values->data;
	size_t count = values->count / width;

	if (!to || !count)
		return;
	switch (width) {
	case 2:
		for (size_t i = 0; i < count; i++) {
			uint16_t value;
			memcpy(&value, from + 2 * i, 2);
			value = htobe16(value);
			memcpy(to + 2 * i, &value, 2);
		}
		break;
	case 4:
		for (size_t i = 0; i < count; i++) {
			uint32_t value;
			memcpy(&value, from + 4 * i, 4);
			value = htobe32(value);
			memcpy(to + 4 * i, &value, 4);
		}
		break;
	case 8:
		for (size_t i = 0; i < count; i++) {
			uint64_t value;
			memcpy(&value, from + 8 * i, 8);
			value = htobe64(value);
			memcpy(to + 8 * i, &value, 8);
		}
		break;
	default:
		memcpy(to, from, count);
	}
	out->count += values->count;
}

static void put_counts(const struct cluster_column *column, uint64_t rows, struct bytes *out)
{
	const uint64_t *ends = cluster_ends(column);

	for (uint64_t row = 0; row < rows; row++)
		bytes_be32(out, (uint32_t)(ends[row] - (row ? ends[row - 1] : 0)));
}

static void put_strings(const struct cluster_column *column, uint64_t rows, struct bytes *out)
{
	const uint64_t *ends = cluster_ends(column);

	for (uint64_t row = 0; row < rows; row++) {
		uint64_t begin = row ? ends[row - 1] : 0, count = ends[row] - begin;
		bytes_be8(out, count <= LENGTH_BYTE_MAX ? (uint8_t)count : LENGTH_BYTE_MAX + 1);
		if (count > LENGTH_BYTE_MAX)
			bytes_be32(out, (uint32_t)count);
		if (count)
			bytes_put(out, column->values.data + begin, count);
	}
}

/* Where each row begins, counted from the key; the entry behind the last is 0. */
static void put_offsets(const struct cluster_column *column, uint64_t rows, uint32_t key_bytes, struct bytes *out)
{
	const uint64_t *ends = cluster_ends(column);
	uint64_t at = key_bytes;

	bytes_be32(out, (uint32_t)(rows + 1));
	for (uint64_t row = 0; row < rows; row++) {
		uint64_t count = ends[row] - (row ? ends[row - 1] : 0);
		bytes_be32(out, (uint32_t)at);
		if (column->type == ENRG_STRING)
			at += count + (count <= LENGTH_BYTE_MAX ? 1 : 5);
		else
			at += count * column->width;
	}
	bytes_be32(out, 0);
}

static uint64_t offsets_bytes(uint64_t rows)
{
	return 4 + 4 * (rows + 1);
}

void basket_encode(const struct tree *tree, const struct part *part, const struct cluster *cluster,
	struct bytes *scratch, struct encoded *ret_encoded)
{
	const struct cluster_column *column = &cluster->columns[part->column];
	struct record record = basket_record(tree, part);
	uint64_t rows = cluster->rows;

	if (part->is_ends)
		put_counts(column, rows, scratch);
	else if (column->type == ENRG_STRING)
		put_strings(column, rows, scratch);
	else
		swap_values(&column->values, column->width, scratch);
	if (!part->is_ends && cluster_is_variable(column))
		put_offsets(column, rows, container_key_bytes(&record), scratch);
	*ret_encoded = (struct encoded){scratch->data, scratch->count, rows};
}

int basket_put(
	struct tree *tree, const struct part *part, struct page *page, struct bytes *packed, struct enrg_error *err)
{
	struct record record = basket_record(tree, part);
	bool has_offsets = basket_has_offsets(tree, part);
	uint64_t data_bytes = page->raw_bytes - (has_offsets ? offsets_bytes(page->elements) : 0);
	struct bytes tail = {0};

	bytes_be16(&tail, BASKET_VERSION);
	bytes_be32(&tail, BUFFER_BYTES);
	bytes_be32(&tail, has_offsets ? (uint32_t)page->elements + 1 : basket_leaf_bytes(tree, part));
	bytes_be32(&tail, (uint32_t)page->elements);
	bytes_be32(&tail, (uint32_t)(container_key_bytes(&record) + data_bytes));
	bytes_be8(&tail, 0);
	int rc = bytes_check(&tail, err);
	record.key_tail = tail.data;
	record.payload = packed->data;
	record.payload_bytes = packed->count;
	record.object_bytes = page->raw_bytes;
	record.grows = page->grows;
	if (rc == 0)
		rc = container_put(tree->container, &record, &page->place, err);
	bytes_fini(&tail);
	return rc;
}
