/* trouble.c: a module for tests alone: a job that misbehaves as it is told, and a store that dies of one value. Each
 * runs in a job process, on the main thread.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <enrgdaq/job.h>
#include <enrgdaq/store.h>

/* --- the job --------------------------------------------------------------------------------------------------------
 */

enum trouble_kind { WIDE = 1, EMPTY, LARGE_TABLE, LARGE_BLOB, HANG, CRASH, COUNT_UP };

struct trouble_options {
	int kind;
	int64_t columns, rows, bytes, batches;
};

struct outage {
	const struct trouble_options *options;
	struct enrg_output *output;
	int64_t *values; /* one column: all columns share it */
	const void **columns;
	int64_t batches;
};

static const struct enrg_choice trouble_kinds[] = {
	{"wide", WIDE},
	{"empty", EMPTY},
	{"large_table", LARGE_TABLE},
	{"large_blob", LARGE_BLOB},
	{"hang", HANG},
	{"crash", CRASH},
	{"count_up", COUNT_UP},
	{NULL, 0},
};

static const struct enrg_option trouble_option_list[] = {
	{.key = "kind",
		.kind = ENRG_OPTION_CHOICE,
		.offset = offsetof(struct trouble_options, kind),
		.required = true,
		.choices = trouble_kinds,
		.help = "What it does."},
	{.key = "columns",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct trouble_options, columns),
		.default_value = "2",
		.help = "Columns of its table."},
	{.key = "rows",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct trouble_options, rows),
		.default_value = "1",
		.help = "Rows of a batch."},
	{.key = "bytes",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct trouble_options, bytes),
		.default_value = "1",
		.help = "Bytes of a blob."},
	{.key = "batches",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct trouble_options, batches),
		.default_value = "3",
		.help = "Batches in all."},
	{.key = NULL},
};

static void trouble_destroy(void *state)
{
	struct outage *trouble = state;

	if (!trouble)
		return;
	free(trouble->values);
	free(trouble->columns);
	free(trouble);
}

static int open_table(struct outage *trouble, struct enrg_job *job, struct enrg_error *err)
{
	size_t count = (size_t)trouble->options->columns;
	struct enrg_column *columns = calloc(count, sizeof(*columns));
	char(*names)[24] = calloc(count, sizeof(*names));
	struct enrg_schema schema = {.column_count = (uint32_t)count, .columns = columns};
	int rc = -ENOMEM;

	for (size_t i = 0; columns && names && i < count; i++) {
		snprintf(names[i], sizeof(names[i]), "c%zu", i);
		columns[i] = (struct enrg_column){.name = names[i], .type = ENRG_I64};
	}
	if (columns && names)
		rc = enrg_output_open(job, "store_config", NULL, &schema, &trouble->output, err);
	free(names);
	free(columns);
	return rc;
}

static int trouble_start(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	struct outage *trouble = calloc(1, sizeof(*trouble));
	int rc;

	if (!trouble)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	trouble->options = options;
	trouble->values = calloc((size_t)trouble->options->rows + 1, sizeof(*trouble->values));
	trouble->columns = calloc((size_t)trouble->options->columns, sizeof(*trouble->columns));
	if (trouble->options->kind == LARGE_BLOB)
		rc = enrg_output_open(job, "store_config", NULL, enrg_schema_blob(), &trouble->output, err);
	else
		rc = open_table(trouble, job, err);
	if (rc < 0) {
		trouble_destroy(trouble);
		return rc;
	}
	enrg_job_set_interval(job, 5000000);
	*ret_state = trouble;
	return 0;
}

static int write_empty(struct outage *trouble, struct enrg_error *err)
{
	struct enrg_claim claim;
	int rc = enrg_output_claim(trouble->output, 1, NULL, &claim, err);

	return rc < 0 ? rc : enrg_output_commit(trouble->output, 0, 0, err);
}

/* The values count up over all batches. */
static int write_table(struct outage *trouble, struct enrg_error *err)
{
	int64_t rows = trouble->options->rows;

	for (int64_t i = 0; i < rows; i++)
		trouble->values[i] = trouble->batches * rows + i;
	for (int64_t i = 0; i < trouble->options->columns; i++)
		trouble->columns[i] = trouble->values;
	return enrg_output_write(trouble->output, (uint64_t)rows, trouble->columns, 0, err);
}

static int write_blob(struct outage *trouble, struct enrg_error *err)
{
	char *bytes = calloc(1, (size_t)trouble->options->bytes);
	int rc = bytes ? 0 : enrg_error_set(err, -ENOMEM, "out of memory");

	if (rc == 0)
		rc = enrg_output_write_blob(trouble->output, bytes, (uint64_t)trouble->options->bytes, 0, err);
	free(bytes);
	return rc;
}

