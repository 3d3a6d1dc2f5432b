/* record.c: see the header. */
#include "record.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct record {
	json_t *json;
};

static void format_id(const struct watch *watch, char ret_id[17])
{
	snprintf(ret_id, 17, "%016" PRIx64, watch->id);
}

/* Of a rule that counts restarts its count is kept always: what happens while this job is away is seen by it. */
static bool is_worth_keeping(const struct watch *watch)
{
	return watch->is_active || watch->word || (watch->rule->figure == RULE_RESTARTS && watch->count != UINT64_MAX);
}

char *record_format(const struct watch *first, const char *run)
{
	json_t *watches = json_object(), *json = json_pack("{s:s, s:o}", "run", run, "watches", watches);
	char id[17];

	for (const struct watch *watch = first; json && watch; watch = watch->next) {
		if (!is_worth_keeping(watch))
			continue;
		json_t *entry = json_pack("{s:s, s:b, s:I, s:I, s:I}", "job", watch->job, "active", watch->is_active,
			"since_ns", (json_int_t)watch->since_ns, "changed_ns", (json_int_t)watch->changed_ns, "count",
			watch->count == UINT64_MAX ? -1 : (json_int_t)watch->count);
		if (watch->word) {
			json_object_set_new(entry, "word", json_string(watch->word));
			json_object_set_new(entry, "severity", json_integer((int)watch->severity));
		}
		format_id(watch, id);
		json_object_set_new(watches, id, entry);
	}
	char *text = json ? json_dumps(json, JSON_INDENT(1)) : NULL;
	json_decref(json);
	return text;
}

struct record *record_parse(const char *text)
{
	struct record *record = calloc(1, sizeof(*record));

	if (record)
		record->json = text ? json_loads(text, 0, NULL) : NULL;
	if (record && record->json)
		return record;
	free(record);
	return NULL;
}

void record_destroy(struct record *record)
{
	if (!record)
		return;
	json_decref(record->json);
	free(record);
}

/* CLOCK_MONOTONIC begins again with the machine: a time of before is long ago. */
static uint64_t time_of(const json_t *entry, const char *key, uint64_t now_ns)
{
	json_int_t value = json_integer_value(json_object_get(entry, key));

	return value > 0 && (uint64_t)value <= now_ns ? (uint64_t)value : 0;
}

static bool is_of_run(const struct record *record, const char *run)
{
	const char *earlier = json_string_value(json_object_get(record->json, "run"));

	return earlier && !strcmp(earlier, run);
}

void record_restore(const struct record *record, struct watch *watch, const char *run, uint64_t now_ns)
{
	char id[17];

	format_id(watch, id);
	const json_t *entry = record ? json_object_get(json_object_get(record->json, "watches"), id) : NULL;
	if (!json_is_object(entry))
		return;
	const char *word = json_string_value(json_object_get(entry, "word"));
	json_int_t severity = json_integer_value(json_object_get(entry, "severity"));
	const json_t *count = json_object_get(entry, "count");
	watch->is_active = json_is_true(json_object_get(entry, "active"));
	watch->since_ns = time_of(entry, "since_ns", now_ns);
	watch->since_ns = watch->since_ns ? watch->since_ns : now_ns;
	watch->word = word ? strdup(word) : NULL;
	watch->severity = severity < ENRG_INFO || severity > ENRG_ERROR ? ENRG_ERROR : (enum enrg_level)severity;
	watch->changed_ns = time_of(entry, "changed_ns", now_ns);
	if (!is_of_run(record, run)) {
		watch_begin_run(watch, now_ns);
		return;
	}
	if (json_is_integer(count) && json_integer_value(count) >= 0)
		watch->count = (uint64_t)json_integer_value(count);
}
