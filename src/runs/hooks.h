/* hooks.h: all hooks of a supervisor: what is due is found in the database (what has happened and no "hook" entry says
 * it was told), called on threads of their own, at most three times with longer pauses, and what came of it becomes an
 * entry. So a book that is killed calls again what nobody has noted, and a receiver may hear something twice, with the
 * same X-Enrgdaq-Id. A failure is a warning on the run and an alert, never more. Process: the book, main thread. */
#ifndef RUNS_HOOKS_H
#define RUNS_HOOKS_H

#include <jansson.h>

#include "runs/database.h"

struct hooks;

struct hooks_params {
	const char *runtime_folder; /* entries go there */
	const json_t *list;         /* as the supervisor sends it; what makes no sense is told and left out */
	void (*warn)(void *context, const char *text);
	void *context;
};

/* NULL: there are none, or no thread. */
struct hooks *hooks_open(const struct hooks_params *params);
/* What is being tried is given up. Takes NULL. */
void hooks_close(struct hooks *hooks);
/* Entries have come: looks what is due. */
int hooks_look(struct hooks *hooks, struct database *database, struct enrg_error *err);
/* Warnings of what has failed meanwhile. Also once a second. */
void hooks_step(struct hooks *hooks);
/* Something is being tried, or waits for it. */
bool hooks_are_busy(struct hooks *hooks);

#endif
