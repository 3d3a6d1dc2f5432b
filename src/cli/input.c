/* input.c: see the header. In `enrgdaq cat` and `enrgdaq convert`; the file may be anything at all. */
#include "cli/input.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arrow/verify.h"
#include "base/crc32c.h"
#include "cli/decompress.h"
#include "config/options.h"

#define FILE_MAGIC       "ARROW1\0"
#define FILE_MAGIC_BYTES 8u

__attribute__((format(printf, 3, 4))) static int tell_damage(
	struct input *input, struct enrg_error *err, const char *format, ...)
{
	char reason[600];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	return enrg_error_set(err, ENRG_E_CORRUPT,
		"%s: at byte %" PRIu64 ": %s; `enrgdaq verify %s` says what can be read", input->path, input->offset,
		reason, input->path);
}

/* The same of a dump, whose check `enrgdaq verify` does not know: `code` may also be one of the system. */
static int tell_dump(struct input *input, int rc, const struct enrg_error *reason, struct enrg_error *err)
{
	return enrg_error_set(err, rc, "%s: at byte %" PRIu64 ": %s", input->path, input->offset, reason->text);
}

/* The message at the offset; 1, or 0 at the end of the file. */
static int read_head(struct input *input, struct enrg_error *err)
{
	uint64_t left = input->window.file_bytes - input->offset;
	struct enrg_error reason = {0};
	size_t wanted = 8, count;
	const uint8_t *bytes;

	if (left == 0)
		return 0;
	for (;;) {
		int rc = file_window_get(&input->window, input->offset, wanted, &bytes, &count, err);
		if (rc < 0)
			return enrg_error_add(err, rc, "%s", input->path);
		rc = ipc_read_message(bytes, count, &input->message, &wanted, &reason);
		if (rc != -EAGAIN && rc < 0)
			return tell_damage(input, err, "%s", reason.text);
		if (rc == 0)
			break;
		if (wanted > left)
			return tell_damage(input, err, "the file ends inside a message");
	}
	if (input->message.is_end)
		return 1;
	if ((input->message.has_keys || input->is_stamped) && !input->message.meta_crc_ok)
		return tell_damage(input, err, "the check sum of a message is wrong");
	if (input->message.body_bytes > left - input->message.meta_bytes)
		return tell_damage(input, err, "the file ends inside a message");
	return 1;
}

static int take_schema(struct input *input, struct enrg_error *err)
{
	struct enrg_schema *schema = NULL;
	struct enrg_error reason = {0};
	const uint8_t *bytes;
	size_t count;

	int rc = file_window_get(&input->window, input->offset, input->message.meta_bytes, &bytes, &count, err);
	if (rc < 0)
		return enrg_error_add(err, rc, "%s", input->path);
	rc = ipc_decode_schema(bytes, count, &schema, &reason);
	if (rc < 0)
		return tell_damage(input, err, "%s", reason.text);
	if (input->schema && !ipc_schema_equal(schema, input->schema))
		rc = tell_damage(input, err, "another schema begins");
	if (input->schema) {
		free(schema);
	} else {
		input->schema = schema;
		input->views = calloc(schema->column_count, sizeof(*input->views));
		input->schema_ipc = malloc(input->message.meta_bytes);
		if (!input->views || !input->schema_ipc)
			return enrg_error_set(err, -ENOMEM, "out of memory");
		memcpy(input->schema_ipc, bytes, input->message.meta_bytes);
		input->schema_ipc_bytes = input->message.meta_bytes;
	}
	input->is_stamped = input->message.has_keys;
	input->wants_schema = false;
	input->offset += input->message.meta_bytes + input->message.body_bytes;
	return rc;
}

static int open_dump(struct input *input, struct enrg_error *err)
{
	input->kind = INPUT_DUMP;
	input->schema = ipc_copy_schema(dump_schema());
	return input->schema ? 0 : enrg_error_set(err, -ENOMEM, "out of memory");
}

