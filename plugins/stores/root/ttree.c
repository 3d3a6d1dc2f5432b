/* ttree.c: tables as TTree, version 20: the record that leads to the baskets. Written anew at each commit. Store
 * process, main thread.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "basket.h"
#include "rootio/streamer.h"
#include "tree.h"

#define CLASS          "TTree"
#define MAP_OFFSET     2u /* added to a place that is referred to */
#define SPARE_BASKETS  10u
#define BASKET_BYTES   32000u
#define OFFSETS_LENGTH 1000u
#define BITS_TREE      (STREAMER_BITS | 8u)

struct leaf_places {
	uint32_t *items; /* one a part: what stands for its leaf in a reference */
	uint32_t key_bytes;
};

/* --- parts -------------------------------------------------------------------------------------------------------- */

static bool has_counts(const struct enrg_column *column)
{
	return enrg_type_is_variable(column->type) && column->type != ENRG_STRING;
}

static bool is_taken(const struct tree *tree, const char *name)
{
	for (uint32_t i = 0; i < tree->schema->column_count; i++)
		if (strcmp(tree->column_names[i], name) == 0)
			return true;
	for (uint32_t i = 0; i < tree->part_count; i++)
		if (strcmp(tree->parts[i].name, name) == 0)
			return true;
	return false;
}

/* "nwave" counts "wave", unless a column has that name. */
static char *name_counts(const struct tree *tree, uint32_t column)
{
	char *name = NULL;

	if (asprintf(&name, "n%s", tree->column_names[column]) < 0)
		return NULL;
	while (is_taken(tree, name)) {
		char *longer;
		int count = asprintf(&longer, "%s_", name);
		free(name);
		if (count < 0)
			return NULL;
		name = longer;
	}
	return name;
}

static int plan(struct tree *tree, struct enrg_error *err)
{
	uint32_t count = tree->schema->column_count;

	tree->parts = calloc(2 * (size_t)count, sizeof(*tree->parts));
	if (!tree->parts)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < count; i++) {
		if (has_counts(&tree->schema->columns[i])) {
			char *name = name_counts(tree, i);
			if (!name)
				return enrg_error_set(err, -ENOMEM, "out of memory");
			tree->parts[tree->part_count++] = (struct part){.column = i, .is_ends = true, .name = name};
		}
		char *name = strdup(tree->column_names[i]);
		if (!name)
			return enrg_error_set(err, -ENOMEM, "out of memory");
		tree->parts[tree->part_count++] = (struct part){.column = i, .name = name};
	}
	return 0;
}

/* --- objects ------------------------------------------------------------------------------------------------------ */

static void put_features(struct bytes *out)
{
	static const uint8_t features[] = {0x40, 0, 0, 7, 0, 0, 0x1A, 0xA1, 0x2F, 0x10, 0};

	bytes_put(out, features, sizeof(features));
}

static size_t begin_array(struct bytes *out, uint32_t count)
{
	size_t begin = streamer_begin(out, 3);

	streamer_put_object(out, STREAMER_BITS);
	bytes_be_string(out, "");
	bytes_be32(out, count);
	bytes_be32(out, 0); /* lower bound */
	return begin;
}

static void put_fill(struct bytes *out)
{
	size_t begin = streamer_begin(out, 2);

	bytes_be16(out, 0);
	bytes_be16(out, 1001);
	streamer_end(out, begin);
}

static bool is_unsigned(enum enrg_type type)
{
	return enrg_type_is_integer(type) && !enrg_type_is_signed(type);
}

/* Of counts and strings the greatest is told, for buffers that readers make; of others nothing. */
static void put_limits(const struct tree *tree, const struct part *part, char letter, struct bytes *out)
{
	const struct cluster_column *column = &tree->open.columns[part->column];

	if (part->is_ends || letter == 'C') {
		bytes_be32(out, 0);
		bytes_be32(out, (uint32_t)(column->longest + (letter == 'C')));
		return;
	}
	bytes_zero(out, letter == 'O' ? 2 : 2 * (size_t)column->width);
}

