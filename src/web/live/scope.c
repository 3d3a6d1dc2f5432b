/* scope.c: see the header. */
#include "web/live/scope.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "web/live/tap.h"

#define TURN_NS     4000000u /* at a source that somebody waits for */
#define WORK_NS     5000000u /* of a turn, for a source */
#define REST_PART   3u       /* rests so many times what a turn has cost: a quarter of a core at most */
#define STACK_BYTES (1u << 20)

struct scope {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	bool is_running, is_over; /* under the lock: is_over, feeds and what feed.h says of each, run */
	struct feed *feeds[SCOPE_FEEDS_MAX];
	size_t count;
	uint32_t last_number;
	char run[64];
	uint64_t run_number;
	struct scope_params params;
	char *supervisor;
	/* of the thread alone */
	struct enrg_client *client;
	uint64_t tried_ns;
	struct tap *taps[SCOPE_FEEDS_MAX];
	size_t tap_count;
	struct feed *busy[SCOPE_FEEDS_MAX]; /* feeds of this turn, with a reference each */
	size_t busy_count;
	char busy_run[64];
	uint64_t busy_run_number;
};

/* --- the thread --------------------------------------------------------------------------------------------------- */

static void release_locked(struct scope *scope, struct feed *feed)
{
	if (--feed->references)
		return;
	for (size_t i = 0; i < scope->count; i++)
		if (scope->feeds[i] == feed)
			scope->feeds[i] = scope->feeds[--scope->count];
	feed_destroy(feed);
}

static bool is_any_wanted(const struct scope *scope)
{
	for (size_t i = 0; i < scope->count; i++)
		if (scope->feeds[i]->is_wanted || scope->feeds[i]->is_zoomed)
			return true;
	return false;
}

/* Takes what there is to do; waits where there is nothing. false: it ends. */
static bool begin_turn(struct scope *scope)
{
	pthread_mutex_lock(&scope->lock);
	while (!scope->is_over && !is_any_wanted(scope)) {
		if (!scope->count && scope->tap_count)
			break; /* nobody is there: all is closed first */
		pthread_cond_wait(&scope->changed, &scope->lock);
	}
	scope->busy_count = 0;
	for (size_t i = 0; i < scope->count; i++) {
		struct feed *feed = scope->feeds[i];

		feed->references++;
		scope->busy[scope->busy_count++] = feed;
		if (feed->is_armed)
			trigger_arm(&feed->trigger);
		feed->is_armed = false;
		feed->period_ns = feed->asked_period_ns;
	}
	memcpy(scope->busy_run, scope->run, sizeof(scope->run));
	scope->busy_run_number = scope->run_number;
	bool goes_on = !scope->is_over;
	pthread_mutex_unlock(&scope->lock);
	return goes_on;
}

static void end_turn(struct scope *scope)
{
	pthread_mutex_lock(&scope->lock);
	for (size_t i = 0; i < scope->busy_count; i++)
		release_locked(scope, scope->busy[i]);
	scope->busy_count = 0;
	pthread_mutex_unlock(&scope->lock);
}

static void on_frame(void *context, struct feed *feed, struct web_bytes *frame)
{
	struct scope *scope = context;

	pthread_mutex_lock(&scope->lock);
	web_bytes_release(feed->newest);
	feed->newest = frame;
	feed->newest_sequence = feed->sequence;
	feed->is_wanted = false; /* until the main thread has sent it and sees who else has credit */
	pthread_mutex_unlock(&scope->lock);
	scope->params.on_frame(scope->params.context);
}

/* Asked for since the last turn. */
static void zoom(struct scope *scope)
{
	struct feed_window window;

	for (size_t i = 0; i < scope->busy_count; i++) {
		struct feed *feed = scope->busy[i];

		pthread_mutex_lock(&scope->lock);
		bool is_asked = feed->is_zoomed;
		feed->is_zoomed = false;
		window = feed->zoom;
		pthread_mutex_unlock(&scope->lock);
		struct web_bytes *frame = is_asked ? feed_zoom(feed, &window, clock_mono_ns()) : NULL;
		if (frame)
			on_frame(scope, feed, frame);
	}
}

static void set_states(struct scope *scope, const char *source, const char *state)
{
	bool is_new = false;

	pthread_mutex_lock(&scope->lock);
	for (size_t i = 0; i < scope->busy_count; i++) {
		struct feed *feed = scope->busy[i];

		if (strcmp(feed->request.source, source) != 0 || !strcmp(feed->state, state))
			continue;
		text_copy(feed->state, sizeof(feed->state), state);
		feed->state_number++;
		is_new = true;
	}
	pthread_mutex_unlock(&scope->lock);
	if (is_new)
		scope->params.on_frame(scope->params.context);
}

