/* link_receiver.c: a store's end of the links of its producers. Store's thread.
 *
 * Each batch names the end of the one before it: a batch is handed out when all before it has been, thrown away when it
 * was handed out already, and else shows that something got lost (a new life of either side, a broken connection): then
 * the sender is told, once a session, and goes back to what is committed. */
#include "bus/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/held.h"
#include "base/path.h"
#include "bus/link_frame.h"

#define STREAMS_MAX        4096u
#define RECEIVER_LINGER_MS 100
#define ENVELOPE_FRAME     2u /* behind identity and topic */

struct schema {
	void *ipc;
	uint32_t bytes;
};

struct link_stream {
	char uuid[LINK_UUID_BYTES + 1];
	uint64_t received; /* end of the last batch handed out */
	uint64_t committed;
	uint64_t warned_session; /* told about a hole in this session */
	bool is_open, is_full;
	struct schema schemas[SEGMENT_SCHEMAS];
};

struct link_receiver {
	void *context, *socket;
	char *url;
	struct held_name name; /* of an ipc socket; inode 0: none */
	uint64_t life;
	link_resume_function *resume;
	void *resume_context;
	link_vet_function *vet;
	void *vet_context;
	struct link_stream **streams;
	uint32_t stream_count;
	struct socket_message held; /* frames that the last batch points into */
	uint8_t *aligned;
	size_t aligned_bytes;
	struct link_counters counters;
};

/* --- opening
 * -------------------------------------------------------------------------------------------------------------- */

static int open_socket(struct link_receiver *receiver, const char *url, struct enrg_error *err)
{
	int64_t bytes_max = LINK_PAYLOAD_MAX;
	int rc = socket_check_url(url, err);

	if (rc)
		return rc;
	receiver->context = zmq_ctx_new();
	if (!receiver->context)
		return enrg_error_set(err, -ENOMEM, "no ZeroMQ context");
	receiver->socket = zmq_socket(receiver->context, ZMQ_ROUTER);
	if (!receiver->socket)
		return socket_fail(err, "open", url);
	if (zmq_setsockopt(receiver->socket, ZMQ_MAXMSGSIZE, &bytes_max, sizeof(bytes_max)) ||
		socket_set_int(receiver->socket, ZMQ_ROUTER_HANDOVER, 1) ||
		socket_set_int(receiver->socket, ZMQ_LINGER, RECEIVER_LINGER_MS))
		return socket_fail(err, "set up", url);
	return socket_bind(receiver->socket, url, err);
}

int link_receiver_open(const char *url, struct link_receiver **ret_receiver, struct enrg_error *err)
{
	struct link_receiver *receiver = calloc(1, sizeof(*receiver));

	if (!receiver)
		return enrg_error_set(err, -ENOMEM, "no memory for a link");
	receiver->life = link_draw_number();
	receiver->url = strdup(url);
	int rc = receiver->url ? open_socket(receiver, url, err) : enrg_error_set(err, -ENOMEM, "no memory");
	if (!rc && !strncmp(url, "ipc://", 6))
		held_name_take(&receiver->name, url + 6);
	if (rc) {
		enrg_error_add(err, rc, "link");
		link_receiver_close(receiver);
		return rc;
	}
	*ret_receiver = receiver;
	return 0;
}

int link_receiver_look(struct link_receiver *receiver, struct enrg_error *err)
{
	const char *path = receiver->url + strlen("ipc://");

	if (!receiver->name.inode || held_name_look(&receiver->name, path) == HELD_SAME)
		return 0;
	int rc = path_make_parent(path, 0700, err);
	if (!rc)
		rc = socket_bind(receiver->socket, receiver->url, err);
	if (rc)
		return rc;
	held_name_take(&receiver->name, path);
	return 1;
}

void link_receiver_close(struct link_receiver *receiver)
{
	if (!receiver)
		return;
	socket_message_fini(&receiver->held);
	if (receiver->socket)
		zmq_close(receiver->socket);
	if (receiver->context)
		zmq_ctx_term(receiver->context);
	for (uint32_t i = 0; i < receiver->stream_count; i++) {
		for (uint32_t s = 0; s < SEGMENT_SCHEMAS; s++)
			free(receiver->streams[i]->schemas[s].ipc);
		free(receiver->streams[i]);
	}
	free(receiver->streams);
	free(receiver->aligned);
	free(receiver->url);
	free(receiver);
}

void link_receiver_set_resume(struct link_receiver *receiver, link_resume_function *resume, void *context)
{
	receiver->resume = resume;
	receiver->resume_context = context;
}

void link_receiver_set_vet(struct link_receiver *receiver, link_vet_function *vet, void *context)
{
	receiver->vet = vet;
	receiver->vet_context = context;
}

