/* plan_test.c: a plan survives its way through JSON text; wrong plans are refused with the name of the key. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handover/plan.h"

static char *groups[] = {"store_config", "waveform_store_config"};

static struct plan_sink sinks[] = {
	{.store_name = "csv", .store_type = "DAQJobStoreCSV"},
	{.store_name = "far", .store_type = "DAQJobStoreArrow", .link_url = "ipc:///tmp/far"},
};

static struct plan_input inputs[] = {
	{.source = "camera",
		.stream_path = "/dev/shm/x/camera.stream",
		.producer_file = "camera.toml",
		.producer_toml = "daq_job_type = \"DAQJobTest\"\n",
		.producer_type = "DAQJobTest",
		.group_count = 2,
		.groups = groups},
	{.source = "f\xc3\xbcr", .producer_file = "b.toml", .producer_toml = "", .producer_type = "T", .is_link = true},
};

static const struct plan example = {
	.supervisor = "lab1",
	.run = "2026-11-24T07:00:00Z",
	.name = "camera",
	.type = "DAQJobTest",
	.module_path = "/usr/lib/enrgdaq/modules/test.so",
	.file = "configs/camera.toml",
	.toml_text = "daq_job_type = \"DAQJobTest\"\n# \xc2\xb5s\n",
	.runtime_folder = "/dev/shm/enrgdaq-0/lab1",
	.page_path = "/dev/shm/enrgdaq-0/lab1/camera.page",
	.journal_path = "/dev/shm/enrgdaq-0/lab1/camera.journal",
	.publish_url = "ipc:///p",
	.subscribe_url = "ipc:///s",
	.verbosity = 3,
	.previous_signal = 9,
	.was_hung = true,
	.life = 4294967295u,
	.beat_ns = 5000000000ull,
	.is_store = true,
	.stream_path = "/dev/shm/enrgdaq-0/lab1/camera.stream",
	.hot_bytes = 1ull << 40,
	.latency_target_ns = 1000000,
	.producers = 3,
	.sink_count = 2,
	.sinks = sinks,
	.link_url = "ipc:///l",
	.input_count = 2,
	.inputs = inputs,
};

static void same_text(const char *a, const char *b)
{
	if (a && b)
		assert_string_equal(a, b);
	else
		assert_true(!a && !b);
}

static void same_head(const struct plan *a, const struct plan *b)
{
	same_text(a->supervisor, b->supervisor);
	same_text(a->run, b->run);
	same_text(a->name, b->name);
	same_text(a->type, b->type);
	same_text(a->module_path, b->module_path);
	same_text(a->file, b->file);
	same_text(a->toml_text, b->toml_text);
	same_text(a->runtime_folder, b->runtime_folder);
	same_text(a->page_path, b->page_path);
	same_text(a->journal_path, b->journal_path);
	same_text(a->publish_url, b->publish_url);
	same_text(a->subscribe_url, b->subscribe_url);
	assert_int_equal(a->verbosity, b->verbosity);
	assert_int_equal(a->previous_signal, b->previous_signal);
	assert_int_equal(a->was_hung, b->was_hung);
	assert_int_equal(a->life, b->life);
	assert_int_equal(a->is_store, b->is_store);
	same_text(a->stream_path, b->stream_path);
	assert_int_equal(a->beat_ns, b->beat_ns);
	assert_int_equal(a->hot_bytes, b->hot_bytes);
	assert_int_equal(a->latency_target_ns, b->latency_target_ns);
	assert_int_equal(a->producers, b->producers);
	same_text(a->link_url, b->link_url);
}

static void same_plan(const struct plan *a, const struct plan *b)
{
	same_head(a, b);
	assert_int_equal(a->sink_count, b->sink_count);
	for (size_t i = 0; i < a->sink_count; i++) {
		same_text(a->sinks[i].store_name, b->sinks[i].store_name);
		same_text(a->sinks[i].store_type, b->sinks[i].store_type);
		same_text(a->sinks[i].link_url, b->sinks[i].link_url);
	}
	assert_int_equal(a->input_count, b->input_count);
	for (size_t i = 0; i < a->input_count; i++) {
		const struct plan_input *x = &a->inputs[i], *y = &b->inputs[i];
		same_text(x->source, y->source);
		same_text(x->stream_path, y->stream_path);
		same_text(x->producer_file, y->producer_file);
		same_text(x->producer_toml, y->producer_toml);
		same_text(x->producer_type, y->producer_type);
		assert_int_equal(x->is_link, y->is_link);
		assert_int_equal(x->group_count, y->group_count);
		for (size_t group = 0; group < x->group_count; group++)
			same_text(x->groups[group], y->groups[group]);
	}
}

static void test_round_trip(void **state)
{
	(void)state;
	struct enrg_error err = {0};
	json_t *json = plan_format(&example);
	assert_non_null(json);
	char *text = json_dumps(json, JSON_COMPACT);
	json_t *again = json_loads(text, 0, NULL);
	struct plan *plan = NULL;
	assert_int_equal(plan_parse(again, &plan, &err), 0);
	same_plan(&example, plan);
	plan_free(plan);
	json_decref(again);
	json_decref(json);
	free(text);
}

static void test_minimal(void **state)
{
	(void)state;
	struct plan small = example;
	small.is_store = false;
	small.journal_path = small.publish_url = small.subscribe_url = small.stream_path = small.link_url = NULL;
	small.sink_count = small.input_count = 0;
	json_t *json = plan_format(&small);
	struct plan *plan = NULL;
	struct enrg_error err = {0};
	assert_int_equal(plan_parse(json, &plan, &err), 0);
	same_plan(&small, plan);
	plan_free(plan);
	plan_free(NULL);
	json_decref(json);
}

/* Parses the example with `key` replaced; the refusal must name `key`. */
static void refuse(const char *key, json_t *value)
{
	json_t *json = plan_format(&example);
	struct plan *plan = NULL;
	struct enrg_error err = {0};

	if (value)
		json_object_set_new(json, key, value);
	else
		json_object_del(json, key);
	assert_true(plan_parse(json, &plan, &err) < 0);
	assert_null(plan);
	if (!strstr(err.text, key))
		fail_msg("\"%s\" does not name %s", err.text, key);
	json_decref(json);
}

