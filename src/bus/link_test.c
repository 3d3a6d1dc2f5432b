/* link_test.c: batches over ZeroMQ: in order, each once, whoever dies. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#include "base/clock.h"
#include "base/crc32c.h"
#include "bus/link.h"

#define CONSUMER       "DAQJobStoreTest"
#define META_BYTES     24u
#define BODY_BYTES_MAX (256u << 10)
#define ROUTES         3u
#define PATIENCE_NS    30000000000u

struct place {
	char folder[64], stream[128], url[128], rows[128];
	struct stream *producer;
	struct link_sender *sender;
	struct link_receiver *receiver;
	uint64_t resume_position;
	bool has_intruder; /* whose malformed messages may come at any time */
};

/* --- what producer and checker agree on
 * ------------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t number)
{
	number ^= number >> 31;
	number *= 0x9E3779B97F4A7C15ull;
	number ^= number >> 29;
	number *= 0xBF58476D1CE4E5B9ull;
	return number ^ number >> 32;
}

/* Mostly small, some empty, a few large. */
static uint32_t body_bytes_of(uint64_t sequence)
{
	uint64_t number = mix(sequence);

	if (number % 50 == 0)
		return (uint32_t)(number >> 8) % BODY_BYTES_MAX;
	return number % 11 == 0 ? 0 : (uint32_t)(number >> 8) % 4096;
}

static void fill(uint8_t *payload, uint64_t sequence, uint32_t body_bytes)
{
	memset(payload, (int)(sequence & 0xff), META_BYTES);
	for (uint32_t i = 0; i < body_bytes; i++)
		payload[META_BYTES + i] = (uint8_t)(sequence * 31 + i * 7 + (i >> 8));
}

static uint32_t crc_of(uint64_t sequence, uint32_t body_bytes)
{
	uint8_t *bytes = malloc(META_BYTES + body_bytes);

	fill(bytes, sequence, body_bytes);
	uint32_t crc = crc32c(0, bytes, META_BYTES + body_bytes);
	free(bytes);
	return crc;
}

static void commit_one(struct stream *stream, const uint16_t routes[ROUTES], uint64_t sequence, uint32_t body_bytes)
{
	struct stream_claim claim;
	struct stream_commit commit = {
		.route = routes[sequence % ROUTES],
		.type = RECORD_DATA,
		.rows = 1,
		.meta_bytes = META_BYTES,
		.body_bytes = body_bytes,
		.acquired_ns = UINT64_MAX - sequence,
	};

	if (stream_claim(stream, META_BYTES + body_bytes, PATIENCE_NS, &claim))
		abort();
	fill(claim.payload, sequence, body_bytes);
	stream_commit(stream, &commit);
}

static void add_routes(struct stream *stream, uint16_t ret_routes[ROUTES])
{
	for (uint32_t i = 0; i < ROUTES; i++) {
		char tag[16], schema[64];
		snprintf(tag, sizeof(tag), "tag%u", i);
		memset(schema, 'A' + (int)i, sizeof(schema));
		if (stream_add_route(stream,
			    &(struct stream_route){.group = (uint16_t)(10 + i),
				    .tag = tag,
				    .schema = schema,
				    .schema_bytes = sizeof(schema),
				    .flags = i},
			    &ret_routes[i], NULL))
			abort();
	}
}

