/* hdf5.c: DAQJobStoreHDF5: which file and group a row goes to. Runs in the store's job process, on its main thread: the
 * only one that calls libhdf5.
 *
 * Several targets may share a file, and a table in it. A file that no target uses any more (another day) is closed one
 * commit later, because its last rows belong to the commit that is still to come.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "driver.h"
#include "recovery.h"

#define COMMIT_BYTES (64u << 20)
#define VALID_ENDING "_valid" /* of a group that table.h makes */

enum { COMPRESSION_NONE, COMPRESSION_DEFLATE };

struct hdf5_options {
	const char *out_dir;
	double flush_seconds;
	struct enrg_file_options files;
};

/* In which the files of an earlier life were put back. */
struct folder {
	struct folder *next;
	char path[]; /* "" or with its slash */
};

struct hdf5_section {
	const char *file_path, *dataset_name;
	bool add_date;
	int compression;
	int64_t compression_level;
};

struct hdf5 {
	struct enrg_store *store;
	const struct hdf5_options *options;
	struct container *containers;
	struct folder *folders;
	hid_t driver;
};

struct hdf5_target {
	const struct hdf5_section *section;
	struct enrg_file_choice *choice;
	char *group_name;
	struct container *container;
	struct hdf5_table *table; /* of the container */
};

static const struct enrg_choice compressions[] = {
	{"none", COMPRESSION_NONE},
	{"deflate", COMPRESSION_DEFLATE},
	{NULL, 0},
};

static const struct enrg_choice syncs[] = {
	{"none", ENRG_FILE_SYNC_NONE},
	{"interval", ENRG_FILE_SYNC_INTERVAL},
	{"commit", ENRG_FILE_SYNC_COMMIT},
	{NULL, 0},
};

static const struct enrg_option hdf5_option_list[] = {
	{.key = "out_dir",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct hdf5_options, out_dir),
		.default_value = "\"out/\"",
		.help = "Folder of the files; created.",
		.runs_code = true},
	{.key = "flush_seconds",
		.kind = ENRG_OPTION_FLOAT,
		.offset = offsetof(struct hdf5_options, flush_seconds),
		.default_value = "1.0",
		.min = 0,
		.max = 3600,
		.unit = "s",
		.help = "Rows are in the file, for its readers, after so long a time; until then they wait in memory."},
	{.key = "sync",
		.kind = ENRG_OPTION_CHOICE,
		.offset = offsetof(struct hdf5_options, files.sync),
		.default_value = "\"none\"",
		.choices = syncs,
		.help = "When the disk has what was stored: none = when the system sees fit, commit = at each flush, "
			"before "
			"its rows count as stored; interval = the same as commit."},
	{.key = "rules",
		.kind = ENRG_OPTION_INCLUDE,
		.offset = offsetof(struct hdf5_options, files.rules),
		.table = &enrg_file_table_rotation},
	{.key = NULL},
};

static const struct enrg_option hdf5_section_list[] = {
	{.key = "file_path",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct hdf5_section, file_path),
		.required = true,
		.help = "Name of the file, relative to out_dir; may name folders."},
	{.key = "add_date",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct hdf5_section, add_date),
		.default_value = "false",
		.help = "A file a local day: YYYY-MM-DD_ before the file's own name."},
	{.key = "dataset_name",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct hdf5_section, dataset_name),
		.required = true,
		.help = "Group in the file that holds a dataset for each column; may be a path."},
	{.key = "compression",
		.kind = ENRG_OPTION_CHOICE,
		.offset = offsetof(struct hdf5_section, compression),
		.default_value = "\"none\"",
		.choices = compressions,
		.help = "Of new datasets; deflate shuffles bytes first."},
	{.key = "compression_level",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct hdf5_section, compression_level),
		.default_value = "1",
		.min = 1,
		.max = 9,
		.help = "Of deflate: 1 is fast, 9 is small."},
	{.key = NULL},
};

/* --- which file -------------------- */

/* A life that died left files that need not be opened again: the next ones may be of another day, run or part. */
static int put_back_folder(struct hdf5 *hdf5, const char *path, struct enrg_error *err)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) + 1 : 0;
	struct folder *folder = hdf5->folders;

	while (folder && (strlen(folder->path) != length || memcmp(folder->path, path, length) != 0))
		folder = folder->next;
	if (folder)
		return 0;
	folder = calloc(1, sizeof(*folder) + length + 1);
	if (!folder)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	memcpy(folder->path, path, length);
	folder->next = hdf5->folders;
	hdf5->folders = folder;
	recovery_run(hdf5->store, folder->path, hdf5->containers);
	return 0;
}

static int find_or_open_container(
	struct hdf5 *hdf5, const char *path, struct container **ret_container, struct enrg_error *err)
{
	struct container *container = hdf5->containers, *opened;
	int rc;

