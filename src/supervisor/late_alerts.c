/* late_alerts.c: a ring of alerts, who has missed which, and the file that both outlive this process in: lines of JSON,
 * {"heard_ns", "sent_wall_ns", "job", "body"} for an alert, {"listener", "gone_ns"} where one that hears alerts has
 * ended (or is there: -1). Appended, so that an alert costs one call; written anew when it has grown to some times what
 * is kept. A line that was cut off by a kill is left out.
 */
#include "supervisor/late_alerts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/path.h"

#define FILE_BYTES_MAX (16u << 20)
#define LINES_MAX      (4u * LATE_ALERTS_MAX)

void late_alerts_fini(struct late_alerts *late)
{
	for (uint32_t i = 0; i < LATE_ALERTS_MAX; i++)
		json_decref(late->items[i].body);
	free(late->listeners);
	if (late->path[0] && late->file >= 0)
		close(late->file);
	*late = (struct late_alerts){0};
}

static void add_alert(struct late_alerts *late, const struct late_alert *alert)
{
	struct late_alert *place = &late->items[late->next];

	json_decref(place->body);
	*place = *alert;
	late->next = (late->next + 1) % LATE_ALERTS_MAX;
	late->count += late->count < LATE_ALERTS_MAX;
}

const struct late_alert *late_alerts_get(const struct late_alerts *late, uint32_t index)
{
	return &late->items[(late->next + LATE_ALERTS_MAX - late->count + index) % LATE_ALERTS_MAX];
}

