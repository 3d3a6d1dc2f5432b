/* secret_file.h: a secret that stands in a file of its own. Any thread. */
#ifndef BASE_SECRET_FILE_H
#define BASE_SECRET_FILE_H

#include "enrgdaq/error.h"

/* The text of a file that is this user's alone (mode 0600 or 0400), without the line end behind it; malloc'ed. The
 * reason of a failure says what to do. */
int secret_read_file(const char *path, char **ret_text, struct enrg_error *err);

#endif
