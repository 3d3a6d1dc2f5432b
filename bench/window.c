/* window.c: is the window that is found by measuring as good as the best that is set by hand? */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "benchmark/pair.h"
#include "benchmark/runner.h"

#define GOAL       0.95
#define ROUNDS_MAX 20u
#define MIB_KB     1024u
#define WHOLE_KB   (1u << 30) /* more than any ring has */

static const char help[] =
	"usage: bench_window [--rounds N] [--duration S] [--short]\n"
	"\n"
	"`enrgdaq bench run` at the points of the suite: with the window that producers find by measuring, and with\n"
	"windows that are set by hand, of all clients together, in turn. Prints the medians of throughput and p99 of\n"
	"each, and the ratio of the found window to the best fixed one (goal: 0.95).\n"
	"\n"
	"  --rounds N     runs of each window (5)\n"
	"  --duration S   seconds that a run measures (1)\n"
	"  --short        three points and four windows\n"
	"\n"
	"Exit code: 0 all points reach the goal, 1 one does not, 2 it could not be measured.\n";

struct point {
	unsigned clients, rows;
};

static const struct point all_points[] = {{1, 500000}, {3, 100000}, {8, 500000}, {3, 1000}, {3, 10000}, {3, 500000},
	{1, 100000}, {1, 10000}, {1, 1000}, {8, 100000}, {8, 10000}, {8, 1000}};
/* The first is the one that is found. The first four are those of --short. */
static const unsigned all_windows_kb[] = {
	0, 4 * MIB_KB, 16 * MIB_KB, WHOLE_KB, 1 * MIB_KB, 2 * MIB_KB, 8 * MIB_KB, 32 * MIB_KB, 64 * MIB_KB};

#define WINDOWS_MAX (sizeof(all_windows_kb) / sizeof(all_windows_kb[0]))
#define POINTS_MAX  (sizeof(all_points) / sizeof(all_points[0]))

struct figures {
	double mb_per_s[ROUNDS_MAX], p99_ms[ROUNDS_MAX];
	unsigned count;
};

struct options {
	unsigned rounds, point_count, window_count;
	double duration_s;
	char program[PATH_MAX];
};

static int run_once(const struct options *options, const struct point *point, unsigned window_kb,
	struct figures *figures, char *ret_regime, size_t regime_bytes)
{
	char clients[16], rows[16], window[16], duration[32];
	char *const arguments[] = {(char *)(uintptr_t)options->program, "bench", "run", "--clients", clients,
		"--payload-size", rows, "--duration", duration, "--window-kb", window, "--use-memory-store", "--json",
		NULL};
	const struct runner_params params = {.arguments = arguments, .timeout_s = options->duration_s + RUNNER_GRACE_S};
	struct runner_output output;

	snprintf(clients, sizeof(clients), "%u", point->clients);
	snprintf(rows, sizeof(rows), "%u", point->rows);
	snprintf(window, sizeof(window), "%u", window_kb);
	snprintf(duration, sizeof(duration), "%g", options->duration_s);
	int rc = runner_run(&params, &output);
	json_t *result = rc == 0 && output.status == 0 ? json_loads(output.text, 0, NULL) : NULL;
	free(output.text);
	if (!result) {
		fprintf(stderr, "%s bench run: failed: %s\n", options->program, output.said);
		return rc < 0 ? rc : -EIO;
	}
	figures->mb_per_s[figures->count] = json_number_value(json_object_get(result, "avg_throughput_mbs"));
	figures->p99_ms[figures->count++] = json_number_value(json_object_get(result, "latency_run_p99_ms"));
	const char *regime = json_string_value(json_object_get(result, "regime"));
	if (*ret_regime == '\0')
		snprintf(ret_regime, regime_bytes, "%s", regime ? regime : "?");
	else if (!regime || strcmp(ret_regime, regime) != 0)
		snprintf(ret_regime, regime_bytes, "mixed");
	json_decref(result);
	return 0;
}

static void print_window(unsigned window_kb, double mb_per_s, double p99_ms)
{
	if (window_kb == 0)
		printf("  found        ");
	else if (window_kb == WHOLE_KB)
		printf("  whole ring   ");
	else
		printf("  %2u MiB       ", window_kb / MIB_KB);
	printf("%8.0f MB/s  p99 %7.2f ms\n", mb_per_s, p99_ms);
}

/* 0: the goal is met; 1: it is not; negative: could not be measured. */
static int measure_point(const struct options *options, const struct point *point)
{
	struct figures figures[WINDOWS_MAX] = {0};
	char regime[24] = "";
	double found = 0, best = 0;
	unsigned best_kb = 0;

	for (unsigned round = 0; round < options->rounds; round++)
		for (unsigned i = 0; i < options->window_count; i++) {
			int rc = run_once(options, point, all_windows_kb[i], &figures[i], regime, sizeof(regime));
			if (rc < 0)
				return rc;
		}
	printf("%u x %u rows [%s]\n", point->clients, point->rows, regime);
	for (unsigned i = 0; i < options->window_count; i++) {
		double mb_per_s = pair_median(figures[i].mb_per_s, figures[i].count);
		print_window(all_windows_kb[i], mb_per_s, pair_median(figures[i].p99_ms, figures[i].count));
		if (i == 0)
			found = mb_per_s;
		else if (mb_per_s > best) {
			best = mb_per_s;
			best_kb = all_windows_kb[i];
		}
	}
	bool is_met = found >= GOAL * best;
	printf("  %.2f of the best fixed window (%u MiB), goal %.2f: %s\n", found / best, best_kb / MIB_KB, GOAL,
		is_met ? "met" : "MISSED");
	fflush(stdout);
	return !is_met;
}

static void parse(int argc, char **argv, struct options *options)
{
	static const struct option long_options[] = {{"rounds", required_argument, NULL, 'r'},
		{"duration", required_argument, NULL, 'd'}, {"short", no_argument, NULL, 's'},
		{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	int choice;

	while ((choice = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (choice == 'h') {
			fputs(help, stdout);
			exit(0);
		}
		if (choice == 'r')
			options->rounds = (unsigned)strtoul(optarg, NULL, 10);
		else if (choice == 'd')
			options->duration_s = strtod(optarg, NULL);
		else if (choice == 's') {
			options->point_count = 3;
			options->window_count = 4;
		} else
			exit(2);
	}
	if (options->rounds < 1 || options->rounds > ROUNDS_MAX || !(options->duration_s > 0)) {
		fprintf(stderr, "--rounds: 1 to %u; --duration: more than 0\n", ROUNDS_MAX);
		exit(2);
	}
}

/* The program of the same build: one folder above this one. */
static int find_program(struct options *options)
{
	char own[PATH_MAX];
	ssize_t count = readlink("/proc/self/exe", own, sizeof(own) - 1);

	if (count < 0)
		return -errno;
	own[count] = '\0';
	int bytes = snprintf(options->program, sizeof(options->program), "%s/enrgdaq", dirname(dirname(own)));
	return bytes < (int)sizeof(options->program) ? 0 : -ENAMETOOLONG;
}

int main(int argc, char **argv)
{
	struct options options = {.rounds = 5, .point_count = POINTS_MAX, .window_count = WINDOWS_MAX, .duration_s = 1};
	int code = 0;

	parse(argc, argv, &options);
	if (find_program(&options) < 0)
		return 2;
	runner_catch_interrupts();
	for (unsigned i = 0; i < options.point_count; i++) {
		int rc = measure_point(&options, &all_points[i]);
		if (rc < 0)
			return 2;
		code |= rc;
	}
	return code;
}
