/* plan.c: the plan of a job process as JSON. Written by the supervisor, read by the main thread of the job process at
 * its start. One table of fields a struct serves both directions, so that they can't drift apart. Every field is
 * checked: a plan comes from another process. */
#include "handover/plan.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "base/version.h"

#define PLAN_NAME_BYTES_MAX 255u
#define PLAN_PATH_BYTES_MAX 4096u
#define PLAN_TOML_BYTES_MAX (16u << 20)
#define PLAN_SINKS_MAX      64u
#define PLAN_INPUTS_MAX     65536u
#define PLAN_GROUPS_MAX     256u

enum field_kind { FIELD_TEXT = 1, FIELD_BOOL, FIELD_INT, FIELD_UINT32, FIELD_UINT64 };

struct field {
	const char *key; /* NULL ends a table */
	enum field_kind kind;
	size_t offset;
	uint64_t limit; /* bytes of a text without the NUL; largest number */
	bool required;
};

static const struct field plan_fields[] = {
	{"version", FIELD_TEXT, offsetof(struct plan, version), PLAN_NAME_BYTES_MAX, false},
	{"supervisor", FIELD_TEXT, offsetof(struct plan, supervisor), PLAN_NAME_BYTES_MAX, true},
	{"run", FIELD_TEXT, offsetof(struct plan, run), 63, true},
	{"name", FIELD_TEXT, offsetof(struct plan, name), PLAN_NAME_BYTES_MAX, true},
	{"type", FIELD_TEXT, offsetof(struct plan, type), PLAN_NAME_BYTES_MAX, true},
	{"module_path", FIELD_TEXT, offsetof(struct plan, module_path), PLAN_PATH_BYTES_MAX, true},
	{"file", FIELD_TEXT, offsetof(struct plan, file), PLAN_PATH_BYTES_MAX, true},
	{"toml_text", FIELD_TEXT, offsetof(struct plan, toml_text), PLAN_TOML_BYTES_MAX, true},
	{"runtime_folder", FIELD_TEXT, offsetof(struct plan, runtime_folder), PLAN_PATH_BYTES_MAX, true},
	{"page_path", FIELD_TEXT, offsetof(struct plan, page_path), PLAN_PATH_BYTES_MAX, true},
	{"journal_path", FIELD_TEXT, offsetof(struct plan, journal_path), PLAN_PATH_BYTES_MAX, false},
	{"publish_url", FIELD_TEXT, offsetof(struct plan, publish_url), PLAN_PATH_BYTES_MAX, false},
	{"subscribe_url", FIELD_TEXT, offsetof(struct plan, subscribe_url), PLAN_PATH_BYTES_MAX, false},
	{"verbosity", FIELD_INT, offsetof(struct plan, verbosity), 3, true},
	{"is_log_json", FIELD_BOOL, offsetof(struct plan, is_log_json), 0, false},
	{"log_file", FIELD_TEXT, offsetof(struct plan, log_file), PLAN_PATH_BYTES_MAX, false},
	{"log_rotate_bytes", FIELD_UINT64, offsetof(struct plan, log_rotate_bytes), INT64_MAX, false},
	{"log_keep", FIELD_UINT32, offsetof(struct plan, log_keep), 1000, false},
	{"previous_signal", FIELD_INT, offsetof(struct plan, previous_signal), 64, true},
	{"was_hung", FIELD_BOOL, offsetof(struct plan, was_hung), 0, true},
	{"life", FIELD_UINT32, offsetof(struct plan, life), UINT32_MAX, true},
	{"serial", FIELD_UINT64, offsetof(struct plan, serial), INT64_MAX, false},
	{"beat_ns", FIELD_UINT64, offsetof(struct plan, beat_ns), INT64_MAX, false},
	{"is_store", FIELD_BOOL, offsetof(struct plan, is_store), 0, true},
	{"has_run_control", FIELD_BOOL, offsetof(struct plan, has_run_control), 0, false},
	{"is_processor", FIELD_BOOL, offsetof(struct plan, is_processor), 0, false},
	{"level", FIELD_UINT32, offsetof(struct plan, level), UINT32_MAX, false},
	{"checkpoint_path", FIELD_TEXT, offsetof(struct plan, checkpoint_path), PLAN_PATH_BYTES_MAX, false},
	{"read_groups", FIELD_TEXT, offsetof(struct plan, read_groups), PLAN_TOML_BYTES_MAX, false},
	{"stream_path", FIELD_TEXT, offsetof(struct plan, stream_path), PLAN_PATH_BYTES_MAX, false},
	{"hot_bytes", FIELD_UINT64, offsetof(struct plan, hot_bytes), INT64_MAX, true},
	{"latency_target_ns", FIELD_UINT64, offsetof(struct plan, latency_target_ns), INT64_MAX, false},
	{"producers", FIELD_UINT32, offsetof(struct plan, producers), UINT32_MAX, false},
	{"earlier_batches", FIELD_UINT64, offsetof(struct plan, earlier_batches), INT64_MAX, false},
	{"earlier_rows", FIELD_UINT64, offsetof(struct plan, earlier_rows), INT64_MAX, false},
	{"link_url", FIELD_TEXT, offsetof(struct plan, link_url), PLAN_PATH_BYTES_MAX, false},
	{NULL, 0, 0, 0, false},
};

