/* enter.h: entries become rows. Always inside of a transaction of the caller's. One thread.
 *
 * An entry is entered as it is, once; then what lists show of its run is made anew from all that is known. So the order
 * in which entries come does not matter, and an entry for a run that nobody has begun yet makes a row of its own.
 */
#ifndef RUNS_ENTER_H
#define RUNS_ENTER_H

#include "runs/database.h"
#include "runs/entry/entry.h"

struct enter_context {
	struct database *database;
	const char *supervisor, *folder; /* of the supervisor; where run_000123.json goes */
};

/* 0: entered; 1: it was there already. */
int enter_entry(const struct enter_context *context, const struct entry *entry, struct enrg_error *err);
/* Makes an entry of the book's own. `reason` makes its id, with the run's: the same once more changes nothing. Steals
 * `body`. */
int enter_own(const struct enter_context *context, const char *kind, const char *uuid, const char *reason, json_t *body,
	struct enrg_error *err);
/* Runs of that supervisor that are open and not in the list of uuids are closed as aborted, with their last progress as
 * their ledger. *ret_count: how many. */
int enter_close_orphans(
	const struct enter_context *context, const json_t *continues, unsigned *ret_count, struct enrg_error *err);

/* Number of the run of a `begin` entry: max(database, floor) + 1, or the one that it got when it was entered before.
 * The entry is entered with it. */
int enter_number(const struct enter_context *context, const struct entry *begin, uint64_t floor, uint64_t *ret_number,
	struct enrg_error *err);

#endif
