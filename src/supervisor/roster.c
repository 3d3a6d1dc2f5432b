/* roster.c: starts, ends and restarts of jobs. Process: supervisor, main thread. */
#include "supervisor/roster.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "config/options.h"
#include "handover/order.h"
#include "supervisor/member_page.h"

#define READY_PATIENCE_NS 30000000000ull

static int compare_members(const void *a, const void *b)
{
	return strcmp((*(struct member *const *)a)->plan->name, (*(struct member *const *)b)->plan->name);
}

void roster_set_policy(struct roster *roster, const struct supervisor_options *options)
{
	roster->policy.delay_ns = (uint64_t)(options->restart_delay_seconds * 1e9);
	roster->policy.delay_max_ns = (uint64_t)(options->restart_delay_max_seconds * 1e9);
	roster->watchdog_ns = (uint64_t)(options->watchdog_seconds * 1e9);
}

/* Appends; by_name is to be sorted. */
static struct member *append(struct roster *roster, const struct job_config *config, struct plan *plan)
{
	struct member *member = calloc(1, sizeof(*member));

	if (!member)
		return NULL;
	member->id = roster->next_id++;
	member->index = roster->count;
	member->config = config;
	member->plan = plan;
	member->child = (struct child)CHILD_NONE;
	member->last_code = -1;
	member->page_file = -1;
	member->look = (struct stream_look)STREAM_LOOK_NONE;
	member->journal = (struct journal_watch)JOURNAL_WATCH_NONE;
	roster->by_name[roster->count] = member;
	roster->members[roster->count++] = member;
	return member;
}

static int make_room(struct roster *roster, size_t count)
{
	void *members = realloc(roster->members, (count + 1) * sizeof(*roster->members)), *by_name;

	roster->members = members ? members : roster->members;
	by_name = realloc(roster->by_name, (count + 1) * sizeof(*roster->by_name));
	roster->by_name = by_name ? by_name : roster->by_name;
	return members && by_name ? 0 : -ENOMEM;
}

int roster_create(const struct roster_params *params, struct roster **ret_roster, struct enrg_error *err)
{
	struct roster *roster = calloc(1, sizeof(*roster));

	if (!roster || make_room(roster, params->folder->job_count)) {
		roster_destroy(roster);
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	roster->epoll = params->epoll;
	roster->lifeline = params->lifeline;
	roster->started_ns = clock_mono_ns();
	roster_set_policy(roster, &params->folder->supervisor);
	for (size_t i = 0; i < params->folder->job_count; i++) {
		if (!append(roster, &params->folder->jobs[i], params->plans->plans[i])) {
			roster_destroy(roster);
			return enrg_error_set(err, -ENOMEM, "out of memory");
		}
		params->plans->plans[i] = NULL;
	}
	qsort(roster->by_name, roster->count, sizeof(*roster->by_name), compare_members);
	*ret_roster = roster;
	return 0;
}

int roster_add(struct roster *roster, const struct job_config *config, struct plan *plan, struct member **ret_member,
	struct enrg_error *err)
{
	struct member *member = make_room(roster, roster->count + 1) ? NULL : append(roster, config, plan);

	if (!member)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	member->is_added = true;
	qsort(roster->by_name, roster->count, sizeof(*roster->by_name), compare_members);
	*ret_member = member;
	return 0;
}

static void free_member(struct member *member)
{
	member_page_forget(member);
	stream_look_close(&member->look);
	journal_watch_close(&member->journal);
	plan_free(member->plan);
	plan_free(member->wanted);
	free(member->stream);
	free(member->latency);
	free(member);
}

void roster_remove(struct roster *roster, struct member *member)
{
	size_t k = 0;

	for (size_t i = member->index; i + 1 < roster->count; i++) {
		roster->members[i] = roster->members[i + 1];
		roster->members[i]->index = i;
	}
	for (size_t i = 0; i < roster->count; i++)
		if (roster->by_name[i] != member)
			roster->by_name[k++] = roster->by_name[i];
	roster->count--;
	free_member(member);
}

void roster_destroy(struct roster *roster)
{
	if (!roster)
		return;
	for (size_t i = 0; i < roster->count; i++)
		free_member(roster->members[i]);
	free(roster->members);
	free(roster->by_name);
	free(roster);
}

void roster_revive(struct member *member)
{
	member->restart = (struct restart){.count = member->restart.count};
	member->was_failing = false;
	member->was_hung = member->is_hung = false;
	member->previous_signal = 0;
	member->is_added = true;
	member_enter(member, MEMBER_WAITING);
}

struct member *roster_find_id(const struct roster *roster, uint32_t id)
{
	size_t from = 0, to = roster->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (roster->members[middle]->id == id)
			return roster->members[middle];
		if (roster->members[middle]->id > id)
			to = middle;
		else
			from = middle + 1;
	}
	return NULL;
}

