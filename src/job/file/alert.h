/* alert.h: what the files of a store have to say to its operator. Store process, main thread. */
#ifndef JOB_FILE_ALERT_H
#define JOB_FILE_ALERT_H

#include "job/file/file.h"

/* Text of at most 900 bytes, by the function of the set. */
void file_set_tell(struct file_set *set, enum enrg_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
