/* losses.h: what is gone, or in doubt, beside the counts of the ledger: files that were taken away under their store,
 * streams that were found damaged, outages of the runtime folder. A run with any of them does not end with 0. Process:
 * supervisor, main thread.
 */
#ifndef SUPERVISOR_LOSSES_H
#define SUPERVISOR_LOSSES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum loss_kind {
	LOSS_FILES,   /* of the store `name`; bytes and rows had been committed to them */
	LOSS_STREAM,  /* `name`: of that source; batches and bytes that waited in it, as last known */
	LOSS_RUNTIME, /* `name`: what was removed, replaced or cut there */
};

struct loss {
	enum loss_kind kind;
	char name[256];
	uint64_t files, batches, rows, bytes;
};

struct losses {
	uint32_t count;
	struct loss *items;
};

void losses_fini(struct losses *losses);
/* Takes the place of the entry of that kind and name. Out of memory the last one is overwritten: one is always told. */
void losses_set(struct losses *losses, const struct loss *loss);
/* NULL: none. `name` NULL: any of that kind. */
const struct loss *losses_find(const struct losses *losses, enum loss_kind kind, const char *name);
/* All counts together: another sum, another loss. */
uint64_t losses_sum(const struct losses *losses);
json_t *losses_format(const struct losses *losses);
/* A line each. */
void losses_print(const struct losses *losses, bool is_colored, FILE *stream);

#endif
