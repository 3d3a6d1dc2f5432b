/* run_parts_files.c: see the header. */
#include "supervisor/run_parts_files.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"

#define FILE_BYTES_MAX (16u << 20)

bool run_parts_is_source(const struct source *source)
{
	return !strncmp(source->name, RUN_SETUP_SOURCE, strlen(RUN_SETUP_SOURCE));
}

int run_parts_strip(const struct folder *folder, struct sources *ret_sources, struct enrg_error *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < folder->sources.count; i++) {
		const struct source *source = &folder->sources.items[i];
		if (!run_parts_is_source(source))
			rc = sources_put(ret_sources, source->file, source->name, source->text, err);
	}
	return rc;
}

/* "…/run_jobs/03.toml": in the order of the templates, whatever the names of the jobs. */
static void name_file(const char *path, size_t index, char ret_file[PATH_MAX], char ret_name[40])
{
	snprintf(ret_file, PATH_MAX, "%s/%02zu.toml", path, index);
	snprintf(ret_name, 40, RUN_SETUP_SOURCE "%02zu", index);
}

int run_parts_join(const struct folder *folder, const struct run_setup *setup, const char *path,
	struct sources *ret_sources, struct enrg_error *err)
{
	int rc = run_parts_strip(folder, ret_sources, err);
	char file[PATH_MAX], name[40];

	if (!rc && setup->job_count)
		rc = path_make_private_folder(path, err);
	for (size_t i = 0; !rc && i < setup->job_count; i++) {
		const char *text = setup->jobs[i].text;
		name_file(path, i, file, name);
		rc = path_write_private_file(file, text, strlen(text), err);
		if (!rc)
			rc = sources_put(ret_sources, file, name, text, err);
	}
	return rc;
}

bool run_parts_are_alike(const struct sources *a, const struct sources *b)
{
	for (size_t i = 0; a->count == b->count && i < a->count; i++)
		if (strcmp(a->items[i].file, b->items[i].file) != 0 || strcmp(a->items[i].text, b->items[i].text) != 0)
			return false;
	return a->count == b->count;
}

static int is_job(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 5 && !strcmp(entry->d_name + length - 5, ".toml");
}

int run_parts_read(const char *path, struct sources *sources, struct enrg_error *err)
{
	struct dirent **names = NULL;
	int count = scandir(path, &names, is_job, alphasort), rc = 0;
	char file[PATH_MAX], name[300];

	for (int i = 0; i < count; i++) {
		char *text = NULL;
		size_t bytes;

		snprintf(file, sizeof(file), "%s/%s", path, names[i]->d_name);
		snprintf(name, sizeof(name), RUN_SETUP_SOURCE "%.*s", (int)strlen(names[i]->d_name) - 5,
			names[i]->d_name);
		if (!rc)
			rc = path_read_file(file, FILE_BYTES_MAX, &text, &bytes, err);
		if (!rc)
			rc = sources_put(sources, file, name, text, err);
		free(text);
		free(names[i]);
	}
	free(names);
	return rc;
}

void run_parts_remove_files(const char *path)
{
	struct dirent **names = NULL;
	int count = scandir(path, &names, is_job, alphasort);
	char file[PATH_MAX];

	for (int i = 0; i < count; i++) {
		snprintf(file, sizeof(file), "%s/%s", path, names[i]->d_name);
		unlink(file);
		free(names[i]);
	}
	free(names);
	rmdir(path);
}
