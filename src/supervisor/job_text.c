/* job_text.c: the text of a job's file, its secrets masked, and the topics that it hears. Asked for a job at a time, so
 * that an answer holds it whatever the number of jobs. */
#include "supervisor/job_text.h"

#include <stdlib.h>
#include <string.h>

#include "bus/bus.h"
#include "config/secrets.h"

/* Of a command's answer, with room for the rest of it. */
#define TEXT_BYTES_MAX (COMMAND_BYTES_MAX - 16384u)

struct text_body {
	const char *name;
};

static const struct enrg_option text_options[] = {
	{.key = "name",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct text_body, name),
		.required = true,
		.help = "the job"},
	{0},
};

static void add_topic(json_t *topics, const char *before, const char *name, const char *behind)
{
	char topic[2 * TOPIC_BYTES_MAX];

	snprintf(topic, sizeof(topic), "%s%s%s", before, name, behind);
	json_array_append_new(topics, json_string(topic));
}

/* As a job subscribes to them; a store also to those under which the Python program sends tables to it. */
static json_t *make_topics(const struct member *member)
{
	const struct enrg_string_list *own = &member->config->common.topics_to_subscribe;
	json_t *topics = json_array();
	char store[600];

	add_topic(topics, "daq_job.", member->plan->name, "");
	add_topic(topics, "supervisor.", member->plan->supervisor, ".daq_job.broadcast");
	if (member_is_store(member)) {
		add_topic(topics, "store.", member->plan->type, "");
		snprintf(store, sizeof(store), ".%s", member->plan->type);
		add_topic(topics, "store.supervisor.", member->plan->supervisor, store);
	}
	for (size_t i = 0; i < own->count; i++)
		json_array_append_new(topics, json_string(own->items[i]));
	return topics;
}

static enum command_outcome tell_text(
	void *context, const struct command *command, const void *body, struct command_answer *answer)
{
	const struct reconfigure *self = context;
	const char *name = ((const struct text_body *)body)->name;
	const struct member *member = roster_find(self->transition->roster, name);
	struct enrg_error err = {0};
	char *text = NULL;

	(void)command;
	if (!member) {
		command_answer_set(answer, COMMAND_NOBODY, "there is no job \"%.200s\"", name);
		return COMMAND_ANSWERED;
	}
	int rc = secrets_hide_text(self->types, member->plan->file, member->plan->toml_text, &text, &err);
	if (rc)
		command_answer_set(answer, COMMAND_FAILED, "the text of %.200s is not shown: %.600s", name, err.text);
	else if (strlen(text) > TEXT_BYTES_MAX)
		command_answer_set(answer, COMMAND_REFUSED,
			"the text of %.200s is longer than an answer (%u bytes): %s", name, TEXT_BYTES_MAX,
			member->plan->file);
	else
		answer->fields = json_pack("{s:s, s:s, s:s, s:o}", "text", text, "file", member->plan->file, "type",
			member->plan->type, "topics", make_topics(member));
	if (!rc && !answer->fields && !answer->code)
		command_answer_set(answer, COMMAND_FAILED, "the text of %.200s is not UTF-8 text", name);
	free(text);
	return COMMAND_ANSWERED;
}

static const struct command_kind kinds[] = {
	{.kind = "job.text",
		.summary = "answers the text of a job's file, secrets masked, and the topics that it hears",
		.body = {.size = sizeof(struct text_body), .options = text_options},
		.is_silent = true,
		.handle = tell_text},
	{0},
};

int job_text_open(struct reconfigure *reconfigure, struct commands *commands)
{
	return commands_add(commands, kinds, reconfigure);
}
