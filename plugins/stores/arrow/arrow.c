/* arrow.c: DAQJobStoreArrow: the primary record. Runs in the store's job process, on its main thread.
 *
 * A batch is written as the Arrow IPC message that it is in the ring, so the file carries the check sums that its
 * producer made. A record that no target uses any more (another day) is closed one commit later, because its last
 * batches belong to the commit that is still to come.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enrgdaq/store.h"
#include "record.h"
#include "compressor.h"

struct arrow_options {
	const char *out_dir;
	bool merge_small;
	struct enrg_file_options files;
};

struct arrow_section {
	const char *file_path;
	bool add_date;
	double sync_seconds;
	bool has_sync_seconds;
	int compression; /* enum compressor_kind */
};

struct arrow {
	struct enrg_store *store;
	const struct arrow_options *options;
	struct record *records;
	struct compressor *compressors[COMPRESSOR_LZ4 + 1]; /* NULL until wanted */
};

struct arrow_target {
	const struct arrow_section *section;
	struct enrg_file_choice *choice;
	char *source;
	struct record_schema schema;
	struct record *record;
};

static const struct enrg_option arrow_option_list[] = {
	{.key = "out_dir",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct arrow_options, out_dir),
		.default_value = "\"out/\"",
		.help = "Folder of the files; created.",
		.runs_code = true},
	{.key = "merge_small",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct arrow_options, merge_small),
		.default_value = "true",
		.help = "A file that is closed is rewritten with its small batches merged, where that saves much."},
	{.key = "files",
		.kind = ENRG_OPTION_INCLUDE,
		.offset = offsetof(struct arrow_options, files),
		.table = &enrg_file_table_synced},
	{.key = NULL},
};

static const struct enrg_choice arrow_compressions[] = {
	{"none", COMPRESSOR_NONE},
	{"zstd", COMPRESSOR_ZSTD},
	{"lz4", COMPRESSOR_LZ4},
	{.name = NULL},
};

static const struct enrg_option arrow_section_list[] = {
	{.key = "file_path",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct arrow_section, file_path),
		.required = true,
		.help = "Name of the file, relative to out_dir; may name folders."},
	{.key = "add_date",
		.kind = ENRG_OPTION_BOOL,
		.offset = offsetof(struct arrow_section, add_date),
		.default_value = "false",
		.help = "A file a local day: YYYY-MM-DD_ before the file's own name."},
	{.key = "sync_seconds",
		.kind = ENRG_OPTION_FLOAT,
		.offset = offsetof(struct arrow_section, sync_seconds),
		.default_value = "1.0",
		.min = 0,
		.max = 3600,
		.unit = "s",
		.present_offset = offsetof(struct arrow_section, has_sync_seconds),
		.help = "A power cut costs at most the batches of so long a time; 0 = the disk has each commit; "
			"without the "
			"key the store's sync and sync_seconds count."},
	{.key = "compression",
		.kind = ENRG_OPTION_CHOICE,
		.offset = offsetof(struct arrow_section, compression),
		.default_value = "\"none\"",
		.choices = arrow_compressions,
		.help = "Compresses the values of each batch; Arrow readers decompress them by themselves."},
	{.key = NULL},
};

/* --- which file -------------------- */

static struct record *find_record(const struct arrow *arrow, const char *path)
{
	struct record *record = arrow->records;

	while (record && strcmp(record->path, path) != 0)
		record = record->next;
	return record;
}

/* Two spellings of one path lead to one file: the record that was opened first keeps it. */
static struct record *add_record(struct arrow *arrow, struct record *opened)
{
	for (struct record *record = arrow->records; record; record = record->next) {
		if (record->file == opened->file) {
			record_close(opened);
			return record;
		}
	}
	opened->next = arrow->records;
	arrow->records = opened;
	return opened;
}

/* The file goes on all the same: its values are right, and what a reader takes from its notes may not be. */
static void tell_other_note(struct arrow *arrow, const struct record *record, const struct enrg_schema *schema)
{
	char text[512];

	if (enrg_ipc_find_other_note(enrg_file_descriptor(record->file), schema, text, sizeof(text), NULL) == 1)
		enrg_store_alert(arrow->store, ENRG_WARNING,
			"%s was begun with other notes: %s. It is continued and keeps its own, so that readers take "
			"them for "
			"those of the new rows, too; let a new file begin (rotate_run, add_date or another file_path) "
			"to "
			"have them right",
			record->path, text);
}

