/* viewer_ask.c: what a client says, done or refused with the field that is wrong. Main thread. Process: enrgdaq-web. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "web/live/viewer.h"

#define COMPLAINT_NS 1000000000u
#define IGNORED_MAX  1000u /* messages above the limits, then it is hung up on */
#define CLOSE_POLICY 1008u
#define SINGLE_SHIFT 8u

static void say_fault(struct live *live, struct viewer *viewer, const struct ask *ask, const struct ask_fault *fault)
{
	json_t *message = json_pack("{s:s, s:s, s:s}", "type", "error", "field", fault->field, "detail", fault->detail);

	if (ask && ask->kind < ASK_KINDS)
		json_object_set_new(message, "do", json_string(ask_kind_name(ask->kind)));
	if (ask && ask->ref)
		json_object_set(message, "ref", ask->ref);
	viewer_say(live, viewer, message);
}

/* Takes `more`: what this answer says besides. */
static void say_done(struct live *live, struct viewer *viewer, const struct ask *ask, json_t *more)
{
	json_t *message = json_pack("{s:s, s:s}", "type", "ok", "do", ask_kind_name(ask->kind));

	if (ask->ref)
		json_object_set(message, "ref", ask->ref);
	if (more)
		json_object_update(message, more);
	json_decref(more);
	viewer_say(live, viewer, message);
}

static void set_fault(struct ask_fault *fault, const char *field, const char *detail)
{
	text_copy(fault->field, sizeof(fault->field), field);
	text_copy(fault->detail, sizeof(fault->detail), detail);
}

/* --- events ------------------------------------------------------------------------------------------------------- */

static int parse_kinds(const struct ask_listen *listen, uint32_t *ret_bits, struct ask_fault *ret_fault)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < listen->kinds.count; i++) {
		uint32_t bit = event_bits_parse(listen->kinds.items[i]);

		if (!bit) {
			set_fault(ret_fault, "kinds",
				"kinds: expected some of all, system, state, run, job, alarm, alert, other, log, "
				"status");
			return ENRG_E_PROTOCOL;
		}
		bits |= bit;
	}
	*ret_bits = bits;
	return 0;
}

/* Where it continues: behind the last event that it has, if that was of this process. */
static void set_place(struct live *live, struct viewer *viewer, const struct ask_listen *listen)
{
	uint64_t last = events_last(live->events), since = listen->since > 0 ? (uint64_t)listen->since : 0;
	bool is_ours = listen->instance && !strcmp(listen->instance, live->instance) && since <= last;

	viewer->seen = listen->since < 0 ? last : is_ours ? since : 0;
	if (listen->since > 0 && !is_ours)
		viewer_say(live, viewer,
			json_pack("{s:s, s:I, s:i, s:s}", "type", "gap", "after", (json_int_t)since, "until", 0,
				"detail",
				"the server was started again since: its numbers begin anew; read the state back"));
}

static int listen_to(struct live *live, struct viewer *viewer, const struct ask *ask, struct ask_fault *ret_fault)
{
	const struct ask_listen *listen = ask->listen;
	uint32_t bits;
	char log_state[300];

	if (parse_kinds(listen, &bits, ret_fault))
		return ENRG_E_PROTOCOL;
	if ((listen->log_process && strlen(listen->log_process) >= sizeof(viewer->log_process)) ||
		(listen->log_text && strlen(listen->log_text) >= sizeof(viewer->log_text))) {
		set_fault(ret_fault, listen->log_text ? "log_text" : "log_process", "log_process, log_text: too long");
		return ENRG_E_PROTOCOL;
	}
	follow_get_state(live->follow, log_state);
	say_done(live, viewer, ask,
		json_pack("{s:s, s:I, s:s}", "instance", live->instance, "last", (json_int_t)events_last(live->events),
			"log", log_state));
	viewer->bits = bits;
	viewer->has_credit = listen->credit > 0;
	viewer->credit = (uint32_t)listen->credit;
	viewer->log_level = (enum enrg_level)listen->log_level;
	text_copy(viewer->log_process, sizeof(viewer->log_process), listen->log_process ? listen->log_process : "");
	text_copy(viewer->log_text, sizeof(viewer->log_text), listen->log_text ? listen->log_text : "");
	budget_init(&viewer->log_lines, (double)listen->log_lines_per_second, (double)listen->log_lines_per_second,
		clock_mono_ns());
	viewer->log_left_out = 0;
	viewer->status_ns = 0;
	set_place(live, viewer, listen);
	return 0;
}

/* --- scopes ------------------------------------------------------------------------------------------------------- */

static int begin_scope(struct live *live, struct viewer *viewer, const struct ask *ask, struct ask_fault *ret_fault)
{
	const struct ask_scope *wanted = ask->scope;
	uint32_t id = (uint32_t)wanted->id;
	struct feed_request request;

	if (feed_request_make(wanted, viewer->socket << SINGLE_SHIFT | id, &request, ret_fault))
		return ENRG_E_PROTOCOL;
	struct feed *feed = scope_acquire(live->scope, &request);
	if (!feed) {
		set_fault(ret_fault, "", "too many scopes are open at this server");
		return ENRG_E_PROTOCOL;
	}
	viewer_drop_scope(live, viewer, id);
	viewer->scopes[id] = (struct viewer_scope){
		.feed = feed, .credit = (uint32_t)wanted->credit, .starved_ns = wanted->credit ? 0 : clock_mono_ns()};
	say_done(live, viewer, ask, json_pack("{s:i, s:i}", "id", (int)id, "feed", (int)feed->number));
	return 0;
}

