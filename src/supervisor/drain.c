/* drain.c: sources end, processors and stores drain, the stubborn are killed. Process: supervisor, main thread. */
#include "supervisor/drain.h"

#include <signal.h>
#include <string.h>

#include "base/log.h"
#include "handover/journal.h"

#define SECOND             1000000000ull
#define SOURCE_PATIENCE_NS (10 * SECOND)
#define STORE_PATIENCE_NS  (30 * SECOND) /* without progress */
#define HURRY_PATIENCE_NS  (2 * SECOND)
#define STILL_NS           (5 * SECOND) /* between two lines that say that nothing moves */
#define STEP_NS            (SECOND / 5)

const char *drain_phase_name(enum drain_phase phase)
{
	static const char *const names[] = {
		"running", "stopping sources", "draining processors", "draining stores", "ended"};

	return names[phase];
}

/* Positions acknowledged and still to be acknowledged in all streams. */
static uint64_t measure(const struct roster *roster, uint64_t *ret_backlog)
{
	uint64_t acknowledged = 0;

	*ret_backlog = 0;
	for (size_t i = 0; i < roster->count; i++) {
		struct stream_status status;

		if (!roster->members[i]->plan->stream_path ||
			stream_read_status(roster->members[i]->plan->stream_path, &status, NULL))
			continue;
		for (uint32_t k = 0; k < status.consumer_count; k++) {
			acknowledged += status.consumers[k].ack;
			*ret_backlog += status.consumers[k].backlog_bytes;
		}
	}
	return acknowledged;
}

/* Positions may lie a lap of the ring apart, which a pad fills, for a few messages. */
static uint64_t left_of(
	const struct roster *roster, const struct stream_status *status, const struct stream_consumer_status *consumer)
{
	const struct member *store = roster_find(roster, consumer->name);
	struct journal_stream_state state = {0};

	if (store && store->plan->journal_path)
		(void)journal_read_stream(store->plan->journal_path, status->uuid, &state, NULL);
	uint64_t messages = status->bytes > state.bytes ? status->bytes - state.bytes : 0;
	return consumer->backlog_bytes < messages ? consumer->backlog_bytes : messages;
}

uint64_t drain_left_bytes(const struct roster *roster)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < roster->count; i++) {
		const char *path = roster->members[i]->plan->stream_path;
		struct stream_status status;

		if (!path || stream_read_status(path, &status, NULL))
			continue;
		for (uint32_t k = 0; k < status.consumer_count; k++)
			bytes += left_of(roster, &status, &status.consumers[k]);
	}
	return bytes;
}

static bool is_part(const struct drain *drain, const struct member *member)
{
	if (drain->phase == DRAIN_PROCESSORS)
		return member_is_processor(member) && member->plan->level == drain->level;
	return drain->phase == DRAIN_STORES ? member_is_store(member) : member_is_source(member);
}

/* Members of this phase whose process runs or will be started again. */
static size_t count_open(const struct drain *drain, const struct roster *roster)
{
	size_t count = 0;

	for (size_t i = 0; i < roster->count; i++)
		count += is_part(drain, roster->members[i]) &&
			 (member_is_alive(roster->members[i]) || roster->members[i]->state == MEMBER_PAUSING);
	return count;
}

/* A store that pauses after a crash is started at once where it has something to drain. */
static void ask_phase(const struct drain *drain, struct roster *roster, uint64_t now_ns)
{
	for (size_t i = 0; i < roster->count; i++) {
		struct member *member = roster->members[i];

		if (!is_part(drain, member))
			continue;
		if (!member_is_source(member) && member->state == MEMBER_PAUSING && !drain->is_hurried &&
			roster_has_more(roster, member))
			roster_hasten_member(member, now_ns);
		else if (member->state != MEMBER_STARTING || member_is_source(member))
			roster_stop_member(member); /* one that starts is asked when it is ready: ask_late */
	}
}

static void enter(struct drain *drain, struct roster *roster, enum drain_phase phase, uint64_t now_ns)
{
	drain->phase = phase;
	drain->acknowledged = measure(roster, &drain->seen_backlog);
	drain->told_bytes = drain_left_bytes(roster);
	drain->deadline_ns = now_ns + (phase == DRAIN_SOURCES ? SOURCE_PATIENCE_NS : STORE_PATIENCE_NS);
	if (drain->is_hurried)
		drain->deadline_ns = now_ns + HURRY_PATIENCE_NS;
	if (phase != DRAIN_ENDED)
		ask_phase(drain, roster, now_ns);
}

/* Behind sources and each level of processors: the next one that there is, then the stores. */
static void enter_next(struct drain *drain, struct roster *roster, uint64_t now_ns)
{
	uint32_t next = UINT32_MAX;

	for (size_t i = 0; i < roster->count; i++) {
		const struct member *member = roster->members[i];

		if (member_is_processor(member) && member->plan->level > drain->level && member->plan->level < next)
			next = member->plan->level;
	}
	if (next == UINT32_MAX) {
		enter(drain, roster, DRAIN_STORES, now_ns);
		return;
	}
	drain->level = next;
	enter(drain, roster, DRAIN_PROCESSORS, now_ns);
}

void drain_begin(struct drain *drain, struct roster *roster, uint64_t now_ns)
{
	if (drain->phase != DRAIN_NONE)
		return;
	roster->is_stopping = true;
	drain->begin_ns = drain->told_ns = now_ns;
	enter(drain, roster, DRAIN_SOURCES, now_ns);
	drain_step(drain, roster, now_ns);
}