/* NULL: as it must be; else what is wrong. */
static const char *check_batch(const struct link_batch *batch, uint64_t sequence, uint32_t body_bytes)
{
	const struct record *header = &batch->header;
	uint32_t route = (uint32_t)(sequence % ROUTES);
	char tag[16], schema[64];

	snprintf(tag, sizeof(tag), "tag%u", route);
	memset(schema, 'A' + (int)route, sizeof(schema));
	if (header->sequence != sequence)
		return header->sequence < sequence ? "twice" : "lost";
	if (header->meta_bytes != META_BYTES || header->body_bytes != body_bytes || header->type != RECORD_DATA)
		return "header";
	if (header->acquired_ns != UINT64_MAX - sequence || header->length != batch->end - batch->position)
		return "header numbers";
	if ((uintptr_t)batch->payload % 64)
		return "alignment";
	if (crc32c(0, batch->payload, META_BYTES + body_bytes) != crc_of(sequence, body_bytes))
		return "payload";
	if (crc32c(0, batch->payload, META_BYTES) != header->meta_crc ||
		crc32c(0, batch->payload + META_BYTES, body_bytes) != header->body_crc)
		return "CRC";
	if (crc32c_small(0, header, offsetof(struct record, header_crc)) != header->header_crc)
		return "header CRC";
	if (strcmp(batch->tag, tag) || batch->group != 10 + route || batch->flags != route)
		return "route";
	if (batch->schema_bytes != sizeof(schema) || memcmp(batch->schema_ipc, schema, sizeof(schema)))
		return "schema";
	return strcmp(batch->source, "camera") || strcmp(batch->run, "run1") ? "names" : NULL;
}

/* --- one process: producer, sender and receiver
 * -------------------------------------------------------------------------------- */

static int place_setup(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	struct enrg_error err = {0};

	strcpy(place->folder, "/dev/shm/enrg-link-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	snprintf(place->stream, sizeof(place->stream), "%s/camera.stream", place->folder);
	snprintf(place->url, sizeof(place->url), "ipc://%s/store", place->folder);
	snprintf(place->rows, sizeof(place->rows), "%s/rows", place->folder);
	struct stream_params params = {
		.path = place->stream,
		.source = "camera",
		.run = "run1",
		.supervisor = "lab",
		.data_bytes = 4u << 20,
		.record_bytes_max = META_BYTES + BODY_BYTES_MAX,
		.checks = true,
	};
	if (stream_create(&params, &err) || stream_add_consumer(place->stream, CONSUMER, &err))
		fail_msg("%s", err.text);
	*state = place;
	return 0;
}

static int place_teardown(void **state)
{
	struct place *place = *state;
	char path[128];

	if (place->sender)
		link_sender_stop(place->sender, 0);
	link_receiver_close(place->receiver);
	stream_close(place->producer, false);
	unlink(place->stream);
	unlink(place->rows);
	snprintf(path, sizeof(path), "%s/store", place->folder);
	unlink(path);
	assert_int_equal(rmdir(place->folder), 0);
	free(place);
	return 0;
}

static uint64_t resume_here(void *context, const char *stream_uuid)
{
	struct place *place = context;

	assert_int_equal(strlen(stream_uuid), 32);
	return place->resume_position;
}

static void open_receiver(struct place *place)
{
	struct enrg_error err = {0};

	if (link_receiver_open(place->url, &place->receiver, &err))
		fail_msg("%s", err.text);
	link_receiver_set_resume(place->receiver, resume_here, place);
}

static void start_sender(struct place *place, uint64_t window_bytes)
{
	struct link_sender_params params = {
		.url = place->url,
		.stream_path = place->stream,
		.consumer_name = CONSUMER,
		.store_type = "DAQJobStoreTest",
		.window_bytes = window_bytes,
	};
	struct enrg_error err = {0};

	if (link_sender_start(&params, &place->sender, &err))
		fail_msg("%s", err.text);
}

static void open_all(struct place *place, uint64_t window_bytes, uint16_t ret_routes[ROUTES])
{
	struct enrg_error err = {0};

	if (stream_open(place->stream, 0, &place->producer, &err))
		fail_msg("%s", err.text);
	add_routes(place->producer, ret_routes);
	open_receiver(place);
	start_sender(place, window_bytes);
}

/* The next batch, which must come. */
static void expect_batch(struct place *place, uint64_t sequence, uint32_t body_bytes, struct link_batch *ret_batch)
{
	struct enrg_error err = {0};
	int status = link_receiver_recv(place->receiver, 20000, ret_batch, &err);

	if (status != 1)
		fail_msg("batch %llu: %d %s", (unsigned long long)sequence, status, err.text);
	const char *wrong = check_batch(ret_batch, sequence, body_bytes);
	if (wrong)
		fail_msg("batch %llu (got %llu): %s", (unsigned long long)sequence,
			(unsigned long long)ret_batch->header.sequence, wrong);
}

struct stopper {
	struct link_sender *sender;
	uint64_t timeout_ns;
	int status;
};

static void *stop_main(void *opaque)
{
	struct stopper *stopper = opaque;

	stopper->status = link_sender_stop(stopper->sender, stopper->timeout_ns);
	return NULL;
}

/* Stops the sender while the receiver goes on, as two processes would. */
static int stop_sender(struct place *place)
{
	struct stopper stopper = {.sender = place->sender, .timeout_ns = 20000000000u};
	struct link_batch batch;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, stop_main, &stopper), 0);
	while (pthread_tryjoin_np(thread, NULL) == EBUSY) {
		int status = link_receiver_recv(place->receiver, 5, &batch, NULL);
		assert_true(status == 0 || (status == ENRG_E_PROTOCOL && place->has_intruder));
	}
	place->sender = NULL;
	return stopper.status;
}

