/* list.c: the supervisors of this machine. Process: whoever looks from outside. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "client/info.h"
#include "client/others.h"

#define SUPERVISORS_MAX 4096u

struct enrg_supervisors {
	uint32_t count, capacity;
	struct info **items;
	bool is_full; /* no memory for another one */
};

static struct info *add(struct enrg_supervisors *list)
{
	struct info *info = list->count < SUPERVISORS_MAX ? calloc(1, sizeof(*info)) : NULL;

	if (info && list->count == list->capacity) {
		uint32_t capacity = list->capacity ? 2 * list->capacity : 8;
		struct info **items = realloc(list->items, capacity * sizeof(struct info *));

		if (!items) {
			free(info);
			info = NULL;
		} else {
			list->items = items;
			list->capacity = capacity;
		}
	}
	list->is_full |= !info;
	if (info)
		list->items[list->count++] = info;
	return info;
}

static void add_other(const struct other *other, void *context)
{
	struct info *info = add(context);

	if (!info)
		return;
	info_read("", info);
	snprintf(info->name, sizeof(info->name), "%s", other->name);
	snprintf(info->folder, sizeof(info->folder), "%s", other->folder);
	snprintf(info->owner, sizeof(info->owner), "%s", other->owner);
	snprintf(info->hint, sizeof(info->hint), "%s", other->sentence);
	info->shown.is_running = true; /* it listens */
}

/* A folder below the runtime folder that is one of a supervisor: it has begun a run. */
static bool is_of_supervisor(const char *folder)
{
	char path[FIND_PATH_BYTES + 300];
	struct stat status;

	snprintf(path, sizeof(path), "%s/lock", folder);
	return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

static void add_own(struct enrg_supervisors *list, const char *base)
{
	struct dirent **entries;
	int count = scandir(base, &entries, NULL, alphasort);

	for (int i = 0; i < count; free(entries[i++])) {
		char folder[FIND_PATH_BYTES + 260];
		struct info *info;

		snprintf(folder, sizeof(folder), "%s/%s", base, entries[i]->d_name);
		if (entries[i]->d_name[0] == '.' || strlen(folder) >= FIND_PATH_BYTES || !is_of_supervisor(folder))
			continue;
		info = add(list);
		if (info)
			info_read(folder, info);
	}
	if (count >= 0)
		free(entries);
}

int enrg_supervisors_list(struct enrg_supervisors **ret_list, struct enrg_error *err)
{
	struct enrg_supervisors *list = calloc(1, sizeof(*list));
	char base[FIND_PATH_BYTES - 160];
	int rc = list ? path_runtime_folder(base, sizeof(base), err) : enrg_error_set(err, -ENOMEM, "out of memory");

	if (rc == 0) {
		add_own(list, base);
		others_visit(base, NULL, add_other, list);
	}
	if (rc == 0 && list->is_full && list->count < SUPERVISORS_MAX)
		rc = enrg_error_set(err, -ENOMEM, "out of memory");
	if (rc < 0) {
		enrg_supervisors_destroy(list);
		return rc;
	}
	*ret_list = list;
	return 0;
}

uint32_t enrg_supervisors_count(const struct enrg_supervisors *list)
{
	return list->count;
}

const struct enrg_supervisor *enrg_supervisors_get(const struct enrg_supervisors *list, uint32_t index)
{
	return index < list->count ? &list->items[index]->shown : NULL;
}

void enrg_supervisors_destroy(struct enrg_supervisors *list)
{
	if (!list)
		return;
	for (uint32_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	free(list);
}