void drain_hurry(struct drain *drain, struct roster *roster, uint64_t now_ns)
{
	if (drain->phase == DRAIN_NONE || drain->phase == DRAIN_ENDED || drain->is_hurried)
		return;
	drain->is_hurried = true;
	log_line(ENRG_WARNING,
		"fast stop: what is not stored in 2 s stays in shared memory and is stored at the next start");
	drain->deadline_ns = now_ns + HURRY_PATIENCE_NS;
	drain_step(drain, roster, now_ns);
}

/* Stores that were started again while the system stops learn of it as soon as they listen. For a fast stop each is
 * asked a second time. */
static void ask_late(const struct drain *drain, struct roster *roster)
{
	for (size_t i = 0; i < roster->count; i++) {
		struct member *member = roster->members[i];

		if (!is_part(drain, member) || !member_is_alive(member) || member->state == MEMBER_STOPPED ||
			(member->state == MEMBER_STARTING && !member_is_source(member)))
			continue;
		if (!member->stop_orders || (drain->is_hurried && member->stop_orders == 1))
			roster_stop_member(member);
	}
}

static void kill_phase(struct drain *drain, struct roster *roster)
{
	for (size_t i = 0; i < roster->count; i++) {
		struct member *member = roster->members[i];

		if (!is_part(drain, member))
			continue;
		if (!member_is_alive(member)) {
			roster_stop_member(member);
			continue;
		}
		if (member->state == MEMBER_STOPPED) /* killed already, not gone yet */
			continue;
		if (drain->is_hurried)
			log_line(ENRG_WARNING, "%s did not end within 2 s: killed", member->plan->name);
		else if (!member_is_source(member))
			log_line(ENRG_ERROR,
				"%s has stored nothing for 30 s: killed; what it has not stored stays in shared "
				"memory",
				member->plan->name);
		else
			log_line(ENRG_ERROR,
				"%s did not end within 10 s: killed; hardware data that it had not committed is "
				"lost",
				member->plan->name);
		drain->was_killed = true;
		roster_kill_member(member);
	}
}

/* A store that waits (for space on a disk, for a database) lives, and whoever is at it now may need longer than half a
 * minute. */
static bool is_any_waiting(const struct roster *roster)
{
	for (size_t i = 0; i < roster->count; i++)
		if (member_is_store(roster->members[i]) && member_is_alive(roster->members[i]) &&
			roster->members[i]->page_state == PAGE_WAITING)
			return true;
	return false;
}

/* A source that still sends over a link, and a store that still stores, get more time while positions move. */
static void extend(struct drain *drain, const struct roster *roster, uint64_t now_ns)
{
	uint64_t backlog, acknowledged = measure(roster, &backlog);

	if (drain->phase >= DRAIN_PROCESSORS && !drain->is_hurried && is_any_waiting(roster))
		drain->deadline_ns = now_ns + STORE_PATIENCE_NS;
	if (acknowledged != drain->acknowledged && !drain->is_hurried) {
		drain->acknowledged = acknowledged;
		if (drain->phase >= DRAIN_PROCESSORS)
			drain->deadline_ns = now_ns + STORE_PATIENCE_NS;
		else if (now_ns + SOURCE_PATIENCE_NS > drain->deadline_ns && backlog)
			drain->deadline_ns = now_ns + SOURCE_PATIENCE_NS;
	}
	if (now_ns - drain->told_ns < (backlog != drain->seen_backlog ? SECOND : STILL_NS))
		return;
	uint64_t bytes = drain_left_bytes(roster);
	log_line(ENRG_INFO, "%s: %zu job(s) still run, %.1f MB to store, %.1f MB/s", drain_phase_name(drain->phase),
		count_open(drain, roster), (double)bytes / 1e6,
		drain->told_bytes > bytes
			? (double)(drain->told_bytes - bytes) * 1e3 / (double)(now_ns - drain->told_ns)
			: 0.0);
	drain->told_ns = now_ns;
	drain->told_bytes = bytes;
	drain->seen_backlog = backlog;
}

const char *drain_outcome(const struct drain *drain)
{
	return drain->is_timed_out ? "stop_timeout_seconds" : drain->is_hurried ? "fast stop" : "in order";
}

static void look_at_limit(struct drain *drain, struct roster *roster, uint64_t now_ns)
{
	if (!drain->limit_ns || drain->is_hurried || now_ns - drain->begin_ns < drain->limit_ns)
		return;
	log_line(ENRG_WARNING, "the stop takes longer than stop_timeout_seconds (%.3g s)",
		(double)drain->limit_ns / 1e9);
	drain->is_timed_out = true;
	drain_hurry(drain, roster, now_ns);
}

void drain_step(struct drain *drain, struct roster *roster, uint64_t now_ns)
{
	if (drain->phase == DRAIN_NONE || drain->phase == DRAIN_ENDED)
		return;
	while ((drain->phase == DRAIN_SOURCES || drain->phase == DRAIN_PROCESSORS) && !count_open(drain, roster)) {
		if (drain->phase == DRAIN_SOURCES && drain->on_sources_gone)
			drain->on_sources_gone(drain->context);
		enter_next(drain, roster, now_ns);
	}
	ask_late(drain, roster);
	if (drain->phase == DRAIN_STORES && !count_open(drain, roster)) {
		enter(drain, roster, DRAIN_ENDED, now_ns);
		return;
	}
	look_at_limit(drain, roster, now_ns);
	if (now_ns - drain->begin_ns >= SECOND)
		extend(drain, roster, now_ns);
	if (now_ns >= drain->deadline_ns)
		kill_phase(drain, roster);
}

uint64_t drain_next_due(const struct drain *drain, uint64_t now_ns)
{
	if (drain->phase == DRAIN_NONE || drain->phase == DRAIN_ENDED)
		return UINT64_MAX;
	return now_ns + STEP_NS;
}
