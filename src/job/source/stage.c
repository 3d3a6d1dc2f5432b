/* stage.c: enrg_output_append. Rows gather in private memory and reach the ring as one batch, so that a claim never
 * stays open while the author does something else. Main thread of a source process. */
#include "job/source/stage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "job/source/body.h"
#include "job/source/output.h"

#define STAGE_ROWS_MAX 65536u

void stage_fini(struct stage *stage, uint32_t column_count)
{
	for (uint32_t i = 0; stage->columns && i < column_count; i++) {
		free(stage->columns[i].bytes);
		free(stage->columns[i].offsets);
	}
	free(stage->columns);
	free(stage->variable);
	free(stage->wanted);
	*stage = (struct stage){0};
}

/* Rows after which the numbers, bits and offsets alone fill a batch. */
static uint64_t rows_of_batch(const struct enrg_output *output)
{
	uint64_t row_bits = 0;

	for (uint32_t i = 0; i < output->schema->column_count; i++) {
		uint32_t bytes = enrg_type_bytes(output->schema->columns[i].type);
		bool is_bit = output->schema->columns[i].type == ENRG_BOOL;
		row_bits += is_bit ? 1 : bytes ? bytes * 8ull : sizeof(int32_t) * 8;
	}
	if (row_bits == 0) /* a table without columns, which schema.c refuses */
		return 1;
	uint64_t rows = STAGE_BYTES * 8ull / row_bits;
	rows = rows > STAGE_ROWS_MAX ? STAGE_ROWS_MAX : rows;
	rows = rows > output->rows_max ? output->rows_max : rows;
	return rows ? rows : 1;
}

static int stage_init(struct enrg_output *output, struct enrg_error *err)
{
	struct stage *stage = &output->stage;
	uint32_t count = output->schema->column_count;
	bool is_complete;

	stage->rows_max = rows_of_batch(output);
	stage->variable = calloc(count, sizeof(uint64_t));
	stage->wanted = calloc(count, sizeof(uint64_t));
	stage->columns = calloc(count, sizeof(*stage->columns));
	is_complete = stage->variable && stage->wanted && stage->columns;
	for (uint32_t i = 0; is_complete && i < count; i++) {
		enum enrg_type type = output->schema->columns[i].type;
		struct stage_column *column = &stage->columns[i];
		if (enrg_type_is_variable(type)) {
			column->offsets = calloc(stage->rows_max + 1, sizeof(int32_t));
			is_complete = column->offsets != NULL;
			continue;
		}
		column->capacity =
			type == ENRG_BOOL ? (stage->rows_max + 7) / 8 : stage->rows_max * enrg_type_bytes(type);
		column->bytes = calloc(column->capacity, 1);
		is_complete = column->bytes != NULL;
	}
	if (is_complete)
		return 0;
	stage_fini(stage, count);
	return enrg_error_set(err, -ENOMEM, "append: out of memory");
}

static void stage_clear(struct enrg_output *output)
{
	struct stage *stage = &output->stage;

	for (uint32_t i = 0; i < output->schema->column_count; i++) {
		struct stage_column *column = &stage->columns[i];
		if (output->schema->columns[i].type == ENRG_BOOL)
			memset(column->bytes, 0, column->used);
		column->used = 0;
		stage->variable[i] = 0;
	}
	stage->rows = 0;
	stage->variable_bytes = 0;
	output->set->staged--;
}

int stage_flush(struct enrg_output *output, struct enrg_error *err)
{
	struct stage *stage = &output->stage;

	if (!stage->rows)
		return 0;
	int rc = output_claim_body(output, stage->rows, stage->variable, err);
	if (rc == -EBUSY)
		return rc;
	if (rc < 0) {
		output_count_abandoned(output, stage->rows, rc);
		stage_clear(output);
		return rc;
	}
	struct output_filler filler = output_begin_body(output);
	for (uint32_t i = 0; i < output->schema->column_count; i++) {
		const struct ipc_column_place *place = &output->places[i];
		if (stage->columns[i].offsets)
			output_put(&filler, place->offsets_offset, stage->columns[i].offsets,
				(stage->rows + 1) * sizeof(int32_t));
		output_put(&filler, place->values_offset, stage->columns[i].bytes, place->values_bytes);
	}
	output_commit_body(output, &filler, stage->acquired_ns);
	stage_clear(output);
	return 0;
}

