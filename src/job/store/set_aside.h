/* set_aside.h: a record that killed its consumer three times goes into a file of its own. Store process, main thread.
 */
#ifndef JOB_STORE_SET_ASIDE_H
#define JOB_STORE_SET_ASIDE_H

#include "job/store/intake.h"

#define SET_ASIDE_AFTER_LIVES 3u

/* After a crash each record is committed alone, until the one that was being read then is past: so that the next crash
 * names its record, and the lives in between make progress. */
struct set_aside {
	bool is_careful, has_poison;
	uint32_t stream; /* in the journal, of the record that was being read; JOURNAL_NONE: none */
	uint64_t position;
};

/* What the last life left in the journal. */
void set_aside_look_back(struct set_aside *crash, const struct plan *plan, struct journal *journal);
/* To be asked of each record before it is touched. Is it the one that has ended so many lives? */
bool set_aside_is_due(struct set_aside *crash, const struct intake_record *record);
/* Writes it away, counts it and tells the operator: "… ended this `consumer` 3 times: it was set aside as … and
 * `meaning`". Negative: it could not be written. */
int set_aside_record(struct set_aside *crash, struct process *process, const struct journal *journal,
	const struct intake_record *record, const char *const words[2], struct enrg_error *err);

/* Did the last life end by its own doing (a crash, or a hang that the watchdog ended), rather than by a kill? */
bool set_aside_was_crash(const struct plan *plan);

/* Writes schema and record as `set_aside_<source>_<sequence>.arrows` (…_2.arrows where that is there) into the store's
 * folder: its option out_dir, else that of the first file in its journal, else out/. */
int set_aside_write(const struct process *process, const struct journal *journal, const struct intake_record *record,
	char *ret_path, size_t path_bytes, struct enrg_error *err);

#endif
