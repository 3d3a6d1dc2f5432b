/* link_sender.c: a producer's end of a link. Runs in the producing job, on a thread of its own that is the required
 * consumer of the job's stream: what is not acknowledged stays in the ring.
 *
 * A session begins with "hello"; the receiver's "resume" says where to go on. From then on batches are sent in order,
 * each once. A hello is also a question, since messages of one connection arrive in order: an answer that names less as
 * received than the hello named as sent, or another life of the receiver, begins a new session at what is committed. */
#include "bus/link.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "bus/link_frame.h"
#include "bus/link_window.h"
#include "plane/doorbell.h"

#define BURST                64u
#define WINDOW_DEFAULT_BYTES (16u << 20)
#define HELLO_FIRST_NS       250000000u
#define HELLO_NEXT_NS        1000000000u
/* Pause between looks at the socket while the stream is empty; new batches end it at once. */
#define PAUSE_FIRST_NS 1000000u
#define PAUSE_LAST_NS  128000000u
/* A receiver that says nothing for so long may sit behind a connection that only looks alive. */
#define SILENCE_NS       5000000000u
#define RECONNECT_MS     50
#define RECONNECT_MAX_MS 1000

enum counter { COUNT_BATCHES, COUNT_BYTES, COUNT_RESENT, COUNT_CORRUPT, COUNT_MALFORMED, COUNTERS };

struct link_sender {
	void *context, *socket;
	struct consumer *consumer;
	pthread_t thread;
	bool has_thread;
	int stop_descriptor;        /* wakes a poll */
	_Atomic uint32_t stop_word; /* 0 until stop; wakes a wait for the stream */
	_Atomic uint64_t deadline_ns;
	_Atomic uint64_t counters[COUNTERS];

	/* constant after start */
	char url[512];
	char topic[TOPIC_BYTES_MAX + 1];
	uint64_t room_bytes_min; /* of the ring: with less the producer may have to wait */
	char uuid[LINK_UUID_BYTES + 1], source[256], run[64], supervisor[256];

	/* of the thread */
	struct link_window window;
	uint64_t session, life;
	uint64_t last_end;     /* end of the last batch taken from the stream */
	uint64_t session_sent; /* end of the last batch sent in this session */
	uint64_t highest_sent; /* what is below was sent before: counted as sent again */
	uint64_t committed;    /* as the receiver said */
	uint64_t released;     /* in the ring */
	uint64_t hello_due_ns, hello_pause_ns;
	uint64_t asked_since_ns; /* oldest question without an answer; 0 = none */
	uint64_t pause_ns;
	uint64_t known_schemas[SEGMENT_SCHEMAS / 64]; /* sent in this session */
	bool is_synced, is_bye_confirmed, has_told_full, has_said_bye, is_unreachable;
};

static void count(struct link_sender *sender, enum counter counter, uint64_t number)
{
	atomic_fetch_add_explicit(&sender->counters[counter], number, memory_order_relaxed);
}

static bool is_stopping(const struct link_sender *sender)
{
	return atomic_load_explicit(&sender->stop_word, memory_order_acquire);
}

/* Everything that the stream holds was read and is acknowledged. */
static bool is_drained(const struct link_sender *sender)
{
	return !sender->window.count && consumer_position(sender->consumer) >= consumer_head(sender->consumer);
}

/* Is it time for the receiver to commit? Also where the ring, not the window, is what holds the producer back. */
static bool is_full(const struct link_sender *sender)
{
	return link_window_is_full(&sender->window) ||
	       (sender->window.sent_count && consumer_room(sender->consumer) < sender->room_bytes_min);
}

static bool is_bye_due(const struct link_sender *sender)
{
	return !sender->is_bye_confirmed && consumer_is_closed(sender->consumer) && is_drained(sender);
}

/* --- the socket
 * ---------------------------------------------------------------------------------------------------------------- */

static int open_socket(struct link_sender *sender, struct enrg_error *err)
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
		int status = socket_fail(err, "connect", sender->url);
		zmq_close(socket);
		return status;
	}
	if (sender->socket)
		zmq_close(sender->socket);
	sender->socket = socket;
	return 0;
}

