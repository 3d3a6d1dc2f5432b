/* history.c: which series a folder of a history has, and where a system writes one. Process: whoever looks from
 * outside. */
#include "client/history.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "base/text.h"
#include "client/client.h"

#define POINTER ".history" /* JOB.history in the runtime folder: where a recorder writes */

/* --- names ------------------------------------------------------------------------------------------------------- */

struct known {
	uint32_t index;
	char name[];
};

struct history_names {
	void *tree; /* of tsearch(3) */
};

static int compare_names(const void *left, const void *right)
{
	return strcmp(((const struct known *)left)->name, ((const struct known *)right)->name);
}

struct history_names *history_names_create(void)
{
	return calloc(1, sizeof(struct history_names));
}

void history_names_destroy(struct history_names *names)
{
	if (names)
		tdestroy(names->tree, free);
	free(names);
}

int64_t history_names_take(struct history_names *names, const char *name, uint32_t next)
{
	size_t bytes = strlen(name) + 1;
	struct known *known = malloc(sizeof(*known) + bytes);

	if (!known)
		return -ENOMEM;
	known->index = next;
	memcpy(known->name, name, bytes);
	struct known **place = tsearch(known, &names->tree, compare_names);
	if (!place || *place != known)
		free(known);
	return place ? (int64_t)(*place)->index : -ENOMEM;
}

bool history_matches(const char *pattern, const char *name)
{
	return !strcmp(pattern, name) || fnmatch(pattern, name, 0) == 0;
}

/* --- the folder -------------------------------------------------------------------------------------------------- */

int enrg_history_open(const char *folder, struct enrg_history **ret_history, struct enrg_error *err)
{
	struct enrg_history_part *parts = NULL;
	struct enrg_history *history;
	uint32_t count;
	int rc = enrg_history_parts_list(folder, &parts, &count, err);

	if (rc < 0)
		return rc;
	free(parts);
	if (!count)
		return enrg_error_set(err, -ENOENT, "%s: no history is there", folder);
	history = calloc(1, sizeof(*history));
	if (!history || !(history->folder = strdup(folder))) {
		free(history);
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	*ret_history = history;
	return 0;
}

void enrg_history_close(struct enrg_history *history)
{
	if (!history)
		return;
	free(history->folder);
	free(history);
}

int history_open_part(
	const struct enrg_history *history, const struct enrg_history_part *part, struct enrg_history_file **ret_file)
{
	char *path;
	int rc;

	*ret_file = NULL;
	if (asprintf(&path, "%s/%s", history->folder, part->name) < 0)
		return -ENOMEM;
	rc = enrg_history_file_open(path, ret_file, NULL);
	free(path);
	return rc == -ENOMEM ? rc : rc < 0 ? -ENOENT : 0;
}

/* --- where one is written ---------------------------------------------------------------------------------------- */

static bool is_pointer(const char *name)
{
	size_t bytes = strlen(name), ending = strlen(POINTER);

	return bytes > ending && !strcmp(name + bytes - ending, POINTER);
}

/* Appends "FOLDER" to the folders; returns how many there are. */
static int look_for_pointers(const char *runtime, char folders[4096], unsigned *ret_count)
{
	DIR *dir = opendir(runtime);
	size_t used = 0;
	char *path, *text;

	*ret_count = 0;
	folders[0] = '\0';
	if (!dir)
		return -errno;
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (!is_pointer(entry->d_name) || asprintf(&path, "%s/%s", runtime, entry->d_name) < 0)
			continue;
		if (path_read_file(path, 4095, &text, &(size_t){0}, NULL) == 0) {
			text_make_safe(text, strlen(text));
			used += (size_t)snprintf(
				folders + used, used < 4096 ? 4096 - used : 0, "%s%s", used ? ", " : "", text);
			used = used < 4095 ? used : 4095;
			free(text);
			*ret_count += 1;
		}
		free(path);
	}
	closedir(dir);
	return 0;
}

int enrg_history_find(struct enrg_client *client, const char **ret_folder, struct enrg_error *err)
{
	const struct enrg_supervisor *supervisor;
	unsigned count = 0;
	int rc = enrg_client_supervisor(client, &supervisor, err);

	if (rc == 0 && (rc = look_for_pointers(supervisor->folder, client->history, &count)) < 0)
		enrg_error_set(err, rc, "%s: %s", supervisor->folder, enrg_error_name(rc));
	if (rc < 0)
		return rc;
	if (!count)
		return enrg_error_set(
			err, -ENOENT, "supervisor %s records no history: it has no DAQJobHistory", supervisor->name);
	if (count > 1)
		return enrg_error_set(
			err, -EEXIST, "supervisor %s records %u: %s", supervisor->name, count, client->history);
	*ret_folder = client->history;
	return 0;
}

