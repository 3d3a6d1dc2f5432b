/* describe_schema.c: see the header. */
#include "cli/describe_schema.h"

#include "config/folder.h"
#include "enrgdaq/message.h"

static json_t *local_schema(void)
{
	return json_pack("{ss sb ss}", "type", "boolean", "default", 0, "description",
		"Whether the data stays on the stores of this supervisor.");
}

json_t *describe_section_schema(const struct enrg_store_type *store)
{
	json_t *schema = options_schema(&store->section_options);

	json_object_set_new(json_object_get(schema, "properties"), "target_local_supervisor", local_schema());
	return schema;
}

static json_t *group_schema(const struct types *types, const struct enrg_job_group *group)
{
	json_t *properties = json_object();

	json_object_set_new(properties, "target_local_supervisor", local_schema());
	for (size_t i = 0; i < types_count(types); i++) {
		const struct enrg_store_type *store = types_at(types, i)->store;
		if (store)
			json_object_set_new(properties, store->section, describe_section_schema(store));
	}
	return json_pack("{ss ss so sb}", "type", "object", "description", group->help, "properties", properties,
		"additionalProperties", 0);
}

/* Of each command that the job takes, the schema of its fields. New reference. */
static json_t *messages_schema(const struct enrg_message_type *const *list)
{
	json_t *messages = json_object();

	for (size_t i = 0; list[i]; i++) {
		const struct enrg_message_type *message = list[i];
		json_t *schema = options_schema(&message->body);

		json_object_set_new(schema, "description", json_string(message->summary));
		if (message->runs_code)
			json_object_set_new(schema, "x-enrgdaq-runs-code", json_true());
		json_object_set_new(messages, message->kind, schema);
	}
	return messages;
}

json_t *describe_type_schema(const struct types *types, const struct type_entry *type)
{
	json_t *schema = options_schema(type_options(type));
	json_t *common = options_schema(&job_common_table);
	json_t *properties = json_object_get(schema, "properties"), *required = json_object_get(schema, "required");

	json_object_update(properties, json_object_get(common, "properties"));
	json_array_extend(required, json_object_get(common, "required"));
	json_object_set_new(json_object_get(properties, "daq_job_type"), "const", json_string(type->name));
	json_object_del(json_object_get(properties, "daq_job_type"), "examples");
	if (type_runs_code(type))
		json_object_set_new(schema, "x-enrgdaq-runs-code", json_true());
	json_decref(common);
	if (type_messages(type) && type_messages(type)[0])
		json_object_set_new(schema, "x-enrgdaq-messages", messages_schema(type_messages(type)));
	if (type->processor) {
		common = options_schema(&job_inputs_table);
		json_object_update(properties, json_object_get(common, "properties"));
		json_array_extend(required, json_object_get(common, "required"));
		json_decref(common);
	}
	const struct enrg_job_group *group = type_groups(type);
	for (; types && group && group->key; group++) {
		json_object_set_new(properties, group->key, group_schema(types, group));
		if (group->required)
			json_array_append_new(required, json_string(group->key));
	}
	return schema;
}

/* The store that examples use: csv where there is one, else one that needs no configuration. */
static const struct enrg_store_type *example_store(const struct types *types)
{
	const struct type_entry *csv = types_find_section(types, "csv");

	for (size_t i = 0; !csv && i < types_count(types); i++)
		if (types_at(types, i)->store && types_at(types, i)->store->starts_by_default)
			csv = types_at(types, i);
	return csv ? csv->store : NULL;
}

void describe_print_example(const struct types *types, const struct type_entry *type, FILE *stream)
{
	const struct enrg_store_type *store = example_store(types);
	char section[600];

	fprintf(stream, "# %s\n# Keys of every job: enrgdaq describe common\ndaq_job_type = \"%s\"\n\n",
		type_summary(type), type->name);
	options_print_example(type_options(type), NULL, stream);
	if (type->processor)
		options_print_example(&job_inputs_table, NULL, stream);
	const struct enrg_job_group *group = type_groups(type);
	for (; group && group->key && store; group++) {
		fprintf(stream, "\n# %s (%s)\n", group->help,
			group->required ? "required" : "optional: leave it out if not wanted");
		snprintf(section, sizeof(section), "%s.%s", group->key, store->section);
		options_print_example(&store->section_options, section, stream);
	}
}
