/* statistics_test.c: each figure has one home: what a page counts comes out at the same name everywhere. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "handover/statistics.h"

/* Every counter has a value of its own, so that one that is read in the place of another is seen. */
static void fill(struct page *page)
{
	_Atomic uint64_t *const counters[] = {&page->in_batches, &page->in_rows, &page->in_bytes, &page->out_batches,
		&page->out_rows, &page->out_bytes, &page->lost, &page->duplicated, &page->corrupted, &page->set_aside,
		&page->cpu_ns, &page->wakeups, &page->zmq_out_bytes, &page->zmq_in_bytes, &page->control_out_bytes};

	memset(page, 0, sizeof(*page));
	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		atomic_store(counters[i], 1000 + i);
	atomic_store(&page->missed_ticks, 7);
}

static void every_counter_of_a_page_is_read(void **state)
{
	static struct page page;
	struct page_counts counts, sum;
	uint64_t all[sizeof(counts) / sizeof(uint64_t)];

	(void)state;
	fill(&page);
	page_counts_get(&page, &counts);
	memcpy(all, &counts, sizeof(all));
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		assert_true(all[i]); /* a member without a row of the table stays 0 */
	assert_int_equal(counts.in_batches, 1000);
	assert_int_equal(counts.out_bytes, 1005);
	assert_int_equal(counts.set_aside, 1009);
	assert_int_equal(counts.cpu_ns, 1010);
	assert_int_equal(counts.control_out_bytes, 1014);
	assert_int_equal(counts.missed_ticks, 7);

	sum = counts;
	page_counts_add(&sum, &counts);
	assert_int_equal(sum.missed_ticks, 14);
	page_counts_get_rate(&sum, &counts, 500000000, &counts);
	assert_int_equal(counts.out_bytes, 2010);
}

static void an_idle_process_has_no_news(void **state)
{
	struct page_counts before = {.in_rows = 3, .cpu_ns = 5}, now = before;

	(void)state;
	now.cpu_ns = 9;
	now.wakeups = now.control_out_bytes = 1;
	assert_false(page_counts_differ(&now, &before));
	now.missed_ticks = 1;
	assert_true(page_counts_differ(&now, &before));
}

static void the_table_is_whole(void **state)
{
	(void)state;
	assert_int_equal(enrg_statistics_count(), STATISTIC_COUNT);
	assert_null(enrg_statistics_get(STATISTIC_COUNT));
	assert_int_equal(enrg_statistics_find("no such"), STATISTIC_COUNT);
	for (uint32_t i = 0; i < STATISTIC_COUNT; i++) {
		const struct enrg_statistic *statistic = enrg_statistics_get(i);

		assert_non_null(statistic->name);
		assert_int_equal(enrg_statistics_find(statistic->name), i); /* also: none is there twice */
		assert_int_equal(statistic->size, sizeof(*statistic));
		assert_true(statistic->unit && statistic->help && statistic->help[0] && statistic->heading[0]);
		assert_true(statistic->json || statistic->report);
		assert_true(!statistic->metric || statistic->metric_factor > 0);
		assert_true(statistic->metric || !statistic->label);
	}
}

static void values_come_back_from_json(void **state)
{
	enum statistics_form forms[] = {STATISTICS_REPORT, STATISTICS_STATUS};
	struct statistics made, read;
	json_t *object;

	(void)state;
	for (size_t f = 0; f < 2; f++) {
		statistics_init(&made);
		for (enum statistic i = 0; i < STATISTIC_COUNT; i++)
			statistics_set_count(&made, i, (1ull << 53) + 1 + i); /* more than a double holds */
		object = json_object();
		statistics_format(&made, forms[f], object);
		statistics_parse(object, forms[f], &read);
		for (uint32_t i = 0; i < STATISTIC_COUNT; i++) {
			const struct enrg_statistic *shown = enrg_statistics_get(i);
			bool is_there = forms[f] == STATISTICS_REPORT ? shown->report : shown->json;

			assert_int_equal(isnan(read.values[i].number), !is_there);
			assert_true(!is_there || read.values[i].number == made.values[i].number);
			assert_true(!read.values[i].count || read.values[i].count == made.values[i].count);
		}
		assert_true(read.values[STATISTIC_OUT_BYTES].count == (1ull << 53) + 1 + STATISTIC_OUT_BYTES);
		json_decref(object);
	}
}

static void what_is_not_known_is_null_or_missing(void **state)
{
	struct statistics statistics;
	struct enrg_job_status job = {0};
	json_t *object = json_object();

	(void)state;
	statistics_init(&statistics);
	statistics_set_count(&statistics, STATISTIC_LOST, 0);
	statistics_format(&statistics, STATISTICS_STATUS, object);
	assert_true(json_is_null(json_object_get(object, "latency_ms")));
	assert_null(json_object_get(object, "ring_bytes"));
	assert_true(json_is_integer(json_object_get(object, "lost")));
	statistics_show_status(&statistics, &job);
	assert_true(isnan(job.latency_p99_ms));
	assert_true(job.cpu_percent == 0);
	assert_int_equal(job.value_count, STATISTIC_COUNT);
	json_decref(object);
}

