/* read_root.c: reads .root files back with jsroot (tests/interop/read_root.mjs), one process of it for all files. The
 * store never continues a file that was there, so all files of the series name.root, name_1.root, name_2.root … are
 * read as one; trees with other columns than those asked for are left out. In the test process; out of memory ends it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "readers.h"

#define FILES_MAX  200u
#define LIST_BYTES 32768u

/* jsroot takes a third of a second to start. It ends with its standard input. */
static FILE *asked, *answers;

/* The path itself and what is numbered after it, as far as they are ROOT files. */
static void list_series(const char *path, char *ret_list, size_t list_bytes)
{
	const char *slash = strrchr(path, '/');
	const char *dot = strrchr(slash ? slash : path, '.');
	int stem = (int)(dot - path);
	size_t used = 0;

	ret_list[0] = '\0';
	for (unsigned number = 0; number < FILES_MAX; number++) {
		char name[1200], more[16] = "", magic[4] = "";
		if (number)
			snprintf(more, sizeof(more), "_%u", number);
		snprintf(name, sizeof(name), "%.*s%s%s", stem, path, more, dot);
		FILE *file = fopen(name, "r");
		if (!file)
			continue;
		if (fread(magic, 1, 4, file) == 4 && memcmp(magic, "root", 4) == 0)
			used += (size_t)snprintf(ret_list + used, list_bytes - used, "%s%s", used ? "\t" : "", name);
		fclose(file);
	}
}

static void add_real(struct cells *cells, const char *hex)
{
	uint64_t bits = strtoull(hex, NULL, 16);
	char text[64];
	double value;

	memcpy(&value, &bits, sizeof(value));
	cells_add(cells, text, (size_t)snprintf(text, sizeof(text), "%a", value));
}

static void add_list(struct cells *cells, char *items, bool is_real, bool is_binary)
{
	size_t room = 2 * strlen(items) + 64, used = 0;
	char *text = malloc(room);

	if (!text)
		abort();
	text[0] = '\0';
	for (char *item = strtok(items, " "); item; item = strtok(NULL, " ")) {
		uint64_t bits = is_real ? strtoull(item, NULL, 16) : 0;
		double value;
		memcpy(&value, &bits, sizeof(value));
		if (is_binary)
			used += (size_t)snprintf(text + used, room - used, "%02x", atoi(item));
		else if (is_real)
			used += (size_t)snprintf(text + used, room - used, "%s%a", used ? " " : "", value);
		else
			used += (size_t)snprintf(text + used, room - used, "%s%s", used ? " " : "", item);
	}
	cells_add(cells, text, used);
	free(text);
}

static unsigned digit_of(char hex)
{
	return (unsigned)(hex <= '9' ? hex - '0' : hex - 'a' + 10);
}

static void add_text(struct cells *cells, const char *hex)
{
	size_t count = strlen(hex) / 2;
	char *text = malloc(count + 1);

	if (!text)
		abort();
	for (size_t i = 0; i < count; i++)
		text[i] = (char)(digit_of(hex[2 * i]) << 4 | digit_of(hex[2 * i + 1]));
	cells_add(cells, text, count);
	free(text);
}

static void add_cell(struct cells *cells, const struct enrg_column *column, char *line)
{
	bool is_real = enrg_type_is_float(enrg_column_item(column));

	switch (line[0]) {
	case 'f':
		add_real(cells, line + 2);
		break;
	case 'b':
		cells_add(cells, line[2] == '1' ? "true" : "false", line[2] == '1' ? 4 : 5);
		break;
	case 's':
		add_text(cells, line + 2);
		break;
	case 'h':
		cells_add(cells, line + 2, strlen(line + 2));
		break;
	case 'l':
		add_list(cells, line + 1, is_real, column->type == ENRG_BINARY);
		break;
	default:
		cells_add(cells, line + 2, strlen(line + 2));
	}
}

static char *next_line(FILE *stream, char **line, size_t *capacity)
{
	ssize_t count = getline(line, capacity, stream);

	if (count <= 0)
		return NULL;
	if ((*line)[count - 1] == '\n')
		(*line)[count - 1] = '\0';
	return *line;
}

/* What follows the tables of the last file that was asked for: "end 0". */
static bool is_end(const char *line, bool *ret_is_good)
{
	*ret_is_good = strcmp(line, "end 0") == 0;
	return strncmp(line, "end ", 4) == 0;
}

static bool read_rows(FILE *stream, const struct enrg_schema *schema, size_t rows, size_t columns, struct cells *cells)
{
	bool is_wanted = columns == schema->column_count, is_good = true;
	size_t capacity = 0;
	char *line = NULL;

	for (size_t i = 0; is_good && i < columns; i++)
		is_good = next_line(stream, &line, &capacity) != NULL;
	for (size_t i = 0; is_good && i < rows * columns; i++) {
		is_good = next_line(stream, &line, &capacity) != NULL;
		if (is_good && is_wanted)
			add_cell(cells, &schema->columns[i % columns], line);
	}
	if (is_good && is_wanted)
		cells->rows += rows;
	free(line);
	return is_good;
}

static bool read_tables(FILE *stream, const struct enrg_schema *schema, struct cells *cells)
{
	size_t capacity = 0, rows, columns;
	bool is_good = false, has_tables = false;
	char *line = NULL;

	while (next_line(stream, &line, &capacity) && !is_end(line, &is_good)) {
		if (sscanf(line, "table %*s %*s %zu %zu", &rows, &columns) != 2)
			fprintf(stderr, "read_root: %s\n", line);
		else if (!read_rows(stream, schema, rows, columns, cells))
			break;
		else
			has_tables = true;
	}
	free(line);
	return is_good && has_tables;
}

static bool start_reader(void)
{
	int questions[2], replies[2];

	if (asked)
		return true;
	if (pipe2(questions, O_CLOEXEC) < 0 || pipe2(replies, O_CLOEXEC) < 0)
		return false;
	pid_t child = fork();
	if (child == 0) {
		dup2(questions[0], STDIN_FILENO);
		dup2(replies[1], STDOUT_FILENO);
		execlp("node", "node", ENRG_BINARY_DIR "/tests/interop/read_root.mjs", "--tables", NULL);
		_exit(127);
	}
	close(questions[0]);
	close(replies[1]);
	asked = fdopen(questions[1], "w");
	answers = fdopen(replies[0], "r");
	return child > 0 && asked && answers;
}

bool read_root(const char *path, const struct enrg_schema *schema, struct cells *ret_cells)
{
	static char files[LIST_BYTES];

	list_series(path, files, sizeof(files));
	if (!*files || !start_reader() || fprintf(asked, "%s\n", files) < 0 || fflush(asked) != 0)
		return false;
	ret_cells->columns = schema->column_count;
	return read_tables(answers, schema, ret_cells);
}
