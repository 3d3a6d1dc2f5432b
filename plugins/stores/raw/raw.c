/* raw.c: DAQJobStoreRaw: which file the bytes of a message go to. Runs in the store's job process, on its main thread.
 *
 * A blob's bytes go to the section's file. A table has no raw bytes: it is kept beside that file as an Arrow IPC
 * stream, because refusing it would hold its producer back for ever and dropping it would lose data.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enrgdaq/store.h"
#include "output.h"

struct raw_options {
	const char *out_dir;
	struct enrg_file_options files;
};

struct raw_section {
	const char *file_path;
	bool add_date, overwrite;
};

struct raw {
	struct enrg_store *store;
	const struct raw_options *options;
	struct output *outputs;
};

struct raw_target {
	const struct raw_section *section;
	struct enrg_file_choice *choice;
	char *source;
	enum output_mode mode;
	struct output *output;
};

static const struct enrg_option raw_option_list[] = {
	{.key = "out_dir",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct raw_options, out_dir),
		.default_value = "\"out/\"",
		.help = "Folder of the files; created.",
		.runs_code = true},
	{.key = "files",
		.kind = ENRG_OPTION_INCLUDE,
		.offset = offsetof(struct raw_options, files),
		.table = &enrg_file_table},
	{.key = NULL},
};

static const struct enrg_option raw_section_list[] = {
	{.key = "file_path",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct raw_section, file_path),
		.required = true,
		.help = "Name of the file, relative to out_dir; may name folders."},
	{.key = "add_date",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct raw_section, add_date),
		.default_value = "false",
		.help = "A file a local day: YYYY-MM-DD_ before the file's own name."},
	{.key = "overwrite",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct raw_section, overwrite),
		.default_value = "true",
		.help = "The file holds the newest message alone; false: all, one behind the other."},
	{.key = NULL},
};

/* --- which file -------------------- */

static struct output *find_output(const struct raw *raw, const char *path)
{
	struct output *output = raw->outputs;

	while (output && strcmp(output->path, path) != 0)
		output = output->next;
	return output;
}

/* Two spellings of one path lead to one file: the output that was opened first keeps it. */
static struct output *add_output(struct raw *raw, struct output *opened)
{
	for (struct output *output = raw->outputs; output; output = output->next) {
		if (opened->file && output->file == opened->file) {
			output_close(opened);
			return output;
		}
	}
	opened->next = raw->outputs;
	raw->outputs = opened;
	return opened;
}

static int raw_judge(void *state, void *target, struct enrg_file_candidate *candidate, struct enrg_error *err)
{
	struct raw *raw = state;
	struct raw_target *raw_target = target;
	const struct output_params params = {.path = candidate->path,
		.source = raw_target->source,
		.mode = raw_target->mode,
		.schema = candidate->schema};
	struct output *output = find_output(raw, candidate->path);
	int rc = 0;

	if (!output) {
		rc = output_open(raw->store, &params, &output, err);
		if (rc != 0)
			return rc;
		output = add_output(raw, output);
	}
	rc = output_fits(output, &params, err);
	if (rc != 0)
		return rc;
	output->users++;
	if (raw_target->output)
		raw_target->output->users--;
	raw_target->output = output;
	candidate->file = output->file;
	return 0;
}

/* --- the store -------------------- */

static int raw_open(struct enrg_store *store, const void *options, void **ret_state, struct enrg_error *err)
{
	struct raw *raw = calloc(1, sizeof(*raw));

	if (!raw)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	raw->store = store;
	raw->options = options;
	enrg_store_set_files(store, &raw->options->files);
	enrg_store_keep_runs_beside(store, ENRG_RUNS_BESIDE_ALL);
	*ret_state = raw;
	return 0;
}

static int raw_target_close(void *state, void *target, bool abandon, struct enrg_error *err)
{
	struct raw_target *raw_target = target;

	(void)state;
	(void)abandon;
	(void)err;
	if (!raw_target)
		return 0;
	if (raw_target->output)
		raw_target->output->users--;
	enrg_file_choice_destroy(raw_target->choice);
	free(raw_target->source);
	free(raw_target);
	return 0;
}

