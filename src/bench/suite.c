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

static const struct point {
	unsigned clients, rows;
} points[] = {
	{3, 1000}, {3, 10000}, {3, 50000}, {3, 100000}, {3, 500000},
	{1, 500000}, {2, 500000}, {4, 500000}, {8, 500000},
};
#define POINTS (sizeof(points) / sizeof(points[0]))

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
		"--duration", duration, "--use-memory-store", "--use-shm", "--stats-interval", "1.0", "--json", NULL};
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

static int run_point(const struct suite_params *params, const struct point *point, json_t *results)
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
	json_array_append_new(results, result);
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

static int write_results(const struct suite_params *params, const json_t *results, struct enrg_error *err)
{
	char latest[4096], dated[4096], date[64];
	char *text = json_dumps(results, JSON_INDENT(2));
	int code = text ? path_make_folders(params->results_dir, 0755, err) : -ENOMEM;

	clock_format_utc(clock_wall_ns(), date, sizeof(date));
	date[19] = 0; /* without fractions */
	for (char *at = date; *at; at++)
		*at = *at == ':' ? '-' : *at;
	snprintf(latest, sizeof(latest), "%s/%s", params->results_dir, SUITE_RESULTS);
	snprintf(dated, sizeof(dated), "%s/results_%s.json", params->results_dir, date);
	if (code == 0)
		code = path_write_file(latest, text, strlen(text), 0, err);
	if (code == 0)
		code = path_write_file(dated, text, strlen(text), 0, err);
	if (code == 0)
		printf("Results: %s\n", latest);
	free(text);
	return code;
}

int suite_run(const struct suite_params *params, unsigned *ret_failed, struct enrg_error *err)
{
	json_t *results = json_array();
	int code = 0;

	*ret_failed = 0;
	signal(SIGINT, interrupt);
	signal(SIGTERM, interrupt);
	for (size_t i = 0; i < POINTS && !is_interrupted; i++) {
		if (i == 0)
			printf("\n=== Running Performance Scaling Benchmarks ===\n");
		if (i == 5)
			printf("\n=== Running Aggregate Scaling Benchmarks ===\n");
		double left = (double)(POINTS - i) * (params->duration_s + 5);
		printf("  [%zu/%zu, about %.0f s left] Running: clients=%u, payload=%u...\n", i + 1, POINTS, left,
			points[i].clients, points[i].rows);
		fflush(stdout);
		*ret_failed += run_point(params, &points[i], results) < 0;
	}
	print_scaling(results);
	if (json_array_size(results) == 0)
		code = enrg_error_set(err, -ECANCELED, "no run succeeded: nothing to keep");
	else
		code = write_results(params, results, err);
	json_decref(results);
	if (code == 0 && is_interrupted)
		code = enrg_error_set(err, ENRG_E_STOPPED, "stopped; what was measured is kept");
	return code;
}
