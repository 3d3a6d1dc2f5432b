/* merge_proof.c: see the header. */
#include "arrow/merge_proof.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"

/* Each batch looks for its table among them: 30,000 tables of two batches each took over a minute. */
#define TABLES_MAX 1024u

struct merge_proof_table {
	char source[256], run[256], tag[256];
	uint64_t rows, batches, oldest_ns;
	uint32_t sequences, verbatim; /* check sums */
	uint32_t *values, *lengths;   /* one a column */
};

static bool is_of(const struct merge_proof_table *table, const char *source, const char *run, const char *tag)
{
	return !strcmp(table->source, source) && !strcmp(table->run, run) && !strcmp(table->tag, tag);
}

static const struct merge_proof_table *find(
	const struct merge_proof *proof, const char *source, const char *run, const char *tag)
{
	for (size_t i = 0; i < proof->count; i++)
		if (is_of(&proof->tables[i], source, run, tag))
			return &proof->tables[i];
	return NULL;
}

static int begin(struct merge_proof *proof, const struct ipc_message *message, struct enrg_error *err)
{
	if (proof->count == TABLES_MAX)
		return enrg_error_set(err, ENRG_E_CORRUPT, "it holds more than %u tables", TABLES_MAX);
	if (proof->count == proof->capacity) {
		size_t capacity = proof->capacity ? 2 * proof->capacity : 8;
		struct merge_proof_table *grown = realloc(proof->tables, capacity * sizeof(*grown));
		if (!grown)
			return enrg_error_set(err, -ENOMEM, "no memory for %zu tables", capacity);
		proof->tables = grown;
		proof->capacity = capacity;
	}
	struct merge_proof_table *table = &proof->tables[proof->count];
	*table = (struct merge_proof_table){.oldest_ns = UINT64_MAX};
	table->values = calloc(2 * (size_t)proof->schema->column_count, sizeof(*table->values));
	if (!table->values)
		return enrg_error_set(err, -ENOMEM, "no memory for a table");
	table->lengths = table->values + proof->schema->column_count;
	strcpy(table->source, message->source);
	strcpy(table->run, message->run);
	strcpy(table->tag, message->tag);
	proof->count++;
	return 0;
}

static void add_column(struct merge_proof_table *table, uint32_t index, const struct enrg_column *column,
	const struct enrg_column_view *view, uint64_t rows)
{
	const uint8_t *values = view->values;
	uint32_t width = enrg_column_item_bytes(column);

	if (column->type == ENRG_BOOL) {
		for (uint64_t row = 0; row < rows; row++) {
			uint8_t bit = (uint8_t)(values[row / 8] >> (row % 8) & 1);
			table->values[index] = crc32c(table->values[index], &bit, 1);
		}
		return;
	}
	if (!view->offsets) {
		table->values[index] = crc32c(table->values[index], values, rows * width);
		return;
	}
	for (uint64_t row = 0; row < rows; row++) {
		int32_t length = view->offsets[row + 1] - view->offsets[row];
		table->lengths[index] = crc32c(table->lengths[index], &length, sizeof(length));
	}
	table->values[index] = crc32c(table->values[index], values + (uint64_t)view->offsets[0] * width,
		(uint64_t)(view->offsets[rows] - view->offsets[0]) * width);
}

static bool has_nulls(const struct merge_proof *proof, const struct enrg_batch *batch)
{
	for (uint32_t i = 0; i < proof->schema->column_count; i++)
		if (batch->columns[i].null_count)
			return true;
	return false;
}

int merge_proof_add(struct merge_proof *proof, const struct ipc_message *message, const struct enrg_batch *batch,
	struct enrg_error *err)
{
	struct merge_proof_table *table =
		(struct merge_proof_table *)find(proof, message->source, message->run, message->tag);
	const struct ipc_stamp *stamp = &message->stamp;

	if (!table) {
		int rc = begin(proof, message, err);
		if (rc < 0)
			return rc;
		table = &proof->tables[proof->count - 1];
	}
	for (uint64_t i = 0; i <= stamp->sequence_last - stamp->sequence; i++) {
		const uint64_t what[3] = {stamp->sequence + i, stamp->epoch, stamp->is_gap};
		table->sequences = crc32c(table->sequences, what, sizeof(what));
		table->batches++;
	}
	table->rows += message->rows;
	table->oldest_ns = stamp->acquired_ns < table->oldest_ns ? stamp->acquired_ns : table->oldest_ns;
	if (!batch->columns || stamp->is_gap || has_nulls(proof, batch)) {
		table->verbatim = crc32c(table->verbatim, batch->ipc, batch->ipc_bytes);
		return 0;
	}
	for (uint32_t i = 0; i < proof->schema->column_count; i++)
		add_column(table, i, &proof->schema->columns[i], &batch->columns[i], batch->rows);
	return 0;
}

bool merge_proof_equal(const struct merge_proof *a, const struct merge_proof *b)
{
	if (a->count != b->count || a->schema->column_count != b->schema->column_count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		const struct merge_proof_table *x = &a->tables[i], *y = find(b, x->source, x->run, x->tag);
		if (!y || x->rows != y->rows || x->batches != y->batches || x->oldest_ns != y->oldest_ns ||
			x->sequences != y->sequences || x->verbatim != y->verbatim ||
			memcmp(x->values, y->values, 2 * (size_t)a->schema->column_count * sizeof(*x->values)) != 0)
			return false;
	}
	return true;
}

void merge_proof_fini(struct merge_proof *proof)
{
	for (size_t i = 0; i < proof->count; i++)
		free(proof->tables[i].values);
	free(proof->tables);
	*proof = (struct merge_proof){0};
}
