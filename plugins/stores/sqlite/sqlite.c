/* sqlite.c: DAQJobStoreSQLite: SQL without a server. Runs in the store's job process, on its main thread.
 *
 * Each file has one transaction, which commit ends. A kill before it leaves nothing in the file; one after it leaves
 * the marks that tell which batches to leave out when they come again.
 */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "database.h"
#include "enrgdaq/store.h"
#include "sqlite_table.h"

#define COMMIT_BYTES (8u << 20)

struct sqlite_options {
	const char *out_dir;
	double commit_interval_seconds;
	int synchronous; /* index of synchronous_names */
	bool create_tables, add_columns;
	struct enrg_file_options files; /* of which SQLite's files know the free space alone */
};

struct sqlite_section {
	const char *file_path, *table_name;
};

struct sqlite {
	struct enrg_store *store;
	const struct sqlite_options *options;
	struct database *databases;
	struct sql_table *tables; /* struct table */
};

static const char *const synchronous_names[] = {"OFF", "NORMAL", "FULL"};
static const struct enrg_choice synchronous_choices[] = {{"OFF", 0}, {"NORMAL", 1}, {"FULL", 2}, {NULL, 0}};

static const struct enrg_option sqlite_option_list[] = {
	{.key = "out_dir",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct sqlite_options, out_dir),
		.default_value = "\"out/\"",
		.help = "Folder of the files; created.",
		.runs_code = true},
	{.key = "commit_interval_seconds",
		.kind = ENRG_OPTION_FLOAT,
		.offset = offsetof(struct sqlite_options, commit_interval_seconds),
		.default_value = "1.0",
		.min = 0,
		.max = 3600,
		.unit = "s",
		.help = "Time between two commits; readers see committed rows alone."},
	{.key = "synchronous",
		.kind = ENRG_OPTION_CHOICE,
		.offset = offsetof(struct sqlite_options, synchronous),
		.default_value = "\"NORMAL\"",
		.choices = synchronous_choices,
		.help = "SQLite's own setting: FULL waits for the disk at each commit."},
	{.key = "create_tables",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct sqlite_options, create_tables),
		.default_value = "true",
		.help = "Creates a table that is missing."},
	{.key = "add_columns",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct sqlite_options, add_columns),
		.default_value = "false",
		.help = "Adds columns that a table lacks."},
	{.key = "min_free_gb",
		.kind = ENRG_OPTION_FLOAT,
		.offset = offsetof(struct sqlite_options, files.rules.min_free_gb),
		.default_value = "0.5",
		.min = 0,
		.max = 1e9,
		.unit = "GB",
		.present_offset = offsetof(struct sqlite_options, files.rules.has_min_free_gb),
		.help = "Writing waits while less than this is free on the disk, and an alert comes at twice of it; "
			"without the key at most a tenth of the disk; 0 = never."},
	{.key = NULL},
};

static const struct enrg_option sqlite_section_list[] = {
	{.key = "file_path",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct sqlite_section, file_path),
		.default_value = "\"enrgdaq.sqlite\"",
		.help = "Name of the file, relative to out_dir; may name folders."},
	{.key = "table_name",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct sqlite_section, table_name),
		.required = true,
		.help = "Name of the table; a tag is appended as _tag."},
	{.key = NULL},
};

static int sqlite_check(const void *options, const void *section, struct enrg_error *err)
{
	const char *table_name = ((const struct sqlite_section *)section)->table_name;
	char name[SQL_NAME_BYTES_MAX + 1];

	(void)options;
	if (strncasecmp(table_name, "sqlite_", 7) == 0)
		return enrg_error_set(err, ENRG_E_CONFIG,
			"table_name: expected a name that does not begin with \"sqlite_\", as SQLite's own tables do; "
			"found \"%s\"",
			table_name);
	return sql_table_name(table_name, "", name, err);
}

static int sqlite_open(struct enrg_store *store, const void *options, void **ret_state, struct enrg_error *err)
{
	struct sqlite *sqlite = calloc(1, sizeof(*sqlite));

	if (!sqlite)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	sqlite->store = store;
	sqlite->options = options;
	enrg_store_set_commit(store, (uint64_t)(sqlite->options->commit_interval_seconds * 1e9), COMMIT_BYTES);
	enrg_store_set_files(store, &sqlite->options->files);
	*ret_state = sqlite;
	return 0;
}

