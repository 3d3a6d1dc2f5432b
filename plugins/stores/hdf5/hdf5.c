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

#define VARIANTS_MAX 100u /* a_2.h5 … of files with other columns */
#define QUARTER_NS 900000000000u
#define COMMIT_BYTES (64u << 20)

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
	char *source, *tag, *group_name;
	char *first_path;  /* of the file, before another name had to be found for it */
	char *chosen_path; /* that name; with rotation the file is a part of it */
	unsigned variant;  /* its number: 1 = the first, 2 = a_2.h5 … */
	struct container *container;
	struct table *table; /* of the container */
	uint64_t quarter;    /* of an hour, of the last batch: with add_date */
};

static const struct enrg_choice compressions[] = {
	{ "none", COMPRESSION_NONE }, { "deflate", COMPRESSION_DEFLATE }, { NULL, 0 },
};

static const struct enrg_option hdf5_option_list[] = {
	{ .key = "out_dir", .kind = ENRG_OPTION_STRING, .offset = offsetof(struct hdf5_options, out_dir),
	  .default_value = "\"out/\"", .help = "Folder of the files; created." },
	{ .key = "flush_seconds", .kind = ENRG_OPTION_FLOAT, .offset = offsetof(struct hdf5_options, flush_seconds),
	  .default_value = "1.0", .min = 0, .max = 3600, .unit = "s",
	  .help = "Rows are in the file, for its readers, after so long a time; until then they wait in memory." },
	{ .key = "files", .kind = ENRG_OPTION_INCLUDE, .offset = offsetof(struct hdf5_options, files),
	  .table = &enrg_file_table },
	{ .key = NULL },
};

static const struct enrg_option hdf5_section_list[] = {
	{ .key = "file_path", .kind = ENRG_OPTION_STRING, .offset = offsetof(struct hdf5_section, file_path),
	  .required = true, .help = "Name of the file, relative to out_dir; may name folders." },
	{ .key = "add_date", .kind = ENRG_OPTION_BOOL, .offset = offsetof(struct hdf5_section, add_date),
	  .default_value = "false", .help = "A file a local day: YYYY-MM-DD_ before the file's own name." },
	{ .key = "dataset_name", .kind = ENRG_OPTION_STRING, .offset = offsetof(struct hdf5_section, dataset_name),
	  .required = true, .help = "Group in the file that holds a dataset for each column; may be a path." },
	{ .key = "compression", .kind = ENRG_OPTION_CHOICE, .offset = offsetof(struct hdf5_section, compression),
	  .default_value = "\"none\"", .choices = compressions,
	  .help = "Of new datasets; deflate shuffles bytes first." },
	{ .key = "compression_level", .kind = ENRG_OPTION_INT,
	  .offset = offsetof(struct hdf5_section, compression_level),
	  .default_value = "1", .min = 1, .max = 9, .help = "Of deflate: 1 is fast, 9 is small." },
	{ .key = NULL },
};

/* What and when the batch is that a file is chosen for. */
struct hdf5_moment {
	const struct enrg_schema *schema;
	const char *run;
	uint64_t acquired_ns;
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

static int find_or_open_container(struct hdf5 *hdf5, const char *path, struct container **ret_container,
	struct enrg_error *err)
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

/* Sets container and table of the target: of `path`, with rotation of its newest part. CONTAINER_IS_FOREIGN: what is
 * there is something else. */
static int find_or_open(struct hdf5 *hdf5, struct hdf5_target *target, const char *path,
	const struct hdf5_moment *moment, struct enrg_error *err)
{
	int level = target->section->compression == COMPRESSION_DEFLATE ? (int)target->section->compression_level : 0;
	struct container *container;
	struct table *table, *kept;
	char part[PATH_MAX];
	int rc = enrg_file_part(hdf5->store, path, moment->run, part, sizeof(part), err);

	if (rc == 0)
		rc = find_or_open_container(hdf5, part, &container, err);
	if (rc != 0)
		return rc;
	rc = table_create(target->group_name, moment->schema, level, &table, err);
	if (rc < 0)
		return rc;
	rc = container_add_table(container, table, &kept, err);
	if (rc != 0 || kept != table)
		table_destroy(table);
	if (rc != 0)
		return rc;
	container->users++;
	if (target->container)
		target->container->users--;
	target->container = container;
	target->table = kept;
	return 0;
}

static int keep_path(char **path, const char *text, struct enrg_error *err)
{
	char *copy = strdup(text);

	if (!copy)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	free(*path);
	*path = copy;
	return 0;
}

/* Is it time for the next part? The framework takes the size of the HDF5 file by its path. */
static int ask_due(struct hdf5 *hdf5, const struct hdf5_target *target, const char *run, bool *ret_due,
	struct enrg_error *err)
{
	char part[PATH_MAX];
	int rc = 0;

	*ret_due = false;
	if (!target->container->is_dirty) {
		rc = enrg_file_part(hdf5->store, target->chosen_path, run, part, sizeof(part), err);
		*ret_due = rc == 0 && strcmp(part, target->container->path) != 0;
	}
	return rc;
}

/* The file of that name, or the first of its variants that has these columns: a_2.h5, a_3.h5 … */
static int choose_variant(struct hdf5 *hdf5, struct hdf5_target *target, const struct hdf5_moment *moment,
	struct enrg_file_name *name, struct enrg_error *err)
{
	char path[PATH_MAX], tag[ENRG_NAME_BYTES_MAX + 1];
	unsigned before = target->variant, number;
	int rc = CONTAINER_IS_FOREIGN;

