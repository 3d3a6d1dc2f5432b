/* policy.h: what the options of all file stores (struct enrg_file_options) do to the files of a set: rotation,
 * syncing, the guard of free space, direct I/O. file.c calls the first group, store.c the second.
 *
 * Store process, main thread.
 */
#ifndef JOB_FILE_POLICY_H
#define JOB_FILE_POLICY_H

#include "job/file/file.h"

void file_policy_opened(struct enrg_file *file, const char *path);
/* It is committed and nobody has it open any more. */
void file_policy_closing(struct enrg_file *file);
/* Before its committed length becomes its length. */
void file_policy_committed(struct enrg_file *file);
/* Writes at the end, past the page cache where that pays. Negative with errno set. */
int file_policy_write(struct enrg_file *file, const void *bytes, uint64_t byte_count);
void file_policy_fini(struct file_set *set);

/* Before a commit is noted, and once a second with `ahead_ns` until the next call: syncs the files whose time is up. */
int file_policy_sync(struct file_set *set, uint64_t now_ns, uint64_t ahead_ns, struct enrg_error *err);
/* Is enough free on the disks of all open files? -ENOSPC: no; looks about once a second. */
int file_policy_guard(struct file_set *set, uint64_t now_ns, struct enrg_error *err);

#endif
