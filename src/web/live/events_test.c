/* events_test.c: numbers grow, the last thousand are there, and who missed some is told. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/live/events.h"

static void add_job(struct events *events, const char *name)
{
	events_add(events, json_pack("{s:s, s:s}", "event", "job", "job", name));
}

static void add_line(struct events *events, enum enrg_level level, const char *message)
{
	events_add_log(
		events, &(struct event_log_line){.level = level, .time = "t", .process = "p", .message = message});
}

static void check_next(struct events *events, uint64_t after, uint32_t bits, uint64_t expected)
{
	struct event *event = events_next(events, after, bits);

	assert_int_equal(event ? event->number : 0, expected);
	event_release(event);
}

static void test_order(void **state)
{
	struct events *events = events_create();

	(void)state;
	assert_int_equal(events_last(events), 0);
	check_next(events, 0, EVENT_ALL | EVENT_LOG, 0);
	add_job(events, "a");
	add_line(events, ENRG_INFO, "x");
	events_add(events, json_pack("{s:s}", "event", "alarm"));
	events_add(events, json_pack("{s:s}", "event", "something else"));
	events_add(events, json_pack("{s:i}", "no_event", 1)); /* is none */
	assert_int_equal(events_last(events), 4);
	check_next(events, 0, EVENT_ALL, 1);
	check_next(events, 1, EVENT_ALL, 3);
	check_next(events, 1, EVENT_ALL | EVENT_LOG, 2);
	check_next(events, 0, EVENT_ALARM, 3);
	check_next(events, 0, EVENT_OTHER, 4);
	check_next(events, 4, EVENT_ALL | EVENT_LOG, 0);
	struct event *event = events_next(events, 0, EVENT_JOB);
	json_t *json = json_loadb((const char *)event->bytes->data, event->bytes->count, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(json, "type")), "event");
	assert_string_equal(json_string_value(json_object_get(json, "job")), "a");
	assert_int_equal(json_integer_value(json_object_get(json, "number")), 1);
	json_decref(json);
	event_release(event);
	events_destroy(events);
}

/* A busy log drives no event out. */
static void test_what_is_kept(void **state)
{
	struct events *events = events_create();

	(void)state;
	add_job(events, "first"); /* 1 */
	for (int i = 0; i < EVENTS_KEPT + 10; i++)
		add_line(events, ENRG_INFO, "line"); /* 2 … 1011 */
	check_next(events, 0, EVENT_ALL, 1);
	assert_int_equal(events_lost(events, 0, EVENT_ALL), 0);
	assert_int_equal(events_lost(events, 0, EVENT_LOG), 11);
	assert_int_equal(events_lost(events, 10, EVENT_LOG | EVENT_ALL), 11);
	assert_int_equal(events_lost(events, 11, EVENT_LOG), 0);
	check_next(events, 0, EVENT_LOG, 12);
	check_next(events, 500, EVENT_LOG, 501);
	check_next(events, 1010, EVENT_LOG, 1011);
	check_next(events, 1011, EVENT_LOG, 0);
	for (int i = 0; i < EVENTS_KEPT; i++)
		add_job(events, "more"); /* 1012 … 2011 */
	assert_int_equal(events_lost(events, 0, EVENT_ALL), 1);
	check_next(events, 0, EVENT_ALL, 1012);
	events_destroy(events);
}

static void test_long_ones_are_cut(void **state)
{
	struct events *events = events_create();
	char *text = malloc(100000);

	(void)state;
	memset(text, 'x', 99999);
	text[99999] = '\0';
	add_job(events, text);
	add_line(events, ENRG_ERROR, text);
	for (uint64_t after = 0; after < 2; after++) {
		struct event *event = events_next(events, after, EVENT_ALL | EVENT_LOG);
		assert_true(event->bytes->count <= EVENT_BYTES_MAX);
		event_release(event);
	}
	free(text);
	events_destroy(events);
}

/* A day of ten lines and an event a second needs what an hour needs. */
static void test_memory_is_flat(void **state)
{
	struct events *events = events_create();
	size_t before = 0;

	(void)state;
	for (int i = 0; i < 24000; i++) {
		char line[40];

		snprintf(line, sizeof(line), "line %06d", i);
		add_line(events, ENRG_INFO, line);
		if (i % 10 == 0)
			add_job(events, line);
		if (i == 12000)
			before = mallinfo2().uordblks;
	}
	size_t after = mallinfo2().uordblks;
	assert_true(after < before + before / 10 + 65536);
	events_destroy(events);
}

static void test_kinds(void **state)
{
	(void)state;
	assert_int_equal(event_bits_parse("all") & EVENT_LOG, 0);
	assert_int_equal(event_bits_parse("log"), EVENT_LOG);
	assert_int_equal(event_bits_parse("nothing"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_what_is_kept),
		cmocka_unit_test(test_long_ones_are_cut),
		cmocka_unit_test(test_memory_is_flat),
		cmocka_unit_test(test_kinds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
