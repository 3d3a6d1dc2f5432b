/* record.c: one .arrows file. Runs in the store's job process, on its main thread. */
#include "record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BUFFER_BYTES      (256u << 10)
#define PAGE_BYTES        4096u
#define COMPACT_BYTES_MAX (128u << 20) /* read three times and written once within about a second: sources wait */
#define DIRECT_BYTES      (32u << 10)  /* messages from here on go to the file straight from the ring */

int record_schema_init(struct record_schema *record_schema, const struct enrg_schema *schema, struct enrg_error *err)
{
	struct enrg_schema bare = *schema;

	bare.note_count = 0; /* no part of what makes two tables the same */
	return enrg_schema_format_ipc(&bare, NULL, &record_schema->bytes, &record_schema->count, err);
}

void record_schema_fini(struct record_schema *record_schema)
{
	free(record_schema->bytes);
	*record_schema = (struct record_schema){0};
}

bool record_schema_equal(const struct record_schema *a, const struct record_schema *b)
{
	return a->count == b->count && memcmp(a->bytes, b->bytes, a->count) == 0;
}

bool record_budget_has(struct record_budget *budget, uint64_t now_ns)
{
	if (budget->spent_ns && now_ns - budget->since_ns < RECORD_BUDGET_PERIOD_NS)
		return budget->spent_ns < RECORD_BUDGET_NS;
	*budget = (struct record_budget){.since_ns = now_ns};
	return true;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Many small batches in a file that is closed become few. It costs nothing but bytes where it fails. */
static void compact(struct enrg_store *store, const char *path)
{
	static struct record_budget budget; /* of this process: it has one store */
	struct enrg_error err = {0};
	uint64_t saved, begin_ns = now_ns();

	if (!record_budget_has(&budget, begin_ns)) {
		enrg_store_log(store, ENRG_INFO,
			"%s: stays as it is: merging small batches of the files that are closed now "
			"took 10 s; `enrgdaq convert --compact` merges them",
			path);
		return;
	}
	if (enrg_ipc_compact(path, COMPACT_BYTES_MAX, &saved, &err) < 0)
		enrg_store_log(store, ENRG_WARNING, "%s: its small batches can't be merged, so it stays as it is: %s",
			path, err.text);
	else if (saved)
		enrg_store_log(store, ENRG_INFO, "%s: merged small batches, %.1f MB less", path, (double)saved / 1e6);
	budget.spent_ns += now_ns() - begin_ns;
}

void record_compact_at_end(struct enrg_store *store, struct record *record)
{
	enrg_file_set_finish(store, record->file, compact);
}

/* Judges what is there and cuts a torn tail. */
static int mend(
	struct enrg_store *store, struct record *record, const struct enrg_schema *schema, struct enrg_error *err)
{
	uint64_t size = enrg_file_size(record->file), good;
	enum enrg_ipc_content content;
	int rc = enrg_ipc_inspect(enrg_file_descriptor(record->file), schema, &content, &good, err);

	if (rc < 0)
		return enrg_error_add(err, rc, "%s", record->path);
	if (content == ENRG_IPC_DAMAGED)
		enrg_store_alert(store, ENRG_ERROR,
			"%s is damaged inside: nothing is appended to it; see `enrgdaq verify`", record->path);
	if (content != ENRG_IPC_OURS)
		return ENRG_FILE_IS_OTHER;
	if (good == size)
		return 0;
	enrg_store_alert(store, ENRG_WARNING,
		"%s: cut %" PRIu64 " bytes off that stood behind the last whole batch (a "
		"power cut, or an end mark)",
		record->path, size - good);
	return enrg_file_truncate(record->file, good, err);
}

static int write_schema(
	struct enrg_store *store, struct record *record, const struct record_params *params, struct enrg_error *err)
{
	void *bytes;
	uint32_t count;
	int rc = enrg_schema_format_ipc_in_run(
		params->schema, params->source, enrg_store_find_run(store, params->run), &bytes, &count, err);

	if (rc < 0)
		return rc;
	rc = record_write(record, bytes, count, err);
	free(bytes);
	return rc;
}

int record_open(struct enrg_store *store, const struct record_params *params, struct record **ret_record,
	struct enrg_error *err)
{
	const char *path = params->path;
	struct record *record = calloc(1, sizeof(*record));
	int rc = -ENOMEM;

	if (record) {
		record->path = strdup(path);
		record->buffer = malloc(BUFFER_BYTES);
	}
	if (!record || !record->path || !record->buffer)
		enrg_error_set(err, -ENOMEM, "%s: out of memory", path);
	else
		rc = record_schema_init(&record->schema, params->schema, err);
	if (rc == 0)
		rc = enrg_file_open(store, path, &record->file, err);
	if (rc == 0)
		rc = mend(store, record, params->schema, err);
	if (rc == 0 && enrg_file_size(record->file) == 0)
		rc = write_schema(store, record, params, err);
	if (rc != 0) {
		record_close(record);
		return rc;
	}
	*ret_record = record;
	return 0;
}

void record_close(struct record *record)
{
	if (!record)
		return;
	if (record->file)
		enrg_file_close(record->file);
	record_schema_fini(&record->schema);
	free(record->buffer);
	free(record->path);
	free(record);
}

static int flush(struct record *record, struct enrg_error *err)
{
	int rc = record->buffered ? enrg_file_write(record->file, record->buffer, record->buffered, err) : 0;

	if (rc == 0)
		record->buffered = 0;
	return rc;
}

int record_write(struct record *record, const void *bytes, uint64_t byte_count, struct enrg_error *err)
{
	record->is_dirty = true;
	if (record->buffered + byte_count > BUFFER_BYTES || byte_count >= DIRECT_BYTES) {
		int rc = flush(record, err);

		if (rc < 0)
			return rc;
	}
	if (byte_count >= DIRECT_BYTES)
		return enrg_file_write(record->file, bytes, byte_count, err);
	memcpy(record->buffer + record->buffered, bytes, byte_count);
	record->buffered += byte_count;
	return 0;
}

int record_write_batch(struct record *record, const struct enrg_batch *batch, struct enrg_error *err)
{
	const uint8_t *ipc = batch->ipc;
	uint64_t meta_bytes = batch->ipc_bytes - batch->body_bytes;
	int rc = 0;

	if (batch->ipc_bytes >= DIRECT_BYTES)
		rc = flush(record, err);
	if (rc < 0)
		return rc;
	/* The body can go from the ring to the disk without a copy where both lie alike within a page. */
	uint32_t padding =
		record->buffered ? 0 : enrg_file_padding(record->file, meta_bytes, ipc + meta_bytes, batch->body_bytes);
	if (padding == 0 || padding % 8 != 0 || meta_bytes + padding + PAGE_BYTES > BUFFER_BYTES)
		return record_write(record, ipc, batch->ipc_bytes, err);
	/* What comes before its first whole page goes with the metadata, in one write. */
	uint64_t front_bytes = meta_bytes + padding;
	uint64_t head_bytes = -(enrg_file_size(record->file) + front_bytes) % PAGE_BYTES;

	record->is_dirty = true;
	rc = enrg_ipc_pad(batch, padding, record->buffer, err);
	if (rc < 0)
		return rc;
	memcpy(record->buffer + front_bytes, ipc + meta_bytes, head_bytes);
	rc = enrg_file_write(record->file, record->buffer, front_bytes + head_bytes, err);
	if (rc < 0)
		return rc;
	return enrg_file_write(record->file, ipc + meta_bytes + head_bytes, batch->body_bytes - head_bytes, err);
}

int record_commit(struct record *record, struct enrg_error *err)
{
	int rc;

	if (!record->is_dirty)
		return 0;
	rc = flush(record, err);
	if (rc == 0)
		record->is_dirty = false;
	return rc;
}
