/* leftover.h: what a killed life wrote behind its last commit into files that this life may never open: of another day,
 * of another tag, or under a file_path that was changed since. Store process, main thread. */
#ifndef HANDOVER_LEFTOVER_H
#define HANDOVER_LEFTOVER_H

#include "handover/journal.h"

/* Cuts the files of earlier lives to their committed lengths, makes up the enrg_file_switch of their last commit, and
 * forgets them. Those that can't be reached now (a disk
 * that is not mounted, another writer) stay in the journal, to be cut at the next start or when they are opened. Before
 * the first file is opened. */
void leftover_cut(struct journal *journal);
/* Does the journal of a store that has ended in order know files all the same: those that could not be reached? */
bool leftover_remains(const char *journal_path);

#endif
