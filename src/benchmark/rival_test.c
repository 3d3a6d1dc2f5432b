/* rival_test.c: every transport brings every message once and whole, from one producer and from several; what a
 * transport loses, doubles or damages is found. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "benchmark/pair.h"
#include "benchmark/rival_module.h"

#define SHORTEST_NS UINT64_C(50000000)
#define LONGEST_NS  UINT64_C(12800000000)

static bool has_figures(const struct rival_result *result)
{
	return result->messages > 0 && result->gb_per_s > 0 && result->cpu_percent > 0 && result->latency_p50_us > 0;
}

/* A busy machine may give a side no time at all within a short measurement: then a longer one is taken. */
static void expect_figures(const struct rival *rival, struct rival_params params)
{
	struct rival_result result = {0};
	struct enrg_error err = {0};

	for (params.measure_ns = SHORTEST_NS; !has_figures(&result) && params.measure_ns <= LONGEST_NS;
		params.measure_ns *= 2)
		if (rival_run(rival, &params, &result, &err) < 0)
			fail_msg("%s", err.text);
	assert_true(has_figures(&result));
	assert_true(result.latency_p99_us >= result.latency_p50_us);
}

static void expect_messages(struct rival_params params)
{
	static const struct rival *const own[] = {&rival_stream, &rival_zmq, &rival_unix};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		expect_figures(own[i], params);
#ifdef ENRG_RIVAL_ICEORYX2
	void *module = dlopen(ENRG_RIVAL_ICEORYX2, RTLD_NOW | RTLD_LOCAL);
	const struct rival *const *others = module ? dlsym(module, RIVAL_MODULE_SYMBOL) : NULL;
	assert_non_null(others);
	for (; *others; others++)
		expect_figures(*others, params);
#endif
}

static void test_one_producer(void **state)
{
	(void)state;
	expect_messages((struct rival_params){.producers = 1, .payload_bytes = 64});
	expect_messages((struct rival_params){.producers = 1, .payload_bytes = 1000000});
}

static void test_several_producers(void **state)
{
	(void)state;
	expect_messages((struct rival_params){.producers = 3, .payload_bytes = 16000});
	expect_messages((struct rival_params){.producers = RIVAL_PRODUCERS_MAX, .payload_bytes = 100000});
}

static void test_given_rate(void **state)
{
	(void)state;
	expect_messages((struct rival_params){.producers = 1, .payload_bytes = 40000, .rate_hz = 200});
}

static void test_refusals(void **state)
{
	struct rival_result result;
	struct enrg_error err = {0};

	(void)state;
	assert_int_equal(
		rival_run(&rival_unix, &(struct rival_params){.producers = 0, .payload_bytes = 64}, &result, &err),
		-EINVAL);
	assert_int_equal(
		rival_run(&rival_unix, &(struct rival_params){.producers = 9, .payload_bytes = 64}, &result, &err),
		-EINVAL);
	assert_int_equal(
		rival_run(&rival_unix, &(struct rival_params){.producers = 1, .payload_bytes = 7}, &result, &err),
		-EINVAL);
}

/* --- transports that are not right: each message damaged, doubled or left out from the tenth on */

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
	const struct rival_params params = {.producers = 1, .payload_bytes = 64, .messages_min = 20};
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

/* --- a producer that is done keeps its end open until all is read */

static _Atomic bool *is_closed; /* shared by both sides */

static void close_seen(void *end)
{
	atomic_store(is_closed, true);
	rival_unix.close_producer(end);
}

/* The pause lets a producer that would close too early do so; one that does not is never hurried. */
static int receive_late(void *end, struct rival_header *ret_header, const uint8_t **ret_payload, bool *ret_is_checked)
{
	if (++calls == 1)
		nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
	if (atomic_load(is_closed))
		return -EPIPE;
	return rival_unix.receive(end, ret_header, ret_payload, ret_is_checked);
}

static void test_ends_stay_until_all_is_read(void **state)
{
	const struct rival_params params = {.producers = 1, .payload_bytes = 64, .messages_min = 20};
	struct rival watched = rival_unix;
	struct rival_result result;
	struct enrg_error err = {0};

	(void)state;
	is_closed = pair_map(sizeof(*is_closed));
	assert_non_null(is_closed);
	watched.close_producer = close_seen;
	watched.receive = receive_late;
	assert_int_equal(rival_run(&watched, &params, &result, &err), 0);
	assert_true(atomic_load(is_closed));
	pair_unmap((void *)is_closed, sizeof(*is_closed));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_producer),
		cmocka_unit_test(test_several_producers),
		cmocka_unit_test(test_given_rate),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_faults_are_found),
		cmocka_unit_test(test_ends_stay_until_all_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
