/* feed_test.c: waveforms out of both layouts, triggered, reduced, averaged and mapped, as the bytes of a frame say it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "web/live/feed.h"

#define EVENTS   3u
#define CHANNELS 2u
#define SAMPLES  64u
#define ROWS     (EVENTS * CHANNELS)

/* Event e, channel c: level 100 * c, with a step of 10 * (e + 1) up at sample 20 + e. */
static int16_t sample_of(uint32_t event, uint32_t channel, uint32_t i)
{
	return (int16_t)(100 * (int)channel + (i >= 20 + event ? 10 * ((int)event + 1) : 0));
}

static const struct enrg_column list_columns[] = {
	{.name = "real_ns_timestamp", .type = ENRG_U64, .unit = "ns"},
	{.name = "event_counter", .type = ENRG_U32},
	{.name = "channel", .type = ENRG_U8},
	{.name = "samples", .type = ENRG_LIST, .item = ENRG_I16, .unit = "counts"},
};
static const struct enrg_note notes[] = {{NULL, "sample_ns", "2"}, {NULL, "mv_per_count", "0.5"}};
static const struct enrg_schema list_schema = {
	.column_count = 4, .columns = list_columns, .note_count = 2, .notes = notes};

static uint64_t list_times[ROWS];
static uint32_t list_events[ROWS];
static uint8_t list_channels[ROWS];
static int32_t list_offsets[ROWS + 1];
static int16_t list_samples[ROWS * SAMPLES];
static struct enrg_column_view list_views[4];

static struct enrg_batch make_lists(void)
{
	for (uint32_t row = 0; row < ROWS; row++) {
		list_times[row] = 1000 * (row / CHANNELS);
		list_events[row] = 7 + row / CHANNELS;
		list_channels[row] = (uint8_t)(row % CHANNELS);
		list_offsets[row + 1] = (int32_t)((row + 1) * SAMPLES);
		for (uint32_t i = 0; i < SAMPLES; i++)
			list_samples[row * SAMPLES + i] = sample_of(row / CHANNELS, row % CHANNELS, i);
	}
	list_views[0].values = list_times;
	list_views[1].values = list_events;
	list_views[2].values = list_channels;
	list_views[3].values = list_samples;
	list_views[3].offsets = list_offsets;
	return (struct enrg_batch){
		.schema = &list_schema, .rows = ROWS, .columns = list_views, .source = "tank", .run = "r", .tag = ""};
}

static const struct enrg_column sample_columns[] = {
	{.name = "event_counter", .type = ENRG_U32},
	{.name = "channel", .type = ENRG_U8},
	{.name = "sample_index", .type = ENRG_U16},
	{.name = "value_mv", .type = ENRG_I16, .unit = "mV"},
};
static const struct enrg_schema sample_schema = {.column_count = 4, .columns = sample_columns};

static uint32_t row_events[ROWS * SAMPLES];
static uint8_t row_channels[ROWS * SAMPLES];
static uint16_t row_indices[ROWS * SAMPLES];
static int16_t row_values[ROWS * SAMPLES];
static struct enrg_column_view row_views[4];

/* A row a sample; `threshold` leaves out those that are less. */
static struct enrg_batch make_samples(int16_t threshold)
{
	uint64_t rows = 0;

	for (uint32_t row = 0; row < ROWS; row++)
		for (uint32_t i = 0; i < SAMPLES; i++) {
			if (sample_of(row / CHANNELS, row % CHANNELS, i) < threshold)
				continue;
			row_events[rows] = 7 + row / CHANNELS;
			row_channels[rows] = (uint8_t)(row % CHANNELS);
			row_indices[rows] = (uint16_t)i;
			row_values[rows++] = sample_of(row / CHANNELS, row % CHANNELS, i);
		}
	row_views[0].values = row_events;
	row_views[1].values = row_channels;
	row_views[2].values = row_indices;
	row_views[3].values = row_values;
	return (struct enrg_batch){
		.schema = &sample_schema, .rows = rows, .columns = row_views, .source = "tank", .run = "", .tag = ""};
}

