/* feed.c: see the header. */
#include "web/live/feed.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "web/live/density.h"
#include "web/live/reduce.h"
#include "web/live/strip.h"

#define BASELINE_PART   10u /* the first tenth, where no column says it */
#define OUTSIDE_PART_OF 50u /* more than one in so many values outside: another range */

/* --- its life ----------------------------------------------------------------------------------------------------- */

struct feed *feed_create(const struct feed_request *request, uint32_t number)
{
	struct feed *feed = calloc(1, sizeof(*feed));

	if (feed) {
		feed->request = *request;
		feed->number = number;
		feed->references = 1;
		feed->window = (struct feed_window){request->from, request->count, request->points};
	}
	return feed;
}

void feed_destroy(struct feed *feed)
{
	if (!feed)
		return;
	waves_fini(&feed->event);
	strip_destroy(feed->strip);
	web_bytes_release(feed->newest);
	free(feed->values);
	free(feed->means);
	free(feed->counts);
	free(feed->map);
	free(feed);
}

bool feed_takes(const struct feed *feed, const struct enrg_schema *schema, char why[300])
{
	uint32_t columns[ASK_COLUMNS_MAX];
	struct waves_layout layout;

	if (feed->request.view == ASK_STRIP) {
		snprintf(why, 300, "no table of this source has %s",
			feed->request.column_count ? "all of these columns, as numbers" : "columns of numbers");
		return !schema->is_blob && strip_find(&feed->request, schema, columns) > 0;
	}
	snprintf(why, 300, "no table of this source has waveforms%s%.200s",
		*feed->request.column ? " in a column " : "", feed->request.column);
	waves_find(schema, feed->request.column, &layout);
	return layout.kind != WAVES_NONE;
}

bool feed_is_due(const struct feed *feed, uint64_t now_ns)
{
	bool gathers = feed->request.view != ASK_WAVES || feed->request.average > 1;

	return !feed->trigger.is_done && (gathers || now_ns >= feed->due_ns);
}

/* --- events that are shown ---------------------------------------------------------------------------------------- */

static const struct wave *find_wave(const struct waves_event *event, uint32_t channel)
{
	for (uint32_t i = 0; i < event->wave_count; i++)
		if (event->waves[i].channel == channel && event->waves[i].count)
			return &event->waves[i];
	return NULL;
}

static float baseline_of(const struct wave *wave)
{
	uint32_t count = wave->count / BASELINE_PART ? wave->count / BASELINE_PART : 1;
	float sum = 0;

	if (!isnan(wave->baseline))
		return (float)wave->baseline;
	for (uint32_t i = 0; i < count; i++)
		sum += wave->values[i];
	return sum / (float)count;
}

static float cross(const struct feed *feed, const struct wave *wave)
{
	const struct feed_request *request = &feed->request;
	const struct trigger_level level = {.level = request->level + (request->is_relative ? baseline_of(wave) : 0),
		.hysteresis = request->hysteresis,
		.slope = (enum trigger_slope)request->slope};

	return trigger_cross(wave->values, wave->count, &level);
}

/* Where the zero of the time axis is, in samples; NAN: the event does not trigger. */
static float find_zero(const struct feed *feed, double sample_ns)
{
	const struct feed_request *request = &feed->request;
	float positions[WAVES_CHANNELS_MAX], zero = NAN;

	if (!request->has_level)
		return 0;
	for (uint32_t i = 0; i < request->trigger_count; i++) {
		const struct wave *wave = find_wave(&feed->event, request->trigger_channels[i]);

		positions[i] = wave ? cross(feed, wave) : NAN;
	}
	zero = positions[0];
	float together = trigger_coincide(
		positions, request->trigger_count, request->needed, (float)(request->within_ns / sample_ns));
	return isnan(together) || isnan(zero) ? together : zero;
}

/* An event that is cut by the batch's end; one alone can't be told from a whole one. */
static bool is_cut(struct feed *feed, const struct feed_look *look, const uint64_t rows[2])
{
	uint64_t own = rows[1] - rows[0];
	bool is_at_edge = rows[0] == 0 || rows[1] == look->batch->rows;
	bool is_cut = is_at_edge && look->batch->rows > 2 * own && feed->event.wave_count < feed->most_waves;

	feed->most_waves = feed->event.wave_count > feed->most_waves ? feed->event.wave_count : feed->most_waves;
	return is_cut;
}

