/* run_judge.h: would what plans start pass the checks of a folder? The jobs of a run are judged as the folder's own
 * are, together with them: types, keys, values, names, stores. */
#ifndef CONFIG_RUN_JUDGE_H
#define CONFIG_RUN_JUDGE_H

#include "config/folder.h"
#include "config/run_setup.h"

/* All templates with their defaults, and all types and steps of sequences with their values. For who checks a folder
 * or begins with it; it costs a look at the folder for each of them. */
void run_judge_plans(const struct folder *folder, const struct types *types, struct problems *problems);
/* One setup, whose texts are aligned. */
void run_judge_setup(const struct folder *folder, const struct types *types, const struct run_setup *setup,
	struct problems *problems);

#endif
