/* log_file.h: the file that lines of a log are appended to, by several processes at once. Before each line it is looked
 * up by its path: one that was removed, renamed or replaced (by logrotate, by hand, by another process of the run) is
 * begun anew. One thread a process. */
#ifndef BASE_LOG_FILE_H
#define BASE_LOG_FILE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct log_file {
	char path[4096];
	uint64_t rotate_bytes; /* 0 = it grows for ever */
	unsigned keep;         /* files before it: PATH.1 is the newest */
	int descriptor;        /* -1 = not open */
	dev_t device;
	ino_t inode;
	int is_torn; /* its end is no whole line: the disk was full in the middle of it */
	_Atomic int is_reopen_wanted;
};

void log_file_init(struct log_file *file, const char *path, uint64_t rotate_bytes, unsigned keep);
/* Appends a line; rotates when the file has reached its size. 0, -errno. */
int log_file_put(struct log_file *file, const char *line, size_t bytes);
/* Opens it anew with the next line. Any thread. */
void log_file_reopen(struct log_file *file);
void log_file_fini(struct log_file *file);

#endif
