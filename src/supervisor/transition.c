/* transition.c: jobs come, go, stop and start while a run goes on. Process: supervisor, main thread. */
#include "supervisor/transition.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "handover/leftover.h"
#include "handover/switches.h"
#include "supervisor/earlier/streams.h"
#include "supervisor/edges.h"
#include "supervisor/parting.h"
#include "supervisor/processors.h"
#include "supervisor/sample.h"

#define SECOND  UINT64_C(1000000000)
#define STEP_NS (SECOND / 100)
#define TOLD_NS (5 * SECOND) /* a line that says what it waits for */

static const uint8_t no_id[COMMAND_ID_BYTES];

/* --- answers ------------------------------------------------------------------------------------------------------ */

static void answer(
	struct transition *transition, const uint8_t id[COMMAND_ID_BYTES], enum command_code code, const char *text)
{
	struct command_answer answer = {0};

	if (!memcmp(id, no_id, sizeof(no_id)))
		return;
	command_answer_set(&answer, code, "%s", text);
	commands_answer(transition->commands, id, &answer);
	command_answer_fini(&answer);
}

/* The wish is reached, or can't be. */
static void reach(struct transition *transition, struct member *member, enum command_code code, const char *text)
{
	uint8_t id[COMMAND_ID_BYTES];

	memcpy(id, member->command, sizeof(id));
	memset(member->command, 0, sizeof(member->command));
	member->wish = WISH_NONE;
	member->is_stop_asked = member->is_now = false;
	member->ending_ns = 0;
	answer(transition, id, code, text);
}

bool transition_is_busy(const struct transition *transition, char *ret_text, size_t text_bytes)
{
	if (transition->is_open)
		snprintf(ret_text, text_bytes, "a change is under way%s%s; `enrgdaq status` shows it",
			transition->waits_for[0] ? ": " : "", transition->waits_for);
	return transition->is_open;
}

/* --- one job ------------------------------------------------------------------------------------------------------ */

/* Texts of now, lists as they stand. */
static void take_text(struct member *member)
{
	struct plan *old = member->plan, *new = member->wanted;
	struct plan_sink *sinks = new->sinks;
	struct plan_input *inputs = new->inputs;
	size_t sink_count = new->sink_count, input_count = new->input_count;

	new->sinks = old->sinks;
	new->sink_count = old->sink_count;
	new->inputs = old->inputs;
	new->input_count = old->input_count;
	old->sinks = sinks;
	old->sink_count = sink_count;
	old->inputs = inputs;
	old->input_count = input_count;
	new->serial = old->serial;
	new->earlier_batches = old->earlier_batches;
	new->earlier_rows = old->earlier_rows;
	if (!new->stream_path && old->stream_path) {
		new->stream_path = old->stream_path; /* nobody reads it now; others may again */
		old->stream_path = NULL;
	}
	member->plan = new;
	member->wanted = old;
	member->is_text_due = false;
}

/* The same of a processor that comes again: with it what it reads, from where it has stopped where it has read that
 * before. */
static void take_inputs(struct edges *edges, struct member *member)
{
	struct plan *plan = member->plan, *old = member->wanted;
	struct plan_input *inputs = old->inputs;
	size_t count = old->input_count;

	for (size_t i = 0; i < count; i++) {
		size_t before = plan_find_input(plan, inputs[i].source);
		if (before == plan->input_count)
			continue;
		char *runs = inputs[i].earlier_runs; /* which runs are left in the stream stays */
		inputs[i].earlier_runs = plan->inputs[before].earlier_runs;
		plan->inputs[before].earlier_runs = runs;
	}
	old->inputs = plan->inputs;
	old->input_count = plan->input_count;
	plan->inputs = inputs;
	plan->input_count = count;
	while (old->input_count)
		plan_drop_input(old, old->input_count - 1);
	edges_forget_marks(edges, member);
	member->is_anew = member->has_left = false;
}

