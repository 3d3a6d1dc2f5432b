/* tree.h: one table in the file, whichever of the two formats it has: its rows, its pages, and what a commit does with
 * them.
 *
 * A cluster is a range of rows; each of its parts (a column, or the counts of a column) is one page (basket). A cluster
 * is finished when it is large enough; until then each commit writes it anew, to another place, so that slow sources do
 * not leave a page a second.
 */
#ifndef ROOT_TREE_H
#define ROOT_TREE_H

#include "cluster.h"
#include "compress.h"
#include "container.h"
#include "flight.h"
#include "pool.h"

#define TREE_META_MAX  4u
#define TREE_TIME_UNIT "ns since 1970-01-01 00:00:00 UTC" /* in the title or description of a column of times */

struct page {
	struct place place;
	uint64_t elements; /* values that the page holds */
	uint64_t first;    /* number of its first value in the whole tree */
	uint64_t raw_bytes;
	bool grows; /* of a cluster that is not finished */
};

struct cluster_info {
	uint64_t first_row, rows;
	struct page *pages; /* one a part */
};

struct part {
	uint32_t column;
	bool is_ends;                     /* the column's ends (RNTuple) or counts (TTree), else its values */
	char *name;                       /* of the branch (TTree) */
	uint64_t raw_bytes, stored_bytes; /* of all finished pages */
	uint64_t elements;
	uint64_t took_ns; /* to make a page of it, the last time */
};

struct tree_options {
	const char *name;
	struct compress_setting setting;
	bool is_ntuple;
	uint64_t cluster_bytes; /* finish a cluster of that size at the latest */
	struct pool *pool;
};

struct tree {
	struct tree *next;
	const struct tree_format *format;
	struct container *container;
	struct pool *pool;
	char *name;
	struct compress_setting setting;
	uint64_t cluster_bytes;
	struct enrg_schema *schema; /* as the source has it */
	char **column_names;        /* as they stand in the file */
	struct cluster open;
	struct part *parts;
	uint32_t part_count;
	struct cluster_info *clusters; /* the last one is not finished while has_tail */
	size_t cluster_count, cluster_capacity;
	struct flight flights[FLIGHTS]; /* a ring of them, the oldest first */
	unsigned first_flight, flight_count;
	bool has_tail, is_dirty;
	uint64_t rows;                    /* in finished clusters */
	uint64_t raw_bytes;               /* in finished clusters */
	struct place meta[TREE_META_MAX]; /* of the state at hand */
	struct place header;              /* written once (RNTuple) */
	uint64_t header_bytes, header_sum;
};

struct encoded {
	const uint8_t *data;
	size_t count;
	uint64_t elements;
};

struct tree_format {
	const char *class_name;
	/* Names the parts of the tree. */
	int (*plan)(struct tree *tree, struct enrg_error *err);
	/* The raw bytes of a part of these rows: either in place or built in `scratch`. Any thread. */
	void (*encode)(const struct tree *tree, const struct part *part, const struct cluster *rows,
		struct bytes *scratch, struct encoded *ret_encoded);
	/* Writes the packed bytes of a page as a record. */
	int (*put_page)(struct tree *tree, const struct part *part, struct page *page, struct bytes *packed,
		struct enrg_error *err);
	/* Writes what leads to all pages, and lists it in the directory. */
	int (*put_meta)(struct tree *tree, struct enrg_error *err);
};

extern const struct tree_format tree_format_ntuple, tree_format_ttree;

int tree_create(struct container *container, const struct tree_options *options, const struct enrg_schema *schema,
	struct tree **ret_tree, struct enrg_error *err);
void tree_destroy(struct tree *tree); /* takes NULL */
bool tree_fits(const struct tree *tree, const struct enrg_schema *schema);
/* Gathers the rows; writes pages of clusters that are full. */
int tree_write(struct tree *tree, const struct enrg_batch *batch, struct enrg_error *err);
/* Writes pages and what leads to them, where there is something new. */
int tree_commit(struct tree *tree, struct enrg_error *err);
/* All rows, those of the tail as well. */
uint64_t tree_rows(const struct tree *tree);

#endif
