/* proof.h: `enrgdaq verify` of one data file at a time, as a process of its own with the lowest priority; how far it
 * is, and what came of the last one. Any thread. Process: enrgdaq-web. */
#ifndef WEB_RECORD_PROOF_H
#define WEB_RECORD_PROOF_H

#include <jansson.h>
#include <stdbool.h>

#include "enrgdaq/error.h"

struct proof;

/* `program`: enrgdaq; "": it is not known, and nothing can be proved. */
int proof_open(const char *program, struct proof **ret_proof, struct enrg_error *err);
/* Takes NULL. One that runs is ended. */
void proof_close(struct proof *proof);

/* `path` is absolute, and known to be one of the system's files; `who` asked. 0: it runs; -EBUSY: another one does, err
 * says of which file; -ENODEV, -errno. Does not wait. */
int proof_start(struct proof *proof, const char *path, const char *who, struct enrg_error *err);
/* false: none runs. What came so far is thrown away. */
bool proof_cancel(struct proof *proof);

/* {"state": "idle", "running", "whole", "damaged", "failed" or "cancelled", "path", "who", "began_wall_ns",
 * "ended_wall_ns" (0: not yet), "done_bytes", "all_bytes", "detail": a sentence, "result": what `enrgdaq verify --json`
 * says of the file, or null}. New reference. */
json_t *proof_format(struct proof *proof);

#endif
