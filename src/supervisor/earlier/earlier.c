/* earlier.c: see the header. Process: supervisor, at start. */
#include "supervisor/earlier/earlier.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/path.h"
#include "base/text.h"

#define STATE_VALUES (sizeof(struct journal_stream_state) / sizeof(uint64_t))

/* Adds "RUN:EPOCH"; where there is no room any more the oldest goes, which has waited for more runs than anybody makes.
 */
static void add_run(struct earlier *earlier, const char *run, uint32_t epoch)
{
	char entry[96];
	size_t used = strlen(earlier->runs);

	snprintf(entry, sizeof(entry), "%s%.63s:%" PRIu32, used ? " " : "", run, epoch);
	while (used + strlen(entry) >= sizeof(earlier->runs)) {
		const char *next = strchr(earlier->runs, ' ');

		if (!next)
			return;
		memmove(earlier->runs, next + 1, strlen(next + 1) + 1);
		used = strlen(earlier->runs);
	}
	memcpy(earlier->runs + used, entry, strlen(entry) + 1);
}

void earlier_take(const struct stream_status *status, const char *runtime_folder, const struct earlier *last,
	const char *last_run, struct earlier *ret_earlier)
{
	memset(ret_earlier, 0, sizeof(*ret_earlier));
	if (last)
		memcpy(ret_earlier->runs, last->runs, sizeof(ret_earlier->runs));
	add_run(ret_earlier, last_run[0] ? last_run : status->run, status->epoch);
	ret_earlier->sequence = status->sequence;
	ret_earlier->batches = status->batches;
	ret_earlier->rows = status->rows;
	ret_earlier->bytes = status->bytes;
	ret_earlier->gaps = status->gaps;
	ret_earlier->dropped_rows = status->dropped_rows;
	for (uint32_t i = 0; i < status->consumer_count; i++) {
		struct earlier_store *store = &ret_earlier->stores[ret_earlier->store_count];
		char path[1024], safe[180];

		path_safe_name(status->consumers[i].name, safe, sizeof(safe));
		snprintf(path, sizeof(path), "%s/%s.journal", runtime_folder, safe);
		snprintf(store->name, sizeof(store->name), "%s", status->consumers[i].name);
		if (journal_read_stream(path, status->uuid, &store->state, NULL))
			memset(&store->state, 0, sizeof(store->state));
		ret_earlier->store_count++;
	}
}

void earlier_format_key(const uint8_t uuid[16], char ret_key[33])
{
	text_format_hex(uuid, 16, ret_key);
}

static json_t *format_state(const struct journal_stream_state *state)
{
	uint64_t values[STATE_VALUES];
	json_t *list = json_array();

	memcpy(values, state, sizeof(values));
	for (size_t i = 0; i < STATE_VALUES; i++)
		json_array_append_new(list, json_integer((json_int_t)values[i]));
	return list;
}

json_t *earlier_format(const struct earlier *earlier)
{
	json_t *stores = json_object();

	for (uint32_t i = 0; i < earlier->store_count; i++)
		json_object_set_new(stores, earlier->stores[i].name, format_state(&earlier->stores[i].state));
	return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "runs", earlier->runs, "sequence",
		(json_int_t)earlier->sequence, "batches", (json_int_t)earlier->batches, "rows",
		(json_int_t)earlier->rows, "bytes", (json_int_t)earlier->bytes, "gaps", (json_int_t)earlier->gaps,
		"dropped_rows", (json_int_t)earlier->dropped_rows, "stores", stores);
}

static uint64_t number(const json_t *json, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(json, key));
}

bool earlier_parse(const json_t *json, struct earlier *ret_earlier)
{
	const char *runs = json_string_value(json_object_get(json, "runs")), *name;
	json_t *list;

	memset(ret_earlier, 0, sizeof(*ret_earlier));
	if (!runs || strlen(runs) >= sizeof(ret_earlier->runs))
		return false;
	memcpy(ret_earlier->runs, runs, strlen(runs) + 1);
	ret_earlier->sequence = number(json, "sequence");
	ret_earlier->batches = number(json, "batches");
	ret_earlier->rows = number(json, "rows");
	ret_earlier->bytes = number(json, "bytes");
	ret_earlier->gaps = number(json, "gaps");
	ret_earlier->dropped_rows = number(json, "dropped_rows");
	json_object_foreach(json_object_get(json, "stores"), name, list)
	{
		struct earlier_store *store = &ret_earlier->stores[ret_earlier->store_count];
		uint64_t values[STATE_VALUES];

		if (ret_earlier->store_count == SEGMENT_CONSUMERS)
			break;
		for (size_t i = 0; i < STATE_VALUES; i++)
			values[i] = (uint64_t)json_integer_value(json_array_get(list, i));
		snprintf(store->name, sizeof(store->name), "%s", name);
		memcpy(&store->state, values, sizeof(values));
		ret_earlier->store_count++;
	}
	return true;
}

struct journal_stream_state earlier_find(const struct earlier *earlier, const char *store)
{
	for (uint32_t i = 0; i < earlier->store_count; i++)
		if (!strcmp(earlier->stores[i].name, store))
			return earlier->stores[i].state;
	return (struct journal_stream_state){0};
}

void earlier_describe(const struct earlier *earlier, char *ret_text, size_t text_bytes)
{
	const char *at = earlier->runs;
	size_t used = (size_t)snprintf(ret_text, text_bytes, strchr(at, ' ') ? "runs" : "run");

	while (*at && used < text_bytes) {
		size_t length = strcspn(at, ":");
		used += (size_t)snprintf(
			ret_text + used, text_bytes - used, "%s %.*s", at == earlier->runs ? "" : ",", (int)length, at);
		at += strcspn(at, " ");
		at += *at == ' ';
	}
}