struct member *roster_find(const struct roster *roster, const char *name)
{
	size_t from = 0, to = roster->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int order = strcmp(name, roster->by_name[middle]->plan->name);

		if (!order)
			return roster->by_name[middle];
		if (order < 0)
			to = middle;
		else
			from = middle + 1;
	}
	return NULL;
}

const char *roster_suggest(const struct roster *roster, const char *name)
{
	const char **names = calloc(roster->count + 1, sizeof(*names)), *nearest = NULL;

	for (size_t i = 0; names && i < roster->count; i++)
		names[i] = roster->members[i]->plan->name;
	if (names)
		nearest = options_suggest(name, names, roster->count);
	free(names);
	return nearest;
}

static int watch_descriptor(const struct roster *roster, int descriptor, enum roster_event event, uint32_t id)
{
	struct epoll_event entry = {.events = EPOLLIN, .data.u64 = (uint64_t)event << 32 | id};

	return epoll_ctl(roster->epoll, EPOLL_CTL_ADD, descriptor, &entry) ? -errno : 0;
}

/* Also for a process that could not be started. */
static void decide(struct roster *roster, struct member *member, const struct restart_end *end, uint64_t now_ns)
{
	const char *name = member->plan->name;
	uint32_t tries = member->restart.config_failures;
	char span[32];

	if (!roster->is_stopping && member_stays_down(member, end)) { /* a stop lets it store what is left */
		member->was_failing = true;
		member_enter(member, MEMBER_STOPPED);
		log_line(ENRG_WARNING, "%s ended: %s; it stays down (restart_on_crash)", name, member->last_exit);
		return;
	}
	switch (restart_decide(&member->restart, &roster->policy, end, now_ns)) {
	case RESTART_DONE:
		member_enter(member, MEMBER_DONE);
		log_line(ENRG_INFO, "%s is done", name);
		return;
	case RESTART_GIVE_UP:
		member_enter(member, MEMBER_GIVEN_UP);
		log_line(ENRG_ERROR, "%s: given up after %u starts that ended with a configuration error; fix %s", name,
			tries + 1, member->plan->file);
		return;
	case RESTART_LATER:
		break;
	}
	member_enter(member, MEMBER_PAUSING);
	/* The drain must not wait for a pause: what is left belongs to this store alone. */
	if (roster->is_stopping && member->restart.failures < 5)
		member->restart.due_ns = now_ns;
	clock_format_span(member->restart.due_ns - now_ns, span, sizeof(span));
	log_line(ENRG_WARNING, "%s ended: %s; it is started again %s%s", name, member->last_exit,
		member->restart.due_ns > now_ns ? "in " : "at once", member->restart.due_ns > now_ns ? span : "");
}

static void start_member(struct roster *roster, struct member *member, uint64_t now_ns)
{
	struct enrg_error err = {0};
	struct child_params params = {.type = member->plan->type,
		.name = member->plan->name,
		.lifeline = roster->lifeline,
		.wish = roster->wish,
		.module = member->config->type->module_descriptor};
	char *text;
	json_t *json;
	int rc = -ENOMEM;

	member->plan->previous_signal = member->previous_signal;
	member->plan->was_hung = member->was_hung;
	member->plan->life = member->lives;
	json = plan_format(member->plan);
	text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	restart_begin(&member->restart, now_ns);
	if (text) {
		params.plan_text = text;
		params.plan_bytes = strlen(text);
		rc = child_start(&params, &member->child, &err);
		free(text);
	} else {
		enrg_error_set(&err, rc, "%s: the plan can't be written as JSON", member->plan->name);
	}
	if (rc) {
		log_line(ENRG_ERROR, "%s", err.text);
		snprintf(member->last_exit, sizeof(member->last_exit), "could not be started: %s", enrg_error_name(rc));
		decide(roster, member, &(struct restart_end){.exit_code = 1, .is_store = !member_is_source(member)},
			now_ns);
		return;
	}
	member->lives++;
	member_enter(member, MEMBER_STARTING);
	member->stop_orders = 0;
	member->is_hung = false;
	if (watch_descriptor(roster, member->child.descriptor, ROSTER_END, member->id) ||
		watch_descriptor(roster, member->child.ready, ROSTER_READY, member->id)) {
		log_line(ENRG_ERROR, "%s can't be watched: %s", member->plan->name, strerror(errno));
		child_signal(&member->child, SIGKILL);
	}
}

