/* options.c: fills typed structs from TOML by tables of fields. Used by the supervisor, every job process and the
 * command line, each on one thread.
 *
 * Defaults are TOML literals that go through the same parser and the same checks as what a user wrote, so that a
 * default can't mean anything that a file could not say.
 */
#include "config/options.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/secret.h"
#include "base/secret_file.h"

struct chunk {
	struct chunk *next;
	_Alignas(max_align_t) unsigned char bytes[];
};

struct options_memory {
	struct chunk *first;
};

struct fill {
	const char *file;
	struct options_memory *memory;
	struct problems *problems;
	int line;      /* of the table at hand: where a missing key is reported */
	bool is_quiet; /* an absent optional table: its required keys are not missed */
};

static void fill_struct(const struct fill *fill, const struct enrg_table *table, const struct toml_node *node,
	const char *prefix, void *ret_struct);

struct options_memory *options_memory_create(void)
{
	return calloc(1, sizeof(struct options_memory));
}

void options_memory_destroy(struct options_memory *memory)
{
	if (!memory)
		return;
	for (struct chunk *chunk = memory->first, *next; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(memory);
}

void *options_memory_take(struct options_memory *memory, size_t bytes)
{
	struct chunk *chunk = calloc(1, sizeof(*chunk) + bytes + 1); /* + 1: no pointer is equal to another */

	if (!chunk)
		return NULL;
	chunk->next = memory->first;
	memory->first = chunk;
	return chunk->bytes;
}

size_t options_kind_bytes(const struct enrg_option *option)
{
	switch (option->kind) {
	case ENRG_OPTION_BOOL:
		return sizeof(bool);
	case ENRG_OPTION_INT:
		return sizeof(int64_t);
	case ENRG_OPTION_FLOAT:
		return sizeof(double);
	case ENRG_OPTION_STRING:
		return sizeof(const char *);
	case ENRG_OPTION_CHOICE:
		return sizeof(int);
	case ENRG_OPTION_STRING_LIST:
		return sizeof(struct enrg_string_list);
	case ENRG_OPTION_INT_LIST:
		return sizeof(struct enrg_int_list);
	case ENRG_OPTION_TABLE:
	case ENRG_OPTION_INCLUDE:
		return option->table ? option->table->size : 0;
	case ENRG_OPTION_TABLE_LIST:
		return sizeof(struct enrg_struct_list);
	case ENRG_OPTION_MAP:
		return sizeof(struct enrg_map);
	}
	return 0;
}

bool options_has_min(const struct enrg_option *option)
{
	return (option->min != 0 || option->max != 0) && option->min > -1e18;
}

bool options_has_max(const struct enrg_option *option)
{
	return (option->min != 0 || option->max != 0) && option->max < 1e18;
}

/* "an integer from 1 to 65535 MB" */
static void format_expected(const struct enrg_option *option, char *ret_text, size_t text_bytes)
{
	static const char *const phrases[] = {
		[ENRG_OPTION_BOOL] = "true or false",
		[ENRG_OPTION_INT] = "an integer",
		[ENRG_OPTION_FLOAT] = "a number",
		[ENRG_OPTION_STRING] = "a string",
		[ENRG_OPTION_CHOICE] = "one of",
		[ENRG_OPTION_STRING_LIST] = "a list of strings",
		[ENRG_OPTION_INT_LIST] = "a list of integers",
		[ENRG_OPTION_TABLE] = "a table",
		[ENRG_OPTION_TABLE_LIST] = "a list of tables",
		[ENRG_OPTION_MAP] = "a table of numbers and strings",
		[ENRG_OPTION_INCLUDE] = "nothing",
	};
	size_t used = (size_t)snprintf(ret_text, text_bytes, "%s", phrases[option->kind]);

	if (option->kind == ENRG_OPTION_CHOICE) {
		for (size_t i = 0; option->choices[i].name && used < text_bytes; i++)
			used += (size_t)snprintf(ret_text + used, text_bytes - used, "%s\"%s\"", i ? ", " : " ",
				option->choices[i].name);
		return;
	}
	if (options_has_min(option) && options_has_max(option))
		snprintf(ret_text + used, text_bytes - used, " from %.15g to %.15g", option->min, option->max);
	else if (options_has_min(option))
		snprintf(ret_text + used, text_bytes - used, " of at least %.15g", option->min);
	else if (options_has_max(option))
		snprintf(ret_text + used, text_bytes - used, " of at most %.15g", option->max);
	if (option->unit) {
		used = strlen(ret_text);
		snprintf(ret_text + used, text_bytes - used, " %s%s",
			options_has_min(option) || options_has_max(option) ? "" : "in ", option->unit);
	}
}

/* Cuts at 60 bytes, at the border of a UTF-8 character, and shows control characters as '?'. */
static void format_string(const char *text, size_t count, char *ret_text, size_t text_bytes)
{
	size_t shown = count < 60 ? count : 60;

	while (shown < count && shown > 0 && ((unsigned char)text[shown] & 0xc0) == 0x80)
		shown--;
	int head = snprintf(ret_text, text_bytes, "\"");
	size_t used = (size_t)head;
	for (size_t i = 0; i < shown && used + 8 < text_bytes; i++)
		ret_text[used++] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i];
	snprintf(ret_text + used, text_bytes - used, "%s\"", shown < count ? "…" : "");
}

