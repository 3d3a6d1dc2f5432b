/* bench.c: `enrgdaq bench run | suite | limits | compare`: the benchmark and visualization suite. */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "benchmark/beside.h"
#include "benchmark/python.h"
#include "benchmark/rival.h"
#include "benchmark/run.h"
#include "benchmark/suite.h"
#include "benchmark/work.h"
#include "cli/cli.h"
#include "plot/suite_figures.h"

#define ROWS_MAX    4294967295.0
#define SECONDS_MAX 1e8

static const char help[] =
	"usage: enrgdaq bench run [OPTIONS]      one benchmark of the real system\n"
	"       enrgdaq bench suite [OPTIONS]    the founding document's runs and its five figures\n"
	"       enrgdaq bench limits [OPTIONS]   what this machine can do without ENRGDAQ\n"
	"       enrgdaq bench compare [OPTIONS]  ENRGDAQ beside ZeroMQ, UNIX sockets, iceoryx2, its Python ancestor\n"
	"\n"
	"Every benchmark starts a supervisor, job processes and a store, as `enrgdaq run` does. The store reads every "
	"byte and\n"
	"checks CRC and sequence before it counts a batch. `enrgdaq bench run --help` and so on tell the options.\n";

static const char run_help[] =
	"usage: enrgdaq bench run [OPTIONS]\n"
	"\n"
	"  --clients N          producing jobs (5)\n"
	"  --payload-size N     rows a message, two float64 columns: 16 bytes a row (1000)\n"
	"  --duration S         seconds measured, after a warm-up (60)\n"
	"  --stats-interval S   seconds between two lines of statistics (1)\n"
	"  --rate-hz R          messages a second of each client; 0 = as fast as it can (0)\n"
	"  --window-kb N        batches in flight of all clients together; 0 = found by measuring (0)\n"
	"  --no-void-data       the memory store keeps the newest table instead of nothing\n"
	"  --use-shm, --no-shm  batches through shared memory (default) or through ZeroMQ\n"
	"  --use-memory-store   store in memory; else in files, below a temporary folder\n"
	"  --store NAME         memory, arrow or root (root where that store is there, else arrow)\n"
	"  --json               one JSON object on stdout, nothing else\n"
	"\n"
	"Latency is from commit by the producer to consumed by the store. The clock starts with the first data.\n"
	"Exit code 0: every batch arrived once and whole; 1: not; 2: wrong options or no start.\n";

static const char suite_help[] =
	"usage: enrgdaq bench suite --run | --plot | --all [OPTIONS]\n"
	"\n"
	"  --run            run the benchmarks: 1000 to 500000 rows with 3 clients, then 1, 2, 4, 8 clients with "
	"500000 rows,\n"
	"                   then the detector's own rate (4 MB/s at 100 Hz), and one client to the disk\n"
	"  --plot           draw the five figures from the latest results\n"
	"  --all            both\n"
	"  --duration S     seconds of each run (10)\n"
	"  --results DIR    where latest_results.json and latest_detector.json lie (results/benchmarks)\n"
	"  --graphs DIR     where the figures go, as PNG and PDF, with script and data beside them (results/graphs)\n";

/* Below the ratio of many clients to the best. */
static const char ratio_help[] =
	"The aggregate's ratio can be held against its goal only where all runs with 500000 rows have the same regime\n"
	"(the word in brackets), take some ten seconds each, and nothing else ran on the machine: docs/benchmark.md.\n";

static const char limits_help[] = "usage: enrgdaq bench limits [--json] [--folder DIR]\n"
				  "\n"
				  "Cache-line round trip, memcpy, bare pair (two processes hand over two buffers, copy "
				  "in and full read, nothing else),\n"
				  "wake-up of an idle core, CRC, the benchmark's own data made and checked alone "
				  "(500000 rows), and the disk of DIR\n"
				  "(the current folder). About four seconds.\n";

static const char compare_help[] =
	"usage: enrgdaq bench compare [OPTIONS]\n"
	"\n"
	"ENRGDAQ's link beside ZeroMQ (ipc://), a bare UNIX socket and, where it was built in, iceoryx2; then the "
	"suite's points:\n"
	"the whole system beside the others with as many producers. All write every byte, read it and compare its "
	"CRC-32C, and\n"
	"none may lose a message or bring it twice. About three minutes; the machine should do nothing else.\n"
	"\n"
	"  --duration S   seconds of each measurement (1)\n"
	"  --links        the links alone: messages of 64 bytes to 8 MB, then two at 100 Hz (under one minute)\n"
	"  --clients N, --payload-size N   one point alone: producers (3) and rows a message, 16 bytes each (500000)\n"
	"  --python DIR   a checkout of the Python ENRGDAQ: its own benchmark runs at each point too (some 15 s each)\n"
	"  --interpreter PYTHON   that has its packages (.venv/bin/python of the checkout, else python3)\n"
	"  --json         one JSON list on stdout, nothing else\n"
	"\n"
	"Read a row so: GB/s of payload; messages a second; latency from before the copy until checked; CPU of all "
	"processes\n"
	"(100 = one core); whether the two cores shared a cache at that time. Rows of different regimes are not to be "
	"compared.\n"
	"\n"
	"  enrgdaq bench compare --links --duration 3\n"
	"  enrgdaq bench compare --clients 1 --payload-size 100000 --python ~/enrgdaq\n"
	"\n"
	"Exit code: 0 measured, 1 ENRGDAQ's own link failed or Ctrl-C, 2 wrong options or a Python ENRGDAQ that can't "
	"run.\n";

