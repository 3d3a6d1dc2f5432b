/* output.c: one file of the raw store. Runs in the store's job process, on its main thread. */
#include "output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define PAGE_BYTES      4096u
#define HUGE_PAGE_BYTES (2u << 20)
#define PIECE_BYTES     (5u << 20) /* two pieces of a longer message are large enough for direct I/O, too */
#define PIECE_BYTES_MAX (6u << 20) /* with what it takes to end at a page */

/* --- opening -------------------- */

static int write_schema(struct output *output, const struct output_params *params, struct enrg_error *err)
{
	void *bytes;
	uint32_t count;
	int rc = enrg_schema_format_ipc(params->schema, params->source, &bytes, &count, err);

	if (rc < 0)
		return rc;
	rc = enrg_file_write(output->file, bytes, count, err);
	free(bytes);
	return rc;
}

/* Continues the stream of batches that is there, or begins one. */
static int begin_table(
	struct enrg_store *store, struct output *output, const struct output_params *params, struct enrg_error *err)
{
	uint64_t size = enrg_file_size(output->file), good;
	enum enrg_ipc_content content;
	int rc = enrg_ipc_inspect(enrg_file_descriptor(output->file), params->schema, &content, &good, err);

	if (rc < 0)
		return enrg_error_add(err, rc, "%s", output->path);
	if (content != ENRG_IPC_OURS)
		return ENRG_FILE_IS_OTHER;
	if (good < size) {
		enrg_store_alert(store, ENRG_WARNING,
			"%s: cut %" PRIu64 " bytes off that stood behind the last whole "
			"batch (a power cut?)",
			output->path, size - good);
		rc = enrg_file_truncate(output->file, good, err);
	}
	if (rc == 0 && enrg_file_size(output->file) == 0)
		rc = write_schema(output, params, err);
	return rc;
}

int output_open(struct enrg_store *store, const struct output_params *params, struct output **ret_output,
	struct enrg_error *err)
{
	struct output *output = calloc(1, sizeof(*output));
	int rc = 0;

	if (output)
		output->path = strdup(params->path);
	if (!output || !output->path) {
		output_close(output);
		return enrg_error_set(err, -ENOMEM, "%s: out of memory", params->path);
	}
	output->mode = params->mode;
	if (output->mode != OUTPUT_NEWEST)
		rc = enrg_file_open(store, output->path, &output->file, err);
	if (rc == 0 && output->mode == OUTPUT_TABLE)
		rc = enrg_schema_format_ipc(params->schema, NULL, &output->schema_ipc, &output->schema_bytes, err);
	if (rc == 0 && output->mode == OUTPUT_TABLE)
		rc = begin_table(store, output, params, err);
	if (rc != 0) {
		output_close(output);
		return rc;
	}
	*ret_output = output;
	return 0;
}

void output_close(struct output *output)
{
	if (!output)
		return;
	if (output->file)
		enrg_file_close(output->file);
	free(output->schema_ipc);
	free(output->newest);
	free(output->piece);
	free(output->path);
	free(output);
}

int output_fits(const struct output *output, const struct output_params *params, struct enrg_error *err)
{
	void *bytes;
	uint32_t count;
	bool is_equal;
	int rc;

	if (output->mode != params->mode)
		return ENRG_FILE_IS_OTHER;
	if (output->mode != OUTPUT_TABLE)
		return 0;
	rc = enrg_schema_format_ipc(params->schema, NULL, &bytes, &count, err);
	if (rc < 0)
		return rc;
	is_equal = count == output->schema_bytes && memcmp(bytes, output->schema_ipc, count) == 0;
	free(bytes);
	return is_equal ? 0 : ENRG_FILE_IS_OTHER;
}

/* --- large messages -------------------- */

static uint64_t cpu_now_ns(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Direct I/O wants memory that lies within its page as its place in the file does, and bytes without anything between
 * them seldom do. Copied into huge pages first they cost a third of what the page cache costs. */
static int write_copied(struct output *output, const uint8_t *bytes, uint64_t count, struct enrg_error *err)
{
	uint64_t pieces = (count + PIECE_BYTES - 1) / PIECE_BYTES;
	int rc = 0;

	for (; pieces > 0 && rc == 0; pieces--) {
		uint64_t at = enrg_file_size(output->file), piece = count / pieces;
		uint8_t *to = output->piece + at % PAGE_BYTES;
		enum copier_way way = copier_choose(&output->copier);
		uint64_t started_ns = cpu_now_ns();

		if (pieces > 1)
			piece += -(at + piece) % PAGE_BYTES;
		copier_copy(way, to, bytes, piece);
		rc = enrg_file_write(output->file, to, piece, err);
		copier_learn(&output->copier, way, (double)(cpu_now_ns() - started_ns) / (double)piece);
		bytes += piece;
		count -= piece;
	}
	return rc;
}

static int append(struct output *output, const uint8_t *bytes, uint64_t count, struct enrg_error *err)
{
	bool is_copied = enrg_file_wants_copy(output->file, bytes, count);

	if (is_copied && !output->piece) {
		output->piece = aligned_alloc(HUGE_PAGE_BYTES, PIECE_BYTES_MAX);
		if (output->piece)
			madvise(output->piece, PIECE_BYTES_MAX, MADV_HUGEPAGE); /* a wish */
	}
	if (is_copied && output->piece)
		return write_copied(output, bytes, count, err);
	return enrg_file_write(output->file, bytes, count, err);
}

/* --- writing -------------------- */

static int keep_newest(struct output *output, const uint8_t *bytes, uint64_t count, struct enrg_error *err)
{
	if (count > output->newest_capacity) {
		uint8_t *room = malloc(count);

		if (!room)
			return enrg_error_set(
				err, -ENOMEM, "%s: no memory for a message of %" PRIu64 " bytes", output->path, count);
		free(output->newest);
		output->newest = room;
		output->newest_capacity = count;
	}
	if (count > 0)
		memcpy(output->newest, bytes, count);
	output->newest_bytes = count;
	output->is_dirty = true;
	return 0;
}

int output_write(struct output *output, const struct enrg_batch *batch, struct enrg_error *err)
{
	const struct enrg_column_view *view = &batch->columns[0];
	const uint8_t *bytes = view->values;
	uint64_t last = batch->rows;

	if (output->mode != OUTPUT_NEWEST)
		enrg_file_count_rows(output->file, batch->rows);
	if (output->mode == OUTPUT_TABLE)
		return append(output, batch->ipc, batch->ipc_bytes, err);
	if (batch->is_gap || batch->rows == 0)
		return 0;
	if (output->mode == OUTPUT_NEWEST) {
		while (last > 1 && !enrg_column_present(view, last - 1))
			last--;
		return keep_newest(output, bytes + view->offsets[last - 1],
			(uint64_t)(view->offsets[last] - view->offsets[last - 1]), err);
	}
	if (view->offsets[last] == view->offsets[0])
		return 0;
	/* Rows lie one behind the other in the ring: all at once. */
	return append(output, bytes + view->offsets[0], (uint64_t)(view->offsets[last] - view->offsets[0]), err);
}

int output_commit(struct enrg_store *store, struct output *output, struct enrg_error *err)
{
	int rc;

	if (!output->is_dirty)
		return 0;
	rc = enrg_file_replace(store, output->path, output->newest, output->newest_bytes, err);
	if (rc == 0)
		output->is_dirty = false;
	return rc;
}
