/* audit.h: `audit.jsonl` of web.folder: every change and every refused attempt, a JSON object a line, only appended to.
 * A thread of its own writes, so that nobody waits for a disk. Any thread. */
#ifndef WEB_ACCESS_AUDIT_H
#define WEB_ACCESS_AUDIT_H

#include <jansson.h>

#include "web/access/access.h"

enum {
	AUDIT_REFUSED_PER_SECOND = 20,     /* lines; what is beyond is counted */
	AUDIT_WAITING_BYTES_MAX = 4 << 20, /* what waits for the disk; what is beyond is counted */
	AUDIT_ABOUT_BYTES_MAX = 320 << 10, /* of one line */
	AUDIT_FILE_BYTES_MAX = 16 << 20,   /* then it is kept as audit-TIME.jsonl, and a new one begun */
	AUDIT_PAGE_MAX = 1000,             /* lines that are read at once … */
	AUDIT_PAGE_BYTES_MAX = 4 << 20     /* … and bytes: then the page ends, with one line at least */
};

struct audit;
/* The file is opened (0600) with the first line. -ENOMEM, or no thread. */
int audit_open(const char *folder, struct audit **ret_audit, struct enrg_error *err);
/* Writes what waits; gives a disk that stands still 2 s. */
void audit_close(struct audit *audit);
void audit_set_run(struct audit *audit, const char *run);

struct audit_entry {
	const struct access_who *who;
	const char *what, *result;
	const char *about; /* JSON text, or any; NULL */
	bool is_refused;   /* of a storm of these only so many become lines */
};
void audit_add(struct audit *audit, const struct audit_entry *entry);
/* Until all that was added is in the file; at most so long, and not where it can't be written. */
void audit_flush(struct audit *audit, uint32_t timeout_ms);

/* Puts "***" in the place of the values of members whose names say that they are secret, also inside of text that is
 * JSON or TOML. In place of `json`. */
void audit_mask(json_t *json);

struct audit_query {
	const char *who, *what, *result; /* parts of what stands there; NULL, "": any */
	const char *before;              /* "" or NULL: from the newest on; else `next` of the page before */
	uint32_t limit;
};
/* {"entries": […] newest first, "next": text or null}. Reads files: a worker calls it. New reference; NULL: `err`. */
json_t *audit_read(const char *folder, const struct audit_query *query, struct enrg_error *err);

#endif
