/* websocket_test.c: frames of a client, whole, in pieces and wrong. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/http/websocket.h"

#define SECOND_NS UINT64_C(1000000000)

static struct post post;
static struct websocket *websocket;
static char seen[400];
static size_t seen_bytes;

static void on_message(void *context, uint64_t socket, const void *bytes, size_t count, bool is_binary)
{
	size_t at = strlen(seen);

	(void)context;
	assert_int_equal(socket, websocket->id);
	seen_bytes = count;
	snprintf(seen + at, sizeof(seen) - at, "%c:%.*s;", is_binary ? 'b' : 't', count < 20 ? (int)count : 3,
		(const char *)bytes);
}

static int open_one(void **state)
{
	static const struct http_params params = {.on_socket_message = on_message};

	(void)state;
	seen[0] = '\0';
	assert_int_equal(post_init(&post, 4), 0);
	assert_int_equal(websocket_create(POST_SLOTS + 2, &post, &params, 30 * SECOND_NS, &websocket), 0);
	return 0;
}

static int close_it(void **state)
{
	(void)state;
	websocket_destroy(websocket);
	post_fini(&post);
	return 0;
}

/* A client's frame, masked. */
static size_t frame(unsigned char first, const void *payload, size_t count, unsigned char *ret_frame)
{
	static const unsigned char mask[4] = {0x12, 0x34, 0x56, 0x78};
	size_t head = frame_format_head(FRAME_TEXT, count, ret_frame);

	ret_frame[0] = first;
	ret_frame[1] |= 0x80;
	memcpy(ret_frame + head, mask, 4);
	for (size_t i = 0; i < count; i++)
		ret_frame[head + 4 + i] = ((const unsigned char *)payload)[i] ^ mask[i % 4];
	return head + 4 + count;
}

static void receive(unsigned char first, const void *payload, size_t count)
{
	unsigned char *bytes = malloc(count + FRAME_HEAD_MAX);

	websocket_receive(websocket, bytes, frame(first, payload, count, bytes), SECOND_NS);
	free(bytes);
}

static void receive_text(unsigned char first, const char *text)
{
	receive(first, text, strlen(text));
}

/* The next that is sent, as kind and text. */
static void assert_sent(unsigned char first, const char *text)
{
	unsigned char bytes[1000];
	size_t count = websocket_fill(websocket, bytes, sizeof(bytes), SECOND_NS);

	assert_int_equal(count, 2 + strlen(text));
	assert_int_equal(bytes[0], first);
	assert_int_equal(bytes[1], strlen(text));
	assert_memory_equal(bytes + 2, text, strlen(text));
}

static void assert_closed(uint16_t code)
{
	unsigned char bytes[1000];
	size_t count = websocket_fill(websocket, bytes, sizeof(bytes), SECOND_NS);

	assert_true(count >= 4);
	assert_int_equal(bytes[0], 0x88);
	assert_int_equal(bytes[2] << 8 | bytes[3], code);
	assert_int_equal(websocket_fill(websocket, bytes, sizeof(bytes), SECOND_NS), 0);
}

static void messages_are_joined(void **state)
{
	(void)state;
	receive_text(0x81, "one");
	receive_text(0x82, "two");
	receive_text(0x01, "th");
	receive_text(0x89, "?"); /* a ping between two parts */
	receive_text(0x00, "r");
	receive_text(0x80, "ee");
	receive_text(0x81, "");
	assert_string_equal(seen, "t:one;b:two;t:three;t:;");
	assert_sent(0x8a, "?");
	assert_false(websocket_has_output(websocket));
}

static void bytes_may_come_one_by_one(void **state)
{
	unsigned char bytes[400];
	size_t count = frame(0x01, "fi", 2, bytes);

	(void)state;
	count += frame(0x80, "ve", 2, bytes + count);
	count += frame(0x82, "six", 3, bytes + count);
	for (size_t i = 0; i < count; i++)
		websocket_receive(websocket, bytes + i, 1, SECOND_NS);
	assert_string_equal(seen, "t:five;b:six;");
}

