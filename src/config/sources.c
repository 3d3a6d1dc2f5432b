/* sources.c: the files of a configuration folder, as they lie on disk. Supervisor and command line, main thread. */
#include "config/sources.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/path.h"

#define FILE_BYTES_MAX ((16u << 20) + 1) /* one more than toml_parse takes: its message is the better one */
#define FILES_MAX      10000u
#define DEPTH_MAX      32

struct walk {
	struct sources *sources;
	struct problems *problems;
	size_t root_length; /* of the folder's path and its slash */
};

/* The folders from the root to the one at hand: a link back to one of them would never end. */
struct trail {
	const struct trail *parent;
	dev_t device;
	ino_t inode;
	int depth;
};

static int add_source(struct sources *sources, const char *file, const char *name, char *text, size_t bytes)
{
	struct source *items = realloc(sources->items, (sources->count + 1) * sizeof(*items));
	size_t length = strlen(name);

	if (!items)
		return -ENOMEM;
	sources->items = items;
	if (length > 5 && !strcmp(name + length - 5, ".toml"))
		length -= 5;
	struct source source = {.file = strdup(file), .name = strndup(name, length), .text = text, .bytes = bytes};
	if (!source.file || !source.name) {
		free(source.file);
		free(source.name);
		return -ENOMEM;
	}
	items[sources->count++] = source;
	return 0;
}

static void read_file(const struct walk *walk, const char *path)
{
	char *text = NULL;
	size_t bytes = 0;

	if (walk->sources->count >= FILES_MAX) {
		problems_add(walk->problems, false, path, 0, "more than %u files; this one is not read", FILES_MAX);
		return;
	}
	int rc = path_read_file(path, FILE_BYTES_MAX, &text, &bytes, NULL);
	if (rc) {
		problems_add(walk->problems, false, path, 0, "can't be read: %s", enrg_error_name(rc));
		return;
	}
	if (add_source(walk->sources, path, path + walk->root_length, text, bytes)) {
		problems_add(walk->problems, false, path, 0, "out of memory");
		free(text);
	}
}

static void walk_folder(const struct walk *walk, const char *path, const struct trail *trail);

