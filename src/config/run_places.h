/* run_places.h: where the parameters of templates stand in the options of jobs and commands: what stands in the place
 * of a secret is one, and what may run programs is marked. */
#ifndef CONFIG_RUN_PLACES_H
#define CONFIG_RUN_PLACES_H

#include "config/folder.h"
#include "config/run_plans.h"

/* Sets is_secret and runs_code of parameters, templates and types. A secret in the values of a type or sequence is a
 * problem. */
void run_places_mark(
	struct run_plans *plans, const struct folder *folder, const struct types *types, struct problems *problems);

/* The command that a message of a template gives, by its receiver's type; NULL: not known here. `template` NULL: only
 * jobs of the folder are looked at. */
const struct enrg_message_type *run_places_find_message(const struct run_message *message,
	const struct run_template *template, const struct folder *folder, const struct types *types);

#endif
