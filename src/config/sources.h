/* sources.h: the files of a configuration folder, as they lie on disk. */
#ifndef CONFIG_SOURCES_H
#define CONFIG_SOURCES_H

#include "config/problems.h"
#include "enrgdaq/error.h"

struct source {
	char *file; /* path for messages */
	char *name; /* path inside the folder, without .toml */
	char *text;
	size_t bytes;
};

struct sources {
	size_t count;
	struct source *items; /* sorted by name */
};

/* Reads every *.toml below `path`; hidden files and folders are left out, links are followed. A file that can't be read
 * is a problem; a folder that can't be read is an error. */
int sources_read(const char *path, struct sources *ret_sources, struct problems *problems, struct enrg_error *err);
/* Makes that file the supervisor's, wherever it lies; one that the folder has beside it is left out. */
int sources_set_supervisor(struct sources *sources, const char *path, struct enrg_error *err);
/* Copies of texts in memory. */
int sources_copy(const char *const *names, const char *const *texts, size_t count, struct sources *ret_sources,
	struct enrg_error *err);
/* A copy of them all. */
int sources_clone(const struct sources *sources, struct sources *ret_sources, struct enrg_error *err);
/* One more file, in the place of one of that name. */
int sources_put(struct sources *sources, const char *file, const char *name, const char *text, struct enrg_error *err);
/* The one whose file was that; false: none. */
bool sources_drop(struct sources *sources, const char *file);
void sources_fini(struct sources *sources);

#endif