/* --- what is asked, and what comes -------------------------------------------------------------------------------- */

static struct feed *begin(const char *text)
{
	struct feed_request request;
	struct ask_fault fault;
	struct ask ask;

	assert_int_equal(ask_parse(text, strlen(text), &ask, &fault), 0);
	assert_int_equal(feed_request_make(ask.scope, 1, &request, &fault), 0);
	ask_fini(&ask);
	struct feed *feed = feed_create(&request, 5);
	assert_non_null(feed);
	return feed;
}

static struct web_bytes *take(struct feed *feed, const struct enrg_batch *batch, uint64_t now_ns)
{
	return feed_take(feed, &(struct feed_look){.batch = batch,
				       .published_rows = 100,
				       .run_number = 42,
				       .now_ns = now_ns,
				       .until_ns = UINT64_MAX});
}

static uint64_t get(const struct web_bytes *frame, size_t offset, size_t bytes)
{
	uint64_t value = 0;

	memcpy(&value, frame->data + offset, bytes);
	return value;
}

static double get_real(const struct web_bytes *frame, size_t offset)
{
	double value;

	memcpy(&value, frame->data + offset, sizeof(value));
	return value;
}

/* Offsets as docs/live-protocol.md has them. */
enum { KIND = 6, FIRST = 8, LENGTH = 12, FLAGS = 20, SEQUENCE = 24, EVENT = 32, RUN = 40, X0 = 64, STEP = 72 };
enum { POINTS = 80, CHANNELS_AT = 100, TYPE = 102, SHOWN = 104, LOW = 136, HIGH = 144 };

static int16_t value_at(const struct web_bytes *frame, uint32_t channel, uint32_t i)
{
	size_t points = get(frame, POINTS, 4) * (get(frame, KIND, 2) == SCOPE_PAIRS ? 2 : 1);
	size_t each = (points * sizeof(int16_t) + 7) & ~(size_t)7;

	return (int16_t)get(frame, get(frame, FIRST, 4) + channel * each + i * sizeof(int16_t), 2);
}

static float real_at(const struct web_bytes *frame, uint32_t channel, uint32_t i)
{
	size_t each = (get(frame, POINTS, 4) * sizeof(float) + 7) & ~(size_t)7;
	float value;

	memcpy(&value, frame->data + get(frame, FIRST, 4) + channel * each + i * sizeof(float), sizeof(value));
	return value;
}

/* --- tests -------------------------------------------------------------------------------------------------------- */

static void test_samples_of_the_newest(void **state)
{
	struct feed *feed = begin("{\"do\":\"scope\",\"id\":0,\"source\":\"tank\"}");
	const struct enrg_batch batch = make_lists();
	struct web_bytes *frame = take(feed, &batch, 1000);

	(void)state;
	assert_non_null(frame);
	assert_memory_equal(frame->data, "ENLF", 4);
	assert_int_equal(get(frame, LENGTH, 4), frame->count);
	assert_int_equal(get(frame, FIRST, 4) % 8, 0);
	assert_int_equal(get(frame, KIND, 2), SCOPE_SAMPLES);
	assert_int_equal(get(frame, TYPE, 2), SCOPE_INT16);
	assert_int_equal(get(frame, EVENT, 8), 9);
	assert_int_equal(get(frame, RUN, 8), 42);
	assert_int_equal(get(frame, CHANNELS_AT, 2), CHANNELS);
	assert_int_equal(get(frame, POINTS, 4), SAMPLES);
	assert_true(get_real(frame, STEP) == 2);
	assert_true(get_real(frame, 168 + 8) == 0.5); /* scale of the first channel: mV a count */
	assert_memory_equal(frame->data + 168 + 2 * 32, "tankrmV", 7);
	for (uint32_t channel = 0; channel < CHANNELS; channel++)
		for (uint32_t i = 0; i < SAMPLES; i++)
			assert_int_equal(value_at(frame, channel, i), sample_of(2, channel, i));
	web_bytes_release(frame);
	feed_destroy(feed);
}

