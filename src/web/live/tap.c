/* tap.c: see the header. */
#include "web/live/tap.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

#define AGAIN_NS    500000000u
#define LATE_NS     100000000u /* nobody has looked for so long: what waits is old */
#define LATE_MAX    16u        /* records that are looked at all the same: a slow source's newest */
#define TABLES      256u
#define RECORDS_MAX 1000u /* of a turn */

void tap_open(struct tap *tap, struct enrg_client *client)
{
	const struct enrg_stream_params params = {.size = sizeof(params), .source = tap->source};
	struct enrg_error err = {0};
	uint64_t now_ns = clock_mono_ns();

	if (tap->stream || (tap->tried_ns && now_ns - tap->tried_ns < AGAIN_NS))
		return;
	tap->tried_ns = now_ns;
	if (enrg_stream_open(client, &params, &tap->stream, &err) < 0) {
		tap->stream = NULL;
		text_copy(tap->state, sizeof(tap->state), err.text);
		return;
	}
	tap->read_ns = now_ns;
	tap->reached = enrg_stream_get_counts(tap->stream)->last_published;
	snprintf(tap->state, sizeof(tap->state), "waits for the next batch of %.255s", tap->source);
}

void tap_close(struct tap *tap)
{
	enrg_stream_close(tap->stream);
	tap->stream = NULL;
}

static bool wants_tag(const struct feed *feed, const char *tag)
{
	return !feed->request.has_tag || !strcmp(feed->request.tag, tag);
}

static bool is_wanted_by(struct feed *feed, const struct enrg_record *record, uint64_t now_ns)
{
	if (feed->instance != record->instance)
		feed_begin_instance(feed, record->instance);
	return !feed->is_useless[record->table % TABLES] && wants_tag(feed, record->tag) && feed_is_due(feed, now_ns);
}

/* Somebody could use a batch of this table now. */
static bool is_wanted(const struct tap_turn *turn, const struct enrg_record *record)
{
	uint64_t now_ns = clock_mono_ns();
	bool is = false;

	for (size_t i = 0; i < turn->count && !record->is_gap && !record->is_blob && record->rows; i++)
		is |= is_wanted_by(turn->feeds[i], record, now_ns);
	return is;
}

static void show(
	struct tap *tap, const struct tap_turn *turn, const struct enrg_batch *batch, const struct enrg_record *record)
{
	const struct enrg_stream_counts *counts = enrg_stream_get_counts(tap->stream);
	struct feed_look look = {.batch = batch,
		.published_rows = counts->published_rows,
		.run_number = *batch->run && !strcmp(batch->run, turn->run) ? turn->run_number : 0,
		.until_ns = turn->until_ns};
	bool is_used = false;
	char why[300] = "";

	for (size_t i = 0; i < turn->count; i++) {
		struct feed *feed = turn->feeds[i];

		look.now_ns = clock_mono_ns();
		if (!is_wanted_by(feed, record, look.now_ns))
			continue;
		if (!feed_takes(feed, batch->schema, why)) {
			feed->is_useless[record->table % TABLES] = true;
			continue;
		}
		is_used = true;
		struct web_bytes *frame = feed_take(feed, &look);
		if (frame)
			turn->on_frame(turn->context, feed, frame);
	}
	if (is_used)
		tap->state[0] = '\0';
	else if (tap->state[0] && why[0])
		text_copy(tap->state, sizeof(tap->state), why);
}

/* What waits since nobody looked. */
static void catch_up(struct tap *tap, uint64_t now_ns)
{
	const struct enrg_stream_counts *counts = enrg_stream_get_counts(tap->stream);

	if (now_ns - tap->read_ns > LATE_NS && counts->last_published > tap->reached + LATE_MAX)
		enrg_stream_skip(tap->stream);
	tap->read_ns = now_ns;
}

void tap_read(struct tap *tap, const struct tap_turn *turn)
{
	const struct enrg_record *record;
	const struct enrg_batch *batch;
	struct enrg_error err = {0};
	int rc = 1;

	catch_up(tap, clock_mono_ns());
	for (unsigned i = 0; i < RECORDS_MAX && rc == 1; i++) {
		rc = enrg_stream_next(tap->stream, &record, &err);
		if (rc != 1)
			break;
		tap->reached = record->sequence;
		if (is_wanted(turn, record) && enrg_stream_read(tap->stream, &batch, NULL) == 0)
			show(tap, turn, batch, record);
		if (clock_mono_ns() >= turn->until_ns)
			break;
	}
	if (rc == 1)
		enrg_stream_skip(tap->stream); /* what is left is older than what comes next */
	if (rc < 0)
		text_copy(tap->state, sizeof(tap->state), err.text);
}
