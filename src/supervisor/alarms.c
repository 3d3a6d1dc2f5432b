/* alarms.c: what is on, and what was said of it. */
#include "supervisor/alarms.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#define NS_PER_S       1000000000ull
#define FIRST_AGAIN_NS (600 * NS_PER_S) /* after it began; then … */
#define AGAIN_NS       (3600 * NS_PER_S)

void alarms_fini(struct alarms *alarms)
{
	free(alarms->items);
	*alarms = (struct alarms){0};
}

static struct alarm *find(const struct alarms *alarms, const char *key)
{
	for (uint32_t i = 0; i < alarms->count; i++)
		if (!strcmp(alarms->items[i].key, key))
			return &alarms->items[i];
	return NULL;
}

static struct alarm *add(struct alarms *alarms, const char *key)
{
	struct alarm *longer =
		alarms->count < ALARMS_MAX ? realloc(alarms->items, (alarms->count + 1) * sizeof(*longer)) : NULL;

	if (!longer)
		return NULL;
	alarms->items = longer;
	struct alarm *alarm = &longer[alarms->count++];
	*alarm = (struct alarm){0};
	snprintf(alarm->key, sizeof(alarm->key), "%s", key);
	return alarm;
}

static bool is_muted(const struct alarm *alarm, uint64_t wall_ns)
{
	return alarm->muted_until_wall_ns > wall_ns;
}

/* Into messages and files: what was cut may end inside of a character, and a folder may have any name. */
static void copy_text(char *ret_text, size_t text_bytes, const char *text)
{
	snprintf(ret_text, text_bytes, "%s", text);
	text_make_safe(ret_text, strlen(ret_text));
}

/* --- telling ------------------------------------------------------------------------------------------------------ */

static void tell(struct alarms *alarms, struct alarm *alarm, enum alarm_event event, uint64_t now_ns, uint64_t wall_ns)
{
	char text[1000], span[32];
	uint64_t span_ns = wall_ns > alarm->since_wall_ns ? wall_ns - alarm->since_wall_ns : 0;

	clock_format_span(span_ns, span, sizeof(span));
	if (event == ALARM_BEGINS)
		snprintf(text, sizeof(text), "%s", alarm->text);
	else if (event == ALARM_AGAIN)
		snprintf(text, sizeof(text), "since %s: %.750s; `enrgdaq alarms ack %.150s` ends this repetition", span,
			alarm->text, alarm->key);
	else
		snprintf(text, sizeof(text), "%.300s is over, after %s", alarm->key, span);
	text_make_safe(text, strlen(text));
	alarm->told_ns = now_ns;
	alarm->told_count++;
	alarms->is_changed = true;
	alarms->tell(alarms->context, alarm, event, text);
}

static void begin(struct alarms *alarms, struct alarm *alarm, uint64_t now_ns, uint64_t wall_ns)
{
	alarm->is_on = true;
	alarm->is_acknowledged = false;
	alarm->since_wall_ns = wall_ns - (now_ns - alarm->true_since_ns);
	alarm->told_ns = alarm->told_count = 0;
	alarms->is_changed = true;
	if (!is_muted(alarm, wall_ns))
		tell(alarms, alarm, ALARM_BEGINS, now_ns, wall_ns);
}

/* Of one that nobody was told of there is no end to be told. */
static void end(struct alarms *alarms, struct alarm *alarm, uint64_t now_ns, uint64_t wall_ns)
{
	if (alarm->told_count && !is_muted(alarm, wall_ns))
		tell(alarms, alarm, ALARM_ENDS, now_ns, wall_ns);
	alarm->is_on = alarm->is_acknowledged = false;
	alarms->is_changed = true;
}

/* --- judging ------------------------------------------------------------------------------------------------------ */

