/* secrets.c: see the header. Runs wherever configurations are edited, on one thread. */
#include "config/secrets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "config/folder.h"
#include "config/run_plans.h"
#include "config/types_message.h"

/* A secret value as it stands in the text, quotes included. */
struct span {
	char path[512];
	int line;
	size_t begin, end;
	bool is_mask;
};

struct spans {
	const struct types *types;
	const char *file, *text;
	const struct toml_node *parameters; /* of a template of runs; NULL = none */
	size_t count;
	struct span *items;
	struct enrg_error *err;
};

/* Behind the string that begins at `at`; NULL: none does. */
static const char *find_end(const char *at)
{
	char quote = *at;
	size_t quotes = 1;

	if (quote != '"' && quote != '\'')
		return NULL;
	if (at[1] == quote && at[2] == quote)
		quotes = 3;
	for (at += quotes; *at; at++) {
		if (quote == '"' && *at == '\\' && at[1]) {
			at++;
			continue;
		}
		if (*at != quote || (quotes == 3 && (at[1] != quote || at[2] != quote)))
			continue;
		at += quotes;
		for (int more = 0; quotes == 3 && more < 2 && *at == quote;
			more++) /* """a""" may end with quotes of its own */
			at++;
		return at;
	}
	return NULL;
}

/* Lines and columns begin at 1; a column is a character, not a byte. */
static const char *find_place(const char *text, int line, int column)
{
	for (; line > 1; line--) {
		text = strchr(text, '\n');
		if (!text)
			return NULL;
		text++;
	}
	for (; column > 1 && *text; column--)
		for (text++; ((unsigned char)*text & 0xc0) == 0x80; text++)
			;
	return text;
}

static int add_span(struct spans *spans, const struct toml_node *node, const char *path)
{
	const char *begin = find_place(spans->text, node->line, node->column);
	const char *end = begin && node->kind == TOML_STRING ? find_end(begin) : NULL;
	struct span *items;

	if (!end)
		return enrg_error_set(
			spans->err, ENRG_E_CONFIG, "%s:%d: %s: a secret is a string", spans->file, node->line, path);
	items = realloc(spans->items, (spans->count + 1) * sizeof(*items));
	if (!items)
		return enrg_error_set(spans->err, -ENOMEM, "out of memory");
	spans->items = items;
	items[spans->count] = (struct span){
		.line = node->line,
		.begin = (size_t)(begin - spans->text),
		.end = (size_t)(end - spans->text),
		.is_mask = !strcmp(node->text, SECRET_MASK),
	};
	snprintf(items[spans->count++].path, sizeof(items->path), "%s", path);
	return 0;
}

/* The parameter that stands in the place of a secret: what it is by default is one. */
static int add_default(struct spans *spans, const char *parameter)
{
	const struct toml_node *own = spans->parameters ? toml_find(spans->parameters, parameter) : NULL;
	const struct toml_node *value = own && own->kind == TOML_TABLE ? toml_find(own, "default") : NULL;
	char path[512];

	snprintf(path, sizeof(path), "parameters.%s.default", parameter);
	for (size_t i = 0; i < spans->count; i++)
		if (!strcmp(spans->items[i].path, path))
			return 0;
	return value ? add_span(spans, value, path) : 0;
}

static const struct enrg_option *find_option(const struct enrg_table *table, const char *key)
{
	for (const struct enrg_option *option = table->options; option && option->key; option++) {
		const struct enrg_option *found = NULL;
		if (option->kind == ENRG_OPTION_INCLUDE)
			found = find_option(option->table, key);
		else if (!strcmp(option->key, key))
			found = option;
		if (found)
			return found;
	}
	return NULL;
}

