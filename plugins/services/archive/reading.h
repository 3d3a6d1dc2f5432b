/* reading.h: a file read piece by piece while its SHA-256 is taken; also of its beginning, to know whether an earlier
 * copy is contained in it. One thread. */
#ifndef ARCHIVE_READING_H
#define ARCHIVE_READING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "digest.h"

#define READING_PIECE (1u << 20)

struct reading {
	int descriptor;     /* -1: not open */
	struct stat status; /* when it was opened */
	uint64_t at;
	struct digest digest;
	void *bytes;           /* of the last piece, aligned for direct I/O */
	uint64_t prefix_bytes; /* 0: not wanted */
	char prefix[DIGEST_TEXT_BYTES];
	bool is_cold; /* past the page cache, as far as that goes */
};

/* `is_cold`: what is read comes from the disk, not from memory, where the file system can do that. */
int reading_open(struct reading *reading, int folder, const char *name, bool is_cold, struct enrg_error *err);
/* The next piece, in reading->bytes: its bytes; 0: the end. -errno. */
int64_t reading_next(struct reading *reading, struct enrg_error *err);
/* At the end: the digest. -EBUSY: it is not the file any more that was opened. */
int reading_finish(struct reading *reading, char ret_digest[DIGEST_TEXT_BYTES], struct enrg_error *err);
void reading_close(
	struct reading *reading); /* takes one that reading_open failed on, and zeroed ones with descriptor -1 */

#endif
