/* rebuild.c: see the header. */
#include "rebuild.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "enrgdaq/history_file.h"

#define NS_PER_S 1000000000ull
#define HOLD_NS  (ENRG_HISTORY_HOLD * NS_PER_S)
#define MINUTE_S 60u

/* A series of a file of seconds. */
struct held {
	int64_t line; /* of the recorder; -1: not asked for yet */
	bool is_known;
	uint64_t time_ns;
	struct enrg_history_value value;
};

struct helds {
	struct held *items; /* by the file's numbers */
	uint32_t count;
};

static struct enrg_history_file *open_part(const char *folder, const struct enrg_history_part *part)
{
	struct enrg_history_file *file = NULL;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, part->name);
	return enrg_history_file_open(path, &file, NULL) == 0 ? file : NULL;
}

/* Behind the last minute that is there; 0: there is none. */
static uint64_t find_end(const char *folder, const struct enrg_history_part *parts, uint32_t count)
{
	struct enrg_history_block block;
	uint64_t end_ns = 0;

	for (uint32_t i = count; i-- > 0 && !end_ns && parts[i].span_s == MINUTE_S;) {
		struct enrg_history_file *file = open_part(folder, &parts[i]);

		while (file && enrg_history_file_next(file, UINT64_MAX, &block) == 1)
			;
		if (file && enrg_history_file_last_ns(file))
			end_ns = enrg_history_file_last_ns(file) + MINUTE_S * NS_PER_S;
		enrg_history_file_close(file);
	}
	return end_ns;
}

static int make_room(struct helds *helds, uint32_t count)
{
	if (count <= helds->count)
		return 0;
	struct held *items = realloc(helds->items, count * sizeof(*items));
	if (!items)
		return -ENOMEM;
	for (uint32_t i = helds->count; i < count; i++)
		items[i] = (struct held){.line = -1};
	helds->items = items;
	helds->count = count;
	return 0;
}

static int take_block(struct recorder *recorder, const struct enrg_history_file *file,
	const struct enrg_history_block *block, struct helds *helds)
{
	int rc = make_room(helds, enrg_history_file_series_end(file));

	for (uint32_t i = 0; i < block->count && rc == 0; i++) {
		const struct enrg_history_value *value = &block->values[i];
		struct held *held = &helds->items[value->series];

		if (held->line < 0) {
			const struct enrg_history_name *name = enrg_history_file_name(file, value->series);
			held->line = recorder_take(recorder, name->name, name->unit, name->flags);
		}
		held->is_known = value->seconds && held->line >= 0;
		held->time_ns = block->time_ns;
		held->value = *value;
		rc = held->line == -ENOMEM ? -ENOMEM : 0;
	}
	return rc;
}

static void add_block(struct recorder *recorder, uint64_t time_ns, struct helds *helds)
{
	for (uint32_t i = 0; i < helds->count; i++) {
		struct held *held = &helds->items[i];

		if (!held->is_known)
			continue;
		if (held->time_ns != time_ns && (!enrg_history_value_holds(&held->value, 1) ||
							time_ns < held->time_ns || time_ns - held->time_ns > HOLD_NS))
			held->is_known = false;
		else
			recorder_add(
				recorder, (uint32_t)held->line, held->value.min, held->value.mean, held->value.max);
	}
}

static int rebuild_file(
	struct recorder *recorder, struct enrg_history_file *file, uint64_t from_ns, struct enrg_error *err)
{
	struct enrg_history_block block;
	struct helds helds = {0};
	int rc;

	while ((rc = enrg_history_file_next(file, from_ns > HOLD_NS ? from_ns - HOLD_NS : 0, &block)) == 1) {
		rc = take_block(recorder, file, &block, &helds);
		if (rc < 0)
			break;
		if (block.time_ns < from_ns)
			continue;
		rc = recorder_begin_minute(recorder, block.time_ns / NS_PER_S / MINUTE_S * MINUTE_S, err);
		if (rc < 0)
			break;
		add_block(recorder, block.time_ns, &helds);
	}
	free(helds.items);
	return rc == -ENOMEM ? enrg_error_set(err, rc, "out of memory") : rc;
}

int rebuild_minutes(struct recorder *recorder, const char *folder, struct enrg_error *err)
{
	struct enrg_history_part *parts;
	uint32_t count;
	int rc = enrg_history_parts_list(folder, &parts, &count, err);

	if (rc < 0)
		return rc;
	uint64_t from_ns = find_end(folder, parts, count);
	for (uint32_t i = 0; i < count && rc == 0 && parts[i].span_s == 1; i++) {
		struct enrg_history_file *file = parts[i].to_ns > from_ns ? open_part(folder, &parts[i]) : NULL;

		if (file)
			rc = rebuild_file(recorder, file, from_ns, err);
		enrg_history_file_close(file);
	}
	free(parts);
	return rc;
}
