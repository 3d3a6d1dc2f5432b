/* log_place.h: where the log of a running supervisor can be read. Process: whoever looks from outside. */
#ifndef CLIENT_LOG_PLACE_H
#define CLIENT_LOG_PLACE_H

#include <stddef.h>
#include <stdint.h>

#include "enrgdaq/error.h"

struct log_place {
	char path[4096]; /* opens anew what is the log now */
	int64_t pid;     /* of the supervisor */
};

/* -EAGAIN: none runs there; -ENOTSUP: its log goes where nobody can read along; err says where. */
int log_place_find(const char *folder, struct log_place *ret_place, struct enrg_error *err);

#endif
