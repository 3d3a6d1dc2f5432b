/* run_end.h: what is written and removed when a run ends. Process: supervisor, main thread, after all jobs have ended.
 * A disk that does not answer holds it up for RUN_END_PATIENCE_NS, and is named. */
#ifndef SUPERVISOR_RUN_END_H
#define SUPERVISOR_RUN_END_H

#include "supervisor/ledger.h"
#include "supervisor/roster.h"
#include "supervisor/runtime.h"

#define RUN_END_PATIENCE_NS 5000000000ull

/* Writes `json` as `name` into the folder of each store that writes files, also while jobs run (the disk has it when
 * the system sees fit); says what could not be written. */
void run_end_write_beside(const struct roster *roster, const char *name, const json_t *json);
/* The largest number in the names run_NNNNNN….json there; 0 = none. */
uint64_t run_end_last_number(const struct roster *roster);
/* Does the account of that run lie there? An id names one run for ever. */
bool run_end_has_account(const struct roster *roster, const char *id);
/* ledger_<run>.json into the runtime folder's ledger.json and into the folder of each store that writes files. */
void run_end_write_ledger(const struct runtime *runtime, const struct roster *roster, const json_t *ledger);
/* Removes pages; streams, and journals of stores that ended in order, where no stream holds a batch. The number of
 * streams that do. */
size_t run_end_clean(const struct runtime *runtime, const struct roster *roster);
/* The folder of the store `index`; false: it writes no files, or a store before it has the same one. */
bool run_end_find_folder(const struct roster *roster, size_t index, char *ret_folder, size_t folder_bytes);
/* "out" folder of a store by its file and its type's default; false: the type writes no files. */
bool run_end_out_folder(const struct job_config *store, char *ret_folder, size_t folder_bytes);

#endif
