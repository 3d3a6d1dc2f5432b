/* interest_test.c: which subscriptions reach the publishers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus/interest.h"

static size_t note(struct interest *interest, int kind, const char *topic)
{
	uint8_t message[1 + TOPIC_BYTES_MAX];

	message[0] = (uint8_t)kind;
	memcpy(message + 1, topic, strlen(topic));
	return interest_note(interest, message, 1 + strlen(topic));
}

static void test_first_words(void **state)
{
	struct interest *interest = calloc(1, sizeof(*interest));
	char topic[64];

	(void)state;
	assert_int_equal(note(interest, 1, "daq_job.first"), 1 + strlen("daq_job"));
	for (int i = 0; i < 1000; i++) {
		snprintf(topic, sizeof(topic), "daq_job.j%d", i);
		assert_int_equal(note(interest, 1, topic), 0);
	}
	assert_int_equal(note(interest, 1, "daq_jobs"), 1 + strlen("daq_jobs"));
	for (int i = 0; i < 1000; i++) {
		snprintf(topic, sizeof(topic), "daq_job.j%d", i);
		assert_int_equal(note(interest, 0, topic), 0);
	}
	assert_int_equal(note(interest, 0, "daq_job.first"), 1 + strlen("daq_job"));
	assert_int_equal(note(interest, 0, "daq_job.first"), 0);
	assert_int_equal(note(interest, 1, "daq_job.again"), 1 + strlen("daq_job"));
	free(interest);
}

/* "" is everything, and is asked for beside what else there is. */
static void test_everything(void **state)
{
	struct interest *interest = calloc(1, sizeof(*interest));

	(void)state;
	assert_int_equal(note(interest, 1, ""), 1);
	assert_int_equal(note(interest, 1, ""), 0);
	assert_int_equal(note(interest, 1, ".x"), 0);
	assert_int_equal(note(interest, 1, "stats"), 6);
	for (int i = 0; i < 2; i++)
		assert_int_equal(note(interest, 0, ""), 0);
	assert_int_equal(note(interest, 0, ".y"), 1);
	free(interest);
}

static void test_longest(void **state)
{
	struct interest *interest = calloc(1, sizeof(*interest));
	uint8_t message[1 + TOPIC_BYTES_MAX];

	(void)state;
	memset(message, 1, sizeof(message));
	assert_int_equal(interest_note(interest, message, sizeof(message)), sizeof(message));
	message[0] = 0;
	assert_int_equal(interest_note(interest, message, sizeof(message)), sizeof(message));
	free(interest);
}

/* Somebody who subscribes to no end makes publishers send everything, and costs nobody memory. */
static void test_too_many_words(void **state)
{
	struct interest *interest = calloc(1, sizeof(*interest));
	char word[32];

	(void)state;
	for (unsigned i = 0; i < INTEREST_WORDS_MAX; i++) {
		int bytes = snprintf(word, sizeof(word), "w%u", i);
		assert_int_equal(note(interest, 1, word), 1 + bytes);
	}
	assert_int_equal(note(interest, 1, "one.more"), 1);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(word, sizeof(word), "x%u", i);
		assert_int_equal(note(interest, 1, word), 0);
	}
	assert_int_equal(note(interest, 0, "w1"), 0); /* nothing is taken back from here on */
	free(interest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_words),
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_too_many_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
