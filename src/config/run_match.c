/* run_match.c: two trees side by side. Supervisor, main thread. */
#include "config/run_match.h"

#include <stdio.h>
#include <string.h>

struct match {
	const struct run_template *template;
	json_t *values; /* of parameters that were met, by name: the same one twice has one value */
	char *why;
	size_t why_bytes;
	unsigned depth;
};

#define DEPTH_MAX 32u

static bool differ(struct match *match, const char *key, const char *what)
{
	snprintf(match->why, match->why_bytes, "template %s: %s: %s", match->template->name,
		key ? key : "an item of a list", what);
	return false;
}

static const struct run_parameter *find_parameter(const struct run_template *template, const char *name)
{
	for (size_t i = 0; i < template->parameter_count; i++)
		if (!strcmp(template->parameters[i].name, name))
			return &template->parameters[i];
	return NULL;
}

static bool is_value(struct match *match, const char *place, const struct toml_node *node)
{
	const struct run_parameter *parameter = find_parameter(match->template, place);
	char wrong[300] = "such a value was not expected", text[500];
	json_t *value = parameter ? run_parameter_take_node(parameter, node, wrong, sizeof(wrong)) : NULL;
	const json_t *before = json_object_get(match->values, place);
	bool is_same = value && (!before || json_equal(before, value));

	snprintf(text, sizeof(text), "parameter %.100s: %.300s", place,
		value && !is_same ? "it has another value elsewhere in the text" : wrong);
	if (is_same)
		json_object_set(match->values, place, value);
	json_decref(value);
	return is_same || differ(match, node->key, text);
}

static bool is_alike(struct match *match, const struct toml_node *wanted, const struct toml_node *node);

/* The name may be any; a key whose place needs no value may be missing. */
static bool are_keys_alike(struct match *match, const struct toml_node *wanted, const struct toml_node *node)
{
	bool is_top = match->depth == 1;

	for (size_t i = 0; i < node->count; i++) {
		const struct toml_node *child = &node->children[i];
		const struct toml_node *other = toml_find(wanted, child->key);
		if (is_top && !strcmp(child->key, "daq_job_unique_id") && child->kind == TOML_STRING)
			continue;
		if (!other)
			return differ(match, child->key, "the template has no such key");
		if (!is_alike(match, other, child))
			return false;
	}
	for (size_t i = 0; i < wanted->count; i++) {
		const struct toml_node *child = &wanted->children[i];
		const char *place = run_parameter_place(child);
		const struct run_parameter *parameter = place ? find_parameter(match->template, place) : NULL;
		if (toml_find(node, child->key) || (is_top && !strcmp(child->key, "daq_job_unique_id")) ||
			(parameter && !parameter->options.required))
			continue;
		return differ(match, child->key, "the template has it, the text has not");
	}
	return true;
}

static bool are_items_alike(struct match *match, const struct toml_node *wanted, const struct toml_node *node)
{
	if (wanted->count != node->count)
		return differ(match, node->key, "a list of another length");
	for (size_t i = 0; i < node->count; i++)
		if (!is_alike(match, &wanted->children[i], &node->children[i]))
			return false;
	return true;
}

static bool are_numbers_alike(const struct toml_node *wanted, const struct toml_node *node)
{
	if (wanted->kind == TOML_INTEGER && node->kind == TOML_INTEGER)
		return wanted->integer == node->integer;
	return !(wanted->number < node->number) && !(wanted->number > node->number);
}

static bool is_number(const struct toml_node *node)
{
	return node->kind == TOML_INTEGER || node->kind == TOML_FLOAT;
}

static bool are_leaves_alike(const struct toml_node *wanted, const struct toml_node *node)
{
	if (is_number(wanted) && is_number(node))
		return are_numbers_alike(wanted, node);
	if (wanted->kind != node->kind)
		return false;
	if (node->kind == TOML_BOOLEAN)
		return wanted->boolean == node->boolean;
	return wanted->text_bytes == node->text_bytes && !memcmp(wanted->text, node->text, node->text_bytes);
}

static bool is_alike(struct match *match, const struct toml_node *wanted, const struct toml_node *node)
{
	const char *place = run_parameter_place(wanted);
	bool is_same = false;

	if (place)
		return is_value(match, place, node);
	if (match->depth++ >= DEPTH_MAX)
		return differ(match, node->key, "it is nested too deep");
	if (wanted->kind == TOML_TABLE && node->kind == TOML_TABLE)
		is_same = are_keys_alike(match, wanted, node);
	else if (wanted->kind == TOML_ARRAY && node->kind == TOML_ARRAY)
		is_same = are_items_alike(match, wanted, node);
	else if (wanted->kind == TOML_TABLE || wanted->kind == TOML_ARRAY || node->kind == TOML_TABLE ||
		 node->kind == TOML_ARRAY || !are_leaves_alike(wanted, node))
		is_same = differ(match, node->key, "it has another value than the template, which no parameter is for");
	else
		is_same = true;
	match->depth--;
	return is_same;
}

static bool has_type(const struct toml_node *wanted, const struct toml_node *job)
{
	const struct toml_node *one = toml_find(wanted, "daq_job_type"), *other = toml_find(job, "daq_job_type");

	return one && other && one->kind == TOML_STRING && other->kind == TOML_STRING &&
	       !strcmp(one->text, other->text);
}

const struct run_template *run_match_find(
	const struct run_plans *plans, const struct toml_node *job, bool may_run_code, char *ret_why, size_t why_bytes)
{
	snprintf(ret_why, why_bytes, "no template of runs/templates has a job of that type%s",
		may_run_code ? "" : " that runs no programs");
	for (size_t i = 0; plans && i < plans->template_count; i++) {
		const struct run_template *template = &plans->templates[i];
		for (size_t k = 0; template->jobs && k < template->jobs->count; k++) {
			struct match match = {.template = template, .why = ret_why, .why_bytes = why_bytes};
			if ((template->runs_code && !may_run_code) || !has_type(&template->jobs->children[k], job))
				continue;
			match.values = json_object();
			bool is_same = is_alike(&match, &template->jobs->children[k], job);
			json_decref(match.values);
			if (is_same)
				return template;
		}
	}
	return NULL;
}
