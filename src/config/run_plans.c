/* run_plans.c: see the header. */
#include "config/run_plans.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/folder_loader.h"

#define NAME_BYTES  100
#define PLACE_DEPTH 32

struct loader {
	struct run_plans *plans;
	struct options_memory *memory;
	struct problems *problems;
};

/* --- which files -------------------------------------------------------------------------------------------------- */

enum plan_kind { PLAN_NONE, PLAN_TYPE, PLAN_TEMPLATE, PLAN_SEQUENCE };

static enum plan_kind kind_of(const struct source *source)
{
	static const char *const folders[] = {"runs/types/", "runs/templates/", "runs/sequences/"};

	for (size_t i = 0; i < 3; i++) {
		size_t length = strlen(folders[i]);
		if (!strncmp(source->name, folders[i], length) && source->name[length] &&
			!strchr(source->name + length, '/'))
			return (enum plan_kind)(PLAN_TYPE + i);
	}
	return PLAN_NONE;
}

bool run_plans_has(const struct source *source)
{
	struct toml_node *root = NULL;

	if (kind_of(source) == PLAN_NONE)
		return false;
	/* one that is no TOML is reported as what it was to be */
	bool is_job =
		!toml_parse(source->file, source->text, source->bytes, &root, NULL) && toml_find(root, "daq_job_type");
	toml_free(root);
	return !is_job;
}

