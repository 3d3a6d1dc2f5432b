/* plot.c: `enrgdaq plot`: figures and tables from what was measured: the benchmark's five figures from a results file,
 * its tables for LaTeX, a digitizer's statistics, a tank's muons. A process of its own that runs gnuplot. */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "benchmark/suite.h"
#include "cli/cli.h"
#include "cli/history_select.h"
#include "plot/digitizer_figure.h"
#include "plot/history_figure.h"
#include "plot/latex.h"
#include "plot/suite_figures.h"
#include "plot/tank_figure.h"

#define RESULTS_DEFAULT "results/benchmarks/" SUITE_RESULTS
#define GRAPHS_DEFAULT  "results/graphs"

static const char usage[] =
	"usage: enrgdaq plot [--graphs DIR] [RESULTS.json]\n"
	"       enrgdaq plot latex [RESULTS.json]\n"
	"       enrgdaq plot digitizer [--graphs DIR] STATS.csv\n"
	"       enrgdaq plot tank [--graphs DIR] [--truth TRUTH.arrows] WAVEFORMS.arrows\n"
	"       enrgdaq plot history [--graphs DIR] SERIES… [--last SPAN | --from TIME [--to TIME]] [--points N]\n"
	"                            [--folder DIR|--id ID]\n"
	"\n"
	"Draws the five figures of the benchmark suite from a results file (" RESULTS_DEFAULT ").\n"
	"latex: two tables of it on standard output: by payload of one client, and by clients.\n"
	"digitizer: rate and flux, inter-arrival times, RMS, event size, signal to noise and amplitude from the "
	"statistics of\n"
	"a digitizer, as its stats_store_config.csv writes them.\n"
	"tank: pulses, charges and the lifetime of muons, from waveforms with layout = \"waveforms\".\n"
	"history: up to 12 series of a job DAQJobHistory, a panel each; which, and of which time, as of `enrgdaq "
	"history`.\n"
	"\n"
	"  --graphs DIR        where the figures go, as PNG and PDF, with script and data beside them (" GRAPHS_DEFAULT
	")\n"
	"  --truth FILE        what a simulated digitizer says was in its records: compared\n"
	"  --sample-ns NS      of the waveforms, where the file does not say\n"
	"  --mv-per-count MV   of the waveforms, where the file does not say\n"
	"  --dead-ns NS        dead time of the board behind a record (200)\n"
	"  --threshold-mv MV   of a pulse, a photomultiplier (4)\n"
	"\n"
	"Reads results of `enrgdaq bench suite`, of `enrgdaq bench run --json`, and of ENRGDAQ's Python program.\n"
	"Throughput, latency and CPU efficiency over the payload are drawn from the runs with 3 clients; where the\n"
	"file has none, from all.\n"
	"\n"
	"examples:\n"
	"  enrgdaq plot\n"
	"  enrgdaq plot --graphs /tmp/graphs results/benchmarks/results_2026-11-24T06-48-59.json\n"
	"  enrgdaq plot latex > tables.tex\n"
	"  enrgdaq plot tank --truth out/truth.arrows out/waveforms.arrows\n"
	"  enrgdaq plot history 'hv/data/*' --last 2d\n"
	"\n"
	"Exit code: 0 drawn, 1 no such file, not one of that kind, too little in it, or gnuplot failed, 2 wrong "
	"usage.\n";

struct plot_options {
	const char *graphs;
	struct tank_figure_params tank;
	struct history_select history;
};

enum { OPTION_FROM = 256, OPTION_TO, OPTION_LAST, OPTION_POINTS, OPTION_FOLDER, OPTION_ID };

#define HISTORY_POINTS 500u

/* false: it is none of these. */
static bool take_history_option(int option, struct history_select *history)
{
	switch (option) {
	case OPTION_FROM:
		history->from = optarg;
		return true;
	case OPTION_TO:
		history->to = optarg;
		return true;
	case OPTION_LAST:
		history->last = optarg;
		return true;
	case OPTION_POINTS:
		history->points = optarg;
		return true;
	case OPTION_FOLDER:
		history->folder = optarg;
		return true;
	case OPTION_ID:
		history->supervisor = optarg;
		return true;
	default:
		return false;
	}
}

static int parse_number(const char *text, double *ret_value)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !isfinite(value) || value <= 0)
		return cli_usage_error("plot", "a number above 0 was expected, not \"%s\"", text);
	*ret_value = value;
	return 0;
}

