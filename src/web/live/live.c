/* live.c: see the header. */
#include "web/live/live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/text.h"
#include "config/web_options.h"
#include "web/live/viewer.h"

#define MESSAGES_PER_SECOND 20.0
#define MESSAGES_BURST      40.0
#define CREDITS_PER_SECOND  200.0
#define CHECK_NS            1000000000u
#define STARVED_NS          30000000000u /* no credit for so long */
#define STUCK_NS            60000000000u /* takes nothing for so long */
#define CLOSE_POLICY        1008u
#define BURST_PART          4.0 /* a quarter of a second's frames and bytes at once */

/* --- what comes from other threads -------------------------------------------------------------------------------- */

static void wake(void *context)
{
	const struct live *live = context;

	http_wake(live->http);
}

static void on_change(void *context, const json_t *event)
{
	live_tell(
		context, json_copy((json_t *)(uintptr_t)event)); /* its parts are shared, and nothing in them changes */
}

void live_tell(struct live *live, json_t *event)
{
	events_add(live->events, event);
	http_wake(live->http);
}

/* --- its life ----------------------------------------------------------------------------------------------------- */

static void set_budgets(struct live *live)
{
	const struct web_options *options = system_settings(live->system)->web;
	double frames = (double)options->scope_frames_per_second, bytes = options->scope_megabytes_per_second * 1e6;
	uint64_t now_ns = clock_mono_ns();

	budget_init(&live->frames, frames, frames / BURST_PART < 1 ? 1 : frames / BURST_PART, now_ns);
	budget_init(&live->bytes, bytes, bytes / BURST_PART, now_ns);
}

static int begin(struct live *live, struct enrg_error *err)
{
	const char *supervisor = system_settings(live->system)->supervisor_id;
	const struct follow_params follow = {
		.supervisor = supervisor, .events = live->events, .on_events = wake, .context = live};
	const struct scope_params scope = {.supervisor = supervisor, .on_frame = wake, .context = live};
	unsigned char random[8];
	int rc = scope_start(&scope, &live->scope, err);

	if (rc == 0)
		rc = follow_start(&follow, &live->follow, err);
	if (rc < 0)
		return rc;
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return enrg_error_set(err, -EIO, "the kernel gives no random bytes");
	text_format_hex(random, sizeof(random), live->instance);
	system_listen(live->system, on_change, live);
	return 0;
}

int live_open(struct web_system *system, struct http_server *http, struct access *access, struct live **ret_live,
	struct enrg_error *err)
{
	struct live *live = calloc(1, sizeof(*live));

