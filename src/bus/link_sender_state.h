/* link_sender_state.h: a sender, as link_sender.c (its thread and its life) and link_session.c (what is said over the
 * link) share it. */
#ifndef BUS_LINK_SENDER_STATE_H
#define BUS_LINK_SENDER_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "bus/bus.h"
#include "bus/link.h"
#include "bus/link_frame.h"
#include "bus/link_window.h"
#include "bus/socket.h"
#include "plane/stream.h"

#define HELLO_NEXT_NS 1000000000u

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

/* Everything that the stream holds was read and is acknowledged. */
bool link_session_is_drained(const struct link_sender *sender);
/* Is it time for the receiver to commit? Also where the ring, not the window, is what holds the producer back. */
bool link_session_is_full(const struct link_sender *sender);
int link_session_connect(struct link_sender *sender, struct enrg_error *err);
void link_session_begin(struct link_sender *sender);
/* true: there were some, and may be more. */
bool link_session_take_answers(struct link_sender *sender);
/* Says hello or bye where one is due. */
void link_session_say_note(struct link_sender *sender);
/* The same as of answers. */
bool link_session_send_batches(struct link_sender *sender);

#endif