	while (container && strcmp(container->path, path) != 0)
		container = container->next;
	if (container) {
		*ret_container = container;
		return 0;
	}
	rc = container_open(hdf5->store, hdf5->driver, path, hdf5->containers, &opened, err);
	if (rc != 0)
		return rc;
	for (container = hdf5->containers; container && container != opened;)
		container = container->next;
	if (!container) {
		opened->next = hdf5->containers;
		hdf5->containers = opened;
		if (hdf5->options->files.sync != ENRG_FILE_SYNC_NONE)
			rc = container_set_synced(opened, err);
	}
	*ret_container = opened;
	return rc;
}

static int hdf5_judge(void *state, void *target, struct enrg_file_candidate *candidate, struct enrg_error *err)
{
	struct hdf5_target *hdf5_target = target;
	const struct hdf5_section *section = hdf5_target->section;
	int level = section->compression == COMPRESSION_DEFLATE ? (int)section->compression_level : 0;
	struct container *container;
	struct hdf5_table *table, *kept;
	int rc = find_or_open_container(state, candidate->path, &container, err);

	if (rc == 0)
		rc = hdf5_table_create(hdf5_target->group_name, candidate->schema, level, &table, err);
	if (rc != 0)
		return rc == CONTAINER_IS_FOREIGN ? ENRG_FILE_IS_OTHER : rc;
	rc = container_add_table(container, table, &kept, err);
	if (rc != 0 || kept != table)
		hdf5_table_destroy(table);
	if (rc != 0)
		return rc == CONTAINER_IS_FOREIGN ? ENRG_FILE_IS_OTHER : rc;
	container->users++;
	if (hdf5_target->container)
		hdf5_target->container->users--;
	hdf5_target->container = container;
	hdf5_target->table = kept;
	return 0;
}

static int choose_file(
	struct hdf5 *hdf5, struct hdf5_target *hdf5_target, const struct enrg_target *target, struct enrg_error *err)
{
	const struct hdf5_section *section = hdf5_target->section;
	/* The folder is the same every day. */
	const struct enrg_file_name name = {.out_dir = hdf5->options->out_dir, .file_path = section->file_path};
	char path[PATH_MAX], other[400];
	const struct enrg_file_choice_params params = {.out_dir = hdf5->options->out_dir,
		.file_path = section->file_path,
		.add_date = section->add_date,
		.other = other,
		.judge = hdf5_judge,
		.state = hdf5,
		.target = hdf5_target};
	int rc = enrg_file_path(&name, path, sizeof(path), err);

	if (rc == 0)
		rc = put_back_folder(hdf5, path, err);
	if (rc < 0)
		return rc;
	snprintf(other, sizeof(other), "has other columns in \"%s\", or can't be opened as an HDF5 file",
		hdf5_target->group_name);
	return enrg_file_choice_create(hdf5->store, &params, target, &hdf5_target->choice, err);
}

/* Closes what no target uses and the last commit has put away. */
static void close_unused(struct hdf5 *hdf5)
{
	struct container **link = &hdf5->containers;

	while (*link) {
		struct container *container = *link;

		container_leave_run(container, hdf5->store);
		if (container->users > 0 || container->is_dirty) {
			link = &container->next;
			continue;
		}
		*link = container->next;
		container_close(container, true);
	}
}

/* --- the store -------------------- */

static int hdf5_open(struct enrg_store *store, const void *options, void **ret_state, struct enrg_error *err)
{
	struct hdf5 *hdf5 = calloc(1, sizeof(*hdf5));

	if (!hdf5)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	hdf5->store = store;
	hdf5->options = options;
	enrg_store_set_files(store, &hdf5->options->files);
	hdf5->driver = driver_register();
	H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* no printing: errors go through struct enrg_error */
	if (hdf5->driver < 0) {
		free(hdf5);
		return enrg_error_set(err, -EIO, "libhdf5 can't be started");
	}
	if (hdf5->options->flush_seconds > 0)
		enrg_store_set_commit(store, (uint64_t)(hdf5->options->flush_seconds * 1e9), COMMIT_BYTES);
	*ret_state = hdf5;
	return 0;
}

static int hdf5_target_close(void *state, void *target, bool abandon, struct enrg_error *err)
{
	struct hdf5_target *hdf5_target = target;

	(void)state;
	(void)abandon;
	(void)err;
	if (!hdf5_target)
		return 0;
	if (hdf5_target->container)
		hdf5_target->container->users--;
	enrg_file_choice_destroy(hdf5_target->choice);
	free(hdf5_target->group_name);
	free(hdf5_target);
	return 0;
}

