/* alerts_test.c: what waits to be said is bounded, and fit to be said. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <string.h>

#include "job/process/alerts.h"

/* As the reporter does it. */
static void expect(struct alerts *alerts, const char *expected)
{
	struct alert alert;

	assert_true(alerts_take(alerts, &alert));
	json_t *text = json_string(alert.text);
	assert_non_null(text);
	if (expected)
		assert_string_equal(json_string_value(text), expected);
	json_decref(text);
}

/* A device may speak Latin-1, and a long text is cut where it is. */
static void any_text_can_be_sent(void **state)
{
	static struct alerts alerts;
	char text[1200];

	(void)state;
	assert_true(alerts_init(&alerts) >= 0);
	alerts_post(&alerts, ENRG_ERROR, "the tube has 45\xb0 C\nat Zähler 3");
	expect(&alerts, "the tube has 45? C\nat Zähler 3");
	for (size_t i = 0; i + 3 < sizeof(text); i += 3)
		memcpy(text + i, "\xe2\x82\xac", 3); /* a euro sign */
	text[sizeof(text) - 3] = '\0';
	for (size_t first = 0; first < 3; first++) { /* the cut is at each of its bytes */
		text[first] = 'x';
		alerts_post(&alerts, ENRG_ERROR, text + first);
		expect(&alerts, NULL);
	}
	alerts_fini(&alerts);
}

static void too_many_are_counted(void **state)
{
	static struct alerts alerts;

	(void)state;
	assert_true(alerts_init(&alerts) >= 0);
	for (unsigned i = 0; i < ALERTS_MAX + 3; i++)
		alerts_post(&alerts, ENRG_WARNING, "again");
	for (unsigned i = 0; i < ALERTS_MAX; i++)
		expect(&alerts, "again");
	expect(&alerts, "3 alerts came too fast and are in the log only");
	assert_false(alerts_take(&alerts, &(struct alert){0}));
	alerts_fini(&alerts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_text_can_be_sent),
		cmocka_unit_test(too_many_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