static void take_true(struct alarms *alarms, struct alarm *alarm, const struct judgement *judgement, uint64_t now_ns,
	uint64_t wall_ns)
{
	copy_text(alarm->job, sizeof(alarm->job), judgement->job);
	copy_text(alarm->text, sizeof(alarm->text), judgement->text);
	alarm->severity = judgement->severity;
	if (!alarm->true_since_ns)
		alarm->true_since_ns = now_ns;
	if (!alarm->is_on && now_ns - alarm->true_since_ns >= judgement->hold_ns)
		begin(alarms, alarm, now_ns, wall_ns);
}

void alarms_judge(struct alarms *alarms, const struct judgement *judgement, uint64_t now_ns, uint64_t wall_ns)
{
	char key[ALARM_KEY_BYTES];
	struct alarm *alarm;

	snprintf(key, sizeof(key), "%s%s%s", judgement->kind, judgement->subject[0] ? "/" : "", judgement->subject);
	text_make_safe(key, strlen(key));
	alarm = find(alarms, key);
	if (!alarm && judgement->is_true)
		alarm = add(alarms, key);
	if (!alarm)
		return;
	alarm->judged_ns = now_ns;
	if (judgement->is_unknown)
		return;
	if (judgement->is_true) {
		take_true(alarms, alarm, judgement, now_ns, wall_ns);
		return;
	}
	alarm->true_since_ns = 0;
	if (alarm->is_on)
		end(alarms, alarm, now_ns, wall_ns);
}

static void step(struct alarms *alarms, struct alarm *alarm, uint64_t now_ns, uint64_t wall_ns)
{
	uint64_t pause_ns = alarm->told_count == 1 ? FIRST_AGAIN_NS : AGAIN_NS;

	if (alarm->muted_until_wall_ns && !is_muted(alarm, wall_ns)) {
		alarm->muted_until_wall_ns = 0;
		alarms->is_changed = true;
	}
	if (now_ns - alarm->judged_ns >= ALARM_UNJUDGED_NS) {
		alarm->true_since_ns = 0;
		if (alarm->is_on)
			end(alarms, alarm, now_ns, wall_ns);
	}
	if (!alarm->is_on || alarm->is_acknowledged || is_muted(alarm, wall_ns))
		return;
	if (!alarm->told_count)
		tell(alarms, alarm, ALARM_BEGINS, now_ns, wall_ns); /* its mute is over */
	else if (now_ns - alarm->told_ns >= pause_ns)
		tell(alarms, alarm, ALARM_AGAIN, now_ns, wall_ns);
}

void alarms_step(struct alarms *alarms, uint64_t now_ns, uint64_t wall_ns)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < alarms->count; i++) {
		struct alarm *alarm = &alarms->items[i];

		step(alarms, alarm, now_ns, wall_ns);
		if (!alarm->is_on && !alarm->true_since_ns && !alarm->muted_until_wall_ns)
			continue;
		if (kept != i)
			alarms->items[kept] = *alarm;
		kept++;
	}
	alarms->count = kept;
}

/* --- what an operator says ---------------------------------------------------------------------------------------- */

int alarms_acknowledge(struct alarms *alarms, const char *key)
{
	struct alarm *alarm = find(alarms, key);

	if (!alarm || !alarm->is_on)
		return -ENOENT;
	alarm->is_acknowledged = alarms->is_changed = true;
	return 0;
}

int alarms_mute(struct alarms *alarms, const char *key, double hours, const char *reason, uint64_t wall_ns)
{
	struct alarm *alarm = find(alarms, key);

	if (hours <= 0) {
		if (!alarm || !alarm->muted_until_wall_ns)
			return -ENOENT;
		alarm->muted_until_wall_ns = 0;
		alarm->mute_reason[0] = '\0';
		alarms->is_changed = true;
		return 0;
	}
	if (!alarm)
		alarm = add(alarms, key);
	if (!alarm)
		return -ENOSPC;
	alarm->muted_until_wall_ns = wall_ns + (uint64_t)(hours * 3600e9);
	copy_text(alarm->mute_reason, sizeof(alarm->mute_reason), reason);
	alarms->is_changed = true;
	return 0;
}