static int open_numpy_dump(struct input *input, struct enrg_error *err)
{
	struct enrg_error reason = {0};

	input->kind = INPUT_NUMPY_DUMP;
	int rc = numpy_dump_open(&input->numpy_dump, &input->window, &input->offset, &reason);
	if (rc < 0)
		return tell_dump(input, rc, &reason, err);
	input->schema = ipc_copy_schema(input->numpy_dump.schema);
	return input->schema ? 0 : enrg_error_set(err, -ENOMEM, "out of memory");
}

/* The schema could not be read: is the file damaged, or none of Arrow's? As `enrgdaq verify` judges it, so that nobody
 * is sent there in vain. */
static int judge_start(const struct input *input, struct enrg_error *err)
{
	struct verify_report report;
	struct enrg_error reason = {0};

	if (verify_file(input->path, NULL, NULL, &report, &reason) != ENRG_E_CORRUPT)
		return ENRG_E_CORRUPT;
	return enrg_error_set(err, -EINVAL,
		"%s: this is no Arrow file; what can be read are .arrows and .arrow files, dumps named .bin or "
		".npy.lz4, and files of WaveDump and CoMPASS (--from)",
		input->path);
}

static int open_arrow(struct input *input, struct enrg_error *err)
{
	int rc = read_head(input, err);

	if (rc == 0)
		rc = tell_damage(input, err, "the file ends in front of its schema");
	else if (rc > 0 && (input->message.type != IPC_SCHEMA || input->message.is_end))
		rc = tell_damage(input, err, "no schema stands at the start of the file");
	if (rc > 0)
		rc = take_schema(input, err);
	return rc == ENRG_E_CORRUPT ? judge_start(input, err) : rc;
}

static int open_caen(struct input *input, enum caen_kind kind, const struct input_hint *hint, struct enrg_error *err)
{
	struct enrg_error reason = {0};
	int rc = caen_open(&input->caen, kind, &input->window, hint->record_length, &reason);

	input->kind = INPUT_CAEN;
	input->offset = input->caen.offset;
	if (rc < 0)
		return tell_dump(input, rc, &reason, err);
	input->schema = ipc_copy_schema(&input->caen.schema);
	return input->schema ? 0 : enrg_error_set(err, -ENOMEM, "out of memory");
}

int input_open(struct input *input, const char *path, const struct input_hint *hint, struct enrg_error *err)
{
	const uint8_t *bytes;
	size_t count;

	*input = (struct input){.path = path, .window = {.descriptor = -1}};
	int rc = file_window_open(&input->window, path, err);
	if (rc < 0)
		return rc;
	const char *ending = strrchr(path, '.');
	bool is_dump = ending && !strcmp(ending, ".bin");
	if (is_dump && !input->window.file_bytes)
		return open_dump(input, err);
	if (!input->window.file_bytes)
		return enrg_error_set(err, -ENODATA, "%s: the file is empty: it holds no rows", path);
	rc = file_window_get(&input->window, 0, FILE_MAGIC_BYTES, &bytes, &count, err);
	if (rc < 0)
		return enrg_error_add(err, rc, "%s", path);
	enum caen_kind caen = hint->kind ? hint->kind : caen_find_kind(path, bytes, count);
	if (caen)
		return open_caen(input, caen, hint, err);
	if (is_dump)
		return open_dump(input, err);
	if (numpy_dump_fits(path, bytes, count))
		return open_numpy_dump(input, err);
	input->is_file = count >= FILE_MAGIC_BYTES && !memcmp(bytes, FILE_MAGIC, FILE_MAGIC_BYTES);
	input->offset = input->is_file ? FILE_MAGIC_BYTES : 0;
	return open_arrow(input, err);
}

int input_check_times(struct input *input, struct enrg_error *err)
{
	int rc = input->kind == INPUT_DUMP ? dump_has_time(&input->window, err) : 1;

	if (rc < 0)
		return enrg_error_add(err, rc, "%s", input->path);
	if (rc > 0)
		return 0;
	return enrg_error_set(err, -EINVAL,
		"%s: every event in it would be before 1990 or after 2099: this is no dump of the digitizer but a file "
		"of "
		"another layout; --odd-times reads it all the same (a computer whose clock was never set)",
		input->path);
}

