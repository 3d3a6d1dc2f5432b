/* describe.c: `enrgdaq describe`: the tables of fields of a type, for humans, editors and the documentation. */
#include <getopt.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/describe_catalogue.h"
#include "cli/describe_schema.h"
#include "cli/describe_statistics.h"
#include "config/folder.h"
#include "config/run_plans.h"
#include "enrgdaq/message.h"

static const char help[] = "usage: enrgdaq describe TYPE [--schema | --markdown | --example]\n"
			   "       enrgdaq describe --catalogue\n\n"
			   "Shows the configuration of TYPE: a job or store type (DAQJobTest, DAQJobStoreCSV), the "
			   "section of a store (csv),\n"
			   "`supervisor` for supervisor.toml, or `common` for the keys of every job. `statistics`: the "
			   "figures of a job. `run-type`, `run-template`, `run-sequence`: files below runs/.\n\n"
			   "  --schema     JSON Schema (draft 2020-12)\n"
			   "  --markdown   tables for documentation\n"
			   "  --example    commented TOML to start from\n"
			   "  --catalogue  all types, stores and commands with their schemas, as one JSON object\n\n"
			   "examples:\n"
			   "  enrgdaq describe DAQJobTest\n"
			   "  enrgdaq describe DAQJobTest --example > configs/mine/test.toml\n"
			   "  enrgdaq describe csv\n"
			   "  enrgdaq describe supervisor --schema\n";

enum form { FORM_TEXT, FORM_SCHEMA, FORM_MARKDOWN, FORM_EXAMPLE, FORM_CATALOGUE };

static void print_table(const struct enrg_table *table, enum form form)
{
	if (form == FORM_MARKDOWN)
		options_print_markdown(table, stdout);
	else
		options_print(table, 2, stdout);
}

static void print_title(const char *text, enum form form)
{
	if (form == FORM_MARKDOWN)
		printf("\n%s:\n\n", text);
	else
		printf("\n%s:\n", text);
}

