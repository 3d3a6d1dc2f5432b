/* arrow.c: DAQJobStoreArrow: the primary record. Runs in the store's job process, on its main thread.
 *
 * A batch is written as the Arrow IPC message that it is in the ring, so the file carries the check sums that its
 * producer made. A record that no target uses any more (another day) is closed one commit later, because its last
 * batches belong to the commit that is still to come.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enrgdaq/store.h"
#include "record.h"
#include "squeeze.h"

#define VARIANTS_MAX 100u /* a_2.arrows … of files with other columns */
#define QUARTER_NS 900000000000u

struct arrow_options {
	const char *out_dir;
	struct enrg_file_options files;
};

struct arrow_section {
	const char *file_path;
	bool add_date;
	double sync_seconds;
	bool has_sync_seconds;
	int compression; /* enum squeeze_kind */
};

struct arrow {
	struct enrg_store *store;
	const struct arrow_options *options;
	struct record *records;
	struct squeeze *squeezes[SQUEEZE_LZ4 + 1]; /* NULL until wanted */
};

struct arrow_target {
	const struct arrow_section *section;
	char *source, *tag;
	char *first_path; /* of the record, before another name had to be found for it */
	unsigned variant; /* that name: 1 = the first, 2 = a_2.arrows … */
	struct record_schema schema;
	struct record *record;
	uint64_t quarter; /* of an hour, of the last batch: with add_date */
};

/* When and of which columns the batch is that a file is chosen for. */
struct arrow_moment {
	const struct enrg_schema *schema;
	const char *run;
	uint64_t acquired_ns;
};

static const struct enrg_option arrow_option_list[] = {
	{ .key = "out_dir", .kind = ENRG_OPTION_STRING, .offset = offsetof(struct arrow_options, out_dir),
	  .default_value = "\"out/\"", .help = "Folder of the files; created." },
	{ .key = "files", .kind = ENRG_OPTION_INCLUDE, .offset = offsetof(struct arrow_options, files),
	  .table = &enrg_file_table_synced },
	{ .key = NULL },
};

static const struct enrg_choice arrow_compressions[] = {
	{ "none", SQUEEZE_NONE },
	{ "zstd", SQUEEZE_ZSTD },
	{ "lz4", SQUEEZE_LZ4 },
	{ .name = NULL },
};

static const struct enrg_option arrow_section_list[] = {
	{ .key = "file_path", .kind = ENRG_OPTION_STRING, .offset = offsetof(struct arrow_section, file_path),
	  .required = true, .help = "Name of the file, relative to out_dir; may name folders." },
	{ .key = "add_date", .kind = ENRG_OPTION_BOOL, .offset = offsetof(struct arrow_section, add_date),
	  .default_value = "false", .help = "A file a local day: YYYY-MM-DD_ before the file's own name." },
	{ .key = "sync_seconds", .kind = ENRG_OPTION_FLOAT, .offset = offsetof(struct arrow_section, sync_seconds),
	  .default_value = "1.0", .min = 0, .max = 3600, .unit = "s",
	  .present_offset = offsetof(struct arrow_section, has_sync_seconds),
	  .help = "A power cut costs at most the batches of so long a time; 0 = the disk has each commit; without the "
		  "key the store's sync and sync_seconds count." },
	{ .key = "compression", .kind = ENRG_OPTION_CHOICE, .offset = offsetof(struct arrow_section, compression),
	  .default_value = "\"none\"", .choices = arrow_compressions,
	  .help = "Compresses the values of each batch; Arrow readers decompress them by themselves." },
	{ .key = NULL },
};

/* --- which file -------------------- */

/* The record of `path` (with rotation: of its newest part), opened or found. RECORD_IS_FOREIGN: what is there has other
 * columns. */
static int find_or_open(struct arrow *arrow, const struct arrow_target *target, const struct arrow_moment *moment,
	const char *path, struct record **ret_record, struct enrg_error *err)
{
	struct record *opened = NULL, *record = arrow->records;
	char part[PATH_MAX];
	int rc = enrg_file_part(arrow->store, path, moment->run, part, sizeof(part), err);

	if (rc < 0)
		return rc;
	while (record && strcmp(record->path, part) != 0)
		record = record->next;
	if (!record) {
		rc = record_open(arrow->store, part, target->source, moment->schema, &opened, err);
		if (rc != 0)
			return rc;
		/* Two spellings of one path lead to one file: the record that was opened first keeps it. */
		for (record = arrow->records; record && record->file != opened->file;)
			record = record->next;
		if (record)
			record_close(opened);
	}
	if (record) {
		*ret_record = record;
		return record_schema_equal(&record->schema, &target->schema) ? 0 : RECORD_IS_FOREIGN;
	}
	opened->next = arrow->records;
	arrow->records = opened;
	*ret_record = opened;
	return 0;
}

