/* verify.h: proves an .arrows file whole, or says what is wrong with it. Streams through the file with bounded memory
 * (the largest message). */
#ifndef ARROW_VERIFY_H
#define ARROW_VERIFY_H

#include <stdio.h>

#include "arrow/ipc.h"

enum verify_finding {
	VERIFY_GAP_NOTE,  /* a gap record: the producer was started again; not an error */
	VERIFY_MISSING,   /* sequences [first, last] of a source and run are not there */
	VERIFY_DUPLICATE, /* a sequence came twice */
	VERIFY_CORRUPT,   /* CRC or structure wrong at `offset` */
	VERIFY_TORN_TAIL, /* the last message is not whole: starts at `offset` */
};

struct verify_report {
	uint64_t file_bytes,
		good_bytes; /* good_bytes: offset behind the last whole, correct message before the first tear */
	uint64_t batches, rows, payload_bytes, gaps, missing, duplicated, corrupted, unstamped;
	uint32_t sources;
	bool is_torn, has_end_mark;
};

/* Calls `tell` for each finding with one sentence (with offsets and sequences). 0 whatever is found; -errno or
 * ENRG_E_CORRUPT when the file can't be read or is no Arrow stream at all. */
int verify_file(const char *path, void (*tell)(void *context, enum verify_finding, const char *sentence), void *context,
	struct verify_report *ret_report, struct enrg_error *err);

/* Cuts a torn tail: truncates to good_bytes and syncs. Only where nothing follows the tear (is_torn). */
int verify_repair(const char *path, const struct verify_report *report, struct enrg_error *err);

#endif
