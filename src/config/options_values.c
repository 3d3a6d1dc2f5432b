/* options_values.c: the way back from options_json.c. */
#include "config/options_values.h"

#include <math.h>

#include "config/options.h"

static json_t *strings(const struct enrg_string_list *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++)
		if (json_array_append_new(array, json_string(list->items[i]))) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static json_t *integers(const struct enrg_int_list *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(array, json_integer(list->items[i]));
	return array;
}

static json_t *tables(const struct enrg_table *table, const struct enrg_struct_list *list)
{
	const unsigned char *items = list->items;
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++)
		if (json_array_append_new(array, options_values(table, items + i * table->size))) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static json_t *map(const struct enrg_map *entries)
{
	json_t *object = json_object();

	for (size_t i = 0; i < entries->count; i++) {
		const struct enrg_map_entry *entry = &entries->entries[i];
		json_t *value = isnan(entry->number) ? json_string(entry->text) : json_real(entry->number);
		if (json_object_set_new(object, entry->key, value)) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

static json_t *choice(const struct enrg_choice *choices, int value)
{
	for (; choices->name; choices++)
		if (choices->value == value)
			return json_string(choices->name);
	return NULL;
}

/* One member. NULL also where it has no value. */
static json_t *value_of(const struct enrg_option *option, const void *member)
{
	const char *text;

	switch (option->kind) {
	case ENRG_OPTION_BOOL:
		return json_boolean(*(const bool *)member);
	case ENRG_OPTION_INT:
		return json_integer(*(const int64_t *)member);
	case ENRG_OPTION_FLOAT:
		return json_real(*(const double *)member);
	case ENRG_OPTION_STRING:
		text = *(const char *const *)member;
		return text ? json_string(text) : NULL;
	case ENRG_OPTION_CHOICE:
		return choice(option->choices, *(const int *)member);
	case ENRG_OPTION_STRING_LIST:
		return strings(member);
	case ENRG_OPTION_INT_LIST:
		return integers(member);
	case ENRG_OPTION_TABLE_LIST:
		return tables(option->table, member);
	case ENRG_OPTION_MAP:
		return map(member);
	case ENRG_OPTION_TABLE:
		return options_values(option->table, member);
	case ENRG_OPTION_INCLUDE: /* its keys stand among the others' */
		return NULL;
	}
	return NULL;
}

/* A member that has no value may be absent; one that has must be there. */
static bool is_without_value(const struct enrg_option *option, const void *member)
{
	if (option->kind == ENRG_OPTION_STRING)
		return !*(const char *const *)member;
	return option->kind == ENRG_OPTION_CHOICE && !option->default_value && !option->required;
}

static bool add_values(json_t *object, const struct enrg_table *table, const void *filled)
{
	const unsigned char *bytes = filled;

	for (const struct enrg_option *option = table->options; option && option->key; option++) {
		const void *member = bytes + option->offset;
		json_t *value;
		if (option->kind == ENRG_OPTION_INCLUDE) {
			if (!add_values(object, option->table, member))
				return false;
			continue;
		}
		value = value_of(option, member);
		if (!value && is_without_value(option, member))
			continue;
		if (json_object_set_new(object, option->key, value))
			return false;
	}
	return true;
}

json_t *options_values(const struct enrg_table *table, const void *filled)
{
	json_t *object = json_object();

	if (object && add_values(object, table, filled))
		return object;
	json_decref(object);
	return NULL;
}