static int fail(const char *text)
{
	fprintf(stderr, "enrgdaq bench: %s\n", text);
	return 2;
}

/* A number from `min` to `max`, or the end of the program with exit code 2. */
static double number_of(const char *option, double min, double max)
{
	char *end = NULL;
	double value = strtod(optarg, &end);

	if (end == optarg || *end || !(value >= min && value <= max)) {
		fprintf(stderr, "enrgdaq bench: --%s: expected a number from %.10g to %.10g, found \"%s\"\n", option,
			min, max, optarg);
		exit(2);
	}
	return value;
}

/* As in the help, or the end of the program with exit code 2. */
static const char *store_of(const char *name)
{
	static const char *const names[] = {"memory", "arrow", "root"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return names[i];
	fprintf(stderr, "enrgdaq bench: --store: expected memory, arrow or root, found \"%s\"\n", name);
	exit(2);
}

/* --- run
 * -------------------------------------------------------------------------------------------------------------- */

static void print_interval(void *context, const struct bench_interval *interval)
{
	(void)context;
	printf("[%6.1f s] %10.2f MB/s %12.1f msg/s  queue %7.1f  CPU %5.0f%%  p95 %8.4f ms  p99 %8.4f ms\n",
		interval->at_s, interval->mb_per_s, interval->messages_per_s, interval->queue_batches,
		interval->cpu_percent, interval->p95_ms, interval->p99_ms);
	fflush(stdout);
}

static int parse_run(int argc, char **argv, struct bench_params *params, bool *ret_is_json)
{
	enum { CLIENTS = 1, PAYLOAD, DURATION, INTERVAL, RATE, WINDOW, KEEP, SHM, NO_SHM, MEMORY, STORE, JSON, HELP };
	static const struct option options[] = {
		{"clients", required_argument, NULL, CLIENTS},
		{"payload-size", required_argument, NULL, PAYLOAD},
		{"duration", required_argument, NULL, DURATION},
		{"stats-interval", required_argument, NULL, INTERVAL},
		{"rate-hz", required_argument, NULL, RATE},
		{"window-kb", required_argument, NULL, WINDOW},
		{"no-void-data", no_argument, NULL, KEEP},
		{"use-shm", no_argument, NULL, SHM},
		{"no-shm", no_argument, NULL, NO_SHM},
		{"use-memory-store", no_argument, NULL, MEMORY},
		{"store", required_argument, NULL, STORE},
		{"json", no_argument, NULL, JSON},
		{"help", no_argument, NULL, HELP},
		{NULL, 0, NULL, 0},
	};

	for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
		switch (option) {
		case CLIENTS:
			params->clients = (uint32_t)number_of("clients", 1, 200);
			break;
		case PAYLOAD:
			params->payload_rows = (uint64_t)number_of("payload-size", 1, ROWS_MAX);
			break;
		case DURATION:
			params->duration_s = number_of("duration", 0.1, SECONDS_MAX);
			break;
		case INTERVAL:
			params->interval_s = number_of("stats-interval", 0.01, SECONDS_MAX);
			break;
		case RATE:
			params->rate_hz = number_of("rate-hz", 0, 1e6);
			break;
		case WINDOW:
			params->window_kb = (uint64_t)number_of("window-kb", 0, 1u << 30);
			break;
		case KEEP:
			params->void_data = false;
			break;
		case SHM:
			params->use_shm = true;
			break;
		case NO_SHM:
			params->use_shm = false;
			break;
		case MEMORY:
			params->store = "memory";
			break;
		case STORE:
			params->store = store_of(optarg);
			break;
		case JSON:
			*ret_is_json = true;
			break;
		case HELP:
		case 'h':
			fputs(run_help, stdout);
			exit(0);
		default:
			return cli_option_error("bench run");
		}
	}
	return optind < argc ? fail("run takes options only") : 0;
}

static int print_json(json_t *object)
{
	if (!object || json_dumpf(object, stdout, JSON_INDENT(2)) < 0)
		return fail("no memory for the result");
	putchar('\n');
	json_decref(object);
	return 0;
}

