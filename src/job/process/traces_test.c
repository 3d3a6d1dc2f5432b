/* traces_test.c: what is sampled of streams that are fast, slow, or both at once. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "job/process/traces.h"

static const uint8_t uuid[16] = {0xab, 1};

static void note(struct traces *traces, uint32_t lane, uint64_t sequence)
{
	traces_note(traces, &(struct trace_note){.is_received = true,
				    .stream = uuid,
				    .source = lane ? "slow" : "fast",
				    .lane = lane,
				    .sequence = sequence,
				    .sent_ns = 1000000,
				    .received_ns = 3500000,
				    .rows = 7,
				    .bytes = 80});
}

static int64_t number(const json_t *body, const char *key)
{
	return json_integer_value(json_object_get(body, key));
}

static const char *text(const json_t *body, const char *key)
{
	return json_string_value(json_object_get(body, key));
}

/* Whole: `count` batches of a stream up to `last`, sampled as each of them says. */
static void check_lane(const json_t *body, const char *source, uint64_t first, uint64_t last, size_t *ret_count)
{
	json_t *event;
	size_t i;
	uint64_t step = 0, found = 0;

	json_array_foreach(json_object_get(body, "events"), i, event)
	{
		uint64_t sequence = strtoull(strrchr(text(event, "message_id"), '-') + 1, NULL, 10);
		if (strcmp(text(event, "source_job"), source) != 0)
			continue;
		step = step ? step : (uint64_t)number(event, "sampled_every");
		assert_int_equal(number(event, "sampled_every"), step);
		assert_int_equal(sequence % step, 0);
		found++;
	}
	if (step)
		assert_int_equal(found, last / step - (first - 1) / step);
	*ret_count = found;
}

static void each_batch_of_few_is_told(void **state)
{
	struct traces *traces = traces_create();
	json_t *body, *event;

	(void)state;
	assert_null(traces_take(traces));
	for (uint64_t sequence = 1; sequence <= TRACES_MAX; sequence++)
		note(traces, 0, sequence);
	body = traces_take(traces);
	assert_non_null(body);
	assert_int_equal(json_array_size(json_object_get(body, "events")), TRACES_MAX);
	assert_int_equal(number(body, "seen"), TRACES_MAX);
	assert_int_equal(number(body, "told"), TRACES_MAX);
	event = json_array_get(json_object_get(body, "events"), 4);
	assert_string_equal(text(event, "event"), "received");
	assert_string_equal(text(event, "message_id"), "ab010000000000000000000000000000-5");
	assert_string_equal(text(event, "message_type"), "table");
	assert_int_equal(number(event, "sampled_every"), 1);
	assert_int_equal(number(event, "rows"), 7);
	assert_int_equal(number(event, "size_bytes"), 80);
	assert_int_equal(number(event, "received_ns") - number(event, "sent_ns"), 2500000);
	assert_true(json_real_value(json_object_get(event, "latency_ms")) == 2.5);
	json_decref(body);
	assert_null(traces_take(traces));
	traces_destroy(traces);
}

/* The bound holds, and what is reported is whole at the step that it says. */
static void a_fast_stream_is_sampled(void **state)
{
	struct traces *traces = traces_create();
	uint64_t sequence = 0;
	size_t count;

	(void)state;
	for (uint64_t report = 0; report < 4; report++) {
		uint64_t first = sequence + 1, last = sequence + 100000;
		while (sequence < last)
			note(traces, 0, ++sequence);
		json_t *body = traces_take(traces);
		check_lane(body, "fast", first, last, &count);
		assert_in_range(count, TRACES_MAX / 4, TRACES_MAX);
		assert_int_equal(number(body, "seen"), last);
		json_decref(body);
	}
	/* slow again: within some reports each batch */
	for (uint64_t report = 0; report < 20; report++) {
		note(traces, 0, ++sequence);
		json_decref(traces_take(traces));
	}
	note(traces, 0, ++sequence);
	json_t *body = traces_take(traces);
	check_lane(body, "fast", sequence, sequence, &count);
	assert_int_equal(count, 1);
	json_decref(body);
	traces_destroy(traces);
}

/* A slow stream beside a fast one has all its batches told. */
static void a_slow_stream_is_not_lost_beside_a_fast_one(void **state)
{
	struct traces *traces = traces_create();
	uint64_t fast = 0, slow = 0;
	size_t count;

	(void)state;
	for (uint64_t report = 0; report < 4; report++) {
		uint64_t first = fast + 1, first_slow = slow + 1;
		for (uint32_t i = 0; i < 50000; i++) {
			note(traces, 0, ++fast);
			if (i % 5000 == 0)
				note(traces, 1, ++slow);
		}
		json_t *body = traces_take(traces);
		check_lane(body, "fast", first, fast, &count);
		assert_in_range(count, TRACES_MAX / 4, TRACES_MAX);
		check_lane(body, "slow", first_slow, slow, &count);
		assert_int_equal(count, 10);
		json_decref(body);
	}
	traces_destroy(traces);
}

/* Nobody reads them any more, and then somebody does: nothing of before. */
static void what_is_cleared_is_not_told(void **state)
{
	struct traces *traces = traces_create();

	(void)state;
	note(traces, 0, 1);
	traces_clear(traces);
	assert_null(traces_take(traces));
	note(traces, 0, 2);
	json_t *body = traces_take(traces);
	assert_int_equal(number(body, "seen"), 2);
	assert_int_equal(number(body, "told"), 1);
	json_decref(body);
	traces_destroy(traces);
}

#define THREAD_NOTES 300000u

static void *note_all(void *context)
{
	for (uint64_t sequence = 1; sequence <= THREAD_NOTES; sequence++)
		note(context, 0, sequence);
	return NULL;
}

static void two_threads_agree(void **state)
{
	struct traces *traces = traces_create();
	uint64_t told = 0, seen = 0, from_reports = 0;
	bool has_ended = false, is_last = false;
	pthread_t thread;
	json_t *body;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, note_all, traces), 0);
	while (!is_last) {
		is_last = has_ended;
		body = traces_take(traces);
		has_ended = has_ended || pthread_tryjoin_np(thread, NULL) == 0;
		if (!body)
			continue;
		seen = (uint64_t)number(body, "seen");
		told = (uint64_t)number(body, "told");
		from_reports += json_array_size(json_object_get(body, "events"));
		assert_true(json_array_size(json_object_get(body, "events")) <= TRACES_MAX);
		json_decref(body);
	}
	assert_int_equal(told, from_reports);
	assert_true(told > 0 && seen <= THREAD_NOTES);
	traces_destroy(traces);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_batch_of_few_is_told),
		cmocka_unit_test(a_fast_stream_is_sampled),
		cmocka_unit_test(a_slow_stream_is_not_lost_beside_a_fast_one),
		cmocka_unit_test(what_is_cleared_is_not_told),
		cmocka_unit_test(two_threads_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
