/* options.c: fills typed structs from TOML by tables of fields. Used by the supervisor, every job process and the
 * command line, each on one thread.
 *
 * Defaults are TOML literals that go through the same parser and the same checks as what a user wrote, so that a
 * default can't mean anything that a file could not say.
 */
#include "config/options_fill.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/secret.h"
#include "base/secret_file.h"

static void fill_struct(const struct options_fill *fill, const struct enrg_table *table, const struct toml_node *node,
	const char *prefix, void *ret_struct);

static void *take(const struct options_fill *fill, size_t bytes, const char *name)
{
	void *memory = options_memory_take(fill->memory, bytes);

	if (!memory)
		problems_add(fill->problems, false, fill->file, fill->line, "%s: out of memory", name);
	return memory;
}

static const char *take_text(const struct options_fill *fill, const char *text, size_t count, const char *name)
{
	char *copy = take(fill, count + 1, name);

	if (copy)
		memcpy(copy, text, count);
	return copy;
}

static bool is_in_range(const struct enrg_option *option, double number)
{
	return (option->min == 0 && option->max == 0) || (number >= option->min && number <= option->max);
}

/* A string that C code can use as one: none of its bytes is NUL. */
static bool is_text(const struct toml_node *node)
{
	return node->kind == TOML_STRING && strlen(node->text) == node->text_bytes;
}

static bool fill_choice(const struct enrg_option *option, const struct toml_node *node, int *ret_value)
{
	if (!is_text(node))
		return false;
	for (const struct enrg_choice *choice = option->choices; choice->name; choice++)
		if (!strcasecmp(choice->name, node->text)) {
			*ret_value = choice->value;
			return true;
		}
	return false;
}

static bool fill_string_list(const struct options_fill *fill, const struct enrg_option *option,
	const struct toml_node *node, const char *name, void *ret)
{
	struct enrg_string_list *list = ret;
	const char **items;

	if (node->kind != TOML_ARRAY)
		return false;
	items = take(fill, node->count * sizeof(*items), name);
	if (!items)
		return true;
	for (size_t i = 0; i < node->count; i++) {
		if (!is_text(&node->children[i])) {
			options_add_item_mismatch(fill, option, ENRG_OPTION_STRING, &node->children[i], name, i);
			return true;
		}
		items[i] = take_text(fill, node->children[i].text, node->children[i].text_bytes, name);
	}
	*list = (struct enrg_string_list){.count = node->count, .items = items};
	return true;
}

/* 3, and 3.0 as the Python program's documentation has it. */
static bool get_integer(const struct toml_node *node, int64_t *ret_value)
{
	static const double exact = 9007199254740992.0; /* 2^53: beyond it a float names no single integer */

	if (node->kind == TOML_FLOAT && fabs(node->number) <= exact && node->number == floor(node->number))
		*ret_value = (int64_t)node->number;
	else if (node->kind == TOML_INTEGER)
		*ret_value = node->integer;
	else
		return false;
	return true;
}

static bool fill_int_list(const struct options_fill *fill, const struct enrg_option *option,
	const struct toml_node *node, const char *name, void *ret)
{
	struct enrg_int_list *list = ret;
	int64_t *items;

	if (node->kind != TOML_ARRAY)
		return false;
	items = take(fill, node->count * sizeof(*items), name);
	if (!items)
		return true;
	for (size_t i = 0; i < node->count; i++) {
		if (!get_integer(&node->children[i], &items[i]) || !is_in_range(option, node->children[i].number)) {
			options_add_item_mismatch(fill, option, ENRG_OPTION_INT, &node->children[i], name, i);
			return true;
		}
	}
	*list = (struct enrg_int_list){.count = node->count, .items = items};
	return true;
}

static void fill_map_entry(const struct options_fill *fill, const struct toml_node *node, const char *name,
	struct enrg_map_entry *ret_entry)
{
	char text[64];

