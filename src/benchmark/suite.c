/* suite.c: runs one benchmark after another as child processes and collects their results. */
#include "benchmark/suite.h"

#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/path.h"
#include "benchmark/runner.h"

/* The series come first; the named ones go into the second file. */
static const struct point {
	unsigned clients, rows;
	const char *name, *rate_hz, *store;
} points[] = {
	{3, 1000, NULL, "0", "memory"},
	{3, 10000, NULL, "0", "memory"},
	{3, 50000, NULL, "0", "memory"},
	{3, 100000, NULL, "0", "memory"},
	{3, 500000, NULL, "0", "memory"},
	{1, 500000, NULL, "0", "memory"},
	{2, 500000, NULL, "0", "memory"},
	{4, 500000, NULL, "0", "memory"},
	{8, 500000, NULL, "0", "memory"},
	{1, 2500, "detector", "100", "memory"}, /* 100 times a second 40 kB: 4 MB/s */
	{1, 500000, "disk", "0", "arrow"},
};
#define POINTS          (sizeof(points) / sizeof(points[0]))
#define FIRST_AGGREGATE 5u
#define FIRST_NAMED     9u

static void print_point(const json_t *r)
{
	printf("    %8.1f MB/s  (%.2f Gb/s)  p95 %.4f ms  p99 %.4f ms  CPU %.0f%%  lost %lld  [%s]\n",
		json_number_value(json_object_get(r, "avg_throughput_mbs")),
		json_number_value(json_object_get(r, "avg_throughput_mbs")) * 8 / 1000,
		json_number_value(json_object_get(r, "latency_p95_ms")),
		json_number_value(json_object_get(r, "latency_p99_ms")),
		json_number_value(json_object_get(r, "cpu_usage_percent")),
		(long long)json_integer_value(json_object_get(r, "lost")),
		json_string_value(json_object_get(r, "regime")));
}

/* What both files hold. */
struct collected {
	json_t *series, *named;
};

static int run_child(const struct suite_params *params, const struct point *point, struct runner_output *ret_output)
{
	char clients[16], rows[16], duration[32];
	char *const arguments[] = {(char *)(uintptr_t)params->program, "bench", "run", "--clients", clients,
		"--payload-size", rows, "--duration", duration, "--store", (char *)(uintptr_t)point->store, "--rate-hz",
		(char *)(uintptr_t)point->rate_hz, "--use-shm", "--stats-interval", "1.0", "--json", NULL};

	snprintf(clients, sizeof(clients), "%u", point->clients);
	snprintf(rows, sizeof(rows), "%u", point->rows);
	snprintf(duration, sizeof(duration), "%.17g", params->duration_s);
	return runner_run(
		&(struct runner_params){.arguments = arguments, .timeout_s = params->duration_s + RUNNER_GRACE_S},
		ret_output);
}

static int run_point(const struct suite_params *params, const struct point *point, const struct collected *collected)
{
	struct runner_output output;
	int rc = run_child(params, point, &output), status = output.status;
	json_t *result = rc == 0 && status == 0 ? json_loads(output.text, 0, NULL) : NULL;

	free(output.text);
	if (rc == -ETIMEDOUT)
		printf("    failed: not done %.0f s after its time; killed\n", RUNNER_GRACE_S);
	else if (rc < 0)
		printf("    failed: %s\n", enrg_error_name(rc));
	else if (!result)
		printf("    failed (%s %d):\n    %s\n", WIFEXITED(status) ? "exit code" : "signal",
			WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), output.said);
	if (!result)
		return rc < 0 ? rc : -ECHILD;
	print_point(result);
	if (point->name)
		json_object_set_new(collected->named, point->name, result);
	else
		json_array_append_new(collected->series, result);
	return 0;
}

/* The goal for many clients: the aggregate never falls below 0.9 of the best. */
static void print_scaling(const json_t *results)
{
	double best = 0, worst = 0;
	size_t index;
	json_t *r;

	json_array_foreach(results, index, r)
	{
		double rate = json_number_value(json_object_get(r, "avg_throughput_mbs"));
		if (json_integer_value(json_object_get(r, "payload_size")) != 500000)
			continue;
		best = rate > best ? rate : best;
		worst = worst == 0 || rate < worst ? rate : worst;
	}
	if (best > 0)
		printf("\nAggregate at 500000 rows: lowest %.0f, highest %.0f MB/s: ratio %.2f (goal 0.90 within one "
		       "regime)\n",
			worst, best, worst / best);
}

static int write_file(const char *path, const json_t *what, struct enrg_error *err)
{
	char *text = json_dumps(what, JSON_INDENT(2));
	int rc = text ? path_write_file(path, text, strlen(text), 0, err)
		      : enrg_error_set(err, -ENOMEM, "no memory for %s", path);

	free(text);
	return rc;
}

/* DIR/latest_KIND.json and DIR/KIND_DATE.json. */
static int write_both(
	const char *folder, const char *kind, const char *date, const json_t *what, struct enrg_error *err)
{
	char path[4096];
	int rc;

	snprintf(path, sizeof(path), "%s/%s_%s.json", folder, kind, date);
	rc = write_file(path, what, err);
	snprintf(path, sizeof(path), "%s/latest_%s.json", folder, kind);
	if (rc == 0)
		rc = write_file(path, what, err);
	if (rc == 0)
		printf("Results: %s\n", path);
	return rc;
}

static int write_results(const struct suite_params *params, const struct collected *collected, struct enrg_error *err)
{
	int rc = path_make_folders(params->results_dir, 0755, err);
	char date[64];

	clock_format_utc(clock_wall_ns(), date, sizeof(date));
	date[19] = 0; /* without fractions */
	for (char *at = date; *at; at++)
		*at = *at == ':' ? '-' : *at;
	if (rc == 0)
		rc = write_both(params->results_dir, "results", date, collected->series, err);
	/* Also where it holds nothing: one of an earlier suite would not belong to these results. */
	if (rc == 0)
		rc = write_both(params->results_dir, "detector", date, collected->named, err);
	return rc;
}

static void say_part(size_t point)
{
	if (point == 0)
		printf("\n=== Running Performance Scaling Benchmarks ===\n");
	if (point == FIRST_AGGREGATE)
		printf("\n=== Running Aggregate Scaling Benchmarks ===\n");
	if (point == FIRST_NAMED)
		printf("\n=== Running the Detector's Rate, and the Disk ===\n");
}

int suite_run(const struct suite_params *params, unsigned *ret_failed, struct enrg_error *err)
{
	struct collected collected = {json_array(), json_object()};
	int rc = 0;

	*ret_failed = 0;
	runner_catch_interrupts();
	for (size_t i = 0; i < POINTS && !runner_is_interrupted(); i++) {
		double left = (double)(POINTS - i) * (params->duration_s + 5);

		say_part(i);
		printf("  [%zu/%zu, about %.0f s left] Running: clients=%u, payload=%u%s%s...\n", i + 1, POINTS, left,
			points[i].clients, points[i].rows, points[i].name ? ", " : "",
			points[i].name ? points[i].name : "");
		fflush(stdout);
		*ret_failed += run_point(params, &points[i], &collected) < 0;
	}
	print_scaling(collected.series);
	if (json_array_size(collected.series) == 0)
		rc = enrg_error_set(err, -ECANCELED, "no run succeeded: nothing to keep");
	else
		rc = write_results(params, &collected, err);
	json_decref(collected.series);
	json_decref(collected.named);
	if (rc == 0 && runner_is_interrupted())
		rc = enrg_error_set(err, ENRG_E_STOPPED, "stopped; what was measured is kept");
	return rc;
}