/* "the string "abc"" */
static void format_found(const struct toml_node *node, char *ret_text, size_t text_bytes)
{
	char text[100];

	switch (node->kind) {
	case TOML_STRING:
		format_string(node->text, node->text_bytes, text, sizeof(text));
		snprintf(ret_text, text_bytes, "the string %s", text);
		return;
	case TOML_DATE:
		snprintf(ret_text, text_bytes, "the date %s", node->text);
		return;
	case TOML_INTEGER:
		snprintf(ret_text, text_bytes, "the integer %lld", (long long)node->integer);
		return;
	case TOML_FLOAT:
		snprintf(ret_text, text_bytes, "the number %.15g", node->number);
		return;
	case TOML_BOOLEAN:
		snprintf(ret_text, text_bytes, "%s", node->boolean ? "true" : "false");
		return;
	case TOML_ARRAY:
		snprintf(ret_text, text_bytes, "%s", node->count ? "a list" : "an empty list");
		return;
	case TOML_TABLE:
		snprintf(ret_text, text_bytes, "a table");
		return;
	}
}

static void add_mismatch(
	const struct fill *fill, const struct enrg_option *option, const struct toml_node *node, const char *name)
{
	char expected[400], found[200];

	format_expected(option, expected, sizeof(expected));
	format_found(node, found, sizeof(found));
	if (option->secret)
		snprintf(found, sizeof(found), "%s", SECRET_MASK);
	if (option->kind == ENRG_OPTION_STRING && node->kind == TOML_STRING && node->text_bytes == 0)
		snprintf(expected, sizeof(expected), "a string that is not empty");
	problems_add(fill->problems, false, fill->file, node->line, "%s: expected %s, found %s", name, expected, found);
}

/* The same for one item of a list or entry of a map, as a field of its own kind. */
static void add_item_mismatch(const struct fill *fill, const struct enrg_option *list, enum enrg_option_kind kind,
	const struct toml_node *item, const char *name, size_t index)
{
	struct enrg_option option = {.kind = kind, .min = list->min, .max = list->max, .unit = list->unit};
	char item_name[512], found[200];

	if (item->key)
		snprintf(item_name, sizeof(item_name), "%s.%s", name, item->key);
	else
		snprintf(item_name, sizeof(item_name), "%s[%zu]", name, index);
	if (kind != ENRG_OPTION_MAP) {
		add_mismatch(fill, &option, item, item_name);
		return;
	}
	format_found(item, found, sizeof(found));
	problems_add(fill->problems, false, fill->file, item->line, "%s: expected a number or a string, found %s",
		item_name, found);
}

static void *take(const struct fill *fill, size_t bytes, const char *name)
{
	void *memory = options_memory_take(fill->memory, bytes);

	if (!memory)
		problems_add(fill->problems, false, fill->file, fill->line, "%s: out of memory", name);
	return memory;
}

static const char *take_text(const struct fill *fill, const char *text, size_t count, const char *name)
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

static bool fill_string_list(const struct fill *fill, const struct enrg_option *option, const struct toml_node *node,
	const char *name, void *ret)
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
			add_item_mismatch(fill, option, ENRG_OPTION_STRING, &node->children[i], name, i);
			return true;
		}
		items[i] = take_text(fill, node->children[i].text, node->children[i].text_bytes, name);
	}
	*list = (struct enrg_string_list){.count = node->count, .items = items};
	return true;
}

