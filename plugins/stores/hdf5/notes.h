/* notes.h: the notes of a schema as attributes of what is made for its columns. One thread. */
#ifndef HDF5_NOTES_H
#define HDF5_NOTES_H

#include <hdf5.h>
#include <stdbool.h>

#include "enrgdaq/schema.h"

#define NOTES_OF_TABLE UINT32_MAX

struct note {
	uint32_t column; /* its index, or NOTES_OF_TABLE */
	char *key, *value;
};

struct notes {
	uint32_t count;
	struct note *items;
};

/* Copies. false: out of memory. notes_fini takes zeroed state, also after that. */
bool notes_init(struct notes *notes, const struct enrg_schema *schema);
void notes_fini(struct notes *notes);

/* Writes those of that column to an object that was just made, as far as its header has room: none of them is worth the
 * rows. Names that the object has already stay as they are. */
void notes_write(const struct notes *notes, uint32_t column, hid_t object);

#endif
