/* reading.c: see the header. Out of memory ends the test. */
#include "reading.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../conformance/data.h"

char *reading_run(const char *command, size_t *ret_bytes)
{
	FILE *pipe = popen(command, "re"), *memory;
	char *text = NULL, chunk[65536];
	size_t got, bytes;

	memory = open_memstream(&text, &bytes);
	assert_true(pipe && memory);
	while ((got = fread(chunk, 1, sizeof(chunk), pipe)) > 0)
		fwrite(chunk, 1, got, memory);
	fclose(memory);
	if (pclose(pipe) != 0)
		fail_msg("failed: %s", command);
	if (ret_bytes)
		*ret_bytes = bytes;
	return text;
}

static unsigned digit(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
}

static void print_item(FILE *out, enum enrg_type type, const uint8_t *bytes)
{
	int16_t small;
	double real;

	memcpy(&small, bytes, sizeof(small));
	if (type != ENRG_F64) {
		fprintf(out, "%d", small);
		return;
	}
	memcpy(&real, bytes, sizeof(real));
	fprintf(out, "%a", real);
}

static void add_hex(struct cells *cells, const struct enrg_column *column, const char *hex, size_t digits)
{
	uint32_t width = enrg_column_item_bytes(column);
	uint8_t item[8];
	char *text = NULL;
	size_t bytes, count = digits / 2 / width;
	FILE *out = open_memstream(&text, &bytes);

	for (size_t i = 0; i < count; i++) {
		for (uint32_t k = 0; k < width; k++, hex += 2)
			item[k] = (uint8_t)(digit(hex[0]) << 4 | digit(hex[1]));
		if (column->type == ENRG_STRING)
			fputc(item[0], out);
		else if (column->type == ENRG_BINARY)
			fprintf(out, "%02x", item[0]);
		else
			fprintf(out, "%s", i ? " " : ""), print_item(out, column->item, item);
	}
	fclose(out);
	cells_add(cells, text, bytes);
	free(text);
}

void reading_add(struct cells *cells, const struct enrg_column *column, const char *text, size_t count, int is_hex)
{
	char real[64];

	if (is_hex && enrg_type_is_variable(column->type)) {
		add_hex(cells, column, text, count);
	} else if (enrg_type_is_float(column->type)) {
		double value = strtod(text, NULL);
		snprintf(real, sizeof(real), "%a", column->type == ENRG_F32 ? (double)(float)value : value);
		cells_add(cells, real, strlen(real));
	} else if (column->type == ENRG_BOOL) {
		int is_set = text[0] == '1' || text[0] == 't';
		cells_add(cells, is_set ? "true" : "false", is_set ? 4 : 5);
	} else {
		cells_add(cells, text, count);
	}
}

void reading_check(
	int line, const struct cells *cells, const struct enrg_schema *schema, uint64_t first, uint64_t count)
{
	char expected[4096];

	if (cells->count != count * schema->column_count)
		fail_msg("line %d: expected %llu rows, found %zu cells of %u columns", line, (unsigned long long)count,
			cells->count, schema->column_count);
	for (uint64_t row = 0; row < count; row++) {
		for (uint32_t i = 0; i < schema->column_count; i++) {
			const char *found = cells->items[row * schema->column_count + i];
			data_format_cell(&schema->columns[i], first + row, expected, sizeof(expected));
			if (strcmp(found, expected) != 0)
				fail_msg("line %d: row %llu, column %s: expected \"%s\", found \"%s\"", line,
					(unsigned long long)row, schema->columns[i].name, expected, found);
		}
	}
}
