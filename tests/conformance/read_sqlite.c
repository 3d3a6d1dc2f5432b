/* read_sqlite.c: reads a table with the program sqlite3, as SQL literals. In the test process.
 *
 * The suite asks for files; a table t_x of t.sqlite is asked for as t_x.sqlite.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "readers.h"

#define STEM "t"

static char *read_all(const char *command, size_t *ret_count)
{
	FILE *pipe = popen(command, "re"), *memory;
	char *text = NULL, chunk[65536];
	size_t got;

	memory = open_memstream(&text, ret_count);
	if (!pipe || !memory)
		abort();
	while ((got = fread(chunk, 1, sizeof(chunk), pipe)) > 0)
		fwrite(chunk, 1, got, memory);
	fclose(memory);
	if (pclose(pipe) == 0)
		return text;
	free(text);
	return NULL;
}

static void add_real(struct cells *cells, const struct enrg_column *column, double value)
{
	char text[64];
	double shown = column->type == ENRG_F32 ? (double)(float)value : value;
	int count = snprintf(text, sizeof(text), "%a", shown);

	cells_add(cells, text, (size_t)count);
}

static unsigned hex_value(char c)
{
	return (unsigned)(isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10);
}

static void format_item(FILE *out, enum enrg_type type, const uint8_t *bytes)
{
	int16_t small;
	double real;

	memcpy(&small, bytes, sizeof(small));
	memcpy(&real, bytes, type == ENRG_F64 ? sizeof(real) : sizeof(small));
	if (type == ENRG_F64)
		fprintf(out, "%a", real);
	else
		fprintf(out, "%d", small);
}

/* `hex` digits of a list. */
static void add_list(struct cells *cells, const struct enrg_column *column, const char *hex, size_t digits)
{
	uint32_t width = enrg_type_bytes(column->item);
	uint8_t item[8];
	char *text = NULL;
	size_t bytes, count = digits / 2 / width;
	FILE *out = open_memstream(&text, &bytes);

	for (size_t i = 0; i < count; i++) {
		for (uint32_t k = 0; k < width; k++, hex += 2)
			item[k] = (uint8_t)(hex_value(hex[0]) << 4 | hex_value(hex[1]));
		fprintf(out, "%s", i ? " " : "");
		format_item(out, column->item, item);
	}
	fclose(out);
	cells_add(cells, text, bytes);
	free(text);
}

static void add_bytes(struct cells *cells, const char *hex, size_t count)
{
	uint8_t *bytes = malloc(count + 1);

	if (!bytes)
		abort();
	for (size_t i = 0; i < count; i++)
		bytes[i] = (uint8_t)(hex_value(hex[2 * i]) << 4 | hex_value(hex[2 * i + 1]));
	cells_add_hex(cells, bytes, count);
	free(bytes);
}

/* 'it''s' from its first quote; returns the end. */
static const char *add_text(struct cells *cells, const char *at)
{
	char *text = NULL;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	for (at++; at[0] != '\'' || at[1] == '\''; at++) {
		at += at[0] == '\'';
		fputc(*at, out);
	}
	fclose(out);
	cells_add(cells, text, bytes);
	free(text);
	return at + 1;
}

static const char *add_literal(struct cells *cells, const struct enrg_column *column, const char *at)
{
	size_t count = strcspn(at, ",\n");

	if (*at == '\'')
		return add_text(cells, at);
	if (*at == 'X' && column->type == ENRG_LIST)
		add_list(cells, column, at + 2, count - 3);
	else if (*at == 'X')
		add_bytes(cells, at + 2, (count - 3) / 2);
	else if (count == 4 && strncmp(at, "NULL", count) == 0 && enrg_type_is_float(column->type))
		cells_add(cells, "nan", 3); /* SQLite has none */
	else if (enrg_type_is_float(column->type))
		add_real(cells, column, strtod(at, NULL));
	else if (column->type == ENRG_BOOL)
		cells_add(cells, *at == '1' ? "true" : "false", *at == '1' ? 4 : 5);
	else
		cells_add(cells, at, count);
	return at + count;
}

bool read_sqlite(const char *path, const struct enrg_schema *schema, struct cells *ret_cells)
{
	const char *own = strrchr(path, '/') + 1;
	char command[2048], table[256], *text;
	size_t count;

	snprintf(table, sizeof(table), "%.*s", (int)(strlen(own) - strlen(".sqlite")), own);
	for (char *c = table; *c; c++)
		*c = isalnum((unsigned char)*c) ? *c : '_';
	snprintf(command, sizeof(command),
		"sqlite3 -cmd '.mode quote' '%.*s" STEM
		".sqlite' 'PRAGMA integrity_check; SELECT * FROM \"%s\" ORDER BY _rowid_'",
		(int)(own - path), path, table);
	text = read_all(command, &count);
	if (!text || strncmp(text, "'ok'\n", 5) != 0) {
		free(text);
		return false;
	}
	ret_cells->columns = schema->column_count;
	for (const char *at = text + 5; at < text + count; ret_cells->rows++)
		for (uint32_t i = 0; i < schema->column_count; i++)
			at = add_literal(ret_cells, &schema->columns[i], at) + 1;
	free(text);
	return true;
}
