/* rival_test.c: every transport brings every message once and whole, from one producer and from several; what a
 * transport loses, doubles or damages is found. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/rival.h"

static const struct rival *const rivals[] = {&rival_stream, &rival_zmq, &rival_unix};

static void expect_messages(const struct rival_params *params)
{
	for (size_t i = 0; i < sizeof(rivals) / sizeof(rivals[0]); i++) {
		struct rival_result result = {0};
		struct enrg_error err = {0};

		/* A busy machine may give the consumer no time at all in so short a measurement. */
		for (int tries = 0; tries < 20 && !result.messages; tries++)
			if (rival_run(rivals[i], params, &result, &err) < 0)
				fail_msg("%s", err.text);
		assert_true(result.messages > 0);
		assert_true(result.gb_per_s > 0 && result.cpu_percent > 0);
		assert_true(result.latency_p50_us > 0 && result.latency_p99_us >= result.latency_p50_us);
	}
}

static void test_one_producer(void **state)
{
	(void)state;
	expect_messages(&(struct rival_params){1, 64, 0, 50000000});
	expect_messages(&(struct rival_params){1, 1000000, 0, 50000000});
}

static void test_several_producers(void **state)
{
	(void)state;
	expect_messages(&(struct rival_params){3, 16000, 0, 50000000});
	expect_messages(&(struct rival_params){RIVAL_PRODUCERS_MAX, 100000, 0, 50000000});
}

static void test_given_rate(void **state)
{
	(void)state;
	expect_messages(&(struct rival_params){1, 40000, 200, 200000000});
}

static void test_refusals(void **state)
{
	struct rival_result result;
	struct enrg_error err = {0};

	(void)state;
	assert_int_equal(rival_run(&rival_unix, &(struct rival_params){0, 64, 0, 1000}, &result, &err), -EINVAL);
	assert_int_equal(rival_run(&rival_unix, &(struct rival_params){9, 64, 0, 1000}, &result, &err), -EINVAL);
	assert_int_equal(rival_run(&rival_unix, &(struct rival_params){1, 7, 0, 1000}, &result, &err), -EINVAL);
}

/* --- transports that are not right: each message damaged, doubled or left out from the tenth on
 * ----------------------- */

static uint64_t calls; /* in the producer's process */

static int send_damaged(void *end, const struct rival_header *header, const uint8_t *payload)
{
	struct rival_header wrong = *header;
	int rc;

	if (++calls < 10)
		return rival_unix.send(end, &wrong, payload);
	((uint8_t *)(uintptr_t)payload)[63] ^= 1;
	rc = rival_unix.send(end, &wrong, payload);
	((uint8_t *)(uintptr_t)payload)[63] ^= 1;
	return rc;
}

static int receive_damaged(
	void *end, struct rival_header *ret_header, const uint8_t **ret_payload, bool *ret_is_checked)
{
	int rc = rival_unix.receive(end, ret_header, ret_payload, ret_is_checked);

	if (rc == 0 && ret_header->sequence >= 10)
		((uint8_t *)(uintptr_t)*ret_payload)[63] ^= 1;
	return rc;
}

static int send_doubled(void *end, const struct rival_header *header, const uint8_t *payload)
{
	int rc = rival_unix.send(end, header, payload);

	return rc == 0 && ++calls == 10 ? rival_unix.send(end, header, payload) : rc;
}

static int send_but_one(void *end, const struct rival_header *header, const uint8_t *payload)
{
	return ++calls == 10 ? 0 : rival_unix.send(end, header, payload);
}

static void test_faults_are_found(void **state)
{
	const struct rival_params params = {1, 64, 0, 20000000};
	struct rival broken = rival_unix;
	struct rival_result result;
	struct enrg_error err = {0};

	(void)state;
	broken.receive = receive_damaged;
	assert_int_equal(rival_run(&broken, &params, &result, &err), ENRG_E_CORRUPT);
	broken = rival_unix;
	broken.send = send_doubled;
	assert_int_equal(rival_run(&broken, &params, &result, &err), ENRG_E_SEQUENCE);
	broken.send = send_but_one;
	assert_int_equal(rival_run(&broken, &params, &result, &err), ENRG_E_SEQUENCE);
	/* Damage before the CRC is taken is the message itself: no fault of the transport. */
	broken.send = send_damaged;
	assert_int_equal(rival_run(&broken, &params, &result, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_producer),
		cmocka_unit_test(test_several_producers),
		cmocka_unit_test(test_given_rate),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_faults_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
