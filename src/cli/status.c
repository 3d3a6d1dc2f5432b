/* status.c: `enrgdaq status [ID] [--json] [--watch]`: reads what a running supervisor writes on tmpfs once a second. */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <enrgdaq/client.h>

#include "cli/cli.h"
#include "cli/status_files.h"
#include "cli/status_table.h"

static const char usage[] =
	"usage: enrgdaq status [ID] [--json] [--watch]\n"
	"\n"
	"What a running system does: rates, bytes, latency, backlog, blocked time, restarts, and "
	"whether every batch is\n"
	"accounted for. ID is info.supervisor_id; without it, the one system that runs.\n"
	"\n"
	"p50/p99 ms: from the producer's commit of a batch to its writing by the store, of the "
	"batches of the last 2 to\n"
	"4 seconds (a dash: there were none). own MB: memory without the rings, which all jobs share. "
	"Under a store that\n"
	"waits stands what for.\n"
	"\n"
	"Behind the table: the files that stores write, with size and age, their disks with the "
	"time until they are full\n"
	"at the present rate, ticks that a slow poll missed, and whether the program was replaced "
	"since the run began.\n"
	"\n"
	"Under a source that waits for stores: bytes in flight, its window (how many may be "
	"before it waits), and why\n"
	"it is so large: within the latency target; beyond it, as throughput would fall; set by hand.\n"
	"\n"
	"  --json    the whole state as one JSON object\n"
	"  --watch   again each second until it ends or Ctrl-C\n"
	"\n"
	"Exit code: 0 it runs, 1 no system runs, 2 wrong usage.\n";

struct status_options {
	const char *supervisor;
	bool is_json, is_watch;
};

/* It may have been started less than a second ago: then its first status comes soon. */
static int wait_status(struct enrg_client *client, const struct enrg_status **ret_status)
{
	const struct enrg_supervisor *supervisor;
	int rc = -EAGAIN;

	for (int i = 0; i < 30 && rc < 0 && !enrg_client_supervisor(client, &supervisor, NULL); i++) {
		rc = enrg_client_status(client, ENRG_STATUS_FILES, ret_status, NULL);
		if (rc < 0)
			poll(NULL, 0, 100);
	}
	return rc;
}

static void print(const json_t *status, const struct status_options *options)
{
	if (options->is_json) {
		json_dumpf(status, stdout, options->is_watch ? JSON_COMPACT : JSON_INDENT(2));
		putchar('\n');
	} else {
		if (options->is_watch && isatty(1))
			fputs("\033[H\033[2J", stdout);
		status_files_print_age(status, stdout);
		status_table_print(status, cli_is_colored(), stdout);
		status_files_print(status, stdout);
	}
	fflush(stdout);
}

static int show(struct enrg_client *client, const struct status_options *options, bool is_again)
{
	const struct enrg_supervisor *supervisor;
	const struct enrg_status *status;
	struct enrg_error err = {0};
	int rc = enrg_client_supervisor(client, &supervisor, &err);

	if (rc < 0) {
		if (!is_again)
			fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	int64_t pid = supervisor->pid;
	if (wait_status(client, &status) < 0) {
		if (!is_again)
			fprintf(stderr, "process %d runs and has not reported its state within 3 s\n", (int)pid);
		return 1;
	}
	json_t *json = json_loads(status->json, 0, NULL);
	if (!json)
		return 1;
	print(json, options);
	json_decref(json);
	return 0;
}

/* Runs beside the one that was shown, where none was asked for by name. */
static void print_others(void)
{
	struct enrg_supervisors *list;
	bool has_any = false;

	if (enrg_supervisors_list(&list, NULL) < 0)
		return;
	for (uint32_t i = 0; i < enrg_supervisors_count(list); i++) {
		const struct enrg_supervisor *other = enrg_supervisors_get(list, i);

		if (other->hint[0])
			printf("%s%s\n", has_any ? "" : "\n", other->hint);
		has_any |= other->hint[0] != '\0';
	}
	enrg_supervisors_destroy(list);
}

static int run(const struct status_options *options)
{
	struct enrg_client *client;
	struct enrg_error err = {0};

	if (enrg_client_open(options->supervisor, &client, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	int rc = show(client, options, false);
	if (!rc && !options->supervisor && !options->is_json && !options->is_watch)
		print_others();
	while (!rc && options->is_watch && !ferror(stdout)) {
		poll(NULL, 0, 1000);
		if (show(client, options, true))
			break;
	}
	enrg_client_close(client);
	return rc;
}

int cli_status(int argc, char **argv)
{
	static const struct option long_options[] = {{"json", no_argument, NULL, 'j'},
		{"watch", no_argument, NULL, 'w'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct status_options options = {0};
	int choice;

	optind = 1;
	while ((choice = getopt_long(argc, argv, "jwh", long_options, NULL)) != -1) {
		if (choice == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (choice == '?')
			return cli_option_error("status");
		options.is_json |= choice == 'j';
		options.is_watch |= choice == 'w';
	}
	if (argc - optind > 1)
		return cli_usage_error("status", "one ID was expected, not %d", argc - optind);
	options.supervisor = argv[optind];
	if (options.is_watch)
		signal(SIGPIPE, SIG_IGN); /* a reader that has seen enough is the end, and no error */
	return run(&options);
}
