/* link_sender.c: a producer's end of a link. Runs in the producing job, on a thread of its own that is the required
 * consumer of the job's stream: what is not acknowledged stays in the ring. What it says: link_session.c. */
#include "bus/link_sender_state.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "plane/doorbell.h"

#define WINDOW_DEFAULT_BYTES (16u << 20)
/* Pause between looks at the socket while the stream is empty; new batches end it at once. */
#define PAUSE_FIRST_NS 1000000u
#define PAUSE_LAST_NS  128000000u

static bool is_stopping(const struct link_sender *sender)
{
	return atomic_load_explicit(&sender->stop_word, memory_order_acquire);
}

/* --- the thread --------------------------------------------------------------------------------------------------- */

static bool is_over(const struct link_sender *sender)
{
	if (!is_stopping(sender))
		return false;
	if (link_session_is_drained(sender) && (sender->is_bye_confirmed || !consumer_is_closed(sender->consumer)))
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
	if (link_session_is_full(sender)) { /* an acknowledgement matters as much as a batch */
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
		bool is_busy = link_session_take_answers(sender);
		is_busy |= link_session_send_batches(sender);
		link_session_say_note(sender);
		if (is_busy)
			sender->pause_ns = PAUSE_FIRST_NS;
		else
			wait_for_work(sender);
	}
	return NULL;
}

/* --- starting and stopping ---------------------------------------------------------------------------------------- */

static void copy_text(char *ret_text, size_t text_bytes, const char *text)
{
	size_t text_count = strnlen(text, text_bytes - 1);

	memcpy(ret_text, text, text_count);
	ret_text[text_count] = 0;
}

static int open_stream(struct link_sender *sender, const struct link_sender_params *params, struct enrg_error *err)
{
	int rc = consumer_open(params->stream_path, params->consumer_name, UINT64_MAX, &sender->consumer, err);

	if (rc)
		return rc;
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
	text_format_hex(header->uuid, sizeof(header->uuid), sender->uuid);
	copy_text(sender->source, sizeof(sender->source), header->source);
	copy_text(sender->run, sizeof(sender->run), header->run);
	copy_text(sender->supervisor, sizeof(sender->supervisor), header->supervisor);
	sender->released = sender->committed = sender->last_end = consumer_position(sender->consumer);
	sender->highest_sent = sender->released;
	sender->session = link_draw_number();
	sender->pause_ns = PAUSE_FIRST_NS;
	link_session_begin(sender);
	return 0;
}

static int open_context(struct link_sender *sender, const char *url, struct enrg_error *err)
{
	int rc = socket_check_url(url, err);

	if (rc)
		return rc;
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
	int rc = sender->stop_descriptor < 0 ? enrg_error_set(err, -errno, "eventfd") : 0;
	if (!rc)
		rc = open_stream(sender, params, err);
	if (!rc)
		rc = open_context(sender, params->url, err);
	if (!rc)
		rc = link_session_connect(sender, err);
	if (!rc)
		rc = start_thread(sender, err);
	if (rc) {
		enrg_error_add(err, rc, "link to %s", params->store_type);
		sender_destroy(sender);
		return rc;
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
	int rc = link_session_is_drained(sender) ? 0 : -ETIMEDOUT;
	sender_destroy(sender);
	return rc;
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
