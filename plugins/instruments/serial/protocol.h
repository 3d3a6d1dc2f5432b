/* protocol.h: from the bytes of an instrument to the fields of its lines. Knows nothing of ports and jobs: no
 * descriptor, no clock, no enrg_… call but those of error.h and schema.h. Whatever the bytes are, nothing here grows
 * without bound.
 */
#ifndef SERIAL_PROTOCOL_H
#define SERIAL_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enrgdaq/job.h"

#define LINE_BYTES_MAX      4096u /* without its end; a longer one is left out */
#define LINE_END_BYTES_MAX  8u
#define PATTERN_COLUMNS_MAX 64u

/* --- bytes to lines --- */

struct lines {
	char end[LINE_END_BYTES_MAX];
	size_t end_bytes;
	char buffer[LINE_BYTES_MAX + LINE_END_BYTES_MAX + 1];
	size_t used;
	bool is_skipping; /* until the next end: the line is too long */
	bool is_partial;  /* the line at hand may have begun before we listened */
	uint64_t too_long, partial;
};

/* `end`: 1 to LINE_END_BYTES_MAX bytes, such as "\n" (a "\r" before it is dropped) or "\r". */
void lines_init(struct lines *lines, const char *end, size_t end_bytes);
/* Forgets a line that has begun. `is_partial`: what comes first may be the rest of one; it is left out. */
void lines_reset(struct lines *lines, bool is_partial);
/* The next whole line, which takes from the `*count` bytes at `*bytes`; NULL: they are used up. NUL-terminated, without
 * its end; may hold NULs inside; valid until the next call. */
char *lines_next(struct lines *lines, const char **bytes, size_t *count, size_t *ret_length);

/* --- lines to fields --- */

enum pattern_kind { PATTERN_TEXT = 1, PATTERN_BLANKS, PATTERN_COLUMN, PATTERN_REST };

struct pattern_item {
	enum pattern_kind kind;
	const char *text; /* of PATTERN_TEXT */
	size_t text_bytes;
	uint32_t column; /* of PATTERN_COLUMN */
};

/* "T={temperature:f64:degC} H={humidity:f64}": see the plugin's page. */
struct pattern {
	uint32_t item_count, column_count;
	struct pattern_item items[2 * PATTERN_COLUMNS_MAX + 2];
	struct enrg_column columns[PATTERN_COLUMNS_MAX];
	char *memory; /* texts, names, units */
};

/* 0; -EINVAL with a text that says what is wrong and where; -ENOMEM. pattern_fini is due after success only. */
int pattern_init(struct pattern *pattern, const char *text, struct enrg_error *err);
void pattern_fini(struct pattern *pattern);
/* true: `line` has the form, `values` (one a column) are its fields; texts point into `line`, where bytes that are not
 * UTF-8 text have become "?". false: `line` is as it was. */
bool pattern_match(const struct pattern *pattern, char *line, size_t length, struct enrg_value *values);

/* The line as it may stand in a log: other bytes than printable ASCII as \x1b, a long one cut off. */
void line_quote(const char *line, size_t length, char *ret_text, size_t text_bytes);

#endif