static int run(int argc, char **argv)
{
	char out_dir[] = "/var/tmp/enrgdaq-bench-XXXXXX";
	struct bench_params params = {.clients = 5,
		.payload_rows = 1000,
		.duration_s = 60,
		.interval_s = 1,
		.void_data = true,
		.use_shm = true,
		.out_dir = out_dir};
	struct bench_result result;
	struct enrg_error err = {0};
	bool is_json = false, has_files;
	int rc = parse_run(argc, argv, &params, &is_json);

	if (rc)
		return rc;
	has_files = !params.store || strcmp(params.store, "memory") != 0;
	if (has_files && !mkdtemp(out_dir))
		return fail("can't make a folder in /var/tmp");
	if (!is_json)
		params.on_interval = print_interval;
	rc = bench_run(&params, &result, &err);
	if (has_files)
		bench_remove_tree(out_dir);
	if (rc < 0) {
		fprintf(stderr, "enrgdaq bench run: %s\n", err.text);
		return 2;
	}
	if (!is_json)
		bench_result_print(&result, stdout);
	else if (print_json(bench_result_format(&result)))
		return 2;
	return result.lost || result.duplicated || result.corrupted || !result.is_accounted;
}

/* --- suite
 * ------------------------------------------------------------------------------------------------------------ */

struct suite_options {
	bool run, plot;
	double duration_s;
	const char *results, *graphs;
};

static int parse_suite(int argc, char **argv, struct suite_options *ret)
{
	enum { RUN = 1, PLOT, ALL, DURATION, RESULTS, GRAPHS, HELP };
	static const struct option options[] = {
		{"run", no_argument, NULL, RUN},
		{"plot", no_argument, NULL, PLOT},
		{"all", no_argument, NULL, ALL},
		{"duration", required_argument, NULL, DURATION},
		{"results", required_argument, NULL, RESULTS},
		{"graphs", required_argument, NULL, GRAPHS},
		{"help", no_argument, NULL, HELP},
		{NULL, 0, NULL, 0},
	};

	for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
		switch (option) {
		case RUN:
			ret->run = true;
			break;
		case PLOT:
			ret->plot = true;
			break;
		case ALL:
			ret->run = ret->plot = true;
			break;
		case DURATION:
			ret->duration_s = number_of("duration", 0.1, SECONDS_MAX);
			break;
		case RESULTS:
			ret->results = optarg;
			break;
		case GRAPHS:
			ret->graphs = optarg;
			break;
		case HELP:
		case 'h':
			fputs(suite_help, stdout);
			exit(0);
		default:
			return cli_option_error("bench suite");
		}
	}
	if (optind < argc)
		return fail("suite takes options only");
	if (!ret->run && !ret->plot)
		return cli_usage_error("bench suite", "expected --run, --plot or --all");
	return 0;
}

static int draw(const struct suite_options *options)
{
	char path[4096];
	struct enrg_error err = {0};

	snprintf(path, sizeof(path), "%s/%s", options->results, SUITE_RESULTS);
	if (access(path, R_OK) < 0) {
		fprintf(stderr, "Error: %s not found. Run with --run first.\n", path);
		return 1;
	}
	printf("\n=== Generating Advanced Visuals ===\n");
	if (suite_figures_draw(path, options->graphs, &err) < 0) {
		fprintf(stderr, "enrgdaq bench suite: %s\n", err.text);
		return 1;
	}
	printf("Success! High-resolution graphs saved to: %s/\n", options->graphs);
	return 0;
}

static int suite(int argc, char **argv)
{
	struct suite_options options = {.duration_s = 10, .results = "results/benchmarks", .graphs = "results/graphs"};
	struct enrg_error err = {0};
	char program[4096] = {0};
	unsigned failed = 0;
	int rc = parse_suite(argc, argv, &options);

	if (rc)
		return rc;
	if (options.run) {
		if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0)
			return fail("can't find this program");
		rc = suite_run(&(struct suite_params){program, options.duration_s, options.results}, &failed, &err);
		if (rc < 0) {
			fprintf(stderr, "enrgdaq bench suite: %s\n", err.text);
			return 1;
		}
		fputs(ratio_help, stdout);
		if (failed)
			printf("%u run%s failed and %s left out\n", failed, failed == 1 ? "" : "s",
				failed == 1 ? "is" : "are");
	}
	return options.plot ? draw(&options) : 0;
}

/* --- limits
 * ----------------------------------------------------------------------------------------------------------- */

