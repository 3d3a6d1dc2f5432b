/* preview.c: see the header. */
#include "web/live/preview.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "web/live/waves.h"

#define VALUES_MAX 20000u /* of a table, lists counted with what is shown of them */
#define LIST_MAX   256u   /* values of a list that are shown */
#define TEXT_MAX   200u   /* bytes of a text */
#define LOOK_NS    5000000
#define TABLES     256u

/* --- values ------------------------------------------------------------------------------------------------------- */

static json_t *make_text(const char *text, size_t bytes)
{
	char cut[TEXT_MAX + 4];
	size_t count = bytes < TEXT_MAX ? bytes : TEXT_MAX;

	memcpy(cut, text, count);
	cut[count] = '\0';
	text_make_safe(cut, count);
	return json_stringn(cut, count);
}

/* Integers as they are, others as doubles; what JSON has no number for is null. */
static json_t *make_number(enum enrg_type type, const void *values, uint64_t i)
{
	double real = enrg_type_real(type, values, i);

	if (enrg_type_is_float(type))
		return isfinite(real) ? json_real(real) : json_null();
	if (type == ENRG_U64 && ((const uint64_t *)values)[i] > INT64_MAX) /* beyond what jansson keeps */
		return json_real((double)((const uint64_t *)values)[i]);
	return json_integer((json_int_t)waves_integer(type, values, i));
}

static json_t *make_list(const struct enrg_column_view *view, enum enrg_type item, uint64_t row)
{
	uint64_t first = (uint64_t)view->offsets[row], count = (uint64_t)(view->offsets[row + 1] - view->offsets[row]);
	json_t *values = json_array();

	for (uint64_t i = 0; i < count && i < LIST_MAX; i++)
		json_array_append_new(values, make_number(item, view->values, first + i));
	return json_pack("{s:I, s:o}", "count", (json_int_t)count, "values", values);
}

static json_t *make_value(const struct enrg_column *column, const struct enrg_column_view *view, uint64_t row)
{
	char time[ENRG_TIMESTAMP_BYTES + 1];

	if (!enrg_column_present(view, row))
		return json_null();
	switch (column->type) {
	case ENRG_BOOL:
		return json_boolean((((const uint8_t *)view->values)[row >> 3] >> (row & 7)) & 1);
	case ENRG_STRING:
		return make_text((const char *)view->values + view->offsets[row],
			(size_t)(view->offsets[row + 1] - view->offsets[row]));
	case ENRG_BINARY:
		return json_pack("{s:I}", "bytes", (json_int_t)(view->offsets[row + 1] - view->offsets[row]));
	case ENRG_LIST:
		return make_list(view, column->item, row);
	case ENRG_TIMESTAMP_NS:
		*enrg_timestamp_format(((const int64_t *)view->values)[row], time) = '\0';
		return json_string(time);
	case ENRG_I8:
	case ENRG_I16:
	case ENRG_I32:
	case ENRG_I64:
	case ENRG_U8:
	case ENRG_U16:
	case ENRG_U32:
	case ENRG_U64:
	case ENRG_F32:
	case ENRG_F64:
		return make_number(column->type, view->values, row);
	}
	return json_null();
}

/* --- tables ------------------------------------------------------------------------------------------------------- */

static json_t *make_columns(const struct enrg_schema *schema)
{
	json_t *columns = json_array();

	for (uint32_t i = 0; i < schema->column_count; i++) {
		const struct enrg_column *column = &schema->columns[i];
		json_t *entry = json_pack("{s:s, s:s, s:s}", "name", column->name, "type", enrg_type_name(column->type),
			"unit", column->unit ? column->unit : "");

		if (entry && column->type == ENRG_LIST)
			json_object_set_new(entry, "item", json_string(enrg_type_name(column->item)));
		json_array_append_new(columns, entry);
	}
	return columns;
}

static json_t *make_notes(const struct enrg_schema *schema)
{
	json_t *notes = json_array();

	for (uint32_t i = 0; i < schema->note_count; i++)
		json_array_append_new(notes, json_pack("{s:s?, s:s, s:s}", "column", schema->notes[i].column, "key",
						     schema->notes[i].key, "value", schema->notes[i].value));
	return notes;
}

