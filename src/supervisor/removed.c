/* removed.c: see the header. Process: supervisor, main thread. */
#include "supervisor/removed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/path.h"
#include "handover/presence.h"
#include "supervisor/earlier/streams.h"

#define FILE_BYTES_MAX (64u << 20)
#define STATE_VALUES   (sizeof(struct journal_stream_state) / sizeof(uint64_t))
#define SHARE_VALUES   (sizeof(struct ledger_share) / sizeof(uint64_t))

_Static_assert(sizeof(struct ledger_share) == 6 * sizeof(uint64_t), "a share is a list of numbers");

static void format_path(const char *folder, char *ret_path, size_t path_bytes)
{
	snprintf(ret_path, path_bytes, "%s/removed.json", folder);
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

static json_t *format_values(const void *from, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		uint64_t value;

		memcpy(&value, (const char *)from + i * sizeof(value), sizeof(value));
		json_array_append_new(list, json_integer((json_int_t)value));
	}
	return list;
}

static json_t *format_past(const struct ledger_past *past)
{
	return json_pack("{s:s, s:s, s:I, s:o, s:o, s:o}", "source", past->source, "store", past->store, "times",
		(json_int_t)past->times, "all", format_values(&past->all, SHARE_VALUES), "last",
		format_values(&past->last, SHARE_VALUES), "state", format_values(&past->state, STATE_VALUES));
}

void removed_write(const char *folder, const struct ledger *ledger)
{
	char path[RUNTIME_PATH_BYTES + 32];
	json_t *all = json_array();
	struct enrg_error err = {0};

	for (uint32_t i = 0; i < ledger->past_count; i++)
		json_array_append_new(all, format_past(&ledger->past[i]));
	char *text = all ? json_dumps(all, JSON_COMPACT) : NULL;
	json_decref(all);
	format_path(folder, path, sizeof(path));
	int rc = text ? path_write_private_file(path, text, strlen(text), &err)
		      : enrg_error_set(&err, -ENOMEM, "out of memory");
	if (rc)
		log_line(ENRG_WARNING,
			"what stores have of jobs that are removed can't be kept: %s; should this supervisor be "
			"killed, the ledger of the run does not have these lines",
			err.text);
	free(text);
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static bool parse_values(const json_t *list, void *to, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const json_t *item = json_array_get(list, i);
		uint64_t value = (uint64_t)json_integer_value(item);

		if (!json_is_integer(item))
			return false;
		memcpy((char *)to + i * sizeof(value), &value, sizeof(value));
	}
	return json_array_size(list) == count;
}

static void parse_past(const json_t *json, struct ledger *ledger)
{
	const char *source = json_string_value(json_object_get(json, "source")),
		   *store = json_string_value(json_object_get(json, "store"));
	struct ledger_past past = {.times = (uint64_t)json_integer_value(json_object_get(json, "times"))}, *place;

	if (!source || !store || !parse_values(json_object_get(json, "all"), &past.all, SHARE_VALUES) ||
		!parse_values(json_object_get(json, "last"), &past.last, SHARE_VALUES) ||
		!parse_values(json_object_get(json, "state"), &past.state, STATE_VALUES))
		return;
	snprintf(past.source, sizeof(past.source), "%s", source);
	snprintf(past.store, sizeof(past.store), "%s", store);
	place = ledger_take_past(ledger, past.source, past.store);
	if (place)
		*place = past;
}

static void read_pasts(const char *folder, struct ledger *ledger)
{
	char path[RUNTIME_PATH_BYTES + 32], *text;
	size_t bytes, i;
	json_t *item;

	format_path(folder, path, sizeof(path));
	if (path_read_file(path, FILE_BYTES_MAX, &text, &bytes, NULL))
		return;
	json_t *all = json_loadb(text, bytes, 0, NULL);
	free(text);
	json_array_foreach(all, i, item) parse_past(item, ledger);
	json_decref(all);
}

struct reading {
	const struct runtime *runtime;
	struct ledger *ledger;
};

static int read_parted(const char *path, void *context)
{
	const struct reading *reading = context;
	struct stream_status status;
	struct enrg_error err = {0};
	struct earlier earlier;
	char key[33];

	if (stream_read_status(path, &status, &err)) {
		log_line(ENRG_WARNING, "%s; what its source had made is not in the ledger", err.text);
		return 0;
	}
	struct ledger_source *source = ledger_take_source(reading->ledger, status.source, UINT32_MAX);
	if (!source)
		return 0;
	source->sequence = status.sequence;
	source->batches = status.batches;
	source->rows = status.rows;
	source->bytes = status.bytes;
	source->gaps = status.gaps;
	source->dropped_rows = status.dropped_rows;
	source->is_read = true;
	earlier_format_key(status.uuid, key);
	if (earlier_parse(json_object_get(reading->runtime->earlier, key), &earlier))
		(void)ledger_set_earlier(reading->ledger, status.source, &earlier);
	/* Where its supervisor was killed in between. */
	(void)stream_free_pages(path, NULL);
	return 0;
}

void removed_read(const struct runtime *runtime, struct ledger *ledger)
{
	struct reading reading = {.runtime = runtime, .ledger = ledger};

	read_pasts(runtime->folder, ledger);
	presence_visit_files(runtime->folder, STREAM_PARTED_SUFFIX, read_parted, &reading);
}

void removed_drop(const char *folder)
{
	char path[RUNTIME_PATH_BYTES + 32];

	format_path(folder, path, sizeof(path));
	unlink(path);
}