static void test_in_order_and_bye(void **state)
{
	struct place *place = *state;
	struct link_batch batch;
	uint16_t routes[ROUTES];

	open_all(place, 0, routes);
	assert_int_equal(link_receiver_open_senders(place->receiver), 0);
	for (uint64_t sequence = 1; sequence <= 300; sequence++) {
		commit_one(place->producer, routes, sequence, body_bytes_of(sequence));
		expect_batch(place, sequence, body_bytes_of(sequence), &batch);
		assert_int_equal(link_receiver_open_senders(place->receiver), 1);
		if (sequence % 7 == 0)
			assert_int_equal(link_receiver_ack(place->receiver, batch.stream_uuid, batch.end), 0);
	}
	assert_int_equal(link_receiver_ack(place->receiver, batch.stream_uuid, batch.end + 64), -EINVAL);
	assert_int_equal(link_receiver_ack(place->receiver, "nobody", 0), -ENOENT);
	assert_int_equal(link_receiver_ack(place->receiver, batch.stream_uuid, batch.end), 0);
	stream_close(place->producer, true);
	place->producer = NULL;
	assert_int_equal(stop_sender(place), 0);
	assert_int_equal(link_receiver_open_senders(place->receiver), 0);

	struct stream_status status;
	assert_int_equal(stream_read_status(place->stream, &status, NULL), 0);
	assert_int_equal(status.consumers[0].ack, batch.end);
	struct link_counters counters;
	link_receiver_get_counters(place->receiver, &counters);
	assert_int_equal(counters.batches, 300);
	assert_int_equal(counters.duplicates + counters.holes + counters.malformed, 0);
}

/* What the producer skipped to go back to the start of its ring is done with, though no batch follows that could be
 * acknowledged: a job that is done waits for it. */
static void test_pad_without_a_batch(void **state)
{
	struct place *place = *state;
	struct stream_claim claim;
	struct link_batch batch;
	uint16_t routes[ROUTES];
	uint64_t until = clock_mono_ns() + PATIENCE_NS;

	if (stream_open(place->stream, 200000, &place->producer, NULL))
		fail();
	add_routes(place->producer, routes);
	open_receiver(place);
	start_sender(place, 0);
	for (uint64_t sequence = 1; sequence <= 4; sequence++) {
		commit_one(place->producer, routes, sequence, 60000);
		expect_batch(place, sequence, 60000, &batch);
		assert_int_equal(link_receiver_ack(place->receiver, batch.stream_uuid, batch.end), 0);
	}
	while (stream_in_flight(place->producer) && clock_mono_ns() < until)
		assert_int_equal(link_receiver_recv(place->receiver, 5, &batch, NULL), 0);
	assert_int_equal(stream_claim(place->producer, 60000, 0, &claim), 0);
	stream_abort(place->producer);
	assert_true(stream_in_flight(place->producer) > 0);
	stream_publish(place->producer);
	while (stream_in_flight(place->producer) && clock_mono_ns() < until)
		assert_int_equal(link_receiver_recv(place->receiver, 5, &batch, NULL), 0);
	assert_int_equal(stream_in_flight(place->producer), 0);
}

