/* run.c: `enrgdaq run [CONFIG_DIR] [--duration S]`: becomes the supervisor. */
#include <getopt.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "config/folder.h"
#include "supervisor/demo.h"
#include "supervisor/supervisor.h"

static const char usage[] =
	"usage: enrgdaq run [CONFIG_DIR] [--duration SECONDS] [--log-format text|json]\n"
	"       enrgdaq run --demo [--duration SECONDS]\n"
	"\n"
	"Runs the jobs of a configuration folder until Ctrl-C (or `enrgdaq stop`): sources stop first, stores store "
	"what is\n"
	"left, and a line for each source and store says where every batch is. A second Ctrl-C is a fast stop: what is "
	"not "
	"stored\n"
	"stays in shared memory for the next start. Without CONFIG_DIR the built-in demo runs and writes "
	"to\n"
	"./enrgdaq-demo-out, unless a configuration lies here.\n"
	"\n"
	"  --duration SECONDS   end in order after so long, counted from the first source that is ready\n"
	"  --demo               the built-in demo, whatever lies here\n"
	"  --daq-job-config-path DIR, --supervisor-config FILE\n"
	"                       the names of earlier versions: the folder, and another file than its supervisor.toml\n"
	"  --log-format FORMAT  text (default), or json: an object a line with time, level, process, job, message\n"
	"\n"
	"Exit code: 0 every batch is stored, 1 something is missing, stays behind, could not be started, or a job had "
	"failed and\n"
	"had not recovered at the end, 2 configuration.\n"
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

/* What was meant by a start without a folder? One that lies here is not overlooked. */
static int refuse_demo(void)
{
	glob_t found = {0};
	int rc = 0;

	if (access("supervisor.toml", F_OK) == 0) {
		fputs("enrgdaq: this folder holds a supervisor.toml: `enrgdaq run .` runs it, `enrgdaq run --demo` the "
		      "built-in demo\n",
			stderr);
		return 2;
	}
	if (glob("*/supervisor.toml", 0, NULL, &found) == 0) {
		*strrchr(found.gl_pathv[0], '/') = '\0';
		fprintf(stderr, "enrgdaq: there %s: `enrgdaq run %s` runs %s, `enrgdaq run --demo` the built-in demo\n",
			found.gl_pathc > 1 ? "are folders with a supervisor.toml"
					   : "is a folder with a supervisor.toml",
			found.gl_pathv[0], found.gl_pathc > 1 ? "the first" : "it");
		rc = 2;
	}
	globfree(&found);
	return rc;
}

/* "a/b.toml" is in "a". The text is kept: there is one a program. */
static const char *folder_of(const char *file)
{
	static char folder[4096];
	const char *slash = strrchr(file, '/');

	if (!slash)
		return ".";
	snprintf(folder, sizeof(folder), "%.*s", slash == file ? 1 : (int)(slash - file), file);
	return folder;
}

/* The folder and the demo, from what the options left open. */
static int choose_folder(struct supervisor_params *params, int argc, char **argv, bool is_demo)
{
	if (argc - optind > 1)
		return cli_usage_error("run", "one folder was expected, not %d", argc - optind);
	if (argc - optind == 1 && params->config_path)
		return cli_usage_error("run", "a folder was given twice: %s and %s", params->config_path, argv[optind]);
	if (argc - optind == 1)
		params->config_path = argv[optind];
	if (is_demo && (params->config_path || params->supervisor_file))
		return cli_usage_error("run", "--demo goes without a configuration");
	if (!params->config_path && params->supervisor_file)
		params->config_path = folder_of(params->supervisor_file);
	if (params->config_path)
		return 0;
	if (!is_demo && refuse_demo())
		return 2;
	fputs("no CONFIG_DIR given: running the built-in demo (configs/demo), files go to ./enrgdaq-demo-out\n",
		stderr);
	return 0;
}

int cli_run(int argc, char **argv)
{
	static const struct option options[] = {{"duration", required_argument, NULL, 'd'},
		{"help", no_argument, NULL, 'h'}, {"demo", no_argument, NULL, 'm'},
		{"daq-job-config-path", required_argument, NULL, 'j'},
		{"supervisor-config", required_argument, NULL, 's'}, {"log-format", required_argument, NULL, 'l'},
		{NULL, 0, NULL, 0}};
	struct supervisor_params params = {.names = demo_names, .texts = demo_texts, .text_count = demo_count};
	bool is_demo = false;
	int choice;

	optind = 1;
	while ((choice = getopt_long(argc, argv, "d:h", options, NULL)) != -1) {
		switch (choice) {
		case 'd':
			if (parse_duration(optarg, &params.duration_ns))
				return cli_usage_error(
					"run", "--duration: a number of seconds was expected, not \"%s\"", optarg);
			break;
		case 'l':
			if (strcmp(optarg, "text") && strcmp(optarg, "json"))
				return cli_usage_error(
					"run", "--log-format: text or json was expected, not \"%s\"", optarg);
			params.log_format = strcmp(optarg, "json") ? LOG_TEXT : LOG_JSON;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'm':
			is_demo = true;
			break;
		case 'j':
			params.config_path = optarg;
			break;
		case 's':
			params.supervisor_file = optarg;
			break;
		default:
			return cli_option_error("run");
		}
	}
	choice = choose_folder(&params, argc, argv, is_demo);
	return choice ? choice : supervisor_run(&params);
}