/* --- sending
 * ---------------------------------------------------------------------------------------------------------------- */

static int format_frame(const struct link_sender *sender, const char *kind, json_t *body, zmq_msg_t *ret_frame)
{
	struct envelope envelope = {.pid = getpid(), .body = body};
	size_t byte_count;
	void *bytes;

	strncpy(envelope.kind, kind, sizeof(envelope.kind) - 1);
	memcpy(envelope.supervisor, sender->supervisor, sizeof(envelope.supervisor));
	memcpy(envelope.job, sender->source, sizeof(envelope.job));
	int status = envelope_format(&envelope, &bytes, &byte_count, NULL);
	if (!status) {
		zmq_msg_init_size(ret_frame, byte_count);
		memcpy(zmq_msg_data(ret_frame), bytes, byte_count);
		free(bytes);
	}
	envelope_fini(&envelope);
	return status;
}

/* The first two frames of every message. */
static int begin_message(struct link_sender *sender, const char *kind, json_t *body, struct socket_message *ret_message)
{
	size_t topic_bytes = strlen(sender->topic);
	int status = format_frame(sender, kind, body, &ret_message->frames[1]);

	if (status)
		return status;
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
		.is_full = is_full(sender),
	};

	memcpy(note.stream_uuid, sender->uuid, sizeof(note.stream_uuid));
	int status = begin_message(sender, kind, link_note_format(&note), &message);
	return status ? status : socket_send(sender->socket, &message);
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
	int status = begin_message(sender, "batch", link_batch_format(&batch, &place), &message);
	if (status)
		return status;
	point_frame(&message, item->payload, (size_t)item->header.meta_bytes + item->header.body_bytes);
	if (route.schema_bytes && !is_schema_known(sender, route.schema))
		point_frame(&message, route.schema_ipc, route.schema_bytes);
	status = socket_send(sender->socket, &message);
	if (status)
		return status;
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

/* --- sessions
 * ---------------------------------------------------------------------------------------------------------------- */

static void begin_session(struct link_sender *sender)
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
		begin_session(sender);
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

static bool take_answers(struct link_sender *sender)
{
	struct socket_message message;
	unsigned taken = 0;
	int status;

	while (taken < BURST && (status = socket_recv(sender->socket, 2, &message)) != 0) {
		taken++;
		if (status == 1)
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
	if (!open_socket(sender, NULL))
		begin_session(sender);
}

/* Says hello or bye where one is due. */
static void say_note(struct link_sender *sender)
{
	uint64_t now = clock_mono_ns();
	bool is_bye = is_bye_due(sender);
	bool is_held = sender->is_synced && is_full(sender);

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
			begin_session(sender);
		return;
	}
	if (!sender->asked_since_ns)
		sender->asked_since_ns = now;
	sender->has_said_bye = is_bye;
	sender->has_told_full = is_held;
	sender->hello_due_ns = now + sender->hello_pause_ns;
	sender->hello_pause_ns = HELLO_NEXT_NS;
}

/* --- the stream
 * --------------------------------------------------------------------------------------------------------------- */

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
		int status = consumer_acquire(sender->consumer, &record, NULL);
		if (!status) {
			/* A pad that was stepped over has no acknowledgement of its own. */
			if (!sender->window.count)
				release(sender, consumer_position(sender->consumer));
			return 0;
		}
		if (status < 0) {
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

static bool send_batches(struct link_sender *sender)
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
			begin_session(sender); /* the connection is gone */
			sender->is_unreachable = true;
			break;
		}
		link_window_count_sent(&sender->window);
		sent++;
	}
	return sent;
}

/* --- the thread
 * --------------------------------------------------------------------------------------------------------------- */

static bool is_over(const struct link_sender *sender)
{
	if (!is_stopping(sender))
		return false;
	if (is_drained(sender) && (sender->is_bye_confirmed || !consumer_is_closed(sender->consumer)))
		return true;
	return clock_mono_ns() >= atomic_load_explicit(&sender->deadline_ns, memory_order_acquire);
}