static bool step_restart(struct edges *edges, struct member *member)
{
	bool is_anew = member->is_anew;

	if (is_anew ? !parting_end_processor(edges, member) : !parting_end_process(edges, member))
		return false;
	member->has_left = is_anew;
	if (!member_is_store(member) && !edges_step(edges, member))
		return false;
	if (is_anew && !edges_has_joined(edges, member))
		return false;
	if (is_anew) /* the last counts of inputs that it reads no more */
		processors_sample(edges->roster, edges->ledger);
	for (size_t i = 0; i < member->plan->sink_count; i++)
		member->plan->sinks[i].is_renewed = false;
	if (member->is_text_due)
		take_text(member);
	if (is_anew)
		take_inputs(edges, member);
	if (member->was_stopped) {
		member->was_stopped = member->is_stop_asked = false;
		member->ending_ns = 0;
		member->wish = WISH_NONE;
		return true;
	}
	roster_revive(member);
	member->wish = WISH_START;
	member->is_stop_asked = false;
	return false;
}

static bool step_start(struct transition *transition, struct member *member)
{
	char text[400];

	if (member->state == MEMBER_RUNNING || member->state == MEMBER_DONE) {
		reach(transition, member, COMMAND_OK, "it runs");
		return true;
	}
	if (member->state == MEMBER_PAUSING || member->state == MEMBER_GIVEN_UP) {
		snprintf(text, sizeof(text), "%.100s does not run: %.90s%s%.150s", member->plan->name,
			member->last_exit, member->last_reason[0] ? ": " : "", member->last_reason);
		if (!memcmp(member->command, no_id, sizeof(no_id)))
			log_line(ENRG_ERROR, "%s", text);
		reach(transition, member, COMMAND_FAILED, text);
		return true;
	}
	return false;
}

/* --- removals ----------------------------------------------------------------------------------------------------- */

static void forget(struct transition *transition, struct member *member, bool is_empty)
{
	const struct plan *plan = member->plan;

	log_line(ENRG_INFO, "%s is removed%s", plan->name,
		is_empty ? "" : "; what is left of it stays in shared memory");
	unlink(plan->page_path);
	plan_remove_file(plan);
	if (plan->link_url)
		unlink(plan->link_url + strlen("ipc://"));
	/* After a kill its next instance needs the journal. */
	if (is_empty && plan->journal_path && member->last_code == 0 && !leftover_remains(plan->journal_path)) {
		switches_remove(plan->journal_path);
		unlink(plan->journal_path);
		keeper_drop_file(transition->keeper, plan->journal_path);
		if (plan->checkpoint_path) {
			unlink(plan->checkpoint_path);
			keeper_drop_file(transition->keeper, plan->checkpoint_path);
		}
	}
	if (!plan->stream_path)
		keeper_drop(transition->keeper, plan);
	roster_remove(transition->roster, member);
}

/* Its ring is empty, and goes. What it counts stays until the run ends: when the job comes again its batches count on
 * from there. Counted from 1 again, the second ones would be taken for the first ones. */
static void part_stream(struct transition *transition, const struct plan *plan)
{
	struct enrg_error err = {0};

	keeper_drop_file(transition->keeper, plan->stream_path);
	if (stream_part(plan->stream_path, &err))
		log_line(ENRG_WARNING, "%s: its ring is empty and keeps its memory until the run ends: %s", plan->name,
			err.text);
}

/* Its process has ended. */
static bool remove_producer(struct transition *transition, struct edges *edges, struct member *member, bool is_empty)
{
	if (!edges_step(edges, member))
		return false;
	if (member->plan->stream_path) {
		(void)sample_ledger(edges->roster, edges->ledger, true);
		bool is_stored = stream_is_settled(member->plan->stream_path);
		is_empty &= is_stored;
		if (!is_stored)
			log_line(ENRG_WARNING, "%s: what is not stored of it stays in %s for the next start of it",
				member->plan->name, member->plan->stream_path);
		else
			part_stream(transition, member->plan);
	}
	forget(transition, member, is_empty);
	return true;
}