static void sizes_are_bounded(void **state)
{
	static char big[WEBSOCKET_MESSAGE_MAX + 1];

	(void)state;
	memset(big, 'x', sizeof(big));
	receive(0x82, big, 126);
	assert_int_equal(seen_bytes, 126);
	receive(0x82, big, 65535);
	assert_int_equal(seen_bytes, 65535);
	receive(0x82, big, WEBSOCKET_MESSAGE_MAX);
	assert_int_equal(seen_bytes, WEBSOCKET_MESSAGE_MAX);
	receive(0x02, big, 40000);
	receive(0x80, big, 25536);
	assert_int_equal(seen_bytes, WEBSOCKET_MESSAGE_MAX);
	receive(0x02, big, 40000);
	receive(0x80, big, 25537);
	assert_closed(1009);
	assert_string_equal(seen, "b:xxx;b:xxx;b:xxx;b:xxx;");
}

static void what_is_wrong_closes_it(void **state)
{
	static const struct {
		const char *bytes;
		size_t count;
		uint16_t code;
	} cases[] = {
		{"\x81\x01x", 3, 1002}, /* no mask */
		{"\xc1\x80"
		 "1234",
			6, 1002}, /* a reserved bit */
		{"\x83\x80"
		 "1234",
			6, 1002}, /* a reserved kind */
		{"\x8b\x80"
		 "1234",
			6, 1002}, /* a reserved control kind */
		{"\x80\x80"
		 "1234",
			6, 1002}, /* continues nothing */
		{"\x01\x80"
		 "1234"
		 "\x81\x80"
		 "1234",
			12, 1002}, /* begins within */
		{"\x09\x80"
		 "1234",
			6, 1002}, /* a ping in parts */
		{"\x89\xfe\x00\x7e"
		 "1234",
			8, 1002}, /* a ping of 126 bytes */
		{"\x81\xfe\x00\x7d"
		 "1234",
			8, 1002}, /* 125 as two bytes */
		{"\x81\xff\0\0\0\0\0\0\xff\xff"
		 "1234",
			14, 1002}, /* 65535 as eight */
		{"\x81\xff\x80\0\0\0\0\x01\0\0"
		 "1234",
			14, 1002}, /* the highest bit */
		{"\x81\xff\0\0\0\0\0\x01\0\x01"
		 "1234",
			14, 1009},                         /* 65537 */
		{"\x81\x81\0\0\0\0\xff", 7, 1007},         /* not UTF-8 */
		{"\x81\x82\0\0\0\0\xc3\x28", 8, 1007},     /* neither */
		{"\x88\x81\0\0\0\0x", 7, 1002},            /* half a code */
		{"\x88\x82\0\0\0\0\x03\xed", 8, 1002},     /* 1005 */
		{"\x88\x82\0\0\0\0\x13\x88", 8, 1002},     /* 5000 */
		{"\x88\x83\0\0\0\0\x03\xe8\xff", 9, 1002}, /* a reason that is not UTF-8 */
		{"\x88\x82\0\0\0\0\x03\xe9", 8, 1001},
		{"\x88\x82\0\0\0\0\x0f\xa0", 8, 4000},
		{"\x88\x80\0\0\0\0", 6, 1000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t step = 1; step <= cases[i].count; step += cases[i].count - 1) {
			for (size_t at = 0; at < cases[i].count; at += step)
				websocket_receive(websocket, cases[i].bytes + at, step, SECOND_NS);
			assert_closed(cases[i].code);
			receive_text(0x81, "after");
			assert_string_equal(seen, "");
			close_it(NULL);
			open_one(NULL);
		}
	}
}

static void a_close_of_both_sides_ends_it(void **state)
{
	(void)state;
	post_close(&post, websocket->id, 1001, "the server ends");
	assert_true(websocket_has_output(websocket));
	assert_sent(0x88, "\x03\xe9the server ends");
	assert_false(websocket_is_over(websocket, SECOND_NS));
	receive_text(0x81, "late");
	receive(0x88, "\x03\xe9", 2);
	assert_string_equal(seen, "");
	assert_true(websocket_is_over(websocket, SECOND_NS));
}

static void a_close_that_nobody_answers_ends_it(void **state)
{
	(void)state;
	post_close(&post, websocket->id, 1001, "");
	assert_sent(0x88, "\x03\xe9");
	assert_false(websocket_is_over(websocket, 3 * SECOND_NS / 2));
	assert_true(websocket_is_over(websocket, 3 * SECOND_NS));
}

