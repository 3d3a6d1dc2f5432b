/* ntuple.c: tables as RNTuple, version 1.0 of its format. Store process, main thread (encode: any of the store's).
 *
 * Parts stand in the order of the fields' numbers: first what belongs to the columns themselves, then the items of
 * lists. All clusters are in one group: jsroot reads the first group alone.
 */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "tree.h"

enum column_type {
	N_BIT = 0x00,
	N_CHAR = 0x02,
	N_INT8 = 0x03,
	N_UINT8 = 0x04,
	N_INT16 = 0x05,
	N_UINT16 = 0x06,
	N_INT32 = 0x07,
	N_UINT32 = 0x08,
	N_INT64 = 0x09,
	N_UINT64 = 0x0A,
	N_REAL32 = 0x0C,
	N_REAL64 = 0x0D,
	N_INDEX64 = 0x0F,
};

enum envelope_type { ENVELOPE_HEADER = 1, ENVELOPE_FOOTER = 2, ENVELOPE_PAGES = 3 };

enum meta { META_PAGES, META_FOOTER, META_ANCHOR };

#define SUM_BYTES  8u
#define MAX_KEY    (1u << 30)
#define ROLE_LEAF  0u
#define ROLE_LIST  1u
#define CLASS      "ROOT::RNTuple"
#define TYPE_BYTES 48u

static bool has_items(const struct enrg_column *column)
{
	return enrg_type_is_variable(column->type) && column->type != ENRG_STRING;
}

static const char *number_name(enum enrg_type type)
{
	switch (type) {
	case ENRG_BOOL:
		return "bool";
	case ENRG_I8:
		return "std::int8_t";
	case ENRG_I16:
		return "std::int16_t";
	case ENRG_I32:
		return "std::int32_t";
	case ENRG_I64:
	case ENRG_TIMESTAMP_NS:
		return "std::int64_t";
	case ENRG_U8:
		return "std::uint8_t";
	case ENRG_U16:
		return "std::uint16_t";
	case ENRG_U32:
		return "std::uint32_t";
	case ENRG_U64:
		return "std::uint64_t";
	case ENRG_F32:
		return "float";
	case ENRG_F64:
		return "double";
	case ENRG_STRING:
	case ENRG_BINARY:
	case ENRG_LIST:
		break;
	}
	return "std::string";
}

static enum column_type column_type(enum enrg_type type)
{
	switch (type) {
	case ENRG_BOOL:
		return N_BIT;
	case ENRG_I8:
		return N_INT8;
	case ENRG_I16:
		return N_INT16;
	case ENRG_I32:
		return N_INT32;
	case ENRG_I64:
	case ENRG_TIMESTAMP_NS:
		return N_INT64;
	case ENRG_U8:
		return N_UINT8;
	case ENRG_U16:
		return N_UINT16;
	case ENRG_U32:
		return N_UINT32;
	case ENRG_U64:
		return N_UINT64;
	case ENRG_F32:
		return N_REAL32;
	case ENRG_F64:
		return N_REAL64;
	case ENRG_STRING:
	case ENRG_BINARY:
	case ENRG_LIST:
		break;
	}
	return N_CHAR;
}

/* --- parts -------------------------------------------------------------------------------------------------------- */

static int plan(struct tree *tree, struct enrg_error *err)
{
	uint32_t count = tree->schema->column_count;

	tree->parts = calloc(2 * (size_t)count, sizeof(*tree->parts));
	if (!tree->parts)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < count; i++) {
		const struct enrg_column *column = &tree->schema->columns[i];
		bool is_variable = enrg_type_is_variable(column->type);
		tree->parts[tree->part_count++] = (struct part){.column = i, .is_ends = is_variable};
		if (column->type == ENRG_STRING)
			tree->parts[tree->part_count++] = (struct part){.column = i};
	}
	for (uint32_t i = 0; i < count; i++)
		if (has_items(&tree->schema->columns[i]))
			tree->parts[tree->part_count++] = (struct part){.column = i};
	return 0;
}

static void pack_bits(const struct bytes *values, struct bytes *out)
{
	size_t count = (values->count + 7) / 8;
	uint8_t *to = bytes_reserve(out, count);

	if (!to)
		return;
	memset(to, 0, count);
	for (size_t i = 0; i < values->count; i++)
		to[i >> 3] |= (uint8_t)((unsigned)values->data[i] << (i & 7));
	out->count += count;
}

