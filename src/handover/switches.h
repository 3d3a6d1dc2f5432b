/* switches.h: what enrg_file_switch is to write over files once a commit is made, noted beside the journal
 * (`<journal>.switches`) before that commit is. A store may be killed between the commit and these writes: then the
 * next instance, or whoever removes the journal, makes them up from the note, whatever files it opens itself.
 *
 * Store process, main thread; supervisor, where it removes journals.
 */
#ifndef HANDOVER_SWITCHES_H
#define HANDOVER_SWITCHES_H

#include "enrgdaq/store.h"
#include "handover/journal.h"

struct switch_entry {
	uint32_t file; /* index in the journal */
	uint32_t path_sum;
	uint64_t offset;
	uint32_t byte_count, reserved;
	uint8_t bytes[ENRG_FILE_SWITCH_BYTES];
};

struct switches {
	struct switch_entry *entries;
	uint32_t count;
};

/* Appends a copy of the entry, for its file of that journal. */
int switches_add(struct switches *switches, const struct journal *journal, const struct switch_entry *entry,
	struct enrg_error *err);
void switches_fini(struct switches *switches); /* takes zeroed */

/* Those of the journal's last commit whose files it still knows. A note of a commit that was never made is removed: a
 * later commit will have its number. Before the first commit and before the first file is added. */
int switches_read(const struct journal *journal, struct switches *ret_switches, struct enrg_error *err);
/* Notes them for the next commit, which may be made only when this returned 0. */
int switches_write(const struct journal *journal, const struct switches *switches, struct enrg_error *err);
/* With a journal that is removed, before it. */
void switches_remove(const char *journal_path);

/* Writes what is meant for that file, which has its committed length, and takes it off. Negative with errno set. */
int switches_apply(struct switches *switches, uint32_t file, int descriptor);

#endif
