/* panel_runs.h: runs of the panel as entries of the book: with their numbers, notes, values and messages. */
#ifndef RUNS_PANEL_RUNS_H
#define RUNS_PANEL_RUNS_H

#include <jansson.h>

#include "runs/enter.h"

/* Inside of a transaction. `tables`: of panel_dump_read. Ids of entries are made of what they say, so what was imported
 * before is not entered again. *ret_runs: how many are new; *ret_last: the largest number. */
int panel_runs_enter(const struct enter_context *context, const json_t *tables, unsigned *ret_runs, uint64_t *ret_last,
	struct enrg_error *err);
/* A text of TOML or JSON with "***" in the place of values whose key looks like that of a secret: the dump does not say
 * which are. malloc'ed. */
char *panel_runs_mask(const char *text);

#endif
