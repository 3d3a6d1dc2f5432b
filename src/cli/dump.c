/* dump.c: see the header. In `enrgdaq cat` and `enrgdaq convert`. */
#include "cli/dump.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_BYTES 32u
#define SAMPLE_BYTES 8u
#define ROWS_ENOUGH  65536u
#define NS_PER_MS    1000000u
/* No digitizer took data before 1990, and none has yet after 2099, in milliseconds since 1970. */
#define EARLIEST_MS 631152000000u
#define LATEST_MS   4102444800000u

enum { HEADER_FIELDS = 6 };

static const struct enrg_column columns[DUMP_COLUMNS] = {
	{"pc_unix_ms_timestamp", ENRG_U64, 0, "ms"},
	{"trigger_time_tag", ENRG_U32, 0, NULL},
	{"board_id", ENRG_U8, 0, NULL},
	{"pattern", ENRG_U32, 0, NULL},
	{"channel_mask", ENRG_U8, 0, NULL},
	{"event_counter", ENRG_U32, 0, NULL},
	{"channel", ENRG_U8, 0, NULL},
	{"sample_index", ENRG_U16, 0, NULL},
	{"value_lsb", ENRG_U16, 0, NULL},
	{"value_mv", ENRG_I16, 0, "mV"},
};

/* Where each column lies: in the header, and behind those in a sample. */
static const uint8_t places[DUMP_COLUMNS] = {24, 20, 4, 8, 12, 16, 0, 2, 4, 6};

static const struct enrg_schema schema = {.column_count = DUMP_COLUMNS, .columns = columns};

const struct enrg_schema *dump_schema(void)
{
	return &schema;
}

/* The event at `offset` as a whole: 1, 0 at the end of the file, or negative. */
static int read_event(struct file_window *window, uint64_t offset, const uint8_t **ret_event, uint64_t *ret_rows,
	struct enrg_error *reason)
{
	uint64_t left = window->file_bytes - offset;
	const uint8_t *bytes;
	uint32_t event_bytes;
	size_t count;

	if (left == 0)
		return 0;
	if (left < HEADER_BYTES)
		return enrg_error_set(reason, ENRG_E_CORRUPT, "the file ends inside an event");
	int rc = file_window_get(window, offset, HEADER_BYTES, &bytes, &count, reason);
	if (rc < 0)
		return rc;
	memcpy(&event_bytes, bytes, sizeof(event_bytes));
	if (event_bytes < HEADER_BYTES || (event_bytes - HEADER_BYTES) % SAMPLE_BYTES)
		return enrg_error_set(reason, ENRG_E_CORRUPT,
			"an event can't have %u bytes; is this a dump of the digitizer?", event_bytes);
	if (event_bytes > left)
		return enrg_error_set(reason, ENRG_E_CORRUPT, "the file ends inside an event");
	rc = file_window_get(window, offset, event_bytes, ret_event, &count, reason);
	*ret_rows = (event_bytes - HEADER_BYTES) / SAMPLE_BYTES;
	return rc < 0 ? rc : 1;
}

static int grow(struct dump *dump, uint64_t rows, struct enrg_error *reason)
{
	if (rows <= dump->capacity)
		return 0;
	for (int i = 0; i < DUMP_COLUMNS; i++) {
		uint8_t *grown = realloc(dump->columns[i], rows * enrg_type_bytes(columns[i].type));
		if (!grown)
			return enrg_error_set(reason, -ENOMEM, "no memory for %llu samples", (unsigned long long)rows);
		dump->columns[i] = grown;
	}
	dump->capacity = rows;
	return 0;
}

static void copy_event(struct dump *dump, const uint8_t *event, uint64_t first_row, uint64_t rows)
{
	for (int i = 0; i < DUMP_COLUMNS; i++) {
		uint32_t width = enrg_type_bytes(columns[i].type);
		uint32_t step = i < HEADER_FIELDS ? 0 : SAMPLE_BYTES;
		const uint8_t *from = event + places[i] + (i < HEADER_FIELDS ? 0 : HEADER_BYTES);
		for (uint64_t row = 0; row < rows; row++)
			memcpy(dump->columns[i] + (first_row + row) * width, from + row * step, width);
	}
}

static bool is_time(uint64_t acquired_ms)
{
	return acquired_ms >= EARLIEST_MS && acquired_ms < LATEST_MS;
}

int dump_has_time(struct file_window *window, struct enrg_error *err)
{
	uint64_t offset = 0, rows = 0, acquired_ms;
	struct enrg_error reason = {0};
	const uint8_t *event;
	int rc;

	while ((rc = read_event(window, offset, &event, &rows, &reason)) > 0) {
		memcpy(&acquired_ms, event + places[0], sizeof(acquired_ms));
		if (is_time(acquired_ms))
			return 1;
		offset += HEADER_BYTES + rows * SAMPLE_BYTES;
	}
	if (rc < 0 && rc != ENRG_E_CORRUPT)
		return enrg_error_set(err, rc, "%s", reason.text);
	return offset == 0; /* without an event, or with damage in the first, there is nothing to judge by */
}

/* Lengths that fit by chance tell nothing of a layout; times do. */
static void note_time(struct dump *dump, uint64_t offset, uint64_t acquired_ms)
{
	dump->event_count++;
	if (is_time(acquired_ms))
		return;
	if (dump->odd_count++ == 0) {
		dump->odd_offset = offset;
		dump->odd_ms = acquired_ms;
	}
}

int dump_next(struct dump *dump, struct file_window *window, uint64_t *offset, struct enrg_batch *ret_batch,
	struct enrg_error *reason)
{
	uint64_t rows = 0, more = 0, acquired_ms = 0, event_ms;
	const uint8_t *event;
	int rc;

	while ((rc = read_event(window, *offset, &event, &more, reason)) > 0) {
		if (rows > 0 && rows + more > ROWS_ENOUGH)
			break;
		rc = grow(dump, rows + more > ROWS_ENOUGH ? rows + more : ROWS_ENOUGH, reason);
		if (rc < 0)
			return rc;
		memcpy(&event_ms, event + places[0], sizeof(event_ms));
		if (rows == 0)
			acquired_ms = event_ms;
		note_time(dump, *offset, event_ms);
		copy_event(dump, event, rows, more);
		rows += more;
		*offset += HEADER_BYTES + more * SAMPLE_BYTES;
	}
	/* Damage behind whole events is told with the next call. */
	if (rows == 0)
		return rc;
	for (int i = 0; i < DUMP_COLUMNS; i++)
		dump->views[i] = (struct enrg_column_view){.values = dump->columns[i], .value_count = rows};
	*ret_batch = (struct enrg_batch){.schema = &schema,
		.rows = rows,
		.columns = dump->views,
		.source = "",
		.run = "",
		.tag = "",
		.sequence = ++dump->sequence,
		.epoch = 1,
		.acquired_ns = acquired_ms * NS_PER_MS,
		.committed_ns = 1,
		.body_bytes = rows * 29};
	return 1;
}

void dump_fini(struct dump *dump)
{
	for (int i = 0; i < DUMP_COLUMNS; i++)
		free(dump->columns[i]);
	*dump = (struct dump){0};
}
