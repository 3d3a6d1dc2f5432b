/* run_message.h: a message of a template on its way to a job, and its answer. One at a time. Process: supervisor, main
 * thread. */
#ifndef SUPERVISOR_RUN_MESSAGE_H
#define SUPERVISOR_RUN_MESSAGE_H

#include "config/run_setup.h"
#include "supervisor/book.h"
#include "supervisor/commands.h"

struct run_message_link {
	struct commands *commands;
	struct book *book;
	size_t sent; /* how many of the run have been answered */
	bool is_asked, is_answered;
	uint8_t id[COMMAND_ID_BYTES];
	enum command_code code;
	char text[600];
};

/* None has been sent. */
void run_message_begin(struct run_message_link *link);
/* Sends the next one, or looks for its answer; 1: all are answered. 0: it waits. Negative: one was refused, and `text`
 * says by whom and why. */
int run_message_step(struct run_message_link *link, const struct run_plans *plans, const struct run_setup *setup,
	const char *uuid, char *ret_text, size_t text_bytes);

#endif
