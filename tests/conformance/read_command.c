/* read_command.c: see the header. In the test process. */
#include "read_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *reader;

void read_command_set(const char *command)
{
	reader = command;
}

/* In place. */
static void decode(char *text)
{
	static const char letters[] = "tnr\\", values[] = "\t\n\r\\";
	char *to = text;

	for (; *text; text++) {
		const char *found = *text == '\\' && text[1] ? strchr(letters, text[1]) : NULL;

		text += found != NULL;
		*to++ = found ? values[found - letters] : *text;
	}
	*to = '\0';
}

/* Reals as %a, so that equal numbers have equal texts. Returns the bytes that it took. */
static size_t format_number(const char *text, enum enrg_type type, char *ret_text, size_t text_bytes)
{
	size_t bytes = strcspn(text, " ");

	if (!enrg_type_is_float(type))
		snprintf(ret_text, text_bytes, "%.*s", (int)bytes, text);
	else if (enrg_type_bytes(type) == sizeof(float))
		snprintf(ret_text, text_bytes, "%a", (double)strtof(text, NULL));
	else
		snprintf(ret_text, text_bytes, "%a", strtod(text, NULL));
	return bytes;
}

static void add_list(const char *text, enum enrg_type item, struct cells *cells)
{
	char list[65536], number[400];
	size_t used = 0;

	while (*(text += strspn(text, " ")) && used + sizeof(number) < sizeof(list)) {
		text += format_number(text, item, number, sizeof(number));
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", used ? " " : "", number);
	}
	cells_add(cells, list, used);
}

static void add_cell(char *text, const struct enrg_column *column, struct cells *cells)
{
	char number[400];

	if (column->type == ENRG_LIST) {
		add_list(text, column->item, cells);
		return;
	}
	if (enrg_type_is_number(column->type)) {
		format_number(text, column->type, number, sizeof(number));
		cells_add(cells, number, strlen(number));
		return;
	}
	decode(text);
	cells_add(cells, text, strlen(text));
}

/* Which column of the file each of the schema's is: places[column], -1 = absent. Returns the columns of the file, 0
 * where one of them is none of the schema's. */
static size_t read_names(char *line, const struct enrg_schema *schema, int *places)
{
	size_t count = 0;

	for (uint32_t i = 0; i < schema->column_count; i++)
		places[i] = -1;
	for (char *name; (name = strsep(&line, "\t")); count++) {
		uint32_t i = 0;

		decode(name);
		while (i < schema->column_count && strcmp(schema->columns[i].name, name) != 0)
			i++;
		if (i == schema->column_count) {
			fprintf(stderr, "the reader names a column \"%s\", which there is not\n", name);
			return 0;
		}
		places[i] = (int)count;
	}
	return count;
}

/* One row; false: other cells than it has columns. */
static bool read_row(char *line, const struct enrg_schema *schema, const int *places, size_t count, struct cells *cells)
{
	char *items[ENRG_COLUMNS_MAX + 1], none[] = "";
	size_t found = 0;

	for (char *item; found <= count && (item = strsep(&line, "\t"));)
		items[found++] = item;
	if (found != count)
		return false;
	for (uint32_t i = 0; i < schema->column_count; i++)
		add_cell(places[i] < 0 ? none : items[places[i]], &schema->columns[i], cells);
	return true;
}

static bool read_lines(FILE *stream, const struct enrg_schema *schema, struct cells *cells)
{
	int places[ENRG_COLUMNS_MAX];
	char *line = NULL;
	size_t bytes = 0, count = 0;
	ssize_t length;
	bool is_good = true;

	cells->columns = schema->column_count;
	cells->is_absent = calloc(schema->column_count, sizeof(bool));
	while (cells->is_absent && is_good && (length = getline(&line, &bytes, stream)) > 0) {
		line[length - 1] = line[length - 1] == '\n' ? '\0' : line[length - 1];
		if (!count) {
			is_good = (count = read_names(line, schema, places)) > 0;
			for (uint32_t i = 0; i < schema->column_count; i++)
				cells->is_absent[i] = places[i] < 0;
			continue;
		}
		is_good = read_row(line, schema, places, count, cells);
		cells->rows += is_good;
	}
	free(line);
	return is_good && count > 0;
}

bool read_command(const char *path, const struct enrg_schema *schema, struct cells *ret_cells)
{
	char *command = NULL;
	bool is_good = false;

	if (asprintf(&command, "%s '%s'", reader, path) < 0)
		return false;
	FILE *stream = popen(command, "re");
	if (stream) {
		is_good = read_lines(stream, schema, ret_cells);
		is_good = pclose(stream) == 0 && is_good;
	}
	free(command);
	return is_good;
}
