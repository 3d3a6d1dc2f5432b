/* suite_test.c: the five figures from stored results are real PNG and PDF files that say what they should. The process
 * runs gnuplot, pdfinfo and pdftotext. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "plot/suite_figures.h"
#include "png.h"

#define FOLDER ENRG_SOURCE_DIR "/tests/figures/"
#define NAMES  5

static const struct {
	const char *name;
	const char *texts[4]; /* title and labels */
	const char *ours;     /* stands only in a figure from our own results */
} figures[NAMES] = {
	{"wcd_headroom",
		{"Safety Margin: ENRGDAQ vs. WCD Requirements", "Throughput (MB/s), log scale", "Headroom", "4.0 MB/s"},
		"Achieved: to disk"},
	{"throughput_scaling",
		{"ENRGDAQ Throughput Scaling", "Payload Size (Values per Message)", "Data Throughput (MB/s)",
			"Standard 10 Gbps"},
		"Limit in this run"},
	{"latency_jitter",
		{"Non-Deterministic Latency (Jitter Analysis)", "Payload Size (Values per Message)",
			"Latency (ms), log scale", "Standard Soft"},
		"WCD Detector"},
	{"cpu_efficiency",
		{"CPU Efficiency Scaling", "Payload Size (Values per Message)", "Efficiency (MB/s per 1% CPU)",
			"500,000"},
		NULL},
	{"aggregate_scaling",
		{"ENRGDAQ Aggregate Scalability", "Number of Concurrent Clients", "Total System Throughput (MB/s)",
			"Gbps"},
		"Limit in this run"},
};

static int make_folder(void **state)
{
	char *folder = strdup("/tmp/enrgdaq-figures-XXXXXX");

	if (!folder || !mkdtemp(folder))
		return -1;
	*state = folder;
	return 0;
}

static void format_path(const char *folder, size_t figure, const char *suffix, char *ret_path, size_t path_bytes)
{
	snprintf(ret_path, path_bytes, "%s/%s.%s", folder, figures[figure].name, suffix);
}

static int remove_folder(void **state)
{
	static const char *const suffixes[] = {"png", "pdf", "dat", "gp"};
	char path[256];

	for (size_t i = 0; i < NAMES; i++) {
		for (size_t k = 0; k < 4; k++) {
			format_path(*state, i, suffixes[k], path, sizeof(path));
			unlink(path);
		}
	}
	snprintf(path, sizeof(path), "%s/results.json", (const char *)*state);
	unlink(path);
	int rc = rmdir(*state); /* fails where anything else was left behind */
	free(*state);
	return rc;
}

static void draw(const char *results, const char *folder)
{
	struct enrg_error err = {0};

	if (suite_figures_draw(results, folder, &err) < 0)
		fail_msg("%s", err.text);
}

static char *read_file(const char *path, size_t *ret_count)
{
	struct enrg_error err = {0};
	char *bytes = NULL;

	if (path_read_file(path, (size_t)64 << 20, &bytes, ret_count, &err) < 0)
		fail_msg("%s", err.text);
	return bytes;
}

/* --- files -------------------------------------------------------------------------------------------------------- */

static void expect_png(const char *folder, size_t figure)
{
	char path[256];
	size_t count;
	struct png png;

	format_path(folder, figure, "png", path, sizeof(path));
	char *bytes = read_file(path, &count);
	const char *problem = png_check((const uint8_t *)bytes, count, &png);
	if (problem)
		fail_msg("%s: %s", path, problem);
	assert_int_equal(png.width, 3000);
	assert_int_equal(png.height, 1800);
	assert_int_equal(png.points_per_metre, 11811); /* 300 dpi */
	assert_true(png.colors > 4);
	free(bytes);
}

/* What a command says; fails where it fails. */
static char *run(const char *format, const char *path)
{
	char command[400], *text = NULL;
	size_t bytes;

	snprintf(command, sizeof(command), format, path);
	FILE *pipe = popen(command, "re"), *stream = open_memstream(&text, &bytes);
	assert_non_null(pipe);
	assert_non_null(stream);
	for (int c; (c = fgetc(pipe)) != EOF;)
		fputc(c, stream);
	fclose(stream);
	if (pclose(pipe) != 0)
		fail_msg("%s failed", command);
	return text;
}

