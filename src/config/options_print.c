/* options_print.c: the tables of fields for readers: `enrgdaq describe`, documentation, JSON Schema, an example. Used
 * by the command line, on its main thread.
 */
#include "config/options.h"

#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

#define DEPTH_MAX 8 /* the loader refuses deeper tables */

/* One line of a printed table: an option with the dotted name that it has in the outermost table. */
struct row {
	char name[160];
	char type[240];
	char fallback[120]; /* its default, or "required" */
	char help[400];
	const char *unit;
};

struct rows {
	size_t count;
	struct row *items;
};

void options_format_type(const struct enrg_option *option, char *ret_text, size_t text_bytes)
{
	static const char *const names[] = {
		[ENRG_OPTION_BOOL] = "bool",
		[ENRG_OPTION_INT] = "int",
		[ENRG_OPTION_FLOAT] = "float",
		[ENRG_OPTION_STRING] = "string",
		[ENRG_OPTION_CHOICE] = "",
		[ENRG_OPTION_STRING_LIST] = "list of strings",
		[ENRG_OPTION_INT_LIST] = "list of ints",
		[ENRG_OPTION_TABLE] = "table",
		[ENRG_OPTION_TABLE_LIST] = "list of tables",
		[ENRG_OPTION_MAP] = "table of numbers or strings",
		[ENRG_OPTION_INCLUDE] = "",
	};
	size_t used = (size_t)snprintf(ret_text, text_bytes, "%s", names[option->kind]);

	if (option->kind == ENRG_OPTION_CHOICE)
		for (size_t i = 0; option->choices[i].name && used < text_bytes; i++)
			used += (size_t)snprintf(
				ret_text + used, text_bytes - used, "%s%s", i ? ", " : "", option->choices[i].name);
}

static void format_help(const struct enrg_option *option, char *ret_text, size_t text_bytes)
{
	const char *help = option->help ? option->help : "";

	if (options_has_min(option) && options_has_max(option))
		snprintf(ret_text, text_bytes, "%s [%.15g to %.15g]", help, option->min, option->max);
	else if (options_has_min(option))
		snprintf(ret_text, text_bytes, "%s [at least %.15g]", help, option->min);
	else if (options_has_max(option))
		snprintf(ret_text, text_bytes, "%s [at most %.15g]", help, option->max);
	else
		snprintf(ret_text, text_bytes, "%s", help);
	size_t used = strlen(ret_text);
	if (option->secret)
		snprintf(ret_text + used, text_bytes - used,
			" [secret; or %s" OPTIONS_FILE_SUFFIX ": a file of mode 0600]", option->key);
	used = strlen(ret_text);
	if (option->runs_code)
		snprintf(ret_text + used, text_bytes - used, " [privileged]");
}

/* As TOML prints it. A default that is not empty would be a secret that everybody knows: it is not shown either. */
static const char *shown_default(const struct enrg_option *option)
{
	bool is_hidden = option->secret && option->default_value && strcmp(option->default_value, "\"\"") != 0;

	return is_hidden ? "\"" SECRET_MASK "\"" : option->default_value;
}

static struct row *rows_add(struct rows *rows)
{
	struct row *items = realloc(rows->items, (rows->count + 1) * sizeof(*items));

	if (!items)
		return NULL;
	rows->items = items;
	memset(&items[rows->count], 0, sizeof(*items));
	return &items[rows->count++];
}