	ret_entry->key = take_text(fill, node->key, strlen(node->key), name);
	ret_entry->number = NAN;
	if (node->kind == TOML_STRING) {
		ret_entry->text = take_text(fill, node->text, node->text_bytes, name);
		return;
	}
	ret_entry->number = node->number;
	if (node->kind == TOML_INTEGER)
		snprintf(text, sizeof(text), "%lld", (long long)node->integer);
	else
		snprintf(text, sizeof(text), "%.17g", node->number);
	ret_entry->text = take_text(fill, text, strlen(text), name);
}

static bool fill_map(const struct options_fill *fill, const struct enrg_option *option, const struct toml_node *node,
	const char *name, void *ret)
{
	struct enrg_map *map = ret;
	struct enrg_map_entry *entries;

	if (node->kind != TOML_TABLE)
		return false;
	entries = take(fill, node->count * sizeof(*entries), name);
	if (!entries)
		return true;
	for (size_t i = 0; i < node->count; i++) {
		const struct toml_node *child = &node->children[i];
		bool is_number = child->kind == TOML_INTEGER || child->kind == TOML_FLOAT;
		if (!is_text(child) && !(is_number && is_in_range(option, child->number))) {
			options_add_item_mismatch(
				fill, option, is_number ? ENRG_OPTION_FLOAT : ENRG_OPTION_MAP, child, name, i);
			return true;
		}
		fill_map_entry(fill, child, name, &entries[i]);
	}
	*map = (struct enrg_map){.count = node->count, .entries = entries};
	return true;
}

static bool fill_table_list(const struct options_fill *fill, const struct enrg_option *option,
	const struct toml_node *node, const char *name, void *ret)
{
	struct enrg_struct_list *list = ret;
	unsigned char *items;
	char prefix[512];

	if (node->kind != TOML_ARRAY)
		return false;
	for (size_t i = 0; i < node->count; i++)
		if (node->children[i].kind != TOML_TABLE) {
			options_add_item_mismatch(fill, option, ENRG_OPTION_TABLE, &node->children[i], name, i);
			return true;
		}
	items = take(fill, node->count * option->table->size, name);
	if (!items)
		return true;
	for (size_t i = 0; i < node->count; i++) {
		struct options_fill inner = *fill;
		inner.line = node->children[i].line;
		snprintf(prefix, sizeof(prefix), "%s[%zu].", name, i);
		fill_struct(&inner, option->table, &node->children[i], prefix, items + i * option->table->size);
	}
	*list = (struct enrg_struct_list){.count = node->count, .items = items};
	return true;
}

static bool fill_number(const struct enrg_option *option, const struct toml_node *node, void *ret)
{
	bool is_float = option->kind == ENRG_OPTION_FLOAT;

	if (!is_float)
		return get_integer(node, (int64_t *)ret) && is_in_range(option, node->number);
	if (node->kind != TOML_INTEGER && !(node->kind == TOML_FLOAT && isfinite(node->number)))
		return false;
	if (!is_in_range(option, node->number))
		return false;
	*(double *)ret = node->number;
	return true;
}

/* Sets one member. False: the value is not what the option wants. What is wrong inside it is reported here. */
static bool fill_value(const struct options_fill *fill, const struct enrg_option *option, const struct toml_node *node,
	const char *name, void *ret)
{
	char prefix[512];

	switch (option->kind) {
	case ENRG_OPTION_BOOL:
		*(bool *)ret = node->boolean;
		return node->kind == TOML_BOOLEAN;
	case ENRG_OPTION_INT:
	case ENRG_OPTION_FLOAT:
		return fill_number(option, node, ret);
	case ENRG_OPTION_STRING:
		if (!is_text(node))
			return false;
		if (option->required &&
			node->text_bytes == 0) /* an empty file_path would be found out at run time only */
			return false;
		*(const char **)ret = take_text(fill, node->text, node->text_bytes, name);
		return true;
	case ENRG_OPTION_CHOICE:
		return fill_choice(option, node, ret);
	case ENRG_OPTION_STRING_LIST:
		return fill_string_list(fill, option, node, name, ret);
	case ENRG_OPTION_INT_LIST:
		return fill_int_list(fill, option, node, name, ret);
	case ENRG_OPTION_TABLE_LIST:
		return fill_table_list(fill, option, node, name, ret);
	case ENRG_OPTION_MAP:
		return fill_map(fill, option, node, name, ret);
	case ENRG_OPTION_TABLE:
		break;
	case ENRG_OPTION_INCLUDE:
		return false;
	}
	if (node->kind != TOML_TABLE)
		return false;
	struct options_fill inner = *fill;
	inner.line = node->line;
	inner.is_quiet = false;
	snprintf(prefix, sizeof(prefix), "%s.", name);
	fill_struct(&inner, option->table, node, prefix, ret);
	return true;
}

