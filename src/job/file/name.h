/* name.h: parts of a file's name. Any thread. */
#ifndef JOB_FILE_NAME_H
#define JOB_FILE_NAME_H

#include <stddef.h>

/* Length of a file's own name up to its extension; a compression suffix belongs to the extension. */
size_t file_stem_length(const char *name);

#endif
