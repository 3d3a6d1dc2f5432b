/* system.c: see the header. */
#include "web/system/system.h"

#include <errno.h>
#include <stdlib.h>

#include "web/system/catalogue.h"
#include "web/system/look.h"
#include "web/system/workers.h"

#define LOOKERS  4u
#define CHANGERS 8u

struct web_system {
	struct web_settings *settings;
	struct asker *asker;
	struct catalogue *catalogue;
	struct workers *lookers, *changers;
	struct look *look;
};

int system_open(struct web_settings *settings, struct web_system **ret_system, struct enrg_error *err)
{
	struct web_system *system = calloc(1, sizeof(*system));
	int rc = 0;

	if (!system) {
		settings_free(settings);
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	system->settings = settings;
	system->asker = asker_create(settings->supervisor_id);
	system->catalogue = catalogue_create(settings->program);
	system->lookers = workers_start(LOOKERS);
	system->changers = workers_start(CHANGERS);
	if (!system->asker || !system->catalogue || !system->lookers || !system->changers)
		rc = enrg_error_set(err, -ENOMEM, "there is no memory, or no thread, to begin");
	if (rc == 0)
		rc = look_start(settings->supervisor_id, &system->look, err);
	if (rc < 0) {
		system_close(system);
		return rc;
	}
	*ret_system = system;
	return 0;
}

void system_close(struct web_system *system)
{
	if (!system)
		return;
	look_stop(system->look);
	workers_stop(system->lookers);
	workers_stop(system->changers);
	catalogue_destroy(system->catalogue);
	asker_destroy(system->asker);
	settings_free(system->settings);
	free(system);
}

const struct web_settings *system_settings(const struct web_system *system)
{
	return system->settings;
}

struct snapshot *system_hold_snapshot(struct web_system *system)
{
	return look_hold(system->look);
}

void system_listen(struct web_system *system, void (*on_event)(void *context, const json_t *event), void *context)
{
	look_listen(system->look, on_event, context);
}

int system_ask(struct web_system *system, const struct system_command *command, struct system_answer *ret_answer,
	struct enrg_error *err)
{
	return asker_ask(system->asker, command, ret_answer, err);
}

json_t *system_catalogue(struct web_system *system, struct enrg_error *err)
{
	return catalogue_get(system->catalogue, err);
}

int system_work(struct web_system *system, void (*work)(void *context), void *context)
{
	return workers_add(system->lookers, work, context);
}

int system_work_change(struct web_system *system, void (*work)(void *context), void *context)
{
	return workers_add(system->changers, work, context);
}
