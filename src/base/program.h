/* program.h: where a program that belongs to this one lies, such as `enrgdaq-runs`; it may be left out of a build. Any
 * thread. */
#ifndef BASE_PROGRAM_H
#define BASE_PROGRAM_H

#include <stddef.h>

/* $VARIABLE; else `name` in the folder of this program (a build), in LIBEXECDIR/enrgdaq of the prefix that it was
 * installed to, and of the one that it was configured for. 0, -ENOENT. */
int program_find(const char *name, const char *variable, char *ret_path, size_t path_bytes);

#endif