static bool remove_source(struct transition *transition, struct edges *edges, struct member *member)
{
	return parting_end_process(edges, member) && remove_producer(transition, edges, member, true);
}

static bool remove_store(struct transition *transition, struct edges *edges, struct member *member)
{
	bool is_down = !member_is_alive(member) && member->state != MEMBER_PAUSING && member->state != MEMBER_WAITING;

	if (!member->is_now) {
		if (!parting_are_sources_down(edges, member))
			return false;
		if (!member->is_stop_asked && !edges_are_drained(edges, member)) {
			if (is_down && member->state != MEMBER_GIVEN_UP)
				roster_revive(member); /* to store what is left for it */
			return false;
		}
	}
	if (!parting_end_process(edges, member))
		return false;
	forget(transition, member, edges_part(edges, member));
	return true;
}

/* As a reader it leaves when its process has ended; then its own readers have what it made. */
static bool remove_processor(struct transition *transition, struct edges *edges, struct member *member)
{
	return parting_end_processor(edges, member) &&
	       remove_producer(transition, edges, member, edges_part(edges, member));
}

static bool remove_member(struct transition *transition, struct edges *edges, struct member *member)
{
	if (member_is_processor(member))
		return remove_processor(transition, edges, member);
	return member_is_store(member) ? remove_store(transition, edges, member)
				       : remove_source(transition, edges, member);
}

/* Does it read something that it has not joined yet? */
static bool lacks_input(const struct member *reader)
{
	for (size_t i = 0; reader->wanted && i < reader->wanted->input_count; i++)
		if (plan_find_input(reader->plan, reader->wanted->inputs[i].source) == reader->plan->input_count)
			return true;
	return false;
}

/* --- stops -------------------------------------------------------------------------------------------------------- */

