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

static const char *first_error(const struct problems *problems)
{
	for (size_t i = 0; i < problems->count; i++)
		if (!problems->items[i].is_warning)
			return problems->items[i].text;
	return "";
}

/* Do these texts fit into the folder? Then they are in it. */
static bool join(struct folder **folder, const struct types *types, const char *place, struct dirent *const *names,
	int count, struct enrg_error *err)
{
	struct sources sources = {0};
	struct folder *whole = NULL;
	struct problems problems;
	int rc = sources_clone(&(*folder)->sources, &sources, err);

	problems_init(&problems);
	for (int i = 0; !rc && i < count; i++)
		rc = read_file(place, names[i]->d_name, &sources, err);
	if (!rc)
		rc = folder_load_sources((*folder)->path, &sources, types, &whole, &problems, err);
	if (!rc && problems.errors)
		rc = enrg_error_set(err, ENRG_E_CONFIG, "%s", first_error(&problems));
	if (rc) {
		folder_free(whole);
	} else {
		folder_free(*folder);
		*folder = whole;
	}
	sources_fini(&sources);
	problems_fini(&problems);
	return !rc;
}

/* One that does not fit any more keeps none of the others away. How many come again. */
static int join_each(
	struct folder **folder, const struct types *types, const char *place, struct dirent *const *names, int count)
{
	char file[PATH_MAX];
	int joined = 0;

	for (int i = 0; i < count; i++) {
		struct enrg_error err = {0};
		if (join(folder, types, place, &names[i], 1, &err)) {
			joined++;
			continue;
		}
		log_line(ENRG_WARNING,
			"the job of %s/%s, which was started from a text before the supervisor was killed, can't be "
			"started again: %s; what it left is saved as of a job that is no more",
			place, names[i]->d_name, err.text);
		snprintf(file, sizeof(file), "%s/%s", place, names[i]->d_name);
		unlink(file);
	}
	return joined;
}

void job_add_restore(struct folder **folder, const struct types *types, const struct runtime *runtime)
{
	struct enrg_error err = {0};
	struct dirent **names = NULL;
	char place[PATH_MAX - 300];

	if (!runtime->last_was_killed) {
		job_add_remove_files(runtime);
		return;
	}
	snprintf(place, sizeof(place), "%s/" RECONFIGURE_CUSTOM, runtime->folder);
	int count = scandir(place, &names, is_toml, alphasort), joined = count;
	if (count > 0 && !join(folder, types, place, names, count, &err))
		joined = join_each(folder, types, place, names, count);
	if (joined > 0)
		log_line(ENRG_INFO,
			"%d job(s) that were started from texts before the supervisor was killed come again", joined);
	for (int i = 0; i < count; i++)
		free(names[i]);
	free(names);
}