/* --- streams
 * -------------------------------------------------------------------------------------------------------------- */

static struct link_stream *find_stream(const struct link_receiver *receiver, const char *uuid)
{
	for (uint32_t i = 0; i < receiver->stream_count; i++)
		if (!strcmp(receiver->streams[i]->uuid, uuid))
			return receiver->streams[i];
	return NULL;
}

static int add_stream(
	struct link_receiver *receiver, const char *uuid, struct link_stream **ret_stream, struct enrg_error *err)
{
	if (receiver->stream_count == STREAMS_MAX)
		return enrg_error_set(err, ENRG_E_PROTOCOL, "more than %u streams at one store", STREAMS_MAX);
	struct link_stream **streams =
		realloc(receiver->streams, (receiver->stream_count + 1) * sizeof(struct link_stream *));
	if (!streams)
		return enrg_error_set(err, -ENOMEM, "no memory for a link");
	receiver->streams = streams;
	struct link_stream *stream = calloc(1, sizeof(*stream));
	if (!stream)
		return enrg_error_set(err, -ENOMEM, "no memory for a link");
	memcpy(stream->uuid, uuid, sizeof(stream->uuid));
	stream->committed = receiver->resume ? receiver->resume(receiver->resume_context, uuid) : 0;
	stream->received = stream->committed;
	streams[receiver->stream_count++] = stream;
	*ret_stream = stream;
	return 0;
}

/* May a sender in the name of that stream say that it was told that all up to `position` is committed? */
static int vet(const struct link_receiver *receiver, const char *uuid, uint64_t position, struct enrg_error *err)
{
	uint64_t known = UINT64_MAX;

	if (receiver->vet && receiver->vet(receiver->vet_context, uuid, &known) < 0)
		return enrg_error_set(err, ENRG_E_PROTOCOL, "a message of a stream that is none of this store's");
	if (position > known)
		return enrg_error_set(err, ENRG_E_PROTOCOL,
			"a sender says that it is done up to %llu, but its stream is not beyond %llu: not believed",
			(unsigned long long)position, (unsigned long long)known);
	return 0;
}

/* The stream that a message speaks of, which must be its sender's own. */
static int resolve_stream(struct link_receiver *receiver, const zmq_msg_t *identity, const char *uuid,
	struct link_stream **ret_stream, struct enrg_error *err)
{
	if (zmq_msg_size(identity) != LINK_UUID_BYTES ||
		memcmp(zmq_msg_data((zmq_msg_t *)(uintptr_t)identity), uuid, LINK_UUID_BYTES))
		return enrg_error_set(err, ENRG_E_PROTOCOL, "a message in the name of another stream");
	*ret_stream = find_stream(receiver, uuid);
	if (*ret_stream)
		return 0;
	int rc = vet(receiver, uuid, 0, err);
	return rc ? rc : add_stream(receiver, uuid, ret_stream, err);
}

/* --- answers
 * -------------------------------------------------------------------------------------------------------------- */

/* An answer that does not get through is no loss: the sender asks again. */
static void answer(struct link_receiver *receiver, const struct link_stream *stream, const char *kind, uint64_t session,
	uint64_t sent)
{
	struct link_note note = {
		.life = receiver->life,
		.session = session,
		.position = stream->committed,
		.received = stream->received,
		.sent = sent,
	};
	struct envelope envelope = {.pid = getpid()};
	void *bytes;
	size_t count;

	memcpy(note.stream_uuid, stream->uuid, sizeof(note.stream_uuid));
	strncpy(envelope.kind, kind, sizeof(envelope.kind) - 1);
	envelope.body = link_note_format(&note);
	if (!envelope_format(&envelope, &bytes, &count, NULL)) {
		if (!socket_send_bytes(receiver->socket, stream->uuid, LINK_UUID_BYTES, true) &&
			!socket_send_bytes(receiver->socket, "link", 4, true))
			socket_send_bytes(receiver->socket, bytes, count, false);
		free(bytes);
	}
	envelope_fini(&envelope);
}

static int take_hello(struct link_receiver *receiver, struct link_stream *stream, const struct link_note *note,
	struct enrg_error *err)
{
	/* What the sender was told is committed is gone from its ring, whatever the owner remembers. */
	if (note->position > stream->committed) {
		int rc = vet(receiver, stream->uuid, note->position, err);
		if (rc)
			return rc;
		stream->committed = note->position;
	}
	if (stream->committed > stream->received)
		stream->received = stream->committed;
	stream->is_open = true;
	stream->is_full = note->is_full && stream->committed < stream->received;
	answer(receiver, stream, "resume", note->session, note->sent);
	return 0;
}

