#include "web/http/post.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "web/http/frame.h"

struct post_box {
	uint64_t socket; /* 0: none */
	struct post_message messages[POST_MESSAGES_MAX];
	uint32_t first, count;
	size_t bytes;
	uint16_t close_code;
	char close_reason[POST_REASON_BYTES];
};

int post_init(struct post *post, uint32_t slots)
{
	*post = (struct post){.slots = slots, .boxes = calloc(slots, sizeof(struct post_box))};
	if (!post->boxes)
		return -ENOMEM;
	post->last = &post->first;
	return -pthread_mutex_init(&post->mutex, NULL);
}

static void empty_box(struct post_box *box)
{
	for (; box->count; box->count--, box->first++)
		web_bytes_release(box->messages[box->first % POST_MESSAGES_MAX].bytes);
	box->socket = 0;
	box->bytes = 0;
	box->close_code = 0;
}

void post_fini(struct post *post)
{
	if (!post->boxes)
		return;
	for (uint32_t i = 0; i < post->slots; i++)
		empty_box(&post->boxes[i]);
	free(post->boxes);
	for (struct post_answer *answer; (answer = post_take_answer(post));) {
		web_bytes_release(answer->response.body);
		free(answer);
	}
	pthread_mutex_destroy(&post->mutex);
	post->boxes = NULL;
}

void post_add_answer(struct post *post, uint64_t request, struct web_response *response)
{
	struct post_answer *answer = malloc(sizeof(*answer));

	if (!answer) {
		web_bytes_release(response->body);
		response->body = NULL;
		return;
	}
	*answer = (struct post_answer){.request = request, .response = *response};
	response->body = NULL;
	pthread_mutex_lock(&post->mutex);
	*post->last = answer;
	post->last = &answer->next;
	pthread_mutex_unlock(&post->mutex);
}

struct post_answer *post_take_answer(struct post *post)
{
	pthread_mutex_lock(&post->mutex);
	struct post_answer *answer = post->first;
	if (answer) {
		post->first = answer->next;
		if (!post->first)
			post->last = &post->first;
	}
	pthread_mutex_unlock(&post->mutex);
	return answer;
}

/* Locks; unlock_box in any case. */
static struct post_box *lock_box(struct post *post, uint64_t socket)
{
	uint32_t slot = (uint32_t)(socket % POST_SLOTS);

	pthread_mutex_lock(&post->mutex);
	struct post_box *box = slot < post->slots ? &post->boxes[slot] : NULL;
	return box && socket && box->socket == socket ? box : NULL;
}

static void unlock_box(struct post *post)
{
	pthread_mutex_unlock(&post->mutex);
}

void post_open(struct post *post, uint64_t socket)
{
	pthread_mutex_lock(&post->mutex);
	post->boxes[socket % POST_SLOTS].socket = socket;
	pthread_mutex_unlock(&post->mutex);
}

void post_shut(struct post *post, uint64_t socket)
{
	struct post_box *box = lock_box(post, socket);

	if (box)
		empty_box(box);
	unlock_box(post);
}

static void close_box(struct post_box *box, uint16_t code, const char *reason)
{
	if (box->close_code)
		return;
	box->close_code = code;
	text_copy(box->close_reason, sizeof(box->close_reason), reason);
}

void post_send(struct post *post, uint64_t socket, struct web_bytes *bytes, bool is_binary)
{
	struct post_box *box = lock_box(post, socket);
	bool is_taken = box && !box->close_code;

	if (is_taken &&
		(box->count == POST_MESSAGES_MAX || (box->count && box->bytes + bytes->count > POST_BYTES_MAX))) {
		close_box(box, FRAME_CLOSE_LATER, "messages are not taken as fast as they come");
		is_taken = false;
	}
	if (is_taken) {
		box->messages[(box->first + box->count++) % POST_MESSAGES_MAX] =
			(struct post_message){bytes, is_binary};
		box->bytes += bytes->count;
	}
	unlock_box(post);
	if (!is_taken)
		web_bytes_release(bytes);
}

void post_close(struct post *post, uint64_t socket, uint16_t code, const char *reason)
{
	struct post_box *box = lock_box(post, socket);

	if (box)
		close_box(box, code, reason ? reason : "");
	unlock_box(post);
}

uint32_t post_waiting(struct post *post, uint64_t socket)
{
	struct post_box *box = lock_box(post, socket);
	uint32_t count = box ? box->count : 0;

	unlock_box(post);
	return count;
}

bool post_take(struct post *post, uint64_t socket, struct post_message *ret_message)
{
	struct post_box *box = lock_box(post, socket);
	bool is_taken = box && box->count;

	if (is_taken) {
		*ret_message = box->messages[box->first++ % POST_MESSAGES_MAX];
		box->count--;
		box->bytes -= ret_message->bytes->count;
	}
	unlock_box(post);
	return is_taken;
}

uint16_t post_take_close(struct post *post, uint64_t socket, char ret_reason[POST_REASON_BYTES])
{
	struct post_box *box = lock_box(post, socket);
	uint16_t code = box ? box->close_code : 0;

	if (code)
		memcpy(ret_reason, box->close_reason, POST_REASON_BYTES);
	unlock_box(post);
	return code;
}

bool post_has_work(struct post *post, uint64_t socket)
{
	struct post_box *box = lock_box(post, socket);
	bool has_work = box && (box->count || box->close_code);

	unlock_box(post);
	return has_work;
}
