/* merge.c: see the header. In the arrow store's process at the end of a file, and in `enrgdaq convert --compact`. */
#include "arrow/merge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arrow/ipc_layout.h"
#include "base/crc32c.h"

#define HEAPS_MAX 64u /* tables at a time that are gathered; the one that was used longest ago is emitted first */

struct bytes {
	uint8_t *at;
	uint64_t count, capacity;
};

struct heap_column {
	struct bytes values;  /* bits of bool: a byte a row until they are emitted */
	struct bytes offsets; /* int32, one more than rows */
};

/* What is gathered of one table. */
struct heap {
	char source[256], run[256], tag[256];
	struct ipc_stamp stamp;     /* sequence: of the first; sequence_last: of the last */
	uint64_t rows, bytes, used; /* used: when, in calls of merger_add */
	struct heap_column *columns;
	bool is_taken;
};

struct merger {
	const struct enrg_schema *schema;
	merge_emit_fn *emit;
	void *context;
	struct heap heaps[HEAPS_MAX];
	uint64_t *variable;
	struct ipc_column_place *places;
	uint64_t calls;
};

static int append(struct bytes *bytes, const void *from, uint64_t count)
{
	if (bytes->count + count > bytes->capacity) {
		uint64_t capacity = 2 * (bytes->count + count) + 64;
		uint8_t *grown = realloc(bytes->at, capacity);
		if (!grown)
			return -ENOMEM;
		bytes->at = grown;
		bytes->capacity = capacity;
	}
	if (count)
		memcpy(bytes->at + bytes->count, from, count);
	bytes->count += count;
	return 0;
}

int merger_create(const struct enrg_schema *schema, merge_emit_fn *emit, void *context, struct merger **ret_merger,
	struct enrg_error *err)
{
	struct merger *merger = calloc(1, sizeof(*merger));
	bool is_whole = merger != NULL;

	if (merger) {
		*merger = (struct merger){.schema = schema, .emit = emit, .context = context};
		merger->variable = calloc(schema->column_count, sizeof(*merger->variable));
		merger->places = calloc(schema->column_count, sizeof(*merger->places));
		is_whole = merger->variable && merger->places;
	}
	if (!is_whole) {
		merger_destroy(merger);
		return enrg_error_set(err, -ENOMEM, "no memory to merge batches of %u columns", schema->column_count);
	}
	*ret_merger = merger;
	return 0;
}

void merger_destroy(struct merger *merger)
{
	if (!merger)
		return;
	for (uint32_t i = 0; i < HEAPS_MAX; i++) {
		struct heap *heap = &merger->heaps[i];
		for (uint32_t k = 0; heap->columns && k < merger->schema->column_count; k++) {
			free(heap->columns[k].values.at);
			free(heap->columns[k].offsets.at);
		}
		free(heap->columns);
	}
	free(merger->variable);
	free(merger->places);
	free(merger);
}

/* --- emitting --- */

static void put_column(const struct enrg_column *column, const struct heap_column *from, uint64_t rows,
	const struct ipc_column_place *to, uint8_t *body)
{
	if (from->offsets.count)
		memcpy(body + to->offsets_offset, from->offsets.at, (rows + 1) * sizeof(int32_t));
	if (column->type != ENRG_BOOL && to->values_bytes)
		memcpy(body + to->values_offset, from->values.at, to->values_bytes);
	for (uint64_t row = 0; column->type == ENRG_BOOL && row < rows; row++)
		body[to->values_offset + row / 8] |= (uint8_t)(from->values.at[row] << (row % 8));
}

static int write_heap(
	struct merger *merger, const struct heap *heap, const struct ipc_template *template, struct enrg_error *err)
{
	uint64_t body_bytes = ipc_place_columns(template, heap->rows, merger->variable, merger->places);
	uint32_t meta_bytes = ipc_meta_bytes(template);
	uint8_t *message = body_bytes < UINT64_MAX / 2 ? calloc(1, meta_bytes + body_bytes) : NULL;
	struct ipc_stamp stamp = heap->stamp;

	if (!message)
		return enrg_error_set(err, -ENOMEM, "no memory for a merged batch");
	for (uint32_t i = 0; i < merger->schema->column_count; i++)
		put_column(&merger->schema->columns[i], &heap->columns[i], heap->rows, &merger->places[i],
			message + meta_bytes);
	stamp.body_crc = crc32c(0, message + meta_bytes, body_bytes);
	ipc_write_meta(template, message, heap->rows, merger->variable, &stamp);
	int rc = merger->emit(merger->context, message, meta_bytes, message + meta_bytes, body_bytes, err);
	free(message);
	return rc;
}

static int emit_heap(struct merger *merger, struct heap *heap, struct enrg_error *err)
{
	const struct ipc_origin origin = {heap->source, heap->run, heap->tag};
	struct ipc_template *template;

	if (!heap->is_taken)
		return 0;
	heap->is_taken = false;
	for (uint32_t i = 0; i < merger->schema->column_count; i++)
		merger->variable[i] =
			heap->columns[i].offsets.count
				? heap->columns[i].values.count / enrg_column_item_bytes(&merger->schema->columns[i])
				: 0;
	int rc = ipc_template_create_merged(merger->schema, &origin, &template, err);
	if (rc < 0)
		return rc;
	rc = write_heap(merger, heap, template, err);
	ipc_template_destroy(template);
	return rc;
}

int merger_finish(struct merger *merger, struct enrg_error *err)
{
	int rc = 0;

	for (uint32_t i = 0; i < HEAPS_MAX && rc == 0; i++)
		rc = emit_heap(merger, &merger->heaps[i], err);
	return rc;
}

/* --- gathering --- */

