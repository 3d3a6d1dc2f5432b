/* panel_dump.h: a dump of the panel's PostgreSQL tables: a folder with a file a table (TABLE.csv, as `COPY … CSV
 * HEADER` writes, or TABLE.json, an array of objects), or one JSON file {"TABLE": [rows]}. Any bytes; one thread. */
#ifndef RUNS_PANEL_DUMP_H
#define RUNS_PANEL_DUMP_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "enrgdaq/error.h"

/* {"TABLE": [{column: value}]}; values of CSV are texts, "" where there is none. A table that is not there is an empty
 * array. New reference. */
int panel_dump_read(const char *path, json_t **ret_tables, struct enrg_error *err);
/* Rows of CSV by RFC 4180, the first names the columns. ENRG_E_CORRUPT names the row. New reference. */
int panel_dump_parse_csv(const char *text, size_t bytes, json_t **ret_rows, struct enrg_error *err);

/* Text of HTML: entities resolved, paragraphs as lines, scripts and styles left out. malloc'ed; NULL: out of memory. */
char *panel_dump_strip_html(const char *html);

/* Whatever the kind of the value: as text ("": none; `room` holds numbers), number, truth, ns since 1970 (0: none). */
const char *panel_text(const json_t *row, const char *key, char room[32]);
int64_t panel_number(const json_t *row, const char *key);
bool panel_is(const json_t *row, const char *key);
uint64_t panel_time_ns(const json_t *row, const char *key);

#endif