static void public_members_are_those_of_the_table(void **state)
{
	struct statistics statistics;
	struct enrg_stats stats = {0};
	struct enrg_job_status job = {0};
	json_t *report = json_loads("{\"processed_count\": 2, \"sent_rows\": 3, \"lost\": -4, \"missed_ticks\": \"x\","
				    "\"latency_stats\": {\"p95_ms\": 1.5, \"count\": 9}, \"resource_stats\": 7}",
		0, NULL);

	(void)state;
	statistics_parse(report, STATISTICS_REPORT, &statistics);
	statistics_show_report(&statistics, &stats);
	assert_int_equal(stats.processed_batches, 2);
	assert_int_equal(stats.sent_rows, 3);
	assert_int_equal(stats.lost, 0);
	assert_int_equal(stats.missed_ticks, 0);
	assert_true(isnan(stats.values[enrg_statistics_find("missed_ticks")].number));
	assert_true(stats.latency_p95_ms > 1.4 && stats.latency_p95_ms < 1.6);
	assert_int_equal(stats.latency_count, 9);
	assert_true(stats.rss_mb == 0);
	json_decref(report);

	statistics_set_count(&statistics, STATISTIC_OUT_ROWS_PER_S, 12);
	statistics_set_count(&statistics, STATISTIC_RESTARTS, 5);
	statistics_show_status(&statistics, &job);
	assert_true(job.out.rows_per_s > 11.9 && job.out.rows_per_s < 12.1);
	assert_int_equal(job.in.batches, 2);
	assert_int_equal(job.restarts, 5);
}

/* Each public member once, beside the name of the statistic that it is. */
static void members_and_names_agree(void **state)
{
	struct statistics all;
	struct enrg_stats stats = {0};
	struct enrg_job_status job = {0};

	(void)state;
	for (enum statistic i = 0; i < STATISTIC_COUNT; i++)
		statistics_set_count(&all, i, 100 + i);
	statistics_show_report(&all, &stats);
	statistics_show_status(&all, &job);
	const struct {
		const char *name;
		double report, status; /* -1: not there */
	} members[] = {
		{"in_batches", (double)stats.processed_batches, (double)job.in.batches},
		{"in_rows", (double)stats.processed_rows, (double)job.in.rows},
		{"in_bytes", (double)stats.processed_bytes, (double)job.in.bytes},
		{"out_batches", (double)stats.sent_batches, (double)job.out.batches},
		{"out_rows", (double)stats.sent_rows, (double)job.out.rows},
		{"out_bytes", (double)stats.sent_bytes, (double)job.out.bytes},
		{"in_batches_per_s", -1, job.in.batches_per_s},
		{"in_rows_per_s", -1, job.in.rows_per_s},
		{"in_bytes_per_s", -1, job.in.bytes_per_s},
		{"out_batches_per_s", -1, job.out.batches_per_s},
		{"out_rows_per_s", -1, job.out.rows_per_s},
		{"out_bytes_per_s", -1, job.out.bytes_per_s},
		{"backlog_batches", -1, (double)job.backlog_batches},
		{"backlog_bytes", -1, (double)job.backlog_bytes},
		{"latency_p50_ms", -1, job.latency_p50_ms},
		{"latency_p95_ms", stats.latency_p95_ms, -1},
		{"latency_p99_ms", stats.latency_p99_ms, job.latency_p99_ms},
		{"latency_max_ms", stats.latency_max_ms, -1},
		{"latency_min_ms", stats.latency_min_ms, -1},
		{"latency_avg_ms", stats.latency_avg_ms, -1},
		{"latency_count", (double)stats.latency_count, -1},
		{"lost", (double)stats.lost, (double)job.lost},
		{"duplicated", (double)stats.duplicated, (double)job.duplicated},
		{"corrupted", (double)stats.corrupted, (double)job.corrupted},
		{"set_aside", -1, (double)job.set_aside},
		{"missed_ticks", (double)stats.missed_ticks, (double)job.missed_ticks},
		{"blocked_percent", -1, job.blocked_percent},
		{"cpu_percent", stats.cpu_percent, job.cpu_percent},
		{"rss_mb", stats.rss_mb, -1},
		{"restarts", -1, (double)job.restarts},
	};
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		double wanted = 100 + enrg_statistics_find(members[i].name);

		assert_true(members[i].report < 0 || fabs(members[i].report - wanted) < 0.5);
		assert_true(members[i].status < 0 || fabs(members[i].status - wanted) < 0.5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_counter_of_a_page_is_read),
		cmocka_unit_test(an_idle_process_has_no_news),
		cmocka_unit_test(the_table_is_whole),
		cmocka_unit_test(values_come_back_from_json),
		cmocka_unit_test(what_is_not_known_is_null_or_missing),
		cmocka_unit_test(public_members_are_those_of_the_table),
		cmocka_unit_test(members_and_names_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
