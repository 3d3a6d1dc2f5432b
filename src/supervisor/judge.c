/* judge.c: see the header. Each text says what is so, what it means for the data, and what to do. */
#include "supervisor/judge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "supervisor/clock_state.h"
#include "supervisor/run_end.h"
#include "supervisor/runtime.h"

#define NS_PER_S        1000000000ull
#define LEDGER_HOLD_NS  (10 * NS_PER_S)  /* the two sides are read one after the other */
#define CLOCK_HOLD_NS   (300 * NS_PER_S) /* a clock that is just being set */
#define SLOW_LOOK_NS    (10 * NS_PER_S)
#define LAG_PART        2    /* one part in … of the ring waits */
#define BLOCKED_PERCENT 50.0 /* who waits for stores is not silent */

void judge_fini(struct judge *judge)
{
	free(judge->sources);
	free(judge->fills);
	disks_fini(&judge->disks);
	*judge = (struct judge){0};
}

static void pass(struct judge *judge, const struct judge_context *context, const struct judgement *judgement)
{
	alarms_judge(judge->alarms, judgement, context->now_ns, context->wall_ns);
}

/* --- a source that is silent -------------------------------------------------------------------------------------- */

static struct judge_source *find_source(struct judge *judge, uint32_t id)
{
	for (uint32_t i = 0; i < judge->source_count; i++)
		if (judge->sources[i].id == id)
			return &judge->sources[i];
	struct judge_source *longer = realloc(judge->sources, (judge->source_count + 1) * sizeof(*longer));
	if (!longer)
		return NULL;
	judge->sources = longer;
	longer[judge->source_count] = (struct judge_source){.id = id};
	return &longer[judge->source_count++];
}

/* Those of jobs that are gone make room. */
static void forget_gone(struct judge *judge)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < judge->source_count; i++) {
		if (!judge->sources[i].is_seen)
			continue;
		judge->sources[kept] = judge->sources[i];
		judge->sources[kept++].is_seen = false;
	}
	judge->source_count = kept;
}

/* Is a batch of it awaited? Not between runs, while it is stopped, restarted or changed, nor while stores hold it up.
 */
static bool is_due(const struct member *member)
{
	const struct page *page = member->page;

	return member_is_alive(member) && member->state == MEMBER_RUNNING && member->wish == WISH_NONE && page &&
	       atomic_load_explicit(&page->acquires, memory_order_relaxed) == PAGE_ACQUIRES &&
	       member->blocked_percent < BLOCKED_PERCENT && !(member->stream && member->stream->blocked_since_ns);
}

static uint64_t silent_after_ns(const struct judge_context *context, const struct member *member)
{
	const struct job_common *common = &member->config->common;
	double seconds =
		common->has_silent_after ? common->silent_after_seconds : context->options->alarms.silent_after_seconds;

	return (uint64_t)(seconds * 1e9);
}

static void judge_source(struct judge *judge, const struct judge_context *context, const struct member *member)
{
	struct judge_source *source = find_source(judge, member->id);
	uint64_t least_ns = silent_after_ns(context, member), last_ns;
	char silence[32], interval[32];

	if (!source)
		return;
	source->is_seen = true;
	last_ns = member->page ? atomic_load_explicit(&member->page->last_out_mono_ns, memory_order_relaxed) : 0;
	bool is_awaited = is_due(member), is_new = member->now.out_batches > source->flow.batches;
	flow_look(&source->flow, member->now.out_batches, last_ns, is_awaited, context->now_ns);
	bool is_silent = least_ns && flow_is_silent(&source->flow, least_ns, context->now_ns);
	struct judgement judgement = {.kind = "silent",
		.subject = member->plan->name,
		.job = member->plan->name,
		.is_true = is_silent,
		/* One that was silent under a supervisor before this one is not learned yet, and says nothing by that.
		 */
		.is_unknown = !is_silent && least_ns && is_awaited && !is_new && !flow_interval(&source->flow),
		.severity = ENRG_ERROR};
	if (is_silent) {
		clock_format_span(flow_silence(&source->flow, context->now_ns), silence, sizeof(silence));
		clock_format_span(flow_interval(&source->flow), interval, sizeof(interval));
		snprintf(judgement.text, sizeof(judgement.text),
			"%.200s has sent nothing for %s, and usually sends a batch each %s: nothing of it is recorded "
			"now; "
			"look at its hardware and its log; `enrgdaq job restart %.200s` starts it anew; where pauses "
			"like "
			"that are right, raise silent_after_seconds in its file (0: no alarm)",
			member->plan->name, silence, interval, member->plan->name);
	}
	pass(judge, context, &judgement);
}

/* --- a store that lags -------------------------------------------------------------------------------------------- */