static int take_note(struct link_receiver *receiver, const zmq_msg_t *identity, const struct envelope *envelope,
	struct enrg_error *err)
{
	bool is_hello = !strcmp(envelope->kind, "hello");
	struct link_stream *stream;
	struct link_note note;

	if (!is_hello && strcmp(envelope->kind, "bye"))
		return enrg_error_set(err, ENRG_E_PROTOCOL, "a link does not know the kind %s", envelope->kind);
	int rc = link_note_parse(envelope->body, &note, err);
	if (!rc)
		rc = resolve_stream(receiver, identity, note.stream_uuid, &stream, err);
	if (rc)
		return rc;
	if (is_hello)
		return take_hello(receiver, stream, &note, err);
	stream->is_open = false;
	answer(receiver, stream, "bye", note.session, note.sent);
	return 0;
}

/* --- batches
 * -------------------------------------------------------------------------------------------------------------- */

static int remember_schema(struct link_stream *stream, uint16_t index, zmq_msg_t *frame, struct enrg_error *err)
{
	struct schema *schema = &stream->schemas[index];
	size_t count = zmq_msg_size(frame);

	if (schema->ipc)
		return 0; /* a stream's schemas never change */
	if (!count || count > SEGMENT_ARENA_BYTES)
		return enrg_error_set(err, ENRG_E_PROTOCOL, "batch of a link: a schema of %zu bytes", count);
	schema->ipc = malloc(count);
	if (!schema->ipc)
		return enrg_error_set(err, -ENOMEM, "no memory for a schema");
	memcpy(schema->ipc, zmq_msg_data(frame), count);
	schema->bytes = (uint32_t)count;
	return 0;
}

/* Readers map columns in place and want them on 64 bytes; ZeroMQ's buffers begin anywhere. */
static int align_payload(
	struct link_receiver *receiver, zmq_msg_t *frame, struct link_batch *batch, struct enrg_error *err)
{
	uint8_t *bytes = zmq_msg_data(frame);
	size_t count = zmq_msg_size(frame);

	if ((uintptr_t)bytes % 64 == 0) {
		batch->payload = bytes;
		return 0;
	}
	if (count > receiver->aligned_bytes || !receiver->aligned) {
		size_t room = (count + count / 4 + 4096) & ~(size_t)63;
		free(receiver->aligned);
		receiver->aligned_bytes = 0;
		receiver->aligned = aligned_alloc(64, room);
		if (!receiver->aligned)
			return enrg_error_set(err, -ENOMEM, "no memory for a batch of %zu bytes", count);
		receiver->aligned_bytes = room;
	}
	memcpy(receiver->aligned, bytes, count);
	batch->payload = receiver->aligned;
	return 0;
}

/* 1: hand it out; 0: thrown away. */
static int judge_batch(struct link_receiver *receiver, struct link_stream *stream, const struct link_batch *batch,
	const struct link_place *place, struct enrg_error *err)
{
	bool has_schema = stream->schemas[batch->schema].ipc || batch->header.type != RECORD_DATA;

	if (batch->end <= stream->received) {
		receiver->counters.duplicates++;
		return 0;
	}
	if (place->after > stream->received || !has_schema) {
		receiver->counters.holes++;
		if (stream->warned_session != place->session) {
			stream->warned_session = place->session;
			/* `sent` beyond what was received is what makes the sender go back. */
			answer(receiver, stream, "resume", place->session,
				place->after > stream->received ? place->after : stream->received + 1);
		}
		return 0;
	}
	if (batch->position < stream->received)
		return enrg_error_set(err, ENRG_E_PROTOCOL,
			"batch of a link: %s from %llu to %llu, but the store resumes inside it, at %llu",
			batch->source, (unsigned long long)batch->position, (unsigned long long)batch->end,
			(unsigned long long)stream->received);
	return 1;
}

static int take_batch(struct link_receiver *receiver, struct socket_message *message, const struct envelope *envelope,
	struct link_batch *ret_batch, struct enrg_error *err)
{
	struct link_stream *stream;
	struct link_place place;
	int rc = link_batch_parse(envelope->body, ret_batch, &place, err);

	if (!rc && message->count < 4)
		rc = enrg_error_set(err, ENRG_E_PROTOCOL, "batch of a link: no payload");
	if (!rc && zmq_msg_size(&message->frames[3]) !=
			   (uint64_t)ret_batch->header.meta_bytes + ret_batch->header.body_bytes)
		rc = enrg_error_set(
			err, ENRG_E_PROTOCOL, "batch of a link: the payload has another size than its header says");
	if (!rc)
		rc = resolve_stream(receiver, &message->frames[0], ret_batch->stream_uuid, &stream, err);
	if (!rc && message->count == 5)
		rc = remember_schema(stream, ret_batch->schema, &message->frames[4], err);
	if (!rc)
		rc = judge_batch(receiver, stream, ret_batch, &place, err);
	if (rc == 1) {
		int aligned = align_payload(receiver, &message->frames[3], ret_batch, err);
		if (aligned)
			return aligned;
		ret_batch->schema_ipc = stream->schemas[ret_batch->schema].ipc;
		ret_batch->schema_bytes = stream->schemas[ret_batch->schema].bytes;
		stream->is_open = true;
		stream->received = ret_batch->end;
		receiver->counters.batches++;
		receiver->counters.bytes += zmq_msg_size(&message->frames[3]);
	}
	return rc;
}