static void test_level(void **state)
{
	struct feed *feed =
		begin("{\"do\":\"scope\",\"id\":0,\"source\":\"tank\",\"channels\":[1],\"trigger\":{\"mode\":"
		      "\"normal\",\"level\":5,\"channel\":0,\"hold_off_ns\":500}}");
	struct feed *high = begin("{\"do\":\"scope\",\"id\":0,\"source\":\"tank\",\"trigger\":{\"mode\":\"normal\","
				  "\"level\":120,\"channel\":0}}");
	struct feed *relative = begin("{\"do\":\"scope\",\"id\":0,\"source\":\"tank\",\"trigger\":{\"mode\":\"normal\","
				      "\"level\":25,\"channel\":1,\"relative\":true}}");
	const struct enrg_batch batch = make_lists();
	struct web_bytes *frame = take(feed, &batch, 1000);

	(void)state;
	assert_non_null(frame);
	assert_int_equal(get(frame, CHANNELS_AT, 2), 1); /* the other one only triggers */
	assert_int_equal(get(frame, 168, 4), 1);
	/* up from sample 21 to 22: the level of 5 out of 30 is at 21 1/6 */
	assert_float_equal((float)get_real(frame, X0), -2.0f * (21 + 5 / 30.0f), 1e-4);
	web_bytes_release(frame);
	assert_null(take(high, &batch, 1000));
	frame = take(relative, &batch, 1000);
	assert_non_null(frame);
	assert_int_equal(get(frame, EVENT, 8), 9); /* only the third is that high */
	web_bytes_release(frame);
	feed_destroy(feed);
	feed_destroy(high);
	feed_destroy(relative);
}

static void test_pairs_and_window(void **state)
{
	struct feed *feed = begin("{\"do\":\"scope\",\"id\":0,\"source\":\"tank\",\"points\":16}");
	struct feed *zoom =
		begin("{\"do\":\"scope\",\"id\":0,\"source\":\"tank\",\"points\":16,\"from\":18,\"count\":6}");
	const struct enrg_batch batch = make_lists();
	struct web_bytes *frame = take(feed, &batch, 1000);

	(void)state;
	assert_int_equal(get(frame, KIND, 2), SCOPE_PAIRS);
	assert_int_equal(get(frame, POINTS, 4), 16);
	assert_true(get_real(frame, STEP) == 8);
	/* columns of four samples; the step is at 22, in the sixth */
	assert_int_equal(value_at(frame, 0, 2 * 5), 0);
	assert_int_equal(value_at(frame, 0, 2 * 5 + 1), 30);
	assert_int_equal(value_at(frame, 1, 2 * 6), 130);
	web_bytes_release(frame);
	frame = take(zoom, &batch, 1000);
	assert_int_equal(get(frame, KIND, 2), SCOPE_SAMPLES);
	assert_int_equal(get(frame, POINTS, 4), 6);
	assert_true(get_real(frame, X0) == 36);
	for (uint32_t i = 0; i < 6; i++)
		assert_int_equal(value_at(frame, 1, i), sample_of(2, 1, 18 + i));
	web_bytes_release(frame);
	feed_destroy(feed);
	feed_destroy(zoom);
}