/* A batch larger than the window goes alone; each must be acknowledged before the next comes. */
static void test_window_smaller_than_a_batch(void **state)
{
	struct place *place = *state;
	struct link_batch batch, none;
	uint16_t routes[ROUTES];

	open_all(place, 1000, routes);
	for (uint64_t sequence = 1; sequence <= 10; sequence++)
		commit_one(place->producer, routes, sequence, 100000);
	for (uint64_t sequence = 1; sequence <= 10; sequence++) {
		expect_batch(place, sequence, 100000, &batch);
		assert_int_equal(link_receiver_recv(place->receiver, 20, &none, NULL), 0);
		assert_int_equal(link_receiver_ack(place->receiver, batch.stream_uuid, batch.end), 0);
	}
}

/* The store commits only when a sender asks: neither a standstill nor more in flight than the window. */
static void test_slow_receiver(void **state)
{
	struct place *place = *state;
	struct link_batch batch = {0};
	uint16_t routes[ROUTES];
	uint64_t window = 200000, unacked = 0, committed = 0, asked = 0;

	open_all(place, window, routes);
	for (uint64_t i = 1; i <= 200; i++)
		commit_one(place->producer, routes, i, 8000);
	uint64_t until = clock_mono_ns() + PATIENCE_NS, sequence = 1;
	while (sequence <= 200) {
		assert_true(clock_mono_ns() < until);
		int status = link_receiver_recv(place->receiver, 100, &batch, NULL);
		if (status == 1) {
			assert_null(check_batch(&batch, sequence++, 8000));
			unacked += batch.header.length;
			assert_true(unacked <= window);
			committed = batch.end;
		} else {
			assert_int_equal(status, 0);
		}
		if (link_receiver_is_commit_due(place->receiver) && unacked > window / 2) {
			assert_int_equal(link_receiver_ack(place->receiver, batch.stream_uuid, committed), 0);
			assert_false(link_receiver_is_commit_due(place->receiver));
			unacked = 0;
			asked++;
		}
	}
	assert_true(asked >= 7);
}

/* A new life of the store gets everything behind its own last commit once more, nothing before it. */
static void test_receiver_restart(void **state)
{
	struct place *place = *state;
	struct link_batch batch;
	uint16_t routes[ROUTES];
	uint64_t fifth = 0;

	open_all(place, 0, routes);
	for (uint64_t sequence = 1; sequence <= 20; sequence++)
		commit_one(place->producer, routes, sequence, 3000);
	for (uint64_t sequence = 1; sequence <= 10; sequence++) {
		expect_batch(place, sequence, 3000, &batch);
		fifth = sequence == 5 ? batch.end : fifth;
	}
	/* Committed by the store, which dies before it can say so. */
	link_receiver_close(place->receiver);
	place->resume_position = fifth;
	open_receiver(place);
	for (uint64_t sequence = 6; sequence <= 20; sequence++)
		expect_batch(place, sequence, 3000, &batch);
	assert_int_equal(link_receiver_ack(place->receiver, batch.stream_uuid, batch.end), 0);
	assert_int_equal(stop_sender(place), 0);
}

/* A new life of the producer sends again what was not acknowledged; the store has it and does not hand it out again. */
static void test_sender_restart(void **state)
{
	struct place *place = *state;
	struct link_batch batch;
	struct link_counters counters;
	uint16_t routes[ROUTES];

	open_all(place, 0, routes);
	for (uint64_t sequence = 1; sequence <= 10; sequence++)
		commit_one(place->producer, routes, sequence, 3000);
	for (uint64_t sequence = 1; sequence <= 10; sequence++)
		expect_batch(place, sequence, 3000, &batch);
	assert_int_equal(link_sender_stop(place->sender, 0), -ETIMEDOUT);
	start_sender(place, 0);
	for (uint64_t sequence = 11; sequence <= 20; sequence++) {
		commit_one(place->producer, routes, sequence, 3000);
		expect_batch(place, sequence, 3000, &batch);
	}
	link_receiver_get_counters(place->receiver, &counters);
	assert_int_equal(counters.duplicates, 10);
	assert_int_equal(link_receiver_ack(place->receiver, batch.stream_uuid, batch.end), 0);
	assert_int_equal(stop_sender(place), 0);
}

