/* slack_message_test.c: what Slack gets. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"

static void an_alert_is_an_attachment_that_mentions_nobody(void **state)
{
	const struct notice notice = {.id = "1",
		.sent_by = "lab",
		.supervisor = "far <lab>",
		.job = "csv",
		.severity = ENRG_ERROR,
		.key = "",
		.time_ns = 1764302712123456789u,
		.message = "<!channel> \"disk\" is full\r\n& closed",
		.count = 1};
	const char *color, *text, *title, *value;
	json_t *fields;

	(void)state;
	setenv("TZ", "UTC", 1);
	char *made = message_format(&notice);
	json_t *json = json_loads(made, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	assert_int_equal(json_unpack(json, "{s:[{s:s, s:s, s:o}]}", "attachments", "color", &color, "text", &text,
				 "fields", &fields),
		0);
	assert_string_equal(color, "#d00000");
	assert_string_equal(text, "&lt;!channel&gt; \"disk\" is full\r\n&amp; closed");
	static const char *const wanted[][2] = {{"Severity", "error"}, {"Job", "csv"}, {"Supervisor", "lab"},
		{"Originating supervisor", "far &lt;lab&gt;"}, {"Date", "2025-11-28 04:05:12 +0000"}};
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(
			json_unpack(json_array_get(fields, i), "{s:s, s:s}", "title", &title, "value", &value), 0);
		assert_string_equal(title, wanted[i][0]);
		assert_string_equal(value, wanted[i][1]);
	}
	assert_null(strstr(made, "<"));
	json_decref(json);
	free(made);
}

static void the_end_of_an_alarm_is_green(void **state)
{
	const struct notice notice = {.id = "1",
		.sent_by = "lab",
		.supervisor = "lab",
		.job = "camera",
		.severity = ENRG_INFO,
		.key = "silent/camera",
		.event = ENRG_ALERT_ENDS,
		.message = "silent/camera is over, after 5 s",
		.count = 1};

	(void)state;
	char *made = message_format(&notice);
	assert_non_null(strstr(made, "\"color\":\"#009e73\""));
	assert_non_null(strstr(made, "{\"title\":\"Alarm\",\"value\":\"silent/camera\",\"short\":true}"));
	free(made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_alert_is_an_attachment_that_mentions_nobody),
		cmocka_unit_test(the_end_of_an_alarm_is_green),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
