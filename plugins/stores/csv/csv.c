/* csv.c: DAQJobStoreCSV: which file a row goes to. Runs in the store's job process, on its main thread.
 *
 * Several targets may share a table (a file). A table that no target uses any more (another day) is closed one
 * commit later, because its last rows belong to the commit that is still to come.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enrgdaq/store.h"
#include "number/number.h"
#include "rows.h"
#include "csv_file.h"

#define ZSTD_COMMIT_NS    1000000000u /* a frame a second … */
#define ZSTD_COMMIT_BYTES (8u << 20)  /* … or each 8 MiB: frames of single rows would not compress */

struct csv_options {
	const char *out_dir;
	struct enrg_file_options files;
};

struct csv_section {
	const char *file_path;
	bool add_date, overwrite, use_zstd;
};

struct csv {
	struct enrg_store *store;
	const struct csv_options *options;
	struct csv_file *tables;
	bool has_zstd;
};

struct csv_target {
	const struct csv_section *section;
	struct enrg_file_choice *choice;
	struct text header;
	struct csv_file *table;
};

static const struct enrg_option csv_option_list[] = {
	{.key = "out_dir",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct csv_options, out_dir),
		.default_value = "\"out/\"",
		.help = "Folder of the files; created.",
		.runs_code = true},
	{.key = "files",
		.kind = ENRG_OPTION_INCLUDE,
		.offset = offsetof(struct csv_options, files),
		.table = &enrg_file_table},
	{.key = NULL},
};

static const struct enrg_option csv_section_list[] = {
	{.key = "file_path",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct csv_section, file_path),
		.required = true,
		.help = "Name of the file, relative to out_dir; may name folders."},
	{.key = "add_date",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct csv_section, add_date),
		.default_value = "false",
		.help = "A file a local day: YYYY-MM-DD_ before the file's own name."},
	{.key = "overwrite",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct csv_section, overwrite),
		.default_value = "false",
		.help = "The file holds the newest message alone."},
	{.key = "use_zstd",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct csv_section, use_zstd),
		.default_value = "false",
		.help = "Compressed; .zst is added to the name where it is not there."},
	{.key = NULL},
};

/* --- which file -------------------- */

static struct csv_file *find_table(const struct csv *csv, const char *path)
{
	struct csv_file *table = csv->tables;

	while (table && strcmp(table->path, path) != 0)
		table = table->next;
	return table;
}

/* Two spellings of one path lead to one file: the table that was opened first keeps it. */
static struct csv_file *add_table(struct csv *csv, struct csv_file *opened)
{
	for (struct csv_file *table = csv->tables; table; table = table->next) {
		if (opened->file && table->file == opened->file) {
			csv_file_close(opened);
			return table;
		}
	}
	opened->next = csv->tables;
	csv->tables = opened;
	return opened;
}

static int csv_judge(void *state, void *target, struct enrg_file_candidate *candidate, struct enrg_error *err)
{
	struct csv *csv = state;
	struct csv_target *csv_target = target;
	const struct csv_file_params params = {.path = candidate->path,
		.schema = candidate->schema,
		.use_zstd = csv_target->section->use_zstd,
		.overwrite = csv_target->section->overwrite};
	struct csv_file *table = find_table(csv, candidate->path);

	if (!table) {
		int rc = csv_file_open(csv->store, &params, &table, err);

		if (rc != 0)
			return rc;
		table = add_table(csv, table);
	}
	if (!csv_file_fits(table, &params, &csv_target->header))
		return ENRG_FILE_IS_OTHER;
	table->users++;
	if (csv_target->table)
		csv_target->table->users--;
	csv_target->table = table;
	candidate->file = table->file;
	return 0;
}

/* --- the store -------------------- */

static int csv_open(struct enrg_store *store, const void *options, void **ret_state, struct enrg_error *err)
{
	struct csv *csv = calloc(1, sizeof(*csv));

	if (!csv)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	csv->store = store;
	csv->options = options;
	enrg_store_set_files(store, &csv->options->files);
	enrg_store_keep_runs_beside(store, ENRG_RUNS_BESIDE_ALL);
	number_init();
	*ret_state = csv;
	return 0;
}

static int csv_target_close(void *state, void *target, bool abandon, struct enrg_error *err)
{
	struct csv_target *csv_target = target;

	(void)state;
	(void)abandon;
	(void)err;
	if (!csv_target)
		return 0;
	if (csv_target->table)
		csv_target->table->users--;
	enrg_file_choice_destroy(csv_target->choice);
	text_fini(&csv_target->header);
	free(csv_target);
	return 0;
}

