/* renewal.c: checks a folder as a start does, and keeps its texts. Process: supervisor, main thread. */
#include "supervisor/renewal.h"

#include <string.h>

#include "config/run_judge.h"

static const struct enrg_option no_options[] = {{0}};

static int read_folder(
	const struct renewal *self, struct sources *ret_sources, struct problems *problems, struct enrg_error *err)
{
	const struct reconfigure *reconfigure = self->reconfigure;
	int rc = sources_read(reconfigure->config_path, ret_sources, problems, err);

	return !rc && reconfigure->supervisor_file
		       ? sources_set_supervisor(ret_sources, reconfigure->supervisor_file, err)
		       : rc;
}

/* What is left in `sources` is what was checked. */
static int check(const struct renewal *self, struct sources *sources, struct problems *problems, struct enrg_error *err)
{
	const struct reconfigure *reconfigure = self->reconfigure;
	struct sources tried = {0};
	struct folder *folder = NULL;
	int rc = read_folder(self, sources, problems, err);

	if (!rc)
		rc = sources_clone(sources, &tried, err);
	if (!rc) /* which takes them */
		rc = folder_load_sources(reconfigure->config_path, &tried, reconfigure->types, &folder, problems, err);
	if (!rc)
		run_judge_plans(folder, reconfigure->types, problems);
	if (!rc && strcmp(folder->supervisor.info.supervisor_id ? folder->supervisor.info.supervisor_id : "",
			   (*reconfigure->folder)->supervisor.info.supervisor_id) != 0)
		problems_add(problems, false, "supervisor.toml", 0,
			"info.supervisor_id: another name than the system has (%s): end it and start it by hand",
			(*reconfigure->folder)->supervisor.info.supervisor_id);
	folder_free(folder);
	return rc;
}

static enum command_outcome restart(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	struct renewal *self = context;
	struct sources sources = {0};
	struct problems problems;
	struct enrg_error err = {0};

	(void)command;
	(void)body;
	if (self->is_asked) {
		command_answer_set(answer, COMMAND_OK, "it is under way already");
		return COMMAND_ANSWERED;
	}
	if (self->reconfigure->transition->roster->is_stopping) { /* whoever ends the system wants it to end */
		command_answer_set(answer, COMMAND_REFUSED, "the system stops: start it when it has ended");
		return COMMAND_ANSWERED;
	}
	if (!self->reconfigure->config_path) {
		command_answer_set(answer, COMMAND_REFUSED, "this run has no folder that could be read again");
		return COMMAND_ANSWERED;
	}
	problems_init(&problems);
	if (check(self, &sources, &problems, &err)) {
		command_answer_set(answer, COMMAND_REFUSED, "nothing was changed: %.900s", err.text);
	} else if (problems.errors) {
		reconfigure_refuse_problems(&problems, answer);
	} else {
		self->is_asked = true;
		self->sources = sources;
		sources = (struct sources){0};
		command_answer_set(answer, COMMAND_OK,
			"the system stops in order, and starts again with what its folder says now");
	}
	sources_fini(&sources);
	problems_fini(&problems);
	return COMMAND_ANSWERED;
}

static const struct command_kind kinds[] = {
	{.kind = "restart",
		.summary = "ends the system in order and starts it again with what the folder says now",
		.body = {.size = 1, .options = no_options},
		.handle = restart},
	{0},
};

int renewal_open(struct renewal *renewal, const struct reconfigure *reconfigure, struct commands *commands)
{
	*renewal = (struct renewal){.reconfigure = reconfigure};
	return commands_add(commands, kinds, renewal);
}

void renewal_cancel(struct renewal *renewal)
{
	sources_fini(&renewal->sources);
	renewal->sources = (struct sources){0};
	renewal->is_asked = false;
}