static void rows_collect(struct rows *rows, const struct enrg_table *table, const char *prefix, int depth)
{
	char inner[160];

	for (const struct enrg_option *option = table->options; option && option->key && depth < DEPTH_MAX; option++) {
		bool is_list = option->kind == ENRG_OPTION_TABLE_LIST;
		if (option->kind == ENRG_OPTION_INCLUDE) {
			rows_collect(rows, option->table, prefix, depth + 1);
			continue;
		}
		snprintf(inner, sizeof(inner), "%s%s%s.", prefix, option->key, is_list ? "[]" : "");
		if (option->kind == ENRG_OPTION_TABLE) {
			rows_collect(rows, option->table, inner, depth + 1);
			continue;
		}
		struct row *row = rows_add(rows);
		if (!row)
			return;
		snprintf(row->name, sizeof(row->name), "%s%s", prefix, option->key);
		options_format_type(option, row->type, sizeof(row->type));
		snprintf(row->fallback, sizeof(row->fallback), "%s",
			option->default_value ? shown_default(option)
			: option->required    ? "required"
					      : "-");
		format_help(option, row->help, sizeof(row->help));
		row->unit = option->unit ? option->unit : "-";
		if (is_list)
			rows_collect(rows, option->table, inner, depth + 1);
	}
}