	if (live)
		live->events = events_create();
	if (!live || !live->events) {
		free(live);
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	live->system = system;
	live->http = http;
	live->access = access;
	set_budgets(live);
	int rc = begin(live, err);
	if (rc < 0) {
		live_close(live);
		return rc;
	}
	*ret_live = live;
	return 0;
}

static void remove_viewer(struct live *live, size_t index)
{
	struct viewer *viewer = live->viewers[index];

	for (uint32_t id = 0; id < ASK_SCOPES_MAX; id++)
		viewer_drop_scope(live, viewer, id);
	free(viewer);
	live->viewers[index] = live->viewers[--live->count];
	atomic_store_explicit(&live->sockets, live->count, memory_order_relaxed);
}

void live_close(struct live *live)
{
	if (!live)
		return;
	system_listen(live->system, NULL, NULL);
	while (live->count)
		remove_viewer(live, live->count - 1);
	follow_stop(live->follow);
	scope_stop(live->scope);
	events_destroy(live->events);
	web_bytes_release(live->status);
	free(live->viewers);
	free(live);
}

/* --- sockets ------------------------------------------------------------------------------------------------------ */

static size_t find_viewer(const struct live *live, uint64_t socket)
{
	size_t i = 0;

	while (i < live->count && live->viewers[i]->socket != socket)
		i++;
	return i;
}

static struct viewer *add_viewer(struct live *live)
{
	if (live->count == live->room) {
		size_t room = live->room ? 2 * live->room : 16;
		struct viewer **viewers = realloc(live->viewers, room * sizeof(struct viewer *));

		if (!viewers)
			return NULL;
		live->viewers = viewers;
		live->room = room;
	}
	struct viewer *viewer = calloc(1, sizeof(*viewer));
	if (viewer)
		live->viewers[live->count++] = viewer;
	return viewer;
}

void live_on_open(struct live *live, uint64_t socket, const struct access_who *who)
{
	const struct web_options *options = system_settings(live->system)->web;
	struct viewer *viewer = add_viewer(live);
	uint64_t now_ns = clock_mono_ns();

	if (!viewer) {
		http_socket_close(live->http, socket, 1011, "out of memory");
		return;
	}
	viewer->socket = socket;
	viewer->who = *who;
	budget_init(&viewer->messages, MESSAGES_PER_SECOND, MESSAGES_BURST, now_ns);
	budget_init(&viewer->credits, CREDITS_PER_SECOND, CREDITS_PER_SECOND, now_ns);
	atomic_store_explicit(&live->sockets, live->count, memory_order_relaxed);
	viewer_say(live, viewer,
		json_pack("{s:s, s:i, s:s, s:I, s:s, s:I, s:f}", "type", "hello", "protocol", 1, "instance",
			live->instance, "last", (json_int_t)events_last(live->events), "role",
			access_role_name(who->role), "frames_per_second", (json_int_t)options->scope_frames_per_second,
			"megabytes_per_second", options->scope_megabytes_per_second));
}

void live_on_message(struct live *live, uint64_t socket, const void *bytes, size_t count, bool is_binary)
{
	size_t i = find_viewer(live, socket);

	if (i == live->count)
		return;
	viewer_hear(live, live->viewers[i], bytes, count, is_binary);
	http_wake(live->http); /* what it may have now goes out with this turn */
}

void live_on_close(struct live *live, uint64_t socket)
{
	size_t i = find_viewer(live, socket);

	if (i < live->count)
		remove_viewer(live, i);
}

/* --- turns -------------------------------------------------------------------------------------------------------- */

static bool is_starved(const struct viewer *viewer, uint64_t now_ns)
{
	for (size_t id = 0; id < ASK_SCOPES_MAX; id++) {
		const struct viewer_scope *scope = &viewer->scopes[id];

		if (scope->feed && scope->starved_ns && now_ns - scope->starved_ns > STARVED_NS)
			return true;
	}
	return false;
}

static const char *find_reason_to_close(struct live *live, struct viewer *viewer, uint64_t now_ns)
{
	viewer->who.role = access_role_now(live->access, &viewer->who);
	if (viewer->who.role < ACCESS_VISITOR)
		return "not allowed any more";
	if (is_starved(viewer, now_ns))
		return "a scope got no credit for 30 s; stop it while nobody looks";
	if (!http_socket_waiting(live->http, viewer->socket))
		viewer->stuck_ns = 0;
	else if (!viewer->stuck_ns)
		viewer->stuck_ns = now_ns;
	else if (now_ns - viewer->stuck_ns > STUCK_NS)
		return "nothing was taken for 60 s";
	return NULL;
}

static void check(struct live *live, uint64_t now_ns)
{
	if (now_ns - live->checked_ns < CHECK_NS)
		return;
	live->checked_ns = now_ns;
	for (size_t i = 0; i < live->count; i++) {
		const char *reason = find_reason_to_close(live, live->viewers[i], now_ns);

		if (reason)
			http_socket_close(live->http, live->viewers[i]->socket, CLOSE_POLICY, reason);
	}
}

/* Frames are made no faster than all who wait for some may get them. */
static uint64_t find_period_ns(const struct live *live)
{
	double frames = 0, bytes = 0;

	for (size_t i = 0; i < live->count; i++)
		for (size_t id = 0; id < ASK_SCOPES_MAX; id++) {
			const struct viewer_scope *scope = &live->viewers[i]->scopes[id];

			frames += scope->feed && scope->credit ? 1 : 0;
			bytes += scope->feed && scope->credit ? (double)scope->frame_bytes : 0;
		}
	double by_frames = frames / live->frames.per_second, by_bytes = bytes / live->bytes.per_second;
	return (uint64_t)((by_frames > by_bytes ? by_frames : by_bytes) * 1e9);
}

static void set_wanted(struct live *live)
{
	uint64_t period_ns = find_period_ns(live);

	scope_begin_wants(live->scope);
	for (size_t i = 0; i < live->count; i++)
		for (size_t id = 0; id < ASK_SCOPES_MAX; id++) {
			const struct viewer_scope *scope = &live->viewers[i]->scopes[id];

			if (scope->feed && scope->credit)
				scope_want(live->scope, scope->feed, scope->sent, period_ns);
		}
	scope_end_wants(live->scope);
}

void live_turn(struct live *live)
{
	uint64_t now_ns = clock_mono_ns();

	if (!live->count)
		return;
	for (size_t i = 0; i < live->count; i++) {
		struct viewer *viewer = live->viewers[(live->first + i) % live->count];

		viewer_send_events(live, viewer, now_ns);
		viewer_send_frames(live, viewer, now_ns);
	}
	live->first++; /* who comes first gets what is left of the budget */
	set_wanted(live);
	check(live, now_ns);
}

void live_get_counts(struct live *live, struct live_counts *ret_counts)
{
	ret_counts->sockets = atomic_load_explicit(&live->sockets, memory_order_relaxed);
	ret_counts->frames_sent = atomic_load_explicit(&live->frames_sent, memory_order_relaxed);
	ret_counts->frames_skipped = atomic_load_explicit(&live->frames_skipped, memory_order_relaxed);
}
