/* panel_dump.c: see the header. One thread. */
#include "runs/panel_dump.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>

#include "base/path.h"
#include "base/text.h"

#define BYTES_MAX   (256u << 20)
#define COLUMNS_MAX 100u

static const char *const tables[] = {"runs", "run_metadata", "run_types", "templates", "template_run_types",
	"template_parameters", "run_type_parameter_defaults", "run_parameter_values", "messages",
	"message_parameter_values", "webhooks"};
#define TABLE_COUNT (sizeof(tables) / sizeof(*tables))

/* --- CSV ---------------------------------------------------------------------------------------------------------- */

struct cells {
	const char *at, *end;
	char *cell; /* room for all of the text */
	size_t length;
};

/* The next cell. 1: another follows in this row; 0: it was the last one; -1: a quote that does not end. */
static int next_cell(struct cells *cells)
{
	bool is_quoted = cells->at < cells->end && *cells->at == '"';

	cells->length = 0;
	for (cells->at += is_quoted; cells->at < cells->end; cells->at++) {
		if (is_quoted && *cells->at == '"') {
			if (cells->at + 1 == cells->end || cells->at[1] != '"') {
				cells->at++;
				is_quoted = false;
				break;
			}
			cells->at++;
		} else if (!is_quoted && (*cells->at == ',' || *cells->at == '\n' || *cells->at == '\r')) {
			break;
		}
		cells->cell[cells->length++] = *cells->at;
	}
	if (is_quoted)
		return -1;
	while (cells->at < cells->end && *cells->at != ',' && *cells->at != '\n')
		cells->at++;
	if (cells->at == cells->end)
		return 0;
	return *cells->at++ == ',';
}

static json_t *take_text(const struct cells *cells)
{
	json_t *json = json_stringn(cells->cell, cells->length);

	return json ? json : json_string("(not UTF-8 text)");
}

static int parse_row(struct cells *cells, json_t *columns, json_t *row, struct enrg_error *err)
{
	bool is_head = !row;
	size_t index = 0;
	int more;

	do {
		more = next_cell(cells);
		if (more < 0)
			return enrg_error_set(err, ENRG_E_CORRUPT, "a quote does not end");
		if (is_head && index < COLUMNS_MAX)
			json_array_append_new(columns, take_text(cells));
		else if (index < json_array_size(columns))
			json_object_set_new(row, json_string_value(json_array_get(columns, index)), take_text(cells));
		index++;
	} while (more);
	if (!is_head && index != json_array_size(columns))
		return enrg_error_set(
			err, ENRG_E_CORRUPT, "%zu cells, the first row has %zu", index, json_array_size(columns));
	return 0;
}

int panel_dump_parse_csv(const char *text, size_t bytes, json_t **ret_rows, struct enrg_error *err)
{
	struct cells cells = {.at = text, .end = text + bytes, .cell = malloc(bytes + 1)};
	json_t *rows = json_array(), *columns = json_array();
	int rc = cells.cell ? 0 : enrg_error_set(err, -ENOMEM, "out of memory");

	if (rc == 0 && bytes)
		rc = parse_row(&cells, columns, NULL, err);
	while (rc == 0 && cells.at < cells.end) {
		json_t *row = json_object();
		rc = parse_row(&cells, columns, row, err);
		if (rc < 0)
			enrg_error_add(err, rc, "row %zu", json_array_size(rows) + 1);
		json_array_append_new(rows, row);
	}
	json_decref(columns);
	free(cells.cell);
	if (rc < 0)
		json_decref(rows);
	else
		*ret_rows = rows;
	return rc;
}

/* --- files -------------------------------------------------------------------------------------------------------- */

static int read_json(const char *path, json_t **ret_json, struct enrg_error *err)
{
	json_error_t error;
	size_t count;
	char *text;
	int rc = path_read_file(path, BYTES_MAX, &text, &count, err);

	if (rc < 0)
		return rc;
	*ret_json = json_loadb(text, count, 0, &error);
	free(text);
	return *ret_json ? 0 : enrg_error_set(err, ENRG_E_CORRUPT, "%s:%d: %s", path, error.line, error.text);
}

