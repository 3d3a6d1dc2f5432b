/* link_session.c: what a sender says over its link, and what it hears. On the sender's thread, and at its start.
 *
 * A session begins with "hello"; the receiver's "resume" says where to go on. From then on batches are sent in order,
 * each once. A hello is also a question, since messages of one connection arrive in order: an answer that names less as
 * received than the hello named as sent, or another life of the receiver, begins a new session at what is committed. */
#include "bus/link_sender_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define BURST          64u
#define HELLO_FIRST_NS 250000000u
/* A receiver that says nothing for so long may sit behind a connection that only looks alive. */
#define SILENCE_NS       5000000000u
#define RECONNECT_MS     50
#define RECONNECT_MAX_MS 1000

static void count(struct link_sender *sender, enum counter counter, uint64_t number)
{
	atomic_fetch_add_explicit(&sender->counters[counter], number, memory_order_relaxed);
}

bool link_session_is_drained(const struct link_sender *sender)
{
	return !sender->window.count && consumer_position(sender->consumer) >= consumer_head(sender->consumer);
}

bool link_session_is_full(const struct link_sender *sender)
{
	return link_window_is_full(&sender->window) ||
	       (sender->window.sent_count && consumer_room(sender->consumer) < sender->room_bytes_min);
}

static bool is_bye_due(const struct link_sender *sender)
{
	return !sender->is_bye_confirmed && consumer_is_closed(sender->consumer) && link_session_is_drained(sender);
}

/* --- the socket --------------------------------------------------------------------------------------------------- */

int link_session_connect(struct link_sender *sender, struct enrg_error *err)
{
	int64_t bytes_max = ENVELOPE_BYTES_MAX;
	void *socket = zmq_socket(sender->context, ZMQ_DEALER);

	if (!socket)
		return socket_fail(err, "open", sender->url);
	/* IMMEDIATE: nothing is queued for a receiver that is not there. SNDHWM 0: the window is the limit. */
	if (zmq_setsockopt(socket, ZMQ_ROUTING_ID, sender->uuid, LINK_UUID_BYTES) ||
		zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &bytes_max, sizeof(bytes_max)) ||
		socket_set_int(socket, ZMQ_IMMEDIATE, 1) || socket_set_int(socket, ZMQ_SNDHWM, 0) ||
		socket_set_int(socket, ZMQ_LINGER, 0) || socket_set_int(socket, ZMQ_RECONNECT_IVL, RECONNECT_MS) ||
		socket_set_int(socket, ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS) || zmq_connect(socket, sender->url)) {
		int rc = socket_fail(err, "connect", sender->url);
		zmq_close(socket);
		return rc;
	}
	if (sender->socket)
		zmq_close(sender->socket);
	sender->socket = socket;
	return 0;
}

/* --- sending ------------------------------------------------------------------------------------------------------ */

static int format_frame(const struct link_sender *sender, const char *kind, json_t *body, zmq_msg_t *ret_frame)
{
	struct envelope envelope = {.pid = getpid(), .body = body};
	size_t byte_count;
	void *bytes;

	strncpy(envelope.kind, kind, sizeof(envelope.kind) - 1);
	memcpy(envelope.supervisor, sender->supervisor, sizeof(envelope.supervisor));
	memcpy(envelope.job, sender->source, sizeof(envelope.job));
	int rc = envelope_format(&envelope, &bytes, &byte_count, NULL);
	if (!rc) {
		zmq_msg_init_size(ret_frame, byte_count);
		memcpy(zmq_msg_data(ret_frame), bytes, byte_count);
		free(bytes);
	}
	envelope_fini(&envelope);
	return rc;
}

/* The first two frames of every message. */
static int begin_message(struct link_sender *sender, const char *kind, json_t *body, struct socket_message *ret_message)
{
	size_t topic_bytes = strlen(sender->topic);
	int rc = format_frame(sender, kind, body, &ret_message->frames[1]);

	if (rc)
		return rc;
	zmq_msg_init_size(&ret_message->frames[0], topic_bytes);
	memcpy(zmq_msg_data(&ret_message->frames[0]), sender->topic, topic_bytes);
	ret_message->count = 2;
	return 0;
}

/* Frames that point into the ring: constant until released, and released only once the receiver has them. */
static void point_frame(struct socket_message *message, const void *bytes, size_t byte_count)
{
	zmq_msg_init_data(&message->frames[message->count++], (void *)(uintptr_t)bytes, byte_count, NULL, NULL);
}

