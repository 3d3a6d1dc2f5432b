/* types_check.c: what a module must have, told by name when it lacks it. Runs when a module is loaded, and in the tests
 * of plugins.
 */
#include "config/types.h"

#include <ctype.h>
#include <math.h>
#include <stdalign.h>
#include <string.h>

#include "config/folder.h"
#include "config/options.h"
#include "config/types_copy.h"
#include "config/types_message.h"

#define KIND_BYTES_MAX 63 /* of a message: as docs/control-protocol.md says */

/* Where the check stands, for the message: "job DAQJobTest", "option rand_min". */
struct place {
	const char *kind;
	const char *name;
	struct enrg_error *err;
};

__attribute__((format(printf, 2, 3))) static int refuse(const struct place *place, const char *format, ...)
{
	char text[600];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return enrg_error_set(place->err, ENRG_E_PLUGIN, "%s %s: %s", place->kind, place->name, text);
}

static bool is_empty(const char *text)
{
	return !text || !text[0];
}

/* A key that TOML takes without quotes. */
static bool is_bare_key(const char *key)
{
	if (is_empty(key))
		return false;
	for (const char *c = key; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '_' && *c != '-')
			return false;
	return true;
}

static size_t alignment_of(const struct enrg_option *option)
{
	switch (option->kind) {
	case ENRG_OPTION_BOOL:
		return alignof(bool);
	case ENRG_OPTION_CHOICE:
		return alignof(int);
	case ENRG_OPTION_TABLE:
	case ENRG_OPTION_INCLUDE:
		return 1; /* known to the compiler alone */
	case ENRG_OPTION_INT:
	case ENRG_OPTION_FLOAT:
	case ENRG_OPTION_STRING:
	case ENRG_OPTION_STRING_LIST:
	case ENRG_OPTION_INT_LIST:
	case ENRG_OPTION_TABLE_LIST:
	case ENRG_OPTION_MAP:
		break;
	}
	return alignof(int64_t);
}

static int check_member(const struct place *place, const struct enrg_table *table, const struct enrg_option *option)
{
	size_t bytes = options_kind_bytes(option);

	if (option->offset > table->size || bytes > table->size - option->offset)
		return refuse(place, "option %s: its offset %zu and its %zu bytes are outside the struct of %zu bytes",
			option->key, option->offset, bytes, table->size);
	if (option->offset % alignment_of(option))
		return refuse(place, "option %s: its offset %zu does not fit the type of its kind", option->key,
			option->offset);
	if (option->present_offset && option->present_offset >= table->size)
		return refuse(place, "option %s: its present_offset %zu is outside the struct of %zu bytes",
			option->key, option->present_offset, table->size);
	for (const struct enrg_option *other = table->options; other != option; other++) {
		if (!strcmp(other->key, option->key))
			return refuse(place, "option %s: the key stands there twice", option->key);
		if (other->offset < option->offset + bytes &&
			option->offset < other->offset + options_kind_bytes(other))
			return refuse(
				place, "options %s and %s fill the same bytes of the struct", other->key, option->key);
	}
	return 0;
}

static int check_choices(const struct place *place, const struct enrg_option *option)
{
	size_t count = 0;

	if (option->kind != ENRG_OPTION_CHOICE)
		return 0;
	if (!option->choices || !option->choices[0].name)
		return refuse(place, "option %s: a choice without choices", option->key);
	while (option->choices[count].name)
		if (++count > MODULE_NAMES_MAX)
			return refuse(place, "option %s: its choices have no end", option->key);
	return 0;
}

/* The default takes the way of a user's value, so it is filled once for the check. */
static int check_default(const struct place *place, const struct enrg_table *table, const struct enrg_option *option)
{
	struct enrg_option pair[2] = {*option, {0}};
	struct enrg_table single = {.size = table->size, .options = pair};
	struct problems problems;
	struct options_memory *memory = options_memory_create();
	void *bytes = memory ? options_memory_take(memory, table->size) : NULL;
	int rc = 0;

	problems_init(&problems);
	if (bytes)
		options_fill(&single, &(struct options_text){.file = ""}, bytes, memory, &problems);
	if (problems.count)
		rc = refuse(place, "its default %s does not pass its own check: %s", option->default_value,
			problems.items[0].text ? problems.items[0].text : "");
	problems_fini(&problems);
	options_memory_destroy(memory);
	return rc;
}