static int read_csv(const char *path, json_t **ret_rows, struct enrg_error *err)
{
	size_t count;
	char *text;
	int rc = path_read_file(path, BYTES_MAX, &text, &count, err);

	if (rc < 0)
		return rc;
	rc = panel_dump_parse_csv(text, count, ret_rows, err);
	free(text);
	return rc < 0 ? enrg_error_add(err, rc, "%s", path) : 0;
}

static int read_table(const char *folder, const char *table, json_t **ret_rows, struct enrg_error *err)
{
	char path[4096];
	struct stat status;

	snprintf(path, sizeof(path), "%s/%s.csv", folder, table);
	if (stat(path, &status) == 0)
		return read_csv(path, ret_rows, err);
	snprintf(path, sizeof(path), "%s/%s.json", folder, table);
	if (stat(path, &status) == 0)
		return read_json(path, ret_rows, err);
	*ret_rows = json_array();
	return 0;
}

int panel_dump_read(const char *path, json_t **ret_tables, struct enrg_error *err)
{
	json_t *found = NULL, *all = json_object();
	struct stat status;
	int rc = 0;

	if (stat(path, &status) < 0)
		rc = enrg_error_set(err, -errno, "%s: %s", path, strerror(errno));
	bool is_folder = rc == 0 && S_ISDIR(status.st_mode);
	if (rc == 0 && !is_folder)
		rc = read_json(path, &found, err);
	for (size_t i = 0; i < TABLE_COUNT && rc == 0; i++) {
		json_t *rows = NULL;
		if (is_folder)
			rc = read_table(path, tables[i], &rows, err);
		else
			rows = json_incref(json_object_get(found, tables[i]));
		json_object_set_new(all, tables[i], json_is_array(rows) ? rows : json_array());
		if (!json_is_array(rows))
			json_decref(rows);
	}
	json_decref(found);
	if (rc == 0 && !json_array_size(json_object_get(all, "runs")) &&
		!json_array_size(json_object_get(all, "templates")) &&
		!json_array_size(json_object_get(all, "run_types")))
		rc = enrg_error_set(err, -ENOENT,
			"%s: there is no run, type or template in it: expected runs.csv, run_types.csv, templates.csv "
			"…, "
			"the same as .json, or one JSON file with the tables",
			path);
	if (rc < 0)
		json_decref(all);
	else
		*ret_tables = all;
	return rc;
}

/* --- values ------------------------------------------------------------------------------------------------------- */

const char *panel_text(const json_t *row, const char *key, char room[32])
{
	const json_t *value = json_object_get(row, key);

	room[0] = '\0';
	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_integer(value))
		snprintf(room, 32, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value))
		snprintf(room, 32, "%.17g", json_real_value(value));
	else if (json_is_boolean(value))
		snprintf(room, 32, "%s", json_is_true(value) ? "true" : "false");
	return room;
}

int64_t panel_number(const json_t *row, const char *key)
{
	char room[32];

	return strtoll(panel_text(row, key, room), NULL, 10);
}

bool panel_is(const json_t *row, const char *key)
{
	char room[32];
	const char *text = panel_text(row, key, room);

	return !strcasecmp(text, "t") || !strcasecmp(text, "true") || !strcmp(text, "1");
}

uint64_t panel_time_ns(const json_t *row, const char *key)
{
	char room[32], sign[2] = "+";
	const char *text = panel_text(row, key, room);
	int used = 0, hours = 0, minutes = 0;
	double seconds = 0;
	struct tm tm = {0};

	if (sscanf(text, "%d-%d-%d%*1[ T]%d:%d:%lf%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min,
		    &seconds, &used) < 6 ||
		!(seconds >= 0 && seconds < 61) || tm.tm_year < 1970 || tm.tm_year > 2200 || tm.tm_mon < 1 ||
		tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour < 0 || tm.tm_hour > 24 ||
		tm.tm_min < 0 || tm.tm_min > 59)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	if (sscanf(text + used, "%1[+-]%2d:%2d", sign, &hours, &minutes) < 2 &&
		sscanf(text + used, "%1[+-]%2d%2d", sign, &hours, &minutes) < 2)
		hours = minutes = 0;
	int64_t offset = (int64_t)(hours * 3600 + minutes * 60) * (sign[0] == '-' ? -1 : 1);
	int64_t whole = (int64_t)timegm(&tm) - offset;
	return whole > 0 ? (uint64_t)whole * 1000000000u + (uint64_t)(seconds * 1e9) : 0;
}

