/* file_message.h: the messages of a file of Arrow's, one by one, and where the next one is that can be trusted. The
 * file may hold anything. One thread. */
#ifndef ARROW_FILE_MESSAGE_H
#define ARROW_FILE_MESSAGE_H

#include "arrow/file_window.h"
#include "arrow/ipc.h"

/* Prefix and metadata at `offset`, of a file whose messages end at `end`. 0 and *ret_is_cut false: read; *ret_is_cut:
 * the file ends inside of them; ENRG_E_CORRUPT, or an error of reading. */
int file_message_read(struct file_window *window, uint64_t offset, uint64_t end, struct ipc_message *ret_message,
	bool *ret_is_cut, struct enrg_error *err);
/* The next message at or behind `offset` whose check sum is right, or the end mark that is the last; `end`: there is
 * none. */
int file_message_find(
	struct file_window *window, uint64_t offset, uint64_t end, uint64_t *ret_offset, struct enrg_error *err);

#endif
