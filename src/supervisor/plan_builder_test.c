/* plan_builder_test.c: who reads whose stream, by shared memory or link, and which left-over streams fit. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/earlier/adopt.h"

static const struct enrg_job_group groups[] = {
	{"store_config", true, ""}, {"extra_store_config", false, ""}, {NULL, false, NULL}};
static const struct enrg_job_type test_job = {
	.size = sizeof(struct enrg_job_type), .name = "DAQJobTest", .groups = groups};
static const struct enrg_store_type csv_store = {
	.size = sizeof(struct enrg_store_type), .name = "DAQJobStoreCSV", .section = "csv"};
static const struct type_entry test_type = {.job = &test_job, .name = "DAQJobTest", .module_path = "/m/test.so"};
static const struct type_entry csv_type = {.store = &csv_store, .name = "DAQJobStoreCSV", .module_path = "/m/csv.so"};

static struct job_store_section section = {.group = "store_config", .store_type = &csv_type};

static struct job_config jobs[4];
static struct folder folder;
static struct runtime runtime;

static struct plan_set *build(void)
{
	struct plan_set *set = NULL;

	assert_int_equal(plan_set_create(&folder, &runtime, &set, NULL), 0);
	return set;
}

static int set_up(void **state)
{
	static char names[4][16] = {"lab/a", "lab_a", "csv", "alone"};

	(void)state;
	memset(jobs, 0, sizeof(jobs));
	for (size_t i = 0; i < 4; i++) {
		jobs[i].name = jobs[i].file = jobs[i].toml_text = names[i];
		jobs[i].type = i == 2 ? &csv_type : &test_type;
		jobs[i].common.use_shm_when_possible = true;
		jobs[i].sections = &section;
		jobs[i].section_count = i < 2;
	}
	folder = (struct folder){.jobs = jobs,
		.job_count = 4,
		.supervisor = {
			.info = {.supervisor_id = "s"}, .ring_buffer_size_mb = 64, .ring_buffer_slot_size_kb = 1024}};
	strcpy(runtime.folder, "/dev/shm/x/s");
	strcpy(runtime.sockets, "/dev/shm/x/s");
	strcpy(runtime.run, "r1");
	return 0;
}

static void streams_lead_from_sources_to_stores(void **state)
{
	struct plan_set *set = build();
	struct plan *store = plan_set_find(set, "csv");

	(void)state;
	assert_int_equal(plan_set_producers(set), 2);
	assert_null(plan_set_find(set, "alone")->stream_path);
	assert_int_equal(store->input_count, 2);
	assert_string_equal(store->inputs[0].source, "lab/a");
	assert_string_equal(store->inputs[0].stream_path, set->plans[0]->stream_path);
	assert_string_equal(store->inputs[0].producer_toml, "lab/a");
	assert_int_equal(store->inputs[0].group_count, 2);
	assert_string_equal(store->inputs[0].groups[1], "extra_store_config");
	assert_false(store->inputs[0].is_link);
	assert_null(store->link_url);
	assert_string_equal(store->journal_path, "/dev/shm/x/s/csv.journal");
	assert_int_equal(set->plans[0]->sink_count, 1);
	assert_string_equal(set->plans[0]->sinks[0].store_name, "csv");
	assert_null(set->plans[0]->sinks[0].link_url);
	assert_string_equal(set->plans[0]->run, "r1");
	plan_set_destroy(set);
}

static void a_watchdog_hears_four_beats_of_idle_jobs(void **state)
{
	static const struct {
		double watchdog_seconds;
		uint64_t beat_ns;
	} cases[] = {{3600, 15000000000u}, {60, 15000000000u}, {8, 2000000000u}, {1, 500000000u}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		folder.supervisor.watchdog_seconds = cases[i].watchdog_seconds;
		struct plan_set *set = build();
		for (size_t k = 0; k < set->count; k++)
			assert_int_equal(set->plans[k]->beat_ns, cases[i].beat_ns);
		plan_set_destroy(set);
	}
}

static void names_that_look_alike_get_files_of_their_own(void **state)
{
	struct plan_set *set = build();

	(void)state;
	assert_string_not_equal(set->plans[0]->stream_path, set->plans[1]->stream_path);
	assert_string_not_equal(set->plans[0]->page_path, set->plans[1]->page_path);
	plan_set_destroy(set);
}

static void without_shared_memory_a_link_is_planned(void **state)
{
	struct plan_set *set;
	struct plan *store;

	(void)state;
	jobs[1].common.use_shm_when_possible = false;
	set = build();
	store = plan_set_find(set, "csv");
	assert_non_null(store->link_url);
	assert_false(store->inputs[0].is_link);
	assert_true(store->inputs[1].is_link);
	assert_null(set->plans[0]->sinks[0].link_url);
	assert_string_equal(set->plans[1]->sinks[0].link_url, store->link_url);
	plan_set_destroy(set);
}

static void left_overs_are_judged(void **state)
{
	struct plan_set *set = build();
	struct stream_specs *specs = NULL;
	struct stream_status status = {.consumer_count = 1};

	(void)state;
	assert_int_equal(stream_specs_create(&folder, set, &specs, NULL), 0);
	assert_int_equal(specs->count, 2);
	assert_int_equal(specs->items[0].data_bytes, 32ull << 20);
	strcpy(status.source, "lab/a");
	strcpy(status.consumers[0].name, "csv");
	status.data_bytes = specs->items[0].data_bytes;
	status.record_bytes_max = (1024u << 10) + 4160;
	assert_int_equal(adopt_judge(&specs->items[0], &status, false), ADOPT_KEEP);
	assert_int_equal(adopt_judge(&specs->items[0], &status, true), ADOPT_KEEP);
	assert_int_equal(adopt_judge(NULL, &status, true), ADOPT_REMOVE);
	assert_int_equal(adopt_judge(NULL, &status, false), ADOPT_RECOVER);
	status.data_bytes /= 2;
	assert_int_equal(adopt_judge(&specs->items[0], &status, false), ADOPT_FIT);
	assert_int_equal(adopt_judge(&specs->items[0], &status, true), ADOPT_REMOVE);
	status.data_bytes *= 2;
	strcpy(status.consumers[0].name, "root");
	assert_int_equal(adopt_judge(&specs->items[0], &status, false), ADOPT_RECOVER);
	status.consumer_count = 0;
	assert_int_equal(adopt_judge(&specs->items[0], &status, true), ADOPT_REMOVE);
	stream_specs_destroy(specs);
	plan_set_destroy(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(streams_lead_from_sources_to_stores, set_up),
		cmocka_unit_test_setup(a_watchdog_hears_four_beats_of_idle_jobs, set_up),
		cmocka_unit_test_setup(names_that_look_alike_get_files_of_their_own, set_up),
		cmocka_unit_test_setup(without_shared_memory_a_link_is_planned, set_up),
		cmocka_unit_test_setup(left_overs_are_judged, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
