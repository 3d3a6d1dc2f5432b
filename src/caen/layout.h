/* layout.h: one event of each kind of file. Inside src/caen only. */
#ifndef CAEN_LAYOUT_H
#define CAEN_LAYOUT_H

#include "caen/caen.h"

/* The event at caen->offset: 1 and *ret_bytes of it; 0: the end; ENRG_E_CORRUPT. */
typedef int caen_read_fn(
	struct caen *caen, struct caen_event *ret_event, uint64_t *ret_bytes, struct enrg_error *reason);
caen_read_fn caen_read_wavedump, caen_read_compass, caen_read_wavedump_text, caen_read_compass_csv;

/* What events of this file have, in caen->fields and caen->has_code. */
int caen_find_compass_layout(struct caen *caen, struct enrg_error *reason);
/* The line of names; moves behind it. */
int caen_read_csv_names(struct caen *caen, struct enrg_error *reason);

/* `count` bytes at `offset`, or ENRG_E_CORRUPT where the file ends before. */
int caen_get(struct caen *caen, uint64_t offset, uint64_t count, const uint8_t **ret_bytes, struct enrg_error *reason);
/* Room for `count` samples of a text. */
int caen_reserve_samples(struct caen *caen, uint32_t count, struct enrg_error *reason);
/* A line at `offset` without its end, and the bytes up to the next; 0: the end of the file. */
int caen_get_line(struct caen *caen, uint64_t offset, char *ret_line, size_t line_bytes, uint64_t *ret_bytes,
	struct enrg_error *reason);

#endif