bool merge_is_small(const struct ipc_message *message)
{
	return message->type == IPC_RECORD_BATCH && !message->is_end && message->has_stamp && message->meta_crc_ok &&
	       !message->stamp.is_gap && !message->is_compressed && message->stamp.sequence > 0 &&
	       message->stamp.sequence_last < UINT64_MAX && /* no range has these ends */
	       message->meta_bytes + message->body_bytes <= MERGE_SMALL_BYTES;
}

static bool has_all_values(const struct merger *merger, const struct enrg_batch *batch)
{
	for (uint32_t i = 0; batch->columns && i < merger->schema->column_count; i++)
		if (batch->columns[i].null_count)
			return false;
	return batch->columns != NULL;
}

static int take_column(
	struct heap_column *to, const struct enrg_column *column, const struct enrg_column_view *view, uint64_t rows)
{
	const uint8_t *values = view->values;
	uint64_t count = rows * enrg_type_bytes(column->type);
	int rc = 0;

	if (column->type == ENRG_BOOL) {
		for (uint64_t row = 0; row < rows && rc == 0; row++) {
			uint8_t bit = (uint8_t)(values[row / 8] >> (row % 8) & 1);
			rc = append(&to->values, &bit, 1);
		}
		return rc;
	}
	if (enrg_type_is_variable(column->type)) {
		int32_t base = (int32_t)(to->values.count / enrg_column_item_bytes(column));
		if (to->offsets.count == 0)
			rc = append(&to->offsets, &base, sizeof(base));
		for (uint64_t row = 0; row < rows && rc == 0; row++) {
			int32_t end = base + view->offsets[row + 1] - view->offsets[0];
			rc = append(&to->offsets, &end, sizeof(end));
		}
		values += (uint64_t)view->offsets[0] * enrg_column_item_bytes(column);
		count = (uint64_t)(view->offsets[rows] - view->offsets[0]) * enrg_column_item_bytes(column);
	}
	return rc < 0 ? rc : append(&to->values, values, count);
}

static bool heap_is_of(const struct heap *heap, const struct ipc_message *message)
{
	return heap->is_taken && !strcmp(heap->source, message->source) && !strcmp(heap->run, message->run) &&
	       !strcmp(heap->tag, message->tag);
}

static bool heap_continues(const struct heap *heap, const struct ipc_message *message)
{
	return heap->stamp.epoch == message->stamp.epoch && heap->stamp.sequence_last + 1 == message->stamp.sequence &&
	       heap->rows < MERGE_ROWS_MAX && heap->bytes < MERGE_BODY_BYTES &&
	       message->stamp.sequence_last - heap->stamp.sequence < IPC_MERGED_MAX;
}

static struct heap *find_heap(struct merger *merger, const struct ipc_message *message)
{
	for (uint32_t i = 0; i < HEAPS_MAX; i++)
		if (heap_is_of(&merger->heaps[i], message))
			return &merger->heaps[i];
	return NULL;
}

/* An empty one for this table. */
static int begin_heap(
	struct merger *merger, const struct ipc_message *message, struct heap **ret_heap, struct enrg_error *err)
{
	struct heap *heap = &merger->heaps[0];

	for (uint32_t i = 1; i < HEAPS_MAX && heap->is_taken; i++)
		if (!merger->heaps[i].is_taken || merger->heaps[i].used < heap->used)
			heap = &merger->heaps[i];
	int rc = emit_heap(merger, heap, err);
	if (rc == 0 && !heap->columns)
		heap->columns = calloc(merger->schema->column_count, sizeof(*heap->columns));
	if (rc == 0 && !heap->columns)
		rc = enrg_error_set(err, -ENOMEM, "no memory to merge batches");
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < merger->schema->column_count; i++)
		heap->columns[i].values.count = heap->columns[i].offsets.count = 0;
	strcpy(heap->source, message->source);
	strcpy(heap->run, message->run);
	strcpy(heap->tag, message->tag);
	heap->stamp = message->stamp;
	heap->rows = heap->bytes = 0;
	heap->is_taken = true;
	*ret_heap = heap;
	return 0;
}

static int gather(struct merger *merger, struct heap *heap, const struct ipc_message *message,
	const struct enrg_batch *batch, struct enrg_error *err)
{
	int rc = 0;

	for (uint32_t i = 0; i < merger->schema->column_count && rc == 0; i++)
		rc = take_column(&heap->columns[i], &merger->schema->columns[i], &batch->columns[i], batch->rows);
	if (rc < 0)
		return enrg_error_set(err, rc, "no memory to merge batches");
	heap->rows += batch->rows;
	heap->bytes += batch->body_bytes;
	heap->used = ++merger->calls;
	heap->stamp.sequence_last = message->stamp.sequence_last;
	if (message->stamp.acquired_ns < heap->stamp.acquired_ns)
		heap->stamp.acquired_ns = message->stamp.acquired_ns;
	return 0;
}

int merger_add(struct merger *merger, const struct ipc_message *message, const struct enrg_batch *batch,
	struct enrg_error *err)
{
	bool is_small = merge_is_small(message) && has_all_values(merger, batch);
	uint32_t meta_bytes = (uint32_t)(batch->ipc_bytes - batch->body_bytes);
	struct heap *heap = find_heap(merger, message);
	int rc = 0;

	/* The order within a table stays. */
	if (heap && (!is_small || !heap_continues(heap, message))) {
		rc = emit_heap(merger, heap, err);
		heap = NULL;
	}
	if (rc == 0 && is_small && !heap)
		rc = begin_heap(merger, message, &heap, err);
	if (rc < 0)
		return rc;
	if (is_small)
		return gather(merger, heap, message, batch, err);
	return merger->emit(merger->context, batch->ipc, meta_bytes, (const uint8_t *)batch->ipc + meta_bytes,
		batch->body_bytes, err);
}