static void pings_want_pongs(void **state)
{
	uint64_t now_ns = websocket->next_ping_ns + 1;

	(void)state;
	assert_false(websocket_is_over(websocket, now_ns - 2));
	assert_false(websocket_has_output(websocket));
	assert_false(websocket_is_over(websocket, now_ns));
	assert_sent(0x89, "");
	receive_text(0x8a, "");
	assert_false(websocket_is_over(websocket, now_ns + 29 * SECOND_NS));
	assert_false(websocket_has_output(websocket));
	assert_false(websocket_is_over(websocket, now_ns + 31 * SECOND_NS));
	assert_sent(0x89, "");
	assert_false(websocket_is_over(websocket, now_ns + 60 * SECOND_NS));
	assert_true(websocket_is_over(websocket, now_ns + 62 * SECOND_NS));
}

static void large_messages_go_in_pieces(void **state)
{
	static char large[100000];
	unsigned char bytes[4096];
	size_t total = 0, count;

	(void)state;
	post_send(&post, websocket->id, web_bytes_create(large, sizeof(large)), true);
	receive_text(0x89, "p");
	receive_text(0x89, "pp"); /* the newest is answered */
	websocket->owes_pong = false;
	while ((count = websocket_fill(websocket, bytes, sizeof(bytes), SECOND_NS))) {
		if (!total) {
			assert_memory_equal(bytes, "\x82\x7f\0\0\0\0\0\x01\x86\xa0", 10);
			receive_text(0x89, "q"); /* its pong waits for the end of the message */
		}
		total += count;
		if (total == 10 + sizeof(large))
			break;
		assert_int_equal(count, sizeof(bytes));
	}
	assert_int_equal(total, 10 + sizeof(large));
	assert_sent(0x8a, "q");
}

static void a_queue_that_nobody_takes_is_closed(void **state)
{
	struct web_bytes *bytes = web_bytes_create("x", 1);

	(void)state;
	for (int i = 0; i < POST_MESSAGES_MAX; i++)
		post_send(&post, websocket->id, web_bytes_hold(bytes), false);
	assert_int_equal(post_waiting(&post, websocket->id), POST_MESSAGES_MAX);
	assert_sent(0x81, "x");
	post_send(&post, websocket->id, web_bytes_hold(bytes), false);
	post_send(&post, websocket->id, web_bytes_hold(bytes), false); /* one too many */
	assert_closed(1013);
	assert_int_equal(atomic_load(&bytes->references), 1 + POST_MESSAGES_MAX);
	close_it(NULL);
	assert_int_equal(atomic_load(&bytes->references), 1);
	open_one(NULL);
	post_send(&post, websocket->id + POST_SLOTS, web_bytes_hold(bytes), false); /* has gone */
	post_send(&post, 7, bytes, false);
	assert_false(websocket_has_output(websocket));
}

static void bytes_that_wait_are_bounded(void **state)
{
	struct web_bytes *bytes = web_bytes_create(NULL, 0);

	(void)state;
	web_bytes_release(bytes);
	static char large[POST_BYTES_MAX];
	bytes = web_bytes_create(large, sizeof(large));
	post_send(&post, websocket->id, web_bytes_hold(bytes), true); /* a single one may be large */
	post_send(&post, websocket->id, web_bytes_hold(bytes), true);
	assert_int_equal(post_waiting(&post, websocket->id), 1);
	assert_closed(1013);
	web_bytes_release(bytes);
}

static void too_many_messages_close_it(void **state)
{
	(void)state;
	for (int i = 0; i < WEBSOCKET_MESSAGES_PER_SECOND; i++)
		receive_text(0x81, "x");
	assert_false(websocket_has_output(websocket));
	receive_text(0x81, "x");
	assert_closed(1008);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(messages_are_joined, open_one, close_it),
		cmocka_unit_test_setup_teardown(bytes_may_come_one_by_one, open_one, close_it),
		cmocka_unit_test_setup_teardown(sizes_are_bounded, open_one, close_it),
		cmocka_unit_test_setup_teardown(what_is_wrong_closes_it, open_one, close_it),
		cmocka_unit_test_setup_teardown(a_close_of_both_sides_ends_it, open_one, close_it),
		cmocka_unit_test_setup_teardown(a_close_that_nobody_answers_ends_it, open_one, close_it),
		cmocka_unit_test_setup_teardown(pings_want_pongs, open_one, close_it),
		cmocka_unit_test_setup_teardown(large_messages_go_in_pieces, open_one, close_it),
		cmocka_unit_test_setup_teardown(a_queue_that_nobody_takes_is_closed, open_one, close_it),
		cmocka_unit_test_setup_teardown(bytes_that_wait_are_bounded, open_one, close_it),
		cmocka_unit_test_setup_teardown(too_many_messages_close_it, open_one, close_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
