/* info.h: what run.json, the lock and the pages of a runtime folder say of its supervisor. Process: whoever looks from
 * outside. */
#ifndef CLIENT_INFO_H
#define CLIENT_INFO_H

#include "client/find.h"
#include "enrgdaq/client.h"

struct info {
	struct enrg_supervisor shown; /* its texts are those below */
	char name[256], folder[FIND_PATH_BYTES], run[64], state[32], owner[128], hint[1400], version[64], config[512];
	char log_path[4096]; /* "": lines go to standard error alone, or it is not said */
};

/* Fills all of it; files that are missing or damaged leave it empty. */
void info_read(const char *folder, struct info *ret_info);

#endif