static int arrow_judge(void *state, void *target, struct enrg_file_candidate *candidate, struct enrg_error *err)
{
	struct arrow *arrow = state;
	struct arrow_target *arrow_target = target;
	struct record *record = find_record(arrow, candidate->path);

	if (!record) {
		const struct record_params params = {
			candidate->path, arrow_target->source, candidate->run, candidate->schema};
		int rc = record_open(arrow->store, &params, &record, err);

		if (rc != 0)
			return rc;
		if (arrow->options->merge_small)
			record_compact_at_end(arrow->store, record);
		record = add_record(arrow, record);
	}
	if (!record_schema_equal(&record->schema, &arrow_target->schema))
		return ENRG_FILE_IS_OTHER;
	tell_other_note(arrow, record, candidate->schema);
	if (arrow_target->section->has_sync_seconds)
		enrg_file_set_sync(record->file, arrow_target->section->sync_seconds);
	record->users++;
	if (arrow_target->record)
		arrow_target->record->users--;
	arrow_target->record = record;
	candidate->file = record->file;
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
	enrg_store_keep_runs_beside(store, ENRG_RUNS_BESIDE_LATER);
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
	enrg_file_choice_destroy(arrow_target->choice);
	record_schema_fini(&arrow_target->schema);
	free(arrow_target->source);
	free(arrow_target);
	return 0;
}

static int prepare_compression(struct arrow *arrow, int kind, struct enrg_error *err)
{
	if (kind == COMPRESSOR_NONE || arrow->compressors[kind])
		return 0;
	return compressor_create((enum compressor_kind)kind, &arrow->compressors[kind], err);
}

static int choose_file(struct arrow *arrow, struct arrow_target *arrow_target, const struct enrg_target *target,
	struct enrg_error *err)
{
	const struct arrow_section *section = arrow_target->section;
	const struct enrg_file_choice_params params = {.out_dir = arrow->options->out_dir,
		.file_path = section->file_path,
		.add_date = section->add_date,
		.other = "has other columns, or is no whole Arrow stream",
		.judge = arrow_judge,
		.state = arrow,
		.target = arrow_target};

	arrow_target->source = strdup(target->source);
	if (!arrow_target->source)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	return enrg_file_choice_create(arrow->store, &params, target, &arrow_target->choice, err);
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
	if (rc == 0)
		rc = record_schema_init(&arrow_target->schema, target->schema, err);
	if (rc == 0)
		rc = choose_file(arrow, arrow_target, target, err);
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
	struct compressor *compressor = ((struct arrow *)state)->compressors[arrow_target->section->compression];
	struct compressed_batch compressed;
	int rc = enrg_file_choice_follow(arrow_target->choice, batch, arrow_target->record->is_dirty, err);

	if (rc < 0)
		return rc;
	enrg_file_count_rows(arrow_target->record->file, batch->rows);
	if (!compressor || batch->body_bytes == 0)
		return record_write_batch(arrow_target->record, batch, err);
	rc = compressor_compress(compressor, batch, &compressed, err);
	if (rc == 0)
		rc = record_write(arrow_target->record, compressed.meta, compressed.meta_bytes, err);
	return rc < 0 ? rc : record_write(arrow_target->record, compressed.body, compressed.body_bytes, err);
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
	for (size_t i = 0; i <= COMPRESSOR_LZ4; i++)
		compressor_destroy(arrow->compressors[i]);
	free(arrow);
	return rc;
}

static const struct enrg_store_type arrow_store = {
	.size = sizeof(struct enrg_store_type),
	.name = "DAQJobStoreArrow",
	.section = "arrow",
	.summary = "Writes the primary record: Arrow IPC streams that prove themselves.",
	.starts_by_default = true,
	.options = {.size = sizeof(struct arrow_options), .options = arrow_option_list},
	.section_options = {.size = sizeof(struct arrow_section), .options = arrow_section_list},
	.open = arrow_open,
	.target_open = arrow_target_open,
	.write = arrow_write,
	.commit = arrow_commit,
	.target_close = arrow_target_close,
	.close = arrow_close,
	.spans_runs = true,
};

static const struct enrg_store_type *const arrow_stores[] = {&arrow_store, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "arrow", .stores = arrow_stores};
