/* closing.h: whether a file is closed, and how it is removed without anybody who opens it at that moment losing a byte.
 * By leases of the kernel (fcntl(2), F_SETLEASE): one is given only where nobody has the file open. Where a file system
 * knows none (NFS), the open files of this machine's processes are looked through. One thread; SIGIO is to be ignored.
 */
#ifndef ARCHIVE_CLOSING_H
#define ARCHIVE_CLOSING_H

#include <stdbool.h>
#include <sys/stat.h>

#include "enrgdaq/error.h"

/* Has nobody the file open for writing? */
bool closing_is_closed(int folder, const char *name);

/* Removes the file below `folder` where it is still the one that `known` describes (size, time of change, inode) and
 * nobody has it open. 0; -EBUSY: somebody has, or it changed: it stays; -ENOENT: it is not there; -errno. */
int closing_remove(int folder, const char *name, const struct stat *known, struct enrg_error *err);

/* Renames where nothing lies under the new name yet. 0, or -1 with errno. */
int closing_rename(int folder, const char *from, const char *to);

#endif
