/* path.h: files and folders. */
#ifndef BASE_PATH_H
#define BASE_PATH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "enrgdaq/error.h"

/* mkdir -p of `path`. */
int path_make_folders(const char *path, mode_t mode, struct enrg_error *err);
/* mkdir -p of the folder that `path` lies in. */
int path_make_parent(const char *path, mode_t mode, struct enrg_error *err);
/* Whole file into malloc'ed memory, with a NUL behind it; -EFBIG beyond `bytes_max`. */
int path_read_file(const char *path, size_t bytes_max, char **ret_bytes, size_t *ret_count, struct enrg_error *err);
/* Atomically: temporary name in the same folder, write, rename. `sync`: fdatasync before the rename. */
int path_write_file(const char *path, const void *bytes, size_t count, int sync, struct enrg_error *err);
/* The same, readable and writable by this user alone whatever the umask. Not synced. */
int path_write_private_file(const char *path, const void *bytes, size_t count, struct enrg_error *err);
/* mkdir -p of `path`, which then belongs to this user and is closed to all others (0700), also where it was there
 * already with another mode. -EPERM: it is somebody else's, or a symbolic link. */
int path_make_private_folder(const char *path, struct enrg_error *err);
/* "daq (uid 1001)", or "uid 1001" where the number has no name. */
void path_format_user(uid_t user, char *ret_text, size_t text_bytes);
/* Makes a name that is safe as one path component: [A-Za-z0-9._-], others become '_'; never empty, "." or "..". */
void path_safe_name(const char *text, char *ret_name, size_t name_bytes);
/* The folder of this user's runtime files: $ENRGDAQ_RUNTIME_DIR, else /dev/shm/enrgdaq-<uid>. Does not make it. -EPERM
 * where others could put folders of theirs in the place of ours: it is somebody else's, or writable by everybody
 * without the sticky bit. */
int path_runtime_folder(char *ret_path, size_t path_bytes, struct enrg_error *err);

#endif
