/* node.c: which request is carried out by which function. */
#include "web/node/node_state.h"
#include "web/node/node_templates.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST "CNCMessageReq"
#define RESULT  "CNCMessageRes"

static int ping(struct node_call *call)
{
	(void)call;
	return 200;
}

static const struct {
	const char *name; /* behind CNCMessageReq */
	int (*carry_out)(struct node_call *call);
} requests[] = {
	{"Ping", ping},
	{"Status", node_tell_status},
	{"ListClients", node_list_clients},
	{"RestartDAQ", node_restart},
	{"StopDAQJobs", node_stop_jobs},
	{"RunCustomDAQJob", node_run_job},
	{"StopDAQJob", node_stop_job},
	{"SendMessage", node_send_message},
};

/* --- asking ------------------------------------------------------------------------------------------------------- */

int node_ask(struct node *node, const json_t *request, const struct access_who *who, json_t **ret_answer)
{
	const char *type = json_string_value(json_object_get(request, "type"));
	struct node_call call = {.node = node, .request = request, .who = who, .type = RESULT};
	int status = 0;

	for (size_t i = 0; type && i < sizeof(requests) / sizeof(requests[0]); i++) {
		if (strncmp(type, REQUEST, strlen(REQUEST)) != 0 ||
			strcmp(type + strlen(REQUEST), requests[i].name) != 0)
			continue;
		snprintf(call.type, sizeof(call.type), RESULT "%s", requests[i].name);
		status = requests[i].carry_out(&call);
	}
	if (!status)
		status = node_say(&call, 422, "type: there is no request \"%.100s\"", type ? type : "");
	if (!call.answer)
		call.answer = json_object();
	json_object_set_new(call.answer, "type", json_string(call.type));
	*ret_answer = call.answer;
	return status;
}

json_t *node_logs(struct node *node, uint64_t *position, unsigned max)
{
	return node_log_list(node->log, position, max);
}

/* --- templates ---------------------------------------------------------------------------------------------------- */

static struct web_bytes *render(json_t *map, struct enrg_error *err)
{
	char *text = json_dumps(map, JSON_COMPACT);
	struct web_bytes *bytes = text ? web_bytes_create(text, strlen(text)) : NULL;

	if (!bytes)
		enrg_error_set(err, -ENOMEM, "out of memory");
	free(text);
	json_decref(map);
	return bytes;
}

struct web_bytes *node_hold_templates(struct node *node, enum node_templates which, struct enrg_error *err)
{
	static json_t *(*const makers[])(const json_t *catalogue) = {
		[NODE_TEMPLATES_JOBS] = node_templates_jobs,
		[NODE_TEMPLATES_STORES] = node_templates_stores,
		[NODE_TEMPLATES_MESSAGES] = node_templates_messages,
	};
	struct web_bytes **place = &node->templates[which], *bytes;

	pthread_mutex_lock(&node->templates_lock);
	json_t *catalogue = *place ? NULL : system_catalogue(node->system, err);
	if (catalogue)
		*place = render(makers[which](catalogue), err);
	json_decref(catalogue);
	bytes = *place ? web_bytes_hold(*place) : NULL;
	pthread_mutex_unlock(&node->templates_lock);
	return bytes;
}

/* --- life --------------------------------------------------------------------------------------------------------- */

int node_open(struct web_system *system, struct node **ret_node, struct enrg_error *err)
{
	struct node *node = calloc(1, sizeof(*node));

	if (!node)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	node->system = system;
	node->log = node_log_create(system_settings(system)->supervisor_id);
	if (!node->log) {
		free(node);
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	pthread_mutex_init(&node->lock, NULL);
	pthread_mutex_init(&node->templates_lock, NULL);
	*ret_node = node;
	return 0;
}

void node_close(struct node *node)
{
	if (!node)
		return;
	node_log_destroy(node->log);
	node_texts_fini(&node->texts);
	json_decref(node->status);
	web_bytes_release(node->bytes);
	for (size_t i = 0; i < sizeof(node->templates) / sizeof(node->templates[0]); i++)
		web_bytes_release(node->templates[i]);
	pthread_mutex_destroy(&node->templates_lock);
	pthread_mutex_destroy(&node->lock);
	free(node);
}