int options_parse_literal(const char *literal, struct toml_node **ret_root, struct enrg_error *err)
{
	static const char head[] = "value = ";
	size_t count = sizeof(head) - 1 + strlen(literal);
	char *text = malloc(count + 1);

	if (!text)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	snprintf(text, count + 1, "%s%s", head, literal);
	int rc = toml_parse("default", text, count, ret_root, err);
	free(text);
	if (rc)
		return rc;
	if ((*ret_root)->count != 1) {
		toml_free(*ret_root);
		*ret_root = NULL;
		return enrg_error_set(err, ENRG_E_CONFIG, "default:1: more than one value");
	}
	return 0;
}

static void fill_default(const struct options_fill *fill, const struct enrg_option *option, const char *name, void *ret)
{
	struct toml_node *root = NULL;
	struct enrg_error err = {0};

	if (options_parse_literal(option->default_value, &root, &err)) {
		problems_add(fill->problems, false, fill->file, fill->line, "%s: its default %s: %s", name,
			option->default_value, err.text);
		return;
	}
	if (!fill_value(fill, option, &root->children[0], name, ret))
		options_add_mismatch(fill, option, &root->children[0], name);
	toml_free(root);
}

/* As if the file had said it: a number in its own words, all else as a string. False: it says nothing. */
static bool fill_environment(
	const struct options_fill *fill, const struct enrg_option *option, const char *name, void *ret)
{
	const char *text = option->environment ? getenv(option->environment) : NULL;
	struct toml_node node = {.kind = TOML_STRING, .line = fill->line, .text = text};
	struct toml_node *root = NULL;
	char shown[600];

	if (!text || !*text)
		return false;
	node.text_bytes = strlen(text);
	if (option->secret)
		secret_remember(text);
	bool is_number = option->kind == ENRG_OPTION_INT || option->kind == ENRG_OPTION_FLOAT;
	if (is_number && !options_parse_literal(text, &root, NULL))
		node = root->children[0];
	snprintf(shown, sizeof(shown), "%s (from the environment, %s)", name, option->environment);
	if (!fill_value(fill, option, &node, name, ret))
		options_add_mismatch(fill, option, &node, shown);
	toml_free(root);
	return true;
}

static void fill_absent(const struct options_fill *fill, const struct enrg_option *option, const char *name, void *ret)
{
	char expected[400], prefix[520];
	struct options_fill inner = *fill;

	if (fill_environment(fill, option, name, ret))
		return;
	if (option->kind == ENRG_OPTION_TABLE && !option->default_value) {
		/* a required table misses its own required keys, which says more than that the table is missing */
		inner.is_quiet = fill->is_quiet || !option->required;
		snprintf(prefix, sizeof(prefix), "%s.", name);
		fill_struct(&inner, option->table, NULL, prefix, ret);
	} else if (option->default_value) {
		fill_default(fill, option, name, ret);
	} else if (option->required && !fill->is_quiet) {
		options_format_expected(option, expected, sizeof(expected));
		const char *bare = strncmp(expected, "an ", 3) ? expected : expected + 3;
		bare = strncmp(bare, "a ", 2) ? bare : bare + 2;
		problems_add(fill->problems, false, fill->file, fill->line, "%s: required key is missing (%s: %s)",
			name, bare, option->help ? option->help : "no help");
	}
}

