/* adopt.h: what to do with the files that an earlier supervisor left on tmpfs. Nothing that holds a batch is removed:
 * it is taken over, or saved into a file first. Process: supervisor, at start, before any job runs. */
#ifndef SUPERVISOR_EARLIER_ADOPT_H
#define SUPERVISOR_EARLIER_ADOPT_H

#include "supervisor/losses.h"
#include "supervisor/runtime.h"
#include "supervisor/earlier/streams.h"

enum adopt_verdict {
	ADOPT_KEEP, /* its job is still configured alike: the run goes on */
	ADOPT_FIT, /* its job is still configured, with other sizes or stores: the stream continues with those of now */
	ADOPT_REMOVE,  /* every batch in it has been stored */
	ADOPT_RECOVER, /* nobody will read it, and it holds batches */
};

struct adopt_result {
	size_t kept, removed, recovered, damaged;
	struct losses losses; /* to be given on, or losses_fini */
};

/* `spec`: of the job with that stream file, NULL = not configured any more. `is_settled`: every required consumer has
 * committed all. */
enum adopt_verdict adopt_judge(const struct stream_spec *spec, const struct stream_status *status, bool is_settled);

/* Is everything that lies there in a format that this program knows? ENRG_E_VERSION names the file, its version and, as
 * far as run.json says, the program that left it. Changes nothing. */
int adopt_check_versions(const struct runtime *runtime, struct enrg_error *err);

/* Waits until jobs of an earlier supervisor have ended in order (they do so by themselves), 15 s at the most; then
 * kills those that hold a lock. 0; -EBUSY: one can't be ended. */
int adopt_wait(const struct runtime *runtime, struct enrg_error *err);

/* Looks at all left-over streams; those that go on are noted in `specs`. */
int adopt_streams(const struct runtime *runtime, struct stream_specs *specs, struct adopt_result *ret_result,
	struct enrg_error *err);

/* Once the run has its number, and before run.json is written: what is left in the kept streams is of earlier runs, or,
 * where the run of a killed supervisor goes on, of what that had found. Says so in the log, and tells the stores'
 * plans. */
int adopt_name_runs(struct runtime *runtime, struct stream_specs *specs, const struct plan_set *plans, bool goes_on,
	struct enrg_error *err);

/* Positions that the required consumer furthest behind has committed: by its journal, or its acknowledgement where that
 * is further. *ret_name points into `status`. */
uint64_t adopt_position(const struct runtime *runtime, const struct stream_status *status, const char **ret_name);

#endif