	for (number = before; rc == CONTAINER_IS_FOREIGN && number <= VARIANTS_MAX; number++) {
		snprintf(tag, sizeof(tag), "%s%s%u", target->tag, *target->tag ? "_" : "", number);
		name->tag = number > 1 ? tag : target->tag;
		rc = enrg_file_path(name, path, sizeof(path), err);
		if (rc == 0)
			rc = find_or_open(hdf5, target, path, moment, err);
		target->variant = number;
	}
	if (rc == CONTAINER_IS_FOREIGN)
		return enrg_error_set(err, -EEXIST, "%s and %u variants of its name are there and have other columns",
			target->first_path, VARIANTS_MAX - 1);
	if (rc == 0 && target->variant != before)
		enrg_store_alert(hdf5->store, ENRG_WARNING,
			"%s has other columns in \"%s\" than \"%s\" sends, or can't be opened as an HDF5 file: "
			"rows go to %s", target->first_path, target->group_name, target->source, path);
	return rc < 0 ? rc : keep_path(&target->chosen_path, path, err);
}

static int choose_file(struct hdf5 *hdf5, struct hdf5_target *target, const struct hdf5_moment *moment,
	struct enrg_error *err)
{
	char first[PATH_MAX];
	struct enrg_file_name name = { .out_dir = hdf5->options->out_dir, .file_path = target->section->file_path,
		.tag = target->tag, .add_date = target->section->add_date, .date_ns = moment->acquired_ns };
	bool is_due = true;
	int rc = enrg_file_path(&name, first, sizeof(first), err);

	target->quarter = moment->acquired_ns / QUARTER_NS;
	if (rc == 0 && target->container && strcmp(first, target->first_path) == 0) {
		rc = ask_due(hdf5, target, moment->run, &is_due, err); /* still the same day */
	} else if (rc == 0) {
		target->variant = 1;
		rc = keep_path(&target->first_path, first, err);
		if (rc == 0)
			rc = put_back_folder(hdf5, first, err);
	}
	return rc < 0 || !is_due ? rc : choose_variant(hdf5, target, moment, &name, err);
}

/* Closes what no target uses and the last commit has put away. */
static void close_unused(struct hdf5 *hdf5)
{
	struct container **link = &hdf5->containers;

	while (*link) {
		struct container *container = *link;

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
	H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* no printing: errors go through struct enrg_error */
	hdf5->driver = driver_register();
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
	free(hdf5_target->source);
	free(hdf5_target->tag);
	free(hdf5_target->group_name);
	free(hdf5_target->first_path);
	free(hdf5_target->chosen_path);
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

static int copy_names(struct hdf5_target *hdf5_target, const struct enrg_target *target, struct enrg_error *err)
{
	hdf5_target->source = strdup(target->source);
	hdf5_target->tag = strdup(target->tag);
	hdf5_target->group_name = clean_group_name(hdf5_target->section->dataset_name);
	if (!hdf5_target->source || !hdf5_target->tag || !hdf5_target->group_name)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	if (!*hdf5_target->group_name)
		return enrg_error_set(err, ENRG_E_CONFIG, "[store_config.hdf5] of \"%s\": dataset_name: expected the "
			"name of a group, found \"%s\"", target->source, hdf5_target->section->dataset_name);
	return 0;
}

static int hdf5_target_open(void *state, const struct enrg_target *target, void **ret_target, struct enrg_error *err)
{
	struct hdf5 *hdf5 = state;
	struct hdf5_target *hdf5_target = calloc(1, sizeof(*hdf5_target));
	int rc;

	if (!hdf5_target)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	hdf5_target->section = target->section;
	rc = copy_names(hdf5_target, target, err);
	if (rc == 0)
		rc = choose_file(hdf5, hdf5_target,
			&(struct hdf5_moment){ target->schema, target->run, target->acquired_ns }, err);
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

	/* In every time zone midnight lies between two quarters of an hour. */
	bool may_be_other_day = hdf5_target->section->add_date && batch->acquired_ns / QUARTER_NS != hdf5_target->quarter;

	if (!batch->is_gap && (may_be_other_day || !hdf5_target->container->is_dirty)) {
		int rc = choose_file(state, hdf5_target,
			&(struct hdf5_moment){ batch->schema, batch->run, batch->acquired_ns }, err);

		if (rc < 0)
			return rc;
	}
	return container_write(hdf5_target->container, hdf5_target->table, batch, err);
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

static const char *const hdf5_old_names[] = { "store_hdf5", NULL };

static const struct enrg_store_type hdf5_store = {
	.name = "DAQJobStoreHDF5",
	.old_names = hdf5_old_names,
	.section = "hdf5",
	.summary = "Writes HDF5 files: a group a table, a growing dataset a column.",
	.starts_by_default = true,
	.options = { .size = sizeof(struct hdf5_options), .options = hdf5_option_list },
	.section_options = { .size = sizeof(struct hdf5_section), .options = hdf5_section_list },
	.open = hdf5_open,
	.target_open = hdf5_target_open,
	.write = hdf5_write,
	.commit = hdf5_commit,
	.target_close = hdf5_target_close,
	.close = hdf5_close,
};

static const struct enrg_store_type *const hdf5_stores[] = { &hdf5_store, NULL };

ENRG_MODULE = { .abi = ENRG_MODULE_ABI, .name = "hdf5", .stores = hdf5_stores };
