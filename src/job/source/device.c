/* device.c: the thread of a device, its queue, and what happens to works that hang. The job's thread, except `run`. */
#include "job/source/device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "job/process/end.h"

#define DESTROY_BEAT_NS 200000000ull

/* --- the device's thread ----------------------------------------------------------------------------------------- */

/* The next one whose turn it is; NULL: there is none. */
static struct device_item *next_item(struct enrg_device *device)
{
	if (device->call_state == DEVICE_ITEM_WAITING && device->call_turn == device->done)
		return &device->call;
	return device->done < device->posted ? &device->items[device->done % device->depth] : NULL;
}

static void note_done(struct enrg_device *device, const struct device_item *item)
{
	const uint64_t one = 1;

	device->running = NULL;
	device->due_ns = UINT64_MAX;
	if (item == &device->call) {
		device->call_state = DEVICE_ITEM_DONE;
		process_wake(device->job->process);
	} else if (device->done++ == device->taken) {
		while (write(device->event, &one, sizeof(one)) < 0 && errno == EINTR)
			;
	}
}

static void *run(void *context)
{
	struct enrg_device *device = context;

	pthread_mutex_lock(&device->lock);
	while (!device->is_ending) {
		struct device_item *item = next_item(device);
		if (!item) {
			pthread_cond_wait(&device->wanted, &device->lock);
			continue;
		}
		device->running = item;
		uint64_t now_ns = clock_mono_ns();
		device->due_ns = item->deadline_ns < UINT64_MAX - now_ns ? now_ns + item->deadline_ns : UINT64_MAX;
		pthread_mutex_unlock(&device->lock);
		int rc = item->run(item->context, &item->err);
		pthread_mutex_lock(&device->lock);
		item->rc = rc;
		note_done(device, item);
	}
	pthread_mutex_unlock(&device->lock);
	return NULL;
}

/* --- hangs ------------------------------------------------------------------------------------------------------- */

/* What is queued and has not begun is taken as if it began now: it will while the job sleeps. */
static uint64_t deadline_of(struct enrg_device *device)
{
	pthread_mutex_lock(&device->lock);
	uint64_t due_ns = device->due_ns;
	const struct device_item *item = device->running ? NULL : next_item(device);
	if (item) {
		uint64_t now_ns = clock_mono_ns();
		due_ns = item->deadline_ns < UINT64_MAX - now_ns ? now_ns + item->deadline_ns : UINT64_MAX;
	}
	pthread_mutex_unlock(&device->lock);
	return due_ns;
}

uint64_t devices_deadline(const struct enrg_job *job)
{
	uint64_t first_ns = UINT64_MAX;

	for (struct enrg_device *device = job->devices; device; device = device->next) {
		uint64_t due_ns = deadline_of(device);
		first_ns = due_ns < first_ns ? due_ns : first_ns;
	}
	return first_ns;
}

/* true: it hangs, and `ret_text` says what. */
static bool is_hung(struct enrg_device *device, uint64_t now_ns, char *ret_text, size_t text_bytes)
{
	char span[32];

	pthread_mutex_lock(&device->lock);
	bool hangs = device->running && now_ns >= device->due_ns;
	if (hangs) {
		clock_format_span(device->running->deadline_ns, span, sizeof(span));
		snprintf(ret_text, text_bytes, "%s of device %s hangs: it has not returned within %s",
			device->running->name, device->name, span);
	}
	pthread_mutex_unlock(&device->lock);
	return hangs;
}

void devices_check(struct enrg_job *job, uint64_t now_ns)
{
	struct process *process = job->process;
	char text[300];

	for (struct enrg_device *device = job->devices; device; device = device->next) {
		if (!is_hung(device, now_ns, text, sizeof(text)))
			continue;
		process_alert(process, ENRG_ERROR,
			"%s; the process ends, as nothing else ends such a call, and is started again: what it had "
			"appended and committed is stored, what the device holds meanwhile may be lost; see whether "
			"the "
			"device is switched on and answers",
			text);
		page_set_reason(process->page, text);
		atomic_store_explicit(&process->page->state, PAGE_FAILED, memory_order_relaxed);
		/* The author's code is left in the middle, so no claim is complete; appended rows are. */
		if (job->outputs->claimed)
			enrg_output_abort(job->outputs->claimed);
		job->devices = NULL; /* flushing waits, and comes here again */
		(void)outputs_flush(job->outputs, NULL);
		process_end(process, EXIT_FAILED);
	}
}

/* --- what authors call ------------------------------------------------------------------------------------------- */

