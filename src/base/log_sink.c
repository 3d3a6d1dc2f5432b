/* log_sink.c: a ring of lines and the thread that writes them. The lock is held to copy, never while anything is
 * written.
 */
#include "base/log_sink.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/fresh.h"

#define RING_BYTES  (64u << 10)
#define STACK_BYTES (256u << 10) /* of address space; what is not used costs nothing */

struct log_sink {
	const struct log_sink_type *type;
	void *context;
	pthread_mutex_t lock;
	pthread_cond_t filled, moved;
	pthread_t thread;
	bool has_thread, is_ending;
	bool is_behind;          /* a line did not get out in time, and the ring has not been empty since */
	uint64_t added, written; /* lines taken into the ring, and out of the thread's hands */
	uint64_t lost;           /* lines that nobody will see, and that has not been said */
	int lost_code;
	size_t first, used;
	char ring[RING_BYTES]; /* two bytes of length before each line */
};

/* --- the ring; under the lock --- */

static void copy_in(struct log_sink *sink, const void *bytes, size_t count)
{
	size_t at = (sink->first + sink->used) % RING_BYTES;
	size_t head = count < RING_BYTES - at ? count : RING_BYTES - at;

	memcpy(sink->ring + at, bytes, head);
	memcpy(sink->ring, (const char *)bytes + head, count - head);
	sink->used += count;
}

static void copy_out(struct log_sink *sink, void *ret_bytes, size_t count)
{
	size_t head = count < RING_BYTES - sink->first ? count : RING_BYTES - sink->first;

	memcpy(ret_bytes, sink->ring + sink->first, head);
	memcpy((char *)ret_bytes + head, sink->ring, count - head);
	sink->used -= count;
	sink->first = sink->used ? (sink->first + count) % RING_BYTES : 0; /* few pages where there are few lines */
}

/* --- the thread --- */

static void say_lost(struct log_sink *sink)
{
	char line[LOG_LINE_BYTES];
	uint64_t count = sink->lost;
	int rc = sink->lost_code;

	if (!count)
		return;
	pthread_mutex_unlock(&sink->lock);
	size_t bytes = sink->type->format_lost(sink->context, count, rc, line, sizeof(line));
	rc = sink->type->put(sink->context, line, bytes);
	pthread_mutex_lock(&sink->lock);
	if (rc)
		return;
	sink->lost -= count;
	sink->lost_code = 0;
}

static void put_one(struct log_sink *sink)
{
	char line[LOG_LINE_BYTES];
	uint16_t bytes;

	copy_out(sink, &bytes, sizeof(bytes));
	copy_out(sink, line, bytes);
	pthread_mutex_unlock(&sink->lock);
	int rc = sink->type->put(sink->context, line, bytes);
	pthread_mutex_lock(&sink->lock);
	if (rc) {
		sink->lost++;
		sink->lost_code = rc;
	} else {
		say_lost(sink);
	}
	sink->written++;
	if (!sink->used)
		sink->is_behind = false;
	pthread_cond_broadcast(&sink->moved);
}

static void *run(void *context)
{
	struct log_sink *sink = context;

	pthread_setname_np(pthread_self(), "log");
	pthread_mutex_lock(&sink->lock);
	while (sink->used || !sink->is_ending) {
		if (sink->used)
			put_one(sink);
		else
			pthread_cond_wait(&sink->filled, &sink->lock);
	}
	pthread_mutex_unlock(&sink->lock);
	return NULL;
}

/* Signals are for the other threads of the process. */
static bool start_thread(struct log_sink *sink)
{
	pthread_attr_t attributes;
	sigset_t all, before;

	if (sink->has_thread)
		return true;
	sigfillset(&all);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	sink->has_thread = pthread_create(&sink->thread, &attributes, run, sink) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return sink->has_thread;
}

/* --- for those who log --- */

struct log_sink *log_sink_create(const struct log_sink_type *type, void *context)
{
	struct log_sink *sink = fresh_create(sizeof(*sink));
	pthread_condattr_t attributes;

	if (!sink)
		return NULL;
	sink->type = type;
	sink->context = context;
	pthread_mutex_init(&sink->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&sink->filled, &attributes);
	pthread_cond_init(&sink->moved, &attributes);
	pthread_condattr_destroy(&attributes);
	return sink;
}

static struct timespec moment(uint64_t mono_ns)
{
	return (struct timespec){.tv_sec = (time_t)(mono_ns / 1000000000u), .tv_nsec = (long)(mono_ns % 1000000000u)};
}

void log_sink_add(struct log_sink *sink, const char *line, size_t bytes, uint64_t wait_ns)
{
	uint16_t length = (uint16_t)(bytes < LOG_LINE_BYTES ? bytes : LOG_LINE_BYTES);
	struct timespec until = moment(clock_mono_ns() + wait_ns);

	pthread_mutex_lock(&sink->lock);
	if (sink->used + sizeof(length) + length > RING_BYTES || !start_thread(sink)) {
		sink->lost++;
		pthread_mutex_unlock(&sink->lock);
		return;
	}
	copy_in(sink, &length, sizeof(length));
	copy_in(sink, line, length);
	uint64_t own = ++sink->added;
	pthread_cond_signal(&sink->filled);
	while (wait_ns && !sink->is_behind && sink->written < own)
		if (pthread_cond_timedwait(&sink->moved, &sink->lock, &until) == ETIMEDOUT)
			sink->is_behind = sink->written < own;
	pthread_mutex_unlock(&sink->lock);
}

bool log_sink_flush(struct log_sink *sink, uint64_t patience_ns)
{
	bool is_out = true;

	pthread_mutex_lock(&sink->lock);
	while (sink->written < sink->added && is_out) {
		struct timespec until = moment(clock_mono_ns() + patience_ns);
		uint64_t before = sink->written;

		while (sink->written == before && is_out)
			is_out = pthread_cond_timedwait(&sink->moved, &sink->lock, &until) != ETIMEDOUT ||
				 sink->written != before;
	}
	pthread_mutex_unlock(&sink->lock);
	return is_out;
}

bool log_sink_destroy(struct log_sink *sink, uint64_t patience_ns)
{
	if (!sink)
		return true;
	if (!log_sink_flush(sink, patience_ns))
		return false;
	pthread_mutex_lock(&sink->lock);
	sink->is_ending = true;
	pthread_cond_signal(&sink->filled);
	pthread_mutex_unlock(&sink->lock);
	if (sink->has_thread)
		pthread_join(sink->thread, NULL);
	pthread_mutex_destroy(&sink->lock);
	pthread_cond_destroy(&sink->filled);
	pthread_cond_destroy(&sink->moved);
	fresh_destroy(sink, sizeof(*sink));
	return true;
}
