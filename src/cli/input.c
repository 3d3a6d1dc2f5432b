/* input.c: see the header. In `enrgdaq cat` and `enrgdaq convert`; the file may be anything at all. */
#include "cli/input.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arrow/verify.h"
#include "config/options.h"

/* Of a dump, whose check `enrgdaq verify` does not know: `rc` may also be one of the system. */
static int tell_dump(struct input *input, int rc, const struct enrg_error *reason, struct enrg_error *err)
{
	return enrg_error_set(err, rc, "%s: at byte %" PRIu64 ": %s", input->path, input->reader.offset, reason->text);
}

static int open_dump(struct input *input, struct enrg_error *err)
{
	input->kind = INPUT_DUMP;
	input->reader.schema = ipc_copy_schema(dump_schema());
	return input->reader.schema ? 0 : enrg_error_set(err, -ENOMEM, "out of memory");
}

static int open_numpy_dump(struct input *input, struct enrg_error *err)
{
	struct enrg_error reason = {0};

	input->kind = INPUT_NUMPY_DUMP;
	int rc = numpy_dump_open(&input->numpy_dump, &input->reader.window, &input->reader.offset, &reason);
	if (rc < 0)
		return tell_dump(input, rc, &reason, err);
	input->reader.schema = ipc_copy_schema(input->numpy_dump.schema);
	return input->reader.schema ? 0 : enrg_error_set(err, -ENOMEM, "out of memory");
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
	int rc = file_reader_start(&input->reader, err);

	return rc == ENRG_E_CORRUPT ? judge_start(input, err) : rc;
}

static int open_caen(struct input *input, enum caen_kind kind, const struct input_hint *hint, struct enrg_error *err)
{
	struct enrg_error reason = {0};
	int rc = caen_open(&input->caen, kind, &input->reader.window, hint->record_length, &reason);

	input->kind = INPUT_CAEN;
	input->reader.offset = input->caen.offset;
	if (rc < 0)
		return tell_dump(input, rc, &reason, err);
	input->reader.schema = ipc_copy_schema(&input->caen.schema);
	return input->reader.schema ? 0 : enrg_error_set(err, -ENOMEM, "out of memory");
}

int input_open(struct input *input, const char *path, const struct input_hint *hint, struct enrg_error *err)
{
	const uint8_t *bytes;
	size_t count;

	*input = (struct input){.path = path};
	int rc = file_reader_open(&input->reader, path, err);
	if (rc < 0)
		return rc;
	const char *ending = strrchr(path, '.');
	bool is_dump = ending && !strcmp(ending, ".bin");
	if (is_dump && !input->reader.window.file_bytes)
		return open_dump(input, err);
	if (!input->reader.window.file_bytes)
		return enrg_error_set(err, -ENODATA, "%s: the file is empty: it holds no rows", path);
	rc = file_window_get(&input->reader.window, 0, FILE_READER_MAGIC_BYTES, &bytes, &count, err);
	if (rc < 0)
		return enrg_error_add(err, rc, "%s", path);
	enum caen_kind caen = hint->kind ? hint->kind : caen_find_kind(path, bytes, count);
	if (caen)
		return open_caen(input, caen, hint, err);
	if (is_dump)
		return open_dump(input, err);
	if (numpy_dump_fits(path, bytes, count))
		return open_numpy_dump(input, err);
	return open_arrow(input, err);
}

int input_check_times(struct input *input, struct enrg_error *err)
{
	int rc = input->kind == INPUT_DUMP ? dump_has_time(&input->reader.window, err) : 1;

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

static int next_of_dump(struct input *input, struct enrg_error *err)
{
	struct enrg_error reason = {0};

	if (input->kind == INPUT_CAEN) {
		int code = caen_next(&input->caen, &input->reader.batch, &reason);
		input->reader.offset = input->caen.offset;
		return code < 0 ? tell_dump(input, code, &reason, err) : code;
	}
	int result = input->kind == INPUT_DUMP ? dump_next(&input->dump, &input->reader.window, &input->reader.offset,
							 &input->reader.batch, &reason)
					       : numpy_dump_next(&input->numpy_dump, &input->reader.window,
							 &input->reader.offset, &input->reader.batch, &reason);

	return result < 0 ? tell_dump(input, result, &reason, err) : result;
}

int input_next(struct input *input, bool stays_packed, struct enrg_error *err)
{
	return input->kind == INPUT_ARROW ? file_reader_next(&input->reader, stays_packed, err)
					  : next_of_dump(input, err);
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
	file_reader_close(&input->reader);
	dump_fini(&input->dump);
	numpy_dump_close(&input->numpy_dump);
	caen_close(&input->caen);
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

/* Of the table, and of the columns that were chosen. */
static void select_notes(struct selection *selection, const struct enrg_schema *schema)
{
	for (uint32_t i = 0; i < schema->note_count; i++) {
		const char *column = schema->notes[i].column;
		bool is_wanted = !column;
		for (uint32_t k = 0; k < selection->count && !is_wanted; k++)
			is_wanted = !strcmp(selection->columns[k].name, column);
		if (is_wanted)
			selection->notes[selection->schema.note_count++] = schema->notes[i];
	}
	selection->schema.notes = selection->notes;
}

int selection_init(
	struct selection *selection, const struct enrg_schema *schema, const char *names, struct enrg_error *err)
{
	int rc = 0;

	*selection = (struct selection){.indices = calloc(schema->column_count, sizeof(uint32_t)),
		.columns = calloc(schema->column_count, sizeof(struct enrg_column)),
		.notes = calloc(schema->note_count + 1, sizeof(struct enrg_note))};
	char *list = names ? strdup(names) : NULL, *rest = list;
	if (!selection->indices || !selection->columns || !selection->notes || (names && !list))
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
	else
		select_notes(selection, schema);
	return rc;
}

void selection_fini(struct selection *selection)
{
	free(selection->indices);
	free(selection->columns);
	free(selection->notes);
	*selection = (struct selection){0};
}
