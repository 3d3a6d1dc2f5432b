/* asker.c: see the header. */
#include "web/system/asker.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEPT_MAX   16u /* handles that nobody uses now */
#define TIMEOUT_MS 25000u

struct asker {
	char supervisor[256];
	pthread_mutex_t lock;
	unsigned count;
	struct enrg_client *kept[KEPT_MAX];
};

struct asker *asker_create(const char *supervisor)
{
	struct asker *asker = calloc(1, sizeof(*asker));

	if (!asker)
		return NULL;
	snprintf(asker->supervisor, sizeof(asker->supervisor), "%s", supervisor);
	pthread_mutex_init(&asker->lock, NULL);
	return asker;
}

void asker_destroy(struct asker *asker)
{
	if (!asker)
		return;
	for (unsigned i = 0; i < asker->count; i++)
		enrg_client_close(asker->kept[i]);
	pthread_mutex_destroy(&asker->lock);
	free(asker);
}

static int take(struct asker *asker, struct enrg_client **ret_client, struct enrg_error *err)
{
	pthread_mutex_lock(&asker->lock);
	*ret_client = asker->count ? asker->kept[--asker->count] : NULL;
	pthread_mutex_unlock(&asker->lock);
	return *ret_client ? 0 : enrg_client_open(asker->supervisor, ret_client, err);
}

static void give_back(struct asker *asker, struct enrg_client *client)
{
	pthread_mutex_lock(&asker->lock);
	if (asker->count < KEPT_MAX) {
		asker->kept[asker->count++] = client;
		client = NULL;
	}
	pthread_mutex_unlock(&asker->lock);
	enrg_client_close(client);
}

/* For whom this asks: the supervisor decides by his role what he may. */
static void set_person(struct enrg_client_command *command, const struct access_who *who)
{
	if (!who)
		return;
	command->for_who = who->name;
	command->for_role = access_role_name(who->role);
	command->for_address = who->address;
}

static int ask(struct enrg_client *client, const struct system_command *command, const char *fields,
	struct system_answer *ret_answer, struct enrg_error *err)
{
	struct enrg_client_command made = {.size = sizeof(made),
		.timeout_ms = command->timeout_ms ? command->timeout_ms : TIMEOUT_MS,
		.to = command->to,
		.kind = command->kind,
		.fields = fields,
		.sender = "enrgdaq-web"};
	const struct enrg_client_reply *reply;

	set_person(&made, command->who);
	int rc = enrg_client_ask(client, &made, &reply, err);
	if (rc < 0)
		return rc;
	memset(ret_answer, 0, sizeof(*ret_answer));
	ret_answer->code = reply->code;
	snprintf(ret_answer->text, sizeof(ret_answer->text), "%s", reply->text);
	ret_answer->fields = reply->fields ? json_loads(reply->fields, 0, NULL) : NULL;
	return 0;
}

int asker_ask(struct asker *asker, const struct system_command *command, struct system_answer *ret_answer,
	struct enrg_error *err)
{
	struct enrg_client *client = NULL;
	char *fields = command->fields ? json_dumps(command->fields, JSON_COMPACT) : NULL;
	int rc = 0;

	if (command->fields && !fields)
		rc = enrg_error_set(err, -ENOMEM, "there is no memory for the command");
	json_decref(command->fields);
	if (rc == 0)
		rc = take(asker, &client, err);
	if (rc == -ENOENT || rc == -ESRCH) /* it has never run, or its folder is gone: the same to who asks */
		rc = -EAGAIN;
	if (rc == 0) {
		rc = ask(client, command, fields, ret_answer, err);
		give_back(asker, client);
	}
	free(fields);
	return rc;
}
