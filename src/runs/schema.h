/* schema.h: the tables of the run book, and how an older layout becomes the present one. One thread.
 *
 *   run     a row a run: its key, and what lists show of it; made from entries, and kept up to date with them
 *   entry   all that was ever said of a run, as it came; rows are added, never changed. Of progress the newest alone
 *   piece   long texts of entries (configurations, versions), once each, by their SHA-256
 *   file    what is known of each file of a run, from its entries
 *   found   the words of each run, for the search
 *   state   of the program itself
 */
#ifndef RUNS_SCHEMA_H
#define RUNS_SCHEMA_H

#include "runs/database.h"

#define SCHEMA_VERSION     2
#define SCHEMA_APPLICATION 0x454e5247 /* "ENRG": what `file` and others know it by */

/* Makes the tables, or brings those of an older program to the present layout, behind a copy of the file. For a reader:
 * ENRG_E_VERSION where they have another layout. */
int schema_prepare(struct database *database, bool is_reader, struct enrg_error *err);

#endif
