/* options_known.c: keys that a file has and no table knows. */
#include "config/options_fill.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static void add_unknown(const struct options_fill *fill, const struct toml_node *child, const char *prefix,
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

void options_check_unknown(const struct options_fill *fill, const struct enrg_table *const *tables, size_t table_count,
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
