/* guard.h: asks disk_guard.h about the disks of all files of a set. Store process, main thread. */
#ifndef JOB_FILE_GUARD_H
#define JOB_FILE_GUARD_H

#include "job/file/file.h"

/* Is enough free on the disks of all open files? -ENOSPC: no; looks about once a second. */
int file_guard_check(struct file_set *set, uint64_t now_ns, struct enrg_error *err);

#endif