static int send_note(struct link_sender *sender, const char *kind)
{
	struct socket_message message;
	struct link_note note = {
		.session = sender->session,
		.life = sender->life,
		.position = sender->released,
		.sent = sender->session_sent,
		.is_full = link_session_is_full(sender),
	};

	memcpy(note.stream_uuid, sender->uuid, sizeof(note.stream_uuid));
	int rc = begin_message(sender, kind, link_note_format(&note), &message);
	return rc ? rc : socket_send(sender->socket, &message);
}

static bool is_schema_known(const struct link_sender *sender, uint16_t schema)
{
	return sender->known_schemas[schema / 64] >> (schema % 64) & 1u;
}

static int send_item(struct link_sender *sender, const struct link_item *item)
{
	struct link_place place = {.session = sender->session, .after = item->after};
	struct link_batch batch = {.header = item->header, .position = item->position, .end = item->end};
	struct consumer_route route = {.tag = ""};
	struct socket_message message;

	if (consumer_route(sender->consumer, item->header.route, &route) || route.schema >= SEGMENT_SCHEMAS)
		route = (struct consumer_route){.tag = ""};
	memcpy(batch.stream_uuid, sender->uuid, sizeof(batch.stream_uuid));
	memcpy(batch.source, sender->source, sizeof(batch.source));
	memcpy(batch.run, sender->run, sizeof(batch.run));
	snprintf(batch.tag, sizeof(batch.tag), "%s", route.tag);
	batch.group = route.group;
	batch.schema = route.schema;
	batch.flags = route.flags;
	int rc = begin_message(sender, "batch", link_batch_format(&batch, &place), &message);
	if (rc)
		return rc;
	point_frame(&message, item->payload, (size_t)item->header.meta_bytes + item->header.body_bytes);
	if (route.schema_bytes && !is_schema_known(sender, route.schema))
		point_frame(&message, route.schema_ipc, route.schema_bytes);
	rc = socket_send(sender->socket, &message);
	if (rc)
		return rc;
	if (route.schema_bytes)
		sender->known_schemas[route.schema / 64] |= 1ull << (route.schema % 64);
	sender->session_sent = item->end;
	bool is_again = item->end <= sender->highest_sent;
	count(sender, is_again ? COUNT_RESENT : COUNT_BATCHES, 1);
	if (!is_again) {
		count(sender, COUNT_BYTES, (uint64_t)item->header.meta_bytes + item->header.body_bytes);
		sender->highest_sent = item->end;
	}
	return 0;
}

/* --- sessions ----------------------------------------------------------------------------------------------------- */

void link_session_begin(struct link_sender *sender)
{
	sender->session++;
	sender->is_synced = false;
	sender->session_sent = 0;
	sender->has_told_full = false;
	sender->hello_due_ns = 0;
	sender->hello_pause_ns = HELLO_FIRST_NS;
	memset(sender->known_schemas, 0, sizeof(sender->known_schemas));
	link_window_rewind(&sender->window);
}

static void release(struct link_sender *sender, uint64_t position)
{
	if (position > sender->released) {
		consumer_release(sender->consumer, position, 0);
		sender->released = position;
		sender->has_told_full = false;
	}
}

static void take_position(struct link_sender *sender, uint64_t position)
{
	if (position > consumer_head(sender->consumer)) {
		count(sender, COUNT_MALFORMED, 1); /* never was in this stream */
		return;
	}
	if (position <= sender->committed)
		return;
	sender->committed = position;
	uint64_t end = link_window_release(&sender->window, position);
	/* Behind the last batch there is padding at the most, or a record that could not be read. */
	release(sender, end && !sender->window.count ? consumer_position(sender->consumer) : end);
}

static void take_resume(struct link_sender *sender, const struct link_note *note)
{
	if (note->session != sender->session)
		return; /* an answer to what is over */
	if (!sender->is_synced) {
		sender->life = note->life;
		sender->is_synced = true;
		sender->hello_due_ns = clock_mono_ns() + sender->hello_pause_ns;
	} else if (note->life != sender->life || note->received < note->sent) {
		link_session_begin(sender);
		return;
	}
	take_position(sender, note->position);
}

static void take_answer(struct link_sender *sender, struct socket_message *message)
{
	struct envelope envelope;
	struct link_note note;

	if (message->count != 2 ||
		envelope_parse(zmq_msg_data(&message->frames[1]), zmq_msg_size(&message->frames[1]), &envelope, NULL)) {
		count(sender, COUNT_MALFORMED, 1);
		return;
	}
	sender->asked_since_ns = 0;
	if (link_note_parse(envelope.body, &note, NULL) || strcmp(note.stream_uuid, sender->uuid))
		count(sender, COUNT_MALFORMED, 1);
	else if (!strcmp(envelope.kind, "ack"))
		take_position(sender, note.position);
	else if (!strcmp(envelope.kind, "resume"))
		take_resume(sender, &note);
	else if (!strcmp(envelope.kind, "bye"))
		sender->is_bye_confirmed |= note.session == sender->session && sender->has_said_bye;
	else
		count(sender, COUNT_MALFORMED, 1);
	envelope_fini(&envelope);
}

