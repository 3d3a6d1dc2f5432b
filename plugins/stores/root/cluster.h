/* cluster.h: the rows of a tree that are not in finished pages yet, column by column. */
#ifndef ROOT_CLUSTER_H
#define ROOT_CLUSTER_H

#include "rootio/bytes.h"
#include "enrgdaq/batch.h"

struct cluster_column {
	enum enrg_type type; /* of the column */
	enum enrg_type
		item;   /* of what lies in `values`: numbers; ENRG_BOOL: a byte a value; ENRG_U8 for text and bytes */
	uint32_t width; /* bytes of one value */
	struct bytes values; /* little-endian */
	struct bytes
		ends; /* of variable ones: uint64_t, where each row's values end, counted from the cluster's start */
	uint64_t longest; /* row of this tree ever, in values */
};

struct cluster {
	uint64_t rows, bytes; /* bytes: of values and ends */
	uint32_t column_count;
	struct cluster_column *columns;
};

int cluster_init(struct cluster *cluster, const struct enrg_schema *schema, struct enrg_error *err);
void cluster_fini(struct cluster *cluster); /* takes zeroed */
/* Missing values become NaN, 0, false and empty. -ENOMEM: the cluster is not to be used any more. */
int cluster_append(struct cluster *cluster, const struct enrg_batch *batch, struct enrg_error *err);
void cluster_clear(struct cluster *cluster);

static inline bool cluster_is_variable(const struct cluster_column *column)
{
	return enrg_type_is_variable(column->type);
}

static inline const uint64_t *cluster_ends(const struct cluster_column *column)
{
	return (const uint64_t *)(const void *)column->ends.data;
}

static inline uint64_t cluster_value_count(const struct cluster_column *column)
{
	return column->values.count / column->width;
}

#endif