static const struct field sink_fields[] = {
	{"store_name", FIELD_TEXT, offsetof(struct plan_sink, store_name), PLAN_NAME_BYTES_MAX, true},
	{"store_type", FIELD_TEXT, offsetof(struct plan_sink, store_type), PLAN_NAME_BYTES_MAX, true},
	{"link_url", FIELD_TEXT, offsetof(struct plan_sink, link_url), PLAN_PATH_BYTES_MAX, false},
	{NULL, 0, 0, 0, false},
};

static const struct field input_fields[] = {
	{"source", FIELD_TEXT, offsetof(struct plan_input, source), PLAN_NAME_BYTES_MAX, true},
	{"stream_path", FIELD_TEXT, offsetof(struct plan_input, stream_path), PLAN_PATH_BYTES_MAX, false},
	{"producer_file", FIELD_TEXT, offsetof(struct plan_input, producer_file), PLAN_PATH_BYTES_MAX, true},
	{"producer_toml", FIELD_TEXT, offsetof(struct plan_input, producer_toml), PLAN_TOML_BYTES_MAX, true},
	{"producer_type", FIELD_TEXT, offsetof(struct plan_input, producer_type), PLAN_NAME_BYTES_MAX, true},
	{"is_link", FIELD_BOOL, offsetof(struct plan_input, is_link), 0, true},
	{"earlier_runs", FIELD_TEXT, offsetof(struct plan_input, earlier_runs), PLAN_PATH_BYTES_MAX, false},
	{NULL, 0, 0, 0, false},
};

/* --- writing --- */

static json_t *format_field(const struct field *field, const void *object)
{
	const char *at = (const char *)object + field->offset;

	switch (field->kind) {
	case FIELD_TEXT: {
		char *text;
		memcpy(&text, at, sizeof(text));
		return text ? json_string(text) : json_null();
	}
	case FIELD_BOOL:
		return json_boolean(*(const bool *)at);
	case FIELD_INT:
		return json_integer(*(const int *)(const void *)at);
	case FIELD_UINT32:
		return json_integer((json_int_t) * (const uint32_t *)(const void *)at);
	case FIELD_UINT64: {
		uint64_t number = *(const uint64_t *)(const void *)at;
		return number <= INT64_MAX ? json_integer((json_int_t)number) : NULL;
	}
	}
	return NULL;
}

/* New reference; NULL: out of memory, or a text that is not UTF-8. */
static json_t *format_fields(const struct field *fields, const void *object)
{
	json_t *json = json_object();

	for (const struct field *field = fields; field->key; field++) {
		if (json_object_set_new(json, field->key, format_field(field, object)) < 0) {
			json_decref(json);
			return NULL;
		}
	}
	return json;
}

