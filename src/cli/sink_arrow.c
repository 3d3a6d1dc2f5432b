/* sink_arrow.c: batches into Arrow's file format or a stream: as they are where all columns are kept, else encoded
 * anew. In `enrgdaq convert`. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arrow/file_writer.h"
#include "arrow/merge.h"
#include "base/crc32c.h"
#include "cli/sink.h"

struct arrow_sink {
	const struct sink_params *params;
	struct file_writer writer;
	bool is_open, is_merged; /* is_merged: the template is one of merged batches */
	struct merger *merger;   /* NULL: batches stay as they are */
	/* for batches that are encoded anew */
	struct ipc_template *template;
	char source[ENRG_NAME_BYTES_MAX + 1], run[ENRG_NAME_BYTES_MAX + 1], tag[ENRG_NAME_BYTES_MAX + 1];
	struct ipc_column_place *places;
	uint64_t *variable;
	uint8_t *meta, *body;
	uint64_t body_capacity;
};

static void arrow_close(void *state)
{
	struct arrow_sink *sink = state;

	if (!sink)
		return;
	file_writer_close(&sink->writer);
	merger_destroy(sink->merger);
	ipc_template_destroy(sink->template);
	free(sink->places);
	free(sink->variable);
	free(sink->meta);
	free(sink->body);
	free(sink);
}

