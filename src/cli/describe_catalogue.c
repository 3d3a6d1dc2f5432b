/* describe_catalogue.c: see the header. */
#include "cli/describe_catalogue.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/version.h"
#include "cli/describe_schema.h"
#include "config/folder.h"
#include "enrgdaq/message.h"

static json_t *make_groups(const struct enrg_job_group *group)
{
	json_t *groups = json_array();

	for (; group && group->key; group++)
		json_array_append_new(groups, json_pack("{s:s, s:b, s:s}", "key", group->key, "required",
						      group->required, "help", group->help));
	return groups;
}

static json_t *make_names(const char *const *names)
{
	json_t *list = json_array();

	for (; names && *names; names++)
		json_array_append_new(list, json_string(*names));
	return list;
}

/* Its schema has no store groups, which would hold those of all stores again and again. */
static json_t *make_type(const struct types *types, const struct type_entry *type)
{
	json_t *schema = describe_type_schema(NULL, type), *messages = json_object_get(schema, "x-enrgdaq-messages");
	char *example = NULL;
	size_t bytes;
	FILE *stream = open_memstream(&example, &bytes);

	if (stream) {
		describe_print_example(types, type, stream);
		fclose(stream);
	}
	messages = messages ? json_incref(messages) : json_object();
	json_object_del(schema, "x-enrgdaq-messages");
	json_t *made = json_pack("{s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:s}", "kind", type_kind(type), "summary",
		type_summary(type), "runs_code", type_runs_code(type), "old_names", make_names(type_old_names(type)),
		"schema", schema, "groups", make_groups(type_groups(type)), "messages", messages, "example",
		example ? example : "");

	free(example);
	return made;
}

int describe_catalogue(const struct types *types)
{
	json_t *entries = json_object(), *stores = json_object(), *whole;

	for (size_t i = 0; i < types_count(types); i++) {
		const struct type_entry *type = types_at(types, i);
		json_object_set_new(entries, type->name, make_type(types, type));
		if (type->store)
			json_object_set_new(stores, type->store->section,
				json_pack("{s:s, s:s, s:o}", "type", type->name, "summary", type_summary(type),
					"schema", describe_section_schema(type->store)));
	}
	whole = json_pack("{s:s, s:o, s:o, s:o}", "version", version_text(), "types", entries, "stores", stores,
		"common", options_schema(&job_common_table));
	int rc = whole && !json_dumpf(whole, stdout, JSON_COMPACT) && putchar('\n') != EOF ? 0 : 1;
	json_decref(whole);
	return rc;
}