static bool are_stores_ready(const struct roster *roster, const struct member *source)
{
	for (size_t i = 0; i < source->plan->sink_count; i++) {
		const struct member *store = roster_find(roster, source->plan->sinks[i].store_name);

		if (store && !store->was_ready && store->state != MEMBER_STOPPED)
			return false;
	}
	return true;
}

/* A processor, when all stores and the processors that stand further from the sources are ready. */
static bool may_start(const struct roster *roster, const struct member *member)
{
	for (size_t i = 0; i < roster->count; i++) {
		const struct member *other = roster->members[i];

		if (!other->was_ready && !other->is_added &&
			(member_is_store(other) ||
				(member_is_processor(other) && other->plan->level > member->plan->level)))
			return false;
	}
	return true;
}

static void tell_late_stores(struct roster *roster)
{
	for (size_t i = 0; i < roster->count; i++) {
		struct member *member = roster->members[i];

		if (member_is_source(member) || member->was_ready || member->is_late_told || member->is_added)
			continue;
		member->is_late_told = true;
		log_line(ENRG_ERROR, "%s is not ready after 30 s; the jobs that need it wait, the others start",
			member->plan->name);
	}
}

void roster_start_due(struct roster *roster, uint64_t now_ns)
{
	bool are_sources_due = true;
	bool is_late = now_ns - roster->started_ns >= READY_PATIENCE_NS;

	for (size_t i = 0; i < roster->count; i++)
		are_sources_due &= member_is_source(roster->members[i]) || roster->members[i]->was_ready ||
				   roster->members[i]->is_added;
	if (!are_sources_due && is_late && !roster->is_stopping)
		tell_late_stores(roster);
	for (size_t i = 0; i < roster->count; i++) {
		struct member *member = roster->members[i];

		bool is_alone = is_late || member->is_added; /* it waits for its own stores, not for all */

		if (member->state == MEMBER_PAUSING && member->restart.due_ns <= now_ns)
			start_member(roster, member, now_ns);
		else if (member->state == MEMBER_WAITING && !roster->is_stopping && !member->is_held &&
			 (member_is_store(member) || (are_sources_due && !member->is_added) ||
				 (member_is_processor(member) && !member->is_added && may_start(roster, member)) ||
				 (is_alone && are_stores_ready(roster, member))))
			start_member(roster, member, now_ns);
	}
}

uint64_t roster_next_due(const struct roster *roster)
{
	uint64_t due = UINT64_MAX;

	for (size_t i = 0; i < roster->count; i++) {
		const struct member *member = roster->members[i];
		uint64_t wanted = UINT64_MAX;

		if (member->state == MEMBER_PAUSING)
			wanted = member->restart.due_ns;
		else if (member->state == MEMBER_WAITING && !member->is_late_told && !member->is_added &&
			 !roster->is_stopping)
			wanted = roster->started_ns + READY_PATIENCE_NS;
		due = wanted < due ? wanted : due;
	}
	return due;
}

/* A process that is gone may have owed a wake-up to those at the other end of its streams. */
static void ring_peers(const struct member *member)
{
	if (member->plan->stream_path)
		stream_ring_all(member->plan->stream_path, NULL);
	for (size_t i = 0; i < member->plan->input_count; i++)
		if (!member->plan->inputs[i].is_link)
			stream_ring_all(member->plan->inputs[i].stream_path, NULL);
}

/* Faults of the program, not somebody's kill. */
static bool is_crash(int signal)
{
	return signal == SIGSEGV || signal == SIGBUS || signal == SIGABRT || signal == SIGILL || signal == SIGFPE;
}

