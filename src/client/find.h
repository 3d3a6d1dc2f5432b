/* find.h: the runtime folder of a supervisor, from outside. Process: whoever looks from outside. */
#ifndef CLIENT_FIND_H
#define CLIENT_FIND_H

#include <stddef.h>
#include <sys/types.h>

#include "enrgdaq/error.h"

#define FIND_PATH_BYTES 512

/* Folder of a supervisor; with `supervisor` NULL the one that runs: -ENOENT none, -EEXIST several (err lists them).
 * -ESRCH: its supervisor is gone, and jobs of it still run; -EACCES: another user's. *ret_pid 0: it does not run. */
int find_supervisor(
	const char *supervisor, char *ret_folder, size_t folder_bytes, pid_t *ret_pid, struct enrg_error *err);

#endif
