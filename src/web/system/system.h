/* system.h: the own system, as its supervisor shows it: a snapshot once a second, commands with their answers, the
 * catalogue of types. By libenrgdaq alone. Process: enrgdaq-web, any thread unless said. */
#ifndef WEB_SYSTEM_SYSTEM_H
#define WEB_SYSTEM_SYSTEM_H

#include <jansson.h>

#include "enrgdaq/client.h"
#include "web/access/access.h"
#include "web/http/message.h"

/* What the supervisor said at the start; as it stands in supervisor.toml. */
struct web_settings {
	const char *supervisor_id, *runtime_folder, *config_folder; /* config_folder "": none */
	const char *web_folder;
	const char *program; /* the program `enrgdaq`, for the catalogue */
	json_t *tags;        /* array of strings */
	const struct cnc_options *cnc;
	const struct web_options *web;
	bool is_terminal; /* standard error is one */
};

/* One look at the system; never changes; any number of readers. */
struct snapshot {
	atomic_uint references;
	uint64_t at_ns; /* CLOCK_MONOTONIC; 0: never seen one */
	bool is_there;  /* the supervisor answers in its files now */
	json_t *status; /* object of `status --json`; NULL: none. Read only: json_incref of its parts is not thread safe
			 */
	struct web_bytes *bytes; /* the same, rendered */
};

struct web_system;
int system_open(const struct web_settings *settings, struct web_system **ret_system, struct enrg_error *err);
void system_close(struct web_system *system);
const struct web_settings *system_settings(const struct web_system *system);
struct snapshot *system_hold_snapshot(struct web_system *system); /* never NULL */
void snapshot_release(struct snapshot *snapshot);

struct system_answer {
	enum enrg_answer_code code;
	char text[1000];
	json_t *fields; /* new reference; NULL: none */
};
/* Asks a command and waits. `fields` is stolen. `who` NULL: this process asks for itself. -EAGAIN: the system does not
 * run. */
struct system_command {
	const char *to, *kind;
	json_t *fields;
	const struct access_who *who;
	uint32_t timeout_ms; /* 0: 28 s */
};
int system_ask(struct web_system *system, const struct system_command *command, struct system_answer *ret_answer,
	struct enrg_error *err);
/* Types with their JSON Schemas, as `enrgdaq describe --catalogue` prints them; made once, by a program of its own. New
 * reference. */
json_t *system_catalogue(struct web_system *system, struct enrg_error *err);

/* --- workers --- */
/* Runs `work` on one of 8 threads. -EAGAIN: 256 wait already. */
int system_work(struct web_system *system, void (*work)(void *context), void *context);

#endif
