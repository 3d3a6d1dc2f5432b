/* ask_test.c: what a client may say, and which field is named where it is wrong. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "enrgdaq/job.h"
#include "web/live/ask.h"
#include "web/live/feed.h"

/* Parses, says whether it was taken, and forgets it. */
static bool takes(const char *text, struct ask_fault *ret_fault)
{
	struct ask ask;
	bool is_taken = ask_parse(text, strlen(text), &ask, ret_fault) == 0;

	ask_fini(&ask);
	return is_taken;
}

static void test_defaults(void **state)
{
	const char text[] = "{\"do\":\"scope\",\"id\":3,\"source\":\"tank\",\"ref\":\"a\"}";
	struct ask_fault fault;
	struct ask ask;

	(void)state;
	assert_int_equal(ask_parse(text, strlen(text), &ask, &fault), 0);
	assert_int_equal(ask.kind, ASK_SCOPE);
	assert_string_equal(json_string_value(ask.ref), "a");
	assert_int_equal(ask.scope->id, 3);
	assert_string_equal(ask.scope->source, "tank");
	assert_int_equal(ask.scope->points, 800);
	assert_int_equal(ask.scope->view, ASK_WAVES);
	assert_false(ask.scope->trigger.has_level);
	ask_fini(&ask);
}

static void test_listen(void **state)
{
	const char text[] = "{\"do\":\"listen\",\"kinds\":[\"log\",\"all\"],\"log_level\":\"WARNING\",\"since\":7}";
	struct ask_fault fault;
	struct ask ask;

	(void)state;
	assert_int_equal(ask_parse(text, strlen(text), &ask, &fault), 0);
	assert_int_equal(ask.listen->kinds.count, 2);
	assert_int_equal(ask.listen->log_level, ENRG_WARNING);
	assert_int_equal(ask.listen->since, 7);
	ask_fini(&ask);
}

static void test_faults_name_their_field(void **state)
{
	static const struct {
		const char *text, *field;
	} wrong[] = {
		{"", ""},
		{"[1]", ""},
		{"{\"do\":\"dance\"}", "do"},
		{"{}", "do"},
		{"{\"do\":\"ping\",\"do\":\"ping\"}", ""},
		{"{\"do\":\"ping\",\"ref\":[1]}", "ref"},
		{"{\"do\":\"ping\",\"more\":1}", "more"},
		{"{\"do\":\"credit\",\"id\":8}", "id"},
		{"{\"do\":\"credit\",\"count\":0}", "count"},
		{"{\"do\":\"scope\",\"source\":\"a\"}", "id"},
		{"{\"do\":\"scope\",\"id\":0}", "source"},
		{"{\"do\":\"scope\",\"id\":0,\"source\":\"\"}", "source"},
		{"{\"do\":\"scope\",\"id\":0,\"source\":\"a\",\"points\":5000}", "points"},
		{"{\"do\":\"scope\",\"id\":0,\"source\":\"a\",\"channels\":[1,1]}", "channels"},
		{"{\"do\":\"scope\",\"id\":0,\"source\":\"a\",\"channels\":[-1]}", "channels"},
		{"{\"do\":\"scope\",\"id\":0,\"source\":\"a\",\"low\":2,\"high\":1}", "high"},
		{"{\"do\":\"scope\",\"id\":0,\"source\":\"a\",\"trigger\":{\"level\":\"x\"}}", "trigger.level"},
		{"{\"do\":\"scope\",\"id\":0,\"source\":\"a\",\"trigger\":{\"mode\":\"never\"}}", "trigger.mode"},
		{"{\"do\":\"scope\",\"id\":0,\"source\":\"a\",\"trigger\":{\"needed\":2}}", "trigger.needed"},
		{"{\"do\":\"scope\",\"id\":0,\"source\":\"a\",\"trigger\":{\"coincidence\":[0]}}",
			"trigger.coincidence"},
	};
	struct ask_fault fault;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_false(takes(wrong[i].text, &fault));
		assert_string_equal(fault.field, wrong[i].field);
		assert_true(strlen(fault.detail) > 5);
	}
}

static void test_too_long(void **state)
{
	char text[ASK_BYTES_MAX + 2];
	struct ask_fault fault;

	(void)state;
	memset(text, ' ', sizeof(text));
	memcpy(text, "{\"do\":\"ping\"}", 13);
	text[ASK_BYTES_MAX] = '\0';
	assert_true(takes(text, &fault));
	text[ASK_BYTES_MAX] = ' ';
	text[ASK_BYTES_MAX + 1] = '\0';
	assert_false(takes(text, &fault));
	memset(text, '[', ASK_BYTES_MAX);
	text[ASK_BYTES_MAX] = '\0';
	assert_false(takes(text, &fault));
}

static uint64_t last_owner = 76;

/* Each time for another client. */
static void make(const char *text, struct feed_request *ret_request, struct ask_fault *ret_fault, int expected)
{
	struct ask ask;

	assert_int_equal(ask_parse(text, strlen(text), &ask, ret_fault), 0);
	assert_int_equal(feed_request_make(ask.scope, ++last_owner, ret_request, ret_fault), expected);
	ask_fini(&ask);
}

/* Clients share what is asked in other words, ids and credits; not a single trigger. */
static void test_requests_are_shared(void **state)
{
	struct feed_request a, b;
	struct ask_fault fault;

	(void)state;
	make("{\"do\":\"scope\",\"id\":0,\"source\":\"tank\"}", &a, &fault, 0);
	make("{\"credit\":2,\"id\":5,\"points\":800,\"source\":\"tank\",\"do\":\"scope\",\"channels\":[]}", &b, &fault,
		0);
	assert_memory_equal(&a, &b, sizeof(a));
	make("{\"do\":\"scope\",\"id\":0,\"source\":\"tank\",\"points\":801}", &b, &fault, 0);
	assert_memory_not_equal(&a, &b, sizeof(a));
	make("{\"do\":\"scope\",\"id\":0,\"source\":\"tank\",\"trigger\":{\"mode\":\"single\"}}", &b, &fault, 0);
	assert_int_equal(b.owner, last_owner);
}

static void test_channels_of_the_trigger(void **state)
{
	struct feed_request request;
	struct ask_fault fault;

	(void)state;
	make("{\"do\":\"scope\",\"id\":0,\"source\":\"t\",\"channels\":[5,2],\"trigger\":{\"level\":1,\"channel\":2,"
	     "\"coincidence\":[7]}}",
		&request, &fault, 0);
	assert_int_equal(request.shown_count, 2);
	assert_int_equal(request.channel_count, 3);
	assert_int_equal(request.channels[2], 7);
	assert_int_equal(request.needed, 2);
	make("{\"do\":\"scope\",\"id\":0,\"source\":\"t\",\"view\":\"density\",\"points\":4096,\"rows\":512}", &request,
		&fault, ENRG_E_PROTOCOL);
	assert_string_equal(fault.field, "rows");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_listen),
		cmocka_unit_test(test_faults_name_their_field),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_requests_are_shared),
		cmocka_unit_test(test_channels_of_the_trigger),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
