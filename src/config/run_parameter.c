/* run_parameter.c: see the header. */
#include "config/run_parameter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

#define NAME_BYTES_MAX 60

static const struct enrg_choice kinds[] = {
	{"string", RUN_STRING},
	{"int", RUN_INT},
	{"float", RUN_FLOAT},
	{"bool", RUN_BOOL},
	{0},
};

#define AT(member) (offsetof(struct run_parameter, options.member) - offsetof(struct run_parameter, options))

static const struct enrg_option parameter_options[] = {
	{.key = "type",
		.kind = ENRG_OPTION_CHOICE,
		.offset = AT(kind),
		.required = true,
		.choices = kinds,
		.help = "What its values are."},
	{.key = "required",
		.kind = ENRG_OPTION_BOOL,
		.offset = AT(required),
		.default_value = "false",
		.help = "Whoever starts a run has to give it, whatever default there is."},
	{.key = "secret",
		.kind = ENRG_OPTION_BOOL,
		.offset = AT(secret),
		.default_value = "false",
		.help = "Its values are shown nowhere; so it is by itself where a job keeps a secret there."},
	{.key = "minimum",
		.kind = ENRG_OPTION_FLOAT,
		.offset = AT(minimum),
		.present_offset = AT(has_minimum),
		.help = "Smallest value of an int or float."},
	{.key = "maximum",
		.kind = ENRG_OPTION_FLOAT,
		.offset = AT(maximum),
		.present_offset = AT(has_maximum),
		.help = "Largest value of an int or float."},
	{.key = "unit", .kind = ENRG_OPTION_STRING, .offset = AT(unit), .help = "Unit of its values, for forms."},
	{.key = "title", .kind = ENRG_OPTION_STRING, .offset = AT(title), .help = "What forms call it."},
	{.key = "description",
		.kind = ENRG_OPTION_STRING,
		.offset = AT(description),
		.help = "What it is for, one sentence."},
	{0},
};

const struct enrg_table run_parameter_table = {sizeof(((struct run_parameter *)0)->options), parameter_options};

const char *run_parameter_kind_name(const struct run_parameter *parameter)
{
	return kinds[parameter->options.kind].name;
}

const char *run_parameter_place(const struct toml_node *node)
{
	if (node->kind != TOML_TABLE || node->count != 1 || strcmp(node->children[0].key, "parameter") != 0)
		return NULL;
	return node->children[0].kind == TOML_STRING ? node->children[0].text : NULL;
}

static json_t *json_of_items(const struct toml_node *node)
{
	json_t *json = node->kind == TOML_TABLE ? json_object() : json_array();

	for (size_t i = 0; json && i < node->count; i++) {
		json_t *item = run_parameter_json(&node->children[i]);
		int rc = node->kind == TOML_TABLE ? json_object_set_new(json, node->children[i].key, item)
						  : json_array_append_new(json, item);
		if (rc == 0)
			continue;
		json_decref(json);
		json = NULL;
	}
	return json;
}

json_t *run_parameter_json(const struct toml_node *node)
{
	switch (node->kind) {
	case TOML_TABLE:
	case TOML_ARRAY:
		return json_of_items(node);
	case TOML_STRING:
	case TOML_DATE:
		return json_stringn(node->text, node->text_bytes);
	case TOML_INTEGER:
		return json_integer(node->integer);
	case TOML_FLOAT:
		return json_real(node->number);
	case TOML_BOOLEAN:
		return json_boolean(node->boolean);
	}
	return NULL;
}

/* --- a value ------------------------------------------------------------------------------------------------------ */

static void describe_expected(const struct run_parameter *parameter, char *ret_text, size_t text_bytes)
{
	static const char *const names[] = {"a string", "an integer", "a number", "true or false"};
	const char *unit = parameter->options.unit;
	size_t used = (size_t)snprintf(ret_text, text_bytes, "%s", names[parameter->options.kind]);

	if (parameter->options.has_minimum && parameter->options.has_maximum && used < text_bytes)
		used += (size_t)snprintf(ret_text + used, text_bytes - used, " from %.15g to %.15g",
			parameter->options.minimum, parameter->options.maximum);
	else if (parameter->options.has_minimum && used < text_bytes)
		used += (size_t)snprintf(
			ret_text + used, text_bytes - used, " of at least %.15g", parameter->options.minimum);
	else if (parameter->options.has_maximum && used < text_bytes)
		used += (size_t)snprintf(
			ret_text + used, text_bytes - used, " of at most %.15g", parameter->options.maximum);
	if (unit && unit[0] && used < text_bytes)
		used += (size_t)snprintf(ret_text + used, text_bytes - used, " %s", unit);
	for (size_t i = 0; parameter->choices && i < parameter->choices->count && used < text_bytes; i++) {
		json_t *choice = run_parameter_json(&parameter->choices->children[i]);
		char *text = choice ? json_dumps(choice, JSON_ENCODE_ANY) : NULL;
		used += (size_t)snprintf(
			ret_text + used, text_bytes - used, "%s%s", i ? ", " : ": one of ", text ? text : "?");
		free(text);
		json_decref(choice);
	}
}