static void put_leaf(const struct tree *tree, uint32_t index, struct leaf_places *places, struct bytes *out)
{
	const struct part *part = &tree->parts[index];
	const struct cluster_column *column = &tree->open.columns[part->column];
	bool is_array = has_counts(&tree->schema->columns[part->column]) && !part->is_ends;
	char letter = basket_leaf_letter(tree, part), class_name[] = "TLeaf?", title[1200];

	class_name[5] = letter;
	snprintf(title, sizeof(title), "%s", part->name);
	if (is_array)
		snprintf(title, sizeof(title), "%s[%s]", part->name, tree->parts[index - 1].name);
	if (enrg_type_is_time(column->item))
		snprintf(title, sizeof(title), "%s: " TREE_TIME_UNIT, part->name);
	places->items[index] = places->key_bytes + (uint32_t)out->count + MAP_OFFSET;
	size_t pointer = streamer_begin_pointer(out, class_name);
	size_t outer = streamer_begin(out, 1), inner = streamer_begin(out, 2);
	streamer_put_named(out, STREAMER_BITS, part->name, title);
	bytes_be32(out, letter == 'C' ? (uint32_t)column->longest + 1 : 1);
	bytes_be32(out, basket_leaf_bytes(tree, part));
	bytes_be32(out, 0); /* offset */
	bytes_be8(out, part->is_ends);
	bytes_be8(out, !part->is_ends && letter != 'C' && is_unsigned(column->item));
	bytes_be32(out, is_array ? places->items[index - 1] : 0);
	streamer_end(out, inner);
	put_limits(tree, part, letter, out);
	streamer_end(out, outer);
	streamer_end(out, pointer);
}

static char type_letter(const struct tree *tree, const struct part *part)
{
	char letter = basket_leaf_letter(tree, part);
	bool is_lower = !part->is_ends && letter != 'C' && is_unsigned(tree->open.columns[part->column].item);

	return is_lower ? (char)(letter - 'A' + 'a') : letter;
}

static void put_baskets(const struct tree *tree, uint32_t index, uint32_t capacity, struct bytes *out)
{
	size_t spare = capacity - tree->cluster_count;

	bytes_be8(out, 1);
	for (size_t i = 0; i < tree->cluster_count; i++)
		bytes_be32(out, tree->clusters[i].pages[index].place.bytes);
	bytes_zero(out, 4 * spare);
	bytes_be8(out, 1);
	for (size_t i = 0; i < tree->cluster_count; i++)
		bytes_be64(out, tree->clusters[i].first_row);
	bytes_be64(out, tree_rows(tree));
	bytes_zero(out, 8 * (spare - 1));
	bytes_be8(out, 1);
	for (size_t i = 0; i < tree->cluster_count; i++)
		bytes_be64(out, tree->clusters[i].pages[index].place.position);
	bytes_zero(out, 8 * spare);
}

/* Bytes of all baskets of a branch, unpacked and as stored, with their keys. */
static void sum_baskets(const struct tree *tree, uint32_t index, uint64_t *ret_raw, uint64_t *ret_stored)
{
	const struct part *part = &tree->parts[index];

	*ret_raw = part->raw_bytes;
	*ret_stored = part->stored_bytes;
	if (tree->has_tail) {
		const struct page *page = &tree->clusters[tree->cluster_count - 1].pages[index];
		*ret_raw += page->raw_bytes + page->place.key_bytes;
		*ret_stored += page->place.bytes;
	}
}

static void put_branch(const struct tree *tree, uint32_t index, struct leaf_places *places, struct bytes *out)
{
	const struct part *part = &tree->parts[index];
	uint32_t count = (uint32_t)tree->cluster_count, capacity = count + SPARE_BASKETS;
	uint64_t raw, stored;
	char title[1200];

	if (has_counts(&tree->schema->columns[part->column]) && !part->is_ends)
		snprintf(title, sizeof(title), "%s[%s]/%c", part->name, tree->parts[index - 1].name,
			type_letter(tree, part));
	else
		snprintf(title, sizeof(title), "%s/%c", part->name, type_letter(tree, part));
	sum_baskets(tree, index, &raw, &stored);
	size_t pointer = streamer_begin_pointer(out, "TBranch"), begin = streamer_begin(out, 13);
	streamer_put_named(out, STREAMER_BITS, part->name, title);
	put_fill(out);
	bytes_be32(out, 0); /* compression: readers are to look at each basket */
	bytes_be32(out, BASKET_BYTES);
	bytes_be32(out, basket_has_offsets(tree, part) ? OFFSETS_LENGTH : 0);
	bytes_be32(out, count); /* the next basket to write */
	bytes_be64(out, tree_rows(tree));
	put_features(out);
	bytes_be32(out, 0); /* offset */
	bytes_be32(out, capacity);
	bytes_be32(out, 0); /* split level */
	bytes_be64(out, tree_rows(tree));
	bytes_be64(out, 0); /* first entry */
	bytes_be64(out, raw);
	bytes_be64(out, stored);
	streamer_end(out, begin_array(out, 0)); /* branches */
	size_t leaves = begin_array(out, 1);
	put_leaf(tree, index, places, out);
	streamer_end(out, leaves);
	streamer_end(out, begin_array(out, 0)); /* baskets in memory */
	put_baskets(tree, index, capacity, out);
	bytes_be_string(out, ""); /* in this file */
	streamer_end(out, begin);
	streamer_end(out, pointer);
}