/* When a sender connects anew before its old connection is gone, ZeroMQ hands it the name and gives the old connection
 * one of its own making, which begins with a zero byte. What is still on it comes again in the sender's next session.
 */
static bool is_replaced(const struct socket_message *message)
{
	zmq_msg_t *identity = (zmq_msg_t *)(uintptr_t)&message->frames[0];
	const uint8_t *bytes = zmq_msg_data(identity);

	return zmq_msg_size(identity) && !bytes[0];
}

/* 1: a batch for the owner; 0: nothing for it; negative: malformed. */
static int take_message(struct link_receiver *receiver, struct socket_message *message, struct link_batch *ret_batch,
	struct enrg_error *err)
{
	struct envelope envelope;

	if (is_replaced(message)) {
		receiver->counters.holes++;
		return 0;
	}
	if (message->count <= ENVELOPE_FRAME)
		return enrg_error_set(err, ENRG_E_PROTOCOL, "a message without topic and envelope");
	int rc = envelope_parse(zmq_msg_data(&message->frames[ENVELOPE_FRAME]),
		zmq_msg_size(&message->frames[ENVELOPE_FRAME]), &envelope, err);
	if (rc)
		return rc;
	if (!strcmp(envelope.kind, "batch"))
		rc = take_batch(receiver, message, &envelope, ret_batch, err);
	else
		rc = take_note(receiver, &message->frames[0], &envelope, err);
	envelope_fini(&envelope);
	return rc;
}

/* --- the owner's calls
 * ------------------------------------------------------------------------------------------------------ */

int link_receiver_recv(
	struct link_receiver *receiver, int timeout_ms, struct link_batch *ret_batch, struct enrg_error *err)
{
	uint64_t until = timeout_ms < 0 ? UINT64_MAX : clock_mono_ns() + (uint64_t)timeout_ms * 1000000u;

	socket_message_fini(&receiver->held);
	for (;;) {
		struct socket_message *message = &receiver->held;
		int rc = socket_recv(receiver->socket, SOCKET_FRAMES_MAX, message);
		if (!rc) {
			uint64_t now = clock_mono_ns();
			if (now >= until)
				return 0;
			zmq_pollitem_t item = {.socket = receiver->socket, .events = ZMQ_POLLIN};
			long wait_ms = until == UINT64_MAX ? -1 : (long)((until - now + 999999) / 1000000);
			if (zmq_poll(&item, 1, wait_ms) < 0)
				return 0; /* a signal: the caller looks at its flags */
			continue;
		}
		if (rc == 1)
			rc = take_message(receiver, message, ret_batch, err);
		else
			enrg_error_set(err, rc, "a message of more than %u frames", SOCKET_FRAMES_MAX);
		if (rc == 1)
			return 1;
		socket_message_fini(message);
		if (rc < 0) {
			receiver->counters.malformed++;
			return rc;
		}
	}
}

int link_receiver_ack(struct link_receiver *receiver, const char *stream_uuid, uint64_t position)
{
	struct link_stream *stream = find_stream(receiver, stream_uuid);

	if (!stream)
		return -ENOENT;
	if (position > stream->received)
		return -EINVAL;
	if (position > stream->committed)
		stream->committed = position;
	stream->is_full = false;
	answer(receiver, stream, "ack", 0, 0);
	return 0;
}

uint32_t link_receiver_open_senders(const struct link_receiver *receiver)
{
	uint32_t open = 0;

	for (uint32_t i = 0; i < receiver->stream_count; i++)
		open += receiver->streams[i]->is_open;
	return open;
}

bool link_receiver_is_commit_due(const struct link_receiver *receiver)
{
	for (uint32_t i = 0; i < receiver->stream_count; i++)
		if (receiver->streams[i]->is_full)
			return true;
	return false;
}

int link_receiver_descriptor(struct link_receiver *receiver)
{
	int descriptor = -1;
	size_t count = sizeof(descriptor);

	zmq_getsockopt(receiver->socket, ZMQ_FD, &descriptor, &count);
	return descriptor;
}

void link_receiver_get_counters(const struct link_receiver *receiver, struct link_counters *ret_counters)
{
	*ret_counters = receiver->counters;
}