static void encode(const struct tree *tree, const struct part *part, const struct cluster *rows, struct bytes *scratch,
	struct encoded *ret_encoded)
{
	const struct cluster_column *column = &rows->columns[part->column];
	const struct bytes *source = part->is_ends ? &column->ends : &column->values;

	(void)tree;
	ret_encoded->elements = part->is_ends ? rows->rows : cluster_value_count(column);
	if (column->type == ENRG_BOOL) {
		pack_bits(source, scratch);
		source = scratch;
	}
	ret_encoded->data = source->data;
	ret_encoded->count = source->count;
}

static int put_blob(struct tree *tree, const struct bytes *payload, struct place *ret_place, struct enrg_error *err)
{
	const struct record record = {.class_name = "RBlob",
		.name = "",
		.title = "",
		.payload = payload->data,
		.payload_bytes = payload->count,
		.object_bytes = payload->count,
		.grows = ret_place != &tree->header};
	int rc = bytes_check(payload, err);

	return rc < 0 ? rc : container_put(tree->container, &record, ret_place, err);
}

static int put_page(
	struct tree *tree, const struct part *part, struct page *page, struct bytes *packed, struct enrg_error *err)
{
	struct record record = {.class_name = "RBlob", .name = "", .title = "", .grows = page->grows};

	(void)part;
	if (page->elements == 0)
		return 0;
	bytes_le64(packed, XXH3_64bits(packed->data, packed->count));
	record.payload = packed->data;
	record.payload_bytes = record.object_bytes = packed->count;
	int rc = bytes_check(packed, err);
	return rc < 0 ? rc : container_put(tree->container, &record, &page->place, err);
}

/* --- envelopes and frames ----------------------------------------------------------------------------------------- */

static void begin_envelope(struct bytes *out)
{
	bytes_clear(out);
	bytes_le64(out, 0);
}

static uint64_t end_envelope(struct bytes *out, enum envelope_type type)
{
	if (out->is_short)
		return 0;
	bytes_set_le64(out->data, (uint64_t)type | (uint64_t)(out->count + SUM_BYTES) << 16);
	uint64_t sum = XXH3_64bits(out->data, out->count);
	bytes_le64(out, sum);
	return sum;
}

static size_t begin_frame(struct bytes *out)
{
	size_t begin = out->count;

	bytes_le64(out, 0);
	return begin;
}

static size_t begin_list(struct bytes *out, size_t count)
{
	size_t begin = begin_frame(out);

	bytes_le32(out, (uint32_t)count);
	return begin;
}

static void end_frame(struct bytes *out, size_t begin)
{
	if (!out->is_short)
		bytes_set_le64(out->data + begin, out->count - begin);
}

static void end_list(struct bytes *out, size_t begin)
{
	if (!out->is_short)
		bytes_set_le64(out->data + begin, (uint64_t)0 - (uint64_t)(out->count - begin));
}

static void put_empty_list(struct bytes *out)
{
	end_list(out, begin_list(out, 0));
}

/* --- header ------------------------------------------------------------------------------------------------------- */

struct field {
	uint32_t parent;
	unsigned role;
	const char *name, *type, *description;
};

static void put_field(struct bytes *out, const struct field *field)
{
	size_t begin = begin_frame(out);

	bytes_le32(out, 0); /* version of the field */
	bytes_le32(out, 0); /* … of its type */
	bytes_le32(out, field->parent);
	bytes_le16(out, (uint16_t)field->role);
	bytes_le16(out, 0); /* flags */
	bytes_le_string(out, field->name);
	bytes_le_string(out, field->type);
	bytes_le_string(out, ""); /* alias of the type */
	bytes_le_string(out, field->description);
	end_frame(out, begin);
}

static uint32_t count_fields(const struct tree *tree)
{
	uint32_t count = tree->schema->column_count;

	for (uint32_t i = 0; i < tree->schema->column_count; i++)
		count += has_items(&tree->schema->columns[i]);
	return count;
}

