/* stop.c: `enrgdaq stop [ID] [--hurry]`: asks a running supervisor to end, and waits until it has. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include <enrgdaq/client.h>

#include "cli/cli.h"

static const char usage[] =
	"usage: enrgdaq stop [ID] [--hurry]\n"
	"\n"
	"Ends a running system in order and waits for it: sources stop, stores store what is left and close their "
	"files.\n"
	"ID is info.supervisor_id; without it, the one system that runs.\n"
	"\n"
	"  --hurry   two seconds; what is not stored then stays in shared memory for the next start\n"
	"\n"
	"Exit code: that of the run: 0 every batch is stored, 1 not so, or no system runs, 2 configuration.\n";

/* `last`: the summary printed last; the same twice says nothing. */
static void print_progress(struct enrg_client *client, char last[256])
{
	const struct enrg_status *status;

	if (enrg_client_status(client, 0, &status, NULL) < 0 || !strcmp(status->state, "running") ||
		!status->summary[0])
		return;
	if (strcmp(status->summary, last) != 0)
		printf("%s: %s\n", status->state, status->summary);
	snprintf(last, 256, "%s", status->summary);
	fflush(stdout);
}

static int report(struct enrg_client *client)
{
	const struct enrg_supervisor *last;

	(void)enrg_client_supervisor(client, &last, NULL);
	if (strcmp(last->state, "ended") != 0 && strcmp(last->state, "unfinished") != 0) {
		printf("ended without a word\n");
		return 1;
	}
	printf("stopped, run %s: %s\n", last->run,
		last->exit_code == 0                     ? "every batch is accounted for and stored"
		: strcmp(last->state, "unfinished") == 0 ? "batches stay in shared memory, the next start stores them"
							 : "see the lines of `enrgdaq run`");
	return last->exit_code;
}

static int stop(struct enrg_client *client, bool is_hurry)
{
	const struct enrg_supervisor *supervisor;
	struct enrg_error err = {0};
	char last[256] = "";
	int rc = enrg_client_supervisor(client, &supervisor, &err);

	if (rc < 0) {
		fprintf(stderr, "%s\n", supervisor->orphans ? err.text : "that system does not run");
		return 1;
	}
	rc = enrg_client_stop(client, false, &err);
	if (rc < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	printf("stopping %s (process %d)\n", supervisor->name, (int)supervisor->pid);
	fflush(stdout);
	if (is_hurry)
		(void)enrg_client_stop(client, true, NULL);
	while (enrg_client_wait(client, 1000, NULL) == -ETIMEDOUT)
		print_progress(client, last);
	return report(client);
}

static int run(const char *name, bool is_hurry)
{
	struct enrg_client *client;
	struct enrg_error err = {0};

	if (enrg_client_open(name, &client, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	int rc = stop(client, is_hurry);
	enrg_client_close(client);
	return rc;
}

int cli_stop(int argc, char **argv)
{
	static const struct option options[] = {
		{"hurry", no_argument, NULL, 'u'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	bool is_hurry = false;
	int choice;

	optind = 1;
	while ((choice = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (choice == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (choice != 'u')
			return cli_option_error("stop");
		is_hurry = true;
	}
	if (argc - optind > 1)
		return cli_usage_error("stop", "one ID was expected, not %d", argc - optind);
	return run(argv[optind], is_hurry);
}