static uint64_t count_values(const struct enrg_schema *schema)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < schema->column_count; i++)
		count += schema->columns[i].type == ENRG_LIST ? LIST_MAX : 1;
	return count;
}

static json_t *make_rows(const struct enrg_batch *batch, uint32_t rows)
{
	uint64_t fit = VALUES_MAX / count_values(batch->schema), count = rows < fit ? rows : fit ? fit : 1;
	json_t *list = json_array();

	for (uint64_t row = batch->rows > count ? batch->rows - count : 0; row < batch->rows; row++) {
		json_t *values = json_array();

		for (uint32_t i = 0; i < batch->schema->column_count; i++)
			json_array_append_new(values, make_value(&batch->schema->columns[i], &batch->columns[i], row));
		json_array_append_new(list, values);
	}
	return list;
}

json_t *preview_batch(const struct enrg_batch *batch, uint32_t rows)
{
	char at[40];

	clock_format_utc(batch->acquired_ns, at, sizeof(at));
	return json_pack("{s:s, s:I, s:I, s:I, s:b, s:s, s:o, s:o, s:o}", "tag", batch->tag, "sequence",
		(json_int_t)batch->sequence, "batch_rows", (json_int_t)batch->rows, "batch_bytes",
		(json_int_t)batch->ipc_bytes, "is_blob", batch->schema->is_blob, "acquired_at", at, "columns",
		make_columns(batch->schema), "notes", make_notes(batch->schema), "rows", make_rows(batch, rows));
}

/* --- looking ------------------------------------------------------------------------------------------------------ */

struct looking {
	json_t *tables[TABLES]; /* the newest of each */
	uint32_t count, instance;
	char run[64];
};

static void forget(struct looking *looking)
{
	for (size_t i = 0; i < TABLES; i++)
		json_decref(looking->tables[i]);
	memset(looking->tables, 0, sizeof(looking->tables));
	looking->count = 0;
}

static void look(struct enrg_stream *stream, const struct preview_params *params, struct looking *looking)
{
	const struct enrg_record *record;
	const struct enrg_batch *batch;

	while (enrg_stream_next(stream, &record, NULL) == 1) {
		if (looking->instance != record->instance)
			forget(looking);
		looking->instance = record->instance;
		json_t **table = &looking->tables[record->table % TABLES];
		if (record->is_gap || !record->rows || *table || looking->count == PREVIEW_TABLES_MAX ||
			enrg_stream_read(stream, &batch, NULL) < 0)
			continue;
		*table = preview_batch(batch, params->rows);
		looking->count += *table != NULL;
		text_copy(looking->run, sizeof(looking->run), batch->run);
	}
}

static json_t *collect(struct enrg_stream *stream, const struct preview_params *params)
{
	static const struct timespec pause = {.tv_nsec = LOOK_NS};
	uint64_t began_ns = clock_mono_ns(), until_ns = began_ns + params->wait_ms * UINT64_C(1000000);
	struct looking looking = {.count = 0};
	json_t *tables = json_array();

	for (;;) {
		look(stream, params, &looking);
		if (looking.count >= params->tables || clock_mono_ns() >= until_ns)
			break;
		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
	}
	for (size_t i = 0; i < TABLES; i++)
		if (looking.tables[i])
			json_array_append(tables, looking.tables[i]);
	json_t *preview = json_pack("{s:s, s:s, s:I, s:o}", "source", params->source, "run", looking.run, "waited_ms",
		(json_int_t)((clock_mono_ns() - began_ns) / 1000000), "tables", tables);
	forget(&looking);
	return preview;
}

int preview_make(const struct preview_params *params, json_t **ret_preview, struct enrg_error *err)
{
	const struct enrg_stream_params wanted = {.size = sizeof(wanted), .source = params->source};
	struct enrg_client *client = NULL;
	struct enrg_stream *stream = NULL;
	int rc = enrg_client_open(params->supervisor, &client, err);

	if (rc < 0)
		return rc == -ENOENT ? enrg_error_add(err, -EAGAIN, "the system is not there") : rc;
	rc = enrg_stream_open(client, &wanted, &stream, err);
	if (rc == 0) {
		*ret_preview = collect(stream, params);
		rc = *ret_preview ? 0 : enrg_error_set(err, -ENOMEM, "out of memory");
	}
	enrg_stream_close(stream);
	enrg_client_close(client);
	return rc;
}