/* Nobody listens: the batches stay in the stream, and stop does not wait longer than told. */
static void test_no_receiver(void **state)
{
	struct place *place = *state;
	struct stream_status status;
	uint16_t routes[ROUTES];

	open_all(place, 0, routes);
	link_receiver_close(place->receiver);
	place->receiver = NULL;
	for (uint64_t sequence = 1; sequence <= 5; sequence++)
		commit_one(place->producer, routes, sequence, 3000);
	uint64_t started = clock_mono_ns();
	assert_int_equal(link_sender_stop(place->sender, 50000000u), -ETIMEDOUT);
	assert_true(clock_mono_ns() - started < 5000000000u);
	place->sender = NULL;
	assert_int_equal(stream_read_status(place->stream, &status, NULL), 0);
	assert_true(status.consumers[0].backlog_bytes >= 15000);
}

static void send_frames(void *socket, const char *const *frames, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		assert_true(zmq_send(socket, frames[i], strlen(frames[i]), i + 1 < count ? ZMQ_SNDMORE : 0) >= 0);
}

static void send_body(void *socket, const char *kind, json_t *body, const char *payload)
{
	struct envelope envelope = {.body = body};
	void *bytes;
	size_t count;

	strcpy(envelope.kind, kind);
	assert_int_equal(envelope_format(&envelope, &bytes, &count, NULL), 0);
	assert_true(zmq_send(socket, "store.X", 7, ZMQ_SNDMORE) >= 0);
	assert_true(zmq_send(socket, bytes, count, payload ? ZMQ_SNDMORE : 0) >= 0);
	if (payload)
		assert_true(zmq_send(socket, payload, strlen(payload), 0) >= 0);
	free(bytes);
	envelope_fini(&envelope);
}

static json_t *hostile_batch(const char *stream, json_int_t position, json_int_t body_bytes)
{
	return json_pack("{s:s,s:i,s:s,s:s,s:i,s:I,s:I,s:i,s:i,s:i,s:s,s:[i,i,i,i,i,i,i,i,i,i,I,i,i,i]}", "stream",
		stream, "session", 1, "source", "x", "run", "x", "after", 0, "position", position, "end", position + 64,
		"group", 0, "schema", 0, "flags", 0, "tag", "", "record", 64, 1, 0, 1, 0, 0, 1, 1, 0, 0, body_bytes, 0,
		0, 0);
}

static void expect_malformed(struct place *place, const char *complaint)
{
	struct link_batch batch;
	struct enrg_error err = {0};

	assert_int_equal(link_receiver_recv(place->receiver, 20000, &batch, &err), ENRG_E_PROTOCOL);
	if (!strstr(err.text, complaint))
		fail_msg("%s (expected: %s)", err.text, complaint);
}