static void poll_socket(struct link_sender *sender, uint64_t timeout_ns)
{
	short events = sender->is_unreachable ? ZMQ_POLLIN | ZMQ_POLLOUT : ZMQ_POLLIN;
	zmq_pollitem_t items[] = {
		{.socket = sender->socket, .events = events},
		{.fd = sender->stop_descriptor, .events = ZMQ_POLLIN},
	};

	/* While stopping the descriptor stays readable. */
	zmq_poll(items, is_stopping(sender) ? 1 : 2, (long)((timeout_ns + 999999) / 1000000));
	if (items[0].revents & ZMQ_POLLOUT)
		sender->hello_due_ns = 0;
}

static void wait_for_work(struct link_sender *sender)
{
	uint64_t now = clock_mono_ns(), timeout_ns = HELLO_NEXT_NS;
	bool is_stopped = is_stopping(sender);

	if (!sender->is_bye_confirmed && !sender->is_unreachable)
		timeout_ns = sender->hello_due_ns > now ? sender->hello_due_ns - now : 0;
	if (is_stopped) {
		uint64_t deadline = atomic_load_explicit(&sender->deadline_ns, memory_order_acquire);
		uint64_t left = deadline > now ? deadline - now : 0;
		timeout_ns = left < timeout_ns ? left : timeout_ns;
	}
	if (is_stopped || !sender->is_synced || link_window_is_full(&sender->window) ||
		consumer_is_closed(sender->consumer)) {
		poll_socket(sender, timeout_ns);
		return;
	}
	if (is_full(sender)) { /* an acknowledgement matters as much as a batch */
		poll_socket(sender, timeout_ns < PAUSE_FIRST_NS ? timeout_ns : PAUSE_FIRST_NS);
		return;
	}
	/* With nothing in flight the socket has nothing to say before the next hello. */
	if (sender->window.sent_count && timeout_ns > sender->pause_ns)
		timeout_ns = sender->pause_ns;
	sender->pause_ns = 2 * sender->pause_ns < PAUSE_LAST_NS ? 2 * sender->pause_ns : PAUSE_LAST_NS;
	consumer_wait(&sender->consumer, 1, &sender->stop_word, 0, timeout_ns);
}

static void *sender_main(void *opaque)
{
	struct link_sender *sender = opaque;

	while (!is_over(sender)) {
		bool is_busy = take_answers(sender);
		is_busy |= send_batches(sender);
		say_note(sender);
		if (is_busy)
			sender->pause_ns = PAUSE_FIRST_NS;
		else
			wait_for_work(sender);
	}
	return NULL;
}

/* --- starting and stopping
 * ------------------------------------------------------------------------------------------------------ */

static void copy_text(char *ret_text, size_t text_bytes, const char *text)
{
	size_t text_count = strnlen(text, text_bytes - 1);

	memcpy(ret_text, text, text_count);
	ret_text[text_count] = 0;
}

static int open_stream(struct link_sender *sender, const struct link_sender_params *params, struct enrg_error *err)
{
	int status = consumer_open(params->stream_path, params->consumer_name, UINT64_MAX, &sender->consumer, err);

	if (status)
		return status;
	const struct segment_header *header = consumer_header(sender->consumer);
	sender->room_bytes_min = 2 * header->record_bytes_max;
	uint64_t window_bytes = params->window_bytes ? params->window_bytes : WINDOW_DEFAULT_BYTES;
	if (header->record_bytes_max > LINK_PAYLOAD_MAX)
		return enrg_error_set(err, -EMSGSIZE, "%s: records of %llu bytes are too large for a link (at most %u)",
			params->stream_path, (unsigned long long)header->record_bytes_max, LINK_PAYLOAD_MAX);
	/* The window must be full before the ring is: only then the receiver is asked for an early commit. */
	if (window_bytes > header->data_bytes / 2)
		window_bytes = header->data_bytes / 2;
	link_window_init(&sender->window, window_bytes);
	link_uuid_format(header->uuid, sender->uuid);
	copy_text(sender->source, sizeof(sender->source), header->source);
	copy_text(sender->run, sizeof(sender->run), header->run);
	copy_text(sender->supervisor, sizeof(sender->supervisor), header->supervisor);
	sender->released = sender->committed = sender->last_end = consumer_position(sender->consumer);
	sender->highest_sent = sender->released;
	sender->session = link_draw_number();
	sender->pause_ns = PAUSE_FIRST_NS;
	begin_session(sender);
	return 0;
}