bool run_plans_is_file(const char *file)
{
	return strstr(file, "runs/types/") || strstr(file, "runs/templates/") || strstr(file, "runs/sequences/");
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

/* One more of them, zeroed; NULL: out of memory. */
static void *grow(void **items, size_t *count, size_t bytes)
{
	unsigned char *longer = realloc(*items, (*count + 1) * bytes);

	if (!longer)
		return NULL;
	*items = longer;
	memset(longer + *count * bytes, 0, bytes);
	return longer + (*count)++ * bytes;
}

static const struct toml_node *find_table(
	const struct loader *loader, const struct toml_node *root, const char *key, const char *file)
{
	const struct toml_node *node = toml_find(root, key);

	if (node && node->kind != TOML_TABLE) {
		problems_add(loader->problems, false, file, node->line, "%s: expected a table", key);
		return NULL;
	}
	return node;
}

/* [[key]]; NULL: none. */
static const struct toml_node *find_tables(
	const struct loader *loader, const struct toml_node *root, const char *key, const char *file)
{
	const struct toml_node *node = toml_find(root, key);
	bool is_right = node && node->kind == TOML_ARRAY;

	for (size_t i = 0; is_right && i < node->count; i++)
		is_right = node->children[i].kind == TOML_TABLE;
	if (node && !is_right)
		problems_add(loader->problems, false, file, node->line, "%s: expected tables [[%s]]", key, key);
	return is_right ? node : NULL;
}

static void read_type(const struct loader *loader, struct run_type *type)
{
	static const char *const known[] = {"values", NULL};

	options_fill(&run_type_table, &(struct options_text){.node = type->root, .file = type->file, .known = known},
		&type->options, loader->memory, loader->problems);
	type->values = find_table(loader, type->root, "values", type->file);
}

static void read_message(
	const struct loader *loader, const struct toml_node *node, const char *file, struct run_message *ret_message)
{
	static const char *const known[] = {"body", NULL};

	ret_message->node = node;
	options_fill(&run_message_table,
		&(struct options_text){.node = node, .file = file, .prefix = "message.", .known = known},
		&ret_message->options, loader->memory, loader->problems);
	ret_message->body = find_table(loader, node, "body", file);
	if (ret_message->options.to && !strcmp(ret_message->options.to, "supervisor"))
		problems_add(loader->problems, false, file, node->line,
			"message.to: \"job NAME\", \"type TYPE\" or \"all\" was expected: the start of a run does not "
			"command its supervisor");
}

static void read_template(const struct loader *loader, struct run_template *template)
{
	static const char *const known[] = {"parameters", "job", "message", NULL};
	const struct toml_node *root = template->root, *messages;

	options_fill(&run_template_table, &(struct options_text){.node = root, .file = template->file, .known = known},
		&template->options, loader->memory, loader->problems);
	const struct toml_node *parameters = find_table(loader, root, "parameters", template->file);
	template->parameters = calloc(parameters ? parameters->count + 1 : 1, sizeof(*template->parameters));
	for (size_t i = 0; parameters && template->parameters && i < parameters->count; i++)
		run_parameter_fill(&parameters->children[i], template->file, loader->memory,
			&template->parameters[template->parameter_count++], loader->problems);
	template->jobs = find_tables(loader, root, "job", template->file);
	messages = find_tables(loader, root, "message", template->file);
	template->messages = calloc(messages ? messages->count + 1 : 1, sizeof(*template->messages));
	for (size_t i = 0; messages && template->messages && i < messages->count; i++)
		read_message(
			loader, &messages->children[i], template->file, &template->messages[template->message_count++]);
	if (!template->jobs && !messages)
		problems_add(loader->problems, true, template->file, 0,
			"it has neither a [[job]] nor a [[message]]: a run of it is one without it");
}

static void read_sequence(const struct loader *loader, struct run_sequence *sequence)
{
	static const char *const known[] = {"values", "scan", "step", NULL};

	options_fill(&run_sequence_table,
		&(struct options_text){.node = sequence->root, .file = sequence->file, .known = known},
		&sequence->options, loader->memory, loader->problems);
	sequence->values = find_table(loader, sequence->root, "values", sequence->file);
	sequence->scans = find_tables(loader, sequence->root, "scan", sequence->file);
	sequence->steps = find_tables(loader, sequence->root, "step", sequence->file);
	if (!sequence->scans == !sequence->steps)
		problems_add(loader->problems, false, sequence->file, 1,
			"expected either [[scan]] or [[step]], found %s", sequence->scans ? "both" : "neither");
}

static bool keep_root(struct run_plans *plans, struct toml_node *root)
{
	struct toml_node **place = grow((void **)&plans->roots, &plans->root_count, sizeof(*plans->roots));

	if (place)
		*place = root;
	else
		toml_free(root);
	return place != NULL;
}

static void check_name(const struct loader *loader, const struct source *source, const char *name)
{
	size_t length = strlen(name);

	if (length <= NAME_BYTES &&
		strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == length)
		return;
	problems_add(loader->problems, false, source->file, 0,
		"the name of the file is that of what it declares: 1 to %d letters, digits, '.', '_' and '-'",
		NAME_BYTES);
}

static int add_type(const struct loader *loader, const struct run_type *start)
{
	struct run_plans *plans = loader->plans;
	struct run_type *type = grow((void **)&plans->types, &plans->type_count, sizeof(*type));

	if (!type)
		return -ENOMEM;
	*type = *start;
	read_type(loader, type);
	return 0;
}

static int add_template(const struct loader *loader, const struct run_template *start)
{
	struct run_plans *plans = loader->plans;
	struct run_template *template = grow((void **)&plans->templates, &plans->template_count, sizeof(*template));

	if (!template)
		return -ENOMEM;
	*template = *start;
	read_template(loader, template);
	return 0;
}

static int add_sequence(const struct loader *loader, const struct run_sequence *start)
{
	struct run_plans *plans = loader->plans;
	struct run_sequence *sequence = grow((void **)&plans->sequences, &plans->sequence_count, sizeof(*sequence));

	if (!sequence)
		return -ENOMEM;
	*sequence = *start;
	read_sequence(loader, sequence);
	return 0;
}

static int read_source(const struct loader *loader, const struct source *source)
{
	const char *given = strrchr(source->name, '/') + 1;
	struct toml_node *root = folder_parse(source->file, source->text, source->bytes, loader->problems);
	char *name = options_memory_take(loader->memory, strlen(given) + 1);
	char *file = options_memory_take(loader->memory, strlen(source->file) + 1);

	if (!root)
		return 0;
	if (!keep_root(loader->plans, root) || !name || !file)
		return -ENOMEM;
	strcpy(name, given);
	strcpy(file, source->file);
	check_name(loader, source, name);
	switch (kind_of(source)) {
	case PLAN_TYPE:
		return add_type(loader, &(struct run_type){.name = name, .file = file, .root = root});
	case PLAN_TEMPLATE:
		return add_template(loader, &(struct run_template){.name = name, .file = file, .root = root});
	case PLAN_SEQUENCE:
		return add_sequence(loader, &(struct run_sequence){.name = name, .file = file, .root = root});
	case PLAN_NONE:
		break;
	}
	return 0;
}

/* --- who names whom ----------------------------------------------------------------------------------------------- */

static const struct run_parameter *find_own(const struct run_template *template, const char *name)
{
	for (size_t i = 0; i < template->parameter_count; i++)
		if (!strcmp(template->parameters[i].name, name))
			return &template->parameters[i];
	return NULL;
}

static void add_unknown_parameter(const struct loader *loader, const struct run_template *template,
	const struct toml_node *node, const char *name)
{
	const char **names = calloc(template->parameter_count + 1, sizeof(*names)), *nearest;

	for (size_t i = 0; names && i < template->parameter_count; i++)
		names[i] = template->parameters[i].name;
	nearest = names ? options_suggest(name, names, template->parameter_count) : NULL;
	problems_add(loader->problems, false, template->file, node->line,
		"{ parameter = \"%.80s\" }: the template has no such parameter%s%s%s", name,
		nearest ? "; did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
	free(names);
}

static void check_places(
	const struct loader *loader, const struct run_template *template, const struct toml_node *node, unsigned depth)
{
	const char *place = run_parameter_place(node);

	if (place && !find_own(template, place))
		add_unknown_parameter(loader, template, node, place);
	for (size_t i = 0; !place && depth < PLACE_DEPTH && i < node->count; i++)
		check_places(loader, template, &node->children[i], depth + 1);
}

static void check_template(const struct loader *loader, const struct run_template *template)
{
	for (size_t i = 0; template->jobs && i < template->jobs->count; i++) {
		const struct toml_node *job = &template->jobs->children[i], *type = toml_find(job, "daq_job_type");
		if (!type || type->kind != TOML_STRING)
			problems_add(loader->problems, false, template->file, type ? type->line : job->line,
				"job.daq_job_type: the type of the job was expected, a string%s",
				type && run_parameter_place(type) ? "; no parameter decides which program code runs"
								  : "");
		check_places(loader, template, job, 0);
	}
	for (size_t i = 0; i < template->message_count; i++)
		if (template->messages[i].body)
			check_places(loader, template, template->messages[i].body, 0);
}

static void check_type(const struct loader *loader, const struct run_type *type)
{
	const struct run_plans *plans = loader->plans;
	const struct toml_node *node = toml_find(type->root, "templates");
	char wrong[700];

	for (size_t i = 0; i < type->options.templates.count; i++) {
		const char *name = type->options.templates.items[i];
		if (!run_plans_find_template(plans, name))
			problems_add(loader->problems, false, type->file,
				node && i < node->count ? node->children[i].line : 1,
				"templates: there is no template \"%.100s\": runs/templates/%.100s.toml was expected",
				name, name);
		for (size_t k = 0; k < i; k++)
			if (!strcmp(type->options.templates.items[k], name))
				problems_add(loader->problems, false, type->file,
					node && i < node->count ? node->children[i].line : 1,
					"templates: \"%.100s\" stands there twice", name);
	}
	for (size_t i = 0; type->values && i < type->values->count; i++) {
		const struct toml_node *value = &type->values->children[i];
		const struct run_parameter *parameter = run_plans_find_parameter(plans, type, value->key);
		json_t *taken = parameter ? run_parameter_take_node(parameter, value, wrong, sizeof(wrong)) : NULL;
		if (!parameter)
			problems_add(loader->problems, false, type->file, value->key_line,
				"values.%.80s: none of its templates has such a parameter", value->key);
		else if (!taken)
			problems_add(
				loader->problems, false, type->file, value->line, "values.%s: %s", value->key, wrong);
		json_decref(taken);
	}
}

/* One name is one value: parameters of the same name are of one kind. */
static void check_shared(const struct loader *loader, const struct run_type *type)
{
	for (size_t i = 0; i < type->options.templates.count; i++) {
		const struct run_template *template = run_plans_template_of(loader->plans, type, i);
		for (size_t k = 0; template && k < template->parameter_count; k++) {
			const struct run_parameter *own = &template->parameters[k];
			const struct run_parameter *first = run_plans_find_parameter(loader->plans, type, own->name);
			if (first && first->options.kind != own->options.kind)
				problems_add(loader->problems, false, own->file, own->line,
					"parameters.%s: it is a %s here and a %s in %s, and run type %s has both",
					own->name, run_parameter_kind_name(own), run_parameter_kind_name(first),
					first->file, type->name);
		}
	}
}

static void check_sequence(const struct loader *loader, const struct run_sequence *sequence)
{
	const struct toml_node *node = toml_find(sequence->root, "type");
	char text[400];

	if (!sequence->options.type || run_plans_find_type(loader->plans, sequence->options.type))
		return;
	run_plans_suggest_type(loader->plans, sequence->options.type, text, sizeof(text));
	problems_add(loader->problems, false, sequence->file, node ? node->line : 1, "type: %s", text);
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

int run_plans_load(const struct sources *sources, struct options_memory *memory, struct run_plans **ret_plans,
	struct problems *problems, struct enrg_error *err)
{
	struct run_plans *plans = calloc(1, sizeof(*plans));
	const struct loader loader = {.plans = plans, .memory = memory, .problems = problems};
	int rc = plans ? 0 : -ENOMEM;

	for (size_t i = 0; !rc && i < sources->count; i++) {
		const struct source *source = &sources->items[i];
		if (run_plans_has(source))
			rc = read_source(&loader, source);
		else if (kind_of(source) != PLAN_NONE)
			problems_add(problems, true, source->file, 0,
				"it is a job, since it has a key daq_job_type at its top; the jobs of a template stand "
				"below [[job]]");
	}
	if (rc) {
		run_plans_free(plans);
		return enrg_error_set(err, rc, "out of memory");
	}
	for (size_t i = 0; i < plans->template_count; i++)
		check_template(&loader, &plans->templates[i]);
	for (size_t i = 0; i < plans->type_count; i++) {
		check_type(&loader, &plans->types[i]);
		check_shared(&loader, &plans->types[i]);
	}
	for (size_t i = 0; i < plans->sequence_count; i++)
		check_sequence(&loader, &plans->sequences[i]);
	*ret_plans = plans;
	return 0;
}

void run_plans_free(struct run_plans *plans)
{
	if (!plans)
		return;
	for (size_t i = 0; i < plans->template_count; i++) {
		free(plans->templates[i].parameters);
		free(plans->templates[i].messages);
	}
	for (size_t i = 0; i < plans->root_count; i++)
		toml_free(plans->roots[i]);
	free(plans->roots);
	free(plans->types);
	free(plans->templates);
	free(plans->sequences);
	free(plans);
}

const struct run_type *run_plans_find_type(const struct run_plans *plans, const char *name)
{
	for (size_t i = 0; plans && i < plans->type_count; i++)
		if (!strcmp(plans->types[i].name, name))
			return &plans->types[i];
	return NULL;
}

const struct run_template *run_plans_find_template(const struct run_plans *plans, const char *name)
{
	for (size_t i = 0; plans && i < plans->template_count; i++)
		if (!strcmp(plans->templates[i].name, name))
			return &plans->templates[i];
	return NULL;
}

const struct run_sequence *run_plans_find_sequence(const struct run_plans *plans, const char *name)
{
	for (size_t i = 0; plans && i < plans->sequence_count; i++)
		if (!strcmp(plans->sequences[i].name, name))
			return &plans->sequences[i];
	return NULL;
}

void run_plans_suggest_type(const struct run_plans *plans, const char *name, char *ret_text, size_t text_bytes)
{
	size_t count = plans ? plans->type_count : 0;
	const char **names = calloc(count + 1, sizeof(*names)), *nearest;
	size_t used = (size_t)snprintf(ret_text, text_bytes, "there is no run type \"%.100s\"", name);

	for (size_t i = 0; names && i < count; i++)
		names[i] = plans->types[i].name;
	nearest = names ? options_suggest(name, names, count) : NULL;
	if (nearest && used < text_bytes)
		snprintf(ret_text + used, text_bytes - used, "; did you mean %s?", nearest);
	else if (used < text_bytes)
		snprintf(ret_text + used, text_bytes - used, "%s",
			count ? "; `enrgdaq runs types` lists them" : ": the folder has none in runs/types");
	free(names);
}

const struct run_template *run_plans_template_of(const struct run_plans *plans, const struct run_type *type, size_t i)
{
	return run_plans_find_template(plans, type->options.templates.items[i]);
}

const struct run_parameter *run_plans_find_parameter(
	const struct run_plans *plans, const struct run_type *type, const char *name)
{
	for (size_t i = 0; i < type->options.templates.count; i++) {
		const struct run_template *template = run_plans_template_of(plans, type, i);
		const struct run_parameter *found = template ? find_own(template, name) : NULL;
		if (found)
			return found;
	}
	return NULL;
}

bool run_plans_is_secret(const struct run_plans *plans, const struct run_type *type, const char *name)
{
	bool is_one = false;

	for (size_t i = 0; i < type->options.templates.count; i++) {
		const struct run_template *template = run_plans_template_of(plans, type, i);
		const struct run_parameter *own = template ? find_own(template, name) : NULL;
		is_one |= own && own->is_secret;
	}
	return is_one;
}
