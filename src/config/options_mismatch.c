/* options_mismatch.c: what was expected of a field, by its kind and bounds, and what was found. */
#include "config/options_fill.h"

#include <stdio.h>
#include <string.h>

#include "base/secret.h"

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

void options_format_expected(const struct enrg_option *option, char *ret_text, size_t text_bytes)
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

void options_add_mismatch(const struct options_fill *fill, const struct enrg_option *option,
	const struct toml_node *node, const char *name)
{
	char expected[400], found[200];

	options_format_expected(option, expected, sizeof(expected));
	format_found(node, found, sizeof(found));
	if (option->secret)
		snprintf(found, sizeof(found), "%s", SECRET_MASK);
	if (option->kind == ENRG_OPTION_STRING && node->kind == TOML_STRING && node->text_bytes == 0)
		snprintf(expected, sizeof(expected), "a string that is not empty");
	problems_add(fill->problems, false, fill->file, node->line, "%s: expected %s, found %s", name, expected, found);
}

void options_add_item_mismatch(const struct options_fill *fill, const struct enrg_option *list,
	enum enrg_option_kind kind, const struct toml_node *item, const char *name, size_t index)
{
	struct enrg_option option = {.kind = kind, .min = list->min, .max = list->max, .unit = list->unit};
	char item_name[512], found[200];

	if (item->key)
		snprintf(item_name, sizeof(item_name), "%s.%s", name, item->key);
	else
		snprintf(item_name, sizeof(item_name), "%s[%zu]", name, index);
	if (kind != ENRG_OPTION_MAP) {
		options_add_mismatch(fill, &option, item, item_name);
		return;
	}
	format_found(item, found, sizeof(found));
	problems_add(fill->problems, false, fill->file, item->line, "%s: expected a number or a string, found %s",
		item_name, found);
}
