/* csv.c: DAQJobStoreCSV: which file a row goes to. Runs in the store's job process, on its main thread.
 *
 * Several targets may share a table (a file). A table that no target uses any more (another day) is closed one
 * commit later, because its last rows belong to the commit that is still to come.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enrgdaq/store.h"
#include "number.h"
#include "rows.h"
#include "table.h"

#define ZSTD_COMMIT_NS 1000000000u     /* a frame a second … */
#define ZSTD_COMMIT_BYTES (8u << 20)   /* … or each 8 MiB: frames of single rows would not compress */
#define VARIANTS_MAX 100u              /* a_2.csv … of files with other columns */

#define QUARTER_NS 900000000000u

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
	struct table *tables;
	bool has_zstd;
};

struct csv_target {
	const struct csv_section *section;
	char *source, *tag, *file_path;
	char *first_path; /* of the table, before another name had to be found for it */
	unsigned variant; /* that name: 1 = the first, 2 = a_2.csv … */
	struct text header;
	struct table *table;
	uint64_t quarter; /* of an hour, of the last batch: with add_date */
};

/* When and of which columns the batch is that a file is chosen for. */
struct csv_moment {
	const struct enrg_schema *schema;
	const char *run;
	uint64_t acquired_ns;
};

static const struct enrg_option csv_option_list[] = {
	{ .key = "out_dir", .kind = ENRG_OPTION_STRING, .offset = offsetof(struct csv_options, out_dir),
	  .default_value = "\"out/\"", .help = "Folder of the files; created." },
	{ .key = "files", .kind = ENRG_OPTION_INCLUDE, .offset = offsetof(struct csv_options, files),
	  .table = &enrg_file_table },
	{ .key = NULL },
};

static const struct enrg_option csv_section_list[] = {
	{ .key = "file_path", .kind = ENRG_OPTION_STRING, .offset = offsetof(struct csv_section, file_path),
	  .required = true, .help = "Name of the file, relative to out_dir; may name folders." },
	{ .key = "add_date", .kind = ENRG_OPTION_BOOL, .offset = offsetof(struct csv_section, add_date),
	  .default_value = "false", .help = "A file a local day: YYYY-MM-DD_ before the file's own name." },
	{ .key = "overwrite", .kind = ENRG_OPTION_BOOL, .offset = offsetof(struct csv_section, overwrite),
	  .default_value = "false", .help = "The file holds the newest message alone." },
	{ .key = "use_zstd", .kind = ENRG_OPTION_BOOL, .offset = offsetof(struct csv_section, use_zstd),
	  .default_value = "false", .help = "Compressed; .zst is added to the name where it is not there." },
	{ .key = NULL },
};

/* --- which file -------------------- */

/* The opened table of that path, if there is one; *ret_fits: for these columns. */
static struct table *find_table(struct csv *csv, const struct table_params *params, const struct text *header,
	bool *ret_fits)
{
	for (struct table *table = csv->tables; table; table = table->next) {
		if (strcmp(table->path, params->path) == 0) {
			*ret_fits = table_fits(table, params, header);
			return table;
		}
	}
	*ret_fits = false;
	return NULL;
}

/* Two spellings of one path lead to one file: the table that was opened first keeps it. */
static struct table *find_same_file(struct csv *csv, const struct table *opened)
{
	for (struct table *table = csv->tables; table; table = table->next)
		if (opened->file && table->file == opened->file)
			return table;
	return NULL;
}

/* The table of `path` (with rotation: of its newest part), opened or found. TABLE_IS_FOREIGN: what is there has other
 * columns. */
static int find_or_open(struct csv *csv, const struct csv_target *target, const struct csv_moment *moment,
	const char *path, struct table **ret_table, struct enrg_error *err)
{
	char part[PATH_MAX];
	const struct table_params params = { .path = target->section->overwrite ? path : part, .schema = moment->schema,
		.use_zstd = target->section->use_zstd, .overwrite = target->section->overwrite };
	struct table *table = NULL, *same;
	bool fits;
	int rc = enrg_file_part(csv->store, path, moment->run, part, sizeof(part), err);

	if (rc < 0)
		return rc;
	*ret_table = find_table(csv, &params, &target->header, &fits);
	if (*ret_table)
		return fits ? 0 : TABLE_IS_FOREIGN;
	rc = table_open(csv->store, &params, &table, err);
	if (rc != 0)
		return rc;
	same = find_same_file(csv, table);
	if (same) {
		table_close(table);
		*ret_table = same;
		return table_fits(same, &params, &target->header) ? 0 : TABLE_IS_FOREIGN;
	}
	table->next = csv->tables;
	csv->tables = table;
	*ret_table = table;
	return 0;
}

static int keep_path(struct csv_target *target, const char *path, struct enrg_error *err)
{
	char *copy = strdup(path);

	if (!copy)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	free(target->first_path);
	target->first_path = copy;
	return 0;
}

static bool is_due(const struct csv_target *target, const char *run)
{
	const struct table *table = target->table;

	return table->file && !table->is_dirty && enrg_file_is_due(table->file, run);
}

/* The file of that name, or the first of its variants that has these columns: a_2.csv, a_3.csv … */
static int choose_variant(struct csv *csv, struct csv_target *target, const struct csv_moment *moment,
	struct table **ret_table, struct enrg_error *err)
{
	char path[PATH_MAX], first[PATH_MAX], tag[ENRG_NAME_BYTES_MAX + 1];
	struct enrg_file_name name = { .out_dir = csv->options->out_dir, .file_path = target->file_path,
		.tag = target->tag, .add_date = target->section->add_date, .date_ns = moment->acquired_ns };
	unsigned before = 1, number;
	int rc = enrg_file_path(&name, first, sizeof(first), err);

