/* metrics_test.c: families of a system that is there, of one that is away, of names that want to break out. The text as
 * a whole is judged by promtool and scraped by Prometheus in tests/metrics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "web/metrics/families.h"

static const char lab[] =
	"{\"runs\": {\"state\": \"running\", \"number\": 12, \"last_number\": 12, \"began_wall_ns\": "
	"1795863052664197912},"
	" \"clock\": {\"locked\": true, \"offset_ns\": 1500, \"wall_ns\": 1795863060000000000},"
	" \"disks\": [{\"path\": \"/data\", \"free_bytes\": 5e9}],"
	" \"alarms\": [{\"key\": \"silent/camera\", \"job\": \"camera\", \"severity\": \"warning\", \"on\": true},"
	"  {\"key\": \"disk//a\", \"job\": \"\", \"severity\": \"error\", \"on\": true},"
	"  {\"key\": \"disk//b\", \"job\": \"\", \"severity\": \"error\", \"on\": true},"
	"  {\"key\": \"lag/csv\", \"job\": \"csv\", \"severity\": \"warning\", \"on\": false}],"
	" \"jobs\": [{\"name\": \"di\\\"ce\\n\\\\\", \"type\": \"DAQJobTest\", \"is_store\": false, \"is_alive\": true,"
	"   \"out\": {\"rows\": 9007199254740993}, \"rss_mb\": 8.5, \"restarts\": 2, \"latency_ms\": null},"
	"  {\"name\": \"csv\", \"type\": \"DAQJobStoreCSV\", \"is_store\": true, \"is_alive\": false,"
	"   \"backlog_bytes\": 1000, \"last_in_ns\": 1795863050000000000, \"in\": {\"bytes_per_s\": 0, \"rows\": 7},"
	"   \"latency_ms\": {\"p50\": 2, \"p99\": 40},"
	"   \"latency_buckets\": {\"at_most_s\": [0.001, 0.01], \"batches\": [1, 3], \"count\": 4, \"sum_s\": 0.5}}],"
	" \"ledger\": {\"accounted\": false, \"sources\": [{\"source\": \"dice\", \"dropped_rows\": 3, \"stores\":"
	"  [{\"store\": \"csv\", \"stored_rows\": 7, \"missing_batches\": -1}]}]}}";

static char *text;

static void render(const char *json, bool is_there)
{
	size_t count;
	struct http_counts http = {.answers[200] = 5, .answers[429] = 2, .connections = 1};
	struct live_counts live = {.sockets = 1, .frames_skipped = 9};
	json_t *status = json ? json_loads(json, 0, NULL) : NULL;
	FILE *stream = open_memstream(&text, &count);
	struct families families = {.exposition.stream = stream,
		.supervisor = "lab",
		.is_there = is_there,
		.age_s = status ? 0.5 : NAN,
		.status = status,
		.http = &http,
		.live = &live};

	assert_true(!json || status);
	families_put(&families);
	fclose(stream);
	json_decref(status);
}

static void expect(const char *line)
{
	char whole[400];

	snprintf(whole, sizeof(whole), "\n%s\n", line);
	if (!strstr(text, whole))
		fail_msg("not there: %s\nin\n%s", line, text);
}

static void test_a_system_that_is_there(void **state)
{
	(void)state;
	render(lab, true);
	expect("enrgdaq_supervisor_up{supervisor=\"lab\"} 1");
	expect("enrgdaq_run_active{supervisor=\"lab\"} 1");
	expect("enrgdaq_run_number{supervisor=\"lab\"} 12");
	expect("enrgdaq_disk_free_bytes{supervisor=\"lab\",folder=\"/data\"} 5000000000");
	expect("enrgdaq_up{supervisor=\"lab\",daq_job=\"csv\",daq_job_type=\"DAQJobStoreCSV\"} 0");
	expect("enrgdaq_consumed_rows_total{supervisor=\"lab\",daq_job=\"csv\",daq_job_type=\"DAQJobStoreCSV\"} 7");
	expect("enrgdaq_lag_seconds{supervisor=\"lab\",daq_job=\"csv\",daq_job_type=\"DAQJobStoreCSV\"} 10");
	expect("enrgdaq_stored_rows_total{supervisor=\"lab\",source=\"dice\",store=\"csv\"} 7");
	expect("enrgdaq_missing_batches{supervisor=\"lab\",source=\"dice\",store=\"csv\"} -1");
	expect("enrgdaq_ledger_closed{supervisor=\"lab\"} 0");
	expect("enrgdaq_http_requests_total{supervisor=\"lab\",code=\"429\"} 2");
	expect("enrgdaq_scope_frames_skipped_total{supervisor=\"lab\"} 9");
	free(text);
}

/* Base units; whole numbers stay exact; a family stands once, with all of its labels behind it. */
static void test_statistics(void **state)
{
	const char *recent = "enrgdaq_recent_commit_latency_seconds{supervisor=\"lab\",daq_job=\"csv\","
			     "daq_job_type=\"DAQJobStoreCSV\",quantile=";

	(void)state;
	render(lab, true);
	expect("enrgdaq_produced_rows_total{supervisor=\"lab\",daq_job=\"di\\\"ce\\n\\\\\",daq_job_type="
	       "\"DAQJobTest\"} 9007199254740993");
	expect("enrgdaq_resident_memory_bytes{supervisor=\"lab\",daq_job=\"di\\\"ce\\n\\\\\",daq_job_type="
	       "\"DAQJobTest\"} 8500000");
	const char *first = strstr(text, recent), *help = strstr(text, "# TYPE enrgdaq_recent_commit_latency_seconds");
	assert_true(help && first && help < first);
	assert_null(strstr(help + 1, "# TYPE enrgdaq_recent_commit_latency_seconds"));
	assert_non_null(strstr(first, "quantile=\"0.99\"} 0.04\n"));
	expect("enrgdaq_commit_latency_seconds_bucket{supervisor=\"lab\",daq_job=\"csv\",daq_job_type="
	       "\"DAQJobStoreCSV\",le=\"0.01\"} 3");
	expect("enrgdaq_commit_latency_seconds_count{supervisor=\"lab\",daq_job=\"csv\",daq_job_type="
	       "\"DAQJobStoreCSV\"} 4");
	free(text);
}