/* A text that a command line has given: exactly a number or a boolean, or nothing. */
static json_t *read_text(const json_t *value)
{
	const char *text = json_string_value(value);
	struct toml_node *root = NULL;
	json_t *read = NULL;

	if (strlen(text) > 40 || strlen(text) != json_string_length(value) ||
		strspn(text, "0123456789+-.eEtruefals") != strlen(text) || options_parse_literal(text, &root, NULL))
		return NULL;
	enum toml_kind kind = root->children[0].kind;
	if (kind == TOML_INTEGER || kind == TOML_FLOAT || kind == TOML_BOOLEAN)
		read = run_parameter_json(&root->children[0]);
	toml_free(root);
	return read;
}

/* Of the kind, whatever the range; NULL: it is not. */
static json_t *convert(const struct run_parameter *parameter, const json_t *value)
{
	static const double exact = 9007199254740992.0; /* 2^53 */
	double number = json_number_value(value);

	switch ((enum run_parameter_kind)parameter->options.kind) {
	case RUN_STRING:
		/* no text of a configuration may hold NUL */
		if (json_is_string(value) && strlen(json_string_value(value)) == json_string_length(value))
			return json_stringn(json_string_value(value), json_string_length(value));
		return NULL;
	case RUN_INT:
		if (json_is_integer(value))
			return json_integer(json_integer_value(value));
		if (json_is_real(value) && fabs(number) <= exact && floor(number) >= number)
			return json_integer((json_int_t)number);
		return NULL;
	case RUN_FLOAT:
		return json_is_number(value) && isfinite(number) ? json_real(number) : NULL;
	case RUN_BOOL:
		return json_is_boolean(value) ? json_boolean(json_is_true(value)) : NULL;
	}
	return NULL;
}

static bool is_choice(const struct run_parameter *parameter, const json_t *value)
{
	bool is_one = !parameter->choices;

	for (size_t i = 0; !is_one && i < parameter->choices->count; i++) {
		json_t *raw = run_parameter_json(&parameter->choices->children[i]);
		json_t *choice = raw ? convert(parameter, raw) : NULL;
		is_one = choice && json_equal(choice, value);
		json_decref(choice);
		json_decref(raw);
	}
	return is_one;
}

static bool is_in_range(const struct run_parameter *parameter, const json_t *value)
{
	double number = json_number_value(value);

	return !json_is_number(value) ||
	       !((parameter->options.has_minimum && number < parameter->options.minimum) ||
		       (parameter->options.has_maximum && number > parameter->options.maximum));
}

json_t *run_parameter_take(
	const struct run_parameter *parameter, const json_t *value, char *ret_wrong, size_t wrong_bytes)
{
	json_t *read = json_is_string(value) && parameter->options.kind != RUN_STRING ? read_text(value) : NULL;
	json_t *taken = convert(parameter, read ? read : value);
	char expected[400], *shown = parameter->is_secret ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

	json_decref(read);
	if (taken && is_in_range(parameter, taken) && is_choice(parameter, taken)) {
		free(shown);
		return taken;
	}
	json_decref(taken);
	describe_expected(parameter, expected, sizeof(expected));
	snprintf(ret_wrong, wrong_bytes, "expected %s, found %.100s", expected, shown ? shown : SECRET_MASK);
	free(shown);
	return NULL;
}

json_t *run_parameter_take_node(
	const struct run_parameter *parameter, const struct toml_node *node, char *ret_wrong, size_t wrong_bytes)
{
	json_t *raw = node->kind == TOML_DATE ? json_null() : run_parameter_json(node);
	json_t *taken = raw ? run_parameter_take(parameter, raw, ret_wrong, wrong_bytes) : NULL;

	if (!raw)
		snprintf(ret_wrong, wrong_bytes, "expected a number, found one that is not finite");
	/* a file says what it means: "5" is a string there */
	if (taken && json_is_string(raw) && parameter->options.kind != RUN_STRING) {
		json_decref(taken);
		taken = NULL;
		snprintf(ret_wrong, wrong_bytes, "expected %s without quotes",
			parameter->options.kind == RUN_BOOL ? "true or false" : "a number");
	}
	json_decref(raw);
	return taken;
}

json_t *run_parameter_default(const struct run_parameter *parameter)
{
	char wrong[600];

	return parameter->default_node
		       ? run_parameter_take_node(parameter, parameter->default_node, wrong, sizeof(wrong))
		       : NULL;
}

/* --- its declaration ---------------------------------------------------------------------------------------------- */