static int walk(struct spans *spans, const struct enrg_table *table, const struct toml_node *node, const char *prefix)
{
	char path[512];
	int rc = 0;

	for (size_t i = 0; i < node->count && rc == 0; i++) {
		const struct toml_node *child = &node->children[i];
		const struct enrg_option *option = child->key ? find_option(table, child->key) : NULL;
		if (!option)
			continue;
		snprintf(path, sizeof(path), "%s%s", prefix, child->key);
		if (option->secret && run_parameter_place(child)) {
			rc = add_default(spans, run_parameter_place(child));
		} else if (option->secret) {
			rc = add_span(spans, child, path);
		} else if (option->kind == ENRG_OPTION_TABLE) {
			snprintf(path, sizeof(path), "%s%s.", prefix, child->key);
			rc = walk(spans, option->table, child, path);
		} else if (option->kind == ENRG_OPTION_TABLE_LIST) {
			for (size_t k = 0; k < child->count && rc == 0; k++) {
				snprintf(path, sizeof(path), "%s%s[%zu].", prefix, child->key, k);
				rc = walk(spans, option->table, &child->children[k], path);
			}
		}
	}
	return rc;
}

static int walk_group(struct spans *spans, const struct toml_node *group, const char *prefix)
{
	char path[512];
	int rc = 0;

	for (size_t i = 0; group && group->kind == TOML_TABLE && i < group->count && rc == 0; i++) {
		const struct toml_node *section = &group->children[i];
		const struct type_entry *store = types_find_section(spans->types, section->key);
		snprintf(path, sizeof(path), "%s%s.%s.", prefix, group->key, section->key);
		if (store)
			rc = walk(spans, &store->store->section_options, section, path);
	}
	return rc;
}

static int walk_job(struct spans *spans, const struct toml_node *root, const char *prefix)
{
	const struct toml_node *name = toml_find(root, "daq_job_type");
	bool is_old;
	const struct type_entry *type =
		name && name->kind == TOML_STRING ? types_find(spans->types, name->text, &is_old) : NULL;

	if (!type)
		return enrg_error_set(
			spans->err, ENRG_E_CONFIG, "%s: its type is unknown, and with it what is secret", spans->file);
	int rc = walk(spans, &job_common_table, root, prefix);
	if (rc == 0)
		rc = walk(spans, type_options(type), root, prefix);
	const struct enrg_job_group *group = type_groups(type);
	for (; rc == 0 && group && group->key; group++)
		rc = walk_group(spans, toml_find(root, group->key), prefix);
	return rc;
}

/* Any type may be the receiver: a job is known by its name alone. */
static int walk_message(struct spans *spans, const struct toml_node *message, const char *prefix)
{
	const struct toml_node *kind = toml_find(message, "kind"), *body = toml_find(message, "body");
	int rc = 0;

	if (!kind || kind->kind != TOML_STRING || !body || body->kind != TOML_TABLE)
		return 0;
	for (size_t i = 0; rc == 0 && i < types_count(spans->types); i++) {
		const struct enrg_message_type *type =
			types_find_message(type_messages(types_at(spans->types, i)), kind->text);
		size_t before = spans->count;
		if (type)
			rc = walk(spans, &type->body, body, prefix);
		if (spans->count > before)
			break;
	}
	return rc;
}

/* Paths of its jobs begin with their place, so that no two spans have one path. */
static int walk_template(struct spans *spans, const struct toml_node *root)
{
	const struct toml_node *jobs = toml_find(root, "job"), *messages = toml_find(root, "message");
	char prefix[40];
	int rc = 0;

	spans->parameters = toml_find(root, "parameters");
	for (size_t i = 0; rc == 0 && spans->parameters && i < spans->parameters->count; i++) {
		const struct toml_node *own = &spans->parameters->children[i], *secret = toml_find(own, "secret");
		if (secret && secret->kind == TOML_BOOLEAN && secret->boolean)
			rc = add_default(spans, own->key);
	}
	for (size_t i = 0; rc == 0 && jobs && i < jobs->count; i++) {
		snprintf(prefix, sizeof(prefix), "job[%zu].", i);
		rc = walk_job(spans, &jobs->children[i], prefix);
	}
	for (size_t i = 0; rc == 0 && messages && i < messages->count; i++) {
		snprintf(prefix, sizeof(prefix), "message[%zu].body.", i);
		rc = walk_message(spans, &messages->children[i], prefix);
	}
	return rc;
}

/* Types and sequences of runs hold no secrets: run_places.c refuses them there. */
static int walk_plan(struct spans *spans, const struct toml_node *root)
{
	return strstr(spans->file, "runs/templates/") ? walk_template(spans, root) : 0;
}