static bool fill_int_list(const struct fill *fill, const struct enrg_option *option, const struct toml_node *node,
	const char *name, void *ret)
{
	struct enrg_int_list *list = ret;
	int64_t *items;

	if (node->kind != TOML_ARRAY)
		return false;
	items = take(fill, node->count * sizeof(*items), name);
	if (!items)
		return true;
	for (size_t i = 0; i < node->count; i++) {
		if (node->children[i].kind != TOML_INTEGER || !is_in_range(option, node->children[i].number)) {
			add_item_mismatch(fill, option, ENRG_OPTION_INT, &node->children[i], name, i);
			return true;
		}
		items[i] = node->children[i].integer;
	}
	*list = (struct enrg_int_list){.count = node->count, .items = items};
	return true;
}

static void fill_map_entry(
	const struct fill *fill, const struct toml_node *node, const char *name, struct enrg_map_entry *ret_entry)
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

static bool fill_map(const struct fill *fill, const struct enrg_option *option, const struct toml_node *node,
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
			add_item_mismatch(
				fill, option, is_number ? ENRG_OPTION_FLOAT : ENRG_OPTION_MAP, child, name, i);
			return true;
		}
		fill_map_entry(fill, child, name, &entries[i]);
	}
	*map = (struct enrg_map){.count = node->count, .entries = entries};
	return true;
}

static bool fill_table_list(const struct fill *fill, const struct enrg_option *option, const struct toml_node *node,
	const char *name, void *ret)
{
	struct enrg_struct_list *list = ret;
	unsigned char *items;
	char prefix[512];

	if (node->kind != TOML_ARRAY)
		return false;
	for (size_t i = 0; i < node->count; i++)
		if (node->children[i].kind != TOML_TABLE) {
			add_item_mismatch(fill, option, ENRG_OPTION_TABLE, &node->children[i], name, i);
			return true;
		}
	items = take(fill, node->count * option->table->size, name);
	if (!items)
		return true;
	for (size_t i = 0; i < node->count; i++) {
		struct fill inner = *fill;
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

	if (node->kind != TOML_INTEGER && !(is_float && node->kind == TOML_FLOAT && isfinite(node->number)))
		return false;
	if (!is_in_range(option, node->number))
		return false;
	if (is_float)
		*(double *)ret = node->number;
	else
		*(int64_t *)ret = node->integer;
	return true;
}

/* Sets one member. False: the value is not what the option wants. What is wrong inside it is reported here. */
static bool fill_value(const struct fill *fill, const struct enrg_option *option, const struct toml_node *node,
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
	struct fill inner = *fill;
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

static void fill_default(const struct fill *fill, const struct enrg_option *option, const char *name, void *ret)
{
	struct toml_node *root = NULL;
	struct enrg_error err = {0};

	if (options_parse_literal(option->default_value, &root, &err)) {
		problems_add(fill->problems, false, fill->file, fill->line, "%s: its default %s: %s", name,
			option->default_value, err.text);
		return;
	}
	if (!fill_value(fill, option, &root->children[0], name, ret))
		add_mismatch(fill, option, &root->children[0], name);
	toml_free(root);
}

static void fill_absent(const struct fill *fill, const struct enrg_option *option, const char *name, void *ret)
{
	char expected[400], prefix[520];
	struct fill inner = *fill;

	if (option->kind == ENRG_OPTION_TABLE && !option->default_value) {
		/* a required table misses its own required keys, which says more than that the table is missing */
		inner.is_quiet = fill->is_quiet || !option->required;
		snprintf(prefix, sizeof(prefix), "%s.", name);
		fill_struct(&inner, option->table, NULL, prefix, ret);
	} else if (option->default_value) {
		fill_default(fill, option, name, ret);
	} else if (option->required && !fill->is_quiet) {
		format_expected(option, expected, sizeof(expected));
		const char *bare = strncmp(expected, "an ", 3) ? expected : expected + 3;
		bare = strncmp(bare, "a ", 2) ? bare : bare + 2;
		problems_add(fill->problems, false, fill->file, fill->line, "%s: required key is missing (%s: %s)",
			name, bare, option->help ? option->help : "no help");
	}
}

static void fill_from_file(const struct fill *fill, const struct enrg_option *option, const struct toml_node *path,
	const char *prefix, const char **ret)
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
static bool fill_secret(const struct fill *fill, const struct enrg_option *option, const struct toml_node *node,
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

static void fill_known(const struct fill *fill, const struct enrg_table *table, const struct toml_node *node,
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
			add_mismatch(fill, option, child, name);
	}
}

/* Puts the keys of a table into `names` (NULL: only counts them). Returns how many. */
static size_t put_keys(const struct enrg_table *table, const char **names)
{
	size_t count = 0;

	for (const struct enrg_option *option = table->options; option && option->key; option++) {
		const char **at = names ? names + count : NULL;
		if (option->kind == ENRG_OPTION_INCLUDE)
			count += put_keys(option->table, at);
		else if (at)
			*at = option->key;
		count += option->kind != ENRG_OPTION_INCLUDE;
	}
	return count;
}

/* Lists all keys that the tables know; the caller frees the list. */
static const char **list_keys(
	const struct enrg_table *const *tables, size_t count, const char *const *known, size_t *ret_count)
{
	size_t keys = 0, at = 0;

	for (size_t i = 0; i < count; i++)
		keys += put_keys(tables[i], NULL);
	for (size_t i = 0; known && known[i]; i++)
		keys++;
	const char **names = calloc(keys + 1, sizeof(*names));
	if (!names)
		return NULL;
	for (size_t i = 0; i < count; i++)
		at += put_keys(tables[i], names + at);
	for (size_t i = 0; known && known[i]; i++)
		names[at++] = known[i];
	*ret_count = keys;
	return names;
}

static bool is_listed(const char *key, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(names[i], key))
			return true;
	return false;
}

bool options_is_file_of_secret(const struct enrg_table *table, const char *key)
{
	size_t length = strlen(key), suffix = sizeof(OPTIONS_FILE_SUFFIX) - 1;

	if (length <= suffix || strcmp(key + length - suffix, OPTIONS_FILE_SUFFIX) != 0)
		return false;
	for (const struct enrg_option *option = table->options; option && option->key; option++) {
		if (option->kind == ENRG_OPTION_INCLUDE && options_is_file_of_secret(option->table, key))
			return true;
		if (option->secret && strlen(option->key) == length - suffix &&
			!strncmp(option->key, key, length - suffix))
			return true;
	}
	return false;
}

static bool is_file_of_any(const struct enrg_table *const *tables, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++)
		if (options_is_file_of_secret(tables[i], key))
			return true;
	return false;
}

