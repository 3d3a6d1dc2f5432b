/* watch.c: see the header. */
#include "watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JITTER_NS 100000000ull /* of looks that are a second apart */

static uint64_t hash_text(uint64_t hash, const char *text)
{
	for (; text && *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3ull;
	return hash * 0x100000001b3ull;
}

uint64_t watch_id(const struct rule *rule, const char *job)
{
	char numbers[64];
	uint64_t hash = hash_text(0xcbf29ce484222325ull, rule->daq_job_type);

	snprintf(numbers, sizeof(numbers), "%d %d %" PRId64, rule->figure, rule->alert_if, rule->amount);
	hash = hash_text(hash_text(hash, rule->interval), numbers);
	return hash_text(hash_text(hash, rule->alert.message), job);
}

struct watch *watch_create(const struct rule *rule, const char *job, uint64_t now_ns)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (!watch || !(watch->job = strdup(job))) {
		free(watch);
		return NULL;
	}
	watch->rule = rule;
	watch->id = watch_id(rule, job);
	watch_begin_run(watch, now_ns);
	return watch;
}

void watch_destroy(struct watch *watch)
{
	if (!watch)
		return;
	free(watch->job);
	free(watch->word);
	free(watch);
}

static bool is_queue(const struct watch *watch)
{
	return watch->rule->figure == RULE_IN_QUEUE || watch->rule->figure == RULE_OUT_QUEUE;
}

void watch_begin_run(struct watch *watch, uint64_t now_ns)
{
	watch->begin_ns = now_ns;
	watch->count = UINT64_MAX; /* what is there now is where it begins */
	memset(watch->slots, 0, sizeof(watch->slots));
	if (!watch->rule->interval && !is_queue(watch))
		watch->is_active = false;
}

/* --- the condition ----------------------------------------------------------------------------------------------- */

static uint64_t interval_of(const struct watch *watch)
{
	return watch->rule->interval ? rules_parse_interval(watch->rule->interval) : 0;
}

static uint64_t amount_of(const struct watch *watch)
{
	return watch->rule->amount > 0 ? (uint64_t)watch->rule->amount : 1;
}

static void take(struct watch *watch, uint64_t count, uint64_t now_ns)
{
	if (is_queue(watch) ? count >= amount_of(watch) : count > watch->count)
		watch->changed_ns = now_ns;
	watch->count = count;
	/* a slot for each part of the interval */
	if (now_ns - watch->slots[watch->slot].at_ns >= interval_of(watch) / (WATCH_SLOTS - 1)) {
		watch->slot = (watch->slot + 1) % WATCH_SLOTS;
		watch->slots[watch->slot].at_ns = now_ns;
		watch->slots[watch->slot].count = count;
	}
}

/* What was counted in the last interval. */
static uint64_t counted_in_interval(const struct watch *watch, uint64_t now_ns)
{
	uint64_t least = watch->count;

	for (uint32_t i = 0; i < WATCH_SLOTS; i++)
		if (watch->slots[i].at_ns && now_ns - watch->slots[i].at_ns <= interval_of(watch) &&
			watch->slots[i].count < least)
			least = watch->slots[i].count;
	return watch->count - least;
}

static bool is_satisfied(const struct watch *watch, uint64_t now_ns)
{
	if (!watch->rule->interval)
		return watch->count >= amount_of(watch);
	if (is_queue(watch) || watch->rule->amount <= 1)
		return watch->changed_ns && now_ns - watch->changed_ns + JITTER_NS < interval_of(watch);
	return counted_in_interval(watch, now_ns) >= amount_of(watch);
}

/* "Not within the interval" can be said of what was watched for so long. One that is active stays so until it is seen
 * to be over. */
static bool is_alarming(const struct watch *watch, uint64_t now_ns)
{
	if (watch->rule->alert_if == RULE_SATISFIED)
		return is_satisfied(watch, now_ns);
	return !is_satisfied(watch, now_ns) &&
	       (watch->is_active || now_ns - watch->begin_ns + JITTER_NS >= interval_of(watch));
}

enum watch_news watch_look(struct watch *watch, uint64_t count, bool is_at_rest, uint64_t now_ns)
{
	take(watch, count, now_ns);
	if (is_at_rest)
		watch->begin_ns = now_ns; /* its time counts from when it is there again */
	bool is_alarm = !is_at_rest && is_alarming(watch, now_ns);
	if (is_alarm == watch->is_active)
		return WATCH_SAME;
	watch->is_active = is_alarm;
	if (!is_alarm)
		return WATCH_ENDS;
	watch->since_ns = now_ns;
	return WATCH_BEGINS;
}

/* --- words ------------------------------------------------------------------------------------------------------- */

static const char *const done[] = {
	"batches taken", "batches sent", "batches waiting", "batches not yet stored", "restarts"};

static void describe_condition(const struct watch *watch, char *ret_text, size_t text_bytes)
{
	const struct rule *rule = watch->rule;
	bool is_less = rule->alert_if == RULE_UNSATISFIED;
	const char *in = rule->interval ? " in the last " : is_queue(watch) ? " now" : " in this run";

	if (amount_of(watch) > 1)
		snprintf(ret_text, text_bytes, "%s than %" PRIu64 " %s%s%s", is_less ? "fewer" : "not fewer",
			amount_of(watch), done[rule->figure], in, rule->interval ? rule->interval : "");
	else
		snprintf(ret_text, text_bytes, "%s %s%s%s", is_less ? "no" : "there were", done[rule->figure], in,
			rule->interval ? rule->interval : "");
}

char *watch_describe(const struct watch *watch, uint64_t now_ns)
{
	const struct rule *rule = watch->rule;
	const char *job = watch->job[0] ? watch->job : "there is no job of type ";
	const char *type = watch->job[0] ? "" : rule->daq_job_type;
	char condition[200], *text = NULL;
	int length;

	describe_condition(watch, condition, sizeof(condition));
	if (rule == &rules_of_restarts && watch->is_active)
		length = asprintf(
			&text, "%s was restarted; the log says why it ended; what it had committed is stored", job);
	else if (rule == &rules_of_restarts)
		length = asprintf(&text, "%s: no restart for %s", job, rule->interval);
	else if (watch->is_active)
		length = asprintf(&text, "%s (%s%s: %s)", rule->alert.message, job, type, condition);
	else if (rule->alive.message)
		length = asprintf(&text, "%s (%s%s, after %.0f s)", rule->alive.message, job, type,
			(double)(now_ns - watch->since_ns) / 1e9);
	else
		length = asprintf(&text, "over after %.0f s: %s (%s%s)", (double)(now_ns - watch->since_ns) / 1e9,
			rule->alert.message, job, type);
	return length < 0 ? NULL : text;
}
