/* results_test.c: results files of both programs, damaged ones, and which runs a figure shows. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plot/results.h"

static int read_text(const char *text, struct results **ret_results, struct enrg_error *err)
{
	char path[] = "/tmp/enrgdaq-results-XXXXXX";
	int descriptor = mkostemp(path, O_CLOEXEC);

	assert_true(descriptor >= 0);
	assert_int_equal(write(descriptor, text, strlen(text)), (ssize_t)strlen(text));
	close(descriptor);
	int rc = results_read(path, ret_results, err);
	unlink(path);
	return rc;
}

static void expect_refusal(const char *text, int rc, const char *reason)
{
	struct results *results = NULL;
	struct enrg_error err = {0};

	assert_int_equal(read_text(text, &results, &err), rc);
	assert_null(results);
	if (!strstr(err.text, reason))
		fail_msg("\"%s\" does not say \"%s\"", err.text, reason);
}

static struct results *read_good(const char *text)
{
	struct results *results = NULL;
	struct enrg_error err = {0};

	if (read_text(text, &results, &err) < 0)
		fail_msg("%s", err.text);
	return results;
}

#define RUN(clients, payload, rate)                                                                                    \
	"{\"num_clients\":" #clients ",\"payload_size\":" #payload ",\"avg_throughput_mbs\":" #rate "}"

static void test_refusals(void **state)
{
	(void)state;
	expect_refusal("[{]", ENRG_E_CORRUPT, "not a results file");
	expect_refusal("3", ENRG_E_CORRUPT, "not a results file");
	expect_refusal("", ENRG_E_CORRUPT, "not a results file");
	expect_refusal("[]", -ENODATA, "no run in it");
	expect_refusal("[3]", ENRG_E_CORRUPT, "run 1: expected an object");
	expect_refusal("[" RUN(1, 2, 3) ", {}]", ENRG_E_CORRUPT, "run 2: num_clients: expected a number");
	expect_refusal("[" RUN(0, 2, 3) "]", ENRG_E_CORRUPT, "num_clients");
	expect_refusal("[" RUN(1, "x", 3) "]", ENRG_E_CORRUPT, "payload_size");
	expect_refusal("[" RUN(1, 2, -3) "]", ENRG_E_CORRUPT, "avg_throughput_mbs");
	expect_refusal("[" RUN(1, 2, 1e300) "]", ENRG_E_CORRUPT, "avg_throughput_mbs");
	expect_refusal("[{\"num_clients\":1,\"payload_size\":1,\"avg_throughput_mbs\":1,\"limits\":"
		       "{\"checking_gb_per_s\":\"fast\"}}]",
		ENRG_E_CORRUPT, "checking_gb_per_s");
}

static void test_missing_file(void **state)
{
	struct results *results = NULL;
	struct enrg_error err = {0};

	(void)state;
	assert_int_equal(results_read("/nowhere/results.json", &results, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nowhere/results.json"));
}

static void test_keys_may_be_missing(void **state)
{
	struct results *results = read_good(RUN(3, 1000, 12.5));
	char text[400];

	(void)state;
	assert_int_equal(results->count, 1);
	assert_true(isnan(results->entries[0].peak_mb_per_s) && isnan(results->entries[0].p999_ms));
	assert_false(results_are_ours(results));
	assert_null(results_find_limit(results));
	results_format_origin(results, text, sizeof(text));
	assert_string_equal(text, "machine not recorded · date not recorded · regime not recorded");
	results_format_runs(results, text, sizeof(text));
	assert_string_equal(text, "1 run: losses not recorded");
	results_destroy(results);
}

static void expect_series(const struct results_series *series, const size_t *indexes, size_t count)
{
	assert_int_equal(series->count, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(series->entries[i]->index, indexes[i]);
	free(series->entries);
}

/* 3 clients alone, by payload, the later of two equal runs; 500000 rows by clients. */
static void test_series(void **state)
{
	struct results *results = read_good("[" RUN(3, 500000, 9) "," RUN(1, 500000, 8) "," RUN(3, 1000, 1) "," RUN(
		3, 1000, 2) "," RUN(8, 500000, 7) "," RUN(2, 20, 7) "]");
	struct results_series series;

	(void)state;
	assert_int_equal(results_select_payloads(results, &series), 0);
	expect_series(&series, (const size_t[]){3, 0}, 2);
	assert_int_equal(results_select_clients(results, &series), 0);
	expect_series(&series, (const size_t[]){1, 0, 4}, 3);
	results_destroy(results);
}

/* No run with 3 clients: all, and of several over one payload the one with the fewest clients. */
static void test_series_without_three_clients(void **state)
{
	struct results *results =
		read_good("[" RUN(8, 500000, 9) "," RUN(1, 500000, 8) "," RUN(2, 1000, 1) "," RUN(4, 500000, 1) "]");
	struct results_series series;
	char text[40];

	(void)state;
	assert_int_equal(results_select_payloads(results, &series), 0);
	results_format_clients(&series, text, sizeof(text));
	assert_string_equal(text, "1 to 2 clients");
	expect_series(&series, (const size_t[]){2, 1}, 2);
	results_destroy(results);
}