/* Width on the screen: continuation bytes of UTF-8 take none. */
static int width_of(const char *text)
{
	int width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static int widest(int width, const char *text)
{
	int own = width_of(text);

	return own > width ? own : width;
}

static void print_cell(const char *text, int width, FILE *stream)
{
	fprintf(stream, "%s%*s", text, width - width_of(text) + 2, "");
}

void options_print(const struct enrg_table *table, int indent, FILE *stream)
{
	struct rows rows = {0};
	int name = 0, type = 0, fallback = 0, unit = 0;

	rows_collect(&rows, table, "", 0);
	for (size_t i = 0; i < rows.count; i++) {
		name = widest(name, rows.items[i].name);
		type = widest(type, rows.items[i].type);
		fallback = widest(fallback, rows.items[i].fallback);
		unit = widest(unit, rows.items[i].unit);
	}
	for (size_t i = 0; i < rows.count; i++) {
		const struct row *row = &rows.items[i];
		fprintf(stream, "%*s", indent, "");
		print_cell(row->name, name, stream);
		print_cell(row->type, type, stream);
		print_cell(row->fallback, fallback, stream);
		print_cell(row->unit, unit, stream);
		fprintf(stream, "%s\n", row->help);
	}
	if (!rows.count)
		fprintf(stream, "%*s(no keys)\n", indent, "");
	free(rows.items);
}

/* A '|' would end the cell. */
static void print_markdown_text(const char *text, FILE *stream)
{
	for (; *text; text++) {
		if (*text == '|')
			fputc('\\', stream);
		fputc(*text, stream);
	}
}

void options_print_markdown(const struct enrg_table *table, FILE *stream)
{
	struct rows rows = {0};

	rows_collect(&rows, table, "", 0);
	fputs("| key | type | default | unit | meaning |\n|---|---|---|---|---|\n", stream);
	for (size_t i = 0; i < rows.count; i++) {
		const struct row *row = &rows.items[i];
		bool is_literal = strcmp(row->fallback, "required") && strcmp(row->fallback, "-");
		fprintf(stream, "| `%s` | ", row->name);
		print_markdown_text(row->type, stream);
		fprintf(stream, is_literal ? " | `%s` | %s | " : " | %s | %s | ", row->fallback, row->unit);
		print_markdown_text(row->help, stream);
		fputs(" |\n", stream);
	}
	free(rows.items);
}

/* A TOML value as JSON; NULL for what JSON has no form for. */
static json_t *json_of(const struct toml_node *node)
{
	json_t *json;

	switch (node->kind) {
	case TOML_STRING:
		return json_stringn(node->text, node->text_bytes);
	case TOML_DATE:
		return json_string(node->text);
	case TOML_INTEGER:
		return json_integer(node->integer);
	case TOML_FLOAT:
		return json_real(node->number);
	case TOML_BOOLEAN:
		return json_boolean(node->boolean);
	case TOML_ARRAY:
		json = json_array();
		for (size_t i = 0; i < node->count; i++)
			json_array_append_new(json, json_of(&node->children[i]));
		return json;
	case TOML_TABLE:
		json = json_object();
		for (size_t i = 0; i < node->count; i++)
			json_object_set_new(json, node->children[i].key, json_of(&node->children[i]));
		return json;
	}
	return NULL;
}

static json_t *schema_of(const struct enrg_table *table, int depth);

static void set_number_schema(json_t *schema, const struct enrg_option *option)
{
	bool is_int = option->kind != ENRG_OPTION_FLOAT;

	json_object_set_new(schema, "type", json_string(is_int ? "integer" : "number"));
	if (options_has_min(option))
		json_object_set_new(
			schema, "minimum", is_int ? json_integer((json_int_t)option->min) : json_real(option->min));
	if (options_has_max(option))
		json_object_set_new(
			schema, "maximum", is_int ? json_integer((json_int_t)option->max) : json_real(option->max));
}

static void set_list_schema(json_t *schema, json_t *items)
{
	json_object_set_new(schema, "type", json_string("array"));
	json_object_set_new(schema, "items", items);
}

static void set_kind_schema(json_t *schema, const struct enrg_option *option, int depth)
{
	json_t *items = NULL;

	switch (option->kind) {
	case ENRG_OPTION_BOOL:
		json_object_set_new(schema, "type", json_string("boolean"));
		return;
	case ENRG_OPTION_INT:
	case ENRG_OPTION_FLOAT:
		set_number_schema(schema, option);
		return;
	case ENRG_OPTION_STRING:
		json_object_set_new(schema, "type", json_string("string"));
		return;
	case ENRG_OPTION_CHOICE:
		items = json_array();
		for (const struct enrg_choice *choice = option->choices; choice->name; choice++)
			json_array_append_new(items, json_string(choice->name));
		json_object_set_new(schema, "enum", items);
		return;
	case ENRG_OPTION_STRING_LIST:
		set_list_schema(schema, json_pack("{ss}", "type", "string"));
		return;
	case ENRG_OPTION_INT_LIST:
		items = json_object();
		set_number_schema(items, option);
		set_list_schema(schema, items);
		return;
	case ENRG_OPTION_TABLE:
		items = schema_of(option->table, depth + 1);
		json_object_update(schema, items);
		json_decref(items);
		return;
	case ENRG_OPTION_TABLE_LIST:
		set_list_schema(schema, schema_of(option->table, depth + 1));
		return;
	case ENRG_OPTION_INCLUDE:
		return;
	case ENRG_OPTION_MAP:
		json_object_set_new(schema, "type", json_string("object"));
		json_object_set_new(schema, "additionalProperties", json_pack("{s[ss]}", "type", "number", "string"));
		return;
	}
}

static json_t *make_example(const struct enrg_option *option, int depth);

static json_t *option_schema(const struct enrg_option *option, int depth)
{
	json_t *schema = json_object();
	struct toml_node *root = NULL;

	set_kind_schema(schema, option, depth);
	if (option->help)
		json_object_set_new(schema, "description", json_string(option->help));
	if (option->unit)
		json_object_set_new(schema, "unit", json_string(option->unit));
	if (option->secret) {
		json_object_set_new(schema, "writeOnly", json_true());
		json_object_set_new(schema, "x-enrgdaq-secret", json_true());
	}
	if (option->runs_code)
		json_object_set_new(schema, "x-enrgdaq-runs-code", json_true());
	if (option->default_value && !options_parse_literal(shown_default(option), &root, NULL)) {
		json_object_set_new(schema, "default", json_of(&root->children[0]));
		toml_free(root);
	}
	if (option->example || (option->required && !option->default_value && !option->secret))
		json_object_set_new(schema, "examples", json_pack("[o]", make_example(option, depth)));
	return schema;
}

/* The file that holds a secret may lie anywhere where this user can read. */
static void add_file_property(const struct enrg_option *option, json_t *properties)
{
	char key[200];

	snprintf(key, sizeof(key), "%s" OPTIONS_FILE_SUFFIX, option->key);
	json_object_set_new(properties, key,
		json_pack("{ss ss sb}", "type", "string", "description",
			"File that holds the secret, of mode 0600 and of the user that runs this; instead of the key "
			"itself.",
			"x-enrgdaq-runs-code", 1));
}

static void add_properties(const struct enrg_table *table, int depth, json_t *properties, json_t *required)
{
	for (const struct enrg_option *option = table->options; option && option->key && depth < DEPTH_MAX; option++) {
		if (option->kind == ENRG_OPTION_INCLUDE) {
			add_properties(option->table, depth + 1, properties, required);
			continue;
		}
		json_object_set_new(properties, option->key, option_schema(option, depth));
		if (option->secret)
			add_file_property(option, properties);
		if (option->required && !option->secret)
			json_array_append_new(required, json_string(option->key));
	}
}

static json_t *schema_of(const struct enrg_table *table, int depth)
{
	json_t *schema = json_object(), *properties = json_object(), *required = json_array();

	add_properties(table, depth, properties, required);
	json_object_set_new(schema, "type", json_string("object"));
	json_object_set_new(schema, "properties", properties);
	json_object_set_new(schema, "required", required);
	json_object_set_new(schema, "additionalProperties", json_false());
	return schema;
}

json_t *options_schema(const struct enrg_table *table)
{
	return schema_of(table, 0);
}

struct example {
	FILE *stream;
	const char *stem; /* of names of files, so that groups of stores with other columns have each their own */
	size_t stem_bytes;
};

/* A text that a file may have as it is: the example is to be run before it is understood. */
static void print_placeholder_text(const char *key, const struct example *example)
{
	if (!strcmp(key, "file_path"))
		fprintf(example->stream, "\"%.*s.csv\"", (int)example->stem_bytes, example->stem);
	else
		fprintf(example->stream, "\"%s\"", strcmp(key, "host") != 0 ? "example" : "localhost");
}

/* A value that passes the checks, for a required key. */
static void print_placeholder(const struct enrg_option *option, const struct example *example)
{
	FILE *stream = example->stream;
	double number = options_has_min(option)                      ? option->min
			: options_has_max(option) && option->max < 0 ? option->max
								     : 0;

	if (option->example) {
		fputs(option->example, stream);
		return;
	}
	switch (option->kind) {
	case ENRG_OPTION_BOOL:
		fputs("false", stream);
		return;
	case ENRG_OPTION_INT:
	case ENRG_OPTION_FLOAT:
		fprintf(stream, "%.15g", number);
		return;
	case ENRG_OPTION_STRING:
		print_placeholder_text(option->key, example);
		return;
	case ENRG_OPTION_CHOICE:
		fprintf(stream, "\"%s\"", option->choices[0].name);
		return;
	case ENRG_OPTION_STRING_LIST:
	case ENRG_OPTION_INT_LIST:
	case ENRG_OPTION_TABLE_LIST:
		fputs("[]", stream);
		return;
	case ENRG_OPTION_TABLE:
	case ENRG_OPTION_MAP:
		fputs("{}", stream);
		return;
	case ENRG_OPTION_INCLUDE:
		return;
	}
}

/* A value that passes the checks, as JSON: of a list of tables one with what it needs. */
static json_t *make_example(const struct enrg_option *option, int depth)
{
	bool is_list = option->kind == ENRG_OPTION_TABLE_LIST;
	struct toml_node *root = NULL;
	json_t *json = NULL;
	char *text = NULL;
	size_t bytes;

	if (!option->example && (is_list || option->kind == ENRG_OPTION_TABLE)) {
		const struct enrg_option *inner = option->table->options;
		json = json_object();
		for (; inner && inner->key && depth < DEPTH_MAX; inner++)
			if (inner->example || (inner->required && !inner->default_value))
				json_object_set_new(json, inner->key, make_example(inner, depth + 1));
		return is_list ? json_pack("[o]", json) : json;
	}
	struct example example = {
		.stream = open_memstream(&text, &bytes), .stem = "example", .stem_bytes = strlen("example")};
	if (example.stream) {
		print_placeholder(option, &example);
		fclose(example.stream);
		if (!options_parse_literal(text, &root, NULL)) {
			json = json_of(&root->children[0]);
			toml_free(root);
		}
	}
	free(text);
	return json ? json : json_null();
}

static void print_example_comment(const struct enrg_option *option, FILE *stream)
{
	char type[240], help[400];

	options_format_type(option, type, sizeof(type));
	format_help(option, help, sizeof(help));
	fprintf(stream, "# %s (%s%s%s%s)\n", help, type, option->unit ? ", " : "", option->unit ? option->unit : "",
		option->required && !option->default_value ? "; required" : "");
}

/* An empty one would pass no check: the example has its first section. */
static bool is_needed_list(const struct enrg_option *option)
{
	return option->kind == ENRG_OPTION_TABLE_LIST && option->required && !option->default_value;
}

static void print_example_table(
	const struct enrg_table *table, const char *section, int depth, bool is_comment, const struct example *example);

/* The keys that stand directly below the header of a table. */
static void print_example_keys(
	const struct enrg_table *table, int depth, bool is_comment, const struct example *example)
{
	FILE *stream = example->stream;

	for (const struct enrg_option *option = table->options; option && option->key && depth < DEPTH_MAX; option++) {
		if (option->kind == ENRG_OPTION_INCLUDE)
			print_example_keys(option->table, depth + 1, is_comment, example);
		bool is_below = option->kind == ENRG_OPTION_TABLE || is_needed_list(option);
		if (option->kind == ENRG_OPTION_INCLUDE || (is_below && !option->default_value))
			continue;
		bool is_absent = !option->default_value && !option->required && !option->example;
		print_example_comment(option, stream);
		fprintf(stream, "%s%s = ", is_absent || is_comment ? "#" : "", option->key);
		if (option->default_value)
			fputs(shown_default(option), stream);
		else
			print_placeholder(option, example);
		fputc('\n', stream);
	}
}

/* Sub-tables come last: what stands below a header belongs to it. */
static void print_example_subtables(
	const struct enrg_table *table, const char *section, int depth, bool is_comment, const struct example *example)
{
	FILE *stream = example->stream;
	char name[320];

	for (const struct enrg_option *option = table->options; option && option->key && depth < DEPTH_MAX; option++) {
		bool is_table = option->kind == ENRG_OPTION_TABLE && !option->default_value;
		bool is_list = option->kind == ENRG_OPTION_TABLE_LIST;
		if (option->kind == ENRG_OPTION_INCLUDE)
			print_example_subtables(option->table, section, depth + 1, is_comment, example);
		if (!is_table && !is_list)
			continue;
		bool is_hidden = is_comment || !option->required || (is_list && !is_needed_list(option));
		snprintf(name, sizeof(name), "%s%s%s", section ? section : "", section ? "." : "", option->key);
		fprintf(stream, "\n# %s\n%s%s%s%s\n", option->help ? option->help : option->key, is_hidden ? "#" : "",
			is_list ? "[[" : "[", name,
			!is_list                 ? "]"
			: is_needed_list(option) ? "]]"
						 : "]]  # instead of the list above");
		print_example_table(option->table, name, depth + 1, is_hidden, example);
	}
}

static void print_example_table(
	const struct enrg_table *table, const char *section, int depth, bool is_comment, const struct example *example)
{
	print_example_keys(table, depth, is_comment, example);
	print_example_subtables(table, section, depth, is_comment, example);
}

void options_print_example(const struct enrg_table *table, const char *section, FILE *stream)
{
	static const char ending[] = "store_config";
	struct example example = {.stream = stream, .stem = "example", .stem_bytes = strlen("example")};
	const char *group_end = section ? strstr(section, ending) : NULL;

	if (section)
		fprintf(stream, "[%s]\n", section);
	if (group_end && group_end > section + 1) { /* "waveform_store_config.csv" */
		example.stem = section;
		example.stem_bytes = (size_t)(group_end - section) - 1;
	}
	print_example_table(table, section, 0, false, &example);
}