static int arrow_open(const struct sink_params *params, void **ret_state, struct enrg_error *err)
{
	struct arrow_sink *sink = calloc(1, sizeof(*sink));

	if (!sink)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	sink->params = params;
	sink->places = calloc(params->schema->column_count, sizeof(*sink->places));
	sink->variable = calloc(params->schema->column_count, sizeof(*sink->variable));
	if (!sink->places || !sink->variable) {
		arrow_close(sink);
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	*ret_state = sink;
	return 0;
}

static int emit(void *state, const void *meta, uint32_t meta_bytes, const void *body, uint64_t body_bytes,
	struct enrg_error *err)
{
	struct arrow_sink *sink = state;

	return file_writer_add(&sink->writer, meta, meta_bytes, body, body_bytes, err);
}

/* The file begins with the first batch, which says whose it is. */
static int begin(struct arrow_sink *sink, const struct enrg_batch *batch, struct enrg_error *err)
{
	const struct sink_params *params = sink->params;
	const struct ipc_origin origin = {batch ? batch->source : "", "", ""};
	char *path = NULL;
	void *made = NULL;
	uint32_t count = params->schema_ipc_bytes;
	int rc = 0;

	if (sink->is_open)
		return 0;
	if (!params->schema_ipc)
		rc = ipc_encode_run_schema(params->schema, &origin, params->run, &made, &count, err);
	if (rc == 0 && asprintf(&path, "%s/output.arrow%s", params->folder, params->is_stream ? "s" : "") < 0)
		rc = enrg_error_set(err, -ENOMEM, "out of memory");
	if (rc == 0)
		rc = file_writer_open(
			&sink->writer, path, params->is_stream, made ? made : params->schema_ipc, count, err);
	sink->is_open = rc == 0;
	if (rc == 0 && params->is_compact)
		rc = merger_create(params->schema, emit, sink, &sink->merger, err);
	free(path);
	free(made);
	return rc;
}

/* --- encoding --- */

static int choose_template(struct arrow_sink *sink, const struct enrg_batch *batch, struct enrg_error *err)
{
	const struct ipc_origin origin = {sink->source, sink->run, sink->tag};
	const struct ipc_stamp *stamp = &sink->params->message->stamp;
	bool is_merged = stamp->sequence_last > stamp->sequence;

	if (sink->template && sink->is_merged == is_merged && !strcmp(sink->source, batch->source) &&
		!strcmp(sink->run, batch->run) && !strcmp(sink->tag, batch->tag))
		return 0;
	ipc_template_destroy(sink->template);
	free(sink->meta);
	sink->template = NULL;
	snprintf(sink->source, sizeof(sink->source), "%s", batch->source);
	snprintf(sink->run, sizeof(sink->run), "%s", batch->run);
	snprintf(sink->tag, sizeof(sink->tag), "%s", batch->tag);
	sink->meta = NULL;
	sink->is_merged = is_merged;
	int rc = (is_merged ? ipc_template_create_merged : ipc_template_create)(
		sink->params->schema, &origin, &sink->template, err);
	if (rc < 0)
		return rc;
	sink->meta = aligned_alloc(64, (ipc_meta_bytes(sink->template) + 63) / 64 * 64);
	return sink->meta ? 0 : enrg_error_set(err, -ENOMEM, "out of memory");
}

static int grow_body(struct arrow_sink *sink, uint64_t bytes, struct enrg_error *err)
{
	if (bytes <= sink->body_capacity)
		return 0;
	uint8_t *grown = bytes < UINT64_MAX - 64 ? realloc(sink->body, bytes + 64) : NULL;
	if (!grown)
		return enrg_error_set(err, -ENOMEM, "no memory for a batch of %llu bytes", (unsigned long long)bytes);
	sink->body = grown;
	sink->body_capacity = bytes;
	return 0;
}

static void copy_column(const struct enrg_column *column, const struct enrg_column_view *view, uint64_t rows,
	const struct ipc_column_place *place, uint8_t *body)
{
	const uint8_t *values = view->values;

	if (view->offsets) {
		int32_t *offsets = (int32_t *)(void *)(body + place->offsets_offset);
		for (uint64_t row = 0; row <= rows; row++)
			offsets[row] = view->offsets[row] - view->offsets[0];
		values += (uint64_t)view->offsets[0] * enrg_column_item_bytes(column);
	}
	if (place->values_bytes)
		memcpy(body + place->values_offset, values, place->values_bytes);
	/* Bits behind the last row are nobody's. */
	if (column->type == ENRG_BOOL && rows % 8)
		body[place->values_offset + rows / 8] &= (uint8_t)((1u << (rows % 8)) - 1);
}

static int encode(struct arrow_sink *sink, const struct enrg_batch *batch, struct enrg_error *err)
{
	const struct enrg_schema *schema = sink->params->schema;
	uint64_t rows = batch->rows;
	int rc = choose_template(sink, batch, err);

	for (uint32_t i = 0; rc == 0 && i < schema->column_count; i++) {
		const struct enrg_column_view *view = &batch->columns[i];
		sink->variable[i] = view->offsets && rows ? (uint64_t)(view->offsets[rows] - view->offsets[0]) : 0;
		if (view->null_count)
			rc = enrg_error_set(err, -ENOTSUP,
				"column \"%s\" lacks values in some rows, which Arrow's formats keep only without "
				"--columns",
				schema->columns[i].name);
	}
	if (rc < 0)
		return rc;
	uint64_t body_bytes = ipc_place_columns(sink->template, rows, sink->variable, sink->places);
	rc = grow_body(sink, body_bytes, err);
	if (rc < 0)
		return rc;
	memset(sink->body, 0, body_bytes);
	for (uint32_t i = 0; rows && i < schema->column_count; i++)
		copy_column(&schema->columns[i], &batch->columns[i], rows, &sink->places[i], sink->body);
	const struct ipc_stamp stamp = {
		.sequence = batch->sequence,
		.sequence_last = sink->is_merged ? sink->params->message->stamp.sequence_last : 0,
		.acquired_ns = batch->acquired_ns,
		.epoch = batch->epoch,
		.body_crc = crc32c(0, sink->body, body_bytes),
		.is_gap = batch->is_gap,
	};
	ipc_write_meta(sink->template, sink->meta, rows, sink->variable, &stamp);
	return file_writer_add(&sink->writer, sink->meta, ipc_meta_bytes(sink->template), sink->body, body_bytes, err);
}

/* --- the sink --- */

static int arrow_write(void *state, const struct enrg_batch *batch, struct enrg_error *err)
{
	struct arrow_sink *sink = state;
	int rc = begin(sink, batch, err);

	if (rc < 0)
		return rc;
	if (!sink->params->schema_ipc)
		return encode(sink, batch, err);
	if (sink->merger)
		return merger_add(sink->merger, sink->params->message, batch, err);
	uint32_t meta_bytes = (uint32_t)(batch->ipc_bytes - batch->body_bytes);
	return file_writer_add(&sink->writer, batch->ipc, meta_bytes, (const uint8_t *)batch->ipc + meta_bytes,
		batch->body_bytes, err);
}

static int arrow_finish(void *state, struct enrg_error *err)
{
	struct arrow_sink *sink = state;
	int rc = begin(sink, NULL, err);

	if (rc == 0 && sink->merger)
		rc = merger_finish(sink->merger, err);
	return rc < 0 ? rc : file_writer_finish(&sink->writer, err);
}

const struct sink_type sink_arrow = {arrow_open, arrow_write, arrow_finish, arrow_close};