static struct tap *find_tap(struct scope *scope, const char *source)
{
	for (size_t i = 0; i < scope->tap_count; i++)
		if (!strcmp(scope->taps[i]->source, source))
			return scope->taps[i];
	struct tap *tap = scope->tap_count < SCOPE_FEEDS_MAX ? calloc(1, sizeof(*tap)) : NULL;
	if (tap) {
		text_copy(tap->source, sizeof(tap->source), source);
		scope->taps[scope->tap_count++] = tap;
	}
	return tap;
}

/* Sources that nobody looks at any more; with the last one everything. */
static void close_unused(struct scope *scope)
{
	for (size_t i = 0; i < scope->tap_count;) {
		struct tap *tap = scope->taps[i];

		if (tap->is_used) {
			i++;
			continue;
		}
		tap_close(tap);
		free(tap);
		scope->taps[i] = scope->taps[--scope->tap_count];
	}
	if (!scope->tap_count) {
		enrg_client_close(scope->client);
		scope->client = NULL;
		scope->tried_ns = 0;
	}
}

static bool has_client(struct scope *scope)
{
	struct enrg_error err = {0};
	uint64_t now_ns = clock_mono_ns();

	if (scope->client)
		return true;
	if (scope->tried_ns && now_ns - scope->tried_ns < 500000000u)
		return false;
	scope->tried_ns = now_ns;
	if (enrg_client_open(scope->supervisor, &scope->client, &err) == 0)
		return true;
	scope->client = NULL;
	for (size_t i = 0; i < scope->busy_count; i++)
		set_states(scope, scope->busy[i]->request.source, err.text);
	return false;
}

static void read_tap(struct scope *scope, struct tap *tap)
{
	struct feed *feeds[SCOPE_FEEDS_MAX];
	struct tap_turn turn = {.feeds = feeds,
		.until_ns = clock_mono_ns() + WORK_NS,
		.run = scope->busy_run,
		.run_number = scope->busy_run_number,
		.on_frame = on_frame,
		.context = scope};

	pthread_mutex_lock(&scope->lock);
	for (size_t i = 0; i < scope->busy_count; i++)
		if (scope->busy[i]->is_wanted && !strcmp(scope->busy[i]->request.source, tap->source))
			feeds[turn.count++] = scope->busy[i];
	pthread_mutex_unlock(&scope->lock);
	if (!turn.count)
		return;
	tap_open(tap, scope->client);
	if (tap->stream)
		tap_read(tap, &turn);
	set_states(scope, tap->source, tap->state);
}

static void turn(struct scope *scope)
{
	for (size_t i = 0; i < scope->tap_count; i++)
		scope->taps[i]->is_used = false;
	for (size_t i = 0; i < scope->busy_count; i++) {
		struct tap *tap = find_tap(scope, scope->busy[i]->request.source);

		if (tap)
			tap->is_used = true;
	}
	close_unused(scope);
	zoom(scope);
	if (scope->tap_count && has_client(scope))
		for (size_t i = 0; i < scope->tap_count; i++)
			read_tap(scope, scope->taps[i]);
}

static void rest(uint64_t began_ns)
{
	uint64_t now_ns = clock_mono_ns(), spent_ns = now_ns - began_ns;
	uint64_t rest_ns = spent_ns * REST_PART > TURN_NS ? spent_ns * REST_PART : TURN_NS;
	const struct timespec span = {
		.tv_sec = (time_t)(rest_ns / 1000000000u), .tv_nsec = (long)(rest_ns % 1000000000u)};

	clock_nanosleep(CLOCK_MONOTONIC, 0, &span, NULL);
}

static void *run(void *context)
{
	struct scope *scope = context;

	while (begin_turn(scope)) {
		uint64_t began_ns = clock_mono_ns();

		turn(scope);
		bool is_idle = !scope->tap_count;
		end_turn(scope);
		if (!is_idle)
			rest(began_ns);
	}
	end_turn(scope);
	for (size_t i = 0; i < scope->tap_count; i++)
		scope->taps[i]->is_used = false;
	close_unused(scope);
	return NULL;
}

/* --- the main thread's side --------------------------------------------------------------------------------------- */

