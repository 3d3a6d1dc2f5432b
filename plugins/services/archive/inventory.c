/* inventory.c: see the header. In the process of DAQJobArchive, on its main thread. */
#include "inventory.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "closing.h"

#define STATE "state"

static FTS *open_tree(const char *root)
{
	char *roots[] = {(char *)(uintptr_t)root, NULL};

	return fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR | FTS_XDEV, NULL);
}

static const char *name_below(const FTSENT *entry, const char *root)
{
	const char *name = entry->fts_path + strlen(root);

	return name + strspn(name, "/");
}

static int add_file(struct inventory *inventory, const char *name, const struct stat *status)
{
	if (inventory->count == inventory->capacity) {
		size_t capacity = inventory->capacity ? 2 * inventory->capacity : 256;
		struct inventory_file *grown = realloc(inventory->files, capacity * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		inventory->files = grown;
		inventory->capacity = capacity;
	}
	char *copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	inventory->files[inventory->count++] = (struct inventory_file){.name = copy, .status = *status};
	inventory->bytes += (uint64_t)status->st_size;
	return 0;
}

static int compare_files(const void *left, const void *right)
{
	const struct inventory_file *a = left, *b = right;
	int64_t first = inventory_changed_ns(&a->status), second = inventory_changed_ns(&b->status);

	return first != second ? (first > second) - (first < second) : strcmp(a->name, b->name);
}

/* By name, size and time of change, whatever clock that was. */
static void keep_since(struct inventory *inventory, const struct inventory *earlier, uint64_t now_ns)
{
	for (size_t i = 0; i < inventory->count; i++) {
		struct inventory_file *file = &inventory->files[i];
		const struct inventory_file *known = NULL;
		if (earlier->count)
			known = bsearch(file, earlier->files, earlier->count, sizeof(*file), compare_files);
		bool is_same = known && known->status.st_size == file->status.st_size;
		file->since_ns = is_same ? known->since_ns : now_ns;
	}
}

/* The run book, whatever its name: what belongs to it stands beside a lock of that name. It is closed while no run
 * begins or ends, and numbers of runs would begin again without it. */
static bool is_run_book(const char *path)
{
	static const char *const endings[] = {".owner", ".number", ".kept", "-wal", "-shm", "-journal"};
	char lock[NAMES_PATH_BYTES + 8];
	size_t bytes = strlen(path);

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		size_t ending = strlen(endings[i]);
		if (bytes > ending && !strcmp(path + bytes - ending, endings[i])) {
			bytes -= ending;
			break;
		}
	}
	int count = snprintf(lock, sizeof(lock), "%.*s.owner", (int)bytes, path);
	return count > 0 && (size_t)count < sizeof(lock) && access(lock, F_OK) == 0;
}

static int read_tree(struct inventory *inventory, FTS *tree, const struct inventory_params *params)
{
	int rc = 0;

	for (FTSENT *entry; rc == 0 && (entry = fts_read(tree));) {
		const char *name = name_below(entry, params->root);
		bool is_folder = entry->fts_info == FTS_D;
		if (is_folder && (entry->fts_name[0] == '.' || strcmp(name, STATE) == 0) && entry->fts_level > 0)
			fts_set(tree, entry, FTS_SKIP);
		else if (entry->fts_info == FTS_F && entry->fts_name[0] != '.' && !names_match(name, params->exclude) &&
			 !is_run_book(entry->fts_path))
			rc = add_file(inventory, name, entry->fts_statp);
	}
	return rc;
}

int inventory_read(struct inventory *inventory, const struct inventory_params *params, struct enrg_error *err)
{
	struct inventory earlier = *inventory;
	FTS *tree = open_tree(params->root);
	int rc = tree ? 0 : -errno;

	*inventory = (struct inventory){0};
	if (tree) {
		rc = read_tree(inventory, tree, params);
		fts_close(tree);
	}
	if (inventory->count)
		qsort(inventory->files, inventory->count, sizeof(*inventory->files), compare_files);
	keep_since(inventory, &earlier, params->now_ns);
	inventory_fini(&earlier);
	return rc < 0 ? enrg_error_set(err, rc, "folder: %s can't be read: %s", params->root, strerror(-rc)) : 0;
}

void inventory_fini(struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->count; i++)
		free(inventory->files[i].name);
	free(inventory->files);
	*inventory = (struct inventory){0};
}

unsigned inventory_restore(const char *root)
{
	char name[NAMES_PATH_BYTES];
	FTS *tree = open_tree(root);
	unsigned count = 0;

	for (FTSENT *entry; tree && (entry = fts_read(tree));) {
		if (entry->fts_info != FTS_F || !names_parse_going(entry->fts_path, name))
			continue;
		/* never over another file of that name */
		if (closing_rename(AT_FDCWD, entry->fts_path, name) == 0)
			count++;
	}
	if (tree)
		fts_close(tree);
	return count;
}
