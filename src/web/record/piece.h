/* piece.h: a part of a data file, read so that nothing but that file can be read. Waits for its disk. Process:
 * enrgdaq-web, workers. */
#ifndef WEB_RECORD_PIECE_H
#define WEB_RECORD_PIECE_H

#include <stddef.h>
#include <stdint.h>

#include "enrgdaq/error.h"

#define PIECE_BYTES_MAX (8u << 20)

struct piece {
	char *bytes; /* to be freed; fewer than asked for at the end of the file */
	size_t count;
	uint64_t file_bytes;
};

/* `path` is absolute. From byte `from` on at most `count`. -ENOENT: no such file, or it is a link, a folder or a
 * device; -errno. */
int piece_read(const char *path, uint64_t from, size_t count, struct piece *ret_piece, struct enrg_error *err);

#endif