static void fill_from_file(const struct options_fill *fill, const struct enrg_option *option,
	const struct toml_node *path, const char *prefix, const char **ret)
{
	struct enrg_error err = {0};
	char *text = NULL;

	if (!is_text(path) || path->text_bytes == 0) {
		problems_add(fill->problems, false, fill->file, path->line,
			"%s%s" OPTIONS_FILE_SUFFIX ": expected the path of a file that holds the secret", prefix,
			option->key);
		return;
	}
	if (secret_read_file(path->text, &text, &err) < 0) {
		problems_add(fill->problems, false, fill->file, path->line, "%s%s" OPTIONS_FILE_SUFFIX ": %s", prefix,
			option->key, err.text);
		return;
	}
	*ret = take_text(fill, text, strlen(text), option->key);
	secret_remember(text);
	free(text);
}

/* The value is in a file of its own, or in the configuration; both would leave open which one counts. False: there is
 * no such file. */
static bool fill_secret(const struct options_fill *fill, const struct enrg_option *option, const struct toml_node *node,
	const char *prefix, const char **ret)
{
	char key[512];
	snprintf(key, sizeof(key), "%s" OPTIONS_FILE_SUFFIX, option->key);
	const struct toml_node *value = toml_find(node, option->key), *path = toml_find(node, key);

	if (value && is_text(value))
		secret_remember(value->text);
	if (path && value)
		problems_add(fill->problems, false, fill->file, path->key_line,
			"%s%s: %s stands there as well: keep one of the two", prefix, key, option->key);
	else if (path)
		fill_from_file(fill, option, path, prefix, ret);
	return path != NULL;
}

static void fill_known(const struct options_fill *fill, const struct enrg_table *table, const struct toml_node *node,
	const char *prefix, void *ret_struct)
{
	unsigned char *bytes = ret_struct;
	char name[512];

	for (const struct enrg_option *option = table->options; option && option->key; option++) {
		if (option->kind == ENRG_OPTION_INCLUDE) {
			fill_known(fill, option->table, node, prefix, bytes + option->offset);
			continue;
		}
		const struct toml_node *child = toml_find(node, option->key);
		snprintf(name, sizeof(name), "%s%s", prefix, option->key);
		const char **secret = option->secret ? (const char **)(void *)(bytes + option->offset) : NULL;
		bool is_in_file = secret && fill_secret(fill, option, node, prefix, secret);
		if (!child && !is_in_file) {
			fill_absent(fill, option, name, bytes + option->offset);
			continue;
		}
		if (option->present_offset)
			*(bool *)(bytes + option->present_offset) = true;
		if (!is_in_file && !fill_value(fill, option, child, name, bytes + option->offset))
			options_add_mismatch(fill, option, child, name);
	}
}

static void fill_struct(const struct options_fill *fill, const struct enrg_table *table, const struct toml_node *node,
	const char *prefix, void *ret_struct)
{
	memset(ret_struct, 0, table->size);
	fill_known(fill, table, node, prefix, ret_struct);
	options_check_unknown(fill, &table, 1, node, prefix, NULL);
}

void options_fill(const struct enrg_table *table, const struct options_text *text, void *ret_struct,
	struct options_memory *memory, struct problems *problems)
{
	options_fill_many(&table, &ret_struct, 1, text, memory, problems);
}

void options_fill_many(const struct enrg_table *const *tables, void *const *structs, size_t count,
	const struct options_text *text, struct options_memory *memory, struct problems *problems)
{
	struct options_fill fill = {
		.file = text->file, .memory = memory, .problems = problems, .line = text->node ? text->node->line : 0};
	const char *prefix = text->prefix ? text->prefix : "";

	for (size_t i = 0; i < count; i++) {
		memset(structs[i], 0, tables[i]->size);
		fill_known(&fill, tables[i], text->node, prefix, structs[i]);
	}
	options_check_unknown(&fill, tables, count, text->node, prefix, text->known);
}
