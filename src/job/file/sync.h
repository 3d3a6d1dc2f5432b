/* sync.h: which files are synced when, as their store's options ask (enrg_file_sync, enrg_file_set_sync of
 * enrgdaq/store.h). Store process, main thread. */
#ifndef JOB_FILE_SYNC_H
#define JOB_FILE_SYNC_H

#include "job/file/file.h"

/* Its time is that of the options again, where nobody has it open. */
void file_sync_opened(struct enrg_file *file);
/* It is committed and nobody has it open any more. */
void file_sync_closing(struct enrg_file *file);
/* Before its committed length becomes its length. */
void file_sync_committed(struct enrg_file *file);
/* Before a commit is noted, and once a second with `ahead_ns` until the next call: syncs the files whose time is up. */
int file_sync_due(struct file_set *set, uint64_t now_ns, uint64_t ahead_ns, struct enrg_error *err);

#endif
