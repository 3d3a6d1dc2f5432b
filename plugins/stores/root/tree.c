/* tree.c: what both formats have in common. Store process, main thread; pages are encoded and compressed by its helper
 * as well. */
#include "tree.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FINISH_BYTES_MIN (64u << 10) /* of a cluster … */
#define FINISH_SHARE     64u         /* … and a share of the tree, so that large trees have large clusters */

/* --- names -------------------------------------------------------------------------------------------------------- */

/* Letters, digits, '_' and what is not ASCII stay: other characters mean something to ROOT (".", "/", "[") or are
 * forbidden. */
static char *clean_name(const char *name)
{
	char *clean = strdup(name);

	for (char *at = clean; at && *at; at++)
		if (!isalnum((unsigned char)*at) && *at != '_' && (unsigned char)*at < 0x80)
			*at = '_';
	return clean;
}

static bool is_taken(char *const *names, uint32_t count, const char *name)
{
	for (uint32_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static int name_columns(struct tree *tree, struct enrg_error *err)
{
	tree->column_names = calloc(tree->schema->column_count, sizeof(*tree->column_names));
	for (uint32_t i = 0; tree->column_names && i < tree->schema->column_count; i++) {
		char *name = clean_name(tree->schema->columns[i].name), *longer;
		for (unsigned number = 2; name && is_taken(tree->column_names, i, name); number++) {
			free(name);
			longer = clean_name(tree->schema->columns[i].name);
			if (!longer || asprintf(&name, "%s_%u", longer, number) < 0)
				name = NULL;
			free(longer);
		}
		tree->column_names[i] = name;
		if (!name)
			return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	return tree->column_names ? 0 : enrg_error_set(err, -ENOMEM, "out of memory");
}

/* --- schema ------------------------------------------------------------------------------------------------------- */

static bool column_fits(const struct enrg_column *a, const struct enrg_column *b)
{
	return strcmp(a->name, b->name) == 0 && a->type == b->type && (a->type != ENRG_LIST || a->item == b->item);
}

bool tree_fits(const struct tree *tree, const struct enrg_schema *schema)
{
	if (tree->schema->column_count != schema->column_count)
		return false;
	for (uint32_t i = 0; i < schema->column_count; i++)
		if (!column_fits(&tree->schema->columns[i], &schema->columns[i]))
			return false;
	return true;
}

static void free_schema(struct enrg_schema *schema)
{
	for (uint32_t i = 0; schema && schema->columns && i < schema->column_count; i++) {
		free((char *)(uintptr_t)schema->columns[i].name);
		free((char *)(uintptr_t)schema->columns[i].unit);
	}
	if (schema)
		free((void *)(uintptr_t)schema->columns);
	free(schema);
}

static struct enrg_schema *copy_schema(const struct enrg_schema *schema)
{
	struct enrg_schema *copy = calloc(1, sizeof(*copy));
	struct enrg_column *columns = calloc(schema->column_count, sizeof(*columns));
	bool is_whole = copy && columns;

	for (uint32_t i = 0; is_whole && i < schema->column_count; i++) {
		columns[i] = schema->columns[i];
		columns[i].name = strdup(schema->columns[i].name);
		columns[i].unit = strdup(schema->columns[i].unit ? schema->columns[i].unit : "");
		is_whole = columns[i].name && columns[i].unit;
	}
	if (copy) {
		copy->columns = columns;
		copy->column_count = schema->column_count;
	}
	if (is_whole)
		return copy;
	free_schema(copy);
	if (!copy)
		free(columns);
	return NULL;
}

/* Kept from commit to commit: memory that is new has to be mapped first, which costs as much as swapping its bytes. */
struct task {
	struct bytes scratch, packed;
	uint64_t raw_bytes, elements;
	int rc;
	struct enrg_error err;
};

static void free_tasks(struct tree *tree)
{
	for (uint32_t i = 0; tree->tasks && i < tree->part_count; i++) {
		bytes_fini(&tree->tasks[i].scratch);
		bytes_fini(&tree->tasks[i].packed);
	}
	free(tree->tasks);
}

/* --- life --------------------------------------------------------------------------------------------------------- */

int tree_create(struct container *container, const struct tree_options *options, const struct enrg_schema *schema,
	struct tree **ret_tree, struct enrg_error *err)
{
	struct tree *tree = calloc(1, sizeof(*tree));
	int rc = 0;

	if (!tree)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	tree->format = options->is_ntuple ? &tree_format_ntuple : &tree_format_ttree;
	tree->container = container;
	tree->setting = options->setting;
	tree->cluster_bytes = options->cluster_bytes;
	tree->name = strdup(options->name);
	tree->schema = copy_schema(schema);
	tree->is_dirty = true; /* an empty tree is listed as well */
	if (!tree->name || !tree->schema)
		rc = enrg_error_set(err, -ENOMEM, "out of memory");
	if (rc == 0)
		rc = name_columns(tree, err);
	if (rc == 0)
		rc = cluster_init(&tree->open, schema, err);
	if (rc == 0)
		rc = tree->format->plan(tree, err);
	if (rc < 0) {
		tree_destroy(tree);
		return rc;
	}
	*ret_tree = tree;
	return 0;
}

void tree_destroy(struct tree *tree)
{
	if (!tree)
		return;
	for (size_t i = 0; i < tree->cluster_count; i++)
		free(tree->clusters[i].pages);
	free(tree->clusters);
	for (uint32_t i = 0; i < tree->part_count; i++)
		free(tree->parts[i].name);
	free(tree->parts);
	free_tasks(tree);
	for (uint32_t i = 0; tree->column_names && i < tree->schema->column_count; i++)
		free(tree->column_names[i]);
	free(tree->column_names);
	cluster_fini(&tree->open);
	free_schema(tree->schema);
	free(tree->name);
	free(tree);
}

int tree_write(struct tree *tree, const struct enrg_batch *batch, struct enrg_error *err)
{
	if (batch->rows == 0)
		return 0;
	tree->is_dirty = true;
	return cluster_append(&tree->open, batch, err);
}

uint64_t tree_rows(const struct tree *tree)
{
	return tree->rows + (tree->has_tail ? tree->clusters[tree->cluster_count - 1].rows : 0);
}

/* --- commit ------------------------------------------------------------------------------------------------------- */

struct encoding {
	const struct tree *tree;
	struct task *tasks;
};

static void encode_part(void *context, uint32_t index, struct compressor *compressor)
{
	const struct encoding *encoding = context;
	struct task *task = &encoding->tasks[index];
	const uint8_t *data;
	size_t count;

	bytes_clear(&task->scratch);
	bytes_clear(&task->packed);
	encoding->tree->format->encode(
		encoding->tree, &encoding->tree->parts[index], &task->scratch, &data, &count, &task->elements);
	task->raw_bytes = count;
	task->rc = bytes_check(&task->scratch, &task->err);
	if (task->rc == 0)
		task->rc =
			compress_append(compressor, &encoding->tree->setting, data, count, &task->packed, &task->err);
}

static int add_cluster(struct tree *tree, struct enrg_error *err)
{
	if (tree->cluster_count == tree->cluster_capacity) {
		size_t capacity = tree->cluster_capacity ? 2 * tree->cluster_capacity : 16;
		struct cluster_info *clusters = realloc(tree->clusters, capacity * sizeof(*clusters));
		if (!clusters)
			return enrg_error_set(err, -ENOMEM, "out of memory");
		tree->clusters = clusters;
		tree->cluster_capacity = capacity;
	}
	struct page *pages = calloc(tree->part_count, sizeof(*pages));
	if (!pages)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	tree->clusters[tree->cluster_count++] = (struct cluster_info){.first_row = tree->rows, .pages = pages};
	return 0;
}

/* A large tree has large clusters, a small one need not keep much in memory. */
static bool is_large_enough(const struct tree *tree)
{
	uint64_t wanted = tree->raw_bytes / FINISH_SHARE;

	if (wanted < FINISH_BYTES_MIN)
		wanted = FINISH_BYTES_MIN;
	if (wanted > tree->cluster_bytes)
		wanted = tree->cluster_bytes;
	return tree->open.bytes >= wanted;
}

static int put_pages(struct tree *tree, struct task *tasks, struct enrg_error *err)
{
	struct cluster_info *cluster = &tree->clusters[tree->cluster_count - 1];
	bool is_finished = is_large_enough(tree);
	int rc = 0;

	for (uint32_t i = 0; i < tree->part_count && rc == 0; i++) {
		struct page *page = &cluster->pages[i];
		rc = container_drop(tree->container, &page->place, err); /* of the tail before */
		page->elements = tasks[i].elements;
		page->first = tree->parts[i].elements;
		page->raw_bytes = tasks[i].raw_bytes;
		page->grows = !is_finished;
		if (rc == 0 && tasks[i].rc < 0)
			rc = enrg_error_set(err, tasks[i].rc, "%s", tasks[i].err.text);
		if (rc == 0)
			rc = tree->format->put_page(tree, &tree->parts[i], page, &tasks[i].packed, err);
	}
	cluster->rows = tree->open.rows;
	return rc;
}

static int put_cluster(struct tree *tree, struct pool *pool, struct enrg_error *err)
{
	if (!tree->tasks)
		tree->tasks = calloc(tree->part_count, sizeof(*tree->tasks));
	if (!tree->tasks)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	pool_run(pool, tree->part_count, encode_part, &(struct encoding){tree, tree->tasks});
	int rc = tree->has_tail ? 0 : add_cluster(tree, err);
	if (rc < 0)
		return rc;
	tree->has_tail = true;
	return put_pages(tree, tree->tasks, err);
}

static void finish_cluster(struct tree *tree)
{
	const struct cluster_info *cluster = &tree->clusters[tree->cluster_count - 1];

	for (uint32_t i = 0; i < tree->part_count; i++) {
		tree->parts[i].elements += cluster->pages[i].elements;
		tree->parts[i].raw_bytes += cluster->pages[i].raw_bytes + cluster->pages[i].place.key_bytes;
		tree->parts[i].stored_bytes += cluster->pages[i].place.bytes;
	}
	tree->rows += cluster->rows;
	tree->raw_bytes += tree->open.bytes;
	tree->has_tail = false;
	cluster_clear(&tree->open);
}

int tree_commit(struct tree *tree, struct pool *pool, struct enrg_error *err)
{
	int rc = 0;

	if (!tree->is_dirty)
		return 0;
	if (tree->open.rows)
		rc = put_cluster(tree, pool, err);
	if (rc == 0)
		rc = tree->format->put_meta(tree, err);
	if (rc < 0)
		return enrg_error_add(err, "%s: tree \"%s\"", tree->container->path, tree->name);
	if (tree->has_tail && is_large_enough(tree))
		finish_cluster(tree);
	tree->is_dirty = false;
	return 0;
}
