/* web_link.h: the program `enrgdaq-web` as a child (line_child.h): everything that listens. It outlives a restart of
 * the system; whatever becomes of it, jobs and data do not notice. Process: supervisor, main thread. */
#ifndef SUPERVISOR_WEB_LINK_H
#define SUPERVISOR_WEB_LINK_H

#include <jansson.h>
#include <stdint.h>

#include "config/folder.h"
#include "enrgdaq/job.h"

struct web_link; /* NULL: none is wanted, or it is not installed */

struct web_link_params {
	const struct folder *folder;
	const char *runtime_folder, *config_folder; /* config_folder NULL: none */
	const char *web_folder;                     /* in the place of web.folder where that is absent */
	/* `key` names a state ("web/program"); is_over: it has ended. */
	void (*alert)(void *context, enum enrg_level level, const char *key, const char *text, bool is_over);
	void *context;
};

/* The program is there as those want it: it is started, replaced where its settings are others than before, ended where
 * it is not wanted any more, and else left alone. What goes wrong is an alert, and no more. `now_ns`: the clock of all
 * calls, in which this process ran. */
void web_link_set(struct web_link **link, const struct web_link_params *params, uint64_t now_ns);
/* Nobody hears its alerts any more, until web_link_set. Takes NULL, as all that follow. */
void web_link_detach(struct web_link *link);
/* Ends it, and waits so long at the most. */
void web_link_close(struct web_link *link, uint64_t patience_ns);
int web_link_descriptor(const struct web_link *link); /* for epoll; -1 = none */
void web_link_step(struct web_link *link, uint64_t now_ns);
uint64_t web_link_next_due(const struct web_link *link);
uint64_t web_link_changes(const struct web_link *link); /* of what web_link_format says */
/* {"pid", "restarts", "address"}; pid 0: it does not run now, address "": it has said none. New reference; NULL: there
 * is none. */
json_t *web_link_format(const struct web_link *link);

#endif