static void test_malformed(void **state)
{
	struct place *place = *state;
	void *context = zmq_ctx_new(), *hostile = zmq_socket(context, ZMQ_DEALER);
	static const char me[] = "0123456789abcdef0123456789abcdef";
	static const char *const junk[] = {"a", "b", "c", "d", "e", "f", "g"};
	struct link_batch batch;
	uint16_t routes[ROUTES];
	char identity[33];

	open_all(place, 0, routes);
	commit_one(place->producer, routes, 1, 100);
	expect_batch(place, 1, 100, &batch);
	strcpy(identity, batch.stream_uuid);
	assert_int_equal(zmq_setsockopt(hostile, ZMQ_ROUTING_ID, me, 32), 0);
	assert_int_equal(zmq_connect(hostile, place->url), 0);
	send_frames(hostile, junk, 1);
	expect_malformed(place, "without topic and envelope");
	send_frames(hostile, junk, 2);
	expect_malformed(place, "malformed envelope");
	send_frames(hostile, junk, 7);
	expect_malformed(place, "more than");
	send_body(hostile, "stats", json_object(), NULL);
	expect_malformed(place, "does not know the kind");
	send_body(hostile, "hello", json_object(), NULL);
	expect_malformed(place, "note of a link");
	send_body(hostile, "batch", json_object(), "x");
	expect_malformed(place, "batch of a link");
	send_body(hostile, "batch", hostile_batch(identity, 64, 1), "x");
	expect_malformed(place, "another stream");
	send_body(hostile, "batch", hostile_batch(me, 64, 5), "x");
	expect_malformed(place, "another size");
	send_body(hostile, "batch", hostile_batch(me, 64, 1), NULL);
	expect_malformed(place, "no payload");
	send_body(hostile, "batch", hostile_batch(me, 64, 1ll << 31), "x");
	expect_malformed(place, "out of range");
	send_body(hostile, "batch", hostile_batch(me, -1, 1), "x");
	expect_malformed(place, "out of range");
	/* And the honest one goes on. */
	commit_one(place->producer, routes, 2, 100);
	expect_batch(place, 2, 100, &batch);
	zmq_close(hostile);
	zmq_ctx_term(context);
}

/* A batch whose predecessor did not come is not handed out, and its sender is told, once. */
static void test_hole(void **state)
{
	struct place *place = *state;
	void *context = zmq_ctx_new(), *sender = zmq_socket(context, ZMQ_DEALER);
	static const char me[] = "0123456789abcdef0123456789abcdef";
	struct link_counters counters;
	struct envelope answer;
	struct link_batch batch;
	char bytes[1024];

	open_receiver(place);
	assert_int_equal(zmq_setsockopt(sender, ZMQ_ROUTING_ID, me, 32), 0);
	assert_int_equal(zmq_connect(sender, place->url), 0);
	for (int i = 0; i < 3; i++) {
		json_t *body = hostile_batch(me, 640, 1);
		json_object_set_new(body, "after", json_integer(640));
		/* Otherwise it would be the missing schema that it is refused for. */
		json_array_set_new(json_object_get(body, "record"), 1, json_integer(RECORD_GAP));
		send_body(sender, "batch", body, "x");
	}
	send_body(sender, "stats", json_object(), NULL);
	expect_malformed(place, "does not know the kind");
	link_receiver_get_counters(place->receiver, &counters);
	assert_int_equal(counters.holes, 3);
	assert_int_equal(counters.batches, 0);
	assert_int_equal(zmq_recv(sender, bytes, sizeof(bytes), 0), 4);
	int count = zmq_recv(sender, bytes, sizeof(bytes), 0);
	assert_int_equal(envelope_parse(bytes, (size_t)count, &answer, NULL), 0);
	assert_string_equal(answer.kind, "resume");
	assert_int_equal(json_integer_value(json_object_get(answer.body, "received")), 0);
	assert_int_equal(json_integer_value(json_object_get(answer.body, "sent")), 640);
	assert_int_equal(zmq_recv(sender, bytes, sizeof(bytes), ZMQ_DONTWAIT), -1);
	envelope_fini(&answer);
	assert_int_equal(link_receiver_recv(place->receiver, 0, &batch, NULL), 0);
	zmq_close(sender);
	zmq_ctx_term(context);
}

