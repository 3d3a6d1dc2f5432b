/* verify_files.h: which files `enrgdaq verify` looks at: those that were named, and of folders all .arrows and .arrow
 * files below them. One thread. */
#ifndef CLI_VERIFY_FILES_H
#define CLI_VERIFY_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "enrgdaq/error.h"

struct verify_files {
	char **paths;
	size_t count, capacity;
	bool has_folder; /* at least one was named */
};

/* Adds a file as it is named; of a folder all files below it in the order of their names, those of a folder before
 * those of the folders in it. Names that begin with a dot are the program's own work in progress, and links to folders
 * may lead in circles: neither is looked at. -ENODATA: a folder without any such file; else -errno. */
int verify_files_add(struct verify_files *files, const char *path, struct enrg_error *err);
void verify_files_fini(struct verify_files *files);

#endif