/* Of a life that ended while the run ends: did it fail, or follow a life that failed without showing that it can do
 * better? A source shows it with a batch, or with a stable minute. */
static bool is_unwell(const struct member *member, const struct restart_end *end, uint64_t batches, uint64_t now_ns)
{
	if (is_crash(end->signal) || (!end->signal && (end->exit_code == 1 || end->exit_code == 2)))
		return true;
	return !end->is_store && !member_is_service(member) && member->plan->stream_path && member->restart.failures &&
	       !batches && now_ns - member->restart.started_ns < RESTART_STABLE_NS;
}

/* A store that is to be removed and died before it was asked has more to store. A processor that was killed while it
 * made the last of what it held has still to make it. */
static bool is_wished_end(const struct member *member, const struct restart_end *end)
{
	if (member->is_anew || (member->wish == WISH_REMOVE && member_is_processor(member) && !member->is_now))
		return member->is_stop_asked && !end->signal && end->exit_code == 0;
	if (member->wish == WISH_REMOVE)
		return member->is_stop_asked || member_is_source(member);
	return member->wish == WISH_STOP || member->wish == WISH_RESTART;
}

static void handle_end(struct roster *roster, struct member *member, uint64_t now_ns)
{
	struct restart_end end = {.was_hung = member->is_hung, .is_store = !member_is_source(member)};
	uint64_t before = member->past.out_batches;
	pid_t pid = member->child.pid;

	if (!child_reap(&member->child, &end.exit_code, &end.signal))
		return;
	ring_peers(member);
	member_page_end_life(member, pid);
	if (end.signal || end.exit_code == 0)
		member->last_reason[0] = '\0';
	member->last_code = end.exit_code;
	member->previous_signal = end.signal;
	member->was_hung = end.was_hung;
	end.is_done = member->last_page_state == PAGE_DONE;
	restart_format_end(&end, member->last_exit, sizeof(member->last_exit));
	if (!roster->is_stopping && is_wished_end(member, &end)) {
		if (end.exit_code != 0 && end.exit_code != 3)
			log_line(ENRG_WARNING, "%s ended: %s", member->plan->name, member->last_exit);
		member_enter(member, MEMBER_STOPPED);
		return;
	}
	if (!roster->is_stopping) {
		member->is_stop_asked = false; /* a wish asks its next life again */
		decide(roster, member, &end, now_ns);
		return;
	}
	/* A store that was asked and ended by itself has said what stays; one that was killed has more to do. */
	if (end.is_store && (end.signal || !member->stop_orders) && member->state != MEMBER_STOPPED &&
		roster_has_more(roster, member)) {
		decide(roster, member, &end, now_ns);
		return;
	}
	if (end.exit_code != 0 && end.exit_code != 3 && end.exit_code != RESTART_UNASKED)
		log_line(ENRG_WARNING, "%s ended: %s", member->plan->name, member->last_exit);
	if (is_unwell(member, &end, member->past.out_batches - before, now_ns))
		member->was_failing = true;
	member_enter(member, MEMBER_STOPPED);
}

/* A job whose data the run is for: where there are services alone, each of them is one. */
static bool is_awaited(const struct roster *roster, const struct member *member)
{
	if (!member_is_source(member))
		return false;
	for (size_t i = 0; member_is_service(member) && i < roster->count; i++)
		if (member_is_source(roster->members[i]) && !member_is_service(roster->members[i]))
			return false;
	return true;
}

static void handle_ready(struct roster *roster, struct member *member, uint64_t now_ns)
{
	if (child_read_ready(&member->child) != 1)
		return;
	member_enter(member, MEMBER_RUNNING);
	member->was_ready = true;
	if (!roster->first_ready_ns && is_awaited(roster, member))
		roster->first_ready_ns = now_ns;
	log_line(ENRG_DEBUG, "%s is ready (process %d)", member->plan->name, (int)member->child.pid);
}

void roster_handle(struct roster *roster, enum roster_event event, uint32_t id, uint64_t now_ns)
{
	struct member *member = roster_find_id(roster, id);

	if (!member)
		return;
	if (event == ROSTER_READY)
		handle_ready(roster, member, now_ns);
	else
		handle_end(roster, member, now_ns);
}