/* A single trigger keeps its event, whatever comes, and shows it again by other windows. */
static void test_single_and_zoom(void **state)
{
	struct feed *feed = begin("{\"do\":\"scope\",\"id\":0,\"source\":\"tank\",\"points\":16,\"trigger\":{\"mode\":"
				  "\"single\",\"level\":15,\"channel\":0}}");
	const struct feed_window window = {.from = 18, .count = 6, .points = 16};
	struct enrg_batch batch = make_lists();
	struct web_bytes *frame = take(feed, &batch, 1000);

	(void)state;
	assert_int_equal(get(frame, EVENT, 8), 9);
	assert_int_equal(get(frame, FLAGS, 4), SCOPE_IS_LAST);
	double zero = get_real(frame, X0);
	web_bytes_release(frame);
	batch.rows = 2 * CHANNELS;
	assert_false(feed_is_due(feed, UINT64_MAX));
	assert_null(take(feed, &batch, 2000000000));
	frame = feed_zoom(feed, &window, 3000000000);
	assert_int_equal(get(frame, EVENT, 8), 9);
	assert_int_equal(get(frame, RUN, 8), 42);
	assert_int_equal(get(frame, SEQUENCE, 8), 2);
	assert_int_equal(get(frame, SHOWN, 8), 0);
	assert_true(get_real(frame, X0) == zero + 18 * 2);
	for (uint32_t i = 0; i < 6; i++)
		assert_int_equal(value_at(frame, 1, i), sample_of(2, 1, 18 + i));
	web_bytes_release(frame);
	trigger_arm(&feed->trigger);
	assert_null(feed_zoom(feed, &window, 3000000000));
	frame = take(feed, &batch, 4000000000);
	assert_int_equal(get(frame, EVENT, 8), 8);
	web_bytes_release(frame);
	feed_destroy(feed);
}

static void test_average(void **state)
{
	struct feed *feed = begin("{\"do\":\"scope\",\"id\":0,\"source\":\"tank\",\"average\":100}");
	const struct enrg_batch batch = make_lists();
	struct web_bytes *frame = take(feed, &batch, 1000);

	(void)state;
	assert_non_null(frame);
	assert_int_equal(get(frame, TYPE, 2), SCOPE_FLOAT32);
	assert_int_equal(get(frame, SHOWN, 8), EVENTS);
	assert_true(get(frame, FLAGS, 4) & SCOPE_IS_AVERAGE);
	assert_float_equal(real_at(frame, 1, 63), 120.0f, 1e-3);
	assert_float_equal(real_at(frame, 0, 20), 10 / 3.0f, 1e-3);
	web_bytes_release(frame);
	feed_destroy(feed);
}

static void test_density(void **state)
{
	struct feed *feed = begin("{\"do\":\"scope\",\"id\":0,\"source\":\"tank\",\"view\":\"density\",\"points\":64,"
				  "\"rows\":16,\"low\":0,\"high\":160,\"channels\":[0]}");
	const struct enrg_batch batch = make_lists();
	struct web_bytes *frame = take(feed, &batch, 1000);
	uint64_t sum = 0;

	(void)state;
	assert_non_null(frame);
	assert_int_equal(get(frame, KIND, 2), SCOPE_DENSITY);
	assert_int_equal(get(frame, SHOWN, 8), EVENTS);
	assert_true(get_real(frame, LOW) == 0 && get_real(frame, HIGH) == 160);
	for (uint32_t i = 0; i < 16 * 64; i++)
		sum += get(frame, get(frame, FIRST, 4) + 2 * i, 2);
	assert_int_equal(sum, EVENTS * SAMPLES);
	assert_int_equal(get(frame, get(frame, FIRST, 4), 2), EVENTS);                /* all begin in the first row */
	assert_int_equal(get(frame, get(frame, FIRST, 4) + 2 * (3 * 64 + 63), 2), 1); /* 30 is in the fourth */
	web_bytes_release(frame);
	/* not before its time; then with what has come since, and nothing of before */
	assert_null(take(feed, &batch, 1001));
	frame = take(feed, &batch, 1000000000);
	assert_int_equal(get(frame, SHOWN, 8), 2 * EVENTS);
	assert_int_equal(get(frame, get(frame, FIRST, 4), 2), 2 * EVENTS);
	web_bytes_release(frame);
	feed_destroy(feed);
}

