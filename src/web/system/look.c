/* look.c: on its own thread it reads what the supervisor writes, so that whoever asks finds it in memory. A supervisor
 * that hangs, or is away, leaves the last that is known, and its age. */
#include "web/system/look.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "enrgdaq/client.h"
#include "web/system/change.h"

#define PERIOD_NS 1000000000ull
#define HANGS_S   15.0 /* the supervisor writes once a second, 10 s apart at most */

struct look {
	char supervisor[256];
	struct enrg_client *client; /* NULL: none yet */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t thread;
	bool is_ending;
	struct snapshot *present;
	void (*on_event)(void *context, const json_t *event);
	void *context;
};

static struct snapshot *look_once(struct look *look, const struct snapshot *before)
{
	struct enrg_error err = {0};
	struct snapshot_look seen = {.reason = ""};
	const struct enrg_status *status;
	char hangs[200];
	int rc = look->client ? 0 : enrg_client_open(look->supervisor, &look->client, &err);

	if (rc == 0)
		rc = enrg_client_status(look->client, ENRG_STATUS_FILES, &status, &err);
	if (rc < 0) {
		seen.reason = err.text;
		return snapshot_create(before, &seen);
	}
	seen.is_there = true;
	seen.age_s = status->age_s;
	seen.json = status->json;
	if (status->age_s > HANGS_S) {
		snprintf(hangs, sizeof(hangs),
			"the supervisor has not written its state for %.0f s: it hangs, or the machine is overloaded; "
			"what is shown is as old",
			status->age_s);
		seen.reason = hangs;
	}
	return snapshot_create(before, &seen);
}

static void tell(struct look *look, const struct snapshot *before, const struct snapshot *now)
{
	pthread_mutex_lock(&look->lock);
	void (*on_event)(void *context, const json_t *event) = look->on_event;
	void *context = look->context;
	pthread_mutex_unlock(&look->lock);
	json_t *events = on_event ? change_list(before, now) : NULL;
	const json_t *event;
	size_t i;

	json_array_foreach(events, i, event) on_event(context, event);
	json_decref(events);
}

/* true: to end. */
static bool wait_until(struct look *look, uint64_t until_ns)
{
	const struct timespec until = {
		.tv_sec = (time_t)(until_ns / 1000000000ull), .tv_nsec = (long)(until_ns % 1000000000ull)};
	int rc = 0;

	pthread_mutex_lock(&look->lock);
	while (!look->is_ending && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&look->wake, &look->lock, &until);
	bool is_ending = look->is_ending;
	pthread_mutex_unlock(&look->lock);
	return is_ending;
}

static void *run(void *argument)
{
	struct look *look = argument;
	uint64_t due_ns = clock_mono_ns() + PERIOD_NS;

	while (!wait_until(look, due_ns)) {
		struct snapshot *before = look_hold(look), *now = look_once(look, before);
		if (now) {
			tell(look, before, now);
			pthread_mutex_lock(&look->lock);
			look->present = now;
			pthread_mutex_unlock(&look->lock);
			snapshot_release(before); /* that of `present` */
		}
		snapshot_release(before);
		due_ns += PERIOD_NS;
		if (due_ns < clock_mono_ns()) /* a paused machine catches up on nothing */
			due_ns = clock_mono_ns() + PERIOD_NS;
	}
	return NULL;
}

int look_start(const char *supervisor, struct look **ret_look, struct enrg_error *err)
{
	struct look *look = calloc(1, sizeof(*look));
	pthread_condattr_t attributes;

	if (!look)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	snprintf(look->supervisor, sizeof(look->supervisor), "%s", supervisor);
	pthread_mutex_init(&look->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&look->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	look->present = look_once(look, NULL);
	int rc = look->present ? pthread_create(&look->thread, NULL, run, look) : ENOMEM;
	if (!rc) {
		*ret_look = look;
		return 0;
	}
	enrg_client_close(look->client);
	snapshot_release(look->present);
	pthread_cond_destroy(&look->wake);
	pthread_mutex_destroy(&look->lock);
	free(look);
	return enrg_error_set(err, -rc, "there is no memory, or no thread, to look at the system");
}

void look_stop(struct look *look)
{
	if (!look)
		return;
	pthread_mutex_lock(&look->lock);
	look->is_ending = true;
	pthread_cond_signal(&look->wake);
	pthread_mutex_unlock(&look->lock);
	pthread_join(look->thread, NULL);
	enrg_client_close(look->client);
	snapshot_release(look->present);
	pthread_cond_destroy(&look->wake);
	pthread_mutex_destroy(&look->lock);
	free(look);
}

struct snapshot *look_hold(struct look *look)
{
	pthread_mutex_lock(&look->lock);
	struct snapshot *snapshot = snapshot_hold(look->present);
	pthread_mutex_unlock(&look->lock);
	return snapshot;
}

void look_listen(struct look *look, void (*on_event)(void *context, const json_t *event), void *context)
{
	pthread_mutex_lock(&look->lock);
	look->on_event = on_event;
	look->context = context;
	pthread_mutex_unlock(&look->lock);
}
