/* folder_loader.h: a folder while it is read: what folder.c (the whole), folder_job.c (one job) and folder_names.c
 * (what may be a name) have among themselves. */
#ifndef CONFIG_FOLDER_LOADER_H
#define CONFIG_FOLDER_LOADER_H

#include "config/folder.h"

#define NAME_BYTES_MAX 200 /* of a job: it becomes part of file names and topics */

struct folder_loader {
	const struct types *types;
	struct folder *folder;
	struct problems *problems;
};

/* --- folder_names.c --- */

/* A name goes into file names, topics and terminals. */
bool folder_check_name(
	const struct toml_node *node, const char *key, const char *name, const char *file, struct problems *problems);
bool folder_check_path(const char *file, struct problems *problems);
/* Streams, journals and pages are files named after the job: also names that only differ in '/' or '_' collide. */
void folder_check_unique_names(const struct folder_loader *loader);

/* --- folder_job.c --- */

/* NULL: it is no TOML, and a problem says where. */
struct toml_node *folder_parse(const char *file, const char *text, size_t bytes, struct problems *problems);
/* One more, zeroed. NULL: out of memory. */
struct job_config *folder_add_job(struct folder *folder);
/* Fills and judges the options of a job whose texts are there. */
void folder_complete_job(const struct folder_loader *loader, struct job_config *job);
/* A job of unknown type is reported and left out; one with other problems stays, so that its stores are known. */
void folder_load_job(const struct folder_loader *loader, const struct source *source);

#endif
