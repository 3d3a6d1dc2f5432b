/* suite.c: runs one benchmark after another as child processes and collects their results. */
#include "bench/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"

/* A run may outlive its duration by this much: start, warm-up, limits, drain. */
#define GRACE_S 30.0
#define OUTPUT_MAX (1u << 20)

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

static volatile sig_atomic_t is_interrupted;

static void interrupt(int signal)
{
	(void)signal;
	is_interrupted = 1;
}

struct runner {
	pid_t pid;
	int out, log; /* its stdout, and a temporary file with its stderr */
	char *text;
	size_t count;
};

static int runner_start(struct runner *runner, const struct suite_params *params, const struct point *point)
{
	char clients[16], rows[16], duration[32];
	int pipe_of[2];

	snprintf(clients, sizeof(clients), "%u", point->clients);
	snprintf(rows, sizeof(rows), "%u", point->rows);
	snprintf(duration, sizeof(duration), "%.17g", params->duration_s);
	char *arguments[] = {(char *)(uintptr_t)params->program, "bench", "run", "--clients", clients, "--payload-size", rows,
		"--duration", duration, "--store", (char *)(uintptr_t)point->store, "--rate-hz",
		(char *)(uintptr_t)point->rate_hz, "--use-shm", "--stats-interval", "1.0", "--json", NULL};
	FILE *log = tmpfile();
	runner->log = log ? fcntl(fileno(log), F_DUPFD_CLOEXEC, 0) : -1;
	if (log)
		fclose(log);
	if (runner->log < 0 || pipe2(pipe_of, O_CLOEXEC) < 0)
		return -errno;
	runner->pid = fork();
	if (runner->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		dup2(pipe_of[1], STDOUT_FILENO);
		dup2(runner->log, STDERR_FILENO);
		execv(params->program, arguments);
		_exit(127);
	}
	close(pipe_of[1]);
	runner->out = pipe_of[0];
	return runner->pid < 0 ? -errno : 0;
}

/* Reads until the end of its output; kills it at the time limit. -ETIMEDOUT, ENRG_E_STOPPED. */
static int runner_read(struct runner *runner, uint64_t until_ns)
{
	struct pollfd poll_of = {.fd = runner->out, .events = POLLIN};
	int result = 0;

	runner->text = malloc(OUTPUT_MAX);
	for (;;) {
		uint64_t now = clock_mono_ns();
		if (now >= until_ns || is_interrupted) {
			kill(runner->pid, is_interrupted ? SIGTERM : SIGKILL);
			result = is_interrupted ? ENRG_E_STOPPED : -ETIMEDOUT;
			break;
		}
		if (poll(&poll_of, 1, 200) <= 0)
			continue;
		ssize_t got = read(runner->out, runner->text + runner->count, OUTPUT_MAX - 1 - runner->count);
		if (got <= 0)
			break;
		runner->count += (size_t)got;
	}
	runner->text[runner->count] = 0;
	return result;
}

static void print_log(const struct runner *runner)
{
	char text[2048];
	ssize_t got = pread(runner->log, text, sizeof(text) - 1, 0);

	if (got > 0) {
		text[got] = 0;
		printf("    %s\n", text);
	}
}

static int runner_finish(struct runner *runner, int result, json_t **ret_result)
{
	int code = 0;

	close(runner->out);
	waitpid(runner->pid, &code, 0);
	*ret_result = result == 0 && code == 0 ? json_loads(runner->text, 0, NULL) : NULL;
	if (result == 0 && !*ret_result) {
		printf("    failed (%s %d):\n", WIFEXITED(code) ? "exit code" : "signal",
			WIFEXITED(code) ? WEXITSTATUS(code) : WTERMSIG(code));
		print_log(runner);
		result = -ECHILD;
	}
	close(runner->log);
	free(runner->text);
	return result;
}

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

static int run_point(
	const struct suite_params *params, const struct point *point, const struct collected *collected)
{
	struct runner runner = {0};
	json_t *result = NULL;
	int code = runner_start(&runner, params, point);

	if (code < 0) {
		printf("    failed: %s\n", enrg_error_name(code));
		return code;
	}
	code = runner_read(&runner, clock_mono_ns() + (uint64_t)((params->duration_s + GRACE_S) * 1e9));
	code = runner_finish(&runner, code, &result);
	if (code == -ETIMEDOUT)
		printf("    failed: not done %.0f s after its time; killed\n", GRACE_S);
	if (!result)
		return code;
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

	json_array_foreach(results, index, r) {
		double rate = json_number_value(json_object_get(r, "avg_throughput_mbs"));
		if (json_integer_value(json_object_get(r, "payload_size")) != 500000)
			continue;
		best = rate > best ? rate : best;
		worst = worst == 0 || rate < worst ? rate : worst;
	}
	if (best > 0)
		printf("\nAggregate at 500000 rows: lowest %.0f, highest %.0f MB/s: ratio %.2f (goal 0.90 within one regime)\n",
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
static int write_both(const char *folder, const char *kind, const char *date, const json_t *what, struct enrg_error *err)
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

static int write_results(
	const struct suite_params *params, const struct collected *collected, struct enrg_error *err)
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
	signal(SIGINT, interrupt);
	signal(SIGTERM, interrupt);
	for (size_t i = 0; i < POINTS && !is_interrupted; i++) {
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
	if (rc == 0 && is_interrupted)
		rc = enrg_error_set(err, ENRG_E_STOPPED, "stopped; what was measured is kept");
	return rc;
}