/* The event of these rows into feed->event, and whether it is shown. 1: it is; 0; -ENOMEM. */
static int judge(struct feed *feed, const struct feed_look *look, const struct waves_layout *layout,
	const uint64_t rows[2], float *ret_zero)
{
	const struct feed_request *request = &feed->request;
	const struct trigger_rules rules = {.mode = (enum trigger_mode)request->mode,
		.hold_off_ns = (uint64_t)request->hold_off_ns,
		.auto_ns = (uint64_t)request->auto_ns};
	int rc = waves_take(look->batch, layout, rows, request->channels, request->channel_count, &feed->event);

	if (rc < 0)
		return rc;
	feed->rows_seen += rows[1] - rows[0];
	feed->events_seen++;
	if (!feed->event.wave_count || is_cut(feed, look, rows))
		return 0;
	*ret_zero = find_zero(feed, layout->sample_ns);
	return trigger_judge(&feed->trigger, &rules, !isnan(*ret_zero), feed->event.time_ns, look->now_ns) !=
	       TRIGGER_LEAVE;
}

/* --- frames ------------------------------------------------------------------------------------------------------- */

static bool needs(float **array, size_t *room, size_t count)
{
	if (count > *room) {
		float *more = realloc(*array, count * sizeof(float));

		if (!more)
			return false;
		*array = more;
		*room = count;
	}
	return true;
}

/* Of what the stream has published, by how many rows an event has. */
static void count_skipped(struct feed *feed, uint64_t published_rows)
{
	double rows_an_event = feed->events_seen ? (double)feed->rows_seen / (double)feed->events_seen : 1;
	uint64_t came = (uint64_t)((double)(published_rows - feed->rows_before) / rows_an_event + 0.5);
	uint64_t skipped = came > feed->shown_ever ? came - feed->shown_ever : 0;

	feed->skipped_ever = skipped > feed->skipped_ever ? skipped : feed->skipped_ever;
}

static void pace(struct feed *feed, uint64_t now_ns)
{
	uint64_t period_ns = (uint64_t)(1e9 / feed->request.frames_per_second);

	period_ns = feed->period_ns > period_ns ? feed->period_ns : period_ns;

	/* absolute times, which do not drift; what is late by a period begins anew */
	feed->due_ns = now_ns - feed->due_ns < period_ns ? feed->due_ns + period_ns : now_ns + period_ns;
}

static struct web_bytes *finish(struct feed *feed, const struct feed_look *look, struct scope_frame *frame)
{
	feed->shown_ever += feed->shown_now;
	count_skipped(feed, look->published_rows);
	frame->feed = feed->number;
	frame->sequence = ++feed->sequence;
	frame->run_number = look->run_number;
	frame->made_ns = clock_wall_ns();
	frame->shown = feed->shown_now;
	frame->shown_ever = feed->shown_ever;
	frame->skipped = feed->skipped_ever - feed->skipped_before;
	frame->skipped_ever = feed->skipped_ever;
	frame->source = look->batch->source;
	frame->run = look->batch->run;
	frame->tag = look->batch->tag;
	frame->flags |= feed->trigger.is_done ? SCOPE_IS_LAST : 0;
	feed->skipped_before = feed->skipped_ever;
	feed->shown_now = 0;
	pace(feed, look->now_ns);
	return scope_frame_create(frame);
}

/* Which samples of a record of so many are seen. */
static void set_window(const struct feed_window *window, uint32_t record_samples, struct scope_frame *frame)
{
	uint32_t left;

	frame->record_samples = record_samples;
	frame->first_sample = window->from < record_samples ? window->from : record_samples - 1;
	left = record_samples - frame->first_sample;
	frame->sample_count = window->count && window->count < left ? window->count : left;
	frame->points = frame->sample_count < window->points ? frame->sample_count : window->points;
}

/* `count` values from `first` on, NAN behind the last one. */
static const float *window_of(const struct wave *wave, uint32_t first, uint32_t count, float *room)
{
	uint32_t there = wave->count > first ? wave->count - first : 0;

	if (there >= count)
		return wave->values + first;
	memcpy(room, wave->values + (there ? first : 0), there * sizeof(float));
	for (uint32_t i = there; i < count; i++)
		room[i] = NAN;
	return room;
}

static bool is_shown(const struct feed_request *request, const struct wave *wave)
{
	return wave->count && (!request->shown_count || feed_request_has(request, wave->channel, request->shown_count));
}

