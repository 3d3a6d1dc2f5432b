/* requests_test.c: each question is answered just once: by its client, by time, or at the end. */
#include "web/cnc/requests.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static unsigned counts[600];

static void on_answered(void *context, int status, const json_t *answer)
{
	(void)context;
	assert_non_null(answer);
	counts[status]++;
}

static int add(struct requests *requests, const char *client, uint64_t now_ns, char ret_id[37])
{
	return requests_add(requests,
		&(struct request_params){
			.client = client, .type = CNC_REQ_STOP_DAQ_JOBS, .now_ns = now_ns, .answered = on_answered},
		ret_id);
}

static bool answer(struct requests *requests, const char *client, enum cnc_type type, const char *id, bool is_fine)
{
	struct cnc_message message = {.type = type, .json = json_pack("{s:b, s:s}", "success", is_fine, "req_id", id)};
	bool is_one = requests_answer(requests, client, &message);

	cnc_message_fini(&message);
	return is_one;
}

static void answered_once(void **state)
{
	struct requests *requests = requests_create();
	char first[37], second[37];

	(void)state;
	memset(counts, 0, sizeof(counts));
	assert_int_equal(add(requests, "a", 0, first), 0);
	assert_int_equal(add(requests, "a", 5, second), 0);
	assert_string_not_equal(first, second);
	assert_false(answer(requests, "b", CNC_RES_STOP_DAQ_JOBS, first, true));
	assert_false(answer(requests, "a", CNC_RES_PING, first, true));
	assert_false(answer(requests, "a", CNC_RES_STOP_DAQ_JOBS, "x", true));
	assert_true(answer(requests, "a", CNC_RES_STOP_DAQ_JOBS, second, false));
	assert_false(answer(requests, "a", CNC_RES_STOP_DAQ_JOBS, second, false));
	assert_int_equal(counts[409], 1);
	requests_expire(requests, REQUEST_TIMEOUT_NS - 1);
	assert_int_equal(counts[504], 0);
	requests_expire(requests, REQUEST_TIMEOUT_NS);
	assert_int_equal(counts[504], 1);
	assert_false(answer(requests, "a", CNC_RES_STOP_DAQ_JOBS, first, true));
	assert_int_equal(add(requests, "a", 0, first), 0);
	assert_true(answer(requests, "a", CNC_RES_STOP_DAQ_JOBS, first, true));
	assert_int_equal(counts[200], 1);
	assert_int_equal(add(requests, "a", 0, first), 0);
	requests_fail(requests, first, "gone");
	requests_fail(requests, first, "gone");
	assert_int_equal(counts[504], 2);
	assert_int_equal(add(requests, "a", 0, first), 0);
	requests_destroy(requests);
	assert_int_equal(counts[503], 1);
}

static void bounded(void **state)
{
	struct requests *requests = requests_create();
	char id[37], name[16];
	unsigned count = 0;

	(void)state;
	memset(counts, 0, sizeof(counts));
	for (unsigned i = 0; i < REQUESTS_CLIENT_MAX; i++)
		assert_int_equal(add(requests, "a", 0, id), 0);
	assert_int_equal(add(requests, "a", 0, id), -EAGAIN);
	for (unsigned i = 0; i < 2 * REQUESTS_MAX; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		count += add(requests, name, 0, id) == 0;
	}
	assert_int_equal(count, REQUESTS_MAX - REQUESTS_CLIENT_MAX);
	requests_expire(requests, REQUEST_TIMEOUT_NS);
	assert_int_equal(counts[504], REQUESTS_MAX);
	requests_destroy(requests);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(answered_once), cmocka_unit_test(bounded)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
