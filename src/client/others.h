/* others.h: runs of which this user sees no files: of other users, or with another ENRGDAQ_RUNTIME_DIR. Found by the
 * names of their bus, which the kernel lists for everybody. Process: whoever looks from outside. */
#ifndef CLIENT_OTHERS_H
#define CLIENT_OTHERS_H

#include <stddef.h>
#include <stdio.h>

/* Names are of other users' choosing, and made safe. */
struct other {
	const char *name, *folder;
	const char *owner;    /* "daq (uid 1001)"; "" = not known */
	const char *sentence; /* who runs it and how to see it, without a line end */
};

/* Calls `visit` for each run outside of the runtime folder `base`, of the supervisor `name` alone unless NULL. Returns
 * how many there were. `list`: as /proc/net/unix. */
size_t others_visit_list(FILE *list, const char *base, const char *name,
	void (*visit)(const struct other *other, void *context), void *context);
size_t others_visit(
	const char *base, const char *name, void (*visit)(const struct other *other, void *context), void *context);

/* The sentences, each with a line end; what does not fit is left out. Returns how many runs there are. */
size_t others_describe(const char *base, const char *name, char *ret_text, size_t text_bytes);
/* The same from a list as /proc/net/unix has it. */
size_t others_describe_list(FILE *list, const char *base, const char *name, char *ret_text, size_t text_bytes);

#endif