static void add_unknown(const struct fill *fill, const struct toml_node *child, const char *prefix,
	const char *const *names, size_t count)
{
	const char *nearest = options_suggest(child->key, names, count);
	char listed[400] = "";
	size_t used = 0;

	if (nearest) {
		problems_add(fill->problems, false, fill->file, child->key_line,
			"%s%s: unknown key; did you mean %s%s?", prefix, child->key, prefix, nearest);
		return;
	}
	for (size_t i = 0; i < count && used < sizeof(listed); i++)
		used += (size_t)snprintf(listed + used, sizeof(listed) - used, "%s%s", i ? ", " : "", names[i]);
	problems_add(fill->problems, false, fill->file, child->key_line, "%s%s: unknown key; %s%s%s", prefix,
		child->key, count ? "known keys are " : "none is known here", listed,
		used >= sizeof(listed) ? "…" : "");
}

static void check_unknown(const struct fill *fill, const struct enrg_table *const *tables, size_t table_count,
	const struct toml_node *node, const char *prefix, const char *const *known)
{
	size_t count = 0;
	const char **names = list_keys(tables, table_count, known, &count);

	for (size_t i = 0; names && node && i < node->count; i++)
		if (!is_listed(node->children[i].key, names, count) &&
			!is_file_of_any(tables, table_count, node->children[i].key))
			add_unknown(fill, &node->children[i], prefix, names, count);
	free(names);
}

static void fill_struct(const struct fill *fill, const struct enrg_table *table, const struct toml_node *node,
	const char *prefix, void *ret_struct)
{
	memset(ret_struct, 0, table->size);
	fill_known(fill, table, node, prefix, ret_struct);
	check_unknown(fill, &table, 1, node, prefix, NULL);
}

void options_fill(const struct enrg_table *table, const struct options_text *text, void *ret_struct,
	struct options_memory *memory, struct problems *problems)
{
	options_fill_many(&table, &ret_struct, 1, text, memory, problems);
}

void options_fill_many(const struct enrg_table *const *tables, void *const *structs, size_t count,
	const struct options_text *text, struct options_memory *memory, struct problems *problems)
{
	struct fill fill = {
		.file = text->file, .memory = memory, .problems = problems, .line = text->node ? text->node->line : 0};
	const char *prefix = text->prefix ? text->prefix : "";

	for (size_t i = 0; i < count; i++) {
		memset(structs[i], 0, tables[i]->size);
		fill_known(&fill, tables[i], text->node, prefix, structs[i]);
	}
	check_unknown(&fill, tables, count, text->node, prefix, text->known);
}