static void expect_pdf(const char *folder, size_t figure, bool is_ours)
{
	char path[256];
	size_t count;

	format_path(folder, figure, "pdf", path, sizeof(path));
	char *bytes = read_file(path, &count);
	assert_true(count > 1000);
	assert_memory_equal(bytes, "%PDF-", 5);
	assert_non_null(strstr(bytes + count - 10, "%%EOF"));
	free(bytes);
	char *info = run("pdfinfo %s", path);
	if (!strstr(info, "Pages:           1\n") || !strstr(info, "720 x 432 pts"))
		fail_msg("%s: not one page of 10 x 6 inches: %s", path, info);
	free(info);
	char *text = run("pdftotext -layout %s -", path);
	for (size_t i = 0; i < 4; i++)
		if (!strstr(text, figures[figure].texts[i]))
			fail_msg("%s: \"%s\" is not in it: %s", path, figures[figure].texts[i], text);
	if (figures[figure].ours && is_ours != !!strstr(text, figures[figure].ours))
		fail_msg("%s: \"%s\" %s in it", path, figures[figure].ours, is_ours ? "is not" : "is");
	if (!strstr(text, is_ours ? "regime shared-cache" : "regime not recorded"))
		fail_msg("%s: no regime in the footer: %s", path, text);
	free(text);
}

static void expect_figures(const char *folder, bool is_ours)
{
	for (size_t i = 0; i < NAMES; i++) {
		expect_png(folder, i);
		expect_pdf(folder, i, is_ours);
	}
}

static void test_our_results(void **state)
{
	draw(FOLDER "results.json", *state);
	expect_figures(*state, true);
}

static void test_results_of_the_python_program(void **state)
{
	draw(FOLDER "results_python.json", *state);
	expect_figures(*state, false);
}

/* --- odd results -------------------------------------------------------------------------------------------------- */

static void write_results(const char *folder, const char *text, char *ret_path, size_t path_bytes)
{
	struct enrg_error err = {0};

	snprintf(ret_path, path_bytes, "%s/results.json", folder);
	if (path_write_file(ret_path, text, strlen(text), 0, &err) < 0)
		fail_msg("%s", err.text);
}

static bool has_figure(const char *folder, size_t figure)
{
	char path[256];

	format_path(folder, figure, "png", path, sizeof(path));
	return access(path, F_OK) == 0;
}

/* One run, zeros on log axes, and a machine's name that a shell or gnuplot might obey. */
static void test_one_run_with_zeros(void **state)
{
	char path[256], trap[256], text[1400];

	snprintf(trap, sizeof(trap), "%s/trap", (const char *)*state);
	snprintf(text, sizeof(text),
		"[{\"num_clients\":3,\"payload_size\":500000,\"avg_throughput_mbs\":9000,\"peak_throughput_mbs\":0,"
		"\"zmq_throughput_mbs\":0,\"cpu_usage_percent\":90,\"latency_p95_ms\":0,\"latency_p99_ms\":2,"
		"\"machine\":{\"cpu\":\"`touch %s` '; system('touch %s') \\\\ \\\" {/x_1}\\n!touch %s\"}}]",
		trap, trap, trap);
	write_results(*state, text, path, sizeof(path));
	draw(path, *state);
	for (size_t i = 0; i < NAMES; i++)
		expect_png(*state, i);
	format_path(*state, 1, "pdf", path, sizeof(path));
	char *shown = run("pdftotext -layout %s -", path);
	assert_non_null(strstr(shown, "ZMQ Management Overhead: 0"));
	free(shown);
	assert_int_equal(access(trap, F_OK), -1);
}

/* What the results hold nothing for is left out, also where an earlier run had drawn it. */
static void test_missing_series(void **state)
{
	char path[256];

	draw(FOLDER "results_python.json", *state);
	write_results(
		*state, "{\"num_clients\":1,\"payload_size\":1000,\"avg_throughput_mbs\":50}", path, sizeof(path));
	draw(path, *state);
	assert_true(has_figure(*state, 0));
	assert_true(has_figure(*state, 1));
	assert_false(has_figure(*state, 2));
	assert_false(has_figure(*state, 3));
	assert_false(has_figure(*state, 4));
}

