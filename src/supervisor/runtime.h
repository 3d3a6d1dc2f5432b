/* runtime.h: the folder of one supervisor on tmpfs: lock, run.json, status.json, and where sockets lie. Process:
 * supervisor; src/client reads it from outside.
 *
 *   <path_runtime_folder>/<supervisor>/lock         OFD lock of the running supervisor; text: its pid. A claim
 * (claim.h) stands beside it, since files can be removed run.json     id, start and state of the present or last run
 *                                      status.json  once a second
 *                                      NAME.stream NAME.journal NAME.page   of each job
 */
#ifndef SUPERVISOR_RUNTIME_H
#define SUPERVISOR_RUNTIME_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/held.h"
#include "enrgdaq/error.h"

#define RUNTIME_PATH_BYTES 512

struct runtime {
	char folder[RUNTIME_PATH_BYTES];
	char sockets[RUNTIME_PATH_BYTES]; /* folder of ipc:// sockets: the same where its name is short enough */
	char run[64];
	char config_path[RUNTIME_PATH_BYTES];
	char log_path[4096]; /* of the file that takes the lines of the run; "" = none: for who follows them from
				outside */
	uint64_t started_wall_ns;
	int lock;  /* -1 = none */
	int claim; /* socket in the abstract name space, which nobody can remove: -1 = none */
	/* What run.json of an earlier supervisor says. */
	char last_version[64]; /* of the program; "" = not said */
	char last_run[64];
	uint64_t last_started_wall_ns;
	bool last_was_killed; /* its supervisor is gone, and the run has not ended */
	json_t *earlier;      /* by uuid of a stream: what earlier.h makes of it; of the last run, then of this one */
};

/* Makes the folder and takes the lock. -EBUSY: another instance runs; err names its pid and `enrgdaq stop`. */
int runtime_open(const char *supervisor, const char *config_path, struct runtime *ret_runtime, struct enrg_error *err);
/* While it runs: are lock and run.json what this supervisor has made? And makes folder, lock and run.json again; 0,
 * -errno. */
enum held_finding runtime_look(const struct runtime *runtime);
int runtime_restore(struct runtime *runtime);

/* Lets the lock go. */
void runtime_close(struct runtime *runtime);

/* Goes on with the run of a killed supervisor, or begins a new one, with what lay in its streams in `earlier`. Writes
 * run.json as "running". */
int runtime_begin_run(struct runtime *runtime, bool go_on, struct enrg_error *err);
/* Writes run.json: state "ended" (nothing is left) or "unfinished" (a ring still holds batches). */
int runtime_end_run(const struct runtime *runtime, bool is_finished, int exit_code, struct enrg_error *err);

#define RUNTIME_URL_BYTES (RUNTIME_PATH_BYTES + 32)
/* Where the broker listens: what is sent to it, and what it sends. */
void runtime_format_bus(
	const struct runtime *runtime, char ret_publish[RUNTIME_URL_BYTES], char ret_subscribe[RUNTIME_URL_BYTES]);

/* "YYYYMMDDTHHMMSSZ-xxxx" */
void runtime_make_run_id(uint64_t wall_ns, char *ret_id, size_t id_bytes);

#endif
