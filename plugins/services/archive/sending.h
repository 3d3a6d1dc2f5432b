/* sending.h: copies to another machine by rsync over a remote shell, or wherever a command brings them. On the other
 * machine nothing is needed but sh, rsync and coreutils. Main thread. */
#ifndef ARCHIVE_SENDING_H
#define ARCHIVE_SENDING_H

#include "way.h"

struct sending_params {
	const char *rsync; /* "user@host:folder"; NULL: by `command` */
	size_t shell_count, command_count, verify_count;
	const char *const *shell, *const *command, *const *verify; /* words; {path} and {name} stand for the file */
	const char *marker, *job;
	double timeout_seconds; /* of a command */
};

/* All that `params` points to outlives it. */
int sending_create(const struct sending_params *params, struct way *ret_way, struct enrg_error *err);

/* Splits "user@host:folder"; false: it is none. */
bool sending_parse_target(const char *rsync, char *ret_host, size_t host_bytes, const char **ret_folder);
/* A word of sh that means exactly this text; bytes with the final NUL, as snprintf counts. */
size_t sending_quote(const char *text, char *ret_word, size_t word_bytes);

#endif
