/* summary.h: what lists show of a run, made from its entries. Inside of a transaction of the caller's. One thread. */
#ifndef RUNS_SUMMARY_H
#define RUNS_SUMMARY_H

#include "runs/database.h"
#include "runs/entry/entry.h"

/* That entry of the run is in the database since now. `folder`: where run_000123.json goes. */
int summary_take(
	struct database *database, const char *folder, int64_t run, const struct entry *entry, struct enrg_error *err);

#endif