static int start_thread(struct enrg_device *device, struct enrg_error *err)
{
	char name[16];

	device->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (device->event < 0)
		return enrg_error_set(err, -errno, "device %s: %s", device->name, enrg_error_name(-errno));
	int rc = -pthread_create(&device->thread, NULL, run, device);
	if (rc < 0) {
		close(device->event);
		return enrg_error_set(err, rc, "device %s: no thread: %s", device->name, enrg_error_name(rc));
	}
	text_copy(name, sizeof(name), device->name);
	pthread_setname_np(device->thread, name);
	return 0;
}

static void free_device(struct enrg_device *device)
{
	pthread_mutex_destroy(&device->lock);
	pthread_cond_destroy(&device->wanted);
	free(device->items);
	free(device);
}

int enrg_device_create(
	struct enrg_job *job, const char *name, uint32_t depth, struct enrg_device **ret_device, struct enrg_error *err)
{
	if (!name || depth < 1 || depth > ENRG_DEVICE_DEPTH_MAX)
		return enrg_error_set(
			err, -EINVAL, "device: expected a name and a depth of 1 to %u", ENRG_DEVICE_DEPTH_MAX);
	struct enrg_device *device = calloc(1, sizeof(*device));
	if (!device || !(device->items = calloc(depth, sizeof(*device->items)))) {
		free(device);
		return enrg_error_set(err, -ENOMEM, "device %s: out of memory", name);
	}
	snprintf(device->name, sizeof(device->name), "%s", name);
	device->job = job;
	device->depth = depth;
	device->due_ns = UINT64_MAX;
	pthread_mutex_init(&device->lock, NULL);
	pthread_cond_init(&device->wanted, NULL);
	int rc = start_thread(device, err);
	if (rc < 0) {
		free_device(device);
		return rc;
	}
	device->next = job->devices;
	job->devices = device;
	*ret_device = device;
	return 0;
}

bool device_fill_item(struct device_item *item, const struct enrg_device_work *work)
{
	if (!work->name || !work->run || !work->deadline_ns)
		return false;
	*item = (struct device_item){.run = work->run, .context = work->context, .deadline_ns = work->deadline_ns};
	snprintf(item->name, sizeof(item->name), "%s", work->name);
	return true;
}

int enrg_device_post(struct enrg_device *device, const struct enrg_device_work *work)
{
	struct device_item item;

	if (!device_fill_item(&item, work))
		return -EINVAL;
	pthread_mutex_lock(&device->lock);
	bool is_full = device->posted - device->taken == device->depth;
	if (!is_full) {
		device->items[device->posted % device->depth] = item;
		device->posted++;
		pthread_cond_signal(&device->wanted);
	}
	pthread_mutex_unlock(&device->lock);
	return is_full ? -EAGAIN : 0;
}

int enrg_device_take(struct enrg_device *device, struct enrg_device_result *ret_result)
{
	uint64_t count;

	pthread_mutex_lock(&device->lock);
	bool has_one = device->taken < device->done;
	if (has_one) {
		const struct device_item *item = &device->items[device->taken % device->depth];
		*ret_result = (struct enrg_device_result){.context = item->context, .rc = item->rc, .err = item->err};
		snprintf(ret_result->name, sizeof(ret_result->name), "%s", item->name);
		if (++device->taken == device->done)
			while (read(device->event, &count, sizeof(count)) < 0 && errno == EINTR)
				;
	}
	pthread_mutex_unlock(&device->lock);
	return has_one;
}

int enrg_device_descriptor(const struct enrg_device *device)
{
	return device->event;
}

/* Waits until the thread is through, or what runs on it is beyond its deadline. */
static bool join_thread(struct enrg_device *device, char *ret_text, size_t text_bytes)
{
	for (;;) {
		uint64_t until_ns = clock_wall_ns() + DESTROY_BEAT_NS;
		const struct timespec until = {
			.tv_sec = (time_t)(until_ns / 1000000000u),
			.tv_nsec = (long)(until_ns % 1000000000u),
		};
		process_beat(device->job->process);
		if (pthread_timedjoin_np(device->thread, NULL, &until) == 0)
			return true;
		if (is_hung(device, clock_mono_ns(), ret_text, text_bytes))
			return false;
	}
}

bool enrg_device_destroy(struct enrg_device *device)
{
	char text[300];

	if (!device)
		return true;
	struct process *process = device->job->process;
	for (struct enrg_device **at = &device->job->devices; *at; at = &(*at)->next) {
		if (*at != device)
			continue;
		*at = device->next;
		break;
	}
	pthread_mutex_lock(&device->lock);
	device->is_ending = true;
	pthread_cond_signal(&device->wanted);
	pthread_mutex_unlock(&device->lock);
	if (!join_thread(device, text, sizeof(text))) {
		process_alert(process, ENRG_ERROR,
			"%s; it is left behind, and the process ends without it: all data is handed over, but the "
			"device "
			"may not be closed in order",
			text);
		pthread_detach(device->thread);
		process->is_thread_left = true;
		return false;
	}
	close(device->event);
	free_device(device);
	return true;
}
