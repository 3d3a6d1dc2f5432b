/* control.c: the way of a command from the socket and back; `ping` and `stop`. */
#include "supervisor/control.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/version.h"

struct stop_body {
	bool hurry;
};

static const struct enrg_option stop_options[] = {
	{.key = "hurry",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct stop_body, hurry),
		.default_value = "false",
		.help = "a fast stop: what is not stored yet stays in shared memory for the next run"},
	{0},
};

static const struct enrg_option no_options[] = {{0}};

static enum command_outcome ping(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	const struct control *control = context;
	uint64_t now_ns = clock_wall_ns();
	double uptime_s = now_ns > control->started_wall_ns ? (double)(now_ns - control->started_wall_ns) / 1e9 : 0.0;

	(void)command;
	(void)body;
	answer->fields = json_pack("{s:s, s:i, s:s, s:f}", "version", version_text(), "pid", (int)getpid(), "run",
		control->run, "uptime_s", uptime_s);
	return COMMAND_ANSWERED;
}

static enum command_outcome stop(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	const struct stop_body *wanted = body;
	struct control *control = context;

	(void)command;
	control->is_stop_asked = true;
	control->is_fast_asked = control->is_fast_asked || wanted->hurry;
	command_answer_set(answer, COMMAND_OK, "%s",
		wanted->hurry ? "a fast stop: what is left stays in shared memory" : "sources stop first, then stores");
	return COMMAND_ANSWERED;
}

static const struct command_kind kinds[] = {
	{.kind = "ping",
		.summary = "answers version, pid, run and uptime",
		.body = {.size = 1, .options = no_options},
		.is_silent = true,
		.handle = ping},
	{.kind = "stop",
		.summary = "ends the run in order",
		.body = {.size = sizeof(struct stop_body), .options = stop_options},
		.handle = stop},
	{0},
};

static void answer_client(const struct command_asker *asker, const struct command_answer *answer)
{
	const struct control *control = asker->context;

	control_socket_send(control->socket, asker->client, answer);
}

static void take_command(void *context, uint64_t client, const struct command *command)
{
	struct control *control = context;
	const struct command_asker asker = {.reply = answer_client, .context = control, .client = client};

	commands_take(control->commands, command, &asker);
}

/* --- jobs that ask ----------------------------------------------------------------------------------------------- */

static void answer_job(const struct command_asker *asker, const struct command_answer *answer)
{
	const struct control *control = asker->context;
	json_t *body = command_answer_to_json(answer);
	char topic[TOPIC_BYTES_MAX];
	struct enrg_error err = {0};

	topic_format(topic, sizeof(topic), "daq_job.%s", asker->job);
	if (body && bus_client_send(control->bus, topic, "answer", body, &err))
		log_line(ENRG_DEBUG, "an answer to %s was not sent: %s", asker->job, err.text);
	json_decref(body);
}

void control_hear(struct control *control, const struct envelope *envelope)
{
	struct command_asker asker = {.reply = answer_job, .context = control};
	struct command command;

	if (!control->commands)
		return;
	if (!strcmp(envelope->kind, "answer"))
		route_hear(control->route, envelope);
	if (strcmp(envelope->kind, "command") != 0 || command_from_json(envelope->body, &command, NULL))
		return;
	snprintf(asker.job, sizeof(asker.job), "%s", envelope->job);
	snprintf(command.sender.name, sizeof(command.sender.name), "job %.100s", envelope->job);
	text_make_safe(command.sender.name, strlen(command.sender.name)); /* it may have been cut */
	command.sender.user = geteuid(); /* the folder of the bus lets nobody else in */
	command.sender.pid = envelope->pid;
	commands_take(control->commands, &command, &asker);
	command_fini(&command);
}

/* --- life -------------------------------------------------------------------------------------------------------- */

int control_open(struct control *control, const struct control_params *params, struct enrg_error *err)
{
	*control = (struct control){.run = params->run, .started_wall_ns = params->started_wall_ns, .bus = params->bus};
	int rc = commands_create(&control->commands, err);

	if (!rc)
		rc = commands_add(control->commands, kinds, control);
	if (!rc)
		rc = route_create(params->roster, params->bus, control->commands, &control->route, err);
	return rc ? rc : control_socket_open(params->folder, take_command, control, &control->socket, err);
}

void control_close(struct control *control)
{
	control_socket_close(control->socket);
	route_destroy(control->route);
	commands_destroy(control->commands);
	*control = (struct control){0};
}

int control_descriptor(const struct control *control)
{
	return control_socket_descriptor(control->socket);
}

void control_take(struct control *control)
{
	control_socket_take(control->socket);
}

void control_step(struct control *control, uint64_t now_ns)
{
	route_step(control->route, now_ns);
}

uint64_t control_next_due(const struct control *control)
{
	return route_next_due(control->route);
}

void control_look(struct control *control)
{
	commands_look(control->commands, clock_mono_ns());
	(void)control_socket_look(control->socket); /* a folder that can't be written to is told by the keeper */
}
