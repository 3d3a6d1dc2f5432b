/* recovery.h: puts back the HDF5 files of a dead life that nobody opens any more: the next file is that of another day,
 * run or part. One thread.
 */
#ifndef HDF5_RECOVERY_H
#define HDF5_RECOVERY_H

#include "container.h"

/* All files in the folder that have the hidden files of an unfinished life beside them, but those that another process
 * writes or that are among `open`. One that can't be put back is told by an alert and left as it is. */
void recovery_run(struct enrg_store *store, const char *folder, const struct container *open);

#endif
