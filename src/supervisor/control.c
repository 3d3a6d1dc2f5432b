/* control.c: the way of a command from the socket and back; `ping` and `stop`. */
#include "supervisor/control.h"

#include <unistd.h>

#include "base/clock.h"
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

static void answer_client(void *context, uint64_t client, const struct command_answer *answer)
{
	const struct control *control = context;

	control_socket_send(control->socket, client, answer);
}

static void take_command(void *context, uint64_t client, const struct command *command)
{
	struct control *control = context;
	const struct command_asker asker = {.reply = answer_client, .context = control, .token = client};

	commands_take(control->commands, command, &asker);
}

int control_open(
	struct control *control, const char *folder, const char *run, uint64_t started_wall_ns, struct enrg_error *err)
{
	*control = (struct control){.run = run, .started_wall_ns = started_wall_ns};
	int rc = commands_create(&control->commands, err);

	if (!rc)
		rc = commands_add(control->commands, kinds, control);
	return rc ? rc : control_socket_open(folder, take_command, control, &control->socket, err);
}

void control_close(struct control *control)
{
	control_socket_close(control->socket);
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

void control_look(struct control *control)
{
	(void)control_socket_look(control->socket); /* a folder that can't be written to is told by the keeper */
}
