/* others.h: runs of which this user sees no files: of other users, or with another ENRGDAQ_RUNTIME_DIR. Found by the
 * names of their bus, which the kernel lists for everybody. Process: `status` and `stop`. */
#ifndef SUPERVISOR_OTHERS_H
#define SUPERVISOR_OTHERS_H

#include <stddef.h>
#include <stdio.h>

/* A sentence for each run outside of the runtime folder `base`, each with a line end, of the supervisor `name` alone
 * unless NULL. Returns how many were found; what does not fit is left out. */
size_t others_describe(const char *base, const char *name, char *ret_text, size_t text_bytes);
/* The same from a list as /proc/net/unix has it. */
size_t others_describe_list(FILE *list, const char *base, const char *name, char *ret_text, size_t text_bytes);

#endif
