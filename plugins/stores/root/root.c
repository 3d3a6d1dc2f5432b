/* root.c: DAQJobStoreROOT: which file and which tree a batch goes to. Runs in the store's job process, on its main
 * thread.
 *
 * A life of the store never writes to a file that was there: it takes the next number. Files that an earlier life left
 * are brought to their last committed state on the way. Targets whose path, tree name and columns agree share a tree;
 * those of one path and other tree names share a file.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "container.h"
#include "enrgdaq/store.h"
#include "pool.h"
#include "run_items.h"
#include "tree.h"

#define NUMBERS_MAX 100000u
#define QUARTER_NS  900000000000u
#define NS_PER_S    1000000000u
#define COMMIT_BYTES                                                                                                   \
	(256u << 20) /* a commit waits for the disk: not more of them than flush_interval_seconds asks for */

enum root_format { ROOT_TTREE, ROOT_NTUPLE };

struct root_options {
	const char *out_dir;
	int64_t buffer_size_bytes;
	double flush_interval_seconds;
	struct enrg_file_options files;
};

struct root_section {
	const char *file_path, *tree_name;
	bool add_date;
	int compression_type;
	int64_t compression_level;
	int format;
};

struct root {
	struct enrg_store *store;
	const struct root_options *options;
	struct pool *pool;
	struct container *containers;
};

struct root_target {
	const struct root_section *section;
	char *source, *tag;
	char *base_path;
	struct container *container;
	struct tree *tree;
	uint64_t quarter; /* of an hour, of the last batch: with add_date */
};

/* When and of which columns the batch is that a tree is chosen for. */
struct root_moment {
	const struct enrg_schema *schema;
	const char *run;
	uint64_t acquired_ns;
};

static const struct enrg_choice compression_choices[] = {
	{"ZSTD", COMPRESS_ZSTD}, {"ZLIB", COMPRESS_ZLIB}, {"LZMA", COMPRESS_LZMA}, {"LZ4", COMPRESS_LZ4}, {NULL, 0}};
static const struct enrg_choice format_choices[] = {{"ttree", ROOT_TTREE}, {"rntuple", ROOT_NTUPLE}, {NULL, 0}};

static const struct enrg_option root_option_list[] = {
	{.key = "out_dir",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct root_options, out_dir),
		.default_value = "\"out/\"",
		.help = "Folder of the files; created.",
		.runs_code = true},
	{.key = "buffer_size_bytes",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct root_options, buffer_size_bytes),
		.default_value = "5000000",
		.min = 1,
		.max = 1000000000,
		.unit = "B",
		.help = "Rows that are gathered before they are compressed: the size of a cluster of baskets or "
			"pages."},
	{.key = "flush_interval_seconds",
		.kind = ENRG_OPTION_FLOAT,
		.offset = offsetof(struct root_options, flush_interval_seconds),
		.default_value = "1.0",
		.min = 0,
		.max = 3600,
		.unit = "s",
		.help = "Rows are in the file, for its readers and after a crash, after this time at the latest."},
	{.key = "rules",
		.kind = ENRG_OPTION_INCLUDE,
		.offset = offsetof(struct root_options, files.rules),
		.table = &enrg_file_table_rotation},
	{0},
};

static const struct enrg_option root_section_list[] = {
	{.key = "file_path",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct root_section, file_path),
		.required = true,
		.help = "Name of the file, relative to out_dir; may name folders."},
	{.key = "add_date",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct root_section, add_date),
		.default_value = "false",
		.help = "A file a local day: YYYY-MM-DD_ before the file's own name."},
	{.key = "tree_name",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct root_section, tree_name),
		.default_value = "\"tree\"",
		.help = "Name of the tree in the file; several may share a file."},
	{.key = "compression_type",
		.kind = ENRG_OPTION_CHOICE,
		.offset = offsetof(struct root_section, compression_type),
		.default_value = "\"ZSTD\"",
		.choices = compression_choices,
		.help = "How columns are compressed."},
	{.key = "compression_level",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct root_section, compression_level),
		.default_value = "5",
		.min = 0,
		.max = 22,
		.help = "Higher is smaller and slower; 0 = not compressed; what a method does not know counts as its "
			"highest."},
	{.key = "format",
		.kind = ENRG_OPTION_CHOICE,
		.offset = offsetof(struct root_section, format),
		.default_value = "\"ttree\"",
		.choices = format_choices,
		.help = "A tree, as all ROOT programs read it, or the RNTuple of ROOT 6.34 and later."},
	{0},
};

