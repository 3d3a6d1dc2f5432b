/* pickle.h: reads the pickles that NumPy makes of a dictionary of arrays, as a description of values. A pickle is a
 * program for a small stack machine that may call anything by its name; this machine knows four names, the ones that
 * stand for an array, its type and a single value, and calls nothing: all else is refused with its offset. Bounded in
 * memory, never recursive. One thread.
 */
#ifndef NUMPY_PICKLE_H
#define NUMPY_PICKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enrgdaq/error.h"

enum pickle_kind {
	PICKLE_NONE = 1,
	PICKLE_BOOL,
	PICKLE_INTEGER,
	PICKLE_FLOAT, /* its value is not kept: no array has one */
	PICKLE_TEXT,
	PICKLE_BYTES,
	PICKLE_TUPLE,
	PICKLE_LIST,
	PICKLE_DICT, /* its links are key, value, key, value … */
	PICKLE_ARRAY_MAKER,
	PICKLE_ARRAY_NAME,
	PICKLE_TYPE_MAKER,
	PICKLE_SCALAR_MAKER,
	PICKLE_ARRAY,  /* what it was built from: `state`, a tuple; or 0 */
	PICKLE_TYPE,   /* the same, and `bytes` is its code: "u8" */
	PICKLE_SCALAR, /* a single value of NumPy, which is not kept either */
	PICKLE_MARK,
};

struct pickle_value {
	enum pickle_kind kind;
	uint32_t first_link, last_link, link_count; /* of tuple, list, dict; link 0 is none */
	uint32_t state;                             /* value 0 is none */
	int64_t integer;                            /* also of a bool */
	const uint8_t *bytes;                       /* of text and bytes: in the pickle */
	uint64_t byte_count;
};

struct pickle_link {
	uint32_t value, next;
};

struct pickle {
	struct pickle_value *values; /* values[0] is nobody's */
	struct pickle_link *links;   /* links[0] is nobody's */
	uint32_t value_count, value_capacity, link_count, link_capacity;
	uint32_t root;
};

/* Reads bytes[0, count), which must live as long as the result. ENRG_E_CORRUPT with the offset, -ENOMEM. After an error
 * there is nothing to fini. Offsets in errors count from `origin`. */
int pickle_init(struct pickle *pickle, const void *bytes, size_t count, uint64_t origin, struct enrg_error *err);
/* Takes zeroed state. */
void pickle_fini(struct pickle *pickle);

/* Item `index` of a tuple, list or dict; values[0] where there is none. */
const struct pickle_value *pickle_item(const struct pickle *pickle, const struct pickle_value *value, uint32_t index);

#endif
