/* record_file.h: files of lines of words, of mode 0600, that several programs change: a lock of their folder, written
 * whole under another name, renamed. Any thread. */
#ifndef WEB_ACCESS_RECORD_FILE_H
#define WEB_ACCESS_RECORD_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "enrgdaq/error.h"

enum { RECORD_FILE_BYTES_MAX = 1 << 20, RECORD_WORDS_MAX = 5, RECORD_NAME_BYTES = 64 };

struct record_stamp { /* of a file as it was read */
	uint64_t device, inode, size;
	struct timespec written, changed;
	bool is_there;
};

/* One program at a time changes files of this folder; waits at most 10 s. *ret_lock: for record_file_unlock. */
int record_file_lock(const char *folder, int *ret_lock, struct enrg_error *err);
void record_file_unlock(int lock);
/* A file that is not there is empty. -EPERM: others may get at it, or it is somebody else's; -EFBIG. malloc'ed. */
int record_file_read(const char *path, char **ret_text, struct record_stamp *ret_stamp, struct enrg_error *err);
/* Another one than that, or with other bytes: one system call. */
bool record_file_has_changed(const char *path, const struct record_stamp *stamp);
/* With the lock. On the disk when it returns. */
int record_file_write(const char *path, const char *text, size_t count, struct enrg_error *err);

/* The next line of *text, which is cut into words there; sets *text behind it. Its number of words, which is 0 for
 * an empty line or a comment ('#'), and RECORD_WORDS_MAX + 1 for more; -ENOENT: there is none. */
int record_line_next(char **text, const char *ret_words[RECORD_WORDS_MAX]);

/* [A-Za-z0-9._@-], 1 to 63 of them, not '-' first. */
bool record_name_is_good(const char *name);
/* "2026-11-28T10:19:09Z"; seconds since 1970, 0 is "never". */
void record_time_format(int64_t seconds, char ret_text[32]);
int record_time_parse(const char *text, int64_t *ret_seconds);

#endif