static int check_table(const struct place *place, const struct enrg_table *table, int depth);

static int check_option(
	const struct place *place, const struct enrg_table *table, const struct enrg_option *option, int depth)
{
	bool is_include = option->kind == ENRG_OPTION_INCLUDE;
	bool is_table = option->kind == ENRG_OPTION_TABLE || option->kind == ENRG_OPTION_TABLE_LIST || is_include;
	int rc;

	if (!is_bare_key(option->key))
		return refuse(place, "option \"%s\": a key is made of letters, digits, '_' and '-'", option->key);
	if (option->kind < ENRG_OPTION_BOOL || option->kind > ENRG_OPTION_INCLUDE)
		return refuse(place, "option %s: unknown kind %d", option->key, (int)option->kind);
	if (!is_include && is_empty(option->help))
		return refuse(place, "option %s: no help text", option->key);
	if (isnan(option->min) || isnan(option->max) || option->min > option->max)
		return refuse(
			place, "option %s: its min %g is above its max %g", option->key, option->min, option->max);
	if (is_table && !option->table)
		return refuse(place, "option %s: a table without its table of options", option->key);
	if (option->secret && option->kind != ENRG_OPTION_STRING)
		return refuse(place, "option %s: a secret is a string", option->key);
	rc = check_choices(place, option);
	if (!rc && is_table)
		rc = check_table(place, option->table, depth + 1);
	if (!rc)
		rc = check_member(place, table, option);
	if (rc || !option->default_value)
		return rc;
	if (option->required)
		return refuse(place, "option %s: it is required and has a default", option->key);
	return check_default(place, table, option);
}

static int check_included(const struct place *place, const struct enrg_table *all, const struct enrg_table *part);

static int check_table(const struct place *place, const struct enrg_table *table, int depth)
{
	size_t count = 0;

	if (depth >= MODULE_DEPTH_MAX)
		return refuse(place, "its tables are nested deeper than %d", MODULE_DEPTH_MAX);
	for (const struct enrg_option *option = table->options; option && option->key; option++) {
		int rc = check_option(place, table, option, depth);
		if (rc)
			return rc;
		if (++count > MODULE_OPTIONS_MAX)
			return refuse(place, "its options have no end (an entry with key NULL)");
	}
	if (depth && !count)
		return refuse(place, "a table of options is empty");
	return check_included(place, table, table);
}

/* How often the key stands in a table and what it includes. */
static size_t count_key(const struct enrg_table *table, const char *key)
{
	size_t count = 0;

	for (const struct enrg_option *option = table->options; option && option->key; option++) {
		if (option->kind == ENRG_OPTION_INCLUDE)
			count += count_key(option->table, key);
		else
			count += !strcmp(option->key, key);
	}
	return count;
}

/* An included key would fill two members where the including table has it too. */
static int check_included(const struct place *place, const struct enrg_table *all, const struct enrg_table *part)
{
	for (const struct enrg_option *option = part->options; option && option->key; option++) {
		int rc = 0;
		if (option->kind == ENRG_OPTION_INCLUDE)
			rc = check_included(place, all, option->table);
		else if (count_key(all, option->key) > 1)
			rc = refuse(place, "option %s: the key stands there twice", option->key);
		else if (options_is_file_of_secret(all, option->key))
			rc = refuse(place, "option %s: the key is that of the file of a secret", option->key);
		if (rc)
			return rc;
	}
	return 0;
}

static bool find_option(const struct enrg_table *table, const char *key)
{
	return count_key(table, key) > 0;
}

static int check_own_keys(const struct place *place, const struct enrg_table *table)
{
	for (const struct enrg_option *option = job_common_table.options; option->key; option++)
		if (find_option(table, option->key))
			return refuse(place, "option %s: every job has this key already", option->key);
	for (const struct enrg_option *option = job_inputs_table.options; option->key; option++)
		if (find_option(table, option->key))
			return refuse(place, "option %s: the key of jobs that read others", option->key);
	return 0;
}

static int check_old_names(const struct place *place, const char *const *names)
{
	for (size_t i = 0; names && names[i]; i++) {
		if (is_empty(names[i]))
			return refuse(place, "one of its old names is empty");
		if (i >= MODULE_NAMES_MAX)
			return refuse(place, "its old names have no end (NULL)");
	}
	return 0;
}

