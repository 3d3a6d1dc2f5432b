/* verify_files.c: see the header. In `enrgdaq verify`. */
#include "cli/verify_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int add_path(struct verify_files *files, char *path, struct enrg_error *err)
{
	if (path && files->count == files->capacity) {
		size_t capacity = files->capacity ? 2 * files->capacity : 64;
		char **grown = realloc(files->paths, capacity * sizeof(*grown));
		if (grown) {
			files->paths = grown;
			files->capacity = capacity;
		}
	}
	if (!path || files->count == files->capacity) {
		free(path);
		return enrg_error_set(err, -ENOMEM, "no memory for the names of %zu files", files->count + 1);
	}
	files->paths[files->count++] = path;
	return 0;
}

static bool ends_with(const char *text, const char *ending)
{
	size_t length = strlen(text), count = strlen(ending);

	return length > count && strcmp(text + length - count, ending) == 0;
}

static char *join(const char *folder, const char *name)
{
	size_t length = strlen(folder);
	char *path;

	if (asprintf(&path, "%s%s%s", folder, length && folder[length - 1] == '/' ? "" : "/", name) < 0)
		return NULL;
	return path;
}

static int add_folder(struct verify_files *files, const char *folder, struct enrg_error *err);

/* First the files of the folder, then (is_deeper) those of the folders in it. */
static int add_entry(
	struct verify_files *files, const char *folder, const char *name, bool is_deeper, struct enrg_error *err)
{
	char *path = join(folder, name);
	struct stat status;
	int rc = path ? 0 : enrg_error_set(err, -ENOMEM, "out of memory");

	if (rc == 0 && lstat(path, &status) < 0)
		rc = errno == ENOENT ? 1 : enrg_error_set(err, -errno, "%s: %s", path, strerror(errno));
	if (rc == 0 && is_deeper && S_ISDIR(status.st_mode)) {
		rc = add_folder(files, path, err);
	} else if (rc == 0 && !is_deeper && !S_ISDIR(status.st_mode) &&
		   (ends_with(name, ".arrows") || ends_with(name, ".arrow"))) {
		return add_path(files, path, err);
	}
	free(path);
	return rc < 0 ? rc : 0;
}

static int select_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int add_folder(struct verify_files *files, const char *folder, struct enrg_error *err)
{
	struct dirent **entries;
	int rc = 0, count = scandir(folder, &entries, select_visible, alphasort);

	if (count < 0)
		return enrg_error_set(err, -errno, "%s: %s", folder, strerror(errno));
	for (int i = 0; rc == 0 && i < 2 * count; i++)
		rc = add_entry(files, folder, entries[i % count]->d_name, i >= count, err);
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
	return rc;
}

int verify_files_add(struct verify_files *files, const char *path, struct enrg_error *err)
{
	size_t before = files->count;
	struct stat status;

	/* What can't be looked at is told with the file itself. */
	if (stat(path, &status) < 0 || !S_ISDIR(status.st_mode))
		return add_path(files, strdup(path), err);
	files->has_folder = true;
	int rc = add_folder(files, path, err);
	if (rc == 0 && files->count == before)
		rc = enrg_error_set(
			err, -ENODATA, "%s: there is no .arrows and no .arrow file in this folder or below it", path);
	return rc;
}

void verify_files_fini(struct verify_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		free(files->paths[i]);
	free(files->paths);
	*files = (struct verify_files){0};
}
