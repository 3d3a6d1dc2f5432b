/* command.c: commands to a running system over the control socket of its supervisor. Process: whoever asks from
 * outside. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "client/client.h"
#include "handover/command_link.h"
#include "handover/presence.h"

#define TIMEOUT_MS 10000u
#define ANSWER_NS  4000000000ull /* after its expiry: the supervisor gives up earlier, and says so */

_Static_assert(
	(int)ENRG_ANSWER_OK == (int)COMMAND_OK && (int)ENRG_ANSWER_REFUSED == (int)COMMAND_REFUSED &&
		(int)ENRG_ANSWER_WRONG_FIELDS == (int)COMMAND_WRONG_FIELDS &&
		(int)ENRG_ANSWER_NO_KIND == (int)COMMAND_NO_KIND && (int)ENRG_ANSWER_NOBODY == (int)COMMAND_NOBODY &&
		(int)ENRG_ANSWER_EXPIRED == (int)COMMAND_EXPIRED && (int)ENRG_ANSWER_FAILED == (int)COMMAND_FAILED &&
		(int)ENRG_ANSWER_UNKNOWN == (int)COMMAND_UNKNOWN,
	"the codes of answers are the same");

static int check(
	const struct enrg_client_command *command, struct enrg_client_command *ret_command, struct enrg_error *err)
{
	memset(ret_command, 0, sizeof(*ret_command));
	if (command->size < offsetof(struct enrg_client_command, fields))
		return enrg_error_set(err, -EINVAL, "size is not that of struct enrg_client_command");
	memcpy(ret_command, command, command->size < sizeof(*ret_command) ? command->size : sizeof(*ret_command));
	if (!ret_command->to || !ret_command->kind)
		return enrg_error_set(err, -EINVAL, "a command has `to` and `kind`");
	ret_command->timeout_ms = ret_command->timeout_ms ? ret_command->timeout_ms : TIMEOUT_MS;
	return 0;
}

static void set_person(const struct enrg_client_command *command, struct command_person *ret_person)
{
	ret_person->is_there = true;
	ret_person->role = command_role_parse(command->for_role ? command->for_role : "");
	snprintf(ret_person->who, sizeof(ret_person->who), "%s", command->for_who ? command->for_who : "");
	snprintf(ret_person->address, sizeof(ret_person->address), "%s",
		command->for_address ? command->for_address : "");
	text_make_safe(ret_person->who, strlen(ret_person->who));
	text_make_safe(ret_person->address, strlen(ret_person->address));
}

/* command_fini is due on success. */
static int make(const struct enrg_client_command *command, struct command *ret_command, struct enrg_error *err)
{
	json_error_t problem;
	json_t *body = command->fields ? json_loads(command->fields, JSON_REJECT_DUPLICATES, &problem) : json_object();

	if (!json_is_object(body)) {
		json_decref(body);
		return enrg_error_set(
			err, -EINVAL, "fields: not a JSON object%s%s", body ? "" : ": ", body ? "" : problem.text);
	}
	int rc = command_init(ret_command, command->to, command->kind, body, command->timeout_ms * 1000000ull);
	if (rc < 0) {
		command_fini(ret_command);
		return enrg_error_set(err, rc, "`to` or `kind` is too long");
	}
	snprintf(ret_command->sender.name, sizeof(ret_command->sender.name), "%s",
		command->sender ? command->sender : "libenrgdaq");
	if (command->for_who || command->for_role || command->for_address)
		set_person(command, &ret_command->person);
	if (command->id)
		memcpy(ret_command->id, command->id, sizeof(ret_command->id));
	return 0;
}

/* Takes the answer. */
static int keep(struct reply *reply, struct command_answer *answer, struct enrg_error *err)
{
	json_t *whole = command_answer_to_json(answer);

	free(reply->fields);
	free(reply->json);
	reply->fields = answer->fields ? json_dumps(answer->fields, JSON_COMPACT) : NULL;
	reply->json = whole ? json_dumps(whole, JSON_COMPACT) : NULL;
	json_decref(whole);
	snprintf(reply->text, sizeof(reply->text), "%s", answer->text);
	text_make_safe(reply->text, strlen(reply->text));
	reply->shown = (struct enrg_client_reply){.size = sizeof(reply->shown),
		.code = (enum enrg_answer_code)answer->code,
		.name = command_code_name(answer->code),
		.text = reply->text,
		.fields = reply->fields,
		.json = reply->json};
	command_answer_fini(answer);
	return reply->json ? 0 : enrg_error_set(err, -ENOMEM, "the answer came, and there is no memory for it");
}

int enrg_client_ask(struct enrg_client *client, const struct enrg_client_command *command,
	const struct enrg_client_reply **ret_reply, struct enrg_error *err)
{
	struct command_answer answer = {0};
	struct enrg_client_command own;
	struct command made;
	int rc = check(command, &own, err);

	if (rc == 0 && !presence_owner(client->folder))
		rc = client_explain_absence(client->folder, err);
	if (rc == 0)
		rc = make(&own, &made, err);
	if (rc < 0)
		return rc;
	rc = command_link_ask(client->folder, &made, own.timeout_ms * 1000000ull + ANSWER_NS, &answer, err);
	command_fini(&made);
	if (rc == -ENOENT || rc == -ECONNREFUSED) /* it is just starting or ending */
		return enrg_error_set(err, -EAGAIN, "the supervisor in %s takes no commands now", client->folder);
	if (rc < 0)
		return rc;
	rc = keep(&client->reply, &answer, err);
	if (rc == 0)
		*ret_reply = &client->reply.shown;
	return rc;
}
