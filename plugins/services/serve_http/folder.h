/* folder.h: the files below one folder, and nothing else: paths are opened with openat2(2), which follows no link out
 * of it and no magic link of /proc. No HTTP. One thread. */
#ifndef SERVE_HTTP_FOLDER_H
#define SERVE_HTTP_FOLDER_H

#include <stddef.h>
#include <sys/stat.h>

#include "enrgdaq/error.h"

/* Does this kernel have openat2? 0, or -ENOSYS with what that means. */
int folder_check_kernel(struct enrg_error *err);

/* Opens `path` (from resource_parse_path) below `root` for reading: a regular file or a folder. A descriptor; -ENOENT:
 * there is none that may be seen; -ENOTDIR: the root itself is not there; -EACCES, -EMFILE and such. */
int folder_open(const char *root, const char *path, struct stat *ret_status);

/* A page that lists the folder of `descriptor`, as HTML in malloc'ed memory: folders first, by name, with size and
 * date; no hidden names, nothing that folder_open would refuse. `url_path` as it is shown and linked to. 0, -errno. */
int folder_list(int descriptor, const char *root, const char *path, char **ret_html, size_t *ret_bytes);

#endif
