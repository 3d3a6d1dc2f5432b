/* link.c: see the header. */
#include "web/program/link.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#define LINE_BYTES_MAX (1u << 20)
#define LINES_MAX      64u /* that nobody has taken: a main thread that hangs is killed by who sent them */

struct link {
	struct link_params params;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	bool has_ended;
	unsigned first, count;
	json_t *lines[LINES_MAX];
	char buffer[LINE_BYTES_MAX];
};

static void put(struct link *link, const char *text, size_t bytes)
{
	json_t *line = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, NULL);

	if (!json_is_object(line)) {
		json_decref(line);
		return;
	}
	pthread_mutex_lock(&link->lock);
	if (link->count < LINES_MAX) {
		link->lines[(link->first + link->count++) % LINES_MAX] = line;
		line = NULL;
	}
	pthread_cond_signal(&link->changed);
	pthread_mutex_unlock(&link->lock);
	json_decref(line);
	link->params.wake(link->params.context);
}

/* Whole lines of the buffer; what is left moves to its begin. */
static size_t take_lines(struct link *link, size_t used)
{
	char *begin = link->buffer, *end;

	while ((end = memchr(begin, '\n', used))) {
		put(link, begin, (size_t)(end - begin));
		used -= (size_t)(end + 1 - begin);
		begin = end + 1;
	}
	memmove(link->buffer, begin, used);
	return used;
}

static void *run(void *argument)
{
	struct link *link = argument;
	size_t used = 0;

	while (used < sizeof(link->buffer)) {
		ssize_t count = read(link->params.socket, link->buffer + used, sizeof(link->buffer) - used);
		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			break;
		used = take_lines(link, used + (size_t)count);
	}
	pthread_mutex_lock(&link->lock);
	link->has_ended = true;
	pthread_cond_signal(&link->changed);
	pthread_mutex_unlock(&link->lock);
	link->params.wake(link->params.context);
	return NULL;
}

struct link *link_start(const struct link_params *params)
{
	struct link *link = calloc(1, sizeof(*link));
	pthread_condattr_t attributes;

	if (!link)
		return NULL;
	link->params = *params;
	pthread_mutex_init(&link->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&link->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	if (!pthread_create(&link->thread, NULL, run, link)) {
		pthread_detach(link->thread); /* it lives as long as the process */
		return link;
	}
	free(link);
	return NULL;
}

json_t *link_next(struct link *link)
{
	json_t *line = NULL;

	pthread_mutex_lock(&link->lock);
	if (link->count) {
		line = link->lines[link->first];
		link->first = (link->first + 1) % LINES_MAX;
		link->count--;
	}
	pthread_mutex_unlock(&link->lock);
	return line;
}

bool link_has_ended(struct link *link)
{
	pthread_mutex_lock(&link->lock);
	bool has_ended = link->has_ended && !link->count;
	pthread_mutex_unlock(&link->lock);
	return has_ended;
}

void link_wait(struct link *link, int timeout_ms)
{
	uint64_t until_ns = clock_mono_ns() + (uint64_t)timeout_ms * 1000000u;
	const struct timespec until = {
		.tv_sec = (time_t)(until_ns / 1000000000u), .tv_nsec = (long)(until_ns % 1000000000u)};
	int rc = 0;

	pthread_mutex_lock(&link->lock);
	while (!link->count && !link->has_ended && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&link->changed, &link->lock, &until);
	pthread_mutex_unlock(&link->lock);
}

void link_send(struct link *link, const json_t *line)
{
	char *text = json_dumps(line, JSON_COMPACT);
	size_t bytes = text ? strlen(text) : 0;

	if (text) {
		text[bytes] = '\n'; /* in the place of the NUL: all of it goes out in one piece, or not at all */
		(void)!send(link->params.socket, text, bytes + 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	free(text);
}

void link_alert(struct link *link, const char *key, const char *severity, const char *text, bool is_over)
{
	json_t *line = json_pack(
		"{sssssssssb}", "do", "alert", "key", key, "severity", severity, "text", text, "over", is_over);

	link_send(link, line);
	json_decref(line);
}
