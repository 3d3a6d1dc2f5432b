/* node_message.c: messages to jobs. The Python program has classes of messages, this one has commands that types of
 * jobs declare: what can be carried out here is, what can't is refused and says why. */
#include "web/node/node_state.h"

#include <stdio.h>
#include <string.h>

/* A class of the Python program. */
struct known_class {
	const char *name;        /* behind DAQJobMessage */
	const char *type, *kind; /* of the command here; NULL: it can't be carried out */
	const char *reason;      /* why not */
};

static const struct known_class classes[] = {
	{"Stop", NULL, NULL, NULL}, /* of its own, below */
	{"CAENHVSetChParam", "DAQJobCAENHV", "set_ch_param", NULL},
	{"Heartbeat", NULL, NULL,
		"no job waits for one: the supervisor watches the signs of life of each job by itself"},
	{"", NULL, NULL, "it says nothing that a job could act on"},
	{"Store", NULL, NULL, NULL},
	{"StoreRaw", NULL, NULL, NULL},
	{"StorePyArrow", NULL, NULL, NULL},
	{"StatsRemote", NULL, NULL,
		"statistics of others come by the jobs that measure them; a message can't set them"},
};

#define CLASS_PREFIX "DAQJobMessage"
#define STORE_REASON                                                                                                   \
	"data go from a source to its stores through shared memory and are accounted for; none can be put there by a " \
	"message. DAQJobReplay feeds recorded files to stores"

static const struct known_class *find_class(const char *message_type)
{
	if (strncmp(message_type, CLASS_PREFIX, strlen(CLASS_PREFIX)) != 0)
		return NULL;
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (!strcmp(message_type + strlen(CLASS_PREFIX), classes[i].name))
			return &classes[i];
	return NULL;
}

static int say(struct node_call *call, int status, json_int_t notified, const char *text)
{
	node_say(call, status, "%s", text);
	json_object_set_new(call->answer, "jobs_notified", json_integer(notified));
	return status;
}

/* The payload without what each class of the Python program has and no job needs; NULL: 422 is said. */
static json_t *parse_payload(struct node_call *call, const char *payload)
{
	static const char *const meta[] = {"id", "timestamp", "is_remote", "daq_job_info", "topics", "type"};
	json_error_t error;
	json_t *fields = json_loads(payload, JSON_REJECT_DUPLICATES, &error);

	if (!json_is_object(fields)) {
		node_say(call, 422, "payload: the text of a JSON object was expected%s%s", fields ? "" : ": ",
			fields ? "" : error.text);
		json_object_set_new(call->answer, "jobs_notified", json_integer(0));
		json_decref(fields);
		return NULL;
	}
	for (size_t i = 0; i < sizeof(meta) / sizeof(meta[0]); i++)
		json_object_del(fields, meta[i]);
	return fields;
}

static json_int_t count_done(const json_t *answers)
{
	json_int_t count = 0;
	const json_t *answer;
	const char *job;

	json_object_foreach((json_t *)answers, job, answer)
	{
		const char *code = json_string_value(json_object_get(answer, "answer"));
		count += code && !strcmp(code, "ok");
	}
	return count;
}

/* To one job by its name, to all of a type, or to all that take such a command. */
static int give(struct node_call *call, json_t *fields, const char *kind, const char *type, const char *target)
{
	struct node_command command = {.kind = kind, .fields = fields, .done = "the message was taken"};
	char to[320];
	json_t *answers = NULL;

	snprintf(to, sizeof(to), "%s%s", target ? "job " : type ? "type " : "all", target ? target : type ? type : "");
	command.to = to;
	int status = node_command(call, &command, &answers);
	json_int_t notified = target ? status == 200 : count_done(answers);
	json_object_set_new(call->answer, "jobs_notified", json_integer(notified));
	if (json_object_size(answers))
		json_object_set(call->answer, "answers", answers);
	json_decref(answers);
	return status;
}

static int stop(struct node_call *call, json_t *fields, const char *target)
{
	struct node_command command = {
		.to = "supervisor", .kind = "job.stop", .done = "the job stops in order and is not started again"};
	const char *reason = json_string_value(json_object_get(fields, "reason"));

	if (!reason)
		return say(call, 422, 0, "payload: reason: a text was expected");
	if (!target)
		return say(call, 409, 0,
			"nothing was done: a stop for all jobs is no message; name a job in target_daq_job_unique_id. "
			"All "
			"jobs are started again by stop_daqjobs");
	command.fields = json_pack("{s:s, s:b}", "name", target, "wait", 0);
	int status = node_command(call, &command, NULL);
	json_object_set_new(call->answer, "jobs_notified", json_integer(status == 200));
	return status;
}

static int send_class(struct node_call *call, const struct known_class *class, json_t *fields, const char *target)
{
	char text[600];

	if (!strcmp(class->name, "Stop"))
		return stop(call, fields, target);
	if (class->kind)
		return give(call, json_incref(fields), class->kind, class->type, target);
	snprintf(text, sizeof(text), "nothing was done with " CLASS_PREFIX "%s: %s", class->name,
		class->reason ? class->reason : STORE_REASON);
	return say(call, 409, 0, text);
}

int node_send_message(struct node_call *call)
{
	const char *message_type, *payload, *target, *dot;
	const struct known_class *class;
	char type[200];
	json_t *fields;
	int status;

	if (!node_need_text(call, "message_type", &message_type) || !node_need_text(call, "payload", &payload) ||
		!node_get_text(call, "target_daq_job_unique_id", &target)) {
		json_object_set_new(call->answer, "jobs_notified", json_integer(0));
		return 422;
	}
	class = find_class(message_type);
	if (!class && !strncmp(message_type, CLASS_PREFIX, strlen(CLASS_PREFIX)))
		return say(call, 409, 0,
			"nothing was done: there is no such message_type; /templates/messages lists them");
	fields = parse_payload(call, payload);
	if (!fields)
		return 422;
	target = target && *target ? target : NULL;
	dot = strrchr(message_type, '.'); /* TYPE.KIND */
	snprintf(type, sizeof(type), "%.*s", dot ? (int)(dot - message_type) : 0, message_type);
	if (class)
		status = send_class(call, class, fields, target);
	else
		status = give(call, json_incref(fields), dot ? dot + 1 : message_type, dot ? type : NULL, target);
	json_decref(fields);
	return status;
}
