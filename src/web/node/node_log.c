/* node_log.c: a ring of lines, read on by whoever asks for them, at most once in a while. */
#include "web/node/node_log.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "enrgdaq/client.h"

#define LOOK_NS  200000000ull  /* not more often */
#define RETRY_NS 3000000000ull /* after a failure to open */

struct node_log {
	pthread_mutex_t lock;
	char *supervisor;
	struct enrg_client *client; /* what follows is opened of it */
	struct enrg_logs *lines;    /* NULL: not open, or not to be read */
	struct enrg_alerts *alerts; /* in the place of it */
	bool is_said;               /* why there are no lines */
	uint64_t looked_ns, retry_ns;
	uint64_t count; /* entries so far; the last NODE_LOG_LINES of them are kept */
	json_t *ring[NODE_LOG_LINES];
};

/* "2026-11-28 10:27:03.098", the local clock of the log, or UTC with a Z: both as local time in the form of ISO. */
static void format_stamp(const char *time, char ret_stamp[64])
{
	struct tm parts = {0};
	const char *rest = strptime(time, "%Y-%m-%dT%H:%M:%S", &parts);
	char *space;

	text_copy(ret_stamp, 64, time);
	space = strchr(ret_stamp, ' ');
	if (space)
		*space = 'T';
	if (!rest || !strchr(rest, 'Z'))
		return;
	time_t seconds = timegm(&parts);
	if (localtime_r(&seconds, &parts)) {
		size_t used = strftime(ret_stamp, 40, "%Y-%m-%dT%H:%M:%S", &parts);
		snprintf(ret_stamp + used, 64 - used, "%.*s", (int)strcspn(rest, "Z"), rest);
	}
}

static void put(struct node_log *log, const char *level, const char *message, const char *time, const char *module)
{
	json_t **place = &log->ring[log->count % NODE_LOG_LINES];
	char stamp[64];
	json_t *entry;

	format_stamp(time, stamp);
	entry = json_pack("{s:s, s:n, s:s, s:s, s:s, s:s, s:s}", "type", "CNCMessageLog", "req_id", "level",
		level[0] ? level : "INFO", "message", message, "timestamp", stamp, "module",
		module[0] ? module : "supervisor", "client_id", log->supervisor);
	if (!entry)
		return;
	json_decref(*place);
	*place = entry;
	log->count++;
}

/* "INFO", … of "info". */
static const char *level_of(const char *severity)
{
	return !strcmp(severity, "error") ? "ERROR" : !strcmp(severity, "warning") ? "WARNING" : "INFO";
}

static void close_all(struct node_log *log)
{
	enrg_logs_close(log->lines);
	enrg_alerts_close(log->alerts);
	enrg_client_close(log->client);
	log->lines = NULL;
	log->alerts = NULL;
	log->client = NULL;
}

/* Of the log where it can be read, else of the alerts, and why is said once. */
static void open_one(struct node_log *log, uint64_t now_ns)
{
	struct enrg_error err = {0};
	char time[40];
	int rc;

	if (now_ns < log->retry_ns)
		return;
	log->retry_ns = now_ns + RETRY_NS;
	close_all(log);
	if (enrg_client_open(log->supervisor, &log->client, &err))
		return;
	/* after an outage only what is new: the ring has the rest */
	rc = enrg_logs_open(log->client, log->count ? 0 : NODE_LOG_LINES, &log->lines, &err);
	if (!rc || rc == -EAGAIN)
		return;
	if (!log->is_said) {
		clock_format_utc(clock_wall_ns(), time, sizeof(time));
		put(log, "WARNING", err.text, time, "enrgdaq-web");
		put(log, "INFO",
			"so alerts alone are shown here; `[log]` with `file` in supervisor.toml brings every line of "
			"the log",
			time, "enrgdaq-web");
		log->is_said = true;
	}
	enrg_alerts_open(log->client, &log->alerts, &err);
}

static int read_lines(struct node_log *log)
{
	const struct enrg_log_line *line;
	struct enrg_error err = {0};
	int rc = 0;

	for (unsigned i = 0; i < 4 * NODE_LOG_LINES && (rc = enrg_logs_next(log->lines, &line, &err)) > 0; i++)
		put(log, line->level, line->message, line->time, line->process);
	return rc;
}

static int read_alerts(struct node_log *log)
{
	const struct enrg_client_alert *alert;
	struct enrg_error err = {0};
	int rc = 0;

	for (unsigned i = 0; i < NODE_LOG_LINES && (rc = enrg_alerts_next(log->alerts, &alert, &err)) > 0; i++)
		put(log, level_of(alert->severity), alert->message, alert->time, alert->job);
	return rc;
}

static void look(struct node_log *log)
{
	uint64_t now_ns = clock_mono_ns();

	if (log->looked_ns && now_ns - log->looked_ns < LOOK_NS)
		return;
	log->looked_ns = now_ns;
	if (!log->lines && !log->alerts)
		open_one(log, now_ns);
	int rc = log->lines ? read_lines(log) : log->alerts ? read_alerts(log) : 0;
	if (rc == -ENOTSUP) /* its new instance logs elsewhere */
		close_all(log);
}

json_t *node_log_list(struct node_log *log, uint64_t *position, unsigned max)
{
	json_t *list = json_array();
	uint64_t first, oldest;

	pthread_mutex_lock(&log->lock);
	look(log);
	oldest = log->count > NODE_LOG_LINES ? log->count - NODE_LOG_LINES : 0;
	first = *position < oldest ? oldest : *position > log->count ? log->count : *position;
	if (!*position && log->count - first > max)
		first = log->count - max;
	*position = first;
	for (; *position < log->count && *position - first < max; ++*position)
		json_array_append(list, log->ring[*position % NODE_LOG_LINES]);
	pthread_mutex_unlock(&log->lock);
	return list;
}

struct node_log *node_log_create(const char *supervisor)
{
	struct node_log *log = calloc(1, sizeof(*log));
	char *copy = strdup(supervisor);

	if (!log || !copy) {
		free(log);
		free(copy);
		return NULL;
	}
	log->supervisor = copy;
	pthread_mutex_init(&log->lock, NULL);
	return log;
}

void node_log_destroy(struct node_log *log)
{
	if (!log)
		return;
	close_all(log);
	for (size_t i = 0; i < NODE_LOG_LINES; i++)
		json_decref(log->ring[i]);
	pthread_mutex_destroy(&log->lock);
	free(log->supervisor);
	free(log);
}
