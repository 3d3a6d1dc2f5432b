/* draft.h: a text that grows, and the rules of where it goes: JSON, Slack, a line of a mail. Out of memory is noted,
 * and seen at the end. */
#ifndef OUTGOING_DRAFT_H
#define OUTGOING_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct draft {
	char *text; /* NULL, or with a NUL behind it */
	size_t byte_count, capacity;
	bool is_failed;
};

void draft_fini(struct draft *draft);
/* What was made, to be freed by the caller; NULL: out of memory. The draft is empty then. */
char *draft_take(struct draft *draft);

void draft_add(struct draft *draft, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A string of JSON, quotes included. */
void draft_add_json(struct draft *draft, const char *text);
/* As Slack reads it: no mention (<!channel>), no link, no code, whatever it says. Not JSON yet. */
void draft_add_slack(struct draft *draft, const char *text);
/* One line: control characters, CR and LF above all, are blanks; bytes that are not UTF-8 text are '?'. */
void draft_add_line(struct draft *draft, const char *text);
/* The value of a header of a mail (RFC 2047): one line, encoded where it is more than ASCII. */
void draft_add_header(struct draft *draft, const char *text);

/* How many bytes of `text` are whole characters of UTF-8 within `most`. */
size_t draft_cut(const char *text, size_t most);
/* "2026-11-28T03:51:12.123Z", and with the local zone "2026-11-28 03:51:12 +0100". */
void draft_add_utc(struct draft *draft, uint64_t time_ns);
void draft_add_local(struct draft *draft, uint64_t time_ns);

#endif
