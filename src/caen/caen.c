/* caen.c: see the header. */
#include "caen/caen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "caen/layout.h"

#define BATCH_EVENTS 4096u
#define BATCH_BYTES  (4u << 20)
#define NAMES_BYTES  4096u

static const struct field {
	const char *name;
	enum enrg_type type, item;
	const char *unit;
} fields[CAEN_FIELDS] = {
	[CAEN_BOARD] = {"board", ENRG_U16, 0, NULL},
	[CAEN_CHANNEL] = {"channel", ENRG_U16, 0, NULL},
	[CAEN_TIME] = {"timestamp_ps", ENRG_U64, 0, "ps"},
	[CAEN_ENERGY] = {"energy", ENRG_U16, 0, NULL},
	[CAEN_CALIBRATED] = {"energy_calibrated", ENRG_F64, 0, NULL},
	[CAEN_SHORT] = {"energy_short", ENRG_U16, 0, NULL},
	[CAEN_FLAGS] = {"flags", ENRG_U32, 0, NULL},
	[CAEN_CODE] = {"waveform_code", ENRG_U8, 0, NULL},
	[CAEN_PATTERN] = {"pattern", ENRG_U32, 0, NULL},
	[CAEN_COUNTER] = {"event_counter", ENRG_U32, 0, NULL},
	[CAEN_SAMPLES] = {"samples", ENRG_LIST, ENRG_U16, NULL},
};

static bool ends_with(const char *text, const char *ending)
{
	size_t length = strlen(text), count = strlen(ending);

	return length > count && strcmp(text + length - count, ending) == 0;
}

/* 0xCAEx, and behind it a board and a channel as compass.c takes them: old dumps of the digitizer are named .bin as
 * well, and begin with milliseconds since 1970, whose sixth byte is not 0. */
static bool begins_as_compass(const uint8_t *bytes, size_t count)
{
	return count >= 6 && bytes[1] == 0xCA && bytes[0] >> 4 == 0xE && bytes[3] == 0 && bytes[4] < 64 &&
	       bytes[5] == 0;
}

enum caen_kind caen_find_kind(const char *path, const uint8_t *bytes, size_t count)
{
	static const char record[] = "Record Length:", names[] = "BOARD;CHANNEL;";
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	if (count >= sizeof(record) - 1 && !memcmp(bytes, record, sizeof(record) - 1))
		return CAEN_WAVEDUMP_TEXT;
	if (count >= sizeof(names) - 1 && !memcmp(bytes, names, sizeof(names) - 1))
		return CAEN_COMPASS_CSV;
	if (ends_with(name, ".BIN") || (ends_with(name, ".bin") && begins_as_compass(bytes, count)))
		return CAEN_COMPASS;
	if (ends_with(name, ".dat"))
		return CAEN_WAVEDUMP;
	return !strncmp(name, "wave", 4) && ends_with(name, ".txt") ? CAEN_WAVEDUMP_TEXT : CAEN_NONE;
}

/* --- opening ------------------------------------------------------------------------------------------------------ */

static void make_schema(struct caen *caen)
{
	uint32_t count = 0;

	for (int i = 0; i < CAEN_FIELDS; i++) {
		if (!(caen->fields >> i & 1))
			continue;
		const struct field *field = &fields[i];
		/* WaveDump's time is the tag of the trigger, in ticks of the board. */
		bool is_tag = i == CAEN_TIME && (caen->kind == CAEN_WAVEDUMP || caen->kind == CAEN_WAVEDUMP_TEXT);
		caen->schema_columns[count] = (struct enrg_column){.name = is_tag ? "trigger_time_tag" : field->name,
			.type = field->type,
			.item = field->item,
			.unit = is_tag ? NULL : field->unit};
		caen->columns[count++].field = (enum caen_field)i;
	}
	caen->schema = (struct enrg_schema){.column_count = count, .columns = caen->schema_columns};
}

int caen_open(struct caen *caen, enum caen_kind kind, struct file_window *window, uint32_t record_length,
	struct enrg_error *reason)
{
	int rc = 0;

