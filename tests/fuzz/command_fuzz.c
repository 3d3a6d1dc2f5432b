/* command_fuzz.c: any bytes as a command and as an answer. What is accepted must come back the same after formatting.
 * Runs in a fuzzer or over its corpus. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "handover/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void check_command(struct command *command)
{
	struct command back;
	void *formatted;
	size_t count;

	/* Refused only where numbers in their longer form no longer fit. */
	if (command_format(command, &formatted, &count, NULL))
		return;
	if (command_parse(formatted, count, &back, NULL))
		abort();
	if (strcmp(back.kind, command->kind) || strcmp(back.to, command->to) ||
		strcmp(back.sender.name, command->sender.name) || memcmp(back.id, command->id, sizeof(back.id)) ||
		back.expires_ns != command->expires_ns || back.sender.pid != command->sender.pid ||
		back.sender.user != command->sender.user || !json_equal(back.body, command->body))
		abort();
	command_fini(&back);
	free(formatted);
}

static void check_answer(struct command_answer *answer)
{
	struct command_answer back;
	void *formatted;
	size_t count;

	if (command_answer_format(answer, &formatted, &count, NULL))
		return;
	if (command_answer_parse(formatted, count, &back, NULL))
		abort();
	if (back.code != answer->code || strcmp(back.text, answer->text) ||
		memcmp(back.id, answer->id, sizeof(back.id)) || !json_equal(back.fields, answer->fields))
		abort();
	command_answer_fini(&back);
	free(formatted);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct command_answer answer;
	struct command command;

	if (!command_parse(bytes, count, &command, NULL)) {
		check_command(&command);
		command_fini(&command);
	}
	if (!command_answer_parse(bytes, count, &answer, NULL)) {
		check_answer(&answer);
		command_answer_fini(&answer);
	}
	return 0;
}
