/* hook.h: one hook: a webhook or a command that hears that a run begins or ends, or what became of its messages. */
#ifndef RUNS_HOOK_H
#define RUNS_HOOK_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "enrgdaq/error.h"

#define HOOK_ANSWER_BYTES 400u
#define HOOK_ID_BYTES     100u
#define HOOK_TRIES        3u

enum hook_event {
	HOOK_RUN_STARTED,
	HOOK_RUN_STOPPED,
	HOOK_RUN_FAILED,
	HOOK_MESSAGE_SENT,
	HOOK_MESSAGE_FAILED,
	HOOK_EVENT_COUNT,
};

/* Texts are those of the JSON that it was made of; NULL: none. */
struct hook {
	const char *name, *url, *secret, *hmac_secret, *payload, *ca_file;
	const json_t *command, *reply, *allow_private; /* arrays of texts; NULL or empty: none */
	double timeout_s;
	unsigned events; /* a bit each */
	json_t *json;    /* owned */
};

/* What is to be told. */
struct hook_call {
	const struct hook *hook;
	enum hook_event event;
	char uuid[40], key[80];       /* of the run; what the event is of: "" or the id of a message's entry */
	char reply_to[HOOK_ID_BYTES]; /* what the start of the run was answered with; "" = nothing */
	json_t *data;                 /* owned: of a webhook's body, as the panel has it */
	json_t *words;                /* owned: texts for placeholders of commands */
	/* what came of it */
	bool is_done, is_later; /* taken; it did not get through, and may later */
	char answer[HOOK_ANSWER_BYTES], id[HOOK_ID_BYTES];
};

const char *hook_event_name(enum hook_event event);
/* As the supervisor sends it (supervisor/hook_list.h). ENRG_E_PROTOCOL. hook_fini takes zeroed state. */
int hook_init(struct hook *hook, const json_t *json, unsigned index, struct enrg_error *err);
void hook_fini(struct hook *hook);
void hook_free_call(struct hook_call *call); /* takes NULL */

/* A try. `is_ending`: another thread wants it to be given up. */
void hook_try(struct hook_call *call, const _Atomic bool *is_ending);

/* --- for tests --- */

/* The body of a webhook: {event, timestamp, data}, or the hook's payload with its placeholders replaced: a text that is
 * one placeholder becomes the value itself. New reference; NULL: out of memory. */
json_t *hook_make_body(const struct hook_call *call, const char *timestamp);
/* A word of a command with its placeholders replaced; one that is nothing but a value never becomes an option.
 * malloc'ed.
 */
char *hook_make_word(const char *word, const json_t *words);

/* hook_send.c, hook_command.c: one try each. */
void hook_try_post(struct hook_call *call, const _Atomic bool *is_ending);
void hook_try_command(struct hook_call *call, const _Atomic bool *is_ending);

#endif
