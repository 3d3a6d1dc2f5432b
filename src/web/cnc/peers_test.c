/* peers_test.c: what is counted of connections, and how often it is said. Time is what the test says. */
#include "web/cnc/peers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "web/cnc/notices.h"

#define SECOND_NS 1000000000ull

static unsigned storm(struct peers *peers, uint64_t connection, uint64_t second, unsigned messages)
{
	unsigned taken = 0;

	for (unsigned i = 0; i < messages; i++)
		taken += peers_count(peers, connection, (second + 10) * SECOND_NS + i, 1000);
	return taken;
}

static void each_by_itself(void **state)
{
	struct peers *peers = calloc(1, sizeof(*peers));

	(void)state;
	assert_int_equal(storm(peers, 1, 0, 10000), 1000);
	assert_int_equal(storm(peers, 2, 0, 500), 500);
	assert_int_equal(storm(peers, 1, 0, 10), 0);
	assert_int_equal(storm(peers, 1, 1, 10000), 1000);
	/* More connections than places: the newest are counted. */
	for (uint64_t i = 0; i < 3 * PEERS_MAX; i++)
		assert_int_equal(storm(peers, 100 + i, 2, 1200), 1000);
	free(peers);
}

static void said_seldom(void **state)
{
	struct notices *notices = calloc(1, sizeof(*notices));
	unsigned kept, said = 0;
	char who[32];

	(void)state;
	assert_true(notice_take(notices, NOTICE_BAD, "a", 20 * SECOND_NS, &kept));
	for (unsigned i = 0; i < 5; i++)
		assert_false(notice_take(notices, NOTICE_BAD, "a", 21 * SECOND_NS, &kept));
	assert_true(notice_take(notices, NOTICE_NAME, "a", 21 * SECOND_NS, &kept));
	assert_int_equal(kept, 0);
	assert_true(notice_take(notices, NOTICE_BAD, "b", 21 * SECOND_NS, &kept));
	assert_true(notice_take(notices, NOTICE_BAD, "a", 30 * SECOND_NS, &kept));
	assert_int_equal(kept, 5);
	assert_false(notice_take(notices, NOTICE_BAD, "a", 89 * SECOND_NS, &kept)); /* a minute now */
	assert_true(notice_take(notices, NOTICE_BAD, "a", 90 * SECOND_NS, &kept));
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(who, sizeof(who), "%u", i);
		said += notice_take(notices, NOTICE_BAD, who, 110 * SECOND_NS, &kept);
	}
	assert_int_equal(said, NOTICE_BUDGET);
	free(notices);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_by_itself), cmocka_unit_test(said_seldom)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
