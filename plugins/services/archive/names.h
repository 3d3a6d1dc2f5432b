/* names.h: names of copies and of what is on its way. No files. Any thread. */
#ifndef ARCHIVE_NAMES_H
#define ARCHIVE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAMES_PATH_BYTES 4096u

/* Where a copy grows, beside the place where it is to be: "deep/.archive-0123456789abcdef.part". The same for the same
 * name and job, so that what a kill left is written over. false: too long. */
bool names_format_part(const char *name, const char *job, char ret_part[NAMES_PATH_BYTES]);

/* The name of a copy whose own name is taken by another file: "deep/wave~20261128T041500Z.arrows" by the time of the
 * original's last change, from the second try on with a number behind it. Try 0 is the name as it is. */
bool names_format_copy(const char *name, int64_t changed_ns, unsigned try, char ret_name[NAMES_PATH_BYTES]);

/* What an original is called while it is removed: "deep/.wave.arrows.archived", and back (false: it is none). */
bool names_format_going(const char *name, char ret_going[NAMES_PATH_BYTES]);
bool names_parse_going(const char *going, char ret_name[NAMES_PATH_BYTES]);

/* Does the file's own name fit one of the patterns of fnmatch(3), or its whole name one with a slash in it? */
struct names_patterns {
	size_t count;
	const char *const *items;
};
bool names_match(const char *name, const struct names_patterns *patterns);

/* Of entries that begin with a pointer to their name, in its order: where the name is, or where it belongs. */
size_t names_find(const void *entries, size_t count, size_t entry_bytes, const char *name, bool *ret_is_there);

/* Is `inner` the folder `outer` or below it? Of two paths, by their names alone. */
bool names_is_inside(const char *inner, const char *outer);

#endif
