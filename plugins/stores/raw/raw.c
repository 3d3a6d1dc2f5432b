/* raw.c: DAQJobStoreRaw: which file the bytes of a message go to. Runs in the store's job process, on its main thread.
 *
 * A blob's bytes go to the section's file. A table has no raw bytes: it is kept beside that file as an Arrow IPC
 * stream, because refusing it would hold its producer back for ever and dropping it would lose data.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enrgdaq/store.h"
#include "output.h"

#define VARIANTS_MAX 100u
#define QUARTER_NS 900000000000u

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
	char *source, *tag, *file_path;
	char *first_path; /* of the output, before another name had to be found for it */
	unsigned variant; /* that name: 1 = the first, 2 = a_2.bin … */
	enum output_mode mode;
	struct output *output;
	uint64_t quarter; /* of an hour, of the last batch: with add_date */
};

static const struct enrg_option raw_option_list[] = {
	{ .key = "out_dir", .kind = ENRG_OPTION_STRING, .offset = offsetof(struct raw_options, out_dir),
	  .default_value = "\"out/\"", .help = "Folder of the files; created." },
	{ .key = "files", .kind = ENRG_OPTION_INCLUDE, .offset = offsetof(struct raw_options, files),
	  .table = &enrg_file_table },
	{ .key = NULL },
};

static const struct enrg_option raw_section_list[] = {
	{ .key = "file_path", .kind = ENRG_OPTION_STRING, .offset = offsetof(struct raw_section, file_path),
	  .required = true, .help = "Name of the file, relative to out_dir; may name folders." },
	{ .key = "add_date", .kind = ENRG_OPTION_BOOL, .offset = offsetof(struct raw_section, add_date),
	  .default_value = "false", .help = "A file a local day: YYYY-MM-DD_ before the file's own name." },
	{ .key = "overwrite", .kind = ENRG_OPTION_BOOL, .offset = offsetof(struct raw_section, overwrite),
	  .default_value = "true",
	  .help = "The file holds the newest message alone; false: all, one behind the other." },
	{ .key = NULL },
};

/* What and when the batch is that a file is chosen for. */
struct raw_moment {
	const struct enrg_schema *schema;
	const char *run;
	uint64_t acquired_ns;
};

/* --- which file -------------------- */

/* Two spellings of one path lead to one file: the output that was opened first keeps it. */
static struct output *find_same_file(struct raw *raw, const struct output *opened)
{
	for (struct output *output = raw->outputs; output; output = output->next)
		if (opened->file && output->file == opened->file)
			return output;
	return NULL;
}

/* The output of `path` (with rotation: of its newest part), opened or found. OUTPUT_IS_FOREIGN: something else is
 * there. */
static int find_or_open(struct raw *raw, const struct raw_target *target, const struct raw_moment *moment,
	const char *path, struct output **ret_output, struct enrg_error *err)
{
	char part[PATH_MAX];
	const struct output_params params = { .path = target->mode == OUTPUT_NEWEST ? path : part,
		.source = target->source, .mode = target->mode, .schema = moment->schema };
	struct output *opened, *output = raw->outputs;
	int rc = enrg_file_part(raw->store, path, moment->run, part, sizeof(part), err);

	if (rc < 0)
		return rc;
	while (output && strcmp(output->path, params.path) != 0)
		output = output->next;
	if (!output) {
		rc = output_open(raw->store, &params, &opened, err);
		if (rc != 0)
			return rc;
		output = find_same_file(raw, opened);
		if (!output) {
			opened->next = raw->outputs;
			raw->outputs = opened;
			*ret_output = opened;
			return 0;
		}
		output_close(opened);
	}
	*ret_output = output;
	return output_fits(output, &params, err);
}

static int keep_path(struct raw_target *target, const char *path, struct enrg_error *err)
{
	char *copy = strdup(path);

	if (!copy)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	free(target->first_path);
	target->first_path = copy;
	return 0;
}

/* Bytes go to the file in write: the framework knows all that is not committed. */
static bool is_due(const struct raw_target *target, const char *run)
{
	return target->output->file && enrg_file_is_due(target->output->file, run);
}

/* The file of that name, or the first of its variants that takes this: a_2.bin, a_3.bin … */
static int choose_variant(struct raw *raw, struct raw_target *target, const struct raw_moment *moment,
	struct output **ret_output, struct enrg_error *err)
{
	char path[PATH_MAX], first[PATH_MAX], tag[ENRG_NAME_BYTES_MAX + 1];
	struct enrg_file_name name = { .out_dir = raw->options->out_dir, .file_path = target->file_path,
		.tag = target->tag, .add_date = target->section->add_date, .date_ns = moment->acquired_ns };
	unsigned before = 1, number;
	int rc = enrg_file_path(&name, first, sizeof(first), err);

