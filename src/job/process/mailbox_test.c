/* mailbox_test.c: order, bounds, and two threads. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "job/process/mailbox.h"

static struct envelope envelope_of(int64_t number, size_t bytes)
{
	struct envelope envelope = {.kind = "stats", .pid = number, .body = json_object(), .wire_bytes = bytes};

	assert_non_null(envelope.body);
	return envelope;
}

static bool put(struct mailbox *mailbox, int64_t number, size_t bytes)
{
	struct envelope envelope = envelope_of(number, bytes);
	bool is_put = mailbox_put(mailbox, "topic", &envelope);

	assert_true(is_put == !envelope.body); /* taken, or left */
	envelope_fini(&envelope);
	return is_put;
}

static void messages_come_in_order_and_are_bounded(void **state)
{
	struct mailbox *mailbox = mailbox_create();
	struct mail *mail;
	int64_t next = 0;

	(void)state;
	assert_non_null(mailbox);
	assert_false(mailbox_has(mailbox));
	assert_null(mailbox_take(mailbox));
	for (int64_t i = 0; i < 1000; i++)
		assert_true(put(mailbox, i, 100) == (i < (int64_t)MAILBOX_MAX));
	while ((mail = mailbox_take(mailbox))) {
		assert_int_equal(mail->envelope.pid, next++);
		assert_string_equal(mail->topic, "topic");
		mail_free(mail);
	}
	assert_int_equal(next, MAILBOX_MAX);
	assert_false(mailbox_has(mailbox));
	assert_true(put(mailbox, 1, 100));
	mailbox_destroy(mailbox); /* with what is in it */
}

static void bytes_are_bounded_and_a_large_one_comes_alone(void **state)
{
	struct mailbox *mailbox = mailbox_create();

	(void)state;
	assert_true(put(mailbox, 0, ENVELOPE_BYTES_MAX));
	assert_false(put(mailbox, 1, 1));
	mail_free(mailbox_take(mailbox));
	assert_true(put(mailbox, 2, MAILBOX_BYTES_MAX - 10));
	assert_true(put(mailbox, 3, 10));
	assert_false(put(mailbox, 4, 1));
	mailbox_destroy(mailbox);
}

static void what_goes_out_is_bounded_too(void **state)
{
	struct mailbox *mailbox = mailbox_create();
	char topic[TOPIC_BYTES_MAX + 2];
	struct mail_out *out;

	(void)state;
	memset(topic, 't', sizeof(topic) - 1);
	topic[sizeof(topic) - 1] = 0;
	assert_int_equal(mailbox_post(mailbox, topic, "x", json_object()), -EINVAL);
	assert_int_equal(mailbox_post_subscription(mailbox, "alerts"), 0);
	for (unsigned i = 1; i < MAILBOX_MAX; i++)
		assert_int_equal(mailbox_post(mailbox, "t", "command", json_integer((json_int_t)i)), 0);
	assert_int_equal(mailbox_post(mailbox, "t", "command", json_object()), -EAGAIN);
	out = mailbox_take_out(mailbox);
	assert_string_equal(out->topic, "alerts");
	assert_string_equal(out->kind, "");
	mail_out_free(out);
	out = mailbox_take_out(mailbox);
	assert_int_equal(json_integer_value(out->body), 1);
	mail_out_free(out);
	mailbox_destroy(mailbox);
}

/* A job may say in each poll what it wants to hear. */
static void a_topic_goes_out_once(void **state)
{
	struct mailbox *mailbox = mailbox_create();
	struct mail_out *out;

	(void)state;
	for (unsigned i = 0; i < 2 * MAILBOX_MAX; i++) {
		assert_int_equal(mailbox_post_subscription(mailbox, "alerts"), 0);
		out = mailbox_take_out(mailbox);
		assert_int_equal(out != NULL, i == 0);
		mail_out_free(out);
	}
	for (unsigned i = 0; i < MAILBOX_MAX; i++)
		assert_int_equal(mailbox_post(mailbox, "t", "command", NULL), 0);
	assert_int_equal(mailbox_post_subscription(mailbox, "stats"), -EAGAIN);
	mail_out_free(mailbox_take_out(mailbox));
	assert_int_equal(mailbox_post_subscription(mailbox, "stats"), 0); /* it had not gone out */
	while ((out = mailbox_take_out(mailbox)) && out->kind[0])
		mail_out_free(out);
	assert_non_null(out);
	assert_string_equal(out->topic, "stats");
	mail_out_free(out);
	mailbox_destroy(mailbox);
}

/* A job that makes up topics grows no list without end. */
static void topics_are_bounded(void **state)
{
	struct mailbox *mailbox = mailbox_create();
	char topic[32];

	(void)state;
	for (unsigned i = 0; i < MAILBOX_TOPICS; i++) {
		snprintf(topic, sizeof(topic), "topic.%u", i);
		assert_int_equal(mailbox_post_subscription(mailbox, topic), 0);
	}
	assert_int_equal(mailbox_post_subscription(mailbox, "one.more"), -ENOSPC);
	assert_int_equal(mailbox_post_subscription(mailbox, "topic.7"), 0);
	mailbox_destroy(mailbox);
}

#define MANY 20000

static void *put_many(void *context)
{
	for (int64_t i = 0; i < MANY; i++)
		while (!put(context, i, 10))
			sched_yield();
	return NULL;
}

static void two_threads_lose_nothing(void **state)
{
	struct mailbox *mailbox = mailbox_create();
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, put_many, mailbox), 0);
	for (int64_t i = 0; i < MANY; i++) {
		struct mail *mail;

		while (!mailbox_has(mailbox))
			sched_yield();
		mail = mailbox_take(mailbox);
		assert_non_null(mail);
		assert_int_equal(mail->envelope.pid, i);
		mail_free(mail);
	}
	pthread_join(thread, NULL);
	mailbox_destroy(mailbox);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_come_in_order_and_are_bounded),
		cmocka_unit_test(bytes_are_bounded_and_a_large_one_comes_alone),
		cmocka_unit_test(what_goes_out_is_bounded_too),
		cmocka_unit_test(a_topic_goes_out_once),
		cmocka_unit_test(topics_are_bounded),
		cmocka_unit_test(two_threads_lose_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
