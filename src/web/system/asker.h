/* asker.h: commands to the own system: handles of libenrgdaq, each used by one thread at a time. Any thread. Process:
 * enrgdaq-web. */
#ifndef WEB_SYSTEM_ASKER_H
#define WEB_SYSTEM_ASKER_H

#include <jansson.h>

#include "enrgdaq/client.h"
#include "web/access/access.h"

struct system_answer {
	enum enrg_answer_code code;
	char text[1000];
	json_t *fields; /* new reference; NULL: none */
};

struct system_command {
	const char *to, *kind;        /* "supervisor", "job NAME" …; "run_start" … */
	json_t *fields;               /* stolen; NULL: none */
	const struct access_who *who; /* NULL: this process asks for itself */
	uint32_t timeout_ms;          /* 0: 25 s, so that an answer, or none, is known within 30 s */
};

struct asker;

struct asker *asker_create(const char *supervisor); /* copied; NULL: out of memory */
void asker_destroy(struct asker *asker);            /* takes NULL; nobody may be asking */
/* Asks and waits. Else nothing was asked: -EAGAIN: the system does not run, or takes no commands now. */
int asker_ask(struct asker *asker, const struct system_command *command, struct system_answer *ret_answer,
	struct enrg_error *err);

#endif
