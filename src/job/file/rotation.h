/* rotation.h: parts of rotated files: which one a file is, and whether the next is due (enrg_file_part and its like of
 * enrgdaq/store.h). Called by file.c. Store process, main thread. */
#ifndef JOB_FILE_ROTATION_H
#define JOB_FILE_ROTATION_H

#include "job/file/file.h"

void file_rotation_opened(struct enrg_file *file, const char *path);
/* It is committed and nobody has it open any more. */
void file_rotation_closing(struct enrg_file *file);
void file_rotation_fini(struct file_set *set);

#endif