static void test_rows_of_samples(void **state)
{
	struct feed *feed = begin("{\"do\":\"scope\",\"id\":0,\"source\":\"tank\",\"frames_per_second\":1}");
	const struct enrg_batch all = make_samples(INT16_MIN);
	struct web_bytes *frame = take(feed, &all, 1000);

	(void)state;
	assert_non_null(frame);
	assert_int_equal(get(frame, EVENT, 8), 9);
	assert_int_equal(get(frame, CHANNELS_AT, 2), CHANNELS);
	assert_int_equal(get(frame, FLAGS, 4), SCOPE_IN_SAMPLES);
	for (uint32_t channel = 0; channel < CHANNELS; channel++)
		for (uint32_t i = 0; i < SAMPLES; i++)
			assert_int_equal(value_at(frame, channel, i), sample_of(2, channel, i));
	web_bytes_release(frame);
	const struct enrg_batch some = make_samples(101);
	assert_true(feed_is_due(feed, 2000000000));
	assert_false(feed_is_due(feed, 2000));
	frame = take(feed, &some, 2000000000);
	assert_int_equal(get(frame, FLAGS, 4), SCOPE_IN_SAMPLES | SCOPE_HAS_GAPS);
	assert_int_equal(get(frame, CHANNELS_AT, 2), 1);
	/* the last event has fewer channels than others had: the batch may have cut it, so it is the one before */
	assert_int_equal(get(frame, EVENT, 8), 8);
	assert_int_equal(value_at(frame, 0, 0), 0);
	assert_int_equal(value_at(frame, 0, 63), 120);
	web_bytes_release(frame);
	feed_begin_instance(feed, 2); /* another run may have fewer channels */
	frame = take(feed, &some, 4000000000);
	assert_int_equal(get(frame, EVENT, 8), 9);
	web_bytes_release(frame);
	feed_destroy(feed);
}

static void test_strip(void **state)
{
	struct feed *feed = begin("{\"do\":\"scope\",\"id\":0,\"source\":\"tank\",\"view\":\"strip\",\"points\":16,"
				  "\"columns\":[\"value_mv\",\"channel\"]}");
	struct feed *none =
		begin("{\"do\":\"scope\",\"id\":0,\"source\":\"tank\",\"view\":\"strip\",\"columns\":[\"nothing\"]}");
	const struct enrg_batch batch = make_samples(INT16_MIN);
	struct web_bytes *frame = take(feed, &batch, 1000);

	(void)state;
	assert_non_null(frame);
	assert_int_equal(get(frame, KIND, 2), SCOPE_STRIP);
	assert_int_equal(get(frame, POINTS, 4), 16);
	assert_int_equal(get(frame, 168, 4), 3);
	/* behind the times */
	float last;
	memcpy(&last, frame->data + get(frame, FIRST, 4) + 16 * 8 + 15 * 4, sizeof(last));
	assert_float_equal(last, 130, 0);
	web_bytes_release(frame);
	assert_null(take(none, &batch, 1000));
	feed_destroy(feed);
	feed_destroy(none);
}

/* A table without waveforms, and one that has none at the moment. */
static void test_what_has_none(void **state)
{
	static const struct enrg_column columns[] = {{.name = "a", .type = ENRG_F64}};
	static const struct enrg_schema schema = {.column_count = 1, .columns = columns};
	struct feed *feed = begin("{\"do\":\"scope\",\"id\":0,\"source\":\"tank\"}");
	struct enrg_batch batch = make_lists();
	char why[300];

	(void)state;
	assert_false(feed_takes(feed, &schema, why));
	assert_non_null(strstr(why, "waveforms"));
	batch.rows = 0;
	assert_null(take(feed, &batch, 1000));
	memset(list_offsets, 0, sizeof(list_offsets));
	batch.rows = ROWS;
	assert_null(take(feed, &batch, 1000));
	feed_destroy(feed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_samples_of_the_newest),
		cmocka_unit_test(test_level),
		cmocka_unit_test(test_pairs_and_window),
		cmocka_unit_test(test_single_and_zoom),
		cmocka_unit_test(test_average),
		cmocka_unit_test(test_density),
		cmocka_unit_test(test_rows_of_samples),
		cmocka_unit_test(test_strip),
		cmocka_unit_test(test_what_has_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