static int check_groups(
	const struct place *place, const struct enrg_job_group *groups, const struct enrg_table *options)
{
	size_t count = 0;

	for (const struct enrg_job_group *group = groups; group && group->key; group++) {
		if (!is_bare_key(group->key))
			return refuse(
				place, "store group \"%s\": a key is made of letters, digits, '_' and '-'", group->key);
		if (is_empty(group->help))
			return refuse(place, "store group %s: no help text", group->key);
		if (find_option(options, group->key) || find_option(&job_common_table, group->key) ||
			find_option(&job_inputs_table, group->key))
			return refuse(place, "store group %s: an option has the same key", group->key);
		for (const struct enrg_job_group *other = groups; other != group; other++)
			if (!strcmp(other->key, group->key))
				return refuse(place, "store group %s: the key stands there twice", group->key);
		if (++count > MODULE_NAMES_MAX)
			return refuse(place, "its store groups have no end (an entry with key NULL)");
	}
	return 0;
}

static bool is_kind(const char *kind)
{
	if (is_empty(kind) || strlen(kind) > KIND_BYTES_MAX)
		return false;
	for (const char *c = kind; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("_-.", *c))
			return false;
	return true;
}

static int check_messages(const struct place *job, const struct enrg_message_type *const *messages)
{
	for (size_t i = 0; messages && messages[i]; i++) {
		const struct enrg_message_type *message = messages[i];
		const struct place place = {"message", is_empty(message->kind) ? "(no kind)" : message->kind, job->err};
		int rc;

		if (!is_kind(message->kind))
			return refuse(&place, "a kind is at most %d letters, digits, '_', '-' and '.'", KIND_BYTES_MAX);
		if (is_empty(message->summary))
			return refuse(&place, "no summary");
		if (!message->receive)
			return refuse(&place, "no function receive");
		for (size_t j = 0; j < i; j++)
			if (!strcmp(messages[j]->kind, message->kind))
				return refuse(job, "two messages have the kind %s", message->kind);
		rc = check_table(&place, &message->body, 0);
		if (rc)
			return enrg_error_add(job->err, rc, "%s %s", job->kind, job->name);
	}
	return 0;
}

static int check_job(const struct enrg_job_type *type, struct enrg_error *err)
{
	const struct place place = {"job", is_empty(type->name) ? "(no name)" : type->name, err};
	int rc;

	if (!is_bare_key(type->name))
		return refuse(&place, "a name is made of letters, digits, '_' and '-'");
	if (is_empty(type->summary))
		return refuse(&place, "no summary");
	if (!type->start)
		return refuse(&place, "no function start");
	if (!type->poll && !types_hears(type))
		return refuse(&place, "no function poll, and nothing that it could hear either (messages, on_alert …)");
	if (!type->destroy)
		return refuse(&place, "no function destroy");
	rc = check_old_names(&place, type->old_names);
	if (!rc)
		rc = check_table(&place, &type->options, 0);
	if (!rc)
		rc = check_own_keys(&place, &type->options);
	if (!rc)
		rc = check_messages(&place, type->messages);
	return rc ? rc : check_groups(&place, type->groups, &type->options);
}

static int check_processor(const struct enrg_processor_type *type, struct enrg_error *err)
{
	const struct place place = {"processor", is_empty(type->name) ? "(no name)" : type->name, err};
	int rc;

	if (!is_bare_key(type->name))
		return refuse(&place, "a name is made of letters, digits, '_' and '-'");
	if (is_empty(type->summary))
		return refuse(&place, "no summary");
	if (!type->start)
		return refuse(&place, "no function start");
	if (!type->process)
		return refuse(&place, "no function process");
	if (!type->destroy)
		return refuse(&place, "no function destroy");
	if (!type->save != !type->load)
		return refuse(&place, "save and load belong together: it has one of them");
	rc = check_old_names(&place, type->old_names);
	if (!rc)
		rc = check_table(&place, &type->options, 0);
	if (!rc)
		rc = check_own_keys(&place, &type->options);
	if (!rc)
		rc = check_messages(&place, type->messages);
	return rc ? rc : check_groups(&place, type->groups, &type->options);
}

static int check_store_functions(const struct place *place, const struct enrg_store_type *type)
{
	if (!type->open)
		return refuse(place, "no function open");
	if (!type->target_open)
		return refuse(place, "no function target_open");
	if (!type->write)
		return refuse(place, "no function write");
	if (!type->target_close)
		return refuse(place, "no function target_close");
	if (!type->close)
		return refuse(place, "no function close");
	return 0;
}