/* Also by another name, "./a.sqlite": a second connection would wait for the first one's transaction for ever. */
static bool is_same_file(const char *a, const char *b)
{
	struct stat one, two;

	if (strcmp(a, b) == 0)
		return true;
	return stat(a, &one) == 0 && stat(b, &two) == 0 && one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

static int find_database(
	struct sqlite *sqlite, const char *path, struct database **ret_database, struct enrg_error *err)
{
	char folder[PATH_MAX];

	for (struct database *database = sqlite->databases; database; database = database->next) {
		if (is_same_file(database->path, path)) {
			*ret_database = database;
			return 0;
		}
	}
	int rc = database_open(sqlite->store, path, synchronous_names[sqlite->options->synchronous], ret_database, err);
	if (rc < 0)
		return rc;
	(*ret_database)->next = sqlite->databases;
	sqlite->databases = *ret_database;
	snprintf(folder, sizeof(folder), "%s", path);
	return enrg_store_guard_folder(sqlite->store, dirname(folder), err);
}

static int sqlite_target_open(void *state, const struct enrg_target *target, void **ret_target, struct enrg_error *err)
{
	struct sqlite *sqlite = state;
	const struct sqlite_section *section = target->section;
	const struct enrg_file_name name = {.out_dir = sqlite->options->out_dir, .file_path = section->file_path};
	struct sqlite_table_params params = {.store = sqlite->store,
		.table_name = section->table_name,
		.target = target,
		.create_tables = sqlite->options->create_tables,
		.add_columns = sqlite->options->add_columns};
	struct sqlite_table *table;
	char path[PATH_MAX];

	int rc = enrg_file_path(&name, path, sizeof(path), err);
	if (rc == 0)
		rc = find_database(sqlite, path, &params.database, err);
	if (rc == 0)
		rc = sqlite_table_open(&params, &table, err);
	if (rc < 0)
		return rc;
	rc = sql_tables_add(&sqlite->tables, &table->target, "another table_name", err);
	if (rc < 0)
		sqlite_table_close(table);
	else
		*ret_target = table;
	return rc;
}

static int sqlite_write(void *state, void *target, const struct enrg_batch *batch, struct enrg_error *err)
{
	int rc = sqlite_table_write(target, batch, err);

	(void)state;
	if (rc == 0)
		enrg_watch_count_rows(((struct sqlite_table *)target)->database->watch, batch->rows);
	return rc;
}

static int sqlite_tick(void *state, uint64_t now_ns, struct enrg_error *err)
{
	struct sqlite *sqlite = state;

	(void)now_ns;
	(void)err;
	for (struct database *database = sqlite->databases; database; database = database->next)
		database_look(database);
	return 0;
}

static int sqlite_commit(void *state, struct enrg_error *err)
{
	struct sqlite *sqlite = state;
	int rc = 0;

	for (struct sql_table *table = sqlite->tables; table && rc == 0; table = table->next)
		rc = sqlite_table_mark((struct sqlite_table *)table, err);
	for (struct database *database = sqlite->databases; database && rc == 0; database = database->next)
		rc = database_commit(database, err);
	return rc;
}

static int sqlite_target_close(void *state, void *target, bool abandon, struct enrg_error *err)
{
	struct sqlite *sqlite = state;
	struct sqlite_table *table = target;
	int rc = 0;

	if (!table)
		return 0;
	if (!abandon)
		rc = sqlite_table_mark(table, err);
	sql_tables_remove(&sqlite->tables, &table->target);
	sqlite_table_close(table);
	return rc;
}

static int sqlite_close(void *state, bool abandon, struct enrg_error *err)
{
	struct sqlite *sqlite = state;
	int rc = 0;

	if (!sqlite)
		return 0;
	if (!abandon)
		rc = sqlite_commit(sqlite, err);
	while (sqlite->databases) {
		struct database *database = sqlite->databases;
		sqlite->databases = database->next;
		database_close(database);
	}
	free(sqlite);
	return rc;
}

static const struct enrg_store_type sqlite_store = {
	.size = sizeof(struct enrg_store_type),
	.name = "DAQJobStoreSQLite",
	.section = "sqlite",
	.summary = "Writes tables of an SQLite file.",
	.starts_by_default = true,
	.options = {.size = sizeof(struct sqlite_options), .options = sqlite_option_list},
	.section_options = {.size = sizeof(struct sqlite_section), .options = sqlite_section_list},
	.check = sqlite_check,
	.open = sqlite_open,
	.target_open = sqlite_target_open,
	.write = sqlite_write,
	.commit = sqlite_commit,
	.tick = sqlite_tick,
	.target_close = sqlite_target_close,
	.close = sqlite_close,
};

static const struct enrg_store_type *const sqlite_stores[] = {&sqlite_store, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "sqlite", .stores = sqlite_stores};
