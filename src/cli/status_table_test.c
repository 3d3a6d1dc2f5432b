/* status_table_test.c: the table of a status object, also of one that makes no sense. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "cli/status_table.h"
#include "supervisor/status.h"

static char *print(const json_t *status)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *stream = open_memstream(&text, &bytes);

	status_table_print(status, false, stream);
	fclose(stream);
	return text;
}

static struct plan source_plan = {.name = "camera", .type = "DAQJobTest", .file = "camera.toml", .stream_path = "/x"};
static struct plan store_plan = {.name = "csv", .type = "DAQJobStoreCSV", .file = "csv.toml", .is_store = true};

static json_t *make(void)
{
	static struct member_latency latency;
	static struct stream_status stream = {.window_bytes = 16000000, .window_reason = "throughput"};
	static struct plan_sink sink = {.store_name = "csv", .store_type = "DAQJobStoreCSV"};
	struct member members[2] = {
		{.plan = &source_plan,
			.state = MEMBER_RUNNING,
			.stream = &stream,
			.child = {.pid = 7},
			.now = {.out_batches = 10, .out_rows = 100, .out_bytes = 2000},
			.rate = {.out_bytes = 2500000}},
		{.plan = &store_plan,
			.index = 1,
			.state = MEMBER_PAUSING,
			.restart = {.count = 2},
			.last_exit = "exit 1 (failed)",
			.last_reason = "the disk is gone",
			.private_bytes = 3000000,
			.rss_bytes = 1083000000,
			.latency = &latency},
	};
	struct member *by_name[] = {&members[0], &members[1]};
	struct roster roster = {.count = 2, .members = by_name, .by_name = by_name};

	struct ledger *ledger;
	struct status_context context = {
		.roster = &roster, .supervisor = "lab", .run = "r1", .phase = "running", .config = "configs/demo"};
	json_t *status;

	memset(&latency, 0, sizeof(latency));
	histogram_add(&latency.recent, 2000000);
	histogram_add(&latency.all, 900000000);
	source_plan.sinks = &sink;
	source_plan.sink_count = 1;
	assert_int_equal(ledger_create(1, &ledger), 0);
	strcpy(ledger->sources[0].name, "camera");
	ledger->sources[0].sequence = ledger->sources[0].batches = 10;
	ledger->sources[0].is_read = true;
	assert_int_equal(ledger_size_stores(&ledger->sources[0], 1), 0);
	strcpy(ledger->sources[0].stores[0].name, "csv");
	ledger->sources[0].stores[0].in_flight_bytes = 4096;
	ledger->sources[0].bytes = 4096;
	ledger_balance(&ledger->sources[0], 0);
	context.ledger = ledger;
	status = status_format(&context);
	ledger_destroy(ledger);
	assert_non_null(status);
	return status;
}

static void a_status_is_told_in_full(void **state)
{
	json_t *status = make(), *store = json_array_get(json_object_get(status, "jobs"), 1);
	char *text = print(status), summary[200];

	(void)state;
	assert_int_equal(json_integer_value(json_object_get(store, "backlog_batches")), 10);
	assert_int_equal(json_integer_value(json_object_get(store, "backlog_bytes")), 4096);
	assert_non_null(strstr(text, "lab: running, run r1"));
	assert_non_null(strstr(text, "2.5 MB/s"));
	assert_non_null(strstr(text, "camera -> csv (shared memory): 10 batches, 4.1 kB waiting"));
	assert_non_null(strstr(text, "window: 4.1 kB in flight of 16.0 MB (throughput)"));
	assert_int_equal(
		json_integer_value(json_object_get(json_array_get(json_object_get(status, "jobs"), 0), "window_bytes")),
		16000000);
	assert_non_null(strstr(text, "last life: exit 1 (failed): the disk is gone"));
	assert_non_null(strstr(text, " 2.00/2.00 "));
	assert_null(strstr(text, "1083"));
	assert_true(json_number_value(json_object_get(json_object_get(store, "latency_run_ms"), "p50")) >= 900);
	assert_non_null(strstr(text, "every batch is accounted for"));
	status_summary(status, summary, sizeof(summary));
	assert_string_equal(summary, "1 of 2 jobs run; produced 2.5 MB/s, stored 0 B/s, 4.1 kB waiting, 2 restarts");
	free(text);
	json_decref(status);
}

static void a_store_that_waits_says_why(void **state)
{
	json_t *status = json_loads("{\"jobs\": [{\"name\": \"sq\", \"is_store\": true, \"state\": \"waiting\", "
				    "\"reason\": \"the table ch has no column extra\"}]}",
		0, NULL);
	char *text = print(status);

	(void)state;
	assert_non_null(strstr(text, "\n  waiting: the table ch has no column extra\n"));
	free(text);
	json_decref(status);
}

static char *print_text(const char *text)
{
	json_t *status = json_loads(text, 0, NULL);
	char *printed = print(status);

	assert_non_null(status);
	json_decref(status);
	return printed;
}

static void which_run_is_on_is_told(void **state)
{
	char *text = print_text(
		"{\"jobs\": [{\"name\": \"a\", \"type\": \"T\", \"state\": \"running\", \"acquires\": "
		"false}], \"runs\": {\"state\": \"idle\", \"since_wall_ns\": 1764281823123000000, "
		"\"last_number\": 11, \"closing\": \"r11\", \"closing_waits_for\": \"csv has not stored all\", "
		"\"refused\": {\"run\": \"r12\", \"number\": 12, \"reason\": \"a refuses: no power\", "
		"\"wall_ns\": 1764281823123000000}}}");

	(void)state;
	assert_non_null(strstr(text, "between runs since 2025-11-27T22:17:03.123Z; the last number is 11\n"));
	assert_non_null(strstr(text, "run 12 (r12) was not begun at 2025-11-27T22:17:03.123Z: a refuses: no power\n"));
	assert_non_null(strstr(text, "run r11 is not closed yet: csv has not stored all\n"));
	assert_non_null(strstr(text, "between runs     "));
	free(text);
	text = print_text("{\"runs\": {\"state\": \"running\", \"run\": \"r12\", \"number\": 12, \"since_wall_ns\": "
			  "1764281823123000000}}");
	assert_non_null(strstr(text, "run 12 (r12) is on since 2025-11-27T22:17:03.123Z\n"));
	free(text);
	text = print_text("{\"runs\": {\"state\": \"starting\", \"run\": \"r12\", \"number\": 12, \"waits_for\": "
			  "\"store csv is not there\"}}");
	assert_non_null(
		strstr(text, "run 12 (r12) begins since 1970-01-01T00:00:00.000Z, waits: store csv is not there\n"));
	free(text);
	text = print_text(
		"{\"runs\": {\"state\": \"error\", \"run\": \"r12\", \"number\": 12, \"reason\": \"led has "
		"given up\", \"type\": \"calibration\", \"wanted_by\": \"ada\", \"flags\": [\"degraded\", 3], "
		"\"repeat\": 2, \"ends\": {\"wall_ns\": 1, \"events\": 9, \"events_now\": 4, \"when\": "
		"[\"ledger open\", null]}}}");
	assert_non_null(strstr(text, "run 12 (r12) is on, with an ERROR, since 1970-01-01T00:00:00.000Z: led has given "
				     "up; type calibration; by ada; degraded; ends in 0 s; ends with event 9, 4 are "
				     "there; ends when ledger open; 2 more follow\n"));
	free(text);
}

static void nonsense_does_no_harm(void **state)
{
	json_t *status = json_loads("{\"jobs\": [3, {\"in\": [], \"latency_ms\": 4}], \"links\": {\"a\": 1}, "
				    "\"runs\": {\"refused\": 3, \"since_wall_ns\": -5}}",
		0, NULL);
	char *text = print(status), summary[200];

	(void)state;
	assert_non_null(strstr(text, "BATCHES ARE MISSING"));
	status_summary(status, summary, sizeof(summary));
	free(text);
	json_decref(status);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_status_is_told_in_full),
		cmocka_unit_test(a_store_that_waits_says_why),
		cmocka_unit_test(which_run_is_on_is_told),
		cmocka_unit_test(nonsense_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