/* Somebody else takes the sender's name, so that the receiver throws its connection out and what was on it is lost. */
static void test_broken_connection(void **state)
{
	struct place *place = *state;
	struct link_batch batch;
	uint16_t routes[ROUTES];
	uint64_t sequence = 1;

	open_all(place, 0, routes);
	commit_one(place->producer, routes, sequence, 3000);
	expect_batch(place, sequence++, 3000, &batch);
	void *context = zmq_ctx_new(), *thief = zmq_socket(context, ZMQ_DEALER);
	assert_int_equal(zmq_setsockopt(thief, ZMQ_ROUTING_ID, batch.stream_uuid, 32), 0);
	/* Its hello may never find a way out, and must not hold up the end. */
	assert_int_equal(zmq_setsockopt(thief, ZMQ_LINGER, &(int){0}, sizeof(int)), 0);
	assert_int_equal(zmq_connect(thief, place->url), 0);
	place->has_intruder = true;
	for (int i = 0; i < 50; i++)
		commit_one(place->producer, routes, sequence + (uint64_t)i, 3000);
	send_body(thief, "hello", json_object(), NULL);
	/* Before, between or after the batches its hello comes, or never, when the sender took the name back first.
	 * Then the thief has to go, or it would take the name again and again. */
	while (sequence <= 51 || thief) {
		int status = link_receiver_recv(place->receiver, thief ? 3000 : 20000, &batch, NULL);
		if (status == 1) {
			assert_null(check_batch(&batch, sequence++, 3000));
			continue;
		}
		assert_true(status == ENRG_E_PROTOCOL || (status == 0 && thief));
		if (thief)
			zmq_close(thief);
		thief = NULL;
	}
	zmq_ctx_term(context);
	assert_int_equal(link_receiver_ack(place->receiver, batch.stream_uuid, batch.end), 0);
	assert_int_equal(stop_sender(place), 0);
}

static void test_busy_and_missing(void **state)
{
	struct place *place = *state;
	struct link_sender_params params = {
		.url = place->url, .stream_path = place->stream, .consumer_name = "nobody", .store_type = "X"};
	struct link_sender *sender;
	struct link_receiver *receiver;
	struct enrg_error err = {0};

	assert_int_equal(link_sender_start(&params, &sender, &err), -ENOENT);
	assert_non_null(strstr(err.text, "link to X"));
	params.consumer_name = CONSUMER;
	params.url = "http://x";
	assert_int_equal(link_sender_start(&params, &sender, &err), ENRG_E_CONFIG);
	start_sender(place, 0);
	params.url = place->url;
	assert_int_equal(link_sender_start(&params, &sender, &err), -EBUSY);
	assert_int_equal(link_receiver_open("ipc:///nowhere/at/all", &receiver, &err), -ENOENT);
	assert_int_equal(link_sender_stop(NULL, 0), 0);
	link_receiver_close(NULL);
}

/* --- processes that are killed
 * --------------------------------------------------------------------------------------------------- */

#define TORTURE_BATCHES 12000u
#define TORTURE_KILLS   60

struct row {
	uint64_t sequence, end;
	uint32_t crc, body_bytes;
};

static uint64_t resume_from_rows(void *context, const char *stream_uuid)
{
	(void)stream_uuid;
	return *(const uint64_t *)context;
}

/* The store: a row a batch, appended by one write, is output and journal in one. */
static void store_process(const struct place *place)
{
	struct link_receiver *receiver;
	struct row rows[256], last = {0};
	uint32_t count = 0;
	int descriptor = open(place->rows, O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND, 0600);
	off_t size = lseek(descriptor, 0, SEEK_END) / (off_t)sizeof(struct row) * (off_t)sizeof(struct row);

	if (ftruncate(descriptor, size) ||
		(size && pread(descriptor, &last, sizeof(last), size - (off_t)sizeof(last)) < 0) ||
		link_receiver_open(place->url, &receiver, NULL))
		_exit(10);
	link_receiver_set_resume(receiver, resume_from_rows, &last.end);
	for (uint64_t expected = last.sequence + 1;;) {
		struct link_batch batch;
		int status = link_receiver_recv(receiver, count ? 0 : 1000, &batch, NULL);
		if (status < 0)
			_exit(11);
		if (status == 1) {
			const char *wrong = check_batch(&batch, expected, body_bytes_of(expected));
			if (wrong) {
				fprintf(stderr, "batch %llu, got %llu: %s\n", (unsigned long long)expected,
					(unsigned long long)batch.header.sequence, wrong);
				_exit(12);
			}
			rows[count++] = (struct row){expected++, batch.end,
				crc32c(0, batch.payload, META_BYTES + batch.header.body_bytes),
				batch.header.body_bytes};
		}
		if (count && (status == 0 || count == 256 || mix(expected) % 20 == 0)) {
			ssize_t bytes = (ssize_t)(count * sizeof(struct row));
			if (write(descriptor, rows, (size_t)bytes) != bytes)
				_exit(13);
			link_receiver_ack(receiver, batch.stream_uuid, rows[count - 1].end);
			count = 0;
		}
	}
}

