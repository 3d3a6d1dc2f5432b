/* ruler.c: the smallest useful module: a source that counts and a store that writes what was counted, a line a row.
 * Built outside the tree; knows the installed headers alone.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <enrgdaq/job.h>
#include <enrgdaq/store.h>

#ifndef RULER_ABI
#define RULER_ABI ENRG_MODULE_ABI
#endif

/* --- source ---------------------------------------------------------------------------------------------------------
 */

struct ruler_options {
	int64_t marks;
};

struct ruler {
	const struct ruler_options *options;
	struct enrg_output *output;
	int64_t next;
};

static const struct enrg_option ruler_option_list[] = {
	{.key = "marks",
		.kind = ENRG_OPTION_INT,
		.offset = offsetof(struct ruler_options, marks),
		.default_value = "100",
		.min = 1,
		.max = 1e9,
		.help = "Rows in all."},
	{.key = NULL},
};

static const struct enrg_column ruler_columns[] = {{.name = "mark", .type = ENRG_I64, .unit = "mm"}};
static const struct enrg_schema ruler_schema = {.column_count = 1, .columns = ruler_columns};

static int ruler_start(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	struct ruler *ruler = calloc(1, sizeof(*ruler));
	int rc;

	if (!ruler)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	ruler->options = options;
	rc = enrg_output_open(job, "store_config", NULL, &ruler_schema, &ruler->output, err);
	if (rc < 0) {
		free(ruler);
		return rc;
	}
	*ret_state = ruler;
	return 0;
}

static int ruler_poll(struct enrg_job *job, void *state, struct enrg_error *err)
{
	struct ruler *ruler = state;
	const struct enrg_value value = {.i = ruler->next};
	int rc;

	(void)job;
	if (ruler->next == ruler->options->marks)
		return ENRG_POLL_DONE;
	rc = enrg_output_append(ruler->output, &value, err);
	if (rc < 0)
		return rc;
	ruler->next++;
	return ENRG_POLL_AGAIN;
}

static const struct enrg_job_group ruler_groups[] = {
	{.key = "store_config", .required = true, .help = "Where the marks go."},
	{.key = NULL},
};

static const struct enrg_job_type ruler_job = {
	.size = sizeof(struct enrg_job_type),
	.name = "DAQJobRuler",
	.summary = "Counts.",
	.options = {.size = sizeof(struct ruler_options), .options = ruler_option_list},
	.groups = ruler_groups,
	.start = ruler_start,
	.poll = ruler_poll,
	.destroy = free,
};

/* --- store ----------------------------------------------------------------------------------------------------------
 */

struct lines_options {
	const char *out_dir;
};

struct lines_section {
	const char *file_path;
};

struct lines {
	struct enrg_store *store;
	const struct lines_options *options;
};

static const struct enrg_option lines_option_list[] = {
	{.key = "out_dir",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct lines_options, out_dir),
		.default_value = "\"out/\"",
		.help = "Folder of the files."},
	{.key = NULL},
};

static const struct enrg_option lines_section_list[] = {
	{.key = "file_path",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct lines_section, file_path),
		.required = true,
		.help = "Name of the file."},
	{.key = NULL},
};

static int lines_open(struct enrg_store *store, const void *options, void **ret_state, struct enrg_error *err)
{
	struct lines *lines = calloc(1, sizeof(*lines));

	if (!lines)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	*lines = (struct lines){.store = store, .options = options};
	*ret_state = lines;
	return 0;
}

static int lines_target_open(void *state, const struct enrg_target *target, void **ret_target, struct enrg_error *err)
{
	struct lines *lines = state;
	const struct lines_section *section = target->section;
	const struct enrg_file_name name = {
		.out_dir = lines->options->out_dir, .file_path = section->file_path, .tag = target->tag};
	char path[4096];
	int rc;

	if (target->schema->columns[0].type != ENRG_I64)
		return enrg_error_set(err, -EINVAL, "lines: the first column of %s is not int64", target->source);
	rc = enrg_file_path(&name, path, sizeof(path), err);

	return rc < 0 ? rc : enrg_file_open(lines->store, path, (struct enrg_file **)ret_target, err);
}

static int lines_write(void *state, void *target, const struct enrg_batch *batch, struct enrg_error *err)
{
	const int64_t *marks = batch->columns[0].values;
	char line[32];

	(void)state;
	for (uint64_t row = 0; row < batch->rows; row++) {
		int count = snprintf(line, sizeof(line), "%" PRId64 "\n", marks[row]);
		int rc = enrg_file_write(target, line, (uint64_t)count, err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int lines_target_close(void *state, void *target, bool abandon, struct enrg_error *err)
{
	(void)state;
	(void)abandon;
	(void)err;
	enrg_file_close(target);
	return 0;
}

static int lines_close(void *state, bool abandon, struct enrg_error *err)
{
	(void)abandon;
	(void)err;
	free(state);
	return 0;
}

static const struct enrg_store_type lines_store = {
	.size = sizeof(struct enrg_store_type),
	.name = "DAQJobStoreLines",
	.section = "lines",
	.summary = "Writes a line a row.",
	.options = {.size = sizeof(struct lines_options), .options = lines_option_list},
	.section_options = {.size = sizeof(struct lines_section), .options = lines_section_list},
	.open = lines_open,
	.target_open = lines_target_open,
	.write = lines_write,
	.target_close = lines_target_close,
	.close = lines_close,
};

static const struct enrg_job_type *const ruler_jobs[] = {&ruler_job, NULL};
static const struct enrg_store_type *const ruler_stores[] = {&lines_store, NULL};

ENRG_MODULE = {RULER_ABI, sizeof(struct enrg_module), sizeof(struct enrg_option), .name = "ruler", .jobs = ruler_jobs,
	.stores = ruler_stores};
