/* tree.c: what both formats have in common. Store process, main thread; pages are encoded and compressed by its helper
 * as well. */
#include "tree.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FINISH_BYTES_MIN (64u << 10) /* of a cluster … */
#define FINISH_SHARE     64u         /* … and a share of the tree, so that large trees have large clusters … */
#define FINISH_PART      4u          /* … up to this part of the largest, so that little is written twice */

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
	tree->pool = options->pool;
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
	for (unsigned i = 0; i < FLIGHTS && rc == 0; i++)
		rc = flight_init(&tree->flights[i], tree, err);
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
	for (unsigned i = 0; i < FLIGHTS; i++)
		flight_fini(&tree->flights[i], tree);
	for (size_t i = 0; i < tree->cluster_count; i++)
		free(tree->clusters[i].pages);
	free(tree->clusters);
	for (uint32_t i = 0; i < tree->part_count; i++)
		free(tree->parts[i].name);
	free(tree->parts);
	for (uint32_t i = 0; tree->column_names && i < tree->schema->column_count; i++)
		free(tree->column_names[i]);
	free(tree->column_names);
	cluster_fini(&tree->open);
	free_schema(tree->schema);
	free(tree->name);
	free(tree);
}

uint64_t tree_rows(const struct tree *tree)
{
	return tree->rows + (tree->has_tail ? tree->clusters[tree->cluster_count - 1].rows : 0);
}

/* --- commit ------------------------------------------------------------------------------------------------------- */

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
	if (wanted > tree->cluster_bytes / FINISH_PART)
		wanted = tree->cluster_bytes / FINISH_PART;
	return tree->open.bytes >= wanted;
}

static int put_pages(struct tree *tree, const struct flight *flight, bool is_finished, struct enrg_error *err)
{
	struct cluster_info *cluster = &tree->clusters[tree->cluster_count - 1];
	int rc = 0;

	for (uint32_t i = 0; i < tree->part_count && rc == 0; i++) {
		struct page *page = &cluster->pages[i];
		struct flight_task *task = &flight->tasks[i];
		rc = container_drop(tree->container, &page->place, err); /* of the tail before */
		page->elements = task->elements;
		page->first = tree->parts[i].elements;
		page->raw_bytes = task->raw_bytes;
		page->grows = !is_finished;
		tree->parts[i].took_ns = task->took_ns;
		if (rc == 0 && task->rc < 0)
			rc = enrg_error_set(err, task->rc, "%s", task->err.text);
		if (rc == 0)
			rc = tree->format->put_page(tree, &tree->parts[i], page, &task->packed, err);
	}
	cluster->rows = flight->rows->rows;
	return rc;
}

static void finish_cluster(struct tree *tree, struct cluster *rows)
{
	const struct cluster_info *cluster = &tree->clusters[tree->cluster_count - 1];

	for (uint32_t i = 0; i < tree->part_count; i++) {
		tree->parts[i].elements += cluster->pages[i].elements;
		tree->parts[i].raw_bytes += cluster->pages[i].raw_bytes + cluster->pages[i].place.key_bytes;
		tree->parts[i].stored_bytes += cluster->pages[i].place.bytes;
	}
	tree->rows += cluster->rows;
	tree->raw_bytes += rows->bytes;
	tree->has_tail = false;
	cluster_clear(rows);
}

/* Writes the pages of the cluster that waits longest for it. */
static int land(struct tree *tree, bool is_finished, struct enrg_error *err)
{
	struct flight *flight = &tree->flights[tree->first_flight];

	flight_finish(flight, tree);
	tree->first_flight = (tree->first_flight + 1) % FLIGHTS;
	tree->flight_count--;
	int rc = tree->has_tail ? 0 : add_cluster(tree, err);
	if (rc < 0)
		return rc;
	tree->has_tail = true;
	rc = put_pages(tree, flight, is_finished, err);
	if (rc == 0 && flight->rows == &flight->full)
		finish_cluster(tree, &flight->full);
	return rc;
}

static struct flight *next_flight(struct tree *tree)
{
	return &tree->flights[(tree->first_flight + tree->flight_count++) % FLIGHTS];
}

/* A full cluster does not wait for the commit: its pages are made while the next one fills, and are written while yet
 * others are made. */
int tree_write(struct tree *tree, const struct enrg_batch *batch, struct enrg_error *err)
{
	if (batch->rows == 0)
		return 0;
	tree->is_dirty = true;
	int rc = cluster_append(&tree->open, batch, err);
	if (rc < 0 || tree->open.bytes < tree->cluster_bytes)
		return rc;
	if (tree->flight_count == FLIGHTS)
		rc = land(tree, true, err);
	if (rc < 0)
		return enrg_error_add(err, rc, "%s: tree \"%s\"", tree->container->path, tree->name);
	flight_start_full(next_flight(tree), tree);
	return 0;
}

static int land_all(struct tree *tree, bool *ret_is_finished, struct enrg_error *err)
{
	bool is_open_left = tree->open.rows > 0;
	int rc = 0;

	if (is_open_left && tree->flight_count == FLIGHTS)
		rc = land(tree, true, err);
	if (rc == 0 && is_open_left)
		flight_start(next_flight(tree), tree, &tree->open);
	while (rc == 0 && tree->flight_count > (is_open_left ? 1u : 0u))
		rc = land(tree, true, err);
	*ret_is_finished = is_large_enough(tree);
	return rc == 0 && is_open_left ? land(tree, *ret_is_finished, err) : rc;
}

int tree_commit(struct tree *tree, struct enrg_error *err)
{
	bool is_finished;

	if (!tree->is_dirty)
		return 0;
	int rc = land_all(tree, &is_finished, err);
	if (rc == 0)
		rc = tree->format->put_meta(tree, err);
	if (rc < 0)
		return enrg_error_add(err, rc, "%s: tree \"%s\"", tree->container->path, tree->name);
	if (tree->has_tail && is_finished)
		finish_cluster(tree, &tree->open);
	tree->is_dirty = false;
	return 0;
}