static int keep_path(struct arrow_target *target, const char *path, struct enrg_error *err)
{
	char *copy = strdup(path);

	if (!copy)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	free(target->first_path);
	target->first_path = copy;
	return 0;
}

static bool is_due(const struct arrow_target *target, const char *run)
{
	return !target->record->is_dirty && enrg_file_is_due(target->record->file, run);
}

/* The file of that name, or the first of its variants that has these columns: a_2.arrows, a_3.arrows … */
static int choose_variant(struct arrow *arrow, struct arrow_target *target, const struct arrow_moment *moment,
	struct record **ret_record, struct enrg_error *err)
{
	char path[PATH_MAX], first[PATH_MAX], tag[ENRG_NAME_BYTES_MAX + 1];
	struct enrg_file_name name = { .out_dir = arrow->options->out_dir, .file_path = target->section->file_path,
		.tag = target->tag, .add_date = target->section->add_date, .date_ns = moment->acquired_ns };
	unsigned before = 1, number;
	int rc = enrg_file_path(&name, first, sizeof(first), err);

	if (rc == 0 && target->record && strcmp(first, target->first_path) == 0) {
		if (!is_due(target, moment->run)) {
			*ret_record = target->record; /* still the same day */
			return 0;
		}
		before = target->variant;
	} else if (rc == 0) {
		rc = keep_path(target, first, err);
	}
	if (rc < 0)
		return rc;
	for (number = before, rc = RECORD_IS_FOREIGN; rc == RECORD_IS_FOREIGN && number <= VARIANTS_MAX; number++) {
		snprintf(tag, sizeof(tag), "%s%s%u", target->tag, *target->tag ? "_" : "", number);
		name.tag = number > 1 ? tag : target->tag;
		rc = enrg_file_path(&name, path, sizeof(path), err);
		if (rc == 0)
			rc = find_or_open(arrow, target, moment, path, ret_record, err);
		target->variant = number;
	}
	if (rc == 0 && target->variant != before)
		enrg_store_alert(arrow->store, ENRG_WARNING,
			"%s has other columns than \"%s\" sends, or is no Arrow stream: batches go to %s", first,
			target->source, path);
	if (rc == RECORD_IS_FOREIGN)
		return enrg_error_set(err,
			-EEXIST, "%s and %u variants of its name are there and have other columns", first,
			VARIANTS_MAX - 1);
	return rc;
}

static int choose_record(struct arrow *arrow, struct arrow_target *target, const struct arrow_moment *moment,
	struct enrg_error *err)
{
	struct record *record = NULL;
	int rc = choose_variant(arrow, target, moment, &record, err);

	if (rc < 0)
		return rc;
	if (target->section->has_sync_seconds)
		enrg_file_set_sync(record->file, target->section->sync_seconds);
	record->users++;
	if (target->record)
		target->record->users--;
	target->record = record;
	target->quarter = moment->acquired_ns / QUARTER_NS;
	return 0;
}

/* --- the store -------------------- */

static int arrow_open(struct enrg_store *store, const void *options, void **ret_state, struct enrg_error *err)
{
	struct arrow *arrow = calloc(1, sizeof(*arrow));

	if (!arrow)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	arrow->store = store;
	arrow->options = options;
	enrg_store_set_files(store, &arrow->options->files);
	*ret_state = arrow;
	return 0;
}

static int arrow_target_close(void *state, void *target, bool abandon, struct enrg_error *err)
{
	struct arrow_target *arrow_target = target;

	(void)state;
	(void)abandon;
	(void)err;
	if (!arrow_target)
		return 0;
	if (arrow_target->record)
		arrow_target->record->users--;
	record_schema_fini(&arrow_target->schema);
	free(arrow_target->source);
	free(arrow_target->tag);
	free(arrow_target->first_path);
	free(arrow_target);
	return 0;
}

static int prepare_compression(struct arrow *arrow, int kind, struct enrg_error *err)
{
	if (kind == SQUEEZE_NONE || arrow->squeezes[kind])
		return 0;
	return squeeze_create((enum squeeze_kind)kind, &arrow->squeezes[kind], err);
}

