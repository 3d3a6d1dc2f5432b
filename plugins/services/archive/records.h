/* records.h: what has been archived, and proved: one file of text, a line for each file that was copied and one more
 * when its original was removed. Lines are only appended, each with a check of its own, and the disk has it before the
 * call returns: a kill or a power cut leaves at most a torn last line, which is dropped. What a record is missing for
 * is copied and proved again, never removed. One process at a time; main thread. */
#ifndef ARCHIVE_RECORDS_H
#define ARCHIVE_RECORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "digest.h"
#include "enrgdaq/error.h"

struct record {
	char *name;     /* of the original, below its folder */
	char *archived; /* of the copy, below the target */
	uint64_t bytes;
	int64_t changed_ns; /* when the original was changed last, as its file system says */
	char digest[DIGEST_TEXT_BYTES];
	uint64_t proved_ns; /* wall clock: when the copy was read back last */
	bool is_removed;    /* the original */
};

struct records;

/* Opens or makes it. *ret_dropped: lines that were torn or damaged. -EBUSY: another process has it; -errno. */
int records_open(const char *path, struct records **ret_records, uint64_t *ret_dropped, struct enrg_error *err);
void records_close(struct records *records); /* takes NULL */

/* NULL: none. Valid until the next records_put. */
const struct record *records_find(const struct records *records, const char *name);
/* Adds or replaces what is known of record->name. Texts are copied. */
int records_put(struct records *records, const struct record *record, struct enrg_error *err);

#endif
