/* record.h: what outlives a kill: which alerts are there, which of them may not have gone out, and how often each job
 * had been restarted. */
#ifndef HEALTHCHECK_RECORD_H
#define HEALTHCHECK_RECORD_H

#include "watch.h"

/* JSON of all watches that are worth keeping; to be freed; NULL: out of memory. `run`: which counts belong to. */
char *record_format(const struct watch *first, const char *run);

struct record;

/* NULL: it is none (or there is none), or out of memory. */
struct record *record_parse(const char *text);
void record_destroy(struct record *record); /* takes NULL */
/* Gives a new watch what an earlier process knew of it. `run`: the one that is on. A word that may not have gone out is
 * in watch->word with said_ns 0. */
void record_restore(const struct record *record, struct watch *watch, const char *run, uint64_t now_ns);

#endif