static uint64_t read_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* --- which file --------------------------------------------------------------------------------------------------- */

static void close_container(struct container *container)
{
	while (container->trees) {
		struct tree *tree = container->trees;
		container->trees = tree->next;
		tree_destroy(tree);
	}
	if (container->file)
		enrg_file_close(container->file);
	container_fini(container);
	if (container->items)
		run_items_fini(container->items);
	free(container->items);
	free(container);
}

/* Says whether the file can be ours to write; else closes it again. */
static int inspect(struct root *root, struct enrg_file *file, bool *ret_is_free, struct enrg_error *err)
{
	enum container_content content;
	int rc = container_mend(file, &content, err);

	*ret_is_free = rc == 0 && content == CONTAINER_EMPTY;
	if (rc == 0 && content == CONTAINER_MENDED)
		enrg_store_alert(root->store, ENRG_WARNING,
			"%s was left by a store that was killed, or was cut: brought to its last committed state",
			enrg_file_name_of(file));
	if (rc == 0 && content == CONTAINER_BROKEN)
		enrg_store_alert(root->store, ENRG_ERROR, "%s was cut too far back to be repaired: left as it is",
			enrg_file_name_of(file));
	if (!*ret_is_free)
		enrg_file_close(file);
	return rc;
}

/* "a/b_7.root" of "a/b.root". */
static bool format_numbered(const char *path, unsigned number, char *ret_path, size_t bytes)
{
	const char *slash = strrchr(path, '/'), *own = slash ? slash + 1 : path, *dot = strrchr(own, '.');
	int stem = (int)(dot && dot != own ? dot - path : (ptrdiff_t)strlen(path));
	int count = number ? snprintf(ret_path, bytes, "%.*s_%u%s", stem, path, number, path + stem)
			   : snprintf(ret_path, bytes, "%s", path);

	return count > 0 && (size_t)count < bytes;
}

/* name.root, name_1.root …: the first that is not there. */
static int open_next_file(struct root *root, const char *base_path, struct enrg_file **ret_file, struct enrg_error *err)
{
	char path[PATH_MAX];
	bool is_free = false;

	for (unsigned number = 0; number < NUMBERS_MAX; number++) {
		if (!format_numbered(base_path, number, path, sizeof(path)))
			return enrg_error_set(err, -ENAMETOOLONG, "%s: the path is too long", base_path);
		bool is_there = access(path, F_OK) == 0;
		int rc = enrg_file_open(root->store, path, ret_file, err);
		/* Somebody else's, who writes it or does not let us; or a folder. */
		if (is_there && (rc == -EBUSY || rc == -EACCES || rc == -EROFS || rc == -EPERM || rc == -EISDIR))
			continue;
		if (rc == 0)
			rc = inspect(root, *ret_file, &is_free, err);
		if (rc < 0 || is_free)
			return rc;
	}
	return enrg_error_set(
		err, -EEXIST, "%s and %u files numbered after it are there: clear the folder", base_path, NUMBERS_MAX);
}

static struct compress_setting setting_of(const struct root_section *section)
{
	return (struct compress_setting){
		(enum compress_method)section->compression_type, (int)section->compression_level};
}

static int open_container(
	struct root *root, struct root_target *target, const struct root_moment *moment, struct enrg_error *err)
{
	struct container *container = calloc(1, sizeof(*container));
	struct compress_setting setting = setting_of(target->section);
	struct enrg_file *file = NULL;

	if (!container)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	char part[PATH_MAX];
	uint64_t opened_ns = read_clock(); /* not after the time in the name */
	int rc = enrg_file_new_part(root->store, target->base_path, moment->run, part, sizeof(part), err);
	if (rc == 0)
		rc = open_next_file(root, part, &file, err);
	if (rc < 0) {
		free(container);
		return rc;
	}
	container->file = file;
	container->opened_ns = opened_ns;
	container->run = strdup(moment->run);
	container->base_path = strdup(target->base_path);
	container->path = strdup(enrg_file_name_of(file));
	container->items = calloc(1, sizeof(*container->items));
	if (!container->base_path || !container->path || !container->run || !container->items)
		rc = enrg_error_set(err, -ENOMEM, "out of memory");
	if (rc == 0)
		rc = container_create(container, file, &setting, err);
	if (rc < 0) {
		close_container(container);
		return rc;
	}
	container->next = root->containers;
	root->containers = container;
	target->container = container;
	return 0;
}