/* Does the batch with one more row fit into a record? */
static bool fits(struct enrg_output *output, const struct enrg_value *values)
{
	struct stage *stage = &output->stage;

	if (!output->variable_count)
		return stage->rows < output->rows_max;
	for (uint32_t i = 0; i < output->schema->column_count; i++) {
		bool is_variable = stage->columns[i].offsets != NULL;
		if (is_variable && values[i].count > INT32_MAX)
			return false;
		stage->wanted[i] = stage->variable[i] + (is_variable ? values[i].count : 0);
	}
	uint64_t body = ipc_body_bytes(output->template, stage->rows + 1, stage->wanted);
	return body != UINT64_MAX && output->meta_bytes + body <= stream_payload_max(output->set->params.stream);
}

static int put_variable(
	struct enrg_output *output, uint32_t index, const struct enrg_value *value, struct enrg_error *err)
{
	struct stage *stage = &output->stage;
	struct stage_column *column = &stage->columns[index];
	uint64_t bytes = value->count * enrg_column_item_bytes(&output->schema->columns[index]);

	if (column->used + bytes > column->capacity) {
		uint64_t capacity = (column->used + bytes) * 2;
		uint8_t *larger = realloc(column->bytes, capacity);
		if (!larger)
			return enrg_error_set(err, -ENOMEM, "append: out of memory");
		column->bytes = larger;
		column->capacity = capacity;
	}
	if (bytes)
		memcpy(column->bytes + column->used, value->data, bytes);
	column->used += bytes;
	column->offsets[stage->rows + 1] = column->offsets[stage->rows] + (int32_t)value->count;
	return 0;
}

static void put_number(struct enrg_output *output, uint32_t index, const struct enrg_value *value)
{
	struct stage_column *column = &output->stage.columns[index];
	enum enrg_type type = output->schema->columns[index].type;
	uint64_t row = output->stage.rows;
	float narrow;

	switch (type) {
	case ENRG_BOOL:
		column->used = row / 8 + 1;
		if (value->i)
			column->bytes[row / 8] |= (uint8_t)(1u << (row % 8));
		return;
	case ENRG_F32:
		narrow = (float)value->f;
		memcpy(column->bytes + column->used, &narrow, sizeof(narrow));
		break;
	case ENRG_I8:
	case ENRG_I16:
	case ENRG_I32:
	case ENRG_I64:
	case ENRG_U8:
	case ENRG_U16:
	case ENRG_U32:
	case ENRG_U64:
	case ENRG_TIMESTAMP_NS:
	case ENRG_F64: /* little-endian: the low bytes of an integer are the narrower integer */
		memcpy(column->bytes + column->used, &value->u, enrg_type_bytes(type));
		break;
	case ENRG_STRING:
	case ENRG_BINARY:
	case ENRG_LIST:
		return;
	}
	column->used += enrg_type_bytes(type);
}

/* All variable columns first: they alone can fail, and then the row is not there. */
static int put_row(struct enrg_output *output, const struct enrg_value *values, struct enrg_error *err)
{
	struct stage *stage = &output->stage;
	uint64_t variable_bytes = 0;

	for (uint32_t i = 0; output->variable_count && i < output->schema->column_count; i++) {
		if (!stage->columns[i].offsets)
			continue;
		int rc = put_variable(output, i, &values[i], err);
		if (rc < 0) {
			for (uint32_t back = 0; back < i; back++)
				if (stage->columns[back].offsets)
					stage->columns[back].used =
						stage->variable[back] *
						enrg_column_item_bytes(&output->schema->columns[back]);
			return rc;
		}
		variable_bytes += values[i].count * enrg_column_item_bytes(&output->schema->columns[i]);
	}
	for (uint32_t i = 0; i < output->schema->column_count; i++) {
		if (stage->columns[i].offsets)
			stage->variable[i] += values[i].count;
		else
			put_number(output, i, &values[i]);
	}
	stage->variable_bytes += variable_bytes;
	stage->rows++;
	return 0;
}

static bool is_full(const struct stage *stage)
{
	return stage->rows >= stage->rows_max || stage->variable_bytes >= STAGE_BYTES;
}

/* Its first row is there. */
static void begin_batch(struct enrg_output *output, uint64_t now_ns)
{
	output->stage.due_ns = now_ns + STAGE_LINGER_NS;
	output->stage.acquired_ns = clock_wall_ns();
	output->set->staged++;
}

