/* device.h: for drivers of hardware behind a vendor's library, whose calls block for seconds or hang for ever.
 *
 * A device is one thread that makes all calls of the library, one after the other: no vendor says that two threads may
 * use one handle. The job's thread hands it work, and waits for it or does not; meanwhile it gives the signs of life,
 * commits rows that are due and hears of a stop. Each work has a deadline. One that is not back by then hangs: nothing
 * can end its thread safely, so the process says which call it was (log, alert, `enrgdaq status`), hands over the rows
 * that were appended, ends, and is started again with back-off. Crashes and slow answers are survived as everywhere.
 *
 * All functions here are for the job's thread. Work runs on the device's thread and calls no enrg_… but those of
 * error.h. */
#ifndef ENRGDAQ_DEVICE_H
#define ENRGDAQ_DEVICE_H

#include "enrgdaq/job.h"

#ifdef __cplusplus
extern "C" {
#endif

struct enrg_device; /* owned by the job that created it */

#define ENRG_DEVICE_NAME_BYTES 64u      /* of a work's name, with the final NUL; a longer one is cut */
#define ENRG_DEVICE_DEPTH_MAX  1048576u /* works of one device on their way */

struct enrg_device_work {
	const char *name; /* "CAEN_DGTZ_ReadData": what is said of it when it hangs; copied */
	/* On the device's thread. 0, or a negative code with err; what it reads and makes lies in `context`, which
	 * nobody else touches until it is back. */
	int (*run)(void *context, struct enrg_error *err);
	void *context;
	uint64_t deadline_ns; /* from when it begins to run; not 0: what may last for ever can't be told from a hang */
};

struct enrg_device_result {
	char name[ENRG_DEVICE_NAME_BYTES]; /* of the work that was posted */
	void *context;
	int rc; /* what it returned */
	struct enrg_error err;
};

/* Starts the thread. `name` ("camera") stands in what is said of it; `depth` (1 to ENRG_DEVICE_DEPTH_MAX): so many
 * works may be posted whose results have not been taken. 0, -EINVAL, -ENOMEM, -errno. */
ENRG_API int enrg_device_create(struct enrg_job *job, const char *name, uint32_t depth, struct enrg_device **ret_device,
	struct enrg_error *err);

/* Has the thread do `work` behind all that was posted, and waits until it is back: sleeps, however long it takes. What
 * it returned; -EINVAL: no name, function or deadline. A stop does not end it, since nothing can; a hang does not
 * return. */
ENRG_API int enrg_device_call(struct enrg_device *device, const struct enrg_device_work *work, struct enrg_error *err);

/* Has the thread do `work` behind all that was posted before, and does not wait. 0; -EAGAIN: `depth` of them are on
 * their way: take results first; -EINVAL. */
ENRG_API int enrg_device_post(struct enrg_device *device, const struct enrg_device_work *work);

/* The next result of what was posted, in that order. 1; 0: there is none yet. */
ENRG_API int enrg_device_take(struct enrg_device *device, struct enrg_device_result *ret_result);

/* Readable (POLLIN) while there are results: for enrg_job_wait_fd, which also notices what hangs. */
ENRG_API int enrg_device_descriptor(const struct enrg_device *device);

/* Ends the thread: for the `destroy` of a job; takes NULL. What has not begun to run is left out, results are lost.
 * Waits for the work that runs, up to its deadline; one that hangs is left behind with an alert, and the process ends
 * without it. Its context may then not be freed: false. true: nobody uses any context any more. */
ENRG_API bool enrg_device_destroy(struct enrg_device *device);

#ifdef __cplusplus
}
#endif

#endif