/* What was faster than a bare pair was not limited by one. */
static void test_a_limit_that_was_passed(void **state)
{
	static const size_t with_limits[] = {1, 4};
	char path[256];

	write_results(*state,
		"[{\"num_clients\":3,\"payload_size\":500000,\"avg_throughput_mbs\":9000,"
		"\"peak_throughput_mbs\":9100,\"limits\":{\"bare_pair_gb_per_s\":4.1}}]",
		path, sizeof(path));
	draw(path, *state);
	for (size_t i = 0; i < 2; i++) {
		format_path(*state, with_limits[i], "pdf", path, sizeof(path));
		char *shown = run("pdftotext -layout %s -", path);
		assert_non_null(strstr(shown, "Alone in this run"));
		assert_null(strstr(shown, "Limit in this run"));
		free(shown);
	}
}

/* --- errors ------------------------------------------------------------------------------------------------------- */

static void expect_error(const char *results, const char *folder, int rc, const char *reason)
{
	struct enrg_error err = {0};

	assert_int_equal(suite_figures_draw(results, folder, &err), rc);
	assert_int_equal(err.code, rc);
	if (!strstr(err.text, reason))
		fail_msg("\"%s\" does not say \"%s\"", err.text, reason);
}

static void test_corrupt_results(void **state)
{
	char path[256];

	write_results(*state, "[{\"num_clients\": 3,\n\"payload_size\": }]", path, sizeof(path));
	expect_error(path, *state, ENRG_E_CORRUPT, "results.json:2: not a results file");
	write_results(*state, "[{\"num_clients\": \"three\"}]", path, sizeof(path));
	expect_error(path, *state, ENRG_E_CORRUPT, "run 1: num_clients: expected a number");
}

static void test_missing_results(void **state)
{
	expect_error("/nowhere/results.json", *state, -ENOENT, "/nowhere/results.json");
}

static void test_folder_that_cannot_be_made(void **state)
{
	(void)state;
	expect_error(FOLDER "results.json", FOLDER "results.json/graphs", -ENOTDIR, "results.json");
}

static void test_without_gnuplot(void **state)
{
	char *path = strdup(getenv("PATH"));

	assert_non_null(path);
	setenv("PATH", "", 1);
	expect_error(FOLDER "results.json", *state, -ENOENT, "gnuplot is not in the PATH: install it");
	setenv("PATH", path, 1);
	free(path);
}

/* A gnuplot that fails, and one that says that all is well but draws nothing. */
static void test_gnuplot_that_fails(void **state)
{
	char *path = strdup(getenv("PATH")), program[256], folder[200];
	struct enrg_error err = {0};

	assert_non_null(path);
	snprintf(folder, sizeof(folder), "%s/bin", (const char *)*state);
	snprintf(program, sizeof(program), "%s/gnuplot", folder);
	assert_int_equal(mkdir(folder, 0700), 0);
	for (int i = 0; i < 2; i++) {
		const char *script = i ? "#!/bin/sh\nexit 0\n" : "#!/bin/sh\necho 'no such terminal' >&2\nexit 3\n";
		assert_int_equal(path_write_file(program, script, strlen(script), 0, &err), 0);
		assert_int_equal(chmod(program, 0700), 0);
		setenv("PATH", folder, 1);
		expect_error(FOLDER "results.json", *state, -EIO,
			i ? "gnuplot wrote no PDF" : "(exit code 3): no such terminal");
		setenv("PATH", path, 1);
	}
	unlink(program);
	rmdir(folder);
	free(path);
}

/* --- the checks themselves ---------------------------------------------------------------------------------------- */

/* A figure with one flipped bit, cut short, or empty is found. */
static void test_damaged_png_is_found(void **state)
{
	char path[256];
	size_t count;
	struct png png;

	draw(FOLDER "results_python.json", *state);
	format_path(*state, 0, "png", path, sizeof(path));
	uint8_t *bytes = (uint8_t *)read_file(path, &count);
	assert_null(png_check(bytes, count, &png));
	for (size_t at = 0; at < count; at += count / 53) {
		bytes[at] ^= 0x10;
		assert_non_null(png_check(bytes, count, &png));
		bytes[at] ^= 0x10;
		assert_non_null(png_check(bytes, at, &png));
	}
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_our_results, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_results_of_the_python_program, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_one_run_with_zeros, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_missing_series, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_a_limit_that_was_passed, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_corrupt_results, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_missing_results, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_folder_that_cannot_be_made, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_without_gnuplot, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_gnuplot_that_fails, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_damaged_png_is_found, make_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