static void print_schema(json_t *schema, const char *title, const char *description)
{
	json_t *whole = json_pack("{ss ss ss}", "$schema", "https://json-schema.org/draft/2020-12/schema", "title",
		title, "description", description);

	json_object_update(whole, schema);
	json_dumpf(whole, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(schema);
	json_decref(whole);
}

static void print_groups(const struct types *types, const struct enrg_job_group *groups, enum form form)
{
	print_title("Store groups, each with sections such as [store_config.csv]", form);
	if (form == FORM_MARKDOWN)
		puts("| group | required | meaning |\n|---|---|---|");
	for (const struct enrg_job_group *group = groups; group->key; group++)
		printf(form == FORM_MARKDOWN ? "| `%s` | %s | %s |\n" : "  %-28s %-9s %s\n", group->key,
			form == FORM_MARKDOWN ? (group->required ? "yes" : "no")
			: group->required     ? "required"
					      : "optional",
			group->help);
	if (form == FORM_MARKDOWN)
		return;
	printf("  stores here:");
	for (size_t i = 0; i < types_count(types); i++)
		if (types_at(types, i)->store)
			printf(" %s", types_at(types, i)->store->section);
	puts("   (enrgdaq describe STORE)");
}

static void print_messages(const struct enrg_message_type *const *messages, enum form form)
{
	char title[300];

	for (size_t i = 0; messages && messages[i]; i++) {
		const struct enrg_message_type *message = messages[i];

		snprintf(title, sizeof(title), "Command %s%s (%s)", message->kind,
			message->runs_code ? ", privileged: what it says may run programs" : "", message->summary);
		print_title(title, form);
		if (message->body.options && message->body.options[0].key)
			print_table(&message->body, form);
		else
			puts(form == FORM_MARKDOWN ? "It has no fields." : "  no fields");
	}
	if (form == FORM_TEXT && messages && messages[0])
		printf("\nA command is given with: enrgdaq send NAME KIND KEY=VALUE …\n");
}

static void print_type(const struct types *types, const struct type_entry *type, enum form form)
{
	const char *const *old = type_old_names(type);
	char title[300];

	printf(form == FORM_MARKDOWN ? "### %s\n\n%s\n" : "%s: %s\n", type->name, type_summary(type));
	if (form == FORM_TEXT) {
		printf("  module %s", type->module_path);
		for (size_t i = 0; old && old[i]; i++)
			printf("%s%s", i ? ", " : "; old names that still work: ", old[i]);
		putchar('\n');
	}
	if (type_runs_code(type))
		puts("  privileged: what its file says may run programs");
	print_title("Its own keys", form);
	print_table(type_options(type), form);
	if (type->processor) {
		print_title("What it reads", form);
		print_table(&job_inputs_table, form);
	}
	if (type->store) {
		snprintf(title, sizeof(title),
			"Keys of its section [store_config.%s] in the file of a job that produces",
			type->store->section);
		print_title(title, form);
		print_table(&type->store->section_options, form);
	} else if (type_groups(type) && type_groups(type)[0].key) {
		print_groups(types, type_groups(type), form);
	}
	print_messages(type_messages(type), form);
	if (form == FORM_TEXT) {
		print_title("Keys of every job", form);
		print_table(&job_common_table, form);
		printf("\nA file to start from: enrgdaq describe %s --example\n", type->name);
	}
}

static int describe_type(const struct types *types, const struct type_entry *type, enum form form)
{
	if (form == FORM_SCHEMA)
		print_schema(describe_type_schema(types, type), type->name, type_summary(type));
	else if (form == FORM_EXAMPLE)
		describe_print_example(types, type, stdout);
	else
		print_type(types, type, form);
	return 0;
}

static int describe_table(
	const struct enrg_table *table, const char *title, const char *summary, const char *section, enum form form)
{
	if (form == FORM_SCHEMA) {
		print_schema(options_schema(table), title, summary);
		return 0;
	}
	if (form == FORM_EXAMPLE) {
		printf("# %s\n", summary);
		options_print_example(table, section, stdout);
		return 0;
	}
	printf(form == FORM_MARKDOWN ? "### %s\n\n%s\n\n" : "%s: %s\n\n", title, summary);
	print_table(table, form);
	return 0;
}

static int describe_section(const struct enrg_store_type *store, enum form form)
{
	char section[300], summary[600];

	snprintf(section, sizeof(section), "store_config.%s", store->section);
	snprintf(summary, sizeof(summary), "Section of a job's file that sends its data to %s.", store->name);
	if (form == FORM_SCHEMA) {
		print_schema(describe_section_schema(store), section, summary);
		return 0;
	}
	return describe_table(&store->section_options, section, summary, section, form);
}

/* --- files of runs/ --- */

struct plan_part {
	const char *key, *title;
	const struct enrg_table *table; /* NULL: any keys */
	bool is_list;
};

struct plan_file {
	const char *name, *title, *summary;
	const struct enrg_table *table;
	struct plan_part parts[4];
};

static const struct plan_file plan_files[] = {
	{"run-type", "runs/types/NAME.toml", "A type of runs.", &run_type_table,
		{{"values", "[values]: values of parameters of its templates", NULL, false}}},
	{"run-template", "runs/templates/NAME.toml", "Jobs and messages of runs, with parameters.", &run_template_table,
		{{"parameters",
			 "[parameters.NAME], which stands where a value is { parameter = \"NAME\" }; also `default`, "
			 "and "
			 "`choices`, a list",
			 &run_parameter_table, false},
			{"job", "[[job]]: a job, as a file of its own would have it", NULL, true},
			{"message", "[[message]]; also `body`, a table of its fields", &run_message_table, true}}},
	{"run-sequence", "runs/sequences/NAME.toml", "Runs of a type one after the other.", &run_sequence_table,
		{{"values", "[values]: values of all steps", NULL, false},
			{"scan", "[[scan]]; also `values`, a list", &run_scan_table, true},
			{"step", "[[step]]; also `values`, a table", &run_step_table, true}}},
};

static const struct plan_file *find_plan_file(const char *name)
{
	for (size_t i = 0; i < sizeof(plan_files) / sizeof(plan_files[0]); i++)
		if (!strcmp(plan_files[i].name, name))
			return &plan_files[i];
	return NULL;
}

static json_t *part_schema(const struct plan_part *part)
{
	json_t *schema = part->table ? options_schema(part->table) : json_pack("{s:s}", "type", "object");

	/* values of any kind, which no table declares */
	if (part->table)
		json_object_del(schema, "additionalProperties");
	json_object_set_new(schema, "description", json_string(part->title));
	if (part->is_list)
		return json_pack("{s:s, s:o}", "type", "array", "items", schema);
	return part->table ? json_pack("{s:s, s:o}", "type", "object", "additionalProperties", schema) : schema;
}

static int describe_plan_file(const struct plan_file *file, enum form form)
{
	if (form == FORM_SCHEMA) {
		json_t *schema = options_schema(file->table), *properties = json_object_get(schema, "properties");
		for (const struct plan_part *part = file->parts; part->key; part++)
			json_object_set_new(properties, part->key, part_schema(part));
		print_schema(schema, file->title, file->summary);
		return 0;
	}
	int rc = describe_table(file->table, file->title, file->summary, NULL, form);
	for (const struct plan_part *part = file->parts; part->key; part++) {
		if (form == FORM_EXAMPLE) {
			printf("\n# %s\n", part->title);
			continue;
		}
		print_title(part->title, form);
		if (part->table)
			print_table(part->table, form);
	}
	return rc;
}

static int refuse_name(const struct types *types, const char *name)
{
	size_t count = 6;
	const char **names = calloc(types_count(types) + 6, sizeof(*names));
	const char *nearest = types_suggest(types, name);

	if (names) {
		names[0] = "supervisor";
		names[1] = "common";
		names[2] = "statistics";
		for (size_t i = 0; i < 3; i++)
			names[3 + i] = plan_files[i].name;
		for (size_t i = 0; i < types_count(types); i++)
			if (types_at(types, i)->store)
				names[count++] = types_at(types, i)->store->section;
		if (!nearest)
			nearest = options_suggest(name, names, count);
	}
	fprintf(stderr, "enrgdaq describe: unknown type \"%s\"", name);
	if (nearest)
		fprintf(stderr, "; did you mean %s?", nearest);
	fputs("\n`enrgdaq jobs` lists the types\n", stderr);
	free(names);
	return 2;
}

static int describe(const struct types *types, const char *name, enum form form)
{
	if (!strcmp(name, "supervisor"))
		return describe_table(
			&supervisor_table, "supervisor.toml", "Configuration of the supervisor.", NULL, form);
	if (!strcmp(name, "common"))
		return describe_table(
			&job_common_table, "Every job", "Keys that every job has beside its own.", NULL, form);
	if (find_plan_file(name))
		return describe_plan_file(find_plan_file(name), form);
	const struct type_entry *type = types_find(types, name, NULL);
	if (type)
		return describe_type(types, type, form);
	const struct type_entry *store = types_find_section(types, name);
	return store ? describe_section(store->store, form) : refuse_name(types, name);
}

static int print_catalogue(void)
{
	struct types *types = NULL;
	int rc = cli_load_types(&types);

	if (rc)
		return rc;
	rc = describe_catalogue(types);
	types_free(types);
	return rc;
}

int cli_describe(int argc, char **argv)
{
	static const struct option options[] = {
		{"schema", no_argument, NULL, FORM_SCHEMA},
		{"markdown", no_argument, NULL, FORM_MARKDOWN},
		{"example", no_argument, NULL, FORM_EXAMPLE},
		{"catalogue", no_argument, NULL, FORM_CATALOGUE},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	enum form form = FORM_TEXT;
	struct types *types = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			return 0;
		}
		if (option == '?')
			return cli_option_error("describe");
		form = (enum form)option;
	}
	if (form == FORM_CATALOGUE)
		return optind == argc ? print_catalogue() : cli_usage_error("describe", "--catalogue takes no type");
	if (optind + 1 != argc)
		return cli_usage_error("describe", "expected one argument, the type");
	if (!strcmp(argv[optind], "statistics")) {
		if (form == FORM_SCHEMA || form == FORM_EXAMPLE)
			return cli_usage_error("describe", "statistics: they are not configured, there is only a list");
		describe_statistics(form == FORM_MARKDOWN);
		return 0;
	}
	int rc = cli_load_types(&types);
	if (rc)
		return rc;
	rc = describe(types, argv[optind], form);
	types_free(types);
	return rc;
}
