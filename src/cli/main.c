/* main.c: the program `enrgdaq`: picks the command. The supervisor starts it again under the name enrgdaq-job as the
 * process of a job.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/version.h"
#include "cli/access.h"
#include "cli/cli.h"
#include "config/options.h"
#include "job/main.h"

static int cli_help(int argc, char **argv);

static const struct cli_command commands[] = {
	{"run", "acquire data as a configuration folder says", cli_run, false},
	{"run-job", "run one source in the foreground, for a debugger", cli_run_job, false},
	{"status", "show what a running system does", cli_status, false},
	{"watch", "show what a source sends while it runs", cli_watch, false},
	{"alarms", "list, acknowledge or mute what a running system complains about", cli_alarms, false},
	{"history", "show how statistics and slow columns went", cli_history, true},
	{"stop", "end a running system in order", cli_stop, false},
	{"runs", "start, stop, list and show runs, their types and sequences", cli_runs, false},
	{"send", "give a command to a job or to the supervisor", cli_send, false},
	{"job", "add, stop, start, restart or remove one job of a running system", cli_job, false},
	{"reload", "make a running system what its folder says now", cli_reload, false},
	{"token", "let scripts and the panel ask a system over HTTP, or no more", cli_token, false},
	{"user", "let people log in to the page of a system, or no more", cli_user, false},
	{"certificate", "make a key and a certificate for TLS", cli_certificate, false},
	{"check", "check a configuration folder without running it", cli_check, true},
	{"jobs", "list the types of jobs and stores", cli_jobs, true},
	{"describe", "show the configuration of a type", cli_describe, true},
	{"bench", "measure this machine and the data path", cli_bench, false},
	{"plot", "draw figures: benchmarks, a digitizer, a tank of muons, a history", cli_plot, false},
	{"verify", "prove .arrows files whole, or cut a torn tail", cli_verify, false},
	{"cat", "print the rows of .arrows files", cli_cat, false},
	{"convert", "write .arrows files and old dumps in other formats", cli_convert, false},
	{"cnc-keys", "make keys for command and control between machines", cli_cnc_keys, true},
	{"doctor", "look at what this machine lacks", cli_doctor, true}, {"help", "explain a command", cli_help, true},
	{"enrgdaq-job", NULL, process_main, false}, /* under valgrind: src/supervisor/child.c */
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static const struct cli_command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static bool has_command(const char *name)
{
	const struct cli_command *command = find_command(name);

	return command && command->summary;
}

static void print_help(FILE *stream)
{
	fputs("enrgdaq: data acquisition for physics laboratories\n\n"
	      "usage: enrgdaq COMMAND [OPTIONS] [ARGUMENTS]\n\ncommands:\n",
		stream);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (commands[i].summary)
			fprintf(stream, "  %-11s %s\n", commands[i].name, commands[i].summary);
	fputs("\nexamples:\n", stream);
	if (has_command("run"))
		fputs("  enrgdaq run configs/demo            acquire data as the folder says, until Ctrl-C\n", stream);
	fputs("  enrgdaq check configs/demo          what would run, or what is wrong with it\n"
	      "  enrgdaq describe DAQJobTest         the keys of a job\n"
	      "  enrgdaq help COMMAND                more on a command\n"
	      "\nenrgdaq --version prints the version.\n",
		stream);
}

static int refuse_command(const char *name)
{
	const char *names[COMMAND_COUNT];
	size_t count = 0;

	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (commands[i].summary)
			names[count++] = commands[i].name;
	const char *nearest = options_suggest(name, names, count);
	fprintf(stderr, "enrgdaq: unknown command \"%s\"", name);
	if (nearest)
		fprintf(stderr, "; did you mean %s?", nearest);
	fputs("\n`enrgdaq --help` lists the commands\n", stderr);
	return 2;
}

static int cli_help(int argc, char **argv)
{
	if (argc < 2 || argv[1][0] == '-') {
		print_help(stdout);
		return 0;
	}
	const struct cli_command *command = find_command(argv[1]);
	if (!command || !command->summary)
		return refuse_command(argv[1]);
	if (command->run == cli_help) {
		puts("usage: enrgdaq help [COMMAND]\n\nExplains a command, as `enrgdaq COMMAND --help` does.");
		return 0;
	}
	char option[] = "--help";
	char *arguments[] = {argv[1], option, NULL};
	return command->run(2, arguments);
}

/* Started with some of them closed (`2>&-`), the next files that are opened would become standard output or error, and
 * lines for humans would go into data. */
static bool has_standard_descriptors(void)
{
	for (int descriptor = 0; descriptor <= 2; descriptor++)
		if (fcntl(descriptor, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDWR) != descriptor)
			return false;
	return true;
}

static int run_command(const struct cli_command *command, int argc, char **argv)
{
	char name[64];

	snprintf(name, sizeof(name), "enrgdaq %s", command->name);
	if (command->summary)
		argv[0] = name; /* getopt_long begins its lines with it */
	int rc = command->run(argc, argv);
	if (rc || !command->is_lister || (fflush(stdout) == 0 && !ferror(stdout)))
		return rc;
	fprintf(stderr, "%s: the output can't be written\n", name);
	return 1;
}

int main(int argc, char **argv)
{
	if (!has_standard_descriptors())
		return 1; /* and nowhere to say it */
	const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
	const char *program = slash ? slash + 1 : argc > 0 ? argv[0] : "";

	if (!strcmp(program, "enrgdaq-job"))
		return process_main(argc, argv);
	if (argc < 2) {
		print_help(stderr);
		return 2;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		print_help(stdout);
		return 0;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("enrgdaq %s\n", version_text());
		return 0;
	}
	const struct cli_command *command = find_command(argv[1]);
	return command ? run_command(command, argc - 1, argv + 1) : refuse_command(argv[1]);
}
