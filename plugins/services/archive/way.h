/* way.h: where copies go: a mounted folder (placing.h), another machine by rsync, or a command (sending.h). All three
 * are asked in steps, so that a service that copies for hours hears a stop at once. One thing at a time. Main thread.
 */
#ifndef ARCHIVE_WAY_H
#define ARCHIVE_WAY_H

#include <stdbool.h>
#include <stdint.h>

#include "digest.h"
#include "enrgdaq/error.h"
#include "names.h"

/* Where a file is to go, and what is known of an earlier copy of that name. */
struct way_file {
	int folder;             /* descriptor of the folder of originals */
	const char *root;       /* and its full name */
	const char *name;       /* below it */
	uint64_t earlier_bytes; /* of a copy that was archived as `earlier_name`; 0: none */
	const char *earlier_name, *earlier_digest;
};

struct way_result {
	char archived[NAMES_PATH_BYTES]; /* name of the copy */
	char digest[DIGEST_TEXT_BYTES];
	uint64_t bytes;
	int64_t changed_ns; /* of the original */
};

enum way_step { WAY_AGAIN = 0, WAY_DONE = 1, WAY_WAITS = 2 /* for a child: look again when its descriptor is ready */ };

struct way_type {
	/* Begins to copy. */
	int (*begin)(void *way, const struct way_file *file, struct enrg_error *err);
	/* Begins to prove that a copy is still what it was. */
	int (*begin_proof)(void *way, const char *archived, const char *digest, struct enrg_error *err);
	/* An enum way_step. WAY_DONE: the copy is there under its name, was read back, and is the same byte for byte;
	 * or the proof holds. Negative: it failed, nothing is left to do. -EBUSY: the original changed meanwhile;
	 * ENRG_E_CORRUPT: the copy is another; -ENODEV: the target is not there; others: see err. */
	int (*step)(void *way, struct way_result *ret_result, struct enrg_error *err);
	int (*descriptor)(const void *way); /* where a step waits; -1: nowhere */
	int (*percent)(const void *way);    /* how far it is; -1: only who it waits for knows */
	void (*abort)(void *way);           /* gives up what is on its way */
	void (*destroy)(void *way);         /* takes NULL */
};

struct way {
	const struct way_type *type;
	void *self;
};

#endif