/* What waits for it in the fullest of its rings, as a part of that ring. */
static double find_backlog(
	const struct roster *roster, const char *store, const struct member **ret_source, uint64_t *ret_bytes)
{
	double most = 0;

	for (size_t i = 0; i < roster->count; i++) {
		const struct member *source = roster->members[i];
		const struct stream_status *stream = source->stream;
		for (uint32_t k = 0; stream && stream->data_bytes && k < stream->consumer_count; k++) {
			uint64_t bytes = stream->consumers[k].backlog_bytes;
			double part = (double)bytes / (double)stream->data_bytes;
			if (strcmp(stream->consumers[k].name, store) != 0 || part <= most)
				continue;
			most = part;
			*ret_source = source;
			*ret_bytes = bytes;
		}
	}
	return most;
}

static void judge_store(struct judge *judge, const struct judge_context *context, const struct member *member)
{
	const char *name = member->plan->name;
	const struct member *source = NULL;
	uint64_t bytes = 0;
	double part = find_backlog(context->roster, name, &source, &bytes);
	struct judgement judgement = {.kind = "lag",
		.subject = name,
		.job = name,
		.is_true = context->options->alarms.lag_after_seconds > 0 && part >= 1.0 / LAG_PART,
		.hold_ns = (uint64_t)(context->options->alarms.lag_after_seconds * 1e9),
		.severity = ENRG_WARNING};
	char waiting[32];

	if (judgement.is_true)
		snprintf(judgement.text, sizeof(judgement.text),
			"%.150s lags: %s of %.150s wait for it, %.0f %% of that ring%s%.150s; when it is full its "
			"source waits and takes no data; look at its CPU, its disk or database, or give it fewer "
			"tables; a larger ring_buffer_size_mb helps bursts only",
			name, text_format_bytes((double)bytes, waiting), source->plan->name, 100 * part,
			member->reason[0] ? "; it says: " : "", member->reason);
	pass(judge, context, &judgement);
}

/* --- a ledger that does not close --------------------------------------------------------------------------------- */

static void describe_ledger(const struct judge_context *context, char *ret_text, size_t text_bytes)
{
	const struct ledger *ledger = context->ledger;

	for (uint32_t i = 0; i < ledger->source_count; i++)
		for (uint32_t k = 0; k < ledger->sources[i].store_count; k++) {
			const struct ledger_store *store = &ledger->sources[i].stores[k];
			if (!store->missing && !store->missing_rows && !store->state.set_aside_batches)
				continue;
			snprintf(ret_text, text_bytes,
				"%.150s to %.150s: %" PRId64 " batches are missing, %" PRIu64 " set aside",
				ledger->sources[i].name, store->name, store->missing, store->state.set_aside_batches);
			return;
		}
	if (context->unaccounted_runs)
		snprintf(ret_text, text_bytes, "%" PRIu64 " closed runs are not accounted for",
			context->unaccounted_runs);
	else
		snprintf(ret_text, text_bytes,
			"files or streams were taken away or damaged, or rows of a processor "
			"are missing");
}

static void judge_ledger(struct judge *judge, const struct judge_context *context)
{
	struct judgement judgement = {.kind = "ledger",
		.subject = "",
		.job = "supervisor",
		.is_true = !ledger_is_accounted(context->ledger) || context->unaccounted_runs,
		.hold_ns = LEDGER_HOLD_NS,
		.severity = ENRG_ERROR};
	char what[500];

	if (judgement.is_true) {
		describe_ledger(context, what, sizeof(what));
		snprintf(judgement.text, sizeof(judgement.text),
			"the ledger does not close: %s; that data is not in the files of its store; the log says what "
			"happened, `enrgdaq status --json` has each line, `enrgdaq verify` proves what is there; keep "
			"all files",
			what);
	}
	pass(judge, context, &judgement);
}

/* --- a disk that is full within the hour -------------------------------------------------------------------------- */

static struct fill *find_fill(struct judge *judge, uint64_t device)
{
	for (uint32_t i = 0; i < judge->fill_count; i++)
		if (judge->fills[i].device == device)
			return &judge->fills[i];
	struct fill *longer =
		judge->fill_count < DISKS_MAX ? realloc(judge->fills, (judge->fill_count + 1) * sizeof(*longer)) : NULL;
	if (!longer)
		return NULL;
	judge->fills = longer;
	longer[judge->fill_count] = (struct fill){.device = device};
	return &longer[judge->fill_count++];
}

static void describe_fill(const char *folder, const struct fill *disk, uint64_t free_bytes, struct judgement *judgement)
{
	char left[32], rate[32], span[32], what[200];

	text_format_bytes((double)free_bytes, left);
	if (disk->is_full) {
		snprintf(what, sizeof(what), "is full");
	} else if (disk->full_s >= 0) {
		clock_format_span((uint64_t)(disk->full_s * 1e9), span, sizeof(span));
		snprintf(what, sizeof(what), "has %s free and is full in %s at the present %s a second", left, span,
			text_format_bytes(disk->bytes_per_s, rate));
	} else {
		snprintf(what, sizeof(what), "has %s free, was about to be full, and nobody has made room", left);
	}
	snprintf(judgement->text, sizeof(judgement->text),
		"the disk of %.300s %s: stores there wait then, and sources when shared memory is full too; free "
		"space, or let a store write elsewhere",
		folder, what);
}

