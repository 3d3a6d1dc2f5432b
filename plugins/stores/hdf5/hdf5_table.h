/* hdf5_table.h: the columns of a table in one group of a file. One thread.
 *
 *   GROUP/COLUMN                            numbers, booleans (uint8)
 *   GROUP/COLUMN/values, GROUP/COLUMN/offsets  strings, bytes, lists: row i is values[offsets[i - 1] … offsets[i])
 *   GROUP_valid/COLUMN                      1, or 0 where a value is missing; not there where none is
 */
#ifndef HDF5_HDF5_TABLE_H
#define HDF5_HDF5_TABLE_H

#include "enrgdaq/batch.h"
#include "growing.h"

struct column {
	char *name; /* as the file spells it */
	char *unit;
	enum enrg_type type, item;
	struct series values;
	struct series offsets; /* of strings, bytes and lists */
	struct series valid;
	bool has_valid;        /* a value was missing once */
};

struct table {
	char *group_name, *valid_name;
	hid_t group; /* < 0: not in the file yet */
	int deflate_level;
	uint64_t rows, pending_rows; /* in the file; in memory */
	uint64_t pending_bytes;
	uint32_t column_count;
	struct column *columns;
	struct table *next;
};

#define TABLE_IS_FOREIGN 1

/* For rows of these columns in that group; nothing is done to a file. */
int table_create(const char *group_name, const struct enrg_schema *schema, int deflate_level, struct table **ret_table,
	struct enrg_error *err);
void table_destroy(struct table *table);
bool table_equal(const struct table *table, const struct table *other);

/* Opens the group and its columns where they are there. TABLE_IS_FOREIGN: other columns are there. */
int table_open(struct table *table, hid_t file, const struct shadow *shadow, struct enrg_error *err);
/* Do chunks of it move about in the file? */
bool table_is_packed(const struct table *table);

/* Into memory, or to libhdf5 where it is much. */
int table_append(struct table *table, const struct enrg_batch *batch, const struct shadow *shadow,
	struct enrg_error *err);
/* All to libhdf5. */
int table_flush(struct table *table, hid_t file, const struct shadow *shadow, struct enrg_error *err);

#endif
