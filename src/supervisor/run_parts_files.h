/* run_parts_files.h: the jobs of a run as files of the runtime folder, and as sources of the folder that runs. For
 * run_parts.c alone. Process: supervisor, main thread. */
#ifndef SUPERVISOR_RUN_PARTS_FILES_H
#define SUPERVISOR_RUN_PARTS_FILES_H

#include "config/folder.h"
#include "config/run_setup.h"

/* Is it a job of a run? */
bool run_parts_is_source(const struct source *source);
/* Sources of a folder without jobs of runs. */
int run_parts_strip(const struct folder *folder, struct sources *ret_sources, struct enrg_error *err);
/* Those, and what `setup` brings, whose files are written to `path`. */
int run_parts_join(const struct folder *folder, const struct run_setup *setup, const char *path,
	struct sources *ret_sources, struct enrg_error *err);
bool run_parts_are_alike(const struct sources *a, const struct sources *b);
/* The files that lie in `path` join the sources. */
int run_parts_read(const char *path, struct sources *sources, struct enrg_error *err);
void run_parts_remove_files(const char *path);

#endif
