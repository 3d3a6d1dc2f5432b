/* file_window.h: a file read from front to back through a buffer that holds at least what is asked for. One thread. */
#ifndef ARROW_FILE_WINDOW_H
#define ARROW_FILE_WINDOW_H

#include <stddef.h>
#include <stdint.h>

#include "enrgdaq/error.h"

#define FILE_WINDOW_PIECE (1u << 20)

struct file_window {
	int descriptor;
	uint64_t file_bytes; /* when it was opened: what is appended later is not looked at */
	uint8_t *bytes;
	uint64_t at; /* place of bytes[0] in the file */
	size_t count, capacity;
};

int file_window_open(struct file_window *window, const char *path, struct enrg_error *err);
/* Makes [offset, offset + wanted) readable, or less where the file ends: *ret_count bytes, at least `wanted` if there
 * are so many. The pointer is as aligned as `offset` (to 8) and lives until the next call. */
int file_window_get(struct file_window *window, uint64_t offset, size_t wanted, const uint8_t **ret_bytes,
	size_t *ret_count, struct enrg_error *err);
/* Takes a window that file_window_open failed on, and zeroed ones with descriptor -1. */
void file_window_close(struct file_window *window);

#endif
