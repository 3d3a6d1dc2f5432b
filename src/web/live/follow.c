/* follow.c: see the header. */
#include "web/live/follow.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "enrgdaq/client.h"

#define TURN_NS     200000000u
#define AGAIN_NS    2000000000u /* after something that was not there */
#define LINES_MAX   2000u       /* of a turn */
#define LINES_FIRST 200u        /* of those that are there already */
#define STACK_BYTES (1u << 20)

struct follow {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	bool is_running, is_over; /* with `state` under the lock */
	char state[300];
	struct follow_params params;
	char *supervisor;
	struct enrg_client *client; /* of the thread */
	struct enrg_logs *logs;
	struct enrg_alerts *alerts;
	uint64_t again_ns;
};

static void set_state(struct follow *follow, const char *state)
{
	pthread_mutex_lock(&follow->lock);
	text_copy(follow->state, sizeof(follow->state), state);
	pthread_mutex_unlock(&follow->lock);
}

void follow_get_state(struct follow *follow, char ret_state[300])
{
	pthread_mutex_lock(&follow->lock);
	memcpy(ret_state, follow->state, sizeof(follow->state));
	pthread_mutex_unlock(&follow->lock);
}

static unsigned take_alerts(struct follow *follow)
{
	const struct enrg_client_alert *alert;
	unsigned count = 0;

	while (count < LINES_MAX && enrg_alerts_next(follow->alerts, &alert, NULL) == 1) {
		events_add(
			follow->params.events, json_pack("{s:s, s:s, s:s, s:s, s:s, s:I}", "event", "alert", "time",
						       alert->time, "severity", alert->severity, "job", alert->job,
						       "message", alert->message, "missed", (json_int_t)alert->missed));
		count++;
	}
	return count;
}

static unsigned take_lines(struct follow *follow)
{
	const struct enrg_log_line *line;
	struct enrg_error err = {0};
	unsigned count = 0;
	int rc = 1;

	while (count < LINES_MAX && (rc = enrg_logs_next(follow->logs, &line, &err)) == 1) {
		enum enrg_level level = ENRG_INFO;

		if (*line->level)
			log_parse_level(line->level, &level);
		events_add_log(follow->params.events, &(struct event_log_line){.level = level,
							      .time = line->time,
							      .process = line->process,
							      .message = line->message});
		count++;
	}
	if (rc < 0 && rc != -EAGAIN) {
		set_state(follow, err.text);
		enrg_logs_close(follow->logs);
		follow->logs = NULL;
	}
	return count;
}

/* What is not open is opened, now and then. */
static void open_all(struct follow *follow)
{
	struct enrg_error err = {0};
	uint64_t now_ns = clock_mono_ns();

	if ((follow->client && follow->logs && follow->alerts) || now_ns < follow->again_ns)
		return;
	follow->again_ns = now_ns + AGAIN_NS;
	if (!follow->client && enrg_client_open(follow->supervisor, &follow->client, &err) < 0) {
		follow->client = NULL;
		set_state(follow, err.text);
		return;
	}
	if (!follow->alerts && enrg_alerts_open(follow->client, &follow->alerts, NULL) < 0)
		follow->alerts = NULL;
	if (follow->logs)
		return;
	if (enrg_logs_open(follow->client, LINES_FIRST, &follow->logs, &err) < 0) {
		follow->logs = NULL;
		set_state(follow, err.text);
	} else {
		set_state(follow, "");
	}
}

/* false: it is over. */
static bool wait_turn(struct follow *follow)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	uint64_t at_ns = (uint64_t)until.tv_sec * 1000000000u + (uint64_t)until.tv_nsec + TURN_NS;
	until = (struct timespec){.tv_sec = (time_t)(at_ns / 1000000000u), .tv_nsec = (long)(at_ns % 1000000000u)};
	pthread_mutex_lock(&follow->lock);
	while (!follow->is_over && pthread_cond_timedwait(&follow->changed, &follow->lock, &until) == 0)
		;
	bool goes_on = !follow->is_over;
	pthread_mutex_unlock(&follow->lock);
	return goes_on;
}

static void *run(void *context)
{
	struct follow *follow = context;

	do {
		open_all(follow);
		unsigned count = follow->alerts ? take_alerts(follow) : 0;
		count += follow->logs ? take_lines(follow) : 0;
		if (count)
			follow->params.on_events(follow->params.context);
	} while (wait_turn(follow));
	enrg_logs_close(follow->logs);
	enrg_alerts_close(follow->alerts);
	enrg_client_close(follow->client);
	return NULL;
}

int follow_start(const struct follow_params *params, struct follow **ret_follow, struct enrg_error *err)
{
	struct follow *follow = calloc(1, sizeof(*follow));
	pthread_condattr_t clock;
	pthread_attr_t attributes;

	if (follow)
		follow->supervisor = strdup(params->supervisor);
	if (!follow || !follow->supervisor) {
		free(follow);
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	follow->params = *params;
	pthread_mutex_init(&follow->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&follow->changed, &clock);
	pthread_condattr_destroy(&clock);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	int rc = -pthread_create(&follow->thread, &attributes, run, follow);
	pthread_attr_destroy(&attributes);
	follow->is_running = rc == 0;
	if (rc < 0) {
		follow_stop(follow);
		return enrg_error_set(err, rc, "no thread for log and alerts: %s", enrg_error_name(rc));
	}
	*ret_follow = follow;
	return 0;
}

void follow_stop(struct follow *follow)
{
	if (!follow)
		return;
	pthread_mutex_lock(&follow->lock);
	follow->is_over = true;
	pthread_cond_signal(&follow->changed);
	pthread_mutex_unlock(&follow->lock);
	if (follow->is_running)
		pthread_join(follow->thread, NULL);
	pthread_cond_destroy(&follow->changed);
	pthread_mutex_destroy(&follow->lock);
	free(follow->supervisor);
	free(follow);
}