static int open_context(struct link_sender *sender, const char *url, struct enrg_error *err)
{
	int status = socket_check_url(url, err);

	if (status)
		return status;
	if (strlen(url) >= sizeof(sender->url))
		return enrg_error_set(err, ENRG_E_CONFIG, "%.40s…: an address of %zu bytes", url, strlen(url));
	copy_text(sender->url, sizeof(sender->url), url);
	sender->context = zmq_ctx_new();
	return sender->context ? 0 : enrg_error_set(err, -ENOMEM, "no ZeroMQ context");
}

static int start_thread(struct link_sender *sender, struct enrg_error *err)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&sender->thread, NULL, sender_main, sender);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc)
		return enrg_error_set(err, -rc, "no thread for a link");
	sender->has_thread = true;
	return 0;
}

static void sender_destroy(struct link_sender *sender)
{
	/* The context first: its thread may still look at frames that point into the ring. */
	if (sender->socket)
		zmq_close(sender->socket);
	if (sender->context)
		zmq_ctx_term(sender->context);
	consumer_close(sender->consumer);
	link_window_fini(&sender->window);
	if (sender->stop_descriptor >= 0)
		close(sender->stop_descriptor);
	free(sender);
}

int link_sender_start(const struct link_sender_params *params, struct link_sender **ret_sender, struct enrg_error *err)
{
	struct link_sender *sender = calloc(1, sizeof(*sender));

	if (!sender)
		return enrg_error_set(err, -ENOMEM, "no memory for a link");
	topic_format(sender->topic, sizeof(sender->topic), "store.%s", params->store_type);
	sender->stop_descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int status = sender->stop_descriptor < 0 ? enrg_error_set(err, -errno, "eventfd") : 0;
	if (!status)
		status = open_stream(sender, params, err);
	if (!status)
		status = open_context(sender, params->url, err);
	if (!status)
		status = open_socket(sender, err);
	if (!status)
		status = start_thread(sender, err);
	if (status) {
		enrg_error_add(err, status, "link to %s", params->store_type);
		sender_destroy(sender);
		return status;
	}
	*ret_sender = sender;
	return 0;
}

int link_sender_stop(struct link_sender *sender, uint64_t timeout_ns)
{
	uint64_t now = clock_mono_ns();

	if (!sender)
		return 0;
	atomic_store_explicit(&sender->deadline_ns, timeout_ns > UINT64_MAX - now ? UINT64_MAX : now + timeout_ns,
		memory_order_relaxed);
	/* Pairs with the acquire load in is_stopping: the deadline is there when the word is. */
	atomic_store_explicit(&sender->stop_word, 1, memory_order_release);
	doorbell_wake(&sender->stop_word);
	eventfd_write(sender->stop_descriptor, 1);
	pthread_join(sender->thread, NULL);
	int status = is_drained(sender) ? 0 : -ETIMEDOUT;
	sender_destroy(sender);
	return status;
}

void link_sender_get_counters(const struct link_sender *sender, struct link_counters *ret_counters)
{
	uint64_t numbers[COUNTERS];

	for (unsigned i = 0; i < COUNTERS; i++)
		numbers[i] = atomic_load_explicit(&sender->counters[i], memory_order_relaxed);
	*ret_counters = (struct link_counters){
		.batches = numbers[COUNT_BATCHES],
		.bytes = numbers[COUNT_BYTES],
		.duplicates = numbers[COUNT_RESENT],
		.corrupt = numbers[COUNT_CORRUPT],
		.malformed = numbers[COUNT_MALFORMED],
	};
}
