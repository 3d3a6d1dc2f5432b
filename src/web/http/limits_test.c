/* limits_test.c: who is too slow, too often there, or does not listen. */
#include "fixtures/http_server.h"

#include <sys/resource.h>

static struct reply reply;

static int serve_impatiently(void **state)
{
	(void)state;
	return serve(&(struct http_params){
		.limits = {.request_ms = 300, .idle_ms = 300, .answer_ms = 300, .body_bytes = 100000}});
}

/* A client that was held up between connecting and sending is closed without a word: it tries again. */
static void assert_refused(const char *half, bool trickles)
{
	char byte;

	for (int tries = 0; tries < 50; tries++) {
		int client = connect_client();
		send_text(client, half);
		while (trickles && recv(client, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN) {
			send_text(client, "X: y\r\n");
			usleep(30000);
		}
		read_reply(client, true, &reply);
		bool is_over = reply.status == 0 || is_ended(client);
		close(client);
		assert_true(is_over);
		if (reply.status == 408)
			return;
		assert_int_equal(reply.status, 0);
	}
	fail_msg("never refused: %s", half);
}

static void half_a_request_is_refused(void **state)
{
	(void)state;
	assert_refused("G", false);
	assert_refused("GET / HTTP/1.1\r\nHost: a\r\n", false);
	assert_refused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab", false);
}

/* Each byte comes in time, all together do not. */
static void a_trickle_is_refused(void **state)
{
	(void)state;
	assert_refused("GET / HTTP/1.1\r\nHost: a\r\n", true);
}

static void an_answer_that_does_not_come_is_given_up(void **state)
{
	int client = connect_client();

	(void)state;
	while (ask(client, GET("/keep"), &reply) == 0) {
		close(client);
		client = connect_client();
	}
	assert_int_equal(reply.status, 504);
	assert_true(is_ended(client));
	/* it may still be read, and answered in vain */
	assert_int_equal(served.kept_request->id, atomic_load(&served.kept));
	answer_text(atomic_load(&served.kept), 200, "late");
	close(client);
}

static void who_says_nothing_is_closed(void **state)
{
	int silent = connect_client(), idle = connect_client();

	(void)state;
	while (ask(idle, GET("/"), &reply) == 0) {
		close(idle);
		idle = connect_client();
	}
	assert_int_equal(reply.status, 200);
	assert_true(is_ended(silent));
	assert_true(is_ended(idle));
	close(silent);
	close(idle);
	wait_for_connections(0);
}

static int serve_few(void **state)
{
	(void)state;
	return serve(
		&(struct http_params){.host = "0.0.0.0", .limits = {.connections = 12, .connections_per_address = 4}});
}

static void an_address_has_so_many_connections(void **state)
{
	int clients[12];

	(void)state;
	for (int i = 0; i < 12; i++) {
		clients[i] = connect_from(i < 6 ? "127.0.0.1" : "127.0.0.2", "127.0.0.1");
		send_text(clients[i], "GET / HTTP/1.1\r\n"); /* half a request */
		bool is_taken = i % 6 < 4;
		if (is_taken) {
			wait_for_connections((uint64_t)(i < 6 ? i + 1 : i - 1));
		} else {
			read_reply(clients[i], true, &reply);
			assert_true(reply.status == 503 || reply.status == 0); /* a reset may overtake it */
		}
	}
	assert_int_equal(count_connections(), 8);
	assert_int_equal(count_answers(503), 4);
	int other = connect_from("127.0.0.3", "127.0.0.1");
	assert_int_equal(ask(other, GET("/"), &reply), 200);
	close(other);
	for (int i = 0; i < 12; i++)
		close(clients[i]);
	wait_for_connections(0);
}

static void who_idles_makes_room(void **state)
{
	static const char *const from[] = {"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"};
	int clients[13];

	(void)state;
	for (int i = 0; i < 12; i++) {
		clients[i] = connect_from(from[i / 4], "127.0.0.1");
		if (i == 5 || i == 6)
			assert_int_equal(ask(clients[i], GET("/"), &reply), 200);
		else
			send_text(clients[i], "GET / HTTP/1.1\r\n");
	}
	wait_for_connections(12);
	clients[12] = connect_from("127.0.0.4", "127.0.0.1");
	assert_int_equal(ask(clients[12], GET("/"), &reply), 200);
	assert_true(is_ended(clients[5])); /* idled for longest */
	assert_int_equal(ask(clients[6], GET("/"), &reply), 200);
	for (int i = 0; i < 13; i++)
		close(clients[i]);
	wait_for_connections(0);
}

static int serve_rarely(void **state)
{
	(void)state;
	/* so slowly that no second one is filled in while a test runs */
	return serve(&(struct http_params){.limits = {.gets_per_second = 50, .posts_per_second = 1, .posts_burst = 5}});
}

static void requests_of_an_address_are_counted(void **state)
{
	char requests[500 * sizeof(GET("/"))] = "";
	int client = connect_client();
	unsigned answered = 0, refused = 0;
	size_t at = 0;

	(void)state;
	for (int i = 0; i < 500; i++)
		at += (size_t)sprintf(requests + at, "%s", GET("/"));
	send_text(client, requests);
	for (int i = 0; i < 500; i++) {
		read_reply(client, true, &reply);
		if (reply.status == 200) {
			answered++;
			continue;
		}
		assert_int_equal(reply.status, 429);
		refused++;
		assert_non_null(strstr(reply.head, "\r\nRetry-After: 1\r\n"));
		assert_non_null(strstr(reply.head, "\r\nConnection: keep-alive\r\n"));
		assert_non_null(strstr(reply.body, "{\"detail\": "));
	}
	assert_true(answered >= 50 && refused > 0);
	int other = connect_from("127.0.0.2", "127.0.0.1");
	assert_int_equal(ask(other, GET("/"), &reply), 200); /* others don't notice */
	close(other);
	while (ask(client, GET("/"), &reply) != 200) /* and he is served again */
		usleep(10000);
	close(client);
}

static void posts_are_counted_apart(void **state)
{
	static const char post[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
	int client = connect_from("127.0.0.5", "127.0.0.1");
	unsigned refused = 0;

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(ask(client, post, &reply), 200);
	for (int i = 0; i < 60 && !refused; i++)
		refused += ask(client, post, &reply) == 429;
	assert_int_equal(refused, 1);
	assert_int_equal(ask(client, GET("/"), &reply), 200);
	/* with a body that is not read the connection ends */
	while (ask(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", &reply) == 200)
		continue;
	assert_int_equal(reply.status, 429);
	assert_true(is_ended(client));
	close(client);
}

static int serve_many(void **state)
{
	(void)state;
	return serve(&(struct http_params){.limits = {.connections_per_address = 256, .request_ms = 100000}});
}

/* Requests behind those that are being answered wait where they are: with the client, at last. */
static void push_until_it_is_not_taken(int client)
{
	char requests[8192];
	size_t count = 0, sent = 0;

	while (count + 100 < sizeof(requests))
		count += (size_t)sprintf(requests + count, "%s", GET("/large"));
	for (int refused = 0; refused < 30;) {
		ssize_t taken = send(client, requests, count, MSG_DONTWAIT | MSG_NOSIGNAL);
		assert_true(taken >= 0 || errno == EAGAIN);
		if (taken > 0) {
			sent += (size_t)taken;
			refused = 0;
		} else {
			usleep(10000);
			refused++;
		}
		assert_true(sent < 64 << 20);
	}
}

/* A server that writes to, and reads from, those who do not read costs nothing meanwhile. */
static void who_does_not_read_costs_nothing(void **state)
{
	int clients[8];

	(void)state;
	for (int i = 0; i < 8; i++) {
		clients[i] = connect_client();
		for (int j = 0; j < 20; j++)
			send_text(clients[i], GET("/large"));
	}
	while (count_answers(200) < 8)
		usleep(1000);
	push_until_it_is_not_taken(clients[0]);
	uint64_t cpu_ns = clock_cpu_ns(), begin_ns = clock_mono_ns();
	while (clock_mono_ns() - begin_ns < 400000000)
		usleep(20000);
	assert_true(clock_cpu_ns() - cpu_ns < (clock_mono_ns() - begin_ns) / 4);
	int other = connect_client();
	assert_int_equal(ask(other, GET("/later"), &reply), 200);
	/* and he that begins to read gets all of it */
	read_reply(clients[0], true, &reply);
	assert_int_equal(reply.body_bytes, 4 << 20);
	for (size_t i = 0; i < reply.body_bytes; i++)
		assert_int_equal(reply.body[i], (char)('a' + i % 23));
	read_reply(clients[0], true, &reply);
	assert_int_equal(reply.body_bytes, 4 << 20);
	for (int i = 0; i < 8; i++)
		close(clients[i]);
	close(other);
	wait_for_connections(0);
}

static void a_thousand_stuck_connections_hold_up_nobody(void **state)
{
	enum { STUCK = 1000 };
	static int clients[STUCK];
	struct rlimit files;

	(void)state;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_cur < STUCK + 400)
		skip();
	for (int i = 0; i < STUCK; i++) {
		clients[i] = connect_from(i % 2 ? "127.0.0.7" : "127.0.0.8", "127.0.0.1");
		send_text(clients[i], i % 3 ? "GET / HTTP/1.1\r\nHost: a\r\n"
					    : "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab");
	}
	wait_for_connections(256);
	while (count_answers(503) < STUCK - 256)
		usleep(1000);
	for (int i = 0; i < 200; i += 5) {
		close(clients[i]);
		clients[i] = -1;
	}
	wait_for_connections(256 - 40);
	int other = connect_client();
	assert_int_equal(ask(other, GET("/later"), &reply), 200);
	close(other);
	for (int i = 0; i < STUCK; i++)
		if (clients[i] >= 0)
			close(clients[i]);
	wait_for_connections(0);
}

int main(void)
{
	const struct CMUnitTest impatient[] = {
		cmocka_unit_test(half_a_request_is_refused),
		cmocka_unit_test(a_trickle_is_refused),
		cmocka_unit_test(an_answer_that_does_not_come_is_given_up),
		cmocka_unit_test(who_says_nothing_is_closed),
	};
	const struct CMUnitTest few[] = {
		cmocka_unit_test_setup_teardown(an_address_has_so_many_connections, serve_few, serve_no_more),
		cmocka_unit_test_setup_teardown(who_idles_makes_room, serve_few, serve_no_more),
	};
	const struct CMUnitTest rare[] = {
		cmocka_unit_test(requests_of_an_address_are_counted),
		cmocka_unit_test(posts_are_counted_apart),
	};
	const struct CMUnitTest many[] = {
		cmocka_unit_test(who_does_not_read_costs_nothing),
		cmocka_unit_test(a_thousand_stuck_connections_hold_up_nobody),
	};

	return cmocka_run_group_tests(impatient, serve_impatiently, serve_no_more) +
	       cmocka_run_group_tests(few, NULL, NULL) + cmocka_run_group_tests(rare, serve_rarely, serve_no_more) +
	       cmocka_run_group_tests(many, serve_many, serve_no_more);
}
