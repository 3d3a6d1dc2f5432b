/* options_json.c: JSON as the nodes that a TOML file would give, so that there is one way into a struct. */
#include "config/options_json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define DEPTH_MAX 16

static bool convert(
	const json_t *json, const char *key, unsigned depth, struct options_memory *memory, struct toml_node *ret_node);

static bool convert_members(
	const json_t *json, unsigned depth, struct options_memory *memory, struct toml_node *ret_node)
{
	json_t *object = (json_t *)(uintptr_t)json; /* jansson's iterators ask for it; nothing is changed */
	const char *key;
	json_t *value;

	ret_node->kind = TOML_TABLE;
	ret_node->children = options_memory_take(memory, json_object_size(json) * sizeof(*ret_node->children));
	if (!ret_node->children)
		return false;
	json_object_foreach(object, key, value)
	{
		if (json_is_null(value))
			continue;
		if (!convert(value, key, depth - 1, memory, &ret_node->children[ret_node->count++]))
			return false;
	}
	return true;
}

static bool convert_items(const json_t *json, unsigned depth, struct options_memory *memory, struct toml_node *ret_node)
{
	ret_node->kind = TOML_ARRAY;
	ret_node->children = options_memory_take(memory, json_array_size(json) * sizeof(*ret_node->children));
	if (!ret_node->children)
		return false;
	for (size_t i = 0; i < json_array_size(json); i++)
		if (!convert(json_array_get(json, i), NULL, depth - 1, memory, &ret_node->children[ret_node->count++]))
			return false;
	return true;
}

/* Texts and keys stay the object's. */
static bool convert(
	const json_t *json, const char *key, unsigned depth, struct options_memory *memory, struct toml_node *ret_node)
{
	*ret_node = (struct toml_node){.key = key};
	if (!depth)
		return false;
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		return convert_members(json, depth, memory, ret_node);
	case JSON_ARRAY:
		return convert_items(json, depth, memory, ret_node);
	case JSON_STRING:
		ret_node->kind = TOML_STRING;
		ret_node->text = json_string_value(json);
		ret_node->text_bytes = json_string_length(json);
		return true;
	case JSON_INTEGER:
		ret_node->kind = TOML_INTEGER;
		ret_node->integer = json_integer_value(json);
		ret_node->number = (double)ret_node->integer;
		return true;
	case JSON_REAL:
		ret_node->kind = TOML_FLOAT;
		ret_node->number = json_real_value(json);
		return true;
	case JSON_TRUE:
	case JSON_FALSE:
		ret_node->kind = TOML_BOOLEAN;
		ret_node->boolean = json_is_true(json);
		return true;
	case JSON_NULL: /* in a list: nothing that a list may hold */
		ret_node->kind = TOML_DATE;
		ret_node->text = "null";
		ret_node->text_bytes = strlen("null");
		return true;
	}
	return false;
}

/* A sender may not make this process read files of its choice. */
static void refuse_files(const struct enrg_table *table, const struct toml_node *node, struct problems *problems)
{
	for (size_t i = 0; i < node->count; i++)
		if (options_is_file_of_secret(table, node->children[i].key))
			problems_add(problems, false, "", 0, "%s: a message may not name a file that holds a secret",
				node->children[i].key);
}

static void join(const struct problems *problems, char *ret_wrong, size_t wrong_bytes)
{
	size_t used = 0;

	ret_wrong[0] = 0;
	for (size_t i = 0; i < problems->count && used < wrong_bytes; i++)
		used += (size_t)snprintf(ret_wrong + used, wrong_bytes - used, "%s%s", used ? "; " : "",
			problems->items[i].text ? problems->items[i].text : "");
	text_make_safe(ret_wrong, strlen(ret_wrong)); /* what was cut may end inside of a character */
}

int options_fill_json(const struct enrg_table *table, const json_t *json, struct options_memory *memory,
	void **ret_struct, char *ret_wrong, size_t wrong_bytes)
{
	struct toml_node root = {.kind = TOML_TABLE};
	struct problems problems;
	void *bytes = options_memory_take(memory, table->size);
	int rc = 0;

	problems_init(&problems);
	if (!bytes || (json && !convert(json, NULL, DEPTH_MAX, memory, &root)))
		problems_add(&problems, false, "", 0, "the fields are nested too deep, or there is no memory for them");
	else if (root.kind != TOML_TABLE)
		problems_add(&problems, false, "", 0, "the fields are not a table");
	else
		refuse_files(table, &root, &problems);
	if (!problems.errors)
		options_fill(table, &(struct options_text){.node = &root, .file = ""}, bytes, memory, &problems);
	if (problems.errors) {
		join(&problems, ret_wrong, wrong_bytes);
		rc = ENRG_E_CONFIG;
	}
	problems_fini(&problems);
	if (!rc)
		*ret_struct = bytes;
	return rc;
}
