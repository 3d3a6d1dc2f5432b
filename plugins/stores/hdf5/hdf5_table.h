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
#include "notes.h"

struct column {
	char *name; /* as the file spells it */
	char *unit;
	enum enrg_type type, item;
	struct growing values;
	struct growing offsets; /* of strings, bytes and lists */
	struct growing valid;
	bool has_valid; /* a value was missing once */
};

struct hdf5_table {
	char *group_name, *valid_name;
	hid_t group; /* < 0: not in the file yet */
	int deflate_level;
	uint64_t rows, pending_rows; /* in the file; in memory */
	uint64_t pending_bytes;
	uint32_t column_count;
	struct column *columns;
	struct notes notes;
	struct hdf5_table *next;
};

#define HDF5_TABLE_IS_FOREIGN 1

/* For rows of these columns in that group; nothing is done to a file. */
int hdf5_table_create(const char *group_name, const struct enrg_schema *schema, int deflate_level,
	struct hdf5_table **ret_table, struct enrg_error *err);
void hdf5_table_destroy(struct hdf5_table *table);
bool hdf5_table_equal(const struct hdf5_table *table, const struct hdf5_table *other);

/* Opens the group and its columns where they are there. HDF5_TABLE_IS_FOREIGN: other columns are there. */
int hdf5_table_open(struct hdf5_table *table, hid_t file, const struct shadow *shadow, struct enrg_error *err);
/* Do chunks of it move about in the file? */
bool hdf5_table_is_packed(const struct hdf5_table *table);

/* Into memory, or to libhdf5 where it is much. */
int hdf5_table_append(
	struct hdf5_table *table, const struct enrg_batch *batch, const struct shadow *shadow, struct enrg_error *err);
/* All to libhdf5. */
int hdf5_table_flush(struct hdf5_table *table, hid_t file, const struct shadow *shadow, struct enrg_error *err);

#endif
