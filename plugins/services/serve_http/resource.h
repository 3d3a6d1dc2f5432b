/* resource.h: what a request asks for: its path and its range, as bytes from outside. No files, no framework. Any
 * thread.
 */
#ifndef SERVE_HTTP_RESOURCE_H
#define SERVE_HTTP_RESOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define RESOURCE_PATH_BYTES 4096u

/* The path below the served folder that a URL's path means: percent signs decoded, TODAY and YESTERDAY replaced by the
 * local days (2026-11-28) of `now`; "." for the folder itself. false: it has none: a sign that is no percent-encoding,
 * a control character, a part that begins with a dot (hidden files, "..", ".") or is resource_is_hidden, or it is too
 * long. */
bool resource_parse_path(const char *url, time_t now, char ret_path[RESOURCE_PATH_BYTES]);
/* Is a name one that nobody is shown: with a dot before it, or of what the program itself remembers? */
bool resource_is_hidden(const char *name);

/* A path as part of a URL: everything but letters, digits and "-._~/" is percent-encoded. As snprintf. */
size_t resource_format_path(const char *path, char *ret_url, size_t url_bytes);

enum resource_range {
	RESOURCE_WHOLE = 0, /* there is no range, or none that can be made out: the whole file, as RFC 9110 wants it */
	RESOURCE_PART,
	RESOURCE_OUTSIDE, /* of the file: 416 */
};

/* Of "bytes=…" for a file of `size` bytes; `header` may be NULL. Several ranges are not taken apart: the whole file. */
enum resource_range resource_parse_range(const char *header, uint64_t size, uint64_t *ret_first, uint64_t *ret_count);

/* Is one of the entity tags in the list (If-None-Match) `etag`, or is the list "*"? Weak and strong ones are the same.
 */
bool resource_has_etag(const char *header, const char *etag);

/* "Sat, 28 Nov 2026 04:10:00 GMT" and back; false: it is none. */
#define RESOURCE_DATE_BYTES 32u
void resource_format_date(time_t time, char ret_text[RESOURCE_DATE_BYTES]);
bool resource_parse_date(const char *text, time_t *ret_time);

/* Is the Host of a request this machine seen from itself ("localhost", 127.0.0.1, [::1], any port) or `host`? */
bool resource_is_own(const char *header, const char *host);

#endif