static bool fill_channels(struct feed *feed, const struct waves_layout *layout, const struct wave *waves,
	uint32_t wave_count, struct scope_frame *frame, struct scope_channel *channels)
{
	size_t each = frame->kind == SCOPE_PAIRS ? 2 * (size_t)frame->points : frame->points;

	if (!needs(&feed->values, &feed->value_room, wave_count * (each + frame->sample_count)))
		return false;
	for (uint32_t i = 0; i < wave_count; i++) {
		const struct wave *wave = &waves[i];

		if (!is_shown(&feed->request, wave))
			continue;
		float *room = feed->values + frame->channel_count * (each + frame->sample_count);
		const float *values = window_of(wave, frame->first_sample, frame->sample_count, room + each);
		if (frame->kind == SCOPE_PAIRS)
			reduce_pairs(values, frame->sample_count, frame->points, room);
		else
			memcpy(room, values, frame->sample_count * sizeof(float));
		channels[frame->channel_count++] = (struct scope_channel){.number = wave->channel,
			.scale = layout->scale,
			.baseline = wave->baseline,
			.has_triggered = find_wave(&feed->event, wave->channel) && feed->request.has_level &&
					 !isnan(cross(feed, find_wave(&feed->event, wave->channel))),
			.values = room};
	}
	return frame->channel_count > 0;
}

static struct web_bytes *make_waves(struct feed *feed, const struct feed_look *look, const struct waves_layout *layout,
	const struct wave *waves, uint32_t wave_count, float zero)
{
	struct scope_channel channels[WAVES_CHANNELS_MAX];
	struct scope_frame frame = {.channels = channels, .unit = layout->unit};
	uint32_t longest = 0, shortest = UINT32_MAX;

	for (uint32_t i = 0; i < wave_count; i++) {
		if (!is_shown(&feed->request, &waves[i]))
			continue;
		longest = waves[i].count > longest ? waves[i].count : longest;
		shortest = waves[i].count < shortest ? waves[i].count : shortest;
	}
	if (!longest)
		return NULL;
	set_window(&feed->window, longest, &frame);
	frame.kind = frame.sample_count > 2 * frame.points ? SCOPE_PAIRS : SCOPE_SAMPLES;
	if (frame.kind == SCOPE_SAMPLES)
		frame.points = frame.sample_count;
	bool is_exact = waves_is_int16(layout) && feed->request.average == 1 && longest == shortest;
	frame.type = is_exact ? SCOPE_INT16 : SCOPE_FLOAT32;
	frame.flags = (isnan(zero) ? SCOPE_IS_FORCED : 0u) | (feed->request.average > 1 ? SCOPE_IS_AVERAGE : 0u) |
		      (feed->event.has_gaps ? SCOPE_HAS_GAPS : 0u) | (layout->has_sample_ns ? 0u : SCOPE_IN_SAMPLES);
	frame.event_number = feed->event.number;
	frame.wall_ns = feed->event.time_ns;
	frame.x0_ns = ((double)frame.first_sample - (isnan(zero) ? 0 : (double)zero)) * layout->sample_ns;
	frame.x_step_ns = (double)frame.sample_count / frame.points * layout->sample_ns;
	if (!fill_channels(feed, layout, waves, wave_count, &frame, channels))
		return NULL;
	return finish(feed, look, &frame);
}

static struct web_bytes *show_event(
	struct feed *feed, const struct feed_look *look, const struct waves_layout *layout, float zero)
{
	feed->has_event = feed->request.mode == TRIGGER_SINGLE;
	feed->layout = *layout;
	feed->zero = zero;
	feed->run_number = look->run_number;
	feed->published_rows = look->published_rows;
	snprintf(feed->run, sizeof(feed->run), "%s", look->batch->run);
	snprintf(feed->tag, sizeof(feed->tag), "%s", look->batch->tag);
	feed->shown_now = 1;
	return make_waves(feed, look, layout, feed->event.waves, feed->event.wave_count, zero);
}

struct web_bytes *feed_zoom(struct feed *feed, const struct feed_window *window, uint64_t now_ns)
{
	const struct enrg_batch batch = {.source = feed->request.source, .run = feed->run, .tag = feed->tag};
	const struct feed_look look = {.batch = &batch,
		.published_rows = feed->published_rows,
		.run_number = feed->run_number,
		.now_ns = now_ns};