static void walk_entry(const struct walk *walk, const char *folder, const char *name, const struct trail *parent)
{
	size_t length = strlen(name);
	char path[PATH_MAX];
	struct stat info;

	int used = snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (used < 0 || (size_t)used >= sizeof(path)) {
		problems_add(walk->problems, false, folder, 0, "the path of %s is too long", name);
		return;
	}
	bool is_toml = length > 5 && !strcmp(name + length - 5, ".toml");
	if (stat(path, &info)) {
		if (is_toml)
			problems_add(walk->problems, false, path, 0, "can't be read: %s", strerrordesc_np(errno));
		return;
	}
	if (S_ISREG(info.st_mode) && is_toml)
		read_file(walk, path);
	if (!S_ISDIR(info.st_mode))
		return;
	for (const struct trail *trail = parent; trail; trail = trail->parent)
		if (trail->device == info.st_dev && trail->inode == info.st_ino) {
			problems_add(walk->problems, true, path, 0, "a link back to a folder above it; not followed");
			return;
		}
	const struct trail trail = {parent, info.st_dev, info.st_ino, parent->depth + 1};
	if (trail.depth > DEPTH_MAX)
		problems_add(walk->problems, false, path, 0, "folders are nested deeper than %d", DEPTH_MAX);
	else
		walk_folder(walk, path, &trail);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void walk_folder(const struct walk *walk, const char *path, const struct trail *trail)
{
	struct dirent **names = NULL;
	int count = scandir(path, &names, is_visible, alphasort);

	if (count < 0)
		problems_add(walk->problems, false, path, 0, "can't be read: %s", strerrordesc_np(errno));
	for (int i = 0; i < count; i++) {
		walk_entry(walk, path, names[i]->d_name, trail);
		free(names[i]);
	}
	free(names);
}

static int compare(const void *left, const void *right)
{
	return strcmp(((const struct source *)left)->name, ((const struct source *)right)->name);
}

static int check_root(const char *path, struct stat *ret_info, struct enrg_error *err)
{
	DIR *folder;

	if (stat(path, ret_info)) {
		if (errno == ENOENT)
			return enrg_error_set(err, -ENOENT,
				"%s: there is no such folder; give the folder that holds the *.toml files", path);
		return enrg_error_set(err, -errno, "%s: %s", path, strerrordesc_np(errno));
	}
	if (!S_ISDIR(ret_info->st_mode))
		return enrg_error_set(
			err, -ENOTDIR, "%s: not a folder; give the folder that holds the *.toml files", path);
	folder = opendir(path);
	if (!folder)
		return enrg_error_set(err, -errno, "%s: %s", path, strerrordesc_np(errno));
	closedir(folder);
	return 0;
}

int sources_read(const char *path, struct sources *ret_sources, struct problems *problems, struct enrg_error *err)
{
	struct sources sources = {0};
	struct stat info;
	char root[PATH_MAX];
	size_t length = strlen(path);

	int rc = check_root(path, &info, err);
	if (rc)
		return rc;
	while (length > 1 && path[length - 1] == '/')
		length--;
	if (length >= sizeof(root))
		return enrg_error_set(err, -ENAMETOOLONG, "%s: the path is too long", path);
	memcpy(root, path, length);
	root[length] = 0;
	const struct walk walk = {.sources = &sources, .problems = problems, .root_length = length + 1};
	walk_folder(&walk, root, &(const struct trail){NULL, info.st_dev, info.st_ino, 0});
	if (sources.count)
		qsort(sources.items, sources.count, sizeof(*sources.items), compare);
	*ret_sources = sources;
	return 0;
}

static bool is_same_file(const char *a, const char *b)
{
	struct stat first, second;

	return !stat(a, &first) && !stat(b, &second) && first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

static void free_source(struct source *source)
{
	free(source->file);
	free(source->name);
	free(source->text);
}

int sources_set_supervisor(struct sources *sources, const char *path, struct enrg_error *err)
{
	char *text = NULL;
	size_t bytes = 0, kept = 0;
	int rc = path_read_file(path, FILE_BYTES_MAX, &text, &bytes, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < sources->count; i++)
		if (!strcmp(sources->items[i].name, "supervisor") || is_same_file(sources->items[i].file, path))
			free_source(&sources->items[i]);
		else
			sources->items[kept++] = sources->items[i];
	sources->count = kept;
	rc = add_source(sources, path, "supervisor", text, bytes);
	if (rc < 0) {
		free(text);
		return enrg_error_set(err, rc, "out of memory");
	}
	qsort(sources->items, sources->count, sizeof(*sources->items), compare);
	return 0;
}

int sources_copy(const char *const *names, const char *const *texts, size_t count, struct sources *ret_sources,
	struct enrg_error *err)
{
	struct sources sources = {0};

	for (size_t i = 0; i < count; i++) {
		char *text = strdup(texts[i]);
		if (!text || add_source(&sources, names[i], names[i], text, strlen(texts[i]))) {
			free(text);
			sources_fini(&sources);
			return enrg_error_set(err, -ENOMEM, "out of memory");
		}
	}
	if (sources.count)
		qsort(sources.items, sources.count, sizeof(*sources.items), compare);
	*ret_sources = sources;
	return 0;
}

int sources_put(struct sources *sources, const char *file, const char *name, const char *text, struct enrg_error *err)
{
	char *copy = strdup(text);

	for (size_t i = 0; i < sources->count; i++) {
		if (strcmp(sources->items[i].name, name) != 0)
			continue;
		free_source(&sources->items[i]);
		sources->items[i] = sources->items[--sources->count];
		break;
	}
	if (!copy || add_source(sources, file, name, copy, strlen(text))) {
		free(copy);
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	qsort(sources->items, sources->count, sizeof(*sources->items), compare);
	return 0;
}

int sources_clone(const struct sources *sources, struct sources *ret_sources, struct enrg_error *err)
{
	struct sources clone = {0};
	int rc = 0;

	for (size_t i = 0; !rc && i < sources->count; i++)
		rc = sources_put(&clone, sources->items[i].file, sources->items[i].name, sources->items[i].text, err);
	if (rc)
		sources_fini(&clone);
	else
		*ret_sources = clone;
	return rc;
}

bool sources_drop(struct sources *sources, const char *file)
{
	for (size_t i = 0; i < sources->count; i++) {
		if (strcmp(sources->items[i].file, file) != 0)
			continue;
		free_source(&sources->items[i]);
		sources->count--;
		memmove(&sources->items[i], &sources->items[i + 1], (sources->count - i) * sizeof(sources->items[0]));
		return true;
	}
	return false;
}

void sources_fini(struct sources *sources)
{
	for (size_t i = 0; i < sources->count; i++)
		free_source(&sources->items[i]);
	free(sources->items);
	*sources = (struct sources){0};
}
