/* inherit.h: stores that ran with their defaults and are configured by a file now. Process: supervisor, at start,
 * before the plans are made. */
#ifndef SUPERVISOR_EARLIER_INHERIT_H
#define SUPERVISOR_EARLIER_INHERIT_H

#include "config/folder.h"
#include "supervisor/plan_builder.h"
#include "supervisor/runtime.h"

/* A store that no file configured was called after its type, and that name stands in what it left: in streams, in its
 * journal, in marks of a database. Where such a stream still holds batches, the one store job of that type goes by
 * its name for this run, so that it goes on where that one stopped, exactly once. */
int inherit_names(struct folder *folder, const struct runtime *runtime, struct enrg_error *err);

/* Removes the journals that belong to no store of this run. After the streams were adopted: none of those that are left
 * needs them then. Files that a killed store wrote are cut to what it committed first; where one can't be reached now,
 * the journal stays. */
void inherit_remove_journals(const struct runtime *runtime, const struct plan_set *plans);

#endif
