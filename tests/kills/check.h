/* check.h: reads back what a series of instances has left. In the test process. */
#ifndef KILLS_CHECK_H
#define KILLS_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "harness.h"

/* Is each row of all rounds in the files once, in order in each file, and each cell as it was sent? Else *ret_text says
 * what is wrong. Folders with the same bytes in them are read once. */
bool check_folder(const struct store_kind *kind, const char *out_dir, char *ret_text, size_t text_bytes);
/* How many different ones were read. */
unsigned check_count(void);

#endif
