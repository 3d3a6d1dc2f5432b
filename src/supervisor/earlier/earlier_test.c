/* earlier_test.c: runs that left something, through run.json and back. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/earlier/earlier.h"

static void goes_through_json(void **state)
{
	static struct stream_status status = {.run = "r0",
		.sequence = 7,
		.batches = 7,
		.rows = 70,
		.bytes = 700,
		.gaps = 1,
		.epoch = 3,
		.consumer_count = 1,
		.consumers = {{.name = "csv"}}};
	struct earlier first, second, back;
	char text[64];
	json_t *json;

	(void)state;
	earlier_take(&status, "/nowhere", NULL, "", &first);
	assert_string_equal(first.runs, "r0:3");
	first.stores[0].state.left_bytes = 5;
	status.epoch = 4;
	earlier_take(&status, "/nowhere", &first, "r1", &second);
	assert_string_equal(second.runs, "r0:3 r1:4");
	second.stores[0].state = first.stores[0].state;
	json = earlier_format(&second);
	assert_true(earlier_parse(json, &back));
	assert_memory_equal(&back, &second, sizeof(back));
	assert_int_equal(earlier_find(&back, "csv").left_bytes, 5);
	assert_int_equal(earlier_find(&back, "other").left_bytes, 0);
	earlier_describe(&back, text, sizeof(text));
	assert_string_equal(text, "runs r0, r1");
	json_decref(json);
}

static void nonsense_is_none(void **state)
{
	static const char *const texts[] = {
		"{}", "{\"runs\": 3}", "{\"runs\": \"a:1\", \"stores\": {\"x\": 3}, \"rows\": \"y\"}"};
	struct earlier earlier;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		json_t *json = json_loads(texts[i], 0, NULL);
		assert_int_equal(earlier_parse(json, &earlier), i == 2);
		json_decref(json);
	}
	assert_false(earlier_parse(NULL, &earlier));
}

/* A system that leaves something at every stop, for ever. */
static void the_oldest_run_goes(void **state)
{
	static struct stream_status status;
	struct earlier earlier = {0}, next;
	char run[32];

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		snprintf(run, sizeof(run), "20261124T110000Z-%04x", i);
		status.epoch = i;
		earlier_take(&status, "/nowhere", &earlier, run, &next);
		earlier = next;
	}
	assert_non_null(strstr(earlier.runs, "20261124T110000Z-03e7:999"));
	assert_null(strstr(earlier.runs, "-0000:"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_through_json),
		cmocka_unit_test(nonsense_is_none),
		cmocka_unit_test(the_oldest_run_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