static void put_fields(const struct tree *tree, struct bytes *out)
{
	size_t list = begin_list(out, count_fields(tree));
	char type[TYPE_BYTES];

	for (uint32_t i = 0; i < tree->schema->column_count; i++) {
		const struct enrg_column *column = &tree->schema->columns[i];
		const char *unit = enrg_type_is_time(column->type) ? TREE_TIME_UNIT : column->unit;
		struct field field = {i, ROLE_LEAF, tree->column_names[i], number_name(column->type), unit};
		if (has_items(column)) {
			snprintf(type, sizeof(type), "std::vector<%s>", number_name(enrg_column_item(column)));
			field.role = ROLE_LIST;
			field.type = type;
		}
		put_field(out, &field);
	}
	for (uint32_t i = 0; i < tree->schema->column_count; i++) {
		const struct enrg_column *column = &tree->schema->columns[i];
		if (has_items(column))
			put_field(out, &(struct field){i, ROLE_LEAF, "_0", number_name(enrg_column_item(column)), ""});
	}
	end_list(out, list);
}

static void put_columns(const struct tree *tree, struct bytes *out)
{
	size_t list = begin_list(out, tree->part_count);
	uint32_t child = tree->schema->column_count;

	for (uint32_t i = 0; i < tree->part_count; i++) {
		const struct part *part = &tree->parts[i];
		const struct enrg_column *column = &tree->schema->columns[part->column];
		const struct cluster_column *rows = &tree->open.columns[part->column];
		bool is_child = has_items(column) && !part->is_ends;
		enum column_type type = part->is_ends ? N_INDEX64
					: is_child    ? column_type(enrg_column_item(column))
						      : column_type(column->type);
		size_t begin = begin_frame(out);
		bytes_le16(out, (uint16_t)type);
		bytes_le16(out, (uint16_t)(part->is_ends ? 64 : type == N_BIT ? 1 : 8 * rows->width));
		bytes_le32(out, is_child ? child++ : part->column);
		bytes_le16(out, 0); /* flags */
		bytes_le16(out, 0); /* the only representation */
		end_frame(out, begin);
	}
	end_list(out, list);
}

static int put_header(struct tree *tree, struct enrg_error *err)
{
	struct bytes out = {0};

	begin_envelope(&out);
	bytes_le64(&out, 0); /* feature flags */
	bytes_le_string(&out, tree->name);
	bytes_le_string(&out, "");
	bytes_le_string(&out, "ENRGDAQ");
	put_fields(tree, &out);
	put_columns(tree, &out);
	put_empty_list(&out);
	put_empty_list(&out);
	tree->header_sum = end_envelope(&out, ENVELOPE_HEADER);
	tree->header_bytes = out.count;
	int rc = put_blob(tree, &out, &tree->header, err);
	bytes_fini(&out);
	return rc;
}

/* --- page list, footer, anchor ------------------------------------------------------------------------------------ */

static void put_locator(struct bytes *out, const struct place *place, uint32_t bytes)
{
	bytes_le32(out, bytes);
	bytes_le64(out, place->position + place->key_bytes);
}

static uint32_t payload_bytes(const struct place *place)
{
	return place->bytes - place->key_bytes;
}

static void put_part_pages(const struct tree *tree, const struct page *page, struct bytes *out)
{
	bool is_empty = page->elements == 0;
	size_t pages = begin_list(out, !is_empty);

	if (!is_empty) {
		bytes_le32(out, (uint32_t)(0 - (int32_t)page->elements)); /* negative: a check sum follows the page */
		put_locator(out, &page->place, payload_bytes(&page->place) - SUM_BYTES);
	}
	bytes_le64(out, page->first);
	bytes_le32(out, compress_code(&tree->setting));
	end_list(out, pages);
}

static int put_page_list(struct tree *tree, uint64_t *ret_bytes, struct enrg_error *err)
{
	struct bytes out = {0};

	begin_envelope(&out);
	bytes_le64(&out, tree->header_sum);
	size_t summaries = begin_list(&out, tree->cluster_count);
	for (size_t i = 0; i < tree->cluster_count; i++) {
		size_t frame = begin_frame(&out);
		bytes_le64(&out, tree->clusters[i].first_row);
		bytes_le64(&out, tree->clusters[i].rows);
		end_frame(&out, frame);
	}
	end_list(&out, summaries);
	size_t clusters = begin_list(&out, tree->cluster_count);
	for (size_t i = 0; i < tree->cluster_count; i++) {
		size_t parts = begin_list(&out, tree->part_count);
		for (uint32_t k = 0; k < tree->part_count; k++)
			put_part_pages(tree, &tree->clusters[i].pages[k], &out);
		end_list(&out, parts);
	}
	end_list(&out, clusters);
	end_envelope(&out, ENVELOPE_PAGES);
	*ret_bytes = out.count;
	int rc = put_blob(tree, &out, &tree->meta[META_PAGES], err);
	bytes_fini(&out);
	return rc;
}