/* --- HTML --------------------------------------------------------------------------------------------------------- */

static size_t put_entity(FILE *stream, const char *text)
{
	static const struct {
		const char *entity, *text;
	} entities[] = {{"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&#39;", "'"}, {"&apos;", "'"},
		{"&nbsp;", " "}};
	unsigned code = 0;
	int used = 0;

	for (size_t i = 0; i < sizeof(entities) / sizeof(*entities); i++)
		if (!strncmp(text, entities[i].entity, strlen(entities[i].entity))) {
			fputs(entities[i].text, stream);
			return strlen(entities[i].entity);
		}
	if ((sscanf(text, "&#%7u;%n", &code, &used) == 1 || sscanf(text, "&#x%6x;%n", &code, &used) == 1) && used &&
		code >= 32 && code < 0xd800) {
		char utf8[4] = {(char)code};
		if (code >= 0x800) {
			utf8[0] = (char)(0xe0 | code >> 12);
			utf8[1] = (char)(0x80 | (code >> 6 & 63));
			utf8[2] = (char)(0x80 | (code & 63));
		} else if (code >= 0x80) {
			utf8[0] = (char)(0xc0 | code >> 6);
			utf8[1] = (char)(0x80 | (code & 63));
		}
		fputs(utf8, stream);
		return (size_t)used;
	}
	fputc('&', stream);
	return 1;
}

static bool is_tag(const char *text, const char *name)
{
	size_t length = strlen(name);

	return !strncasecmp(text, name, length) && strchr(" \t\r\n/>", text[length]);
}

/* Behind the tag that begins at `text`, or behind what it encloses where that is no text. */
static const char *put_tag(FILE *stream, const char *text)
{
	const char *name = text + 1 + (text[1] == '/'), *end = strchr(text, '>');

	if (is_tag(name, "br") || is_tag(name, "li") ||
		(text[1] == '/' && (is_tag(name, "p") || is_tag(name, "div") || is_tag(name, "tr") ||
					   is_tag(name, "h1") || is_tag(name, "h2") || is_tag(name, "h3"))))
		fputs(is_tag(name, "li") && text[1] != '/' ? "\n- " : "\n", stream);
	for (int i = 0; i < 2; i++) {
		const char *kind = i ? "style" : "script", *close = i ? "</style" : "</script";
		if (text[1] != '/' && is_tag(name, kind)) {
			const char *closing = strcasestr(text, close);
			end = closing ? strchr(closing, '>') : NULL;
		}
	}
	return end ? end + 1 : text + strlen(text);
}

/* No blank lines at the ends, no two blank lines in a row. */
static void tidy(char *text)
{
	char *to = text;
	int lines = 2;

	for (const char *at = text; *at; at++) {
		if (*at == '\r' || (*at == '\n' && lines >= 2))
			continue;
		lines = *at == '\n' ? lines + 1 : 0;
		*to++ = *at;
	}
	while (to > text && (to[-1] == '\n' || to[-1] == ' '))
		to--;
	*to = '\0';
}

char *panel_dump_strip_html(const char *html)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *stream = open_memstream(&text, &bytes);

	while (stream && *html) {
		bool is_tag_here =
			*html == '<' && (html[1] == '/' || html[1] == '!' || (html[1] >= 'A' && html[1] <= 'z'));
		if (is_tag_here)
			html = put_tag(stream, html);
		else if (*html == '&')
			html += put_entity(stream, html);
		else
			fputc(*html++, stream);
	}
	if (stream && fclose(stream) == 0 && text)
		tidy(text);
	return text;
}
