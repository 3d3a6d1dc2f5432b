/* run.c: `enrgdaq run [CONFIG_DIR] [--duration S]`: becomes the supervisor. */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "supervisor/demo.h"
#include "supervisor/supervisor.h"

static const char usage[] =
	"usage: enrgdaq run [CONFIG_DIR] [--duration SECONDS]\n"
	"\n"
	"Runs the jobs of a configuration folder until Ctrl-C (or `enrgdaq stop`): sources stop first, stores store "
	"what is\n"
	"left, and a line for each source and store says where every batch is. A second Ctrl-C is a fast stop: what is not "
	"stored\n"
	"stays in shared memory for the next start. Without CONFIG_DIR the built-in demo runs and writes to ./out.\n"
	"\n"
	"  --duration SECONDS   end in order after so long, counted from the first source that is ready\n"
	"\n"
	"Exit code: 0 every batch is stored, 1 something is missing, stays behind, could not be started, or a job had "
	"failed and\n"
	"was not well at the end, 2 configuration.\n"
	"\n"
	"examples:\n"
	"  enrgdaq run --duration 10         the demo, ten seconds\n"
	"  enrgdaq run configs/examples      a folder\n";

static int parse_duration(const char *text, uint64_t *ret_ns)
{
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end || !isfinite(seconds) || seconds <= 0 || seconds > 1e9)
		return -1;
	*ret_ns = (uint64_t)(seconds * 1e9);
	return 0;
}

int cli_run(int argc, char **argv)
{
	static const struct option options[] = {
		{"duration", required_argument, NULL, 'd'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct supervisor_params params = {.names = demo_names, .texts = demo_texts, .text_count = demo_count};
	int choice;

	optind = 1;
	while ((choice = getopt_long(argc, argv, "d:h", options, NULL)) != -1) {
		switch (choice) {
		case 'd':
			if (parse_duration(optarg, &params.duration_ns))
				return cli_usage_error(
					"run", "--duration: a number of seconds was expected, not \"%s\"", optarg);
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			return cli_usage_error("run", "see the line above");
		}
	}
	if (argc - optind > 1)
		return cli_usage_error("run", "one folder was expected, not %d", argc - optind);
	params.config_path = argv[optind];
	if (!params.config_path)
		fputs("no CONFIG_DIR given: running the built-in demo (configs/demo), files go to ./out\n", stderr);
	return supervisor_run(&params);
}