static json_t *format_groups(const struct plan_input *input)
{
	json_t *list = json_array();

	for (size_t i = 0; i < input->group_count; i++) {
		if (json_array_append_new(list, json_string(input->groups[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *format_sinks(const struct plan *plan)
{
	json_t *list = json_array();

	for (size_t i = 0; i < plan->sink_count; i++) {
		if (json_array_append_new(list, format_fields(sink_fields, &plan->sinks[i])) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *format_inputs(const struct plan *plan)
{
	json_t *list = json_array();

	for (size_t i = 0; i < plan->input_count; i++) {
		json_t *item = format_fields(input_fields, &plan->inputs[i]);
		if (json_object_set_new(item, "groups", format_groups(&plan->inputs[i])) < 0) {
			json_decref(item);
			item = NULL;
		}
		if (json_array_append_new(list, item) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

json_t *plan_format(const struct plan *plan)
{
	json_t *json = format_fields(plan_fields, plan);

	if (json_object_set_new(json, "sinks", format_sinks(plan)) < 0 ||
		json_object_set_new(json, "inputs", format_inputs(plan)) < 0) {
		json_decref(json);
		return NULL;
	}
	return json;
}

/* --- reading --- */

static int parse_text(const struct field *field, const json_t *value, char **ret_text, struct enrg_error *err)
{
	if (!json_is_string(value))
		return enrg_error_set(err, -EINVAL, "%s: a string is wanted", field->key);
	if (json_string_length(value) > field->limit)
		return enrg_error_set(err, -EINVAL, "%s: %zu bytes, at most %llu are allowed", field->key,
			json_string_length(value), (unsigned long long)field->limit);
	if (strlen(json_string_value(value)) != json_string_length(value))
		return enrg_error_set(err, -EINVAL, "%s: holds a NUL byte", field->key);
	*ret_text = strdup(json_string_value(value));
	return *ret_text ? 0 : enrg_error_set(err, -ENOMEM, "%s: out of memory", field->key);
}

static int parse_field(const struct field *field, const json_t *json, void *object, struct enrg_error *err)
{
	const json_t *value = json_object_get(json, field->key);
	char *at = (char *)object + field->offset;

	if (!value || json_is_null(value)) {
		if (field->required)
			return enrg_error_set(err, -EINVAL, "%s: is missing", field->key);
		return 0;
	}
	if (field->kind == FIELD_TEXT) {
		char *text;
		int rc = parse_text(field, value, &text, err);
		if (rc == 0)
			memcpy(at, &text, sizeof(text));
		return rc;
	}
	if (field->kind == FIELD_BOOL) {
		if (!json_is_boolean(value))
			return enrg_error_set(err, -EINVAL, "%s: true or false is wanted", field->key);
		*(bool *)at = json_boolean_value(value);
		return 0;
	}
	json_int_t number = json_integer_value(value);
	if (!json_is_integer(value) || number < 0 || (uint64_t)number > field->limit)
		return enrg_error_set(err, -EINVAL, "%s: an integer from 0 to %llu is wanted", field->key,
			(unsigned long long)field->limit);
	if (field->kind == FIELD_INT)
		*(int *)(void *)at = (int)number;
	else if (field->kind == FIELD_UINT32)
		*(uint32_t *)(void *)at = (uint32_t)number;
	else
		*(uint64_t *)(void *)at = (uint64_t)number;
	return 0;
}

static int parse_fields(const struct field *fields, const json_t *json, void *object, struct enrg_error *err)
{
	if (!json_is_object(json))
		return enrg_error_set(err, -EINVAL, "an object is wanted");
	for (const struct field *field = fields; field->key; field++) {
		int rc = parse_field(field, json, object, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

struct list_kind {
	const char *key;
	size_t count_max, item_bytes;
};

/* Zeroed items for the list; one that is not there is empty. */
static int parse_list(const json_t *json, const struct list_kind *kind, const json_t **ret_list, void **ret_items,
	struct enrg_error *err)
{
	const json_t *list = json_object_get(json, kind->key);

	*ret_list = list;
	*ret_items = NULL;
	if (!list || json_is_null(list))
		return 0;
	if (!json_is_array(list) || json_array_size(list) > kind->count_max)
		return enrg_error_set(err, -EINVAL, "%s: a list of at most %zu is wanted", kind->key, kind->count_max);
	*ret_items = calloc(json_array_size(list) + 1, kind->item_bytes);
	return *ret_items ? 0 : enrg_error_set(err, -ENOMEM, "%s: out of memory", kind->key);
}

static int parse_groups(const json_t *json, struct plan_input *input, struct enrg_error *err)
{
	static const struct field group_field = {"groups", FIELD_TEXT, 0, PLAN_NAME_BYTES_MAX, true};
	const json_t *list;
	void *items;
	int rc = parse_list(json, &(struct list_kind){"groups", PLAN_GROUPS_MAX, sizeof(char *)}, &list, &items, err);

	input->groups = items;
	while (rc == 0 && input->group_count < json_array_size(list)) {
		rc = parse_text(&group_field, json_array_get(list, input->group_count),
			&input->groups[input->group_count], err);
		if (rc == 0)
			input->group_count++;
	}
	return rc;
}

static int parse_sinks(const json_t *json, struct plan *plan, struct enrg_error *err)
{
	const json_t *list;
	void *items;
	int rc = parse_list(
		json, &(struct list_kind){"sinks", PLAN_SINKS_MAX, sizeof(struct plan_sink)}, &list, &items, err);

	plan->sinks = items;
	while (rc == 0 && plan->sink_count < json_array_size(list)) {
		size_t i = plan->sink_count++;
		rc = parse_fields(sink_fields, json_array_get(list, i), &plan->sinks[i], err);
		if (rc < 0)
			enrg_error_add(err, rc, "sinks[%zu]", i);
	}
	return rc;
}

static int parse_inputs(const json_t *json, struct plan *plan, struct enrg_error *err)
{
	const json_t *list;
	void *items;
	int rc = parse_list(
		json, &(struct list_kind){"inputs", PLAN_INPUTS_MAX, sizeof(struct plan_input)}, &list, &items, err);

	plan->inputs = items;
	while (rc == 0 && plan->input_count < json_array_size(list)) {
		size_t i = plan->input_count++;
		const json_t *item = json_array_get(list, i);
		rc = parse_fields(input_fields, item, &plan->inputs[i], err);
		if (rc == 0)
			rc = parse_groups(item, &plan->inputs[i], err);
		if (rc == 0 && !plan->inputs[i].stream_path && !plan->inputs[i].is_link)
			rc = enrg_error_set(err, -EINVAL, "stream_path: is missing");
		if (rc < 0)
			enrg_error_add(err, rc, "inputs[%zu]", i);
	}
	return rc;
}

/* Before anything else: another version may mean something else by the other fields. */
static int check_version(const json_t *json, struct enrg_error *err)
{
	const char *version = json_string_value(json_object_get(json, "version"));

	if (!version || !strcmp(version, version_text()))
		return 0;
	return enrg_error_set(err, ENRG_E_VERSION,
		"made by enrgdaq %.64s, and this is %s: `enrgdaq stop` and a new start take the version that is "
		"installed",
		version, version_text());
}

int plan_parse(const json_t *json, struct plan **ret_plan, struct enrg_error *err)
{
	struct plan *plan = calloc(1, sizeof(*plan));

	if (!plan)
		return enrg_error_set(err, -ENOMEM, "plan: out of memory");
	int rc = check_version(json, err);
	if (rc == 0)
		rc = parse_fields(plan_fields, json, plan, err);
	if (rc == 0)
		rc = parse_sinks(json, plan, err);
	if (rc == 0)
		rc = parse_inputs(json, plan, err);
	if (rc == 0 && (plan->is_store || plan->is_processor) && !plan->journal_path)
		rc = enrg_error_set(err, -EINVAL, "journal_path: is missing");
	if (rc == 0 && plan->is_processor && !plan->checkpoint_path)
		rc = enrg_error_set(err, -EINVAL, "checkpoint_path: is missing");
	if (rc == 0 && plan->is_processor && plan->is_store)
		rc = enrg_error_set(err, -EINVAL, "is_processor: a store is none");
	if (rc < 0) {
		enrg_error_add(err, rc, "plan");
		plan_free(plan);
		return rc;
	}
	*ret_plan = plan;
	return 0;
}

static void free_fields(const struct field *fields, void *object)
{
	for (const struct field *field = fields; field->key; field++) {
		char *text;
		if (field->kind != FIELD_TEXT)
			continue;
		memcpy(&text, (char *)object + field->offset, sizeof(text));
		free(text);
	}
}

static void free_input(struct plan_input *input)
{
	for (size_t group = 0; group < input->group_count; group++)
		free(input->groups[group]);
	free(input->groups);
	free_fields(input_fields, input);
}

void plan_free(struct plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->sink_count; i++)
		free_fields(sink_fields, &plan->sinks[i]);
	free(plan->sinks);
	for (size_t i = 0; i < plan->input_count; i++)
		free_input(&plan->inputs[i]);
	free(plan->inputs);
	free_fields(plan_fields, plan);
	free(plan);
}

/* --- the file ----------------------------------------------------------------------------------------------------- */

#define PLAN_FILE_BYTES_MAX (256u << 20)

/* "…/store.page" is "…/store.plan". */
static void name_file(const struct plan *plan, char ret_path[PLAN_PATH_BYTES_MAX + 16])
{
	size_t length = strlen(plan->page_path), suffix = strlen(".page");

	snprintf(ret_path, PLAN_PATH_BYTES_MAX + 16, "%.*s" PLAN_SUFFIX, (int)(length > suffix ? length - suffix : 0),
		plan->page_path);
}

int plan_write_file(const struct plan *plan, struct enrg_error *err)
{
	char path[PLAN_PATH_BYTES_MAX + 16];
	json_t *json = plan_format(plan);
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

	json_decref(json);
	if (!text)
		return enrg_error_set(err, -ENOMEM, "%s: the plan can't be written as JSON", plan->name);
	name_file(plan, path);
	int rc = path_write_private_file(path, text, strlen(text), err);
	free(text);
	return rc;
}

int plan_read_file(const struct plan *plan, struct plan **ret_plan, struct enrg_error *err)
{
	char path[PLAN_PATH_BYTES_MAX + 16], *text;
	size_t bytes;

	name_file(plan, path);
	int rc = path_read_file(path, PLAN_FILE_BYTES_MAX, &text, &bytes, err);
	if (rc)
		return rc;
	json_t *json = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	rc = json ? plan_parse(json, ret_plan, err) : enrg_error_set(err, -EINVAL, "%s: not JSON", path);
	json_decref(json);
	return rc;
}

void plan_remove_file(const struct plan *plan)
{
	char path[PLAN_PATH_BYTES_MAX + 16];

	name_file(plan, path);
	unlink(path);
}

/* --- lists that change -------------------------------------------------------------------------------------------- */

size_t plan_find_sink(const struct plan *plan, const char *store)
{
	size_t i = 0;

	while (i < plan->sink_count && strcmp(plan->sinks[i].store_name, store))
		i++;
	return i;
}

size_t plan_find_input(const struct plan *plan, const char *source)
{
	size_t i = 0;

	while (i < plan->input_count && strcmp(plan->inputs[i].source, source))
		i++;
	return i;
}

static void take_sink_out(struct plan *plan, size_t index)
{
	plan->sink_count--;
	memmove(&plan->sinks[index], &plan->sinks[index + 1], (plan->sink_count - index) * sizeof(plan->sinks[0]));
}

static void take_input_out(struct plan *plan, size_t index)
{
	plan->input_count--;
	memmove(&plan->inputs[index], &plan->inputs[index + 1], (plan->input_count - index) * sizeof(plan->inputs[0]));
}

int plan_copy_sink(const struct plan_sink *sink, struct plan *to)
{
	struct plan_sink *sinks = realloc(to->sinks, (to->sink_count + 1) * sizeof(*sinks));

	if (!sinks)
		return -ENOMEM;
	to->sinks = sinks;
	sinks[to->sink_count] = (struct plan_sink){.store_name = strdup(sink->store_name),
		.store_type = strdup(sink->store_type),
		.link_url = sink->link_url ? strdup(sink->link_url) : NULL};
	to->sink_count++;
	if (sinks[to->sink_count - 1].store_name && sinks[to->sink_count - 1].store_type)
		return 0;
	plan_drop_sink(to, to->sink_count - 1);
	return -ENOMEM;
}

int plan_move_input(struct plan *from, size_t index, struct plan *to)
{
	struct plan_input *inputs = realloc(to->inputs, (to->input_count + 1) * sizeof(*inputs));

	if (!inputs)
		return -ENOMEM;
	to->inputs = inputs;
	inputs[to->input_count++] = from->inputs[index];
	take_input_out(from, index);
	return 0;
}

void plan_drop_sink(struct plan *plan, size_t index)
{
	free_fields(sink_fields, &plan->sinks[index]);
	take_sink_out(plan, index);
}

void plan_drop_input(struct plan *plan, size_t index)
{
	free_input(&plan->inputs[index]);
	take_input_out(plan, index);
}