	if (rc == 0 && target->table && strcmp(first, target->first_path) == 0) {
		if (!is_due(target, moment->run)) {
			*ret_table = target->table; /* still the same day */
			return 0;
		}
		before = target->variant;
	} else if (rc == 0) {
		rc = keep_path(target, first, err);
	}
	if (rc < 0)
		return rc;
	for (number = before, rc = TABLE_IS_FOREIGN; rc == TABLE_IS_FOREIGN && number <= VARIANTS_MAX; number++) {
		snprintf(tag, sizeof(tag), "%s%s%u", target->tag, *target->tag ? "_" : "", number);
		name.tag = number > 1 ? tag : target->tag;
		rc = enrg_file_path(&name, path, sizeof(path), err);
		if (rc == 0)
			rc = find_or_open(csv, target, moment, path, ret_table, err);
		target->variant = number;
	}
	if (rc == 0 && target->variant != before)
		enrg_store_alert(csv->store, ENRG_WARNING,
			"%s has other columns than \"%s\" sends: its rows go to %s", first, target->source, path);
	if (rc == TABLE_IS_FOREIGN)
		return enrg_error_set(err,
			-EEXIST, "%s and %u variants of its name are there and have other columns", first,
			VARIANTS_MAX - 1);
	return rc;
}

static int choose_table(struct csv *csv, struct csv_target *target, const struct csv_moment *moment,
	struct enrg_error *err)
{
	struct table *table = NULL;
	int rc = choose_variant(csv, target, moment, &table, err);

	if (rc < 0)
		return rc;
	table->users++;
	if (target->table)
		target->table->users--;
	target->table = table;
	target->quarter = moment->acquired_ns / QUARTER_NS;
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
	text_fini(&csv_target->header);
	free(csv_target->source);
	free(csv_target->tag);
	free(csv_target->file_path);
	free(csv_target->first_path);
	free(csv_target);
	return 0;
}

static bool copy_names(struct csv_target *csv_target, const struct enrg_target *target)
{
	const char *path = csv_target->section->file_path;
	size_t length = strlen(path);
	bool lacks_suffix = csv_target->section->use_zstd && (length < 4 || strcmp(path + length - 4, ".zst") != 0);

	csv_target->source = strdup(target->source);
	csv_target->tag = strdup(target->tag);
	if (length == 0)
		lacks_suffix = false; /* enrg_file_path says what is wrong with an empty name */
	if (asprintf(&csv_target->file_path, "%s%s", path, lacks_suffix ? ".zst" : "") < 0)
		csv_target->file_path = NULL;
	return csv_target->source && csv_target->tag && csv_target->file_path;
}

static int csv_target_open(void *state, const struct enrg_target *target, void **ret_target, struct enrg_error *err)
{
	struct csv *csv = state;
	struct csv_target *csv_target = calloc(1, sizeof(*csv_target));
	int rc;

	if (!csv_target)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	csv_target->section = target->section;
	if (!copy_names(csv_target, target))
		rc = enrg_error_set(err, -ENOMEM, "out of memory");
	else
		rc = rows_format_header(target->schema, &csv_target->header, err);
	if (rc == 0)
		rc = choose_table(csv, csv_target,
			&(struct csv_moment){ target->schema, target->run, target->acquired_ns }, err);
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
	/* In every time zone midnight lies between two quarters of an hour. */
	bool may_be_other_day = csv_target->section->add_date && batch->acquired_ns / QUARTER_NS != csv_target->quarter;

	if (!batch->is_gap && (may_be_other_day || is_due(csv_target, batch->run))) {
		int rc = choose_table(state, csv_target,
			&(struct csv_moment){ batch->schema, batch->run, batch->acquired_ns }, err);

		if (rc < 0)
			return rc;
	}
	return table_write(csv_target->table, batch, err);
}

/* Closes what no target uses and the last commit has put away. */
static void close_unused(struct csv *csv)
{
	struct table **link = &csv->tables;

	while (*link) {
		struct table *table = *link;

		if (table->users > 0 || table->is_dirty) {
			link = &table->next;
			continue;
		}
		*link = table->next;
		table_close(table);
	}
}

static int csv_commit(void *state, struct enrg_error *err)
{
	struct csv *csv = state;

	/* First, so that a file stays open until the framework has recorded the commit that its last rows belong to. */
	close_unused(csv);
	for (struct table *table = csv->tables; table; table = table->next) {
		int rc = table_commit(csv->store, table, err);

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
		struct table *table = csv->tables;

		csv->tables = table->next;
		table_close(table);
	}
	free(csv);
	return rc;
}

static const char *const csv_old_names[] = { "store_csv", NULL };

static const struct enrg_store_type csv_store = {
	.name = "DAQJobStoreCSV",
	.old_names = csv_old_names,
	.section = "csv",
	.summary = "Writes comma separated values, plain or compressed.",
	.starts_by_default = true,
	.options = { .size = sizeof(struct csv_options), .options = csv_option_list },
	.section_options = { .size = sizeof(struct csv_section), .options = csv_section_list },
	.open = csv_open,
	.target_open = csv_target_open,
	.write = csv_write,
	.commit = csv_commit,
	.target_close = csv_target_close,
	.close = csv_close,
};

static const struct enrg_store_type *const csv_stores[] = { &csv_store, NULL };

ENRG_MODULE = { .abi = ENRG_MODULE_ABI, .name = "csv", .stores = csv_stores };