static int trouble_poll(struct enrg_job *job, void *state, struct enrg_error *err)
{
	struct outage *trouble = state;
	int rc;

	(void)job;
	if (trouble->batches == trouble->options->batches) {
		/* after what is due, so that it is seen that nothing of it is lost */
		if (trouble->options->kind == HANG)
			for (;;)
				pause();
		if (trouble->options->kind == CRASH) {
			signal(SIGSEGV, SIG_DFL); /* also under a sanitizer: the death is meant */
			raise(SIGSEGV);
		}
		return ENRG_POLL_DONE;
	}
	if (trouble->options->kind == EMPTY)
		rc = write_empty(trouble, err);
	else if (trouble->options->kind == LARGE_BLOB)
		rc = write_blob(trouble, err);
	else
		rc = write_table(trouble, err);
	if (rc < 0)
		return rc;
	trouble->batches++;
	return ENRG_POLL_IDLE;
}

static const struct enrg_job_group trouble_groups[] = {
	{.key = "store_config", .required = true, .help = "Where it goes."},
	{.key = NULL},
};

static const struct enrg_job_type trouble_job = {
	.size = sizeof(struct enrg_job_type),
	.name = "DAQJobTrouble",
	.summary = "Misbehaves.",
	.options = {.size = sizeof(struct trouble_options), .options = trouble_option_list},
	.groups = trouble_groups,
	.start = trouble_start,
	.poll = trouble_poll,
	.destroy = trouble_destroy,
};

/* --- the store ------------------------------------------------------------------------------------------------------
 */

struct fragile_options {
	const char *out_dir;
	int64_t poison;
	bool dies_last;
};

struct fragile_section {
	const char *file_path;
};

struct fragile {
	struct enrg_store *store;
	const struct fragile_options *options;
};

static const struct enrg_option fragile_option_list[] = {
	{.key = "out_dir",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct fragile_options, out_dir),
		.default_value = "\"out/\"",
		.help = "Folder of the files."},
	{.key = "poison",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct fragile_options, poison),
		.default_value = "-1",
		.help = "The value that kills it."},
	{.key = "dies_last",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct fragile_options, dies_last),
		.default_value = "false",
		.help = "Whether it dies after its last work, as a library's handler of exit may."},
	{.key = NULL},
};

static const struct enrg_option fragile_section_list[] = {
	{.key = "file_path",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct fragile_section, file_path),
		.required = true,
		.help = "Name of the file."},
	{.key = NULL},
};

static void die(void)
{
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
}

static int fragile_open(struct enrg_store *store, const void *options, void **ret_state, struct enrg_error *err)
{
	struct fragile *fragile = calloc(1, sizeof(*fragile));

	if (!fragile)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	*fragile = (struct fragile){.store = store, .options = options};
	if (fragile->options->dies_last)
		atexit(die);
	*ret_state = fragile;
	return 0;
}

static int fragile_target_open(void *state, const struct enrg_target *target, void **ret_target, struct enrg_error *err)
{
	struct fragile *fragile = state;
	const struct fragile_section *section = target->section;
	const struct enrg_file_name name = {
		.out_dir = fragile->options->out_dir, .file_path = section->file_path, .tag = target->tag};
	char path[4096];
	int rc = enrg_file_path(&name, path, sizeof(path), err);

	return rc < 0 ? rc : enrg_file_open(fragile->store, path, (struct enrg_file **)ret_target, err);
}

static int fragile_write(void *state, void *target, const struct enrg_batch *batch, struct enrg_error *err)
{
	const struct fragile *fragile = state;
	const int64_t *values = batch->rows ? batch->columns[0].values : NULL;
	char line[32];

	for (uint64_t row = 0; row < batch->rows; row++) {
		int count = snprintf(line, sizeof(line), "%lld\n", (long long)values[row]);
		int rc;

		if (values[row] == fragile->options->poison)
			die();
		rc = enrg_file_write(target, line, (uint64_t)count, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int fragile_target_close(void *state, void *target, bool abandon, struct enrg_error *err)
{
	(void)state;
	(void)abandon;
	(void)err;
	enrg_file_close(target);
	return 0;
}

static int fragile_close(void *state, bool abandon, struct enrg_error *err)
{
	(void)abandon;
	(void)err;
	free(state);
	return 0;
}

static const struct enrg_store_type fragile_store = {
	.size = sizeof(struct enrg_store_type),
	.name = "DAQJobStoreFragile",
	.section = "fragile",
	.summary = "Writes a line a row, and dies of one value.",
	.options = {.size = sizeof(struct fragile_options), .options = fragile_option_list},
	.section_options = {.size = sizeof(struct fragile_section), .options = fragile_section_list},
	.open = fragile_open,
	.target_open = fragile_target_open,
	.write = fragile_write,
	.target_close = fragile_target_close,
	.close = fragile_close,
};

static const struct enrg_job_type *const trouble_jobs[] = {&trouble_job, NULL};
static const struct enrg_store_type *const fragile_stores[] = {&fragile_store, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "trouble", .jobs = trouble_jobs, .stores = fragile_stores};
