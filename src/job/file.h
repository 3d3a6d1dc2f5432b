/* file.h: the output files of a store (enrg_file_… of enrgdaq/store.h): each has a length that is committed in the
 * journal and one that is written. A kill leaves bytes behind the committed length; the next open cuts them off.
 *
 * Store process, main thread.
 */
#ifndef JOB_FILE_H
#define JOB_FILE_H

#include "enrgdaq/store.h"
#include "job/journal.h"

typedef void file_alert_function(void *context, enum enrg_level level, const char *text);

struct file_set {
	struct journal *journal;
	struct enrg_file *first;
	file_alert_function *alert;
	void *alert_context;
};

void file_set_init(struct file_set *set, struct journal *journal, file_alert_function *alert, void *context);
/* Closes what is open, as a kill would; takes a zeroed set. */
void file_set_fini(struct file_set *set);

/* The lengths of now go into the next commit of the journal … */
void file_set_prepare(struct file_set *set);
/* … and that commit was made. Files that nobody has open any more are closed. */
void file_set_committed(struct file_set *set);
/* Cuts all files back to their committed lengths. Tries all; the first failure is returned. */
int file_set_rollback(struct file_set *set, struct enrg_error *err);

#endif