/* A source that waits for room in its ring lives, whatever its heart does. */
static bool is_held_back(const struct member *member)
{
	struct stream_status status;

	if (!member->plan->stream_path || stream_read_status(member->plan->stream_path, &status, NULL))
		return false;
	for (uint32_t i = 0; status.blocked_since_ns && i < status.consumer_count; i++)
		if (status.consumers[i].backlog_bytes > status.data_bytes / 8)
			return true;
	return false;
}

void roster_watch(struct roster *roster, uint64_t now_ns)
{
	for (size_t i = 0; i < roster->count; i++) {
		struct member *member = roster->members[i];
		uint64_t beat;
		char span[32];

		if (member->state != MEMBER_RUNNING || !member_is_alive(member) || member->is_hung || !member->page)
			continue;
		/* Only that it changes counts: the clock of the jobs goes on while everybody stands still. */
		beat = atomic_load_explicit(&member->page->heartbeat_mono_ns, memory_order_relaxed);
		if (beat != member->seen_beat || !member->seen_ns) {
			member->seen_beat = beat;
			member->seen_ns = now_ns;
		}
		if (!beat || now_ns - member->seen_ns < roster->watchdog_ns || is_held_back(member))
			continue;
		clock_format_span(now_ns - member->seen_ns, span, sizeof(span));
		log_line(ENRG_ERROR, "%s (process %d) has given no sign of life for %s: killed", member->plan->name,
			(int)member->child.pid, span);
		member->is_hung = true;
		child_signal(&member->child, SIGKILL);
	}
}

void roster_stop_member(struct member *member)
{
	if (!member_is_alive(member)) {
		/* What a store owes is in its streams, and the ledger tells; a source that is down owes what it did not
		 * produce. */
		if (member->state == MEMBER_PAUSING && member->last_code != RESTART_UNASKED &&
			member->restart.failures >= (member_is_source(member) ? 1 : ROSTER_FAILING))
			member->was_failing = true;
		if (member->state == MEMBER_PAUSING || member->state == MEMBER_WAITING)
			member_enter(member, MEMBER_STOPPED);
		return;
	}
	/* One that can't be asked now, since the user's queue of signals is full, is asked again at the next step. */
	if (!child_send_order(&member->child, member->stop_orders ? ORDER_FAST : ORDER_DRAIN))
		member->stop_orders++;
}

void roster_kill_member(struct member *member)
{
	member_enter(member, MEMBER_STOPPED);
	child_signal(&member->child, SIGKILL);
}

void roster_hasten_member(struct member *member, uint64_t now_ns)
{
	member->restart.due_ns = now_ns;
}

bool roster_has_backlog(const struct roster *roster, const struct member *store)
{
	(void)roster;
	for (size_t i = 0; i < store->plan->input_count; i++) {
		struct stream_status status;

		if (stream_read_status(store->plan->inputs[i].stream_path, &status, NULL))
			continue;
		for (uint32_t k = 0; k < status.consumer_count; k++)
			if (!strcmp(status.consumers[k].name, store->plan->name) && status.consumers[k].backlog_bytes)
				return true;
	}
	return false;
}

bool roster_has_more(const struct roster *roster, const struct member *member)
{
	return member_is_processor(member) || roster_has_backlog(roster, member);
}

bool roster_is_exhausted(const struct roster *roster)
{
	size_t sources = 0;

	for (size_t i = 0; i < roster->count; i++) {
		const struct member *member = roster->members[i];
		bool is_hopeless = member->state == MEMBER_DONE || member->state == MEMBER_GIVEN_UP;

		if (!member_is_source(member) || member_is_service(member))
			continue;
		sources++;
		for (size_t k = 0; member->state == MEMBER_WAITING && k < member->plan->sink_count; k++) {
			const struct member *store = roster_find(roster, member->plan->sinks[k].store_name);

			is_hopeless |= store && store->state == MEMBER_GIVEN_UP;
		}
		if (!is_hopeless)
			return false;
	}
	return sources > 0;
}

bool roster_is_up(struct roster *roster, uint64_t now_ns)
{
	if (now_ns - roster->started_ns >= READY_PATIENCE_NS || roster->up_count == roster->count)
		return true;
	for (size_t i = 0; i < roster->count; i++) {
		const struct member *member = roster->members[i];

		if (!member->was_ready && member->state != MEMBER_DONE && member->state != MEMBER_GIVEN_UP)
			return false;
	}
	roster->up_count = roster->count;
	return true;
}
