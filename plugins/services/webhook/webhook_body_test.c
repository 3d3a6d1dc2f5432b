/* webhook_body_test.c: what a webhook gets. The signature was made with Python's hmac. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "body.h"

static void an_alert_is_json(void **state)
{
	const struct notice notice = {.id = "00ff",
		.sent_by = "lab",
		.supervisor = "far",
		.job = "csv \"1\"",
		.severity = ENRG_WARNING,
		.key = "silent/x",
		.event = ENRG_ALERT_AGAIN,
		.time_ns = 1764302712123456789u,
		.message = "full\n",
		.count = 3,
		.may_be_repeated = true};

	(void)state;
	char *made = body_format(&notice, 1764302713000000000u);
	assert_string_equal(made,
		"{\"event\":\"alert\",\"timestamp\":\"2025-11-28T04:05:13.000Z\",\"data\":{\"id\":\"00ff\","
		"\"time\":\"2025-11-28T04:05:12.123Z\",\"severity\":\"warning\",\"supervisor\":\"far\","
		"\"job\":\"csv "
		"\\\"1\\\"\",\"message\":\"full\\u000a\",\"key\":\"silent/"
		"x\",\"event\":\"again\",\"sent_by\":\"lab\",\"count\":3,"
		"\"may_be_repeated\":true}}");
	free(made);
}

static void the_signature_is_over_time_and_body(void **state)
{
	(void)state;
	char *made = body_sign("open sesame", 1764302713, "{}");
	assert_string_equal(made, "sha256=b2c8740354fa41f6c4ec77090c350fc8a6cec23998c07203c168176c1e688282");
	free(made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_alert_is_json),
		cmocka_unit_test(the_signature_is_over_time_and_body),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
