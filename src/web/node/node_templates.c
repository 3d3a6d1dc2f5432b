/* node_templates.c: JSON Schemas turned into the form that the panel resolves: `$ref` and `$defs`, null by `anyOf`, and
 * a `default` for each key that has to be written.
 *
 * The panel writes a text as it stands between quotes, and what is in a list as it stands between brackets, whatever
 * its characters. So texts stand here as TOML has them, and a list of tables as inline tables, each a list of one text,
 * which JavaScript prints without brackets and quotes. */
#include "web/node/node_templates.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFS        "#/$defs/"
#define STORE_GROUP "DAQJobStoreConfig"

void node_templates_label(const char *name, char *ret_label, size_t label_bytes)
{
	size_t used = 0;

	for (size_t i = 0; name[i] && used + 2 < label_bytes; i++) {
		bool is_begin = isupper((unsigned char)name[i]) && islower((unsigned char)name[i + 1]);
		bool is_edge = i && islower((unsigned char)name[i - 1]) && isupper((unsigned char)name[i]);
		if (i && (is_begin || is_edge))
			ret_label[used++] = ' ';
		ret_label[used++] = name[i];
	}
	ret_label[used] = '\0';
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static json_t *make_reference(const char *name)
{
	return json_sprintf(DEFS "%s", name);
}

/* --- values as TOML ----------------------------------------------------------------------------------------------- */

/* "a\tb": a text of JSON is one of TOML. `is_bare`: without its quotes. New reference. */
static json_t *quote(const json_t *text, bool is_bare)
{
	char *quoted = json_dumps(text, JSON_ENCODE_ANY);
	json_t *made = NULL;

	if (quoted && is_bare)
		made = json_stringn(quoted + 1, strlen(quoted) - 2);
	else if (quoted)
		made = json_string(quoted);
	free(quoted);
	return made ? made : json_string("");
}

static void print_value(FILE *stream, const json_t *value)
{
	const json_t *item;
	const char *key, *between = "";
	size_t i;

	if (json_is_object(value)) {
		fputc('{', stream);
		json_object_foreach((json_t *)value, key, item)
		{
			fprintf(stream, "%s%s = ", between, key);
			print_value(stream, item);
			between = ", ";
		}
		fputc('}', stream);
	} else if (json_is_array(value)) {
		fputc('[', stream);
		json_array_foreach((json_t *)value, i, item)
		{
			fputs(i ? ", " : "", stream);
			print_value(stream, item);
		}
		fputc(']', stream);
	} else {
		json_dumpf(value, stream, JSON_ENCODE_ANY);
	}
}

/* As the panel has to get it, so that what it writes is TOML. New reference. */
static json_t *make_default(const json_t *value)
{
	const json_t *item;
	size_t i, bytes;
	json_t *list;

	if (json_is_string(value))
		return quote(value, true);
	if (!json_is_array(value))
		return json_incref((json_t *)value);
	list = json_array();
	json_array_foreach((json_t *)value, i, item)
	{
		char *text = NULL;
		FILE *stream = json_is_object(item) ? open_memstream(&text, &bytes) : NULL;
		if (stream) {
			print_value(stream, item);
			fclose(stream);
			json_array_append_new(list, json_pack("[s]", text));
		} else {
			json_array_append_new(list, make_default(item));
		}
		free(text);
	}
	return list;
}

/* --- properties --------------------------------------------------------------------------------------------------- */

/* Those of a schema and what they need in `defs`; `name`: of the definition, for those of its lists of tables. */
static void add_definition(json_t *defs, const char *name, const json_t *schema);

static json_t *make_property(json_t *defs, const char *owner, const char *key, const json_t *schema)
{
	json_t *made = json_copy((json_t *)schema), *items = json_object_get(schema, "items");
	char name[300];

	json_object_del(made, "default");
	json_object_del(made, "examples");
	json_object_del(made, "const");
	if (json_is_object(json_object_get(items, "properties"))) {
		snprintf(name, sizeof(name), "%s_%s", owner, key);
		add_definition(defs, name, items);
		json_object_set_new(made, "items", json_pack("{s:o}", "$ref", make_reference(name)));
	}
	return made;
}

static bool is_in(const json_t *list, const char *text)
{
	const json_t *item;
	size_t i;

	json_array_foreach((json_t *)list, i, item) if (!strcmp(json_string_value(item), text)) return true;
	return false;
}

static void add_property(
	json_t *defs, const char *owner, json_t *definition, const char *key, const json_t *schema, bool is_required)
{
	const json_t *value = json_object_get(schema, "default");
	json_t *made = make_property(defs, owner, key, schema);

	/* one with an example has to be written: the checks of its type ask for it */
	if (!value) {
		value = json_array_get(json_object_get(schema, "examples"), 0);
		is_required = is_required || value;
	}
	if (!value && !is_required) {
		json_t *description = json_object_get(made, "description");
		made = json_pack("{s:[o, {s:s}], s:n, s:O*}", "anyOf", made, "type", "null", "default", "description",
			description);
	}
	if (value)
		json_object_set_new(made, "default", make_default(value));
	if (is_required)
		json_array_append_new(json_object_get(definition, "required"), json_string(key));
	json_object_set_new(json_object_get(definition, "properties"), key, made);
}

static void add_definition(json_t *defs, const char *name, const json_t *schema)
{
	json_t *definition =
		json_pack("{s:s, s:s, s:{}, s:[]}", "title", name, "type", "object", "properties", "required");
	const json_t *required = json_object_get(schema, "required"), *property;
	const char *key;

	json_object_foreach(json_object_get(schema, "properties"), key, property)
		add_property(defs, name, definition, key, property, is_in(required, key));
	json_object_set_new(defs, name, definition);
}

/* --- entries ------------------------------------------------------------------------------------------------------ */

/* `defs` is stolen. */
static json_t *make_entry(json_t *defs, const char *definition, const char *key, const char *label, const char *summary)
{
	json_object_set_new(json_object_get(defs, definition), "description", json_string(summary));
	return json_pack("{s:o, s:o, s:s, s:s, s:s}", "$ref", make_reference(definition), "$defs", defs, "type_key",
		key, "label", label, "description", summary);
}

/* "DAQJobStoreConfigCSV" of the type DAQJobStoreCSV. */
static void format_store_name(const json_t *store, char *ret_name, size_t name_bytes)
{
	const char *type = text_of(store, "type");
	const char *rest = strncmp(type, "DAQJobStore", strlen("DAQJobStore")) ? type : type + strlen("DAQJobStore");

	snprintf(ret_name, name_bytes, STORE_GROUP "%s", rest);
}

static json_t *make_nullable(const char *definition)
{
	return json_pack(
		"{s:[{s:s}, {s:o}], s:n}", "anyOf", "type", "null", "$ref", make_reference(definition), "default");
}

/* The group of stores, and all that may stand in it. */
static void add_stores(json_t *defs, const json_t *stores)
{
	json_t *group =
		json_pack("{s:s, s:s, s:{}, s:[]}", "title", STORE_GROUP, "type", "object", "properties", "required");
	json_t *properties = json_object_get(group, "properties"), *store;
	const char *section;
	char name[200];

	json_object_foreach((json_t *)stores, section, store)
	{
		format_store_name(store, name, sizeof(name));
		add_definition(defs, name, json_object_get(store, "schema"));
		/* of the group there, not of the store */
		json_object_del(json_object_get(json_object_get(defs, name), "properties"), "target_local_supervisor");
		json_object_set_new(properties, section, make_nullable(name));
	}
	json_object_set_new(
		properties, "target_local_supervisor", json_pack("{s:s, s:b}", "type", "boolean", "default", 0));
	json_object_set_new(defs, STORE_GROUP, group);
}

static json_t *make_job(const json_t *catalogue, const char *type, const json_t *entry)
{
	const json_t *groups = json_object_get(entry, "groups"), *group;
	json_t *defs = json_object(), *definition;
	char name[300], label[300];
	size_t i;

	snprintf(name, sizeof(name), "%sConfig", type);
	node_templates_label(
		strncmp(type, "DAQJob", strlen("DAQJob")) ? type : type + strlen("DAQJob"), label, sizeof(label));
	add_definition(defs, name, json_object_get(entry, "schema"));
	definition = json_object_get(defs, name);
	json_array_foreach((json_t *)groups, i, group)
	{
		bool is_required = json_is_true(json_object_get(group, "required"));
		json_t *property = is_required ? json_pack("{s:o}", "$ref", make_reference(STORE_GROUP))
					       : make_nullable(STORE_GROUP);
		json_object_set(property, "description", json_object_get(group, "help"));
		json_object_set_new(json_object_get(definition, "properties"), text_of(group, "key"), property);
		if (is_required)
			json_array_append(json_object_get(definition, "required"), json_object_get(group, "key"));
	}
	if (json_array_size(groups))
		add_stores(defs, json_object_get(catalogue, "stores"));
	return make_entry(defs, name, type, label, text_of(entry, "summary"));
}

/* Types with a store group first: the panel takes the stores from the first entry. */
json_t *node_templates_jobs(const json_t *catalogue)
{
	json_t *map = json_object(), *entry;
	const char *type;

	for (int with = 1; with >= 0; with--) {
		json_object_foreach(json_object_get(catalogue, "types"), type, entry)
		{
			if ((json_array_size(json_object_get(entry, "groups")) > 0) == with)
				json_object_set_new(map, type, make_job(catalogue, type, entry));
		}
	}
	return map;
}

json_t *node_templates_stores(const json_t *catalogue)
{
	json_t *map = json_object(), *store;
	const char *section;
	char name[200], label[220];

	json_object_foreach(json_object_get(catalogue, "stores"), section, store)
	{
		json_t *defs = json_object();
		format_store_name(store, name, sizeof(name));
		add_definition(defs, name, json_object_get(store, "schema"));
		snprintf(label, sizeof(label), "%s Store", name + strlen(STORE_GROUP));
		json_object_set_new(map, section, make_entry(defs, name, section, label, text_of(store, "summary")));
	}
	return map;
}

/* --- messages ----------------------------------------------------------------------------------------------------- */

/* The panel reads `properties` at the top; others resolve `$ref`. */
static void add_message(json_t *map, const char *name, const char *label, const char *summary, const json_t *schema)
{
	json_t *defs = json_object(), *entry;
	const json_t *definition;

	add_definition(defs, name, schema);
	definition = json_object_get(defs, name);
	entry = make_entry(json_incref(defs), name, name, label, summary);
	json_object_set(entry, "type", json_object_get(definition, "type"));
	json_object_set(entry, "properties", json_object_get(definition, "properties"));
	json_object_set(entry, "required", json_object_get(definition, "required"));
	json_object_set_new(map, name, entry);
	json_decref(defs);
}

static const struct {
	const char *name, *label, *summary, *schema;
} classes[] = {
	{"DAQJobMessageStop", "Stop", "The job stops in order and is not started again; a target is required.",
		"{\"properties\": {\"reason\": {\"type\": \"string\", \"description\": \"Why, for the log.\"}},"
		" \"required\": [\"reason\"]}"},
	{"DAQJobMessageCAENHVSetChParam", "CAENHVSet Ch Param",
		"Sets a parameter of channels of a CAEN high voltage crate.",
		"{\"properties\": {\"slot\": {\"type\": \"integer\", \"description\": \"Slot of the board.\"},"
		" \"channel_list\": {\"type\": \"array\", \"items\": {\"type\": \"integer\"}, \"description\": "
		"\"Channels.\"},"
		" \"param_name\": {\"type\": \"string\", \"description\": \"Such as V0Set, I0Set, Pw, RUp, RDwn.\"},"
		" \"value\": {\"type\": \"number\", \"description\": \"Its new value, in the unit of the "
		"parameter.\"}},"
		" \"required\": [\"slot\", \"channel_list\", \"param_name\", \"value\"]}"},
};

json_t *node_templates_messages(const json_t *catalogue)
{
	json_t *map = json_object(), *entry, *schema;
	const char *type, *kind;
	char name[300];

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		schema = json_loads(classes[i].schema, 0, NULL);
		add_message(map, classes[i].name, classes[i].label, classes[i].summary, schema);
		json_decref(schema);
	}
	json_object_foreach(json_object_get(catalogue, "types"), type, entry)
	{
		json_object_foreach(json_object_get(entry, "messages"), kind, schema)
		{
			snprintf(name, sizeof(name), "%s.%s", type, kind);
			add_message(map, name, name, text_of(schema, "description"), schema);
		}
	}
	return map;
}