static int limits(int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'},
		{"folder", required_argument, NULL, 'f'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct limits measured = {0};
	struct enrg_error err = {0};
	const char *folder = ".";
	bool is_json = false;

	for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
		switch (option) {
		case 'j':
			is_json = true;
			break;
		case 'f':
			folder = optarg;
			break;
		case 'h':
			fputs(limits_help, stdout);
			return 0;
		default:
			return cli_option_error("bench limits");
		}
	}
	int rc = work_measure_generation(500000, &measured.generation_gb_per_s, &err);
	if (rc == 0)
		rc = work_measure_checking(500000, &measured.checking_gb_per_s, &err);
	if (rc == 0)
		rc = limits_measure(folder, &measured, &err);
	if (rc < 0) {
		fprintf(stderr, "enrgdaq bench limits: %s\n", err.text);
		return 1;
	}
	if (is_json)
		return print_json(limits_format(&measured));
	limits_print(&measured);
	return 0;
}

/* --- compare
 * ---------------------------------------------------------------------------------------------------------- */

struct compare_options {
	struct beside_params params;
	const char *checkout, *interpreter; /* NULL = not given */
};

static int check_compare(const struct compare_options *options)
{
	const struct beside_params *params = &options->params;

	if (!params->has_points && params->clients)
		return cli_usage_error(
			"bench compare", "--links measures no point: leave --clients and --payload-size out");
	if (!params->has_points && options->checkout)
		return cli_usage_error("bench compare", "--python is measured at points: leave --links out");
	if (options->interpreter && !options->checkout)
		return cli_usage_error("bench compare", "--interpreter: --python DIR says what it shall run");
	return 0;
}

static int parse_compare(int argc, char **argv, struct compare_options *ret)
{
	enum { DURATION = 1, LINKS, CLIENTS, PAYLOAD, PYTHON, INTERPRETER, JSON };
	static const struct option options[] = {{"duration", required_argument, NULL, DURATION},
		{"links", no_argument, NULL, LINKS}, {"clients", required_argument, NULL, CLIENTS},
		{"payload-size", required_argument, NULL, PAYLOAD}, {"python", required_argument, NULL, PYTHON},
		{"interpreter", required_argument, NULL, INTERPRETER}, {"json", no_argument, NULL, JSON},
		{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct beside_params *params = &ret->params;

	for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
		switch (option) {
		case DURATION:
			params->duration_s = number_of("duration", 0.1, SECONDS_MAX);
			break;
		case LINKS:
			params->has_points = false;
			break;
		case CLIENTS:
			params->clients = (unsigned)number_of("clients", 1, RIVAL_PRODUCERS_MAX);
			break;
		case PAYLOAD:
			params->rows = (unsigned)number_of("payload-size", 1, ROWS_MAX);
			break;
		case PYTHON:
			ret->checkout = optarg;
			break;
		case INTERPRETER:
			ret->interpreter = optarg;
			break;
		case JSON:
			params->is_quiet = true;
			break;
		case 'h':
			fputs(compare_help, stdout);
			exit(0);
		default:
			return cli_option_error("bench compare");
		}
	}
	if (params->clients || params->rows) {
		params->has_links = false;
		params->clients = params->clients ? params->clients : 3;
		params->rows = params->rows ? params->rows : 500000;
	}
	return optind < argc ? fail("compare takes options only") : check_compare(ret);
}

static int compare(int argc, char **argv)
{
	static struct python python;
	char program[4096] = {0};
	struct compare_options options = {
		.params = {.program = program, .duration_s = 1, .has_links = true, .has_points = true}};
	struct enrg_error err = {0};
	json_t *rows = NULL;
	int rc = parse_compare(argc, argv, &options);

	if (rc)
		return rc;
	if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0)
		return fail("can't find this program");
	if (options.checkout && python_find(options.checkout, options.interpreter, &python, &err) < 0)
		return fail(err.text);
	options.params.python = options.checkout ? &python : NULL;
	rc = beside_run(&options.params, &rows, &err);
	if (rc < 0)
		fprintf(stderr, "enrgdaq bench compare: %s\n", err.text);
	if (options.params.is_quiet)
		return print_json(rows) || rc < 0;
	json_decref(rows);
	return rc < 0;
}

int cli_bench(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} commands[] = {{"run", run}, {"suite", suite}, {"limits", limits}, {"compare", compare}};
	char name[64];

	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		fputs(help, argc < 2 ? stderr : stdout);
		return argc < 2 ? 2 : 0;
	}
	signal(SIGPIPE, SIG_IGN); /* `| head` may end: the runs go on, and end in order */
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(argv[1], commands[i].name) == 0) {
			snprintf(name, sizeof(name), "enrgdaq bench %s", commands[i].name);
			argv[1] = name;
			return commands[i].run(argc - 1, argv + 1);
		}
	fprintf(stderr, "enrgdaq bench: no benchmark called \"%s\"\n\n%s", argv[1], help);
	return 2;
}
