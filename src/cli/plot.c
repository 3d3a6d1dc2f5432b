/* plot.c: `enrgdaq plot [RESULTS.json]`: the five figures from a results file. A process of its own that runs gnuplot.
 */
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "benchmark/suite.h"
#include "cli/cli.h"
#include "plot/suite_figures.h"

#define RESULTS_DEFAULT "results/benchmarks/" SUITE_RESULTS
#define GRAPHS_DEFAULT  "results/graphs"

static const char usage[] =
	"usage: enrgdaq plot [--graphs DIR] [RESULTS.json]\n"
	"\n"
	"Draws the five figures of the benchmark suite from a results file (" RESULTS_DEFAULT ").\n"
	"\n"
	"  --graphs DIR   where the figures go, as PNG and PDF, with script and data beside them (" GRAPHS_DEFAULT ")\n"
	"\n"
	"Reads files of `enrgdaq bench suite`, of `enrgdaq bench run --json`, and of ENRGDAQ's Python program.\n"
	"Throughput, latency and CPU efficiency over the payload are drawn from the runs with 3 clients; where the\n"
	"file has none, from all.\n"
	"\n"
	"examples:\n"
	"  enrgdaq plot\n"
	"  enrgdaq plot --graphs /tmp/graphs results/benchmarks/results_2026-11-24T06-48-59.json\n"
	"\n"
	"Exit code: 0 drawn, 1 no such file, not a results file, or gnuplot failed, 2 wrong usage.\n";

int cli_plot(int argc, char **argv)
{
	static const struct option options[] = {
		{"graphs", required_argument, NULL, 'g'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	const char *graphs = GRAPHS_DEFAULT;
	struct enrg_error err = {0};

	for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
		switch (option) {
		case 'g':
			graphs = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			return cli_option_error("plot");
		}
	}
	if (argc - optind > 1)
		return cli_usage_error("plot", "one results file at a time");
	if (optind == argc && access(RESULTS_DEFAULT, F_OK) < 0) {
		fputs("enrgdaq plot: no " RESULTS_DEFAULT " here: `enrgdaq bench suite --run` makes it\n", stderr);
		return 1;
	}
	if (suite_figures_draw(optind < argc ? argv[optind] : RESULTS_DEFAULT, graphs, &err) < 0) {
		fprintf(stderr, "enrgdaq plot: %s\n", err.text);
		return 1;
	}
	return 0;
}