static void producer_process(const struct place *place)
{
	struct stream_status status;
	struct link_sender *sender;
	struct stream *stream;
	uint16_t routes[ROUTES];
	struct link_sender_params params = {
		.url = place->url,
		.stream_path = place->stream,
		.consumer_name = CONSUMER,
		.store_type = "DAQJobStoreTest",
		.window_bytes = 300000,
	};

	if (stream_open(place->stream, 0, &stream, NULL) || stream_read_status(place->stream, &status, NULL) ||
		link_sender_start(&params, &sender, NULL))
		_exit(20);
	add_routes(stream, routes);
	for (uint64_t sequence = status.sequence + 1; sequence <= TORTURE_BATCHES; sequence++)
		commit_one(stream, routes, sequence, body_bytes_of(sequence));
	stream_close(stream, true);
	_exit(link_sender_stop(sender, PATIENCE_NS) ? 21 : 0);
}

static pid_t spawn(void (*process)(const struct place *), const struct place *place)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
		process(place);
		_exit(1);
	}
	return pid;
}

static uint64_t rows_written(const struct place *place)
{
	struct stat info;

	return stat(place->rows, &info) ? 0 : (uint64_t)info.st_size / sizeof(struct row);
}

/* Lets the system make some progress, or be stuck in a restart, before the next kill. */
static void pause_for(const struct place *place, uint64_t rows)
{
	uint64_t target = rows_written(place) + rows, until = clock_mono_ns() + 100000000u;

	while (rows_written(place) < target && clock_mono_ns() < until) {
		struct timespec pause = {.tv_nsec = 300000};
		nanosleep(&pause, NULL);
	}
}

static void check_rows(const struct place *place)
{
	int descriptor = open(place->rows, O_RDONLY | O_CLOEXEC);
	struct row row;

	assert_true(descriptor >= 0);
	for (uint64_t sequence = 1; sequence <= TORTURE_BATCHES; sequence++) {
		uint32_t body_bytes = body_bytes_of(sequence);
		assert_int_equal(read(descriptor, &row, sizeof(row)), sizeof(row));
		assert_int_equal(row.sequence, sequence);
		assert_int_equal(row.body_bytes, body_bytes);
		assert_int_equal(row.crc, crc_of(sequence, body_bytes));
	}
	assert_int_equal(read(descriptor, &row, sizeof(row)), 0);
	close(descriptor);
}

static void reap_killed(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* It must have died of us, not of what it saw. */
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void test_kills(void **state)
{
	struct place *place = *state;
	pid_t store = spawn(store_process, place), producer = spawn(producer_process, place);
	uint64_t seed = clock_mono_ns();
	int status, kills = 0;

	print_message("seed %llu\n", (unsigned long long)seed);
	for (; kills < TORTURE_KILLS && rows_written(place) < TORTURE_BATCHES - 500; kills++) {
		seed = mix(seed + 1);
		pause_for(place, seed % 300);
		if (seed >> 20 & 1) {
			reap_killed(store);
			store = spawn(store_process, place);
		} else {
			reap_killed(producer);
			producer = spawn(producer_process, place);
		}
	}
	print_message("%d kills, %llu of %u batches stored by then\n", kills, (unsigned long long)rows_written(place),
		TORTURE_BATCHES);
	assert_int_equal(waitpid(producer, &status, 0), producer);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	reap_killed(store);
	check_rows(place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_in_order_and_bye, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(test_pad_without_a_batch, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(test_window_smaller_than_a_batch, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(test_slow_receiver, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(test_receiver_restart, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(test_sender_restart, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(test_no_receiver, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(test_malformed, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(test_hole, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(test_broken_connection, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(test_busy_and_missing, place_setup, place_teardown),
		cmocka_unit_test_setup_teardown(test_kills, place_setup, place_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