#define LIMITED(generation, checking, pair)                                                                            \
	"{\"num_clients\":1,\"payload_size\":1,\"avg_throughput_mbs\":1,\"limits\":{\"generation_gb_per_"              \
	"s\":" #generation ",\"checking_gb_per_s\":" #checking ",\"bare_pair_gb_per_s\":" #pair "}}"

static void test_limit_is_the_median_of_the_lowest(void **state)
{
	struct results *results = read_good("[" LIMITED(5, 6, 7) "," LIMITED(9, 2, 8) "," LIMITED(3, null, 2.5) "]");
	const struct results_entry *limit = results_find_limit(results);

	(void)state;
	assert_non_null(limit);
	assert_int_equal(limit->index, 2);
	assert_int_equal(limit->limit, RESULTS_LIMIT_PAIR);
	assert_true(fabs(limit->limit_mb_per_s - 2500) < 1e-6);
	results_destroy(results);
}

static void test_origin(void **state)
{
	struct results *results = read_good(
		"[{\"num_clients\":1,\"payload_size\":1,\"avg_throughput_mbs\":1,\"regime\":\"mixed\",\"lost\":2,"
		"\"duplicated\":1,\"corrupted\":0,\"date\":\"2026-11-24T06:48:59.123Z\","
		"\"machine\":{\"cpu\":\"Chip\",\"cores\":2}},"
		"{\"num_clients\":1,\"payload_size\":1,\"avg_throughput_mbs\":1,\"regime\":\"split-cache\",\"lost\":0,"
		"\"duplicated\":0,\"corrupted\":0,\"date\":\"2026-11-24T07:01:00.000Z\","
		"\"machine\":{\"cpu\":\"Chip\",\"cores\":2}}]");
	char text[400];

	(void)state;
	results_format_origin(results, text, sizeof(text));
	assert_string_equal(text, "Chip, 2 cores · 2026-11-24 06:48 to 07:01 UTC · regime mixed (1 of 2 runs), "
				  "split-cache (1): compare within one regime only");
	results_format_runs(results, text, sizeof(text));
	assert_string_equal(text, "2 runs: 2 batches lost, 1 duplicated, 0 corrupted");
	results_destroy(results);
}

#define TOLD(seconds, store, lost)                                                                                     \
	"{\"num_clients\":1,\"payload_size\":1,\"avg_throughput_mbs\":1,\"duration\":" #seconds ",\"store\":\"" store  \
	"\",\"lost\":" #lost ",\"duplicated\":0,\"corrupted\":0,\"latency_run_p99_ms\":7,"                             \
	"\"machine\":{\"cpu\":\"Intel(R) Xeon(R) Gold CPU @ 2.40GHz\",\"cores\":2}}"

/* How long the runs took and where they stored is said where all agree. */
static void test_runs(void **state)
{
	struct results *results = read_good("[" TOLD(10, "memory", 1) "," TOLD(10, "memory", 0) "]");
	char text[400];

	(void)state;
	results_format_runs(results, text, sizeof(text));
	assert_string_equal(text, "2 runs of 10 s, memory store: 1 batches lost, 0 duplicated, 0 corrupted");
	assert_true(fabs(results->entries[0].run_p99_ms - 7) < 1e-9 && isnan(results->entries[0].run_p95_ms));
	results_format_origin(results, text, sizeof(text));
	assert_non_null(strstr(text, "Intel Xeon Gold, 2 cores"));
	results_destroy(results);
	results = read_good("[" TOLD(2, "memory", 0) "," TOLD(10, "arrow", 0) "]");
	results_format_runs(results, text, sizeof(text));
	assert_string_equal(text, "2 runs of 2 to 10 s: 0 batches lost, 0 duplicated, 0 corrupted");
	results_destroy(results);
}

/* The suite's second file: found by the name of the first; one that is missing is none, a damaged one is an error. */
static void test_detector(void **state)
{
	char folder[] = "/tmp/enrgdaq-results-XXXXXX", path[80], beside[80];
	struct results *results = read_good(RUN(3, 1000, 12.5));
	struct enrg_error err = {0};
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/latest_results.json", folder);
	snprintf(beside, sizeof(beside), "%s/latest_detector.json", folder);
	assert_int_equal(results_read_detector(results, path, &err), 0);
	assert_false(results->has_detector || results->has_disk);
	file = fopen(beside, "we");
	fputs("{\"detector\":" RUN(1, 2500, 4) "}", file);
	fclose(file);
	assert_int_equal(results_read_detector(results, path, &err), 0);
	assert_true(results->has_detector && !results->has_disk);
	assert_true(fabs(results->detector.mb_per_s - 4) < 1e-9);
	file = fopen(beside, "we");
	fputs("{\"disk\":3}", file);
	fclose(file);
	assert_int_equal(results_read_detector(results, path, &err), ENRG_E_CORRUPT);
	assert_non_null(strstr(err.text, "latest_detector.json"));
	assert_int_equal(results_read_detector(results, "/nowhere/mine.json", &err), 0);
	unlink(beside);
	rmdir(folder);
	results_destroy(results);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_missing_file),
		cmocka_unit_test(test_keys_may_be_missing),
		cmocka_unit_test(test_series),
		cmocka_unit_test(test_series_without_three_clients),
		cmocka_unit_test(test_limit_is_the_median_of_the_lowest),
		cmocka_unit_test(test_origin),
		cmocka_unit_test(test_runs),
		cmocka_unit_test(test_detector),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
