/* recovery.c: finds the files of a dead life by their hidden files. Runs in the store's job process, on its main
 * thread. */
#include "recovery.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shadow.h"

#define COMMITS        ".commits"
#define NAME_BYTES_MAX 200u /* longer ones are shortened in the names of the hidden files: they can't be found */

static bool is_open(const struct container *open, const struct enrg_file *counter)
{
	while (open && open->counter != counter)
		open = open->next;
	return open != NULL;
}

/* The counter stands where the last commit that counts left it: the framework has cut it. */
static int put_back(const char *path, uint64_t commit, struct enrg_error *err)
{
	struct shadow *shadow;
	int rc = shadow_open(path, commit, &shadow, err);
	bool is_empty;

	if (rc < 0)
		return rc;
	is_empty = shadow->end == 0; /* it was made after the last commit */
	shadow_close(shadow, true);
	if (is_empty)
		unlink(path);
	return 0;
}

static void recover(
	struct enrg_store *store, const char *folder, const char *own, size_t length, const struct container *open)
{
	char path[PATH_MAX], undo_path[PATH_MAX], counter_path[PATH_MAX];
	struct enrg_error err = {0};
	struct enrg_file *counter;
	int rc;

	if (snprintf(path, sizeof(path), "%s%.*s", folder, (int)length, own) >= (int)sizeof(path) ||
		snprintf(undo_path, sizeof(undo_path), "%s.%.*s.undo", folder, (int)length, own) >=
			(int)sizeof(undo_path) ||
		snprintf(counter_path, sizeof(counter_path), "%s.%.*s" COMMITS, folder, (int)length, own) >=
			(int)sizeof(counter_path))
		return;
	rc = enrg_file_open(store, counter_path, &counter, &err);
	if (rc == -EBUSY)
		return;
	if (rc == 0 && is_open(open, counter)) {
		enrg_file_close(counter);
		return;
	}
	if (rc == 0) {
		/* Where the undo file is gone already the file is whole, and its life died between the two. */
		if (access(undo_path, F_OK) == 0)
			rc = put_back(path, enrg_file_size(counter), &err);
		enrg_file_close(counter);
		if (rc == 0)
			unlink(counter_path);
	}
	if (rc < 0)
		enrg_store_alert(store, ENRG_WARNING,
			"%s (a file of an earlier instance of this store; it may not open, or "
			"show rows twice, until this is fixed and the store is started again)",
			err.text);
}

void recovery_run(struct enrg_store *store, const char *folder, const struct container *open)
{
	DIR *directory = opendir(*folder ? folder : ".");
	const struct dirent *entry;

	if (!directory)
		return; /* opening a file makes the folder, or says why not */
	while ((entry = readdir(directory))) {
		size_t length = strlen(entry->d_name), tail = sizeof(COMMITS) - 1;

		if (entry->d_name[0] != '.' || length < tail + 2 || length - tail - 1 >= NAME_BYTES_MAX ||
			strcmp(entry->d_name + length - tail, COMMITS) != 0)
			continue;
		recover(store, folder, entry->d_name + 1, length - tail - 1, open);
	}
	closedir(directory);
}