	if (rc == 0 && target->output && strcmp(first, target->first_path) == 0) {
		if (!is_due(target, moment->run)) {
			*ret_output = target->output; /* still the same day */
			return 0;
		}
		before = target->variant;
	} else if (rc == 0) {
		rc = keep_path(target, first, err);
	}
	if (rc < 0)
		return rc;
	for (number = before, rc = OUTPUT_IS_FOREIGN; rc == OUTPUT_IS_FOREIGN && number <= VARIANTS_MAX; number++) {
		snprintf(tag, sizeof(tag), "%s%s%u", target->tag, *target->tag ? "_" : "", number);
		name.tag = number > 1 ? tag : target->tag;
		rc = enrg_file_path(&name, path, sizeof(path), err);
		if (rc == 0)
			rc = find_or_open(raw, target, moment, path, ret_output, err);
		target->variant = number;
	}
	if (rc == 0 && target->variant != before)
		enrg_store_alert(raw->store, ENRG_WARNING, "%s holds something else than \"%s\" sends: its batches go "
			"to %s", first, target->source, path);
	if (rc == OUTPUT_IS_FOREIGN)
		return enrg_error_set(err, -EEXIST, "%s and %u variants of its name are there and hold something else",
			first, VARIANTS_MAX - 1);
	return rc;
}

static int choose_output(struct raw *raw, struct raw_target *target, const struct raw_moment *moment,
	struct enrg_error *err)
{
	struct output *output = NULL;
	int rc = choose_variant(raw, target, moment, &output, err);

	if (rc < 0)
		return rc;
	output->users++;
	if (target->output)
		target->output->users--;
	target->output = output;
	target->quarter = moment->acquired_ns / QUARTER_NS;
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
	free(raw_target->source);
	free(raw_target->tag);
	free(raw_target->file_path);
	free(raw_target->first_path);
	free(raw_target);
	return 0;
}

static bool copy_names(struct raw_target *raw_target, const struct enrg_target *target)
{
	const char *path = raw_target->section->file_path;
	bool is_table = raw_target->mode == OUTPUT_TABLE && *path; /* enrg_file_path refuses an empty name */

	raw_target->source = strdup(target->source);
	raw_target->tag = strdup(target->tag);
	if (asprintf(&raw_target->file_path, "%s%s", path, is_table ? ".arrows" : "") < 0)
		raw_target->file_path = NULL;
	return raw_target->source && raw_target->tag && raw_target->file_path;
}

static int raw_target_open(void *state, const struct enrg_target *target, void **ret_target, struct enrg_error *err)
{
	struct raw *raw = state;
	struct raw_target *raw_target = calloc(1, sizeof(*raw_target));
	int rc;

	if (!raw_target)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	raw_target->section = target->section;
	raw_target->mode = !target->schema->is_blob ? OUTPUT_TABLE
		: raw_target->section->overwrite ? OUTPUT_NEWEST : OUTPUT_APPEND;
	if (!copy_names(raw_target, target))
		rc = enrg_error_set(err, -ENOMEM, "out of memory");
	else
		rc = choose_output(raw, raw_target,
			&(struct raw_moment){ target->schema, target->run, target->acquired_ns }, err);
	if (rc < 0) {
		raw_target_close(raw, raw_target, true, NULL);
		return rc;
	}
	if (raw_target->mode == OUTPUT_TABLE)
		enrg_store_alert(raw->store, ENRG_WARNING, "\"%s\" sends a table, and a raw file keeps bytes: it is "
			"kept as an Arrow stream in %s; give its producer another store, such as csv or arrow",
			target->source, raw_target->output->path);
	*ret_target = raw_target;
	return 0;
}

static int raw_write(void *state, void *target, const struct enrg_batch *batch, struct enrg_error *err)
{
	struct raw_target *raw_target = target;

	/* In every time zone midnight lies between two quarters of an hour. */
	bool may_be_other_day = raw_target->section->add_date && batch->acquired_ns / QUARTER_NS != raw_target->quarter;

	if (!batch->is_gap && (may_be_other_day || is_due(raw_target, batch->run))) {
		int rc = choose_output(state, raw_target,
			&(struct raw_moment){ batch->schema, batch->run, batch->acquired_ns }, err);

		if (rc < 0)
			return rc;
	}
	return output_write(raw_target->output, batch, err);
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

static const char *const raw_old_names[] = { "store_raw", NULL };

static const struct enrg_store_type raw_store = {
	.name = "DAQJobStoreRaw",
	.old_names = raw_old_names,
	.section = "raw",
	.summary = "Writes the bytes of messages as they come, or the newest alone.",
	.starts_by_default = true,
	.options = { .size = sizeof(struct raw_options), .options = raw_option_list },
	.section_options = { .size = sizeof(struct raw_section), .options = raw_section_list },
	.open = raw_open,
	.target_open = raw_target_open,
	.write = raw_write,
	.commit = raw_commit,
	.target_close = raw_target_close,
	.close = raw_close,
};

static const struct enrg_store_type *const raw_stores[] = { &raw_store, NULL };

ENRG_MODULE = { .abi = ENRG_MODULE_ABI, .name = "raw", .stores = raw_stores };
