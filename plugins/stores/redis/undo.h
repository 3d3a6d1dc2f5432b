/* undo.h: takes back what a transaction did where Redis refused one of its commands: it carries out the others all the
 * same, the marks among them. Afterwards the server is as it was, and the batches can be stored again.
 */
#ifndef REDIS_UNDO_H
#define REDIS_UNDO_H

#include <hiredis.h>

#include "enrgdaq/error.h"
#include "request.h"

struct connection;

struct undo_push {
	char *key;
	uint64_t rows, command; /* command: its place in the transaction, from 0 */
};

struct undo {
	struct undo_push *pushes;
	size_t count, capacity;
	struct request marks; /* the commands that set them back */
	bool has_failed;      /* out of memory: nothing can be taken back */
};

/* A command RPUSH of so many rows is the last that `request` has. */
void undo_note_push(struct undo *undo, const char *key, uint64_t rows, const struct request *request);
/* The transaction sets `field` of the hash `marks`, which is at `done` now (0: not there). */
void undo_note_mark(struct undo *undo, const char *marks, const char *field, uint64_t done);
/* All is on the server, or nothing. */
void undo_clear(struct undo *undo);
void undo_fini(struct undo *undo); /* takes a zeroed one */

/* `reply`: what EXEC answered. Negative: it can't be taken back. */
int undo_run(struct undo *undo, struct connection *connection, const redisReply *reply, struct enrg_error *err);

#endif
