/* kept.h: a few bytes of a job that outlive its instances within a run: a file on tmpfs beside its page, mapped.
 * Written by the job's main thread; nobody else reads it. */
#ifndef HANDOVER_KEPT_H
#define HANDOVER_KEPT_H

#include <stddef.h>

#include "enrgdaq/error.h"

#define KEPT_SUFFIX    ".kept"
#define KEPT_BYTES_MAX 65536u

struct kept {
	void *map; /* NULL: not open */
	size_t map_bytes;
};

/* `page_path`: "…/job.page" keeps in "…/job.kept". *ret_bytes are zero where the file is new, of another run, or of
 * another size. All of its memory is there before it is used. */
int kept_open(struct kept *kept, const char *page_path, const char *run, size_t bytes, void **ret_bytes,
	struct enrg_error *err);
void kept_close(struct kept *kept); /* takes zeroed state; the file stays */

#endif
