/* viewer.c: see the header. What is sent is taken from rings and newest frames when the client has room for it: nothing
 * is kept for a client but its place in them. */
#include "web/live/viewer.h"

#include <stdlib.h>
#include <string.h>

#define WAITING_MAX        16u /* messages that http has not sent yet: no more events */
#define WAITING_STATUS_MAX 4u
#define WAITING_FRAMES_MAX 2u
#define EVENTS_MAX         200u /* looked at in a turn, so that others have theirs */
#define LEFT_OUT_NS        1000000000u

void viewer_say(struct live *live, struct viewer *viewer, json_t *message)
{
	char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;
	struct web_bytes *bytes = text ? web_bytes_create(text, strlen(text)) : NULL;

	if (bytes)
		http_socket_send(live->http, viewer->socket, bytes, false);
	free(text);
	json_decref(message);
}

/* --- events ------------------------------------------------------------------------------------------------------- */

static bool may_send(struct live *live, struct viewer *viewer, uint32_t waiting_max)
{
	return (!viewer->has_credit || viewer->credit) && http_socket_waiting(live->http, viewer->socket) < waiting_max;
}

static void spend(struct viewer *viewer)
{
	viewer->credit -= viewer->credit > 0;
}

/* A line of the log that passes its filters. */
static bool is_wanted_line(const struct viewer *viewer, const struct event *event)
{
	if (event->bit != EVENT_LOG)
		return true;
	return event->level >= viewer->log_level &&
	       (!*viewer->log_process || !strcmp(viewer->log_process, event->process)) &&
	       (!*viewer->log_text || strcasestr(event->message, viewer->log_text));
}

static void say_gap(struct live *live, struct viewer *viewer, uint64_t until)
{
	viewer_say(live, viewer,
		json_pack("{s:s, s:I, s:I, s:s}", "type", "gap", "after", (json_int_t)viewer->seen, "until",
			(json_int_t)until, "detail", "events in between are not kept any more; read the state back"));
	viewer->seen = until;
	spend(viewer);
}

static void say_left_out(struct live *live, struct viewer *viewer, uint64_t now_ns)
{
	if (!viewer->log_left_out || now_ns - viewer->log_left_out_ns < LEFT_OUT_NS)
		return;
	viewer_say(live, viewer,
		json_pack("{s:s, s:I, s:I}", "type", "log_left_out", "count", (json_int_t)viewer->log_left_out,
			"number", (json_int_t)viewer->seen));
	viewer->log_left_out = 0;
	viewer->log_left_out_ns = now_ns;
	spend(viewer);
}

/* true: it was sent, or left out by the client's own limits. */
static void send_event(struct live *live, struct viewer *viewer, const struct event *event, uint64_t now_ns)
{
	viewer->seen = event->number;
	if (!is_wanted_line(viewer, event))
		return;
	if (event->bit == EVENT_LOG) {
		if (!budget_has(&viewer->log_lines, now_ns)) {
			viewer->log_left_out_ns = viewer->log_left_out++ ? viewer->log_left_out_ns : now_ns;
			return;
		}
		budget_take(&viewer->log_lines, 1);
	}
	http_socket_send(live->http, viewer->socket, web_bytes_hold(event->bytes), false);
	spend(viewer);
}

static void send_status(struct live *live, struct viewer *viewer)
{
	uint64_t looked_ns;

	if (!(viewer->bits & EVENT_STATUS) || !may_send(live, viewer, WAITING_STATUS_MAX))
		return;
	struct web_bytes *status = live_get_status(live, &looked_ns);
	if (!status || looked_ns == viewer->status_ns)
		return;
	http_socket_send(live->http, viewer->socket, web_bytes_hold(status), false);
	viewer->status_ns = looked_ns;
	spend(viewer);
}

void viewer_send_events(struct live *live, struct viewer *viewer, uint64_t now_ns)
{
	uint32_t bits = viewer->bits & (EVENT_ALL | EVENT_LOG);

	for (unsigned i = 0; bits && i < EVENTS_MAX && may_send(live, viewer, WAITING_MAX); i++) {
		uint64_t until = events_lost(live->events, viewer->seen, bits);

		if (until) {
			say_gap(live, viewer, until);
			continue;
		}
		struct event *event = events_next(live->events, viewer->seen, bits);
		if (!event)
			break;
		send_event(live, viewer, event, now_ns);
		event_release(event);
	}
	if (may_send(live, viewer, WAITING_MAX))
		say_left_out(live, viewer, now_ns);
	send_status(live, viewer);
}

/* --- frames ------------------------------------------------------------------------------------------------------- */

static void say_state(struct live *live, struct viewer *viewer, uint32_t id)
{
	struct viewer_scope *scope = &viewer->scopes[id];
	char state[300];
	uint32_t number = scope_get_state(live->scope, scope->feed, state);

	if (number == scope->state_number || http_socket_waiting(live->http, viewer->socket) >= WAITING_MAX)
		return;
	scope->state_number = number;
	viewer_say(live, viewer,
		json_pack("{s:s, s:i, s:i, s:s, s:s}", "type", "scope", "id", (int)id, "feed", (int)scope->feed->number,
			"state", *state ? "waits" : "runs", "detail", state));
}

static void send_frame(struct live *live, struct viewer *viewer, struct viewer_scope *scope, uint64_t now_ns)
{
	uint64_t sequence;

	if (http_socket_waiting(live->http, viewer->socket) >= WAITING_FRAMES_MAX ||
		!budget_has(&live->frames, now_ns) || !budget_has(&live->bytes, now_ns))
		return;
	struct web_bytes *frame = scope_get_frame(live->scope, scope->feed, scope->sent, &sequence);
	if (!frame)
		return;
	atomic_fetch_add_explicit(&live->frames_sent, 1, memory_order_relaxed);
	if (scope->sent) /* before the first one it was not there */
		atomic_fetch_add_explicit(&live->frames_skipped, sequence - scope->sent - 1, memory_order_relaxed);
	scope->frame_bytes = frame->count;
	scope->sent = sequence;
	scope->credit--;
	scope->starved_ns = scope->credit ? 0 : now_ns;
	budget_take(&live->frames, 1);
	budget_take(&live->bytes, (double)frame->count);
	http_socket_send(live->http, viewer->socket, frame, true);
}

void viewer_send_frames(struct live *live, struct viewer *viewer, uint64_t now_ns)
{
	for (uint32_t id = 0; id < ASK_SCOPES_MAX; id++) {
		struct viewer_scope *scope = &viewer->scopes[id];

		if (!scope->feed)
			continue;
		say_state(live, viewer, id);
		if (scope->credit)
			send_frame(live, viewer, scope, now_ns);
	}
}

void viewer_drop_scope(struct live *live, struct viewer *viewer, uint32_t id)
{
	struct viewer_scope *scope = &viewer->scopes[id];

	if (scope->feed)
		scope_release(live->scope, scope->feed);
	*scope = (struct viewer_scope){0};
}
