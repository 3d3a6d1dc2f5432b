/* post.h: what other threads hand to the main one: answers to requests, messages for sockets. Any thread, where it
 * isn't said otherwise. An id is a number that is never given twice, times POST_SLOTS, plus the slot of the connection.
 */
#ifndef WEB_HTTP_POST_H
#define WEB_HTTP_POST_H

#include <pthread.h>

#include "web/http/message.h"

enum { POST_SLOTS = 65536, POST_MESSAGES_MAX = 256, POST_BYTES_MAX = 4 << 20, POST_REASON_BYTES = 121 };

struct post_answer {
	struct post_answer *next;
	uint64_t request;
	struct web_response response;
};

struct post_message {
	struct web_bytes *bytes;
	bool is_binary;
};

struct post_box; /* of one socket: what waits for it */

struct post {
	pthread_mutex_t mutex;
	struct post_answer *first, **last;
	struct post_box *boxes; /* by slot; their memory is touched by sockets alone */
	uint32_t slots;
};

int post_init(struct post *post, uint32_t slots); /* -ENOMEM */
void post_fini(struct post *post);

/* Takes the body, also where there is no memory for the rest: then the request times out. */
void post_add_answer(struct post *post, uint64_t request, struct web_response *response);
/* The oldest; the caller frees it. NULL: none. Main thread. */
struct post_answer *post_take_answer(struct post *post);

void post_open(struct post *post, uint64_t socket); /* Main thread */
void post_shut(struct post *post, uint64_t socket); /* drops what waits. Main thread */
/* Takes a reference. A box that is full is closed (1013) once what is in it is sent or, for a socket that takes
 * nothing, given up. */
void post_send(struct post *post, uint64_t socket, struct web_bytes *bytes, bool is_binary);
void post_close(struct post *post, uint64_t socket, uint16_t code, const char *reason);
uint32_t post_waiting(struct post *post, uint64_t socket);
/* The oldest message, whose reference is the caller's. Main thread. */
bool post_take(struct post *post, uint64_t socket, struct post_message *ret_message);
/* What it is to be closed with; 0: nobody wants it closed. Main thread. */
uint16_t post_take_close(struct post *post, uint64_t socket, char ret_reason[POST_REASON_BYTES]);
/* Is there anything to send, or to close? Main thread. */
bool post_has_work(struct post *post, uint64_t socket);

#endif