static struct tree *find_tree(const struct container *container, const char *name)
{
	struct tree *tree = container->trees;

	while (tree && strcmp(tree->name, name) != 0)
		tree = tree->next;
	return tree;
}

/* At each full multiple of the time, as in other stores. A clock that is set back rotates nothing. */
static bool is_time_over(double seconds, uint64_t opened_ns)
{
	double period = seconds < 1 ? 1 : seconds;

	return (uint64_t)((double)(read_clock() / NS_PER_S) / period) >
	       (uint64_t)((double)(opened_ns / NS_PER_S) / period);
}

/* Is it time to leave this file for the next? */
static bool is_due(const struct root *root, const struct container *container, const char *run)
{
	const struct enrg_file_rules *rules = &root->options->files.rules;

	return (rules->rotate_mb > 0 && (double)enrg_file_size(container->file) >= rules->rotate_mb * 1e6) ||
	       (rules->rotate_seconds > 0 && is_time_over(rules->rotate_seconds, container->opened_ns)) ||
	       (rules->rotate_run && strcmp(container->run, run) != 0);
}

/* An open file of that path which has this tree, or none of its name. */
static void find_container(
	const struct root *root, struct root_target *target, const struct root_moment *moment, bool *ret_was_other)
{
	target->container = NULL;
	target->tree = NULL;
	*ret_was_other = false;
	for (struct container *container = root->containers; container; container = container->next) {
		if (strcmp(container->base_path, target->base_path) != 0 || is_due(root, container, moment->run))
			continue;
		struct tree *tree = find_tree(container, target->section->tree_name);
		if (tree && !tree_fits(tree, moment->schema)) {
			*ret_was_other = true;
			continue;
		}
		target->container = container;
		target->tree = tree;
		return;
	}
}

static int add_tree(
	struct root *root, struct root_target *target, const struct enrg_schema *schema, struct enrg_error *err)
{
	const struct tree_options options = {.name = target->section->tree_name,
		.setting = setting_of(target->section),
		.is_ntuple = target->section->format == ROOT_NTUPLE,
		.cluster_bytes = (uint64_t)root->options->buffer_size_bytes,
		.pool = root->pool};
	int rc = tree_create(target->container, &options, schema, &target->tree, err);

	if (rc < 0)
		return rc;
	target->tree->next = target->container->trees;
	target->container->trees = target->tree;
	return 0;
}

static int choose_tree(
	struct root *root, struct root_target *target, const struct root_moment *moment, struct enrg_error *err)
{
	const struct enrg_file_name name = {.out_dir = root->options->out_dir,
		.file_path = target->section->file_path,
		.tag = target->tag,
		.add_date = target->section->add_date,
		.date_ns = moment->acquired_ns};
	struct container *before = target->container;
	char path[PATH_MAX];
	bool was_other = false;
	int rc = enrg_file_path(&name, path, sizeof(path), err);

	if (rc < 0)
		return rc;
	target->quarter = moment->acquired_ns / QUARTER_NS;
	if (before && strcmp(target->base_path, path) == 0 && !is_due(root, before, moment->run))
		return 0; /* still the same day */
	free(target->base_path);
	target->base_path = strdup(path);
	if (!target->base_path)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	find_container(root, target, moment, &was_other);
	if (!target->container)
		rc = open_container(root, target, moment, err);
	if (rc < 0) {
		target->container = before;
		return rc;
	}
	if (was_other)
		enrg_store_alert(root->store, ENRG_WARNING,
			"tree \"%s\" of %s has other columns than \"%s\" sends: its rows go to %s",
			target->section->tree_name, path, target->source, target->container->path);
	target->container->users++;
	if (before)
		before->users--;
	return target->tree ? 0 : add_tree(root, target, moment->schema, err);
}

/* --- the store ---------------------------------------------------------------------------------------------------- */

static int root_open(struct enrg_store *store, const void *options, void **ret_state, struct enrg_error *err)
{
	struct root *root = calloc(1, sizeof(*root));

	if (!root)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	root->store = store;
	root->options = options;
	int rc = pool_create(&root->pool, err);
	if (rc < 0) {
		free(root);
		return rc;
	}
	enrg_store_set_commit(store, (uint64_t)(root->options->flush_interval_seconds * 1e9), COMMIT_BYTES);
	enrg_store_set_files(store, &root->options->files);
	*ret_state = root;
	return 0;
}

