/* run_message.c: see the header. */
#include "supervisor/run_message.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define PATIENCE_NS 20000000000ull

void run_message_begin(struct run_message_link *link)
{
	link->sent = 0;
	link->is_asked = link->is_answered = false;
}

static void hear(const struct command_asker *asker, const struct command_answer *answer)
{
	struct run_message_link *link = asker->context;

	if (!link->is_asked || memcmp(answer->id, link->id, sizeof(link->id)) != 0)
		return;
	link->is_answered = true;
	link->code = answer->code;
	text_copy(link->text, sizeof(link->text), answer->text);
}

static int ask(struct run_message_link *link, const struct run_setup_message *message)
{
	const struct run_message *own = message->message;
	const struct command_asker asker = {.reply = hear, .context = link};
	struct command command;
	int rc = command_init(&command, own->options.to, own->options.kind, json_incref(message->body), PATIENCE_NS);

	snprintf(command.sender.name, sizeof(command.sender.name), "start of a run");
	if (!rc) {
		memcpy(link->id, command.id, sizeof(link->id));
		link->is_asked = true;
		link->is_answered = false;
		commands_take(link->commands, &command, &asker);
	}
	command_fini(&command);
	return rc;
}

static void record(const struct run_message_link *link, const struct run_plans *plans, const struct run_setup *setup,
	const char *uuid)
{
	const struct run_message *own = setup->messages[link->sent].message;

	book_put(link->book, "message", uuid, "",
		json_pack("{s:s, s:s, s:o, s:s, s:s}", "to", own->options.to, "kind", own->options.kind, "body",
			run_setup_show_body(plans, setup, link->sent), "answer", command_code_name(link->code), "text",
			link->text));
}

int run_message_step(struct run_message_link *link, const struct run_plans *plans, const struct run_setup *setup,
	const char *uuid, char *ret_text, size_t text_bytes)
{
	while (link->sent < setup->message_count) {
		const struct run_setup_message *message = &setup->messages[link->sent];
		const char *kind = message->message->options.kind, *to = message->message->options.to;

		if (!link->is_asked && ask(link, message)) {
			snprintf(ret_text, text_bytes, "message %s to %s can't be sent", kind, to);
			return -EIO;
		}
		if (!link->is_answered) {
			snprintf(ret_text, text_bytes, "%s has not answered %s", to, kind);
			return 0;
		}
		link->is_asked = false;
		record(link, plans, setup, uuid);
		if (link->code != COMMAND_OK) {
			snprintf(ret_text, text_bytes, "%s has answered message %s: %s%s%s", to, kind,
				command_code_name(link->code), link->text[0] ? ": " : "", link->text);
			return -EPERM;
		}
		link->sent++;
	}
	return 1;
}