static void put_attributes(struct bytes *out)
{
	size_t begin = streamer_begin(out, 2);

	bytes_be16(out, 602);
	bytes_be16(out, 1);
	bytes_be16(out, 1);
	streamer_end(out, begin);
	put_fill(out);
	begin = streamer_begin(out, 2);
	bytes_be16(out, 1);
	bytes_be16(out, 1);
	bytes_be_float(out, 1.0f);
	streamer_end(out, begin);
}

static void put_numbers(const struct tree *tree, struct bytes *out)
{
	uint64_t raw = 0, stored = 0;

	for (uint32_t i = 0; i < tree->part_count; i++) {
		uint64_t more_raw, more_stored;
		sum_baskets(tree, i, &more_raw, &more_stored);
		raw += more_raw;
		stored += more_stored;
	}
	bytes_be64(out, tree_rows(tree));
	bytes_be64(out, raw);
	bytes_be64(out, stored);
	bytes_be64(out, 0); /* saved */
	bytes_be64(out, 0); /* flushed */
	bytes_be_double(out, 1.0);
	bytes_be32(out, 0);
	bytes_be32(out, 25); /* rows that a scan shows at once */
	bytes_be32(out, 0);
	bytes_be32(out, OFFSETS_LENGTH);
	bytes_be32(out, 0); /* cluster ranges */
	bytes_be64(out, 1000000000000u);
	bytes_be64(out, 1000000000000u);
	bytes_be64(out, 0);
	bytes_be64(out, (uint64_t)-300000000);
	bytes_be64(out, (uint64_t)-30000000);
	bytes_be64(out, 1000000);
	bytes_be8(out, 0); /* no cluster ends … */
	bytes_be8(out, 0); /* … and sizes */
	put_features(out);
}

static void put_tree(const struct tree *tree, struct leaf_places *places, struct bytes *out)
{
	size_t begin = streamer_begin(out, 20);

	streamer_put_named(out, BITS_TREE, tree->name, "");
	put_attributes(out);
	put_numbers(tree, out);
	size_t branches = begin_array(out, tree->part_count);
	for (uint32_t i = 0; i < tree->part_count; i++)
		put_branch(tree, i, places, out);
	streamer_end(out, branches);
	size_t leaves = begin_array(out, tree->part_count);
	for (uint32_t i = 0; i < tree->part_count; i++)
		bytes_be32(out, places->items[i]);
	streamer_end(out, leaves);
	bytes_be32(out, 0); /* aliases */
	bytes_be32(out, 0); /* two empty arrays: the index */
	bytes_be32(out, 0);
	bytes_zero(out, 4 * 4); /* index object, friends, user info, references: none */
	streamer_end(out, begin);
}

static int put_meta(struct tree *tree, struct enrg_error *err)
{
	struct record record = {
		.class_name = CLASS, .name = tree->name, .title = "", .in_directory = true, .grows = true};
	struct leaf_places places = {calloc(tree->part_count, sizeof(*places.items)), container_key_bytes(&record)};
	struct bytes out = {0};
	int rc = 0;

	if (!places.items)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	put_tree(tree, &places, &out);
	free(places.items);
	rc = bytes_check(&out, err);
	record.payload = out.data;
	record.payload_bytes = record.object_bytes = out.count;
	if (rc == 0)
		rc = container_drop(tree->container, &tree->meta[0], err);
	if (rc == 0)
		rc = container_put(tree->container, &record, &tree->meta[0], err);
	bytes_fini(&out);
	const struct container_key key = {CLASS, tree->name, "", tree->meta[0]};
	return rc < 0 ? rc : container_list(tree->container, &key, err);
}

const struct tree_format tree_format_ttree = {
	.class_name = CLASS,
	.plan = plan,
	.encode = basket_encode,
	.put_page = basket_put,
	.put_meta = put_meta,
};
