/* bus_test.c: broker and clients over real sockets, and what hostile peers can do to them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <zmq.h>

#include "base/clock.h"
#include "bus/bus.h"

#define PATIENCE_NS 20000000000u /* how long a test waits for what must come */

struct place {
	char folder[64], publish[128], subscribe[128];
	struct broker *broker;
};

static int place_setup(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	struct enrg_error err = {0};

	strcpy(place->folder, "/tmp/enrg-bus-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	snprintf(place->publish, sizeof(place->publish), "ipc://%s/pub", place->folder);
	snprintf(place->subscribe, sizeof(place->subscribe), "ipc://%s/sub", place->folder);
	if (broker_start(place->publish, place->subscribe, &place->broker, &err))
		fail_msg("%s", err.text);
	*state = place;
	return 0;
}

static int place_teardown(void **state)
{
	struct place *place = *state;
	char path[128];

	broker_stop(place->broker);
	snprintf(path, sizeof(path), "%s/pub", place->folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/sub", place->folder);
	unlink(path);
	assert_int_equal(rmdir(place->folder), 0);
	free(place);
	return 0;
}

static struct bus_client *join(const struct place *place, const char *job)
{
	struct bus_client_params params = {.publish_url = place->publish,
		.subscribe_url = place->subscribe,
		.supervisor = "lab",
		.job = job,
		.job_type = "DAQJobTest"};
	struct bus_client *client;
	struct enrg_error err = {0};

	if (bus_client_create(&params, &client, &err))
		fail_msg("%s", err.text);
	return client;
}

static void say(struct bus_client *client, const char *topic, const char *kind, int number)
{
	json_t *body = json_pack("{s:i}", "n", number);

	assert_int_equal(bus_client_send(client, topic, kind, body, NULL), 0);
	json_decref(body);
}

/* Sends until the other end hears: a new subscription takes a moment to get around. Returns with the queue empty. */
static void settle(struct bus_client *from, struct bus_client *to, const char *topic)
{
	uint64_t until = clock_mono_ns() + PATIENCE_NS;
	char heard[TOPIC_BYTES_MAX + 1];
	struct envelope envelope;

	for (int number = -1000000;; number++) {
		say(from, topic, "settle", number);
		int status = bus_client_recv(to, 10, heard, sizeof(heard), &envelope, NULL);
		assert_true(clock_mono_ns() < until);
		if (status != 1)
			continue;
		/* Take all up to the last one sent. */
		for (;;) {
			int heard_number = (int)json_integer_value(json_object_get(envelope.body, "n"));
			envelope_fini(&envelope);
			if (heard_number == number)
				return;
			assert_int_equal(bus_client_recv(to, 10000, heard, sizeof(heard), &envelope, NULL), 1);
		}
	}
}

static void test_two_clients(void **state)
{
	const struct place *place = *state;
	struct bus_client *one = join(place, "one"), *two = join(place, "two");
	char topic[TOPIC_BYTES_MAX + 1];
	struct envelope envelope;

	assert_int_equal(bus_client_subscribe(two, "stats.supervisor.", NULL), 0);
	settle(one, two, "stats.supervisor.lab");
	for (int i = 0; i < 1000; i++)
		say(one, i % 2 ? "stats.supervisor.lab" : "traces.supervisor.lab", "stats", i);
	for (int i = 1; i < 1000; i += 2) {
		assert_int_equal(bus_client_recv(two, 10000, topic, sizeof(topic), &envelope, NULL), 1);
		assert_string_equal(topic, "stats.supervisor.lab");
		assert_string_equal(envelope.kind, "stats");
		assert_string_equal(envelope.job, "one");
		assert_string_equal(envelope.supervisor, "lab");
		assert_string_equal(envelope.job_type, "DAQJobTest");
		assert_int_equal(envelope.pid, getpid());
		assert_int_equal(json_integer_value(json_object_get(envelope.body, "n")), i);
		envelope_fini(&envelope);
	}
	assert_int_equal(bus_client_recv(two, 0, topic, sizeof(topic), &envelope, NULL), 0);
	assert_int_equal(bus_client_recv(two, 5, topic, sizeof(topic), &envelope, NULL), 0);
	assert_int_equal(bus_client_malformed(two), 0);
	bus_client_destroy(one);
	bus_client_destroy(two);
}

/* What nobody reads is not even written: no report of a thousand idle jobs. */
static void test_nobody_reads(void **state)
{
	const struct place *place = *state;
	struct bus_client *one = join(place, "one"), *two;

	assert_false(bus_client_is_wanted(one, "stats.supervisor.lab"));
	for (int i = 0; i < 10; i++)
		say(one, "stats.supervisor.lab", "stats", i);
	assert_int_equal(bus_client_sent_bytes(one), 0);
	two = join(place, "two");
	assert_int_equal(bus_client_subscribe(two, "stats.", NULL), 0);
	settle(one, two, "stats.supervisor.lab");
	assert_true(bus_client_is_wanted(one, "stats.supervisor.lab"));
	assert_false(bus_client_is_wanted(one, "traces.supervisor.lab"));
	assert_true(bus_client_sent_bytes(one) > 0);
	bus_client_destroy(two);
	for (uint64_t until = clock_mono_ns() + 10000000000u; bus_client_is_wanted(one, "stats.supervisor.lab");) {
		struct pollfd news = {.fd = bus_client_wishes_descriptor(one), .events = POLLIN};
		assert_true(clock_mono_ns() < until);
		poll(&news, 1, 10);
	}
	bus_client_destroy(one);
}

/* Of all subscriptions with one first word a publisher gets one, whether they came before it or after it. */
static void test_publisher_keeps_few_subscriptions(void **state)
{
	const struct place *place = *state;
	struct bus_client *one = join(place, "one"), *two = join(place, "two");
	void *context = zmq_ctx_new(), *publisher = zmq_socket(context, ZMQ_XPUB);
	char topic[64], greeting[64];
	int count;

	for (int i = 0; i < 100; i++) {
		snprintf(topic, sizeof(topic), "word.early%d", i);
		assert_int_equal(bus_client_subscribe(two, topic, NULL), 0);
	}
	settle(one, two, topic);
	assert_int_equal(zmq_connect(publisher, place->publish), 0);
	for (unsigned i = 0; i < 2; i++) { /* the broker's own and "word", in any order */
		count = zmq_recv(publisher, greeting, sizeof(greeting), 0);
		assert_true(count == 5 ? !memcmp(greeting, "\1word", 5) : !memcmp(greeting, "\1bus.greeting", 13));
	}
	for (int i = 0; i < 100; i++) {
		snprintf(topic, sizeof(topic), "word.late%d", i);
		assert_int_equal(bus_client_subscribe(two, topic, NULL), 0);
	}
	settle(one, two, topic);
	assert_int_equal(bus_client_subscribe(two, "last", NULL), 0);
	assert_int_equal(zmq_recv(publisher, greeting, sizeof(greeting), 0), 5);
	assert_memory_equal(greeting, "\1last", 5);
	zmq_close(publisher);
	zmq_ctx_term(context);
	bus_client_destroy(one);
	bus_client_destroy(two);
}

/* Who joins after a subscription is there loses nothing, not even the first message. */
static void test_first_message_arrives(void **state)
{
	const struct place *place = *state;
	struct bus_client *listener = join(place, "supervisor"), *first = join(place, "first");
	char topic[TOPIC_BYTES_MAX + 1];
	struct envelope envelope;

	assert_int_equal(bus_client_subscribe(listener, "alerts", NULL), 0);
	settle(first, listener, "alerts");
	for (int i = 0; i < 20; i++) {
		struct bus_client *client = join(place, "late");
		say(client, "alerts", "alert", i);
		assert_int_equal(bus_client_recv(listener, 10000, topic, sizeof(topic), &envelope, NULL), 1);
		assert_int_equal(json_integer_value(json_object_get(envelope.body, "n")), i);
		envelope_fini(&envelope);
		bus_client_destroy(client);
	}
	bus_client_destroy(first);
	bus_client_destroy(listener);
}

static void test_descriptor(void **state)
{
	const struct place *place = *state;
	struct bus_client *one = join(place, "one"), *two = join(place, "two");
	char topic[TOPIC_BYTES_MAX + 1];
	struct envelope envelope;

	assert_int_equal(bus_client_subscribe(two, "x", NULL), 0);
	settle(one, two, "x");
	assert_int_equal(bus_client_recv(two, 0, topic, sizeof(topic), &envelope, NULL), 0);
	say(one, "x", "stats", 1);
	int heard = 0;
	while (!heard) {
		struct pollfd item = {.fd = bus_client_descriptor(two), .events = POLLIN};
		assert_int_equal(poll(&item, 1, 10000), 1);
		heard = bus_client_recv(two, 0, topic, sizeof(topic), &envelope, NULL);
	}
	assert_int_equal(heard, 1);
	envelope_fini(&envelope);
	bus_client_destroy(one);
	bus_client_destroy(two);
}

static void send_frames(void *socket, unsigned count, const char *topic, const void *bytes, size_t byte_count)
{
	assert_true(zmq_send(socket, topic, strlen(topic), count > 1 ? ZMQ_SNDMORE : 0) >= 0);
	for (unsigned i = 1; i < count; i++)
		assert_true(zmq_send(socket, bytes, byte_count, i + 1 < count ? ZMQ_SNDMORE : 0) >= 0);
}

/* A peer that speaks ZeroMQ but not our protocol. Its messages are refused by the broker or by the client that gets
 * them, each counted; the others go on. */
static void test_malformed_messages(void **state)
{
	const struct place *place = *state;
	struct bus_client *one = join(place, "one"), *two = join(place, "two");
	void *context = zmq_ctx_new(), *hostile = zmq_socket(context, ZMQ_XPUB);
	char topic[TOPIC_BYTES_MAX + 1], greeting[64];
	struct envelope envelope;
	struct enrg_error err = {0};

	assert_int_equal(bus_client_subscribe(two, "x", NULL), 0);
	settle(one, two, "x");
	assert_int_equal(zmq_connect(hostile, place->publish), 0);
	/* Both subscriptions that the broker sends on: its own and "x". */
	assert_true(zmq_recv(hostile, greeting, sizeof(greeting), 0) > 0);
	assert_true(zmq_recv(hostile, greeting, sizeof(greeting), 0) > 0);

	char longest[TOPIC_BYTES_MAX + 2];
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	send_frames(hostile, 1, "x", NULL, 0);
	send_frames(hostile, 3, "x", "abc", 3);
	send_frames(hostile, 50, "x", "abc", 3);
	send_frames(hostile, 2, longest, "abc", 3);
	for (int i = 0; i < 100; i++) {
		uint8_t noise[64];
		for (unsigned at = 0; at < sizeof(noise); at++)
			noise[at] = (uint8_t)rand();
		send_frames(hostile, 2, "x", noise, (size_t)i % sizeof(noise));
	}
	for (int i = 0; i < 100; i++) {
		assert_int_equal(bus_client_recv(two, 10000, topic, sizeof(topic), &envelope, &err), ENRG_E_PROTOCOL);
		assert_non_null(strstr(err.text, "malformed"));
	}
	assert_int_equal(bus_client_malformed(two), 100);
	assert_int_equal(broker_refused(place->broker), 4);
	/* A topic longer than the caller's buffer is refused too, not cut. */
	say(one, "xxxxxxxxxxxxxxxx", "stats", 1);
	assert_int_equal(bus_client_recv(two, 10000, topic, 8, &envelope, &err), ENRG_E_PROTOCOL);
	say(one, "x", "stats", 1);
	assert_int_equal(bus_client_recv(two, 10000, topic, sizeof(topic), &envelope, NULL), 1);
	envelope_fini(&envelope);
	zmq_close(hostile);
	zmq_ctx_term(context);
	bus_client_destroy(one);
	bus_client_destroy(two);
}

/* Speaks ZMTP 3.0 by hand as a "SUB" or "PUB": what ZeroMQ's own sockets would not send. */
static int connect_raw(const char *url, const char *type)
{
	static const char greeting[64] = "\xff\0\0\0\0\0\0\0\0\x7f\3\0NULL";
	char ready[] = "\4\x19\5READY\xbSocket-Type\0\0\0\3???";
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(ready + sizeof(ready) - 4, type, 3);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", url + strlen("ipc://"));
	assert_int_equal(connect(descriptor, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(send(descriptor, greeting, sizeof(greeting), MSG_NOSIGNAL), sizeof(greeting));
	assert_int_equal(send(descriptor, ready, sizeof(ready) - 1, MSG_NOSIGNAL), sizeof(ready) - 1);
	return descriptor;
}

static void send_raw_frame(int descriptor, const char *bytes, size_t count)
{
	uint8_t head[9] = {2};

	for (unsigned i = 0; i < 8; i++)
		head[1 + i] = (uint8_t)(count >> (56 - 8 * i));
	send(descriptor, head, sizeof(head), MSG_NOSIGNAL);
	/* Stops where the broker hangs up. */
	for (size_t at = 0; at < count;) {
		ssize_t sent = send(descriptor, bytes + at, count - at, MSG_NOSIGNAL);
		if (sent <= 0)
			return;
		at += (size_t)sent;
	}
}

/* Until the broker hangs up, which it must. */
static void expect_hangup(int descriptor)
{
	char bytes[256];
	ssize_t count;
	struct pollfd item = {.fd = descriptor, .events = POLLIN};

	do {
		assert_int_equal(poll(&item, 1, 20000), 1);
		count = recv(descriptor, bytes, sizeof(bytes), 0);
	} while (count > 0);
	close(descriptor);
}

/* Megabytes as a subscription (ZeroMQ's tables of them recurse once a byte), a frame that claims 2^60 bytes, bytes that
 * are no ZMTP at all, and an envelope beyond the largest: ZeroMQ hangs up, the broker goes on. */
static void test_oversize(void **state)
{
	const struct place *place = *state;
	struct bus_client *one = join(place, "one"), *two = join(place, "two");
	size_t count = 4u << 20;
	char *bytes = malloc(count);

	memset(bytes, 1, count);
	assert_int_equal(bus_client_subscribe(two, "x", NULL), 0);
	settle(one, two, "x");
	int descriptor = connect_raw(place->subscribe, "SUB");
	send_raw_frame(descriptor, bytes, count);
	expect_hangup(descriptor);
	settle(one, two, "x");
	descriptor = connect_raw(place->subscribe, "SUB");
	assert_int_equal(send(descriptor, "\2\x10\0\0\0\0\0\0\0", 9, MSG_NOSIGNAL), 9);
	expect_hangup(descriptor);
	descriptor = connect_raw(place->publish, "PUB");
	send_raw_frame(descriptor, bytes, count);
	expect_hangup(descriptor);
	settle(one, two, "x");
	assert_int_equal(bus_client_malformed(two), 0);
	bus_client_destroy(one);
	bus_client_destroy(two);
	free(bytes);
}

/* The supervisor dies and comes back: clients find the new broker by themselves. */
static void test_broker_restart(void **state)
{
	struct place *place = *state;
	struct bus_client *one = join(place, "one"), *two = join(place, "two");

	assert_int_equal(bus_client_subscribe(two, "x", NULL), 0);
	settle(one, two, "x");
	broker_stop(place->broker);
	place->broker = NULL;
	for (int i = 0; i < 100; i++)
		say(one, "x", "stats", i); /* lost, and nobody waits */
	assert_int_equal(broker_start(place->publish, place->subscribe, &place->broker, NULL), 0);
	settle(one, two, "x");
	bus_client_destroy(one);
	bus_client_destroy(two);
}

static void test_no_broker(void **state)
{
	struct place *place = *state;
	struct bus_client_params params = {.publish_url = "ipc:///tmp/enrg-bus-nobody-pub",
		.subscribe_url = "ipc:///tmp/enrg-bus-nobody-sub",
		.supervisor = "lab"};
	struct bus_client *client;

	(void)place;
	uint64_t start = clock_mono_ns();
	assert_int_equal(bus_client_create(&params, &client, NULL), 0);
	for (int i = 0; i < 100; i++)
		say(client, "x", "stats", i);
	bus_client_destroy(client);
	assert_true(clock_mono_ns() - start < 5000000000u);
}

static void test_addresses(void **state)
{
	const struct place *place = *state;
	struct broker *broker;
	struct enrg_error err = {0};
	char url[256];

	memset(url, 'x', sizeof(url));
	memcpy(url, "ipc:///tmp/", 11);
	url[sizeof(url) - 1] = 0;
	assert_int_equal(broker_start(url, place->subscribe, &broker, &err), ENRG_E_CONFIG);
	assert_non_null(strstr(err.text, "107 bytes"));
	assert_int_equal(broker_start("udp://x", place->subscribe, &broker, &err), ENRG_E_CONFIG);
	assert_int_equal(broker_start(NULL, place->subscribe, &broker, &err), ENRG_E_CONFIG);
	assert_int_equal(broker_start("ipc:///nowhere/at/all", "ipc:///nowhere/b", &broker, &err), -ENOENT);
	assert_non_null(strstr(err.text, "bind ipc:///nowhere/at/all"));
	broker_stop(NULL);
	bus_client_destroy(NULL);
}

/* Switches of the processor that all threads of this process made. */
static long switches(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_nvcsw;
}

static void test_idle(void **state)
{
	const struct place *place = *state;
	struct bus_client *one = join(place, "one"), *two = join(place, "two");
	struct envelope envelope;
	char topic[TOPIC_BYTES_MAX + 1];

	assert_int_equal(bus_client_subscribe(two, "x", NULL), 0);
	settle(one, two, "x");
	long before = switches();
	assert_int_equal(bus_client_recv(two, 1000, topic, sizeof(topic), &envelope, NULL), 0);
#ifdef __SANITIZE_THREAD__
	before += 1000; /* the sanitizer's own thread wakes often */
#endif
	assert_true(switches() - before < 10);
	bus_client_destroy(one);
	bus_client_destroy(two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_two_clients, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(test_nobody_reads, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(test_publisher_keeps_few_subscriptions, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(test_first_message_arrives, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(test_descriptor, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(test_malformed_messages, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(test_oversize, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(test_broker_restart, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(test_no_broker, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(test_addresses, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(test_idle, place_setup, place_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