bool link_session_take_answers(struct link_sender *sender)
{
	struct socket_message message;
	unsigned taken = 0;
	int rc;

	while (taken < BURST && (rc = socket_recv(sender->socket, 2, &message)) != 0) {
		taken++;
		if (rc == 1)
			take_answer(sender, &message);
		else
			count(sender, COUNT_MALFORMED, 1);
		socket_message_fini(&message);
	}
	return taken;
}

static void watch_silence(struct link_sender *sender, uint64_t now)
{
	if (!sender->asked_since_ns || now - sender->asked_since_ns < SILENCE_NS)
		return;
	/* Until an answer comes the new session says nothing but hello, so that a store that is merely busy is not
	 * flooded. */
	sender->asked_since_ns = now;
	if (!link_session_connect(sender, NULL))
		link_session_begin(sender);
}

void link_session_say_note(struct link_sender *sender)
{
	uint64_t now = clock_mono_ns();
	bool is_bye = is_bye_due(sender);
	bool is_held = sender->is_synced && link_session_is_full(sender);

	watch_silence(sender, now);
	sender->has_told_full &= is_held;
	if (!is_bye)
		sender->has_said_bye = false;
	bool is_urgent = (is_bye && !sender->has_said_bye) || (is_held && !sender->has_told_full);
	if (sender->is_bye_confirmed || (now < sender->hello_due_ns && !is_urgent))
		return;
	sender->is_unreachable = send_note(sender, is_bye ? "bye" : "hello") != 0;
	if (sender->is_unreachable) {
		sender->asked_since_ns = 0;
		/* There is no connection: what was sent may be lost with the last one. A poll tells when there is one.
		 */
		if (sender->is_synced)
			link_session_begin(sender);
		return;
	}
	if (!sender->asked_since_ns)
		sender->asked_since_ns = now;
	sender->has_said_bye = is_bye;
	sender->has_told_full = is_held;
	sender->hello_due_ns = now + sender->hello_pause_ns;
	sender->hello_pause_ns = HELLO_NEXT_NS;
}

/* --- the stream --------------------------------------------------------------------------------------------------- */

/* Behind a record that can't be read there is nothing to wait for: the receiver sees the hole in the sequence. */
static void skip_corrupt(struct link_sender *sender)
{
	count(sender, COUNT_CORRUPT, 1);
	consumer_skip(sender->consumer);
	if (!sender->window.count)
		release(sender, consumer_position(sender->consumer));
}

/* Takes the next record into the window. 1; 0: none. */
static int read_record(struct link_sender *sender)
{
	struct consumer_record record;

	for (;;) {
		int rc = consumer_acquire(sender->consumer, &record, NULL);
		if (!rc) {
			/* A pad that was stepped over has no acknowledgement of its own. */
			if (!sender->window.count)
				release(sender, consumer_position(sender->consumer));
			return 0;
		}
		if (rc < 0) {
			skip_corrupt(sender);
			continue;
		}
		struct link_item item = {
			.header = *record.header,
			.payload = record.payload,
			.after = sender->last_end,
			.position = record.position,
			.end = record.end,
		};
		sender->last_end = record.end;
		if (record.end <= sender->committed) { /* an earlier life of this job sent it */
			release(sender, record.end);
			continue;
		}
		if (link_window_append(&sender->window, &item)) {
			/* No memory for a hundred bytes: this process is about to die, and its successor sends the
			 * record. */
			abort();
		}
		return 1;
	}
}

bool link_session_send_batches(struct link_sender *sender)
{
	unsigned sent = 0;

	if (!sender->is_synced)
		return false;
	while (sent < BURST) {
		bool has_unsent = sender->window.sent_count < sender->window.count;
		if (!has_unsent && (link_window_is_full(&sender->window) || !read_record(sender)))
			break;
		const struct link_item *item = link_window_next(&sender->window);
		if (!item)
			break;
		if (send_item(sender, item)) {
			link_session_begin(sender); /* the connection is gone */
			sender->is_unreachable = true;
			break;
		}
		link_window_count_sent(&sender->window);
		sent++;
	}
	return sent;
}