static int choose_file(
	struct raw *raw, struct raw_target *raw_target, const struct enrg_target *target, struct enrg_error *err)
{
	const struct raw_section *section = raw_target->section;
	bool is_table = raw_target->mode == OUTPUT_TABLE && *section->file_path; /* enrg_file_path refuses "" */
	char *path;
	int rc;

	if (asprintf(&path, "%s%s", section->file_path, is_table ? ".arrows" : "") < 0)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	const struct enrg_file_choice_params params = {.out_dir = raw->options->out_dir,
		.file_path = path,
		.add_date = section->add_date,
		.is_replaced = raw_target->mode == OUTPUT_NEWEST,
		.other = "holds something else",
		.judge = raw_judge,
		.state = raw,
		.target = raw_target};
	rc = enrg_file_choice_create(raw->store, &params, target, &raw_target->choice, err);
	free(path);
	return rc;
}

static int raw_target_open(void *state, const struct enrg_target *target, void **ret_target, struct enrg_error *err)
{
	struct raw *raw = state;
	struct raw_target *raw_target = calloc(1, sizeof(*raw_target));
	int rc;

	if (!raw_target)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	raw_target->section = target->section;
	raw_target->mode = !target->schema->is_blob         ? OUTPUT_TABLE
			   : raw_target->section->overwrite ? OUTPUT_NEWEST
							    : OUTPUT_APPEND;
	raw_target->source = strdup(target->source);
	rc = raw_target->source ? choose_file(raw, raw_target, target, err)
				: enrg_error_set(err, -ENOMEM, "out of memory");
	if (rc < 0) {
		raw_target_close(raw, raw_target, true, NULL);
		return rc;
	}
	if (raw_target->mode == OUTPUT_TABLE)
		enrg_store_alert(raw->store, ENRG_WARNING,
			"\"%s\" sends a table, and a raw file keeps bytes: it is "
			"kept as an Arrow stream in %s; give its producer another store, such as csv or arrow",
			target->source, raw_target->output->path);
	*ret_target = raw_target;
	return 0;
}

static int raw_write(void *state, void *target, const struct enrg_batch *batch, struct enrg_error *err)
{
	struct raw_target *raw_target = target;
	int rc = 0;

	(void)state;
	/* Bytes go to the file in write: the framework knows all that is not committed. */
	if (!batch->is_gap)
		rc = enrg_file_choice_follow(raw_target->choice, batch, false, err);
	return rc < 0 ? rc : output_write(raw_target->output, batch, err);
}

static int raw_commit(void *state, struct enrg_error *err)
{
	struct raw *raw = state;
	struct output **link = &raw->outputs;

	while (*link) {
		struct output *output = *link;
		int rc = output_commit(raw->store, output, err);

		if (rc < 0)
			return rc;
		if (output->users > 0) {
			link = &output->next;
			continue;
		}
		/* Of another day or part. The framework keeps its file until its last bytes are committed. */
		*link = output->next;
		output_close(output);
	}
	return 0;
}

static int raw_close(void *state, bool abandon, struct enrg_error *err)
{
	struct raw *raw = state;
	int rc = 0;

	if (!raw)
		return 0;
	for (struct output *output = raw->outputs; output && !abandon && rc == 0; output = output->next)
		rc = output_commit(raw->store, output, err);
	while (raw->outputs) {
		struct output *output = raw->outputs;

		raw->outputs = output->next;
		output_close(output);
	}
	free(raw);
	return rc;
}

static const char *const raw_old_names[] = {"store_raw", NULL};

static const struct enrg_store_type raw_store = {
	.size = sizeof(struct enrg_store_type),
	.name = "DAQJobStoreRaw",
	.old_names = raw_old_names,
	.section = "raw",
	.summary = "Writes the bytes of messages as they come, or the newest alone.",
	.starts_by_default = true,
	.options = {.size = sizeof(struct raw_options), .options = raw_option_list},
	.section_options = {.size = sizeof(struct raw_section), .options = raw_section_list},
	.open = raw_open,
	.target_open = raw_target_open,
	.write = raw_write,
	.commit = raw_commit,
	.target_close = raw_target_close,
	.close = raw_close,
	.spans_runs = true,
};

static const struct enrg_store_type *const raw_stores[] = {&raw_store, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "raw", .stores = raw_stores};