static void judge_fill(struct judge *judge, const struct judge_context *context, const char *store, const char *folder,
	const struct disk_room *room)
{
	struct judgement judgement = {.kind = "disk", .subject = folder, .job = store, .severity = ENRG_ERROR};
	struct fill *disk = find_fill(judge, room->device);

	if (!disk)
		return;
	fill_look(disk, room->free_bytes, room->total_bytes, context->now_ns);
	judgement.is_true = disk->is_short;
	if (disk->is_short)
		describe_fill(folder, disk, room->free_bytes, &judgement);
	pass(judge, context, &judgement);
}

/* --- a disk that does not answer ---------------------------------------------------------------------------------- */

static void judge_silent_disk(struct judge *judge, const struct judge_context *context, const char *store,
	const char *folder, uint64_t silent_ns)
{
	struct judgement judgement = {.kind = "disk_silent",
		.subject = folder,
		.job = store,
		.is_true = silent_ns > 0,
		.severity = ENRG_ERROR};
	char span[32];

	if (silent_ns) {
		clock_format_span(silent_ns, span, sizeof(span));
		snprintf(judgement.text, sizeof(judgement.text),
			"the disk of %.300s does not answer: it was asked how much is free %s ago; whoever writes or "
			"looks there hangs: stores stand still, and sources when shared memory is full; look at its "
			"server and the network, or at dmesg for the disk itself",
			folder, span);
	}
	pass(judge, context, &judgement);
}

/* Each disk once, by the first folder that lies on it. */
static void judge_disks(struct judge *judge, const struct judge_context *context)
{
	uint64_t seen[DISKS_MAX], silent_ns;
	uint32_t seen_count = 0, k;
	char folder[RUNTIME_PATH_BYTES];
	struct disk_room room;

	for (size_t i = 0; i < context->roster->count && seen_count < DISKS_MAX; i++) {
		const struct member *store = context->roster->members[i];
		if (!member_is_store(store) || !run_end_find_folder(context->roster, i, folder, sizeof(folder)))
			continue; /* no files, or asked already */
		enum disks_answer answer = disks_ask(&judge->disks, folder, context->now_ns, &room, &silent_ns);
		if (answer != DISKS_NONE)
			judge_silent_disk(
				judge, context, store->plan->name, folder, answer == DISKS_UNHEARD ? silent_ns : 0);
		if (answer != DISKS_FRESH || !room.is_there)
			continue;
		for (k = 0; k < seen_count && seen[k] != room.device; k++)
			;
		if (k < seen_count)
			continue;
		seen[seen_count++] = room.device;
		judge_fill(judge, context, store->plan->name, folder, &room);
	}
}

/* --- a clock that nothing holds ----------------------------------------------------------------------------------- */

static void judge_clock(struct judge *judge, const struct judge_context *context)
{
	struct judgement judgement = {.kind = "clock",
		.subject = "",
		.job = "supervisor",
		.hold_ns = CLOCK_HOLD_NS,
		.severity = ENRG_WARNING,
		.text = "this machine's clock is not held to a reference: times in the data drift by seconds a day, "
			"and "
			"records of several machines can't be put together by them; start an NTP service (chrony, "
			"systemd-timesyncd), `timedatectl` shows it"};

	if (context->now_ns - judge->clock_ns < SLOW_LOOK_NS)
		return;
	judge->clock_ns = context->now_ns;
	const struct clock_state state = clock_state_read();
	if (!state.is_known)
		return;
	judgement.is_true = !state.clock.is_locked;
	pass(judge, context, &judgement);
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

/* The machine, or this process, stood still: nobody was silent then. */
static void forgive_pause(struct judge *judge, const struct judge_context *context)
{
	uint64_t longest_ns = (uint64_t)(3 * context->interval_s * 1e9) + 10 * NS_PER_S;

	if (judge->looked_ns && context->now_ns - judge->looked_ns > longest_ns)
		for (uint32_t i = 0; i < judge->source_count; i++)
			flow_forgive(&judge->sources[i].flow, context->now_ns);
	judge->looked_ns = context->now_ns;
}

void judge_look(struct judge *judge, const struct judge_context *context)
{
	if (!context->options->alarms.enabled)
		return;
	forgive_pause(judge, context);
	for (size_t i = 0; i < context->roster->count; i++) {
		const struct member *member = context->roster->members[i];
		if (member_is_store(member))
			judge_store(judge, context, member);
		else if (member_is_source(member) && !member_is_service(member))
			judge_source(judge, context, member);
	}
	forget_gone(judge);
	judge_ledger(judge, context);
	judge_disks(judge, context);
	judge_clock(judge, context);
	alarms_step(judge->alarms, context->now_ns, context->wall_ns);
}