static int put_footer(struct tree *tree, uint64_t page_list_bytes, uint64_t *ret_bytes, struct enrg_error *err)
{
	struct bytes out = {0};

	begin_envelope(&out);
	bytes_le64(&out, 0); /* feature flags */
	bytes_le64(&out, tree->header_sum);
	size_t extension = begin_frame(&out);
	for (unsigned i = 0; i < 4; i++)
		put_empty_list(&out);
	end_frame(&out, extension);
	/* One group even where there is no cluster: jsroot refuses an RNTuple without any. */
	size_t groups = begin_list(&out, 1), group = begin_frame(&out);
	bytes_le64(&out, 0); /* first row */
	bytes_le64(&out, tree_rows(tree));
	bytes_le32(&out, (uint32_t)tree->cluster_count);
	bytes_le64(&out, page_list_bytes);
	put_locator(&out, &tree->meta[META_PAGES], payload_bytes(&tree->meta[META_PAGES]));
	end_frame(&out, group);
	end_list(&out, groups);
	end_envelope(&out, ENVELOPE_FOOTER);
	*ret_bytes = out.count;
	int rc = put_blob(tree, &out, &tree->meta[META_FOOTER], err);
	bytes_fini(&out);
	return rc;
}

static void put_anchor_envelope(struct bytes *out, const struct place *place, uint64_t bytes)
{
	bytes_be64(out, place->position + place->key_bytes);
	bytes_be64(out, payload_bytes(place));
	bytes_be64(out, bytes);
}

static int put_anchor(struct tree *tree, uint64_t footer_bytes, struct enrg_error *err)
{
	struct record record = {.class_name = CLASS, .name = tree->name, .title = "", .in_directory = true};
	struct bytes out = {0};

	bytes_be32(&out, 0x40000000u | 66u); /* what follows, without the check sum */
	bytes_be16(&out, 2);                 /* version of the class */
	bytes_be16(&out, 1);                 /* epoch, major, minor, patch of the format */
	bytes_be16(&out, 0);
	bytes_be16(&out, 0);
	bytes_be16(&out, 0);
	put_anchor_envelope(&out, &tree->header, tree->header_bytes);
	put_anchor_envelope(&out, &tree->meta[META_FOOTER], footer_bytes);
	bytes_be64(&out, MAX_KEY);
	int rc = bytes_check(&out, err);
	if (rc == 0) {
		bytes_be64(&out, XXH3_64bits(out.data + 6, out.count - 6));
		rc = bytes_check(&out, err);
	}
	record.payload = out.data;
	record.payload_bytes = record.object_bytes = out.count;
	if (rc == 0)
		rc = container_put(tree->container, &record, &tree->meta[META_ANCHOR], err);
	bytes_fini(&out);
	const struct container_key key = {CLASS, tree->name, "", tree->meta[META_ANCHOR]};
	return rc < 0 ? rc : container_list(tree->container, &key, err);
}

static int put_meta(struct tree *tree, struct enrg_error *err)
{
	uint64_t page_list_bytes = 0, footer_bytes = 0;
	int rc = tree->header.position ? 0 : put_header(tree, err);

	for (unsigned i = 0; i < TREE_META_MAX && rc == 0; i++)
		rc = container_drop(tree->container, &tree->meta[i], err);
	if (rc == 0)
		rc = put_page_list(tree, &page_list_bytes, err);
	if (rc == 0)
		rc = put_footer(tree, page_list_bytes, &footer_bytes, err);
	return rc < 0 ? rc : put_anchor(tree, footer_bytes, err);
}

const struct tree_format tree_format_ntuple = {
	.class_name = CLASS,
	.plan = plan,
	.encode = encode,
	.put_page = put_page,
	.put_meta = put_meta,
};