/* 0: go on; else the exit code + 1. */
static int parse_options(int argc, char **argv, struct plot_options *options)
{
	static const struct option known[] = {{"graphs", required_argument, NULL, 'g'},
		{"truth", required_argument, NULL, 't'}, {"sample-ns", required_argument, NULL, 's'},
		{"mv-per-count", required_argument, NULL, 'm'}, {"dead-ns", required_argument, NULL, 'd'},
		{"threshold-mv", required_argument, NULL, 'p'}, {"from", required_argument, NULL, OPTION_FROM},
		{"to", required_argument, NULL, OPTION_TO}, {"last", required_argument, NULL, OPTION_LAST},
		{"points", required_argument, NULL, OPTION_POINTS}, {"folder", required_argument, NULL, OPTION_FOLDER},
		{"id", required_argument, NULL, OPTION_ID}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct tank_figure_params *tank = &options->tank;
	int rc = 0;

	for (int option; rc == 0 && (option = getopt_long(argc, argv, "h", known, NULL)) != -1;) {
		switch (option) {
		case 'g':
			options->graphs = optarg;
			break;
		case 't':
			tank->truth = optarg;
			break;
		case 's':
			rc = parse_number(optarg, &tank->pulses.sample_ns);
			break;
		case 'm':
			rc = parse_number(optarg, &tank->pulses.mv_per_count);
			break;
		case 'd':
			rc = parse_number(optarg, &tank->dead_ns);
			break;
		case 'p':
			rc = parse_number(optarg, &tank->pulses.threshold_mv);
			break;
		case 'h':
			fputs(usage, stdout);
			return 1;
		default:
			if (!take_history_option(option, &options->history))
				return cli_option_error("plot") + 1;
		}
	}
	return rc ? rc + 1 : 0;
}

static bool has_results(const char *path)
{
	if (path || access(RESULTS_DEFAULT, F_OK) == 0)
		return true;
	fputs("enrgdaq plot: no " RESULTS_DEFAULT " here: `enrgdaq bench suite --run` makes it\n", stderr);
	return false;
}

static int draw(const char *what, const char *path, struct plot_options *options)
{
	struct enrg_error err = {0};
	int rc;

	if (!strcmp(what, "digitizer")) {
		rc = digitizer_figure_draw(path, options->graphs, stdout, &err);
	} else if (!strcmp(what, "tank")) {
		options->tank.pulses.path = path;
		options->tank.folder = options->graphs;
		rc = tank_figure_draw(&options->tank, stdout, &err);
	} else if (!has_results(path)) {
		return 1;
	} else {
		path = path ? path : RESULTS_DEFAULT;
		rc = !strcmp(what, "latex") ? latex_write(path, stdout, &err)
					    : suite_figures_draw(path, options->graphs, &err);
	}
	if (rc < 0)
		fprintf(stderr, "enrgdaq plot: %s\n", err.text);
	return rc < 0;
}

static int draw_history(struct plot_options *options, char **names)
{
	struct enrg_history_result *result = NULL;
	struct enrg_error err = {0};
	int rc = history_select_read(&options->history, HISTORY_POINTS, (const char *const *)names, &result);

	if (rc)
		return rc;
	rc = history_figure_draw(result, options->history.source, options->graphs, stdout, &err);
	if (rc < 0)
		fprintf(stderr, "enrgdaq plot: %s\n", err.text);
	enrg_history_result_destroy(result);
	return rc < 0;
}

int cli_plot(int argc, char **argv)
{
	static const char *const kinds[] = {"digitizer", "tank", "latex"};
	struct plot_options options = {.graphs = GRAPHS_DEFAULT,
		.tank = {.pulses = {.threshold_mv = 4}, .from_ns = 150, .until_ns = 12000, .dead_ns = 200}};
	options.history.command = "plot";
	const char *what = "";
	int rc = parse_options(argc, argv, &options);

	if (rc)
		return rc - 1;
	if (optind < argc && !strcmp(argv[optind], "history"))
		return optind + 1 < argc ? draw_history(&options, argv + optind + 1)
					 : cli_usage_error("plot", "history: a SERIES was expected");
	for (size_t i = 0; optind < argc && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(argv[optind], kinds[i]))
			what = kinds[i];
	optind += what[0] != '\0';
	if (argc - optind > 1)
		return cli_usage_error("plot", "one file at a time");
	if (optind == argc && (!strcmp(what, "digitizer") || !strcmp(what, "tank")))
		return cli_usage_error("plot", "%s: a file was expected", what);
	return draw(what, optind < argc ? argv[optind] : NULL, &options);
}
