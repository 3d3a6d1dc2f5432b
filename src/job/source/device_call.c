/* device_call.c: enrg_device_call: the job's thread waits for the device's, and looks after everything else meanwhile.
 */
#include <errno.h>

#include "job/source/device.h"
#include "job/source/wait.h"

static bool is_done(struct enrg_device *device)
{
	pthread_mutex_lock(&device->lock);
	bool done = device->call_state == DEVICE_ITEM_DONE;
	if (done)
		device->call_state = DEVICE_ITEM_NONE;
	pthread_mutex_unlock(&device->lock);
	return done;
}

int enrg_device_call(struct enrg_device *device, const struct enrg_device_work *work, struct enrg_error *err)
{
	struct device_item item;
	int flushed = 0;

	if (!device_fill_item(&item, work))
		return enrg_error_set(
			err, -EINVAL, "device %s: a call without name, function or deadline", device->name);
	pthread_mutex_lock(&device->lock);
	device->call = item;
	device->call_turn = device->posted;
	device->call_state = DEVICE_ITEM_WAITING;
	pthread_cond_signal(&device->wanted);
	pthread_mutex_unlock(&device->lock);
	/* Rows that can't be committed are reported when the call is back: its context lies on the caller's stack. */
	while (!is_done(device)) {
		int rc = wait_for_work(device->job, flushed == 0 ? err : NULL);
		flushed = flushed == 0 ? rc : flushed;
	}
	/* Whoever asked for a run woke this thread, and may have met this sleep: the next one is to end at once. */
	if (source_run_is_due(device->job))
		process_wake(device->job->process);
	if (flushed < 0)
		return flushed;
	if (device->call.rc < 0)
		return enrg_error_set(err, device->call.rc, "%s: %s", device->call.name,
			device->call.err.code ? device->call.err.text : enrg_error_name(device->call.rc));
	return device->call.rc;
}
