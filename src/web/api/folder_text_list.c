/* folder_text_list.c: the files of a configuration folder. No link is followed: what lies behind one can't be read or
 * written here. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "web/api/folder_text.h"

#define FILES_MAX 10000u
#define DEPTH_MAX 16

static void walk(json_t *list, const char *root, const char *folder, int depth);

static void add(json_t *list, const char *root, const char *file, int depth)
{
	char path[PATH_MAX];
	struct stat info;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", root, file) >= sizeof(path) || lstat(path, &info))
		return;
	if (S_ISDIR(info.st_mode) && depth < DEPTH_MAX)
		walk(list, root, file, depth + 1);
	if (!S_ISREG(info.st_mode) || folder_text_check_name(file, NULL) < 0 || json_array_size(list) >= FILES_MAX)
		return;
	json_int_t modified_ns = (json_int_t)info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec;
	json_array_append_new(list,
		json_pack("{sssIsI}", "file", file, "bytes", (json_int_t)info.st_size, "modified_ns", modified_ns));
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void walk(json_t *list, const char *root, const char *folder, int depth)
{
	char path[PATH_MAX], file[FOLDER_TEXT_NAME_BYTES];
	struct dirent **names = NULL;
	int count = -1;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", root, folder) < sizeof(path))
		count = scandir(path, &names, is_visible, alphasort);
	for (int i = 0; i < count; i++) {
		size_t bytes =
			(size_t)snprintf(file, sizeof(file), "%s%s%s", folder, *folder ? "/" : "", names[i]->d_name);
		if (bytes < sizeof(file))
			add(list, root, file, depth);
		free(names[i]);
	}
	free(names);
}

json_t *folder_text_list(const char *folder, struct enrg_error *err)
{
	struct stat info;

	if (!*folder) {
		enrg_error_set(err, -ENOENT, "this system runs without a configuration folder");
		return NULL;
	}
	if (stat(folder, &info) || !S_ISDIR(info.st_mode)) {
		enrg_error_set(err, -ENOENT, "the configuration folder %s is not there any more", folder);
		return NULL;
	}
	json_t *list = json_array();
	if (list)
		walk(list, folder, "", 0);
	else
		enrg_error_set(err, -ENOMEM, "out of memory");
	return list;
}