/* --- the list ---------------------------------------------------------------------------------------------------- */

struct list {
	struct enrg_history_list shown;
	struct enrg_history_entry *items, **places;
	uint32_t room;
	struct history_names *names;
};

static void list_fini(struct list *list)
{
	for (uint32_t i = 0; i < list->shown.count; i++)
		free((void *)(uintptr_t)list->items[i].name);
	free(list->items);
	free(list->places);
	history_names_destroy(list->names);
	free(list);
}

/* Name and unit in one piece. */
static bool set_entry(struct enrg_history_entry *entry, const struct enrg_history_name *name)
{
	size_t bytes = strlen(name->name) + 1;
	char *text = malloc(bytes + strlen(name->unit) + 1);

	if (!text)
		return false;
	memcpy(text, name->name, bytes);
	strcpy(text + bytes, name->unit);
	*entry = (struct enrg_history_entry){
		.size = sizeof(*entry), .flags = name->flags, .name = text, .unit = text + bytes};
	return true;
}

static bool make_room(struct list *list)
{
	if (list->shown.count < list->room)
		return true;
	uint32_t room = list->room ? 2 * list->room : 64;
	struct enrg_history_entry *items = realloc(list->items, room * sizeof(*items));
	if (!items)
		return false;
	list->items = items;
	list->room = room;
	return true;
}

static int list_name(struct list *list, const struct enrg_history_name *name, uint64_t first_ns, uint64_t last_ns)
{
	int64_t index = history_names_take(list->names, name->name, list->shown.count);

	if (index < 0)
		return -ENOMEM;
	if ((uint32_t)index == list->shown.count) {
		if (!make_room(list) || !set_entry(&list->items[index], name))
			return -ENOMEM;
		list->items[index].first_ns = first_ns;
		list->shown.count++;
	}
	struct enrg_history_entry *entry = &list->items[index];
	entry->first_ns = first_ns < entry->first_ns ? first_ns : entry->first_ns;
	entry->last_ns = last_ns > entry->last_ns ? last_ns : entry->last_ns;
	return 0;
}

static int list_file(struct list *list, struct enrg_history_file *file, const char *pattern)
{
	struct enrg_history_block block;
	int rc;

	while ((rc = enrg_history_file_next(file, UINT64_MAX, &block)) == 1)
		; /* names alone */
	uint64_t last_ns = enrg_history_file_last_ns(file) + enrg_history_file_span_s(file) * 1000000000ull;
	for (uint32_t i = 0; rc == 0 && i < enrg_history_file_series_end(file); i++) {
		const struct enrg_history_name *name = enrg_history_file_name(file, i);

		if (name && (!pattern || history_matches(pattern, name->name)))
			rc = list_name(list, name, enrg_history_file_begin_ns(file), last_ns);
	}
	return rc;
}

static int compare_entries(const void *left, const void *right)
{
	return strcmp(
		((const struct enrg_history_entry *)left)->name, ((const struct enrg_history_entry *)right)->name);
}

static int list_sort(struct list *list)
{
	list->places = calloc(list->shown.count + 1u, sizeof(struct enrg_history_entry *));
	if (!list->places)
		return -ENOMEM;
	if (list->shown.count)
		qsort(list->items, list->shown.count, sizeof(*list->items), compare_entries);
	for (uint32_t i = 0; i < list->shown.count; i++)
		list->places[i] = &list->items[i];
	list->shown.size = sizeof(list->shown);
	list->shown.entries = (const struct enrg_history_entry *const *)list->places;
	return 0;
}

int enrg_history_list_series(
	struct enrg_history *history, const char *pattern, struct enrg_history_list **ret_list, struct enrg_error *err)
{
	struct list *list = calloc(1, sizeof(*list));
	struct enrg_history_part *parts = NULL;
	struct enrg_history_file *file;
	uint32_t count = 0;

	if (!list)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	list->names = history_names_create();
	int rc = list->names ? 0 : -ENOMEM;
	if (rc == 0)
		rc = enrg_history_parts_list(history->folder, &parts, &count, err);
	for (uint32_t i = 0; rc == 0 && i < count; i++) {
		rc = history_open_part(history, &parts[i], &file);
		if (rc == 0)
			rc = list_file(list, file, pattern);
		rc = rc == -ENOENT ? 0 : rc;
		enrg_history_file_close(file);
	}
	free(parts);
	if (rc == 0)
		rc = list_sort(list);
	if (rc == 0) {
		*ret_list = &list->shown;
		return 0;
	}
	list_fini(list);
	return rc == -ENOMEM ? enrg_error_set(err, rc, "out of memory") : rc;
}

void enrg_history_list_destroy(struct enrg_history_list *list)
{
	if (list)
		list_fini((struct list *)list); /* its first member */
}