static int arrow_target_open(void *state, const struct enrg_target *target, void **ret_target, struct enrg_error *err)
{
	struct arrow *arrow = state;
	struct arrow_target *arrow_target = calloc(1, sizeof(*arrow_target));
	int rc;

	if (!arrow_target)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	arrow_target->section = target->section;
	rc = prepare_compression(arrow, arrow_target->section->compression, err);
	if (rc < 0) {
		arrow_target_close(arrow, arrow_target, true, NULL);
		return rc;
	}
	arrow_target->source = strdup(target->source);
	arrow_target->tag = strdup(target->tag);
	if (!arrow_target->source || !arrow_target->tag)
		rc = enrg_error_set(err, -ENOMEM, "out of memory");
	else
		rc = record_schema_init(&arrow_target->schema, target->schema, err);
	if (rc == 0)
		rc = choose_record(arrow, arrow_target,
			&(struct arrow_moment){ target->schema, target->run, target->acquired_ns }, err);
	if (rc < 0) {
		arrow_target_close(arrow, arrow_target, true, NULL);
		return rc;
	}
	*ret_target = arrow_target;
	return 0;
}

static int arrow_write(void *state, void *target, const struct enrg_batch *batch, struct enrg_error *err)
{
	struct arrow_target *arrow_target = target;

	/* In every time zone midnight lies between two quarters of an hour. */
	bool may_be_other_day =
		arrow_target->section->add_date && batch->acquired_ns / QUARTER_NS != arrow_target->quarter;

	if (may_be_other_day || is_due(arrow_target, batch->run)) {
		int rc = choose_record(state, arrow_target,
			&(struct arrow_moment){ batch->schema, batch->run, batch->acquired_ns }, err);

		if (rc < 0)
			return rc;
	}
	struct squeeze *squeeze = ((struct arrow *)state)->squeezes[arrow_target->section->compression];
	struct squeezed squeezed;

	if (!squeeze || batch->body_bytes == 0)
		return record_write_batch(arrow_target->record, batch, err);
	int rc = squeeze_batch(squeeze, batch, &squeezed, err);
	if (rc == 0)
		rc = record_write(arrow_target->record, squeezed.meta, squeezed.meta_bytes, err);
	return rc < 0 ? rc : record_write(arrow_target->record, squeezed.body, squeezed.body_bytes, err);
}

/* Closes what no target uses and the last commit has put away. */
static void close_unused(struct arrow *arrow)
{
	struct record **link = &arrow->records;

	while (*link) {
		struct record *record = *link;

		if (record->users > 0 || record->is_dirty) {
			link = &record->next;
			continue;
		}
		*link = record->next;
		record_close(record);
	}
}

static int arrow_commit(void *state, struct enrg_error *err)
{
	struct arrow *arrow = state;
	int rc = 0;

	close_unused(arrow);
	for (struct record *record = arrow->records; record && rc == 0; record = record->next)
		rc = record_commit(record, err);
	return rc;
}

static int arrow_close(void *state, bool abandon, struct enrg_error *err)
{
	struct arrow *arrow = state;
	int rc = 0;

	if (!arrow)
		return 0;
	if (!abandon)
		rc = arrow_commit(arrow, err);
	while (arrow->records) {
		struct record *record = arrow->records;

		arrow->records = record->next;
		record_close(record);
	}
	for (size_t i = 0; i <= SQUEEZE_LZ4; i++)
		squeeze_destroy(arrow->squeezes[i]);
	free(arrow);
	return rc;
}

static const struct enrg_store_type arrow_store = {
	.name = "DAQJobStoreArrow",
	.section = "arrow",
	.summary = "Writes the primary record: Arrow IPC streams that prove themselves.",
	.starts_by_default = true,
	.options = { .size = sizeof(struct arrow_options), .options = arrow_option_list },
	.section_options = { .size = sizeof(struct arrow_section), .options = arrow_section_list },
	.open = arrow_open,
	.target_open = arrow_target_open,
	.write = arrow_write,
	.commit = arrow_commit,
	.target_close = arrow_target_close,
	.close = arrow_close,
};

static const struct enrg_store_type *const arrow_stores[] = { &arrow_store, NULL };

ENRG_MODULE = { .abi = ENRG_MODULE_ABI, .name = "arrow", .stores = arrow_stores };
