/* job_add_files.c: custom jobs as files of the runtime folder: they outlive a supervisor that is killed. Process:
 * supervisor, main thread. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/path.h"
#include "supervisor/job_add.h"

#define FILE_BYTES_MAX (1u << 20)

static int is_toml(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > 5 && !strcmp(entry->d_name + length - 5, ".toml");
}

void job_add_remove_files(const struct runtime *runtime)
{
	struct dirent **names = NULL;
	char folder[PATH_MAX - 300], file[PATH_MAX];

	snprintf(folder, sizeof(folder), "%s/" RECONFIGURE_CUSTOM, runtime->folder);
	int count = scandir(folder, &names, is_toml, alphasort);
	for (int i = 0; i < count; i++) {
		snprintf(file, sizeof(file), "%s/%s", folder, names[i]->d_name);
		unlink(file);
		free(names[i]);
	}
	free(names);
	rmdir(folder);
}

static int read_file(const char *folder, const char *name, struct sources *sources, struct enrg_error *err)
{
	char file[PATH_MAX], source[300], *text = NULL;
	size_t bytes;

	snprintf(file, sizeof(file), "%s/%s", folder, name);
	snprintf(source, sizeof(source), RECONFIGURE_CUSTOM_SOURCE "%.*s", (int)(strlen(name) - 5), name);
	int rc = path_read_file(file, FILE_BYTES_MAX, &text, &bytes, err);
	if (!rc)
		rc = sources_put(sources, file, source, text, err);
	free(text);
	return rc;
}

/* How many; negative: an error. */
static int read_files(const struct runtime *runtime, struct sources *sources, struct enrg_error *err)
{
	struct dirent **names = NULL;
	char folder[PATH_MAX - 300];
	int rc = 0;

	snprintf(folder, sizeof(folder), "%s/" RECONFIGURE_CUSTOM, runtime->folder);
	int count = scandir(folder, &names, is_toml, alphasort);
	for (int i = 0; i < count; i++) {
		if (!rc)
			rc = read_file(folder, names[i]->d_name, sources, err);
		free(names[i]);
	}
	free(names);
	return rc ? rc : count > 0 ? count : 0;
}

void job_add_restore(struct folder **folder, const struct types *types, const struct runtime *runtime)
{
	struct sources sources = {0};
	struct folder *whole = NULL;
	struct problems problems;
	struct enrg_error err = {0};

	if (!runtime->last_was_killed) {
		job_add_remove_files(runtime);
		return;
	}
	problems_init(&problems);
	int rc = sources_clone(&(*folder)->sources, &sources, &err), count = 0;
	if (!rc)
		rc = count = read_files(runtime, &sources, &err);
	if (rc > 0)
		rc = folder_load_sources((*folder)->path, &sources, types, &whole, &problems, &err);
	if (rc || problems.errors) {
		log_line(ENRG_WARNING,
			"the jobs that were started from texts before the supervisor was killed can't be started "
			"again: "
			"%s; what they left is saved as of jobs that are no more",
			rc ? err.text : problems.items[0].text);
		folder_free(whole);
		job_add_remove_files(runtime);
	} else if (whole) {
		log_line(ENRG_INFO,
			"%d job(s) that were started from texts before the supervisor was killed come again", count);
		folder_free(*folder);
		*folder = whole;
	}
	sources_fini(&sources);
	problems_fini(&problems);
}