static int compare_spans(const void *left, const void *right)
{
	const struct span *a = left, *b = right;

	return a->begin < b->begin ? -1 : a->begin > b->begin;
}

/* free(ret->items), also after a failure. */
static int find_spans(
	const struct types *types, const char *file, const char *text, struct spans *ret, struct enrg_error *err)
{
	const char *slash = strrchr(file, '/');
	struct toml_node *root = NULL;

	*ret = (struct spans){.types = types, .file = file, .text = text, .err = err};
	int rc = toml_parse(file, text, strlen(text), &root, err);
	if (rc < 0)
		return rc;
	if (!strcmp(slash ? slash + 1 : file, "supervisor.toml"))
		rc = walk(ret, &supervisor_table, root, "");
	else if (run_plans_is_file(file) && !toml_find(root, "daq_job_type"))
		rc = walk_plan(ret, root);
	else
		rc = walk_job(ret, root, "");
	toml_free(root);
	if (ret->count)
		qsort(ret->items, ret->count, sizeof(*ret->items), compare_spans);
	return rc;
}

static const struct span *find_span(const struct spans *spans, const char *path)
{
	for (size_t i = 0; i < spans->count; i++)
		if (!strcmp(spans->items[i].path, path))
			return &spans->items[i];
	return NULL;
}

/* What comes instead of the span; NULL: it stays. */
static int choose(const struct span *span, const struct spans *old, const char **ret_text, size_t *ret_bytes,
	struct enrg_error *err)
{
	static const char mask[] = "\"" SECRET_MASK "\"";
	const struct span *before = old ? find_span(old, span->path) : NULL;

	*ret_text = old ? NULL : mask;
	*ret_bytes = sizeof(mask) - 1;
	if (!old || !span->is_mask)
		return 0;
	if (!before)
		return enrg_error_set(err, ENRG_E_CONFIG,
			"line %d: %s: " SECRET_MASK
			" stands for the value of before, and there was none: write the value",
			span->line, span->path);
	*ret_text = old->text + before->begin;
	*ret_bytes = before->end - before->begin;
	return 0;
}

static int replace(const struct spans *spans, const struct spans *old, char **ret_text, struct enrg_error *err)
{
	char *text = NULL;
	size_t bytes, at = 0;
	FILE *stream = open_memstream(&text, &bytes);
	int rc = stream ? 0 : enrg_error_set(err, -ENOMEM, "out of memory");

	for (size_t i = 0; rc == 0 && i < spans->count; i++) {
		const struct span *span = &spans->items[i];
		const char *other;
		size_t other_bytes;
		rc = choose(span, old, &other, &other_bytes, err);
		if (rc == 0 && other) {
			fwrite(spans->text + at, 1, span->begin - at, stream);
			fwrite(other, 1, other_bytes, stream);
			at = span->end;
		}
	}
	if (!stream)
		return rc;
	fputs(spans->text + at, stream);
	if (fclose(stream) != 0 && rc == 0)
		rc = enrg_error_set(err, -ENOMEM, "out of memory");
	if (rc < 0) {
		free(text);
		return enrg_error_add(err, rc, "%s", spans->file);
	}
	*ret_text = text;
	return 0;
}

int secrets_hide_text(
	const struct types *types, const char *file, const char *text, char **ret_text, struct enrg_error *err)
{
	struct spans spans;
	int rc = find_spans(types, file, text, &spans, err);

	if (rc == 0)
		rc = replace(&spans, NULL, ret_text, err);
	free(spans.items);
	return rc;
}

int secrets_keep_text(const struct types *types, const char *file, const char *text, const char *old_text,
	char **ret_text, struct enrg_error *err)
{
	struct spans spans, old;
	int rc = find_spans(types, file, old_text, &old, err);

	if (rc < 0) {
		free(old.items);
		return enrg_error_add(err, rc, "the text of before");
	}
	rc = find_spans(types, file, text, &spans, err);
	if (rc == 0)
		rc = replace(&spans, &old, ret_text, err);
	free(spans.items);
	free(old.items);
	return rc;
}
