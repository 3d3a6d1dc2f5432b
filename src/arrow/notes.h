/* notes.h: the notes of a schema (struct enrg_note): checked, compared. Pure, any process and thread. */
#ifndef ARROW_NOTES_H
#define ARROW_NOTES_H

#include "enrgdaq/schema.h"

/* May a note say this? Of a column, or of the table. What other programs note and this is not true of is left out where
 * their files are read. */
bool notes_can_say(bool is_of_column, const char *key, const char *value);

/* 0, or -EINVAL / -EMSGSIZE with the note in err. The columns were checked before. */
int notes_check(const struct enrg_schema *schema, struct enrg_error *err);

/* The same notes, in whatever order. */
bool notes_equal(const struct enrg_schema *a, const struct enrg_schema *b);

/* The first note of `a` that `b` has with another value; NULL: none. */
const struct enrg_note *notes_find_other(
	const struct enrg_schema *a, const struct enrg_schema *b, const char **ret_value);

#endif
