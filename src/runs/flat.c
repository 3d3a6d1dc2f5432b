/* flat.c: see the header. */
#include "runs/flat.h"

#include <stdlib.h>
#include <string.h>

#include "runs/reader.h"

static bool is_number(const char *text)
{
	char *end;

	(void)strtod(text, &end);
	return end != text && !*end && strspn(text, "+-.0123456789eE") == strlen(text);
}

static void print_cell(const char *text, FILE *stream)
{
	/* A spreadsheet would compute what begins so; a number it may read. */
	bool is_formula = *text && strchr("=+@-\t\r", *text) && !is_number(text);

	fputc('"', stream);
	if (is_formula)
		fputc('\'', stream);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', stream);
		fputc(*text, stream);
	}
	fputc('"', stream);
}

static void print_value(const char *section, const char *name, const char *key, const json_t *value, FILE *stream)
{
	char number[64] = "";

	print_cell(section, stream);
	fputc(',', stream);
	print_cell(name, stream);
	fputc(',', stream);
	print_cell(key, stream);
	fputc(',', stream);
	if (json_is_integer(value))
		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value))
		snprintf(number, sizeof(number), "%.17g", json_real_value(value));
	else if (json_is_boolean(value))
		snprintf(number, sizeof(number), "%s", json_is_true(value) ? "true" : "false");
	print_cell(json_is_string(value) ? json_string_value(value) : number, stream);
	fputs("\r\n", stream);
}

/* Members of an object that are values; others are left to who knows them. */
static void print_object(const char *section, const char *name, const json_t *object, FILE *stream)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value)
	{
		if (!json_is_object(value) && !json_is_array(value) && !json_is_null(value))
			print_value(section, name, key, value, stream);
	}
}

/* Of an object of objects, by name. */
static void print_all(const char *section, const json_t *objects, FILE *stream)
{
	const char *name;
	json_t *object;

	json_object_foreach((json_t *)objects, name, object)
	{
		if (json_is_object(object))
			print_object(section, name, object, stream);
		else
			print_value(section, name, "", object, stream);
	}
}

static void print_account(const json_t *account, FILE *stream)
{
	const json_t *sources = json_object_get(account, "sources");
	char name[600];

	for (size_t i = 0; i < json_array_size(sources); i++) {
		const json_t *source = json_array_get(sources, i), *stores = json_object_get(source, "stores");
		const char *from = json_string_value(json_object_get(source, "source"));
		print_object("source", from ? from : "", source, stream);
		for (size_t k = 0; k < json_array_size(stores); k++) {
			const json_t *store = json_array_get(stores, k);
			const char *to = json_string_value(json_object_get(store, "store"));
			snprintf(name, sizeof(name), "%.250s -> %.250s", from ? from : "", to ? to : "");
			print_object("stored", name, store, stream);
		}
	}
}

static void print_files(const json_t *files, FILE *stream)
{
	for (size_t i = 0; i < json_array_size(files); i++) {
		const json_t *file = json_array_get(files, i);
		const char *path = json_string_value(json_object_get(file, "path"));
		print_object("file", path ? path : "", file, stream);
	}
}

static void print_notes(const json_t *notes, FILE *stream)
{
	for (size_t i = 0; i < json_array_size(notes); i++) {
		const json_t *note = json_array_get(notes, i);
		const char *who = json_string_value(json_object_get(note, "who"));
		print_object("note", who ? who : "", note, stream);
	}
}

/* Of the end, or of the last progress. */
static const json_t *find_last(const json_t *run, const char *key)
{
	const json_t *found = json_object_get(reader_newest(run, "end"), key);

	return found ? found : json_object_get(reader_newest(run, "progress"), key);
}

void flat_print(const json_t *run, FILE *stream)
{
	const json_t *begin = reader_newest(run, "begin");

	fputs("\"section\",\"name\",\"key\",\"value\"\r\n", stream);
	print_object("run", "", run, stream);
	print_object("begin", "", begin, stream);
	print_object("version", "", json_object_get(begin, "versions"), stream);
	print_object("host", "", json_object_get(begin, "host"), stream);
	print_all("value", json_object_get(begin, "values"), stream);
	print_object("end", "", reader_newest(run, "end"), stream);
	print_account(find_last(run, "account"), stream);
	print_all("rate", find_last(run, "rates"), stream);
	print_all("dead", find_last(run, "dead"), stream);
	print_all("hardware", find_last(run, "hardware"), stream);
	print_files(json_object_get(run, "files"), stream);
	print_notes(json_object_get(run, "notes"), stream);
}
