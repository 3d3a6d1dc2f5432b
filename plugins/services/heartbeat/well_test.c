/* well_test.c: when a heartbeat is due, and why not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "well.h"

#define S    1000000000ull
#define WALL (1764302712ull * S) /* 2025-11-28T04:05:12Z */

static const char *const quiet = "{\"jobs\": [{\"name\": \"dice\", \"state\": \"running\"}], \"alerts\": []}";

static const char *why(const struct well *well, uint64_t now_ns)
{
	static char text[WELL_TEXT_BYTES];

	bool is_well = well_judge(well, now_ns, text);
	assert_int_equal(is_well, text[0] == '\0');
	return text;
}

static void who_says_nothing_is_not_well(void **state)
{
	struct well well = {0};

	(void)state;
	assert_string_equal(why(&well, 100 * S), "the supervisor is silent");
	assert_false(well_note_status(&well, quiet, 100 * S));
	assert_string_equal(why(&well, 130 * S), "");
	assert_string_equal(why(&well, 131 * S), "the supervisor is silent");
	assert_false(well_note_status(&well, "{\"jobs\": 3}", 131 * S));
	assert_false(well_note_status(&well, "rubbish", 131 * S));
	assert_string_equal(why(&well, 131 * S), "the supervisor is silent");
}

static void an_error_is_there_until_it_is_acknowledged(void **state)
{
	struct well well = {0};

	(void)state;
	well_note_status(&well, quiet, 100 * S);
	assert_true(well_note_error(&well, WALL, "csv", "full"));
	assert_false(well_note_error(&well, WALL, "csv", "full"));
	assert_string_equal(why(&well, 100 * S), "csv: full");
	assert_true(well_acknowledge(&well, WALL + S));
	assert_false(well_acknowledge(&well, WALL + S));
	assert_string_equal(why(&well, 100 * S), "");
	assert_false(well_note_error(&well, WALL + 1, "csv", "full"));
	assert_true(well_note_error(&well, WALL + 2 * S, "csv", "full again"));
	assert_false(well_forget(&well, 0, WALL + 9999 * S));
	assert_false(well_forget(&well, 60 * S, WALL + 61 * S));
	assert_true(well_forget(&well, 60 * S, WALL + 62 * S));
	assert_string_equal(why(&well, 100 * S), "");
}

static void the_supervisor_says_what_was_missed(void **state)
{
	struct well well = {0};
	const char *alerts =
		"{\"jobs\": [{\"name\": \"dice\", \"state\": \"running\"}], \"alerts\": ["
		"{\"time\": \"2025-11-28T04:05:12.500Z\", \"severity\": \"error\", \"job\": \"a\", \"message\": \"b\"},"
		"{\"time\": \"2025-11-28T04:05:13.500Z\", \"severity\": \"warning\", \"job\": \"c\", \"message\": "
		"\"d\"},"
		"{\"time\": \"rubbish\", \"severity\": \"error\", \"job\": \"e\", \"message\": \"f\"}, 7]}";

	(void)state;
	assert_true(well_note_status(&well, alerts, S));
	assert_string_equal(why(&well, S), "a: b");
	assert_int_equal(well.alarm_ns, WALL + S / 2);
	assert_false(well_note_status(&well, alerts, 2 * S));
	well_acknowledge(&well, WALL + S);
	assert_false(well_note_status(&well, alerts, 3 * S));
	assert_string_equal(why(&well, 3 * S), "");
	well_note_status(&well, "{\"jobs\": [{\"name\": \"dice\", \"state\": \"given up\"}]}", 4 * S);
	assert_string_equal(why(&well, 4 * S), "dice is given up");
	well_note_status(&well, quiet, 5 * S);
	assert_string_equal(why(&well, 5 * S), "");
}

static const char *alarm(const char *members)
{
	static char text[600];

	snprintf(text, sizeof(text),
		"{\"jobs\": [], \"alarms\": [{\"key\": \"silent/dice\", \"message\": \"dice is silent\", %s}], "
		"\"alerts\": ["
		"{\"time\": \"2025-11-28T04:05:12.500Z\", \"severity\": \"error\", \"job\": \"dice\", \"message\": "
		"\"x\", "
		"\"key\": \"silent/dice\"}]}",
		members);
	return text;
}

static void an_alarm_of_the_supervisor_is_its_own_to_end(void **state)
{
	struct well well = {0};

	(void)state;
	assert_false(
		well_note_status(&well, alarm("\"severity\": \"error\", \"on\": true, \"acknowledged\": false"), S));
	assert_string_equal(why(&well, S), "alarm silent/dice: dice is silent");
	well_note_status(&well, alarm("\"severity\": \"error\", \"on\": true, \"acknowledged\": true"), S);
	assert_string_equal(why(&well, S), "");
	well_note_status(&well, alarm("\"severity\": \"warning\", \"on\": true, \"acknowledged\": false"), S);
	assert_string_equal(why(&well, S), "");
	well_note_status(&well, alarm("\"severity\": \"error\", \"on\": false, \"acknowledged\": false"), S);
	assert_string_equal(why(&well, S), "");
	well_note_status(&well,
		alarm("\"severity\": \"error\", \"on\": true, \"acknowledged\": false, \"muted_until_wall_ns\": 5"), S);
	assert_string_equal(why(&well, S), "");
}

static void it_outlives_a_kill(void **state)
{
	static const char *const rubbish[] = {"", "[]", "{\"alarm_ns\": -1, \"alarm\": \"x\"}", "{\"alarm_ns\": 5}"};
	struct well well = {0}, next = {0};

	(void)state;
	well_acknowledge(&well, WALL);
	well_note_error(&well, WALL + S, "csv", "\"full\"");
	char *text = well_format(&well);
	well_parse(&next, text);
	free(text);
	assert_int_equal(next.alarm_ns, WALL + S);
	assert_int_equal(next.acknowledged_ns, WALL);
	assert_string_equal(next.alarm, "csv: \"full\"");
	for (size_t i = 0; i < 4; i++) {
		next = (struct well){0};
		well_parse(&next, rubbish[i]);
		assert_int_equal(next.alarm_ns, 0);
	}
	well_parse(&next, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_says_nothing_is_not_well),
		cmocka_unit_test(an_error_is_there_until_it_is_acknowledged),
		cmocka_unit_test(the_supervisor_says_what_was_missed),
		cmocka_unit_test(an_alarm_of_the_supervisor_is_its_own_to_end),
		cmocka_unit_test(it_outlives_a_kill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
