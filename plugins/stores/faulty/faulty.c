/* faulty.c: DAQJobStoreFaulty: writes a line a batch, and fails where it was told to. For tests of the framework and
 * for drills of operators. Runs in the store's job process, on its main thread.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "drill.h"
#include "enrgdaq/store.h"

#define LINE_BYTES_MAX (2 * ENRG_NAME_BYTES_MAX + 64)

struct faulty_options {
	const char *out_dir;
	struct drill_options drill;
};

struct faulty_section {
	const char *file_path;
};

struct faulty {
	struct enrg_store *store;
	const struct faulty_options *options;
	struct drill drill;
};

static const struct enrg_option faulty_option_list[] = {
	{.key = "out_dir",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct faulty_options, out_dir),
		.default_value = "\"out/\"",
		.help = "Folder of the files; created.",
		.runs_code = true},
	{.key = "drill",
		.kind = ENRG_OPTION_INCLUDE,
		.offset = offsetof(struct faulty_options, drill),
		.table = &drill_table},
	{.key = NULL},
};

static const struct enrg_option faulty_section_list[] = {
	{.key = "file_path",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct faulty_section, file_path),
		.required = true,
		.help = "Name of the file of lines, relative to out_dir; may name folders."},
	{.key = NULL},
};

static int faulty_open(struct enrg_store *store, const void *options, void **ret_state, struct enrg_error *err)
{
	struct faulty *faulty = calloc(1, sizeof(*faulty));
	int rc;

	if (!faulty)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	faulty->store = store;
	faulty->options = options;
	rc = drill_open(&faulty->drill, store, &faulty->options->drill, faulty->options->out_dir, err);
	if (rc < 0) {
		free(faulty);
		return rc;
	}
	*ret_state = faulty;
	return 0;
}

static int faulty_target_open(void *state, const struct enrg_target *target, void **ret_target, struct enrg_error *err)
{
	struct faulty *faulty = state;
	const struct faulty_section *section = target->section;
	const struct enrg_file_name name = {.out_dir = faulty->options->out_dir, .file_path = section->file_path};
	char path[PATH_MAX];
	int rc = enrg_file_path(&name, path, sizeof(path), err);

	return rc < 0 ? rc : enrg_file_open(faulty->store, path, (struct enrg_file **)ret_target, err);
}

static int faulty_write(void *state, void *target, const struct enrg_batch *batch, struct enrg_error *err)
{
	struct faulty *faulty = state;
	enum drill_order order;
	char line[LINE_BYTES_MAX];
	int count, rc;

	if (batch->is_gap)
		return 0;
	rc = drill_write(&faulty->drill, &order, err);
	if (rc < 0 || order == DRILL_FAIL)
		return rc < 0 ? rc : drill_fail(&faulty->drill, enrg_file_name_of(target), err);
	count = snprintf(line, sizeof(line), "%s\t%s\t%" PRIu64 "\t%" PRIu64 "\n", batch->source, batch->tag,
		batch->sequence, batch->rows);
	if (count < 0 || (size_t)count >= sizeof(line))
		return enrg_error_set(err, -ENAMETOOLONG, "%s: source or tag is too long", batch->source);
	if (order == DRILL_SHORT)
		count /= 2;
	rc = enrg_file_write(target, line, (uint64_t)count, err);
	if (rc == 0 && order == DRILL_SHORT)
		rc = drill_fail(&faulty->drill, enrg_file_name_of(target), err);
	return rc;
}

static int faulty_commit(void *state, struct enrg_error *err)
{
	struct faulty *faulty = state;
	enum drill_order order;
	int rc = drill_commit(&faulty->drill, &order, err);

	if (rc == 0 && order == DRILL_FAIL)
		rc = drill_fail(&faulty->drill, "commit", err);
	return rc;
}

static int faulty_target_close(void *state, void *target, bool abandon, struct enrg_error *err)
{
	(void)state;
	(void)abandon;
	(void)err;
	enrg_file_close(target);
	return 0;
}

static int faulty_close(void *state, bool abandon, struct enrg_error *err)
{
	struct faulty *faulty = state;

	(void)abandon;
	(void)err;
	free(faulty);
	return 0;
}

static const struct enrg_store_type faulty_store = {
	.size = sizeof(struct enrg_store_type),
	.name = "DAQJobStoreFaulty",
	.section = "faulty",
	.summary = "Writes a line a batch and fails where it is told to: for tests and drills.",
	.options = {.size = sizeof(struct faulty_options), .options = faulty_option_list},
	.section_options = {.size = sizeof(struct faulty_section), .options = faulty_section_list},
	.open = faulty_open,
	.target_open = faulty_target_open,
	.write = faulty_write,
	.commit = faulty_commit,
	.target_close = faulty_target_close,
	.close = faulty_close,
};

static const struct enrg_store_type *const faulty_stores[] = {&faulty_store, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "faulty", .stores = faulty_stores};