static void test_refusals(void **state)
{
	(void)state;
	char name[257];

	memset(name, 'x', 256);
	name[256] = 0;
	refuse("name", NULL);
	refuse("name", json_integer(3));
	refuse("name", json_string(name));
	refuse("name", json_stringn("a\0b", 3));
	refuse("life", json_integer(-1));
	refuse("life", json_integer(4294967296));
	refuse("life", json_real(1.0));
	refuse("hot_bytes", json_integer(-1));
	refuse("verbosity", json_integer(4));
	refuse("was_hung", json_integer(1));
	refuse("is_store", NULL);
	refuse("journal_path", NULL); /* of a store */
	refuse("sinks", json_object());
	refuse("inputs", json_pack("[i]", 1));
	refuse("inputs", json_pack("[{}]"));
	refuse("sinks", json_pack("[{s:s}]", "store_name", "a"));
}

static void test_list_limits(void **state)
{
	(void)state;
	json_t *sink_list = json_array(), *input_list = json_array();

	for (int i = 0; i < 257; i++) {
		json_array_append_new(sink_list, json_pack("{s:s,s:s}", "store_name", "a", "store_type", "T"));
		json_array_append_new(input_list, json_object());
	}
	refuse("sinks", sink_list);
	refuse("inputs", input_list);

	json_t *json = json_array();
	struct plan *plan = NULL;
	assert_int_equal(plan_parse(json, &plan, NULL), -EINVAL);
	assert_int_equal(plan_parse(NULL, &plan, NULL), -EINVAL);
	json_decref(json);
}

static void test_bad_group(void **state)
{
	(void)state;
	struct plan *plan = NULL;
	struct enrg_error err = {0};
	json_t *json = plan_format(&example);

	json_array_set_new(
		json_object_get(json_array_get(json_object_get(json, "inputs"), 0), "groups"), 1, json_integer(7));
	assert_int_equal(plan_parse(json, &plan, &err), -EINVAL);
	assert_non_null(strstr(err.text, "plan: inputs[0]: groups"));
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_minimal),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_list_limits),
		cmocka_unit_test(test_bad_group),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
