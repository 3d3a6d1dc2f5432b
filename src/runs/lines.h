/* lines.h: a unified diff of two texts. Pure. */
#ifndef RUNS_LINES_H
#define RUNS_LINES_H

#include <jansson.h>

/* "@@ -1,4 +1,5 @@", " same", "-gone", "+new": three lines around each change; an empty array: they are the same. Texts
 * that differ in more lines than can be searched (some thousands) are one change. New reference; NULL: out of memory.
 */
json_t *lines_diff(const char *from, const char *to);

#endif