/* The answer says what a stopped store means for those that go on. */
static void reach_stop(struct transition *transition, struct member *member)
{
	char sources[200] = "", text[600];
	size_t used = 0;

	for (size_t i = 0; i < transition->roster->count && used < sizeof(sources) - 1; i++) {
		const struct member *source = transition->roster->members[i];

		if (member_is_alive(source) &&
			plan_find_sink(source->plan, member->plan->name) < source->plan->sink_count)
			used += (size_t)snprintf(
				sources + used, sizeof(sources) - used, "%s%s", used ? ", " : "", source->plan->name);
	}
	if (used)
		snprintf(text, sizeof(text),
			"it is stopped; what %s sends to it waits in shared memory, and when a ring is full its source "
			"is held back until `enrgdaq job start %.200s`",
			sources, member->plan->name);
	else
		snprintf(text, sizeof(text), "it is stopped");
	reach(transition, member, COMMAND_OK, text);
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

/* true: its wish is reached, or it has none. The member may be gone then. */
static bool step_member(struct transition *transition, struct edges *edges, struct member *member)
{
	switch (member->wish) {
	case WISH_NONE:
		return member_is_store(member) || edges_step(edges, member);
	case WISH_START:
		if (!member_is_store(member))
			member->is_held = !edges_step(edges, member) || lacks_input(member);
		return !member->is_held && step_start(transition, member);
	case WISH_STOP:
		if (!parting_end_process(edges, member))
			return false;
		reach_stop(transition, member);
		return true;
	case WISH_RESTART:
		return step_restart(edges, member);
	case WISH_REMOVE:
		return remove_member(transition, edges, member);
	}
	return true;
}

/* A store that comes starts when it has all its inputs. */
static void hold_stores(const struct roster *roster)
{
	for (size_t i = 0; i < roster->count; i++) {
		struct member *store = roster->members[i];

		if (member_is_store(store))
			store->is_held = store->wish == WISH_START && lacks_input(store);
	}
}

static void close_change(struct transition *transition)
{
	for (size_t i = 0; i < transition->roster->count; i++) {
		struct member *member = transition->roster->members[i];

		plan_free(member->wanted);
		member->wanted = NULL;
		member->is_held = false;
		for (size_t k = 0; k < member->plan->sink_count; k++)
			member->plan->sinks[k].is_leaving = false;
	}
	folder_free(transition->retired);
	transition->retired = NULL;
	if (transition->has_change) {
		transition->has_change = false;
		log_line(ENRG_INFO, "the change of this run is done: %s", transition->done);
		answer(transition, transition->change_id, COMMAND_OK, transition->done);
	}
}

const char *transition_wait(const struct transition *transition)
{
	return transition->is_open ? transition->waits_for : "";
}

bool transition_step(struct transition *transition, uint64_t now_ns)
{
	struct edges edges = {.roster = transition->roster, .ledger = transition->ledger, .now_ns = now_ns};
	bool is_done = true;

	if (!transition->is_open)
		return false;
	hold_stores(transition->roster);
	for (size_t i = transition->roster->count; i-- > 0;)
		if (i < transition->roster->count)
			is_done &= step_member(transition, &edges, transition->roster->members[i]);
	snprintf(transition->waits_for, sizeof(transition->waits_for), "%s", edges.waits_for);
	if (!is_done && edges.waits_for[0] && now_ns >= transition->told_ns + TOLD_NS) {
		transition->told_ns = now_ns;
		log_line(ENRG_INFO, "a change of this run is under way: %s", edges.waits_for);
	}
	if (!is_done)
		return false;
	transition->is_open = false;
	close_change(transition);
	return true;
}

uint64_t transition_next_due(const struct transition *transition, uint64_t now_ns)
{
	return transition->is_open ? now_ns + STEP_NS : UINT64_MAX;
}

/* --- beginning ---------------------------------------------------------------------------------------------------- */

static void open_transition(struct transition *transition, uint64_t now_ns)
{
	if (!transition->is_open)
		transition->told_ns = now_ns;
	transition->is_open = true;
}

void transition_wish(struct transition *transition, struct member *member, enum member_wish wish,
	const uint8_t id[COMMAND_ID_BYTES], uint64_t now_ns)
{
	member->wish = wish;
	member->ending_ns = 0;
	member->is_stop_asked = false;
	memcpy(member->command, id, sizeof(member->command));
	if (wish == WISH_START)
		roster_revive(member);
	open_transition(transition, now_ns);
}

/* The store's inputs come one by one, with their streams. */
static int add_member(
	struct transition *transition, const struct job_config *config, struct plan **plan, struct enrg_error *err)
{
	struct plan *wanted = calloc(1, sizeof(*wanted));
	struct member *member;

	if (!wanted)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	int rc = roster_add(transition->roster, config, *plan, &member, err);
	if (rc) {
		free(wanted);
		return rc;
	}
	*plan = NULL;
	wanted->inputs = member->plan->inputs;
	wanted->input_count = member->plan->input_count;
	member->plan->inputs = NULL;
	member->plan->input_count = 0;
	member->wanted = wanted;
	for (size_t i = 0; i < member->plan->sink_count && !rc; i++)
		rc = plan_copy_sink(&member->plan->sinks[i], wanted);
	member->wish = WISH_START;
	(void)keeper_add(transition->keeper, member->plan, NULL);
	return rc;
}

static bool is_link_other(const struct plan *a, const struct plan *b)
{
	size_t links[2] = {0};

	for (size_t i = 0; i < a->sink_count; i++)
		links[0] += a->sinks[i].link_url != NULL;
	for (size_t i = 0; i < b->sink_count; i++) {
		size_t at = plan_find_sink(a, b->sinks[i].store_name);

		links[1] += b->sinks[i].link_url != NULL;
		if (b->sinks[i].link_url && at == a->sink_count)
			return true;
	}
	return links[0] != links[1] || (!a->stream_path && b->stream_path) || !a->link_url != !b->link_url;
}

static bool are_inputs_alike(const struct plan *a, const struct plan *b)
{
	for (size_t i = 0; i < b->input_count; i++)
		if (plan_find_input(a, b->inputs[i].source) == a->input_count)
			return false;
	return a->input_count == b->input_count;
}

static void want(struct member *member, struct plan *plan, const struct change *change)
{
	bool is_text = false;

	for (size_t i = 0; i < change->count; i++)
		is_text |=
			change->items[i].kind == CHANGE_RESTART && !strcmp(change->items[i].name, member->plan->name);
	plan_free(member->wanted);
	member->is_anew = member_is_processor(member) && (is_text || !are_inputs_alike(member->plan, plan));
	member->has_left = false;
	member->was_stopped = member->is_anew && member->state == MEMBER_STOPPED;
	member->plan->level = plan->level;
	member->wanted = plan;
	if (!is_text && !member->is_anew && !is_link_other(member->plan, plan))
		return;
	member->is_text_due = true;
	if (member->state == MEMBER_STOPPED && !member->is_anew) {
		take_text(member);
		return;
	}
	member->wish = WISH_RESTART;
	member->ending_ns = 0;
	member->is_stop_asked = false;
}

/* Streams of new sources have their readers from the start: those that run are given their inputs now. */
static void give_new_inputs(struct transition *transition, uint64_t now_ns)
{
	struct edges edges = {.roster = transition->roster, .ledger = transition->ledger, .now_ns = now_ns};

	for (size_t i = 0; i < transition->roster->count; i++) {
		struct member *source = transition->roster->members[i];

		if (source->wish != WISH_START || member_is_store(source))
			continue;
		for (size_t k = 0; k < source->plan->sink_count; k++) {
			struct member *store = roster_find(transition->roster, source->plan->sinks[k].store_name);
			if (store)
				edges_give_input(&edges, store, source->plan->name);
		}
	}
}

int transition_begin(
	struct transition *transition, const struct transition_plan *plan, uint64_t now_ns, struct enrg_error *err)
{
	int rc = 0;

	processors_sample(transition->roster, transition->ledger); /* by the names of before */
	memcpy(transition->change_id, plan->id, sizeof(transition->change_id));
	snprintf(transition->done, sizeof(transition->done), "%s", plan->done);
	for (size_t i = 0; i < plan->plans->count && !rc; i++) {
		struct plan **wanted = &plan->plans->plans[i];
		struct member *member = roster_find(transition->roster, (*wanted)->name);

		if (!member) {
			rc = add_member(transition, &plan->folder->jobs[i], wanted, err);
			continue;
		}
		member->config = &plan->folder->jobs[i];
		want(member, *wanted, plan->change);
		*wanted = NULL;
	}
	for (size_t i = 0; i < plan->change->count; i++) {
		const struct change_item *item = &plan->change->items[i];
		struct member *member =
			item->kind <= CHANGE_REMOVE_STORE ? roster_find(transition->roster, item->name) : NULL;
		if (!member)
			continue;
		member->wish = WISH_REMOVE;
		member->is_now = plan->is_now;
		member->is_stop_asked = false;
		member->ending_ns = 0;
	}
	give_new_inputs(transition, now_ns);
	transition->retired = plan->running;
	transition->has_change = true;
	open_transition(transition, now_ns);
	return rc;
}

void transition_stop(struct transition *transition)
{
	for (size_t i = 0; i < transition->roster->count; i++)
		if (transition->roster->members[i]->wish)
			reach(transition, transition->roster->members[i], COMMAND_FAILED, "the run ends");
	if (transition->has_change)
		answer(transition, transition->change_id, COMMAND_FAILED, "the run ends before the change is done");
	transition->has_change = transition->is_open = false;
}

void transition_fini(struct transition *transition)
{
	folder_free(transition->retired);
	*transition = (struct transition){0};
}