	feed->window = *window;
	if (!feed->has_event || !feed->trigger.is_done)
		return NULL;
	feed->shown_now = 0;
	return make_waves(feed, &look, &feed->layout, feed->event.waves, feed->event.wave_count, feed->zero);
}

/* --- means -------------------------------------------------------------------------------------------------------- */

/* Other channels or lengths: the mean begins anew. */
static bool is_same_form(const struct feed *feed)
{
	bool is = feed->mean_of && feed->mean_count == feed->event.wave_count;

	for (uint32_t i = 0; i < feed->mean_count && is; i++)
		is = feed->mean_waves[i].channel == feed->event.waves[i].channel &&
		     feed->mean_waves[i].count == feed->event.waves[i].count;
	return is;
}

static bool begin_mean(struct feed *feed, float zero)
{
	size_t used = 0;

	free(feed->means);
	feed->means = calloc(feed->event.value_count + 1, sizeof(float));
	feed->mean_of = 0;
	feed->mean_zero = isnan(zero) ? 0 : (double)zero;
	feed->mean_count = feed->means ? feed->event.wave_count : 0;
	for (uint32_t i = 0; i < feed->mean_count; i++) {
		feed->mean_waves[i] = feed->event.waves[i];
		feed->mean_waves[i].values = feed->means + used;
		used += feed->event.waves[i].count;
	}
	return feed->means;
}

static void add_to_mean(struct feed *feed, float zero)
{
	if (!is_same_form(feed) && !begin_mean(feed, zero))
		return;
	int32_t shift = isnan(zero) ? 0 : (int32_t)lround((double)zero - feed->mean_zero);
	for (uint32_t i = 0; i < feed->mean_count; i++)
		reduce_average(feed->mean_waves[i].values, feed->event.waves[i].values, feed->mean_waves[i].count,
			shift, (uint32_t)feed->mean_of, feed->request.average);
	feed->mean_of += feed->mean_of < feed->request.average;
	feed->shown_now++;
}

/* --- maps --------------------------------------------------------------------------------------------------------- */

static bool begin_map(struct feed *feed)
{
	const struct feed_request *request = &feed->request;
	struct scope_frame frame = {0};
	uint32_t longest = 0;

	feed->map_count = 0;
	size_t map_values = (size_t)request->rows * request->points;
	for (uint32_t i = 0; i < feed->event.wave_count; i++) {
		if (!is_shown(request, &feed->event.waves[i]) ||
			(feed->map_count + 1) * map_values * sizeof(uint16_t) > FEED_MAP_BYTES_MAX)
			continue;
		longest = feed->event.waves[i].count > longest ? feed->event.waves[i].count : longest;
		feed->map_channels[feed->map_count++] = feed->event.waves[i].channel;
	}
	if (!longest)
		return false;
	set_window(&feed->window, longest, &frame);
	feed->map = calloc(1, sizeof(*feed->map));
	free(feed->counts);
	feed->counts = calloc(feed->map_count * map_values, sizeof(uint16_t));
	if (!feed->map || !feed->counts)
		return false;
	*feed->map = (struct density_map){
		.width = frame.points, .height = request->rows, .low = request->low, .high = request->high};
	if (!(request->low < request->high))
		density_range(feed->event.memory, (uint32_t)feed->event.value_count, &feed->map->low, &feed->map->high);
	return true;
}

static void end_map(struct feed *feed)
{
	free(feed->map);
	feed->map = NULL;
	feed->inside = feed->outside = 0;
}

void feed_begin_instance(struct feed *feed, uint32_t instance)
{
	memset(feed->is_useless, 0, sizeof(feed->is_useless));
	feed->instance = instance;
	feed->most_waves = 0;
	feed->rows_seen = feed->events_seen = 0;
	feed->mean_of = 0;
	end_map(feed);
	feed->shown_now = 0;
}

static void add_to_map(struct feed *feed)
{
	struct scope_frame frame = {0};

	if (!feed->map && !begin_map(feed)) {
		end_map(feed);
		return;
	}
	size_t map_values = (size_t)feed->map->width * feed->map->height;
	for (uint32_t i = 0; i < feed->map_count; i++) {
		const struct wave *wave = find_wave(&feed->event, feed->map_channels[i]);

		if (!wave)
			continue;
		set_window(&feed->window, wave->count, &frame);
		feed->outside += density_add(feed->map, wave->values + frame.first_sample, frame.sample_count,
			feed->counts + i * map_values);
		feed->inside += frame.sample_count;
	}
	feed->shown_now++;
}

