/* node_templates_test.c: schemas in the form that the panel of the Python program resolves. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/node/node_templates.h"

static const char catalogue_text[] =
	"{'types': {"
	"'DAQJobAlone': {'kind': 'job', 'summary': 'Alone.', 'groups': [], 'messages': {'turn': {'description': "
	"'Turns.',"
	" 'properties': {'angle': {'type': 'number', 'examples': [3.5]}}, 'required': ['angle']}},"
	" 'schema': {'properties': {}, 'required': []}},"
	"'DAQJobPCThing': {'kind': 'job', 'summary': 'A thing.', 'messages': {},"
	" 'groups': [{'key': 'store_config', 'required': true, 'help': 'Rows.'}, {'key': 'more', 'required': false,"
	" 'help': 'More.'}], 'schema': {'required': ['count', 'parts'], 'properties': {"
	"'count': {'type': 'integer', 'examples': [4]},"
	"'end': {'type': 'string', 'default': '\\n\\u0022'},"
	"'name': {'type': 'string', 'description': 'Its name.'},"
	"'device': {'type': 'string', 'examples': ['/dev/x']},"
	"'parts': {'type': 'array', 'items': {'type': 'object', 'properties': {'slot': {'type': 'integer'}}},"
	" 'examples': [[{'slot': 1, 'name': 'a\\u0022b', 'list': [1, 2]}]]}}}}},"
	"'stores': {'csv': {'type': 'DAQJobStoreCSV', 'summary': 'Writes.', 'schema': {'required': ['file_path'],"
	" 'properties': {'file_path': {'type': 'string', 'examples': ['a.csv']},"
	" 'target_local_supervisor': {'type': 'boolean', 'default': false}}}}}}";

static json_t *catalogue(void)
{
	char text[sizeof(catalogue_text)];

	strcpy(text, catalogue_text);
	for (char *at = text; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	json_t *json = json_loads(text, 0, NULL);
	assert_non_null(json);
	return json;
}

/* By member after member, "a/b/c". */
static json_t *at(json_t *json, const char *path)
{
	char name[200];

	while (json && *path) {
		size_t length = strcspn(path, "/");
		snprintf(name, sizeof(name), "%.*s", (int)length, path);
		json = json_is_array(json) ? json_array_get(json, (size_t)atoi(name)) : json_object_get(json, name);
		path += length + (path[length] == '/');
	}
	return json;
}

static void expect_text(json_t *json, const char *path, const char *wanted)
{
	assert_non_null(json_string_value(at(json, path)));
	assert_string_equal(json_string_value(at(json, path)), wanted);
}

static void the_first_job_has_all_stores(void **state)
{
	json_t *all = catalogue(), *jobs = node_templates_jobs(all);

	(void)state;
	assert_string_equal(json_object_iter_key(json_object_iter(jobs)), "DAQJobPCThing");
	expect_text(jobs, "DAQJobPCThing/$ref", "#/$defs/DAQJobPCThingConfig");
	expect_text(jobs, "DAQJobPCThing/label", "PC Thing");
	json_t *properties = at(jobs, "DAQJobPCThing/$defs/DAQJobPCThingConfig/properties");
	expect_text(properties, "store_config/$ref", "#/$defs/DAQJobStoreConfig");
	expect_text(properties, "more/anyOf/1/$ref", "#/$defs/DAQJobStoreConfig");
	expect_text(jobs, "DAQJobPCThing/$defs/DAQJobStoreConfig/properties/csv/anyOf/1/$ref",
		"#/$defs/DAQJobStoreConfigCSV");
	expect_text(jobs, "DAQJobPCThing/$defs/DAQJobStoreConfigCSV/properties/file_path/default", "a.csv");
	assert_null(at(jobs, "DAQJobAlone/$defs/DAQJobStoreConfig"));
	json_decref(jobs);
	json_decref(all);
}

static void defaults_are_as_the_panel_writes_them(void **state)
{
	json_t *all = catalogue(), *jobs = node_templates_jobs(all);
	json_t *config = at(jobs, "DAQJobPCThing/$defs/DAQJobPCThingConfig");

	(void)state;
	assert_int_equal(json_integer_value(at(config, "properties/count/default")), 4);
	expect_text(config, "properties/end/default", "\\n\\\"");
	expect_text(config, "properties/name/anyOf/1/type", "null");
	expect_text(config, "properties/name/description", "Its name.");
	expect_text(config, "properties/parts/items/$ref", "#/$defs/DAQJobPCThingConfig_parts");
	assert_non_null(at(jobs, "DAQJobPCThing/$defs/DAQJobPCThingConfig_parts/properties/slot"));
	expect_text(config, "properties/parts/default/0/0", "{slot = 1, name = \"a\\\"b\", list = [1, 2]}");
	/* count, device (an example says that it has to be there), parts, store_config */
	assert_int_equal(json_array_size(at(config, "required")), 4);
	json_decref(jobs);
	json_decref(all);
}

static void stores_and_messages_are_entries_too(void **state)
{
	json_t *all = catalogue(), *stores = node_templates_stores(all), *messages = node_templates_messages(all);

	(void)state;
	expect_text(stores, "csv/$ref", "#/$defs/DAQJobStoreConfigCSV");
	expect_text(stores, "csv/label", "CSV Store");
	expect_text(messages, "DAQJobMessageStop/properties/reason/type", "string");
	expect_text(messages, "DAQJobMessageStop/$ref", "#/$defs/DAQJobMessageStop");
	expect_text(messages, "DAQJobMessageCAENHVSetChParam/required/3", "value");
	assert_true(json_real_value(at(messages, "DAQJobAlone.turn/properties/angle/default")) > 3.4);
	json_decref(messages);
	json_decref(stores);
	json_decref(all);
}

static void labels_keep_short_words_together(void **state)
{
	static const char *const cases[][2] = {{"Test", "Test"}, {"StoreCSV", "Store CSV"},
		{"StoreMySQL", "Store My SQL"}, {"PCMetrics", "PC Metrics"}, {"HandleStats", "Handle Stats"},
		{"CAENHV", "CAENHV"}};
	char label[60];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		node_templates_label(cases[i][0], label, sizeof(label));
		assert_string_equal(label, cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_job_has_all_stores),
		cmocka_unit_test(defaults_are_as_the_panel_writes_them),
		cmocka_unit_test(stores_and_messages_are_entries_too),
		cmocka_unit_test(labels_keep_short_words_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
