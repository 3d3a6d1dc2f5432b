/* everywhere.h: kills a store of a database before each system call of its own. In the test process. */
#ifndef DATABASES_EVERYWHERE_H
#define DATABASES_EVERYWHERE_H

#include "../conformance/harness.h"

#define EVERYWHERE_ROWS "12" /* that each table ends up with, in its column n: 0, 1, … 11 */

/* Rows in four commits go to a table of its own for each kill: `key` (of the section) = "k1", "k2", … The store is
 * killed, started again, and ended in order; then check(number) asks the server. */
void everywhere_kill(const struct store_kind *kind, const char *key, void (*check)(unsigned number));

#endif
