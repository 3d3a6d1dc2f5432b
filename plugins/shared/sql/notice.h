/* notice.h: what an operator has to know once. Compiled into the stores for SQLite, MySQL and Redis. */
#ifndef SQL_NOTICE_H
#define SQL_NOTICE_H

#include "enrgdaq/store.h"

/* An alert (ENRG_WARNING), unless one of the same text was given in this process. The framework opens a store that
 * fails anew each time, and hands it the same batches: what the store knows of a table is gone then, this is not. */
void sql_notice(struct enrg_store *store, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