/* No folder becomes a label, nor twice the same line. */
static void test_alarms(void **state)
{
	(void)state;
	render(lab, true);
	expect("enrgdaq_alarm_active{supervisor=\"lab\",alarm=\"silent\",daq_job=\"camera\",severity=\"warning\"} 1");
	expect("enrgdaq_alarm_active{supervisor=\"lab\",alarm=\"disk\",daq_job=\"\",severity=\"error\"} 2");
	assert_null(strstr(text, "alarm=\"lag\""));
	free(text);
}

/* Old figures would look like a system that works. */
static void test_a_system_that_is_away(void **state)
{
	(void)state;
	render(lab, false);
	expect("enrgdaq_supervisor_up{supervisor=\"lab\"} 0");
	expect("enrgdaq_http_requests_total{supervisor=\"lab\",code=\"200\"} 5");
	assert_null(strstr(text, "enrgdaq_up"));
	assert_null(strstr(text, "enrgdaq_run_active"));
	free(text);
	render(NULL, false);
	expect("enrgdaq_supervisor_up{supervisor=\"lab\"} 0");
	assert_null(strstr(text, "enrgdaq_status_age_seconds"));
	free(text);
	render("{\"jobs\": 7, \"ledger\": [], \"runs\": null, \"alarms\": {}, \"disks\": \"\"}", true);
	expect("enrgdaq_supervisor_up{supervisor=\"lab\"} 1");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_system_that_is_there),
		cmocka_unit_test(test_statistics),
		cmocka_unit_test(test_alarms),
		cmocka_unit_test(test_a_system_that_is_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
