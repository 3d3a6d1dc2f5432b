/* history.h: a folder of a history while it is read, for the files of the client that answer from it. */
#ifndef CLIENT_HISTORY_H
#define CLIENT_HISTORY_H

#include <stdbool.h>

#include "enrgdaq/history.h"
#include "enrgdaq/history_file.h"

struct enrg_history {
	char *folder;
};

/* Which series of which name is where in a list that grows: `index` is the caller's. */
struct history_names;

struct history_names *history_names_create(void);        /* NULL: out of memory */
void history_names_destroy(struct history_names *names); /* takes NULL */
/* Its index: `next` where the name is new. Negative: -ENOMEM. */
int64_t history_names_take(struct history_names *names, const char *name, uint32_t next);

/* The exact name, or a pattern of fnmatch(3). */
bool history_matches(const char *pattern, const char *name);

/* Opens the n-th file. A file that was removed meanwhile, or that is none of a history: -ENOENT, *ret_file is NULL. */
int history_open_part(
	const struct enrg_history *history, const struct enrg_history_part *part, struct enrg_history_file **ret_file);

#endif
