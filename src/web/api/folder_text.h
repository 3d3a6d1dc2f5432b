/* folder_text.h: files of the configuration folder as texts: which may be named, read whole, replaced atomically, with
 * a dated copy of what was there. Workers. Process: enrgdaq-web. */
#ifndef WEB_API_FOLDER_TEXT_H
#define WEB_API_FOLDER_TEXT_H

#include <stddef.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/sha256.h"
#include "enrgdaq/error.h"

#define FOLDER_TEXT_NAME_BYTES 512u
#define FOLDER_TEXT_BYTES_MAX  (256u << 10)

/* May a file of the folder be called so: relative, NAME.toml, no hidden part, no "..", nothing that a terminal or a
 * shell takes amiss. -EINVAL: err says what is wrong with it. */
int folder_text_check_name(const char *file, struct enrg_error *err);
/* Of a path that a status names, as it is called in the folder. -ENOENT: it lies elsewhere. */
int folder_text_relative(const char *folder, const char *path, char *ret_file, size_t file_bytes);
/* The whole file, free(). No link is followed. -EINVAL: no such name; -ENOENT: there is none; -EFBIG; -errno. */
int folder_text_read(const char *folder, const char *file, char **ret_text, size_t *ret_bytes, struct enrg_error *err);

/* [{"file", "bytes", "modified_ns"}]: all that a supervisor would read, sorted; at most 10,000. New reference; NULL:
 * the folder can't be read. */
json_t *folder_text_list(const char *folder, struct enrg_error *err);

struct folder_text_change {
	const char *folder, *file, *text;
	const char *kept_folder; /* where the copy goes; made where it is missing */
	const char *expected;    /* SHA-256 of what is there; "": there is no such file */
};
/* The text lies on the disk in the place of the old one, or nothing was changed. *ret_sha256: of what is there now.
 * -ESTALE: it is not what was expected (ret_sha256 says what it is, "" none); -EINVAL, -ENOENT, -errno. */
int folder_text_write(
	const struct folder_text_change *change, char ret_sha256[SHA256_HEX_BYTES], struct enrg_error *err);

#endif