int enrg_output_append(struct enrg_output *output, const struct enrg_value *values, struct enrg_error *err)
{
	struct stage *stage = &output->stage;
	int rc = 0;

	if (!output->is_wanted)
		return 0;
	if (!stage->columns)
		rc = stage_init(output, err);
	if (rc < 0)
		return rc;
	uint64_t now = clock_mono_ns();
	bool has_room = !is_full(stage) && fits(output, values);
	if (stage->rows && (!has_room || (now >= stage->due_ns && !output->set->claimed))) {
		rc = stage_flush(output, err);
		if (rc < 0)
			return rc;
		has_room = fits(output, values);
	}
	if (!has_room)
		return enrg_error_set(err, -EMSGSIZE,
			"append: one row is larger than the largest batch (%llu bytes): raise "
			"ring_buffer_slot_size_kb in supervisor.toml",
			(unsigned long long)stream_payload_max(output->set->params.stream));
	bool is_first = stage->rows == 0;
	rc = put_row(output, values, err);
	if (rc < 0)
		return rc;
	if (is_first)
		begin_batch(output, now);
	return is_full(stage) && !output->set->claimed ? stage_flush(output, err) : 0;
}

/* --- many rows at once --- */

/* Numbers that do not lie one behind the other; `bytes` is 1, 2, 4 or 8. */
static void gather(uint8_t *to, const uint8_t *from, uint64_t stride_bytes, uint64_t count, uint32_t bytes)
{
	switch (bytes) {
	case 8:
		for (uint64_t i = 0; i < count; i++)
			memcpy(to + i * 8, from + i * stride_bytes, 8);
		break;
	case 4:
		for (uint64_t i = 0; i < count; i++)
			memcpy(to + i * 4, from + i * stride_bytes, 4);
		break;
	case 2:
		for (uint64_t i = 0; i < count; i++)
			memcpy(to + i * 2, from + i * stride_bytes, 2);
		break;
	default:
		for (uint64_t i = 0; i < count; i++)
			to[i] = from[i * stride_bytes];
	}
}

static void put_booleans(
	struct stage *stage, struct stage_column *column, const uint8_t *from, uint64_t stride_bytes, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		if (from[i * stride_bytes])
			column->bytes[(stage->rows + i) / 8] |= (uint8_t)(1u << ((stage->rows + i) % 8));
	column->used = (stage->rows + count + 7) / 8;
}

static void put_numbers(
	struct enrg_output *output, uint32_t index, const struct enrg_column_rows *rows, uint64_t first, uint64_t count)
{
	struct stage_column *column = &output->stage.columns[index];
	enum enrg_type type = output->schema->columns[index].type;
	uint32_t bytes = type == ENRG_BOOL ? 1 : enrg_type_bytes(type);
	uint64_t stride_bytes = rows->stride_bytes ? rows->stride_bytes : bytes;
	const uint8_t *from = (const uint8_t *)rows->values + first * stride_bytes;

	if (type == ENRG_BOOL) {
		put_booleans(&output->stage, column, from, stride_bytes, count);
		return;
	}
	if (stride_bytes == bytes)
		memcpy(column->bytes + column->used, from, count * bytes);
	else
		gather(column->bytes + column->used, from, stride_bytes, count, bytes);
	column->used += count * bytes;
}

/* As many as the open batch has room for. */
static uint64_t put_rows(struct enrg_output *output, const struct enrg_column_rows *columns, uint64_t first,
	uint64_t rows, uint64_t now_ns)
{
	struct stage *stage = &output->stage;
	uint64_t room = stage->rows_max - stage->rows, count = rows < room ? rows : room;

	for (uint32_t i = 0; i < output->schema->column_count; i++)
		put_numbers(output, i, &columns[i], first, count);
	if (stage->rows == 0)
		begin_batch(output, now_ns);
	stage->rows += count;
	return count;
}

int enrg_output_append_many(
	struct enrg_output *output, uint64_t rows, const struct enrg_column_rows *columns, struct enrg_error *err)
{
	struct stage *stage = &output->stage;
	uint64_t done = 0, now_ns = clock_mono_ns();
	int rc = 0;

	if (output->variable_count || output->schema->is_blob)
		return enrg_error_set(err, -EINVAL, "append_many: only for tables of numbers");
	if (!output->is_wanted)
		return 0;
	if (!stage->columns)
		rc = stage_init(output, err);
	if (rc == 0 && stage->rows && now_ns >= stage->due_ns && !output->set->claimed)
		rc = stage_flush(output, err);
	while (rc == 0 && done < rows) {
		if (is_full(stage))
			rc = stage_flush(output, err);
		if (rc == 0)
			done += put_rows(output, columns, done, rows - done, now_ns);
		if (rc == 0 && is_full(stage) && !output->set->claimed)
			rc = stage_flush(output, err);
	}
	if (done < rows)
		output_count_abandoned(output, rows - done, rc);
	return rc;
}