static void check_name(const struct toml_node *node, const char *file, struct problems *problems)
{
	size_t length = strlen(node->key);

	if (length > 0 && length <= NAME_BYTES_MAX &&
		strspn(node->key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == length)
		return;
	problems_add(problems, false, file, node->key_line,
		"parameters.%.80s: a name has 1 to %d letters, digits, '_' and '-'", node->key, NAME_BYTES_MAX);
}

static void check_range(const struct run_parameter *parameter, struct problems *problems)
{
	bool is_number = parameter->options.kind == RUN_INT || parameter->options.kind == RUN_FLOAT;

	if (!is_number && (parameter->options.has_minimum || parameter->options.has_maximum))
		problems_add(problems, false, parameter->file, parameter->line,
			"parameters.%s: minimum and maximum are for int and float, and it is a %s", parameter->name,
			run_parameter_kind_name(parameter));
	if (parameter->options.has_minimum && parameter->options.has_maximum &&
		parameter->options.minimum > parameter->options.maximum)
		problems_add(problems, false, parameter->file, parameter->line,
			"parameters.%s: its minimum (%g) is larger than its maximum (%g)", parameter->name,
			parameter->options.minimum, parameter->options.maximum);
}

/* Choices are of the kind and in range; `choices` is unset meanwhile, or each would have to be one. */
static void check_choices(struct run_parameter *parameter, struct problems *problems)
{
	const struct toml_node *choices = parameter->choices;
	char wrong[600];

	parameter->choices = NULL;
	if (choices && (choices->kind != TOML_ARRAY || !choices->count)) {
		problems_add(problems, false, parameter->file, choices->line,
			"parameters.%s.choices: expected a list of values", parameter->name);
		return;
	}
	for (size_t i = 0; choices && i < choices->count; i++) {
		json_t *taken = run_parameter_take_node(parameter, &choices->children[i], wrong, sizeof(wrong));
		if (!taken)
			problems_add(problems, false, parameter->file, choices->children[i].line,
				"parameters.%s.choices[%zu]: %s", parameter->name, i, wrong);
		json_decref(taken);
	}
	parameter->choices = choices;
}

static void check_default(const struct run_parameter *parameter, struct problems *problems)
{
	char wrong[600];
	json_t *taken = parameter->default_node
				? run_parameter_take_node(parameter, parameter->default_node, wrong, sizeof(wrong))
				: NULL;

	if (parameter->default_node && !taken)
		problems_add(problems, false, parameter->file, parameter->default_node->line,
			"parameters.%s.default: %s", parameter->name, wrong);
	json_decref(taken);
}

void run_parameter_fill(const struct toml_node *node, const char *file, struct options_memory *memory,
	struct run_parameter *ret_parameter, struct problems *problems)
{
	static const char *const known[] = {"default", "choices", NULL};
	size_t before = problems->errors;
	char prefix[200];

	*ret_parameter = (struct run_parameter){.name = node->key, .file = file, .line = node->key_line};
	snprintf(prefix, sizeof(prefix), "parameters.%.80s.", node->key);
	check_name(node, file, problems);
	if (node->kind != TOML_TABLE) {
		problems_add(problems, false, file, node->line, "parameters.%.80s: expected a table with its type",
			node->key);
		return;
	}
	options_fill(&run_parameter_table,
		&(struct options_text){.node = node, .file = file, .prefix = prefix, .known = known},
		&ret_parameter->options, memory, problems);
	ret_parameter->is_secret = ret_parameter->options.secret;
	if (problems->errors > before)
		return;
	check_range(ret_parameter, problems);
	ret_parameter->choices = toml_find(node, "choices");
	check_choices(ret_parameter, problems);
	ret_parameter->default_node = toml_find(node, "default");
	if (problems->errors == before)
		check_default(ret_parameter, problems);
}

static json_t *format_bound(const struct run_parameter *parameter, double bound)
{
	bool is_whole = parameter->options.kind == RUN_INT && fabs(bound) < 1e15 && floor(bound) >= bound;

	return is_whole ? json_integer((json_int_t)bound) : json_real(bound);
}

json_t *run_parameter_format(const struct run_parameter *parameter)
{
	json_t *json = json_pack("{s:s, s:s, s:b, s:b, s:b}", "name", parameter->name, "type",
		run_parameter_kind_name(parameter), "required", parameter->options.required || !parameter->default_node,
		"secret", parameter->is_secret, "runs_code", parameter->runs_code);
	const char *const texts[][2] = {{"unit", parameter->options.unit}, {"title", parameter->options.title},
		{"description", parameter->options.description}};
	json_t *value = parameter->is_secret ? NULL : run_parameter_default(parameter);

	if (value)
		json_object_set(json, "default", value);
	json_decref(value);
	if (parameter->options.has_minimum)
		json_object_set_new(json, "minimum", format_bound(parameter, parameter->options.minimum));
	if (parameter->options.has_maximum)
		json_object_set_new(json, "maximum", format_bound(parameter, parameter->options.maximum));
	if (parameter->choices)
		json_object_set_new(json, "choices", run_parameter_json(parameter->choices));
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i][1])
			json_object_set_new(json, texts[i][0], json_string(texts[i][1]));
	return json;
}
