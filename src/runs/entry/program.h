/* program.h: where the program `enrgdaq-runs` lies, which owns the database of runs. It is left out where SQLite is
 * missing. Any thread. */
#ifndef RUNS_ENTRY_PROGRAM_H
#define RUNS_ENTRY_PROGRAM_H

#include <stddef.h>

#define PROGRAM_NAME "enrgdaq-runs"

/* $ENRGDAQ_RUNS_BIN; else the folder of this program (a build), LIBEXECDIR/enrgdaq of the prefix that it was installed
 * to, and of the one that it was configured for. 0, -ENOENT. */
int program_find(char *ret_path, size_t path_bytes);

#endif