	*caen = (struct caen){
		.kind = kind, .window = window, .end = window->file_bytes, .record_length = record_length};
	if (record_length > CAEN_SAMPLES_MAX)
		return enrg_error_set(reason, -EINVAL, "no event has %u samples", record_length);
	if (kind == CAEN_COMPASS)
		rc = caen_find_compass_layout(caen, reason);
	else if (kind == CAEN_COMPASS_CSV)
		rc = caen_read_csv_names(caen, reason);
	else if (record_length)
		caen->fields = 1u << CAEN_SAMPLES;
	else
		caen->fields = 1u << CAEN_BOARD | 1u << CAEN_CHANNEL | 1u << CAEN_TIME | 1u << CAEN_PATTERN |
			       1u << CAEN_COUNTER | 1u << CAEN_SAMPLES;
	if (rc == 0)
		make_schema(caen);
	return rc;
}

void caen_close(struct caen *caen)
{
	for (uint32_t i = 0; i < CAEN_COLUMNS_MAX; i++) {
		free(caen->columns[i].values);
		free(caen->columns[i].offsets);
	}
	free(caen->text_samples);
	*caen = (struct caen){0};
}

/* --- batches ------------------------------------------------------------------------------------------------------ */

static int append(struct caen_column *column, const void *from, uint64_t count, struct enrg_error *reason)
{
	if (column->bytes + count > column->capacity) {
		uint64_t capacity = 2 * (column->bytes + count) + 64;
		uint8_t *grown = realloc(column->values, capacity);
		if (!grown)
			return enrg_error_set(
				reason, -ENOMEM, "no memory for %llu bytes", (unsigned long long)capacity);
		column->values = grown;
		column->capacity = capacity;
	}
	if (count)
		memcpy(column->values + column->bytes, from, count);
	column->bytes += count;
	return 0;
}

static int append_event(struct caen *caen, const struct caen_event *event, uint64_t row, struct enrg_error *reason)
{
	int rc = 0;

	for (uint32_t i = 0; i < caen->schema.column_count && rc == 0; i++) {
		struct caen_column *column = &caen->columns[i];
		if (column->field == CAEN_SAMPLES) {
			column->offsets[row] = (int32_t)(column->bytes / 2);
			rc = append(column, event->samples, 2 * (uint64_t)event->sample_count, reason);
			column->offsets[row + 1] = (int32_t)(column->bytes / 2);
		} else { /* little-endian: the low bytes come first */
			rc = append(column, &event->numbers[column->field], enrg_type_bytes(fields[column->field].type),
				reason);
		}
	}
	return rc;
}

static int begin_batch(struct caen *caen, struct enrg_error *reason)
{
	for (uint32_t i = 0; i < caen->schema.column_count; i++) {
		struct caen_column *column = &caen->columns[i];
		column->bytes = 0;
		if (column->field == CAEN_SAMPLES && !column->offsets)
			column->offsets = calloc(BATCH_EVENTS + 1, sizeof(*column->offsets));
		if (column->field == CAEN_SAMPLES && !column->offsets)
			return enrg_error_set(reason, -ENOMEM, "out of memory");
	}
	return 0;
}

int caen_next(struct caen *caen, struct enrg_batch *ret_batch, struct enrg_error *reason)
{
	static caen_read_fn *const readers[] = {
		NULL, caen_read_wavedump, caen_read_wavedump_text, caen_read_compass, caen_read_compass_csv};
	uint64_t rows = 0, bytes = 0, event_bytes = 0;
	struct caen_event event;
	int rc = begin_batch(caen, reason);

	while (rc == 0 && rows < BATCH_EVENTS && bytes < BATCH_BYTES) {
		event = (struct caen_event){0};
		rc = readers[caen->kind](caen, &event, &event_bytes, reason);
		if (rc <= 0)
			break;
		rc = append_event(caen, &event, rows, reason);
		caen->offset += event_bytes;
		caen->event_count++;
		bytes += event_bytes;
		rows++;
	}
	/* Damage behind whole events is told with the next call. */
	if (rows == 0 || (rc < 0 && rc != ENRG_E_CORRUPT))
		return rc;
	for (uint32_t i = 0; i < caen->schema.column_count; i++) {
		const struct caen_column *column = &caen->columns[i];
		bool is_list = column->field == CAEN_SAMPLES;
		caen->views[i] = (struct enrg_column_view){.values = column->values ? column->values : (const void *)"",
			.offsets = is_list ? column->offsets : NULL,
			.value_count = is_list ? column->bytes / 2 : rows};
	}
	*ret_batch = (struct enrg_batch){.schema = &caen->schema,
		.rows = rows,
		.columns = caen->views,
		.source = "",
		.run = "",
		.tag = "",
		.sequence = ++caen->sequence,
		.epoch = 1,
		.committed_ns = 1,
		.body_bytes = bytes};
	return 1;
}
