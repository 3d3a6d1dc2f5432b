/* system.h: the own system, as its supervisor shows it: a snapshot once a second, commands with their answers, the
 * catalogue of types. By libenrgdaq alone. Process: enrgdaq-web, any thread unless said. */
#ifndef WEB_SYSTEM_SYSTEM_H
#define WEB_SYSTEM_SYSTEM_H

#include "web/system/asker.h"
#include "web/system/settings.h"
#include "web/system/snapshot.h"

struct web_system;
/* Takes the settings, whatever comes of it. */
int system_open(struct web_settings *settings, struct web_system **ret_system, struct enrg_error *err);
void system_close(struct web_system *system); /* takes NULL */
const struct web_settings *system_settings(const struct web_system *system);

/* Never NULL; snapshot_release. One that is older than some seconds (looked_ns): the thread that looks hangs. */
struct snapshot *system_hold_snapshot(struct web_system *system);
/* Events of change (change.h), borrowed, on the thread that looks; also of what the system itself says with
 * system_tell. One listener; before anything else is asked of the system. */
void system_listen(struct web_system *system, void (*on_event)(void *context, const json_t *event), void *context);

/* asker.h. Waits; a worker calls it. `fields` of the command is stolen. */
int system_ask(struct web_system *system, const struct system_command *command, struct system_answer *ret_answer,
	struct enrg_error *err);
/* Types with their JSON Schemas, as `enrgdaq describe --catalogue` prints them; made once, by a program of its own. New
 * reference. Waits. */
json_t *system_catalogue(struct web_system *system, struct enrg_error *err);

/* --- workers --- */
/* Runs `work`, which only looks, on one of 4 threads. -EAGAIN: 256 wait already. */
int system_work(struct web_system *system, void (*work)(void *context), void *context);
/* The same on one of 8 others, for commands: while they wait for a supervisor that hangs, who looks does not wait
 * behind them. */
int system_work_change(struct web_system *system, void (*work)(void *context), void *context);

#endif