static int decode_batch(struct input *input, const void *bytes, size_t count, struct enrg_error *reason)
{
	int rc = 0;

	free(input->unpacked);
	input->unpacked = NULL;
	if (input->message.is_compressed) {
		rc = ipc_unpack(bytes, count, decompress, &input->unpacked, &count, reason);
		bytes = input->unpacked;
	}
	if (rc == 0)
		rc = ipc_decode_batch(input->schema, bytes, count, input->views, &input->batch, reason);
	input->batch.columns = input->views;
	input->batch.schema = input->schema;
	return rc;
}

static int take_batch(struct input *input, bool stays_packed, struct enrg_error *err)
{
	const struct ipc_message *message = &input->message;
	size_t count, total = (size_t)(message->meta_bytes + message->body_bytes);
	struct enrg_error reason = {0};
	const uint8_t *bytes;

	int rc = file_window_get(&input->window, input->offset, total, &bytes, &count, err);
	if (rc < 0)
		return enrg_error_add(err, rc, "%s", input->path);
	if (message->has_stamp) {
		uint32_t crc = crc32c(0, bytes + message->meta_bytes, (size_t)message->body_bytes);
		if (crc != message->stamp.body_crc)
			return tell_damage(
				input, err, "the check sum of batch %" PRIu64 " is wrong", message->stamp.sequence);
	}
	input->batch = (struct enrg_batch){.schema = input->schema};
	if (message->is_compressed && stays_packed) {
		input->batch.rows = message->rows;
		input->batch.sequence = message->stamp.sequence;
		input->batch.ipc = bytes;
		input->batch.ipc_bytes = total;
		input->batch.body_bytes = message->body_bytes;
	} else {
		rc = decode_batch(input, bytes, total, &reason);
		if (rc < 0)
			return tell_damage(input, err, "%s", reason.text);
	}
	input->batch.source = message->source;
	input->batch.run = message->run;
	input->batch.tag = message->tag;
	input->batch.committed_ns = 1;
	input->offset += total;
	return 1;
}

static int next_of_dump(struct input *input, struct enrg_error *err)
{
	struct enrg_error reason = {0};

	if (input->kind == INPUT_CAEN) {
		int code = caen_next(&input->caen, &input->batch, &reason);
		input->offset = input->caen.offset;
		return code < 0 ? tell_dump(input, code, &reason, err) : code;
	}
	int result =
		input->kind == INPUT_DUMP
			? dump_next(&input->dump, &input->window, &input->offset, &input->batch, &reason)
			: numpy_dump_next(&input->numpy_dump, &input->window, &input->offset, &input->batch, &reason);

	return result < 0 ? tell_dump(input, result, &reason, err) : result;
}

int input_next(struct input *input, bool stays_packed, struct enrg_error *err)
{
	if (input->kind != INPUT_ARROW)
		return next_of_dump(input, err);
	for (;;) {
		int rc = read_head(input, err);
		if (rc <= 0)
			return rc;
		if (input->message.is_end && input->is_file)
			return 0;
		if (input->message.is_end) {
			input->wants_schema = true;
			input->offset += input->message.meta_bytes;
			continue;
		}
		if (input->message.type == IPC_RECORD_BATCH && !input->wants_schema)
			return take_batch(input, stays_packed, err);
		if (input->message.type != IPC_SCHEMA || !input->wants_schema)
			return tell_damage(input, err, "neither a batch nor the end stands here");
		rc = take_schema(input, err);
		if (rc < 0)
			return rc;
	}
}

void input_tell_doubts(const struct input *input, const char *command)
{
	const struct dump *dump = &input->dump;

	if (dump->odd_count)
		fprintf(stderr,
			"enrgdaq %s: %s: warning: %" PRIu64 " of %" PRIu64
			" events have times before 1990 or after 2099, the first at byte %" PRIu64 " (%" PRIu64
			" ms since 1970): the file may be of another layout than this program reads\n",
			command, input->path, dump->odd_count, dump->event_count, dump->odd_offset, dump->odd_ms);
}