static struct web_bytes *make_map(struct feed *feed, const struct feed_look *look, const struct waves_layout *layout)
{
	struct scope_channel channels[WAVES_CHANNELS_MAX];
	struct scope_frame frame = {
		.kind = SCOPE_DENSITY, .type = SCOPE_UINT16, .channels = channels, .unit = layout->unit};
	size_t map_values = (size_t)feed->map->width * feed->map->height;

	for (uint32_t i = 0; i < feed->map_count; i++)
		channels[i] = (struct scope_channel){.number = feed->map_channels[i],
			.scale = layout->scale,
			.baseline = NAN,
			.counts = feed->counts + i * map_values};
	const struct wave *wave = find_wave(&feed->event, feed->map_channels[0]);
	set_window(&feed->window, wave ? wave->count : feed->map->width, &frame);
	frame.points = feed->map->width;
	frame.rows = feed->map->height;
	frame.low = (double)feed->map->low;
	frame.high = (double)feed->map->high;
	frame.channel_count = feed->map_count;
	frame.flags = layout->has_sample_ns ? 0 : SCOPE_IN_SAMPLES;
	frame.event_number = feed->event.number;
	frame.wall_ns = feed->event.time_ns;
	frame.x0_ns = frame.first_sample * layout->sample_ns;
	frame.x_step_ns = (double)frame.sample_count / frame.points * layout->sample_ns;
	struct web_bytes *bytes = finish(feed, look, &frame);
	memset(feed->counts, 0, feed->map_count * map_values * sizeof(uint16_t));
	bool is_asked = feed->request.low < feed->request.high;
	if (!is_asked && feed->outside > (feed->inside + feed->outside) / OUTSIDE_PART_OF)
		end_map(feed); /* another range, with the next event */
	feed->inside = feed->outside = 0;
	return bytes;
}

/* --- batches ------------------------------------------------------------------------------------------------------ */

static struct web_bytes *take_waves(struct feed *feed, const struct feed_look *look)
{
	const struct feed_request *request = &feed->request;
	struct waves_layout layout;
	float zero = NAN;

	waves_find(look->batch->schema, request->column, &layout);
	if (layout.kind == WAVES_NONE)
		return NULL;
	for (uint64_t end = look->batch->rows; end > 0;) { /* the newest first */
		const uint64_t rows[2] = {waves_first_row(look->batch, &layout, end), end};
		int rc = judge(feed, look, &layout, rows, &zero);

		if (rc < 0)
			return NULL;
		if (rc == 1 && request->view == ASK_DENSITY)
			add_to_map(feed);
		else if (rc == 1 && request->average > 1)
			add_to_mean(feed, zero);
		else if (rc == 1)
			return show_event(feed, look, &layout, zero);
		if (feed->trigger.is_done || clock_mono_ns() >= look->until_ns)
			break;
		end = rows[0];
	}
	if (look->now_ns < feed->due_ns || !feed->shown_now)
		return NULL;
	if (request->view == ASK_DENSITY)
		return feed->map ? make_map(feed, look, &layout) : NULL;
	return make_waves(feed, look, &layout, feed->mean_waves, feed->mean_count, (float)feed->mean_zero);
}

static struct web_bytes *take_strip(struct feed *feed, const struct feed_look *look)
{
	struct scope_channel channels[ASK_COLUMNS_MAX];
	struct scope_frame frame = {.channels = channels, .unit = ""};

	if (strip_add(feed, look->batch) < 0 || look->now_ns < feed->due_ns || !strip_show(feed, &frame, channels))
		return NULL;
	feed->rows_seen = feed->events_seen = 1; /* an event is a row */
	feed->shown_now = look->batch->rows < feed->request.points ? look->batch->rows : feed->request.points;
	return finish(feed, look, &frame);
}

struct web_bytes *feed_take(struct feed *feed, const struct feed_look *look)
{
	char why[300];

	/* a single trigger that has shown its event keeps it */
	if (feed->trigger.is_done || !look->batch->rows || !feed_takes(feed, look->batch->schema, why))
		return NULL;
	if (!feed->has_begun) {
		feed->has_begun = true;
		feed->rows_before =
			look->published_rows - (look->published_rows < look->batch->rows ? 0 : look->batch->rows);
	}
	return feed->request.view == ASK_STRIP ? take_strip(feed, look) : take_waves(feed, look);
}