static int choose_file(
	struct csv *csv, struct csv_target *csv_target, const struct enrg_target *target, struct enrg_error *err)
{
	const struct csv_section *section = csv_target->section;
	size_t length = strlen(section->file_path);
	/* enrg_file_path says what is wrong with an empty name. */
	bool lacks_suffix =
		section->use_zstd && length > 0 && (length < 4 || strcmp(section->file_path + length - 4, ".zst") != 0);
	char *path;
	int rc;

	if (asprintf(&path, "%s%s", section->file_path, lacks_suffix ? ".zst" : "") < 0)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	const struct enrg_file_choice_params params = {.out_dir = csv->options->out_dir,
		.file_path = path,
		.add_date = section->add_date,
		.is_replaced = section->overwrite,
		.other = "has other columns, or is no CSV file",
		.judge = csv_judge,
		.state = csv,
		.target = csv_target};
	rc = enrg_file_choice_create(csv->store, &params, target, &csv_target->choice, err);
	free(path);
	return rc;
}

static int csv_target_open(void *state, const struct enrg_target *target, void **ret_target, struct enrg_error *err)
{
	struct csv *csv = state;
	struct csv_target *csv_target = calloc(1, sizeof(*csv_target));
	int rc;

	if (!csv_target)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	csv_target->section = target->section;
	rc = rows_format_header(target->schema, &csv_target->header, err);
	if (rc == 0)
		rc = choose_file(csv, csv_target, target, err);
	if (rc < 0) {
		csv_target_close(csv, csv_target, true, NULL);
		return rc;
	}
	if (csv_target->section->use_zstd && !csv->has_zstd) {
		csv->has_zstd = true;
		enrg_store_set_commit(csv->store, ZSTD_COMMIT_NS, ZSTD_COMMIT_BYTES);
	}
	*ret_target = csv_target;
	return 0;
}

static int csv_write(void *state, void *target, const struct enrg_batch *batch, struct enrg_error *err)
{
	struct csv_target *csv_target = target;
	int rc = 0;

	(void)state;
	if (!batch->is_gap)
		rc = enrg_file_choice_follow(csv_target->choice, batch, csv_target->table->is_dirty, err);
	return rc < 0 ? rc : csv_file_write(csv_target->table, batch, err);
}

/* Closes what no target uses and the last commit has put away. */
static void close_unused(struct csv *csv)
{
	struct csv_file **link = &csv->tables;

	while (*link) {
		struct csv_file *table = *link;

		if (table->users > 0 || table->is_dirty) {
			link = &table->next;
			continue;
		}
		*link = table->next;
		csv_file_close(table);
	}
}

static int csv_commit(void *state, struct enrg_error *err)
{
	struct csv *csv = state;

	/* First, so that a file stays open until the framework has recorded the commit that its last rows belong to. */
	close_unused(csv);
	for (struct csv_file *table = csv->tables; table; table = table->next) {
		int rc = csv_file_commit(csv->store, table, err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int csv_close(void *state, bool abandon, struct enrg_error *err)
{
	struct csv *csv = state;
	int rc = 0;

	if (!csv)
		return 0;
	if (!abandon)
		rc = csv_commit(csv, err);
	while (csv->tables) {
		struct csv_file *table = csv->tables;

		csv->tables = table->next;
		csv_file_close(table);
	}
	free(csv);
	return rc;
}

static const char *const csv_old_names[] = {"store_csv", NULL};

static const struct enrg_store_type csv_store = {
	.size = sizeof(struct enrg_store_type),
	.name = "DAQJobStoreCSV",
	.old_names = csv_old_names,
	.section = "csv",
	.summary = "Writes comma separated values, plain or compressed.",
	.starts_by_default = true,
	.options = {.size = sizeof(struct csv_options), .options = csv_option_list},
	.section_options = {.size = sizeof(struct csv_section), .options = csv_section_list},
	.open = csv_open,
	.target_open = csv_target_open,
	.write = csv_write,
	.commit = csv_commit,
	.target_close = csv_target_close,
	.close = csv_close,
	.spans_runs = true,
};

static const struct enrg_store_type *const csv_stores[] = {&csv_store, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "csv", .stores = csv_stores};