static int root_target_close(void *state, void *target, bool abandon, struct enrg_error *err)
{
	struct root_target *root_target = target;

	(void)state;
	(void)abandon;
	(void)err;
	if (!root_target)
		return 0;
	if (root_target->container)
		root_target->container->users--;
	free(root_target->source);
	free(root_target->tag);
	free(root_target->base_path);
	free(root_target);
	return 0;
}

static int root_check(const void *options, const void *section, struct enrg_error *err)
{
	const char *name = ((const struct root_section *)section)->tree_name;

	(void)options;
	if (*name && !strpbrk(name, "./\\ "))
		return 0;
	return enrg_error_set(err, ENRG_E_CONFIG,
		"tree_name: expected a name without \".\", \"/\", \"\\\" and blanks, found \"%s\"", name);
}

static int root_target_open(void *state, const struct enrg_target *target, void **ret_target, struct enrg_error *err)
{
	struct root_target *root_target = calloc(1, sizeof(*root_target));
	int rc = 0;

	if (!root_target)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	root_target->section = target->section;
	root_target->source = strdup(target->source);
	root_target->tag = strdup(target->tag);
	if (!root_target->source || !root_target->tag)
		rc = enrg_error_set(err, -ENOMEM, "out of memory");
	else
		rc = root_check(NULL, root_target->section, err);
	if (rc == 0)
		rc = choose_tree(state, root_target,
			&(struct root_moment){target->schema, target->run, target->acquired_ns}, err);
	if (rc < 0) {
		root_target_close(state, root_target, true, NULL);
		return rc;
	}
	*ret_target = root_target;
	return 0;
}

static int root_write(void *state, void *target, const struct enrg_batch *batch, struct enrg_error *err)
{
	struct root_target *root_target = target;
	struct root *root = state;

	/* In every time zone midnight lies between two quarters of an hour. */
	if ((root_target->section->add_date && batch->acquired_ns / QUARTER_NS != root_target->quarter) ||
		is_due(root, root_target->container, batch->run)) {
		int rc = choose_tree(
			root, root_target, &(struct root_moment){batch->schema, batch->run, batch->acquired_ns}, err);
		if (rc < 0)
			return rc;
	}
	int rc = run_items_note(root_target->container->items, root->store, root_target->container, batch->run, err);
	if (rc < 0)
		return rc;
	enrg_file_count_rows(root_target->container->file, batch->rows);
	return tree_write(root_target->tree, batch, err);
}

static int commit_container(struct container *container, bool is_last, struct enrg_error *err)
{
	int rc = 0;

	for (struct tree *tree = container->trees; tree && rc == 0; tree = tree->next)
		rc = tree_commit(tree, err);
	if (rc < 0)
		return rc;
	return is_last ? container_finish(container, err) : container_commit(container, err);
}

/* Files that no target uses any more are finished; the framework keeps them until its commit is made. */
static int commit_all(struct root *root, bool is_end, struct enrg_error *err)
{
	struct container **link = &root->containers;

	while (*link) {
		struct container *container = *link;
		bool is_last = is_end || container->users == 0;
		int rc = commit_container(container, is_last, err);
		if (rc < 0)
			return rc;
		if (!is_last) {
			link = &container->next;
			continue;
		}
		*link = container->next;
		close_container(container);
	}
	return 0;
}

static int root_commit(void *state, struct enrg_error *err)
{
	return commit_all(state, false, err);
}

static int root_close(void *state, bool abandon, struct enrg_error *err)
{
	struct root *root = state;
	int rc = 0;

	if (!root)
		return 0;
	if (!abandon)
		rc = commit_all(root, true, err);
	while (root->containers) {
		struct container *container = root->containers;
		root->containers = container->next;
		close_container(container);
	}
	pool_destroy(root->pool);
	free(root);
	return rc;
}

static const char *const root_old_names[] = {"store_root", NULL};

static const struct enrg_store_type root_store = {
	.size = sizeof(struct enrg_store_type),
	.name = "DAQJobStoreROOT",
	.old_names = root_old_names,
	.section = "root",
	.summary = "Writes ROOT files: TTree or RNTuple.",
	.starts_by_default = true,
	.options = {.size = sizeof(struct root_options), .options = root_option_list},
	.section_options = {.size = sizeof(struct root_section), .options = root_section_list},
	.check = root_check,
	.open = root_open,
	.target_open = root_target_open,
	.write = root_write,
	.commit = root_commit,
	.target_close = root_target_close,
	.close = root_close,
	.spans_runs = true,
};

static const struct enrg_store_type *const root_stores[] = {&root_store, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "root", .stores = root_stores};
