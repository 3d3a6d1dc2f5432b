/* set_aside.h: a record that killed its consumer three times goes into a file of its own. Store process, main thread.
 */
#ifndef JOB_STORE_SET_ASIDE_H
#define JOB_STORE_SET_ASIDE_H

#include "job/store/intake.h"

#define SET_ASIDE_AFTER_LIVES 3u

/* Did the last life end by its own doing (a crash, or a hang that the watchdog ended), rather than by a kill? */
bool set_aside_was_crash(const struct plan *plan);

/* Writes schema and record as `set_aside_<source>_<sequence>.arrows` (…_2.arrows where that is there) into the store's
 * folder: its option out_dir, else that of the first file in its journal, else out/. */
int set_aside_write(const struct process *process, const struct journal *journal, const struct intake_record *record,
	char *ret_path, size_t path_bytes, struct enrg_error *err);

#endif
