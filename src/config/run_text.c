/* run_text.c: see the header. */
#include "config/run_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/run_parameter.h"

struct writer {
	FILE *stream;
	const json_t *values;
	bool is_aligned, is_inline; /* inline: in an inline table, which is one line */
	int line;
};

/* --- values ------------------------------------------------------------------------------------------------------- */

static void put_string(FILE *stream, const char *text, size_t count)
{
	fputc('"', stream);
	for (size_t i = 0; i < count; i++) {
		unsigned char byte = (unsigned char)text[i];
		if (byte == '"' || byte == '\\')
			fprintf(stream, "\\%c", byte);
		else if (byte < 0x20 || byte == 0x7f)
			fprintf(stream, "\\u%04X", byte);
		else
			fputc(byte, stream);
	}
	fputc('"', stream);
}

static void put_key(FILE *stream, const char *key)
{
	size_t length = strlen(key);

	if (length && strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == length)
		fputs(key, stream);
	else
		put_string(stream, key, length);
}

/* 100 is an integer in TOML, 100.0 a float. */
static void put_float(FILE *stream, double number)
{
	char text[40];

	if (isnan(number)) {
		fputs("nan", stream);
		return;
	}
	if (isinf(number)) {
		fputs(number > 0 ? "inf" : "-inf", stream);
		return;
	}
	snprintf(text, sizeof(text), "%.15g", number);
	double again = strtod(text, NULL);
	if (again < number || again > number)
		snprintf(text, sizeof(text), "%.17g", number);
	fprintf(stream, "%s%s", text, strpbrk(text, ".e") ? "" : ".0");
}

static void put_json(FILE *stream, const json_t *value)
{
	if (json_is_string(value))
		put_string(stream, json_string_value(value), json_string_length(value));
	else if (json_is_real(value))
		put_float(stream, json_real_value(value));
	else if (json_is_integer(value))
		fprintf(stream, "%lld", (long long)json_integer_value(value));
	else
		fputs(json_is_true(value) ? "true" : "false", stream);
}

static const json_t *find_value(const struct writer *writer, const struct toml_node *node)
{
	const char *place = run_parameter_place(node);

	return place ? json_object_get(writer->values, place) : NULL;
}

/* A place without a value has nothing to say. */
static bool is_void(const struct writer *writer, const struct toml_node *node)
{
	return run_parameter_place(node) && !find_value(writer, node);
}

static void go_to_line(struct writer *writer, int line)
{
	while (writer->is_aligned && !writer->is_inline && writer->line < line) {
		fputc('\n', writer->stream);
		writer->line++;
	}
}

static void put_value(struct writer *writer, const struct toml_node *node);

static void put_items(struct writer *writer, const struct toml_node *node)
{
	bool was_inline = writer->is_inline, is_table = node->kind == TOML_TABLE, is_first = true;

	fputc(is_table ? '{' : '[', writer->stream);
	writer->is_inline |= is_table;
	for (size_t i = 0; i < node->count; i++) {
		const struct toml_node *child = &node->children[i];

		if (is_void(writer, child))
			continue;
		if (!is_first)
			fputs(", ", writer->stream);
		is_first = false;
		if (is_table) {
			put_key(writer->stream, child->key);
			fputs(" = ", writer->stream);
		} else {
			go_to_line(writer, child->line);
		}
		put_value(writer, child);
	}
	writer->is_inline = was_inline;
	fputc(is_table ? '}' : ']', writer->stream);
}

static void put_value(struct writer *writer, const struct toml_node *node)
{
	const json_t *value = find_value(writer, node);

	if (value) {
		put_json(writer->stream, value);
		return;
	}
	switch (node->kind) {
	case TOML_TABLE:
	case TOML_ARRAY:
		put_items(writer, node);
		return;
	case TOML_STRING:
		put_string(writer->stream, node->text, node->text_bytes);
		return;
	case TOML_INTEGER:
		fprintf(writer->stream, "%lld", (long long)node->integer);
		return;
	case TOML_FLOAT:
		put_float(writer->stream, node->number);
		return;
	case TOML_BOOLEAN:
		fputs(node->boolean ? "true" : "false", writer->stream);
		return;
	case TOML_DATE:
		fwrite(node->text, 1, node->text_bytes, writer->stream);
		return;
	}
}

/* --- keys --------------------------------------------------------------------------------------------------------- */

struct trail {
	const struct trail *parent;
	const char *key;
};

static void put_trail(FILE *stream, const struct trail *trail)
{
	if (trail->parent) {
		put_trail(stream, trail->parent);
		fputc('.', stream);
	}
	put_key(stream, trail->key);
}

/* Sections as dotted keys: they may stand in any order. */
static void put_table(struct writer *writer, const struct toml_node *table, const struct trail *parent)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct toml_node *child = &table->children[i];
		const struct trail trail = {parent, child->key};

		if (is_void(writer, child))
			continue;
		if (child->kind == TOML_TABLE && child->count && !run_parameter_place(child)) {
			put_table(writer, child, &trail);
			continue;
		}
		go_to_line(writer, child->key_line);
		put_trail(writer->stream, &trail);
		fputs(" = ", writer->stream);
		put_value(writer, child);
		fputc('\n', writer->stream);
		writer->line++;
	}
}

char *run_text_make(const struct run_text *text)
{
	char *bytes = NULL;
	size_t count;
	struct writer writer = {.stream = open_memstream(&bytes, &count),
		.values = text->values,
		.is_aligned = text->is_aligned,
		.line = 1};

	if (!writer.stream)
		return NULL;
	if (!toml_find(text->table, "daq_job_unique_id")) {
		go_to_line(&writer, text->table->line);
		fputs("daq_job_unique_id = ", writer.stream);
		put_string(writer.stream, text->name, strlen(text->name));
		fputc('\n', writer.stream);
		writer.line++;
	}
	put_table(&writer, text->table, NULL);
	if (!fclose(writer.stream))
		return bytes;
	free(bytes);
	return NULL;
}

json_t *run_text_body(const struct toml_node *table, const json_t *values)
{
	const char *place = run_parameter_place(table);
	json_t *json;

	if (place)
		return json_incref(json_object_get(values, place));
	if (table->kind != TOML_TABLE && table->kind != TOML_ARRAY)
		return run_parameter_json(table);
	json = table->kind == TOML_TABLE ? json_object() : json_array();
	for (size_t i = 0; json && i < table->count; i++) {
		json_t *item = run_text_body(&table->children[i], values);
		if (!item)
			continue;
		if (table->kind == TOML_TABLE)
			json_object_set_new(json, table->children[i].key, item);
		else
			json_array_append_new(json, item);
	}
	return json;
}