/* Without empty parts: "/a//b/" is "a/b". */
static char *clean_group_name(const char *name)
{
	char *clean = strdup(name), *to = clean;

	if (!clean)
		return NULL;
	for (const char *at = name; *at; at++)
		if (*at != '/' || (to > clean && to[-1] != '/'))
			*to++ = *at;
	if (to > clean && to[-1] == '/')
		to--;
	*to = '\0';
	return clean;
}

static bool is_group_name(const char *name)
{
	size_t length = strlen(name), end = strlen(VALID_ENDING);

	for (const char *part = name; part; part = strchr(part, '/') ? strchr(part, '/') + 1 : NULL)
		if (strcspn(part, "/") == 1 && *part == '.')
			return false;
	return length > 0 && (length < end || strcmp(name + length - end, VALID_ENDING) != 0);
}

static int name_group(const struct hdf5_section *section, char **ret_name, struct enrg_error *err)
{
	*ret_name = clean_group_name(section->dataset_name);
	if (!*ret_name)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	if (!is_group_name(*ret_name))
		return enrg_error_set(err, ENRG_E_CONFIG,
			"dataset_name: expected the name of a group, without a part "
			"\".\" and not ending in \"_valid\", which marks missing values; found \"%s\"",
			section->dataset_name);
	return 0;
}

static int hdf5_check(const void *options, const void *section, struct enrg_error *err)
{
	char *name;
	int rc = name_group(section, &name, err);

	(void)options;
	free(name);
	return rc;
}

static int hdf5_target_open(void *state, const struct enrg_target *target, void **ret_target, struct enrg_error *err)
{
	struct hdf5 *hdf5 = state;
	struct hdf5_target *hdf5_target = calloc(1, sizeof(*hdf5_target));
	int rc;

	if (!hdf5_target)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	hdf5_target->section = target->section;
	rc = name_group(hdf5_target->section, &hdf5_target->group_name, err);
	if (rc == 0)
		rc = choose_file(hdf5, hdf5_target, target, err);
	if (rc < 0) {
		hdf5_target_close(hdf5, hdf5_target, true, NULL);
		return rc;
	}
	*ret_target = hdf5_target;
	return 0;
}

static int hdf5_write(void *state, void *target, const struct enrg_batch *batch, struct enrg_error *err)
{
	struct hdf5_target *hdf5_target = target;
	int rc = 0;

	if (!batch->is_gap)
		rc = enrg_file_choice_follow(hdf5_target->choice, batch, hdf5_target->container->is_dirty, err);
	if (rc == 0 && !batch->is_gap)
		container_enter_run(hdf5_target->container, ((struct hdf5 *)state)->store, batch->run);
	return rc < 0 ? rc : container_write(hdf5_target->container, hdf5_target->table, batch, err);
}

static int hdf5_commit(void *state, struct enrg_error *err)
{
	struct hdf5 *hdf5 = state;

	/* First, so that a file stays open until the framework has recorded the commit that its last rows belong to. */
	close_unused(hdf5);
	for (struct container *container = hdf5->containers; container; container = container->next) {
		int rc = container_commit(container, err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int hdf5_close(void *state, bool abandon, struct enrg_error *err)
{
	struct hdf5 *hdf5 = state;
	int rc = 0;

	if (!hdf5)
		return 0;
	while (hdf5->containers) {
		struct container *container = hdf5->containers;
		bool is_clean = !abandon && !container->is_dirty; /* the framework has committed all there is */

		if (!abandon && rc == 0)
			rc = container_commit(container, err);
		hdf5->containers = container->next;
		container_close(container, is_clean);
	}
	while (hdf5->folders) {
		struct folder *folder = hdf5->folders;

		hdf5->folders = folder->next;
		free(folder);
	}
	H5FDunregister(hdf5->driver);
	free(hdf5);
	return rc;
}

static const char *const hdf5_old_names[] = {"store_hdf5", NULL};

static const struct enrg_store_type hdf5_store = {
	.size = sizeof(struct enrg_store_type),
	.name = "DAQJobStoreHDF5",
	.old_names = hdf5_old_names,
	.section = "hdf5",
	.summary = "Writes HDF5 files: a group a table, a growing dataset a column.",
	.starts_by_default = true,
	.options = {.size = sizeof(struct hdf5_options), .options = hdf5_option_list},
	.section_options = {.size = sizeof(struct hdf5_section), .options = hdf5_section_list},
	.check = hdf5_check,
	.open = hdf5_open,
	.target_open = hdf5_target_open,
	.write = hdf5_write,
	.commit = hdf5_commit,
	.target_close = hdf5_target_close,
	.close = hdf5_close,
	.spans_runs = true,
};

static const struct enrg_store_type *const hdf5_stores[] = {&hdf5_store, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "hdf5", .stores = hdf5_stores};