int scope_start(const struct scope_params *params, struct scope **ret_scope, struct enrg_error *err)
{
	struct scope *scope = calloc(1, sizeof(*scope));
	pthread_attr_t attributes;

	if (scope)
		scope->supervisor = strdup(params->supervisor);
	if (!scope || !scope->supervisor) {
		free(scope);
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	scope->params = *params;
	pthread_mutex_init(&scope->lock, NULL);
	pthread_cond_init(&scope->changed, NULL);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	int rc = -pthread_create(&scope->thread, &attributes, run, scope);
	pthread_attr_destroy(&attributes);
	scope->is_running = rc == 0;
	if (rc < 0) {
		scope_stop(scope);
		return enrg_error_set(err, rc, "no thread for the scope: %s", enrg_error_name(rc));
	}
	*ret_scope = scope;
	return 0;
}

void scope_stop(struct scope *scope)
{
	if (!scope)
		return;
	pthread_mutex_lock(&scope->lock);
	scope->is_over = true;
	pthread_cond_signal(&scope->changed);
	pthread_mutex_unlock(&scope->lock);
	if (scope->is_running)
		pthread_join(scope->thread, NULL);
	while (scope->count)
		feed_destroy(scope->feeds[--scope->count]);
	pthread_cond_destroy(&scope->changed);
	pthread_mutex_destroy(&scope->lock);
	free(scope->supervisor);
	free(scope);
}

struct feed *scope_acquire(struct scope *scope, const struct feed_request *request)
{
	struct feed *feed = NULL;

	pthread_mutex_lock(&scope->lock);
	for (size_t i = 0; i < scope->count && !feed; i++)
		if (!memcmp(&scope->feeds[i]->request, request, sizeof(*request)))
			feed = scope->feeds[i];
	if (feed) {
		feed->references++;
	} else if (scope->count < SCOPE_FEEDS_MAX) {
		feed = feed_create(request, ++scope->last_number);
		if (feed)
			scope->feeds[scope->count++] = feed;
	}
	pthread_mutex_unlock(&scope->lock);
	return feed;
}

void scope_release(struct scope *scope, struct feed *feed)
{
	pthread_mutex_lock(&scope->lock);
	release_locked(scope, feed);
	pthread_cond_signal(&scope->changed);
	pthread_mutex_unlock(&scope->lock);
}

void scope_begin_wants(struct scope *scope)
{
	pthread_mutex_lock(&scope->lock);
	for (size_t i = 0; i < scope->count; i++)
		scope->feeds[i]->is_asked = false;
	pthread_mutex_unlock(&scope->lock);
}

void scope_want(struct scope *scope, struct feed *feed, uint64_t sent, uint64_t period_ns)
{
	pthread_mutex_lock(&scope->lock);
	feed->is_asked |= feed->newest_sequence <= sent;
	feed->asked_period_ns = period_ns;
	pthread_mutex_unlock(&scope->lock);
}

void scope_end_wants(struct scope *scope)
{
	bool is_new = false;

	pthread_mutex_lock(&scope->lock);
	for (size_t i = 0; i < scope->count; i++) {
		struct feed *feed = scope->feeds[i];

		is_new |= feed->is_asked && !feed->is_wanted;
		feed->is_wanted = feed->is_asked;
	}
	if (is_new)
		pthread_cond_signal(&scope->changed);
	pthread_mutex_unlock(&scope->lock);
}

void scope_arm(struct scope *scope, struct feed *feed)
{
	pthread_mutex_lock(&scope->lock);
	feed->is_armed = true;
	pthread_cond_signal(&scope->changed);
	pthread_mutex_unlock(&scope->lock);
}

void scope_zoom(struct scope *scope, struct feed *feed, const struct feed_window *window)
{
	pthread_mutex_lock(&scope->lock);
	feed->zoom = *window;
	feed->is_zoomed = true;
	pthread_cond_signal(&scope->changed);
	pthread_mutex_unlock(&scope->lock);
}

void scope_set_run(struct scope *scope, const char *run_name, uint64_t number)
{
	pthread_mutex_lock(&scope->lock);
	snprintf(scope->run, sizeof(scope->run), "%s", run_name);
	scope->run_number = number;
	pthread_mutex_unlock(&scope->lock);
}

struct web_bytes *scope_get_frame(struct scope *scope, struct feed *feed, uint64_t after, uint64_t *ret_sequence)
{
	struct web_bytes *frame = NULL;

	pthread_mutex_lock(&scope->lock);
	if (feed->newest && feed->newest_sequence > after) {
		frame = web_bytes_hold(feed->newest);
		*ret_sequence = feed->newest_sequence;
	}
	pthread_mutex_unlock(&scope->lock);
	return frame;
}

uint32_t scope_get_state(struct scope *scope, struct feed *feed, char ret_state[300])
{
	pthread_mutex_lock(&scope->lock);
	uint32_t number = feed->state_number;
	memcpy(ret_state, feed->state, sizeof(feed->state));
	pthread_mutex_unlock(&scope->lock);
	return number;
}
