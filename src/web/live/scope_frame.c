/* scope_frame.c: see the header. This machine is little-endian, as the format is. */
#include "web/live/scope_frame.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC   "ENLF"
#define VERSION 1u

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "frames are written as they lie in memory");

/* As docs/live-protocol.md has it. */
struct header {
	char magic[4];
	uint16_t version, kind;
	uint32_t header_bytes, total_bytes;
	uint32_t feed, flags;
	uint64_t sequence, event_number, run_number, wall_ns, made_ns;
	double x0_ns, x_step_ns;
	uint32_t points, rows, first_sample, sample_count, record_samples;
	uint16_t channel_count, value_type;
	uint64_t shown, skipped, shown_ever, skipped_ever;
	double low, high;
	uint16_t source_bytes, run_bytes, tag_bytes, unit_bytes;
	uint64_t reserved;
};
_Static_assert(sizeof(struct header) == SCOPE_HEADER_BYTES, "docs/live-protocol.md");

struct channel {
	uint32_t number, flags;
	double scale, offset, baseline;
};
_Static_assert(sizeof(struct channel) == SCOPE_CHANNEL_BYTES, "docs/live-protocol.md");

static size_t pad(size_t bytes)
{
	return (bytes + 7) & ~(size_t)7;
}

static size_t values_of(const struct scope_frame *frame)
{
	switch (frame->kind) {
	case SCOPE_SAMPLES:
	case SCOPE_STRIP:
		return frame->points;
	case SCOPE_PAIRS:
		return 2 * (size_t)frame->points;
	case SCOPE_DENSITY:
		return (size_t)frame->points * frame->rows;
	}
	return 0;
}

static uint16_t text_bytes(const char *text)
{
	size_t count = strlen(text);

	return (uint16_t)(count < 255 ? count : 255);
}

static void write_values(const struct scope_frame *frame, const struct scope_channel *channel, unsigned char *out)
{
	size_t count = values_of(frame);
	int16_t *integers = (int16_t *)(void *)out;

	switch (frame->type) {
	case SCOPE_UINT16:
		memcpy(out, channel->counts, count * sizeof(uint16_t));
		return;
	case SCOPE_FLOAT32:
		memcpy(out, channel->values, count * sizeof(float));
		return;
	case SCOPE_INT16:
		for (size_t i = 0; i < count; i++)
			integers[i] = (int16_t)channel->values[i];
		return;
	}
}

static void write_header(const struct scope_frame *frame, size_t header_bytes, size_t total_bytes, unsigned char *out)
{
	const struct header header = {.version = VERSION,
		.magic = {MAGIC[0], MAGIC[1], MAGIC[2], MAGIC[3]},
		.kind = (uint16_t)frame->kind,
		.header_bytes = (uint32_t)header_bytes,
		.total_bytes = (uint32_t)total_bytes,
		.feed = frame->feed,
		.flags = frame->flags,
		.sequence = frame->sequence,
		.event_number = frame->event_number,
		.run_number = frame->run_number,
		.wall_ns = frame->wall_ns,
		.made_ns = frame->made_ns,
		.x0_ns = frame->x0_ns,
		.x_step_ns = frame->x_step_ns,
		.points = frame->points,
		.rows = frame->rows,
		.first_sample = frame->first_sample,
		.sample_count = frame->sample_count,
		.record_samples = frame->record_samples,
		.channel_count = (uint16_t)frame->channel_count,
		.value_type = (uint16_t)frame->type,
		.shown = frame->shown,
		.skipped = frame->skipped,
		.shown_ever = frame->shown_ever,
		.skipped_ever = frame->skipped_ever,
		.low = frame->low,
		.high = frame->high,
		.source_bytes = text_bytes(frame->source),
		.run_bytes = text_bytes(frame->run),
		.tag_bytes = text_bytes(frame->tag),
		.unit_bytes = text_bytes(frame->unit)};

	memcpy(out, &header, sizeof(header));
	out += sizeof(header);
	for (uint32_t i = 0; i < frame->channel_count; i++) {
		const struct scope_channel *from = &frame->channels[i];
		const struct channel channel = {
			from->number, from->has_triggered, from->scale, from->offset, from->baseline};

		memcpy(out + i * sizeof(channel), &channel, sizeof(channel));
	}
	out += frame->channel_count * sizeof(struct channel);
	const char *const texts[] = {frame->source, frame->run, frame->tag, frame->unit};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		memcpy(out, texts[i], text_bytes(texts[i]));
		out += text_bytes(texts[i]);
	}
}

struct web_bytes *scope_frame_create(const struct scope_frame *frame)
{
	size_t header_bytes =
		pad(SCOPE_HEADER_BYTES + frame->channel_count * SCOPE_CHANNEL_BYTES + text_bytes(frame->source) +
			text_bytes(frame->run) + text_bytes(frame->tag) + text_bytes(frame->unit));
	size_t array_bytes = pad(values_of(frame) * (frame->type == SCOPE_FLOAT32 ? sizeof(float) : sizeof(int16_t)));
	size_t times_bytes = frame->kind == SCOPE_STRIP ? frame->points * sizeof(double) : 0;
	size_t total_bytes = header_bytes + times_bytes + frame->channel_count * array_bytes;
	unsigned char *bytes = total_bytes <= SCOPE_BYTES_MAX ? calloc(1, total_bytes) : NULL;

	if (!bytes)
		return NULL;
	write_header(frame, header_bytes, total_bytes, bytes);
	if (times_bytes)
		memcpy(bytes + header_bytes, frame->times_ns, times_bytes);
	for (uint32_t i = 0; i < frame->channel_count; i++)
		write_values(frame, &frame->channels[i], bytes + header_bytes + times_bytes + i * array_bytes);
	struct web_bytes *shared = web_bytes_create(bytes, total_bytes);
	free(bytes);
	return shared;
}
