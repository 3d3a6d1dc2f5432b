/* feed_request.c: see feed.h: what clients ask for, as bytes that can be compared. */
#include <stdio.h>
#include <string.h>

#include "web/live/feed.h"

static int refuse(struct ask_fault *ret_fault, const char *field, const char *detail)
{
	snprintf(ret_fault->field, sizeof(ret_fault->field), "%s", field);
	snprintf(ret_fault->detail, sizeof(ret_fault->detail), "%s: %s", field, detail);
	return ENRG_E_PROTOCOL;
}

static void copy(char ret_text[ENRG_NAME_BYTES_MAX + 1], const char *text)
{
	if (text)
		strncpy(ret_text, text, ENRG_NAME_BYTES_MAX); /* zeros behind it: requests are compared as bytes */
}

bool feed_request_has(const struct feed_request *request, uint32_t channel, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (request->channels[i] == channel)
			return true;
	return false;
}

static int set_channels(const struct ask_scope *scope, struct feed_request *request, struct ask_fault *ret_fault)
{
	request->trigger_channels[request->trigger_count++] = (uint32_t)scope->trigger.channel;
	for (size_t i = 0; i < scope->trigger.coincidence.count; i++)
		request->trigger_channels[request->trigger_count++] = (uint32_t)scope->trigger.coincidence.items[i];
	for (size_t i = 0; i < scope->channels.count; i++)
		request->channels[request->channel_count++] = (uint32_t)scope->channels.items[i];
	request->shown_count = request->channel_count;
	for (uint32_t i = 0; request->shown_count && request->has_level && i < request->trigger_count; i++) {
		if (feed_request_has(request, request->trigger_channels[i], request->channel_count))
			continue;
		if (request->channel_count == WAVES_CHANNELS_MAX)
			return refuse(ret_fault, "channels", "with those of the trigger there are more than 16");
		request->channels[request->channel_count++] = request->trigger_channels[i];
	}
	return 0;
}

static void set_trigger(const struct ask_trigger *trigger, struct feed_request *request)
{
	request->has_level = trigger->has_level;
	request->is_relative = trigger->is_relative;
	request->level = (float)trigger->level;
	request->hysteresis = (float)trigger->hysteresis;
	request->slope = (uint32_t)trigger->slope;
	request->mode = (uint32_t)trigger->mode;
	request->needed = trigger->needed ? (uint32_t)trigger->needed : (uint32_t)trigger->coincidence.count + 1;
	request->within_ns = trigger->within_ns;
	request->hold_off_ns = trigger->hold_off_ns;
	request->auto_ns = trigger->auto_ms * 1e6;
}

int feed_request_make(
	const struct ask_scope *scope, uint64_t owner, struct feed_request *ret_request, struct ask_fault *ret_fault)
{
	struct feed_request *request = ret_request;

	memset(request, 0, sizeof(*request));
	copy(request->source, scope->source);
	copy(request->tag, scope->tag);
	copy(request->column, scope->column);
	request->has_tag = scope->has_tag;
	for (size_t i = 0; i < scope->columns.count; i++)
		copy(request->columns[request->column_count++], scope->columns.items[i]);
	request->view = (uint32_t)scope->view;
	request->points = (uint32_t)scope->points;
	request->rows = (uint32_t)scope->rows;
	request->from = (uint32_t)scope->from;
	request->count = (uint32_t)scope->count;
	request->average = (uint32_t)scope->average;
	request->low = (float)scope->low;
	request->high = (float)scope->high;
	request->frames_per_second = scope->frames_per_second;
	set_trigger(&scope->trigger, request);
	request->owner = request->mode == TRIGGER_SINGLE ? owner : 0;
	size_t map_bytes = (size_t)request->rows * request->points * sizeof(uint16_t);
	if (request->view == ASK_DENSITY &&
		map_bytes * (scope->channels.count + !scope->channels.count) > FEED_MAP_BYTES_MAX)
		return refuse(ret_fault, "rows", "rows × points × channels make more than 1,000,000 counts");
	return set_channels(scope, request, ret_fault);
}
