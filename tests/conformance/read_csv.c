/* read_csv.c: a strict reader of RFC 4180. In the test process. */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/path.h"
#include "readers.h"

struct reader {
	const char *at, *end;
	char *field;
	size_t count;
};

/* One field into reader->field; *ret_stop is ',' or '\n'. false: not RFC 4180, or the text ends inside of it. */
static bool read_field(struct reader *reader, char *ret_stop)
{
	bool is_quoted = reader->at < reader->end && *reader->at == '"';

	reader->count = 0;
	reader->at += is_quoted;
	while (reader->at < reader->end) {
		char c = *reader->at++;

		if (is_quoted && c == '"') {
			if (reader->at < reader->end && *reader->at == '"') {
				reader->field[reader->count++] = *reader->at++;
				continue;
			}
			if (reader->at == reader->end || (*reader->at != ',' && *reader->at != '\n'))
				return false;
			*ret_stop = *reader->at++;
			return true;
		}
		if (!is_quoted && (c == ',' || c == '\n')) {
			*ret_stop = c;
			return true;
		}
		if (!is_quoted && (c == '"' || c == '\r'))
			return false;
		reader->field[reader->count++] = c;
	}
	return false;
}

/* In place: what is decoded is shorter. */
static bool decode_base64(char *text, size_t count, struct cells *cells)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t used = 0;

	for (size_t i = 0; i + 4 <= count; i += 4) {
		unsigned bits = 0, bytes = text[i + 2] == '=' ? 1 : text[i + 3] == '=' ? 2 : 3;

		for (size_t k = 0; k < 4; k++) {
			const char *found = text[i + k] == '=' ? letters : strchr(letters, text[i + k]);

			if (!found || (bytes < 3 && i + 4 != count))
				return false;
			bits = bits << 6 | (unsigned)(found - letters);
		}
		for (unsigned k = 0; k < bytes; k++)
			text[used++] = (char)(bits >> (16 - 8 * k) & 255);
	}
	cells_add_hex(cells, text, used);
	return count % 4 == 0;
}

/* Reals as %a, so that equal numbers have equal texts. */
static bool add_number(const char *text, enum enrg_type type, char *ret_text, size_t text_bytes)
{
	char *end = NULL;

	if (!enrg_type_is_float(type)) {
		snprintf(ret_text, text_bytes, "%s", text);
		return isdigit((unsigned char)text[0]) || text[0] == '-';
	}
	if (enrg_type_bytes(type) == sizeof(float))
		snprintf(ret_text, text_bytes, "%a", (double)strtof(text, &end));
	else
		snprintf(ret_text, text_bytes, "%a", strtod(text, &end));
	return end && *end == '\0' && end != text;
}

static bool add_list(char *text, enum enrg_type item, struct cells *cells)
{
	char list[65536], number[64], *saved = NULL;
	size_t length = strlen(text), used = 0;

	if (length < 2 || text[0] != '[' || text[length - 1] != ']')
		return false;
	text[length - 1] = '\0';
	for (char *word = strtok_r(text + 1, " ", &saved); word; word = strtok_r(NULL, " ", &saved)) {
		if (!add_number(word, item, number, sizeof(number)))
			return false;
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", used ? " " : "", number);
	}
	cells_add(cells, list, used);
	return true;
}

static bool add_cell(struct reader *reader, const struct enrg_column *column, struct cells *cells)
{
	char text[64];

	reader->field[reader->count] = '\0';
	switch (column->type) {
	case ENRG_STRING:
	case ENRG_BOOL:
		cells_add(cells, reader->field, reader->count);
		return true;
	case ENRG_BINARY:
		return decode_base64(reader->field, reader->count, cells);
	case ENRG_LIST:
		return add_list(reader->field, column->item, cells);
	case ENRG_TIMESTAMP_NS:
		return cells_add_time(cells, reader->field, reader->count);
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
		if (!add_number(reader->field, column->type, text, sizeof(text)))
			return false;
		cells_add(cells, text, strlen(text));
		return true;
	}
	return false;
}

static bool read_line(struct reader *reader, const struct enrg_schema *schema, bool is_header, struct cells *cells)
{
	for (uint32_t i = 0; i < schema->column_count; i++) {
		const struct enrg_column *column = &schema->columns[i];
		char stop;

		if (!read_field(reader, &stop) || (stop == '\n') != (i + 1 == schema->column_count))
			return false;
		if (is_header && (reader->count != strlen(column->name) ||
					 memcmp(reader->field, column->name, reader->count) != 0))
			return false;
		if (!is_header && !add_cell(reader, column, cells))
			return false;
	}
	return true;
}

static bool read_text(const char *bytes, size_t count, const struct enrg_schema *schema, struct cells *ret_cells)
{
	struct reader reader = {.at = bytes, .end = bytes + count, .field = malloc(count + 1)};
	bool is_good = reader.field && read_line(&reader, schema, true, ret_cells);

	while (is_good && reader.at < reader.end) {
		is_good = read_line(&reader, schema, false, ret_cells);
		ret_cells->rows += is_good;
	}
	ret_cells->columns = schema->column_count;
	free(reader.field);
	return is_good;
}

bool read_csv(const char *path, const struct enrg_schema *schema, struct cells *ret_cells)
{
	char *bytes = NULL;
	size_t count;
	bool is_good =
		path_read_file(path, 1u << 30, &bytes, &count, NULL) == 0 && read_text(bytes, count, schema, ret_cells);

	free(bytes);
	return is_good;
}

/* All frames, which must be whole. */
static char *decompress(const char *bytes, size_t count, size_t *ret_count)
{
	ZSTD_DCtx *decompressor = ZSTD_createDCtx();
	ZSTD_inBuffer input = {bytes, count, 0};
	char *text = NULL;
	size_t used = 0, rest = 0;

	do {
		ZSTD_outBuffer output;

		text = realloc(text, used + (1u << 20));
		output = (ZSTD_outBuffer){text + used, 1u << 20, 0};
		rest = ZSTD_decompressStream(decompressor, &output, &input);
		used += output.pos;
		if (ZSTD_isError(rest) || (output.pos == 0 && input.pos == input.size && rest > 0)) {
			free(text);
			text = NULL;
			break;
		}
	} while (input.pos < input.size || rest > 0);
	ZSTD_freeDCtx(decompressor);
	*ret_count = used;
	return text;
}

bool read_csv_zstd(const char *path, const struct enrg_schema *schema, struct cells *ret_cells)
{
	char *bytes = NULL, *text = NULL;
	size_t count, text_count;
	bool is_good = false;

	if (path_read_file(path, 1u << 30, &bytes, &count, NULL) == 0 && count > 0)
		text = decompress(bytes, count, &text_count);
	if (text)
		is_good = read_text(text, text_count, schema, ret_cells);
	free(text);
	free(bytes);
	return is_good;
}