static int check_store(const struct enrg_store_type *type, struct enrg_error *err)
{
	const struct place place = {"store", is_empty(type->name) ? "(no name)" : type->name, err};
	int rc;

	if (!is_bare_key(type->name))
		return refuse(&place, "a name is made of letters, digits, '_' and '-'");
	if (is_empty(type->summary))
		return refuse(&place, "no summary");
	if (!is_bare_key(type->section))
		return refuse(&place, "no section, or one that is not made of letters, digits, '_' and '-'");
	if (!strcmp(type->section, "target_local_supervisor"))
		return refuse(&place, "section %s: every store group has this key already", type->section);
	rc = check_store_functions(&place, type);
	if (!rc)
		rc = check_old_names(&place, type->old_names);
	if (!rc)
		rc = check_table(&place, &type->options, 0);
	if (!rc)
		rc = check_own_keys(&place, &type->options);
	if (!rc)
		rc = check_table(&place, &type->section_options, 0);
	if (rc)
		return rc;
	if (find_option(&type->section_options, "target_local_supervisor"))
		return refuse(&place, "option target_local_supervisor: every store section has this key already");
	for (const struct enrg_option *option = type->options.options; option && option->key; option++)
		if (type->starts_by_default && option->required)
			return refuse(&place, "it starts by default, but its key %s is required", option->key);
	return 0;
}

/* Names of types and sections: two of one module must differ. */
static int check_names(const struct place *place, const struct enrg_module *module)
{
	for (size_t i = 0; module->jobs[i]; i++) {
		for (size_t j = 0; j < i; j++)
			if (!strcmp(module->jobs[i]->name, module->jobs[j]->name))
				return refuse(place, "two jobs have the name %s", module->jobs[i]->name);
		for (size_t j = 0; module->stores[j]; j++)
			if (!strcmp(module->jobs[i]->name, module->stores[j]->name))
				return refuse(place, "a job and a store have the name %s", module->jobs[i]->name);
	}
	for (size_t i = 0; module->processors[i]; i++) {
		const char *name = module->processors[i]->name;
		for (size_t j = 0; j < i; j++)
			if (!strcmp(name, module->processors[j]->name))
				return refuse(place, "two processors have the name %s", name);
		for (size_t j = 0; module->jobs[j]; j++)
			if (!strcmp(name, module->jobs[j]->name))
				return refuse(place, "a job and a processor have the name %s", name);
		for (size_t j = 0; module->stores[j]; j++)
			if (!strcmp(name, module->stores[j]->name))
				return refuse(place, "a processor and a store have the name %s", name);
	}
	for (size_t i = 0; module->stores[i]; i++)
		for (size_t j = 0; j < i; j++) {
			if (!strcmp(module->stores[i]->name, module->stores[j]->name))
				return refuse(place, "two stores have the name %s", module->stores[i]->name);
			if (!strcmp(module->stores[i]->section, module->stores[j]->section))
				return refuse(place, "two stores have the section %s", module->stores[i]->section);
		}
	return 0;
}

int types_check_copy(const struct module_copy *copy, struct enrg_error *err)
{
	const struct enrg_module *module = module_copy_get(copy);
	const struct place place = {"module", is_empty(module->name) ? "(no name)" : module->name, err};
	int rc = 0;

	if (is_empty(module->name))
		return refuse(&place, "no name");
	if (!module->jobs[0] && !module->stores[0] && !module->processors[0])
		return refuse(&place, "neither a job nor a store");
	for (size_t i = 0; module->jobs[i] && !rc; i++)
		rc = check_job(module->jobs[i], err);
	for (size_t i = 0; module->stores[i] && !rc; i++)
		rc = check_store(module->stores[i], err);
	for (size_t i = 0; module->processors[i] && !rc; i++)
		rc = check_processor(module->processors[i], err);
	return rc ? rc : check_names(&place, module);
}

int types_check_module(const struct enrg_module *module, struct enrg_error *err)
{
	struct module_copy *copy = NULL;
	int rc = module_copy_create(module, &copy, err);

	if (!rc)
		rc = types_check_copy(copy, err);
	module_copy_free(copy);
	return rc;
}
