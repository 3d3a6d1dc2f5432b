/* remedy.h: what to do about a code with which a store fails, for operators. Store process. */
#ifndef JOB_STORE_REMEDY_H
#define JOB_STORE_REMEDY_H

#include <stdbool.h>

/* "disk full: free space"; a static text. */
const char *remedy_find(int code);
/* Does it lie with the data of one table, so that the other tables can go on: no disk, no connection, no memory? */
bool remedy_is_of_table(int code);

#endif