static int find_scope(struct viewer *viewer, int64_t id, struct viewer_scope **ret_scope, struct ask_fault *ret_fault)
{
	*ret_scope = &viewer->scopes[id];
	if ((*ret_scope)->feed)
		return 0;
	set_fault(ret_fault, "id", "id: there is no scope of this id");
	return ENRG_E_PROTOCOL;
}

/* Only what a single trigger has shown is kept. */
static int zoom(struct live *live, struct viewer *viewer, const struct ask *ask, struct ask_fault *ret_fault)
{
	const struct ask_zoom *wanted = ask->zoom;
	const struct feed_window window = {(uint32_t)wanted->from, (uint32_t)wanted->count, (uint32_t)wanted->points};
	struct viewer_scope *scope;

	if (find_scope(viewer, wanted->id, &scope, ret_fault))
		return ENRG_E_PROTOCOL;
	if (scope->feed->request.mode != TRIGGER_SINGLE || scope->feed->request.view != ASK_WAVES) {
		set_fault(ret_fault, "id",
			"id: events are kept of waves with a single trigger; else ask for the scope anew, with from "
			"and count");
		return ENRG_E_PROTOCOL;
	}
	scope_zoom(live->scope, scope->feed, &window);
	say_done(live, viewer, ask, NULL);
	return 0;
}

static int add_credit(struct viewer *viewer, const struct ask_credit *credit, struct ask_fault *ret_fault)
{
	struct viewer_scope *scope;

	if (credit->id < 0) {
		viewer->credit += (uint32_t)credit->count;
		viewer->credit = viewer->credit < 1000 ? viewer->credit : 1000;
		return 0;
	}
	if (find_scope(viewer, credit->id, &scope, ret_fault))
		return ENRG_E_PROTOCOL;
	if (scope->credit + credit->count > ASK_CREDIT_MAX) {
		set_fault(ret_fault, "count", "count: a scope has at most 8 frames of credit");
		return ENRG_E_PROTOCOL;
	}
	scope->credit += (uint32_t)credit->count;
	scope->starved_ns = 0;
	return 0;
}

static int carry_out(struct live *live, struct viewer *viewer, const struct ask *ask, struct ask_fault *ret_fault)
{
	struct viewer_scope *scope;

	switch (ask->kind) {
	case ASK_LISTEN:
		return listen_to(live, viewer, ask, ret_fault);
	case ASK_SCOPE:
		return begin_scope(live, viewer, ask, ret_fault);
	case ASK_SCOPE_STOP:
		viewer_drop_scope(live, viewer, (uint32_t)ask->id->id);
		say_done(live, viewer, ask, NULL);
		return 0;
	case ASK_ARM:
		if (find_scope(viewer, ask->id->id, &scope, ret_fault))
			return ENRG_E_PROTOCOL;
		scope_arm(live->scope, scope->feed);
		say_done(live, viewer, ask, NULL);
		return 0;
	case ASK_ZOOM:
		return zoom(live, viewer, ask, ret_fault);
	case ASK_CREDIT: /* said often, and not answered */
		return add_credit(viewer, ask->credit, ret_fault);
	case ASK_PING:
		say_done(live, viewer, ask, NULL);
		return 0;
	case ASK_KINDS:
		break;
	}
	return 0;
}

/* --- limits ------------------------------------------------------------------------------------------------------- */

/* Too many: told once a second, then hung up on. */
static void ignore(struct live *live, struct viewer *viewer, uint64_t now_ns)
{
	static const struct ask_fault too_many = {
		"", "too many messages: at most 20 a second, and 200 of credit; this one was ignored"};

	if (++viewer->ignored > IGNORED_MAX) {
		http_socket_close(live->http, viewer->socket, CLOSE_POLICY, "too many messages");
		return;
	}
	if (viewer->complained_ns && now_ns - viewer->complained_ns < COMPLAINT_NS)
		return;
	viewer->complained_ns = now_ns;
	say_fault(live, viewer, NULL, &too_many);
}

/* What can't be read counts as any other message. */
static bool is_allowed(struct viewer *viewer, bool is_credit, uint64_t now_ns)
{
	struct budget *budget = is_credit ? &viewer->credits : &viewer->messages;

	if (!budget_has(budget, now_ns))
		return false;
	budget_take(budget, 1);
	return true;
}

void viewer_hear(struct live *live, struct viewer *viewer, const void *bytes, size_t count, bool is_binary)
{
	struct ask_fault fault = {"", "expected text, not binary messages"};
	struct ask ask = {.kind = ASK_KINDS};
	uint64_t now_ns = clock_mono_ns();
	int rc = ENRG_E_PROTOCOL;

	viewer->who.role = access_role_now(live->access, &viewer->who);
	if (viewer->who.role < ACCESS_VISITOR) {
		http_socket_close(live->http, viewer->socket, CLOSE_POLICY, "not allowed any more");
		return;
	}
	/* who has neither left is not even read */
	if (!budget_has(&viewer->messages, now_ns) && !budget_has(&viewer->credits, now_ns)) {
		ignore(live, viewer, now_ns);
		return;
	}
	if (!is_binary)
		rc = ask_parse(bytes, count, &ask, &fault);
	if (!is_allowed(viewer, rc == 0 && ask.kind == ASK_CREDIT, now_ns)) {
		ignore(live, viewer, now_ns);
	} else {
		rc = rc ? rc : carry_out(live, viewer, &ask, &fault);
		if (rc)
			say_fault(live, viewer, &ask, &fault);
	}
	ask_fini(&ask);
}