struct late_listener *late_alerts_find_listener(struct late_alerts *late, const char *job)
{
	for (uint32_t i = 0; i < late->listener_count; i++)
		if (!strcmp(late->listeners[i].job, job))
			return &late->listeners[i];
	struct late_listener *longer = realloc(late->listeners, (late->listener_count + 1) * sizeof(*longer));
	if (!longer)
		return NULL;
	late->listeners = longer;
	longer[late->listener_count] = (struct late_listener){0};
	snprintf(longer[late->listener_count].job, sizeof(longer->job), "%s", job);
	return &longer[late->listener_count++];
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

/* One line, with its end; the caller frees it. NULL: out of memory. */
static char *format_line(const struct late_alert *alert, const struct late_listener *listener)
{
	json_t *json =
		alert ? json_pack("{s:I, s:I, s:s, s:O}", "heard_ns", (json_int_t)alert->heard_ns, "sent_wall_ns",
				(json_int_t)alert->sent_wall_ns, "job", alert->job, "body", alert->body)
		      : json_pack("{s:s, s:I}", "listener", listener->job, "gone_ns", (json_int_t)listener->gone_ns);
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL, *line = NULL;

	json_decref(json);
	if (text && asprintf(&line, "%s\n", text) < 0)
		line = NULL;
	free(text);
	return line;
}

static void tell(struct late_alerts *late, const char *why)
{
	if (!late->is_failing)
		log_line(ENRG_WARNING,
			"%s: %s: should this supervisor be killed, alerts that nobody has heard yet are in the log "
			"only",
			late->path, why);
	late->is_failing = true;
}

static void write_line(FILE *stream, const struct late_alert *alert, const struct late_listener *listener)
{
	char *line = format_line(alert, listener);

	if (line)
		fputs(line, stream);
	free(line);
}

static void write_anew(struct late_alerts *late)
{
	struct enrg_error err = {0};
	char *text = NULL;
	size_t bytes = 0;
	FILE *stream = open_memstream(&text, &bytes);

	for (uint32_t i = 0; stream && i < late->count; i++)
		write_line(stream, late_alerts_get(late, i), NULL);
	for (uint32_t i = 0; stream && i < late->listener_count; i++)
		write_line(stream, NULL, &late->listeners[i]);
	late->lines = late->count + late->listener_count;
	if (!stream || fclose(stream) || path_write_private_file(late->path, text, bytes, &err)) {
		tell(late, err.text[0] ? err.text : strerror(errno));
		free(text);
		return;
	}
	free(text);
	if (late->file >= 0)
		close(late->file);
	late->file = open(late->path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
}

void late_alerts_note(struct late_alerts *late, const struct late_alert *alert, const struct late_listener *listener)
{
	char *line = late->path[0] ? format_line(alert, listener) : NULL;

	if (!line)
		return;
	if (late->file < 0 || ++late->lines > LINES_MAX + late->listener_count)
		write_anew(late); /* with this one */
	else if (write(late->file, line, strlen(line)) != (ssize_t)strlen(line))
		tell(late, strerror(errno));
	free(line);
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static void parse_line(struct late_alerts *late, const json_t *json, uint64_t now_ns)
{
	const char *job = json_string_value(json_object_get(json, "job")),
		   *name = json_string_value(json_object_get(json, "listener"));
	struct late_alert alert = {.heard_ns = (uint64_t)json_integer_value(json_object_get(json, "heard_ns")),
		.sent_wall_ns = (uint64_t)json_integer_value(json_object_get(json, "sent_wall_ns")),
		.body = json_object_get(json, "body")};

	if (name) {
		struct late_listener *listener = late_alerts_find_listener(late, name);
		if (listener)
			listener->gone_ns = (uint64_t)json_integer_value(json_object_get(json, "gone_ns"));
	} else if (job && json_is_object(alert.body) && alert.heard_ns <= now_ns) { /* else of an earlier boot */
		snprintf(alert.job, sizeof(alert.job), "%s", job);
		json_incref(alert.body);
		add_alert(late, &alert);
	}
}

/* Its supervisor is gone, and so is who heard by it: those have what had come by then. */
static void end_listeners(struct late_alerts *late)
{
	uint64_t last_ns = late->count ? late_alerts_get(late, late->count - 1)->heard_ns + 1 : 0;

	for (uint32_t i = 0; i < late->listener_count; i++)
		if (late->listeners[i].gone_ns == UINT64_MAX)
			late->listeners[i].gone_ns = last_ns;
}

void late_alerts_open(struct late_alerts *late, const char *folder, uint64_t now_ns)
{
	char *text = NULL, *saved = NULL;
	size_t bytes;

	snprintf(late->path, sizeof(late->path), "%s/alerts.jsonl", folder);
	late->file = -1;
	if (!path_read_file(late->path, FILE_BYTES_MAX, &text, &bytes, NULL)) {
		for (char *line = strtok_r(text, "\n", &saved); line; line = strtok_r(NULL, "\n", &saved)) {
			json_t *json = json_loads(line, 0, NULL);
			parse_line(late, json, now_ns);
			json_decref(json);
		}
		end_listeners(late);
	}
	free(text);
	write_anew(late);
}

void late_alerts_drop(const char *folder)
{
	char path[600];

	snprintf(path, sizeof(path), "%s/alerts.jsonl", folder);
	unlink(path);
}

/* --- both -----------------------------------------------------------------------------------------------------------
 */

void late_alerts_keep(struct late_alerts *late, const struct envelope *envelope, uint64_t now_ns)
{
	struct late_alert alert = {
		.heard_ns = now_ns, .sent_wall_ns = envelope->sent_wall_ns, .body = json_copy(envelope->body)};
	char id[2 * sizeof(envelope->id) + 1];

	if (!alert.body)
		return;
	for (size_t i = 0; i < sizeof(envelope->id); i++)
		snprintf(id + 2 * i, 3, "%02x", envelope->id[i]);
	snprintf(alert.job, sizeof(alert.job), "%s", envelope->job);
	json_object_set_new(alert.body, "late", json_true());
	json_object_set_new(alert.body, "id", json_string(id));
	add_alert(late, &alert);
	late_alerts_note(late, &alert, NULL);
}

void late_alerts_note_end(struct late_alerts *late, const char *job, uint64_t now_ns)
{
	struct late_listener *listener = late_alerts_find_listener(late, job);

	if (!listener || listener->gone_ns != UINT64_MAX) /* it has ended before it was ready */
		return;
	listener->gone_ns = now_ns;
	late_alerts_note(late, NULL, listener);
}

uint32_t late_alerts_send(struct late_alerts *late, struct bus_client *client, const char *job)
{
	struct late_listener *listener = late_alerts_find_listener(late, job);
	char topic[TOPIC_BYTES_MAX];
	struct enrg_error err = {0};
	uint32_t sent = 0;

	if (!listener || listener->gone_ns == UINT64_MAX)
		return 0;
	topic_format(topic, sizeof(topic), "daq_job.%s", job);
	for (uint32_t i = 0; i < late->count; i++) {
		const struct late_alert *alert = late_alerts_get(late, i);

		if (alert->heard_ns < listener->gone_ns)
			continue;
		if (bus_client_send(client, topic, "alert", alert->body, &err))
			log_line(ENRG_DEBUG, "a late alert for %s was not sent: %s", job, err.text);
		sent++;
	}
	listener->gone_ns = UINT64_MAX;
	late_alerts_note(late, NULL, listener);
	return sent;
}