void input_close(struct input *input)
{
	file_window_close(&input->window);
	free(input->schema);
	free(input->schema_ipc);
	free(input->views);
	free(input->unpacked);
	dump_fini(&input->dump);
	numpy_dump_close(&input->numpy_dump);
	caen_close(&input->caen);
	input->unpacked = NULL;
	input->schema = NULL;
	input->schema_ipc = NULL;
	input->views = NULL;
}

bool input_parse_hint(struct input_hint *hint, bool is_from, const char *text)
{
	static const char *const kinds[] = {NULL, "wavedump", "wavedump-text", "compass", "compass-csv"};
	char *end;

	for (int i = CAEN_WAVEDUMP; is_from && i <= CAEN_COMPASS_CSV; i++) {
		if (strcmp(kinds[i], text) != 0)
			continue;
		hint->kind = (enum caen_kind)i;
		return true;
	}
	unsigned long number = is_from ? 0 : strtoul(text, &end, 10);
	if (is_from || *end || text[0] < '0' || text[0] > '9' || number < 1 || number > CAEN_SAMPLES_MAX)
		return false;
	hint->record_length = (uint32_t)number;
	return true;
}

/* --- columns --- */

static int refuse_column(const struct enrg_schema *schema, const char *name, struct enrg_error *err)
{
	const char **names = calloc(schema->column_count, sizeof(*names));

	if (!names)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < schema->column_count; i++)
		names[i] = schema->columns[i].name;
	const char *nearest = options_suggest(name, names, schema->column_count);
	int rc = enrg_error_set(err, -EINVAL, "there is no column \"%s\"%s%s%s", name, nearest ? "; did you mean " : "",
		nearest ? nearest : "", nearest ? "?" : "");
	free(names);
	return rc;
}

static int add_column(
	struct selection *selection, const struct enrg_schema *schema, const char *name, struct enrg_error *err)
{
	uint32_t index = 0;

	while (index < schema->column_count && strcmp(schema->columns[index].name, name) != 0)
		index++;
	if (index == schema->column_count)
		return refuse_column(schema, name, err);
	for (uint32_t i = 0; i < selection->count; i++)
		if (selection->indices[i] == index)
			return enrg_error_set(err, -EINVAL, "the column \"%s\" is named twice", name);
	selection->indices[selection->count] = index;
	selection->columns[selection->count++] = schema->columns[index];
	return 0;
}

/* Up to the next comma, or in quotes as CSV has them, for names with commas. Moves *rest behind it. */
static char *next_name(char **rest)
{
	char *name = *rest, *to = name, *end = name + 1;

	if (*name != '"')
		return strsep(rest, ",");
	while (*end && (*end != '"' || end[1] == '"'))
		end += *end == '"' ? 2 : 1;
	if (!*end || (end[1] && end[1] != ','))
		return strsep(rest, ","); /* there is no such name, as will be told */
	*rest = end[1] ? end + 2 : NULL;
	for (char *from = name + 1; from < end; from++) {
		from += *from == '"';
		*to++ = *from;
	}
	*to = '\0';
	return name;
}

int selection_init(
	struct selection *selection, const struct enrg_schema *schema, const char *names, struct enrg_error *err)
{
	int rc = 0;

	*selection = (struct selection){.indices = calloc(schema->column_count, sizeof(uint32_t)),
		.columns = calloc(schema->column_count, sizeof(struct enrg_column))};
	char *list = names ? strdup(names) : NULL, *rest = list;
	if (!selection->indices || !selection->columns || (names && !list))
		rc = enrg_error_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; rc == 0 && !names && i < schema->column_count; i++) {
		selection->indices[i] = i;
		selection->columns[i] = schema->columns[i];
		selection->count++;
	}
	while (rc == 0 && rest)
		rc = add_column(selection, schema, next_name(&rest), err);
	free(list);
	selection->schema = (struct enrg_schema){
		.column_count = selection->count, .columns = selection->columns, .is_blob = schema->is_blob};
	if (rc < 0)
		selection_fini(selection);
	return rc;
}

void selection_fini(struct selection *selection)
{
	free(selection->indices);
	free(selection->columns);
	*selection = (struct selection){0};
}
