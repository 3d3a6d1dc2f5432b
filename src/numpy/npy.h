/* npy.h: what numpy.save wrote of a dictionary of arrays, as columns. Each array is a column: of numbers, booleans,
 * text (U: becomes UTF-8) or bytes (S) where it has one dimension, a list a row where it has two and holds numbers.
 * Both byte orders, both orders of dimensions. The format: "\x93NUMPY", a version, a header that is a Python literal,
 * and a pickle (pickle.h). One thread.
 */
#ifndef NUMPY_NPY_H
#define NUMPY_NPY_H

#include "enrgdaq/batch.h"

struct npy_table {
	struct enrg_schema schema;
	struct enrg_column_view *views;
	uint64_t rows;
	uint64_t value_bytes; /* of all columns */
	/* what is to be freed */
	struct enrg_column *columns;
	char **names;
	void **memory; /* two a column: offsets, values */
};

/* Reads the record bytes[0, count); the table has memory of its own. ENRG_E_CORRUPT says what stands where, -ENOTSUP
 * which array is of a type that no column can have, -ENOMEM. After an error there is nothing to fini. */
int npy_init(struct npy_table *table, const void *bytes, size_t count, struct enrg_error *err);
/* Takes zeroed state. */
void npy_fini(struct npy_table *table);

#endif
