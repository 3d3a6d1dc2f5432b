/* status.c: `enrgdaq status [ID] [--json] [--watch]`: reads what a running supervisor writes on tmpfs once a second. */
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/path.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/status_look.h"
#include "supervisor/others.h"
#include "supervisor/runtime.h"
#include "supervisor/status.h"

#define STATUS_BYTES_MAX (64u << 20)

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

/* Names, reasons and alerts come from files and messages: they must not steer the terminal. */
static void make_safe(json_t *json)
{
	size_t index;
	const char *key;
	json_t *value;

	if (json_is_string(json)) {
		char *text = strdup(json_string_value(json));

		if (text) {
			text_make_safe(text, strlen(text));
			json_string_set(json, text);
		}
		free(text);
	}
	json_array_foreach(json, index, value) make_safe(value);
	json_object_foreach(json, key, value) make_safe(value);
}

static int read_status(const char *folder, json_t **ret_status)
{
	char path[RUNTIME_PATH_BYTES + 16], *text;
	size_t count;
	struct enrg_error err = {0};

	snprintf(path, sizeof(path), "%s/status.json", folder);
	if (path_read_file(path, STATUS_BYTES_MAX, &text, &count, &err))
		return -1;
	*ret_status = json_loadb(text, count, 0, NULL);
	free(text);
	make_safe(*ret_status);
	return *ret_status ? 0 : -1;
}

/* It may have been started less than a second ago: then its first status comes soon. */
static int wait_status(const char *folder, pid_t pid, json_t **ret_status)
{
	for (int i = 0; i < 30 && runtime_owner(folder) == pid; i++) {
		const char *state = NULL;

		if (!read_status(folder, ret_status)) {
			state = json_string_value(json_object_get(*ret_status, "state"));
			if (state && strcmp(state, "ended"))
				return 0;
			json_decref(*ret_status);
		}
		poll(NULL, 0, 100);
	}
	return -1;
}

static int show(const struct status_options *options, bool is_again)
{
	char folder[RUNTIME_PATH_BYTES];
	struct enrg_error err = {0};
	json_t *status;
	pid_t pid = 0;
	int code = runtime_find(options->supervisor, folder, sizeof(folder), &pid, &err);

	if (code || !pid) {
		if (is_again)
			return 1;
		fprintf(stderr, "%s\n", code ? err.text : "that system does not run now; start it with `enrgdaq run`");
		return 1;
	}
	if (wait_status(folder, pid, &status)) {
		if (!is_again)
			fprintf(stderr, "process %d runs and has not reported its state within 3 s\n", (int)pid);
		return 1;
	}
	status_look_add(status, folder, pid);
	if (options->is_json) {
		json_dumpf(status, stdout, options->is_watch ? JSON_COMPACT : JSON_INDENT(2));
		putchar('\n');
	} else {
		if (options->is_watch && isatty(1))
			fputs("\033[H\033[2J", stdout);
		status_look_print_age(status, stdout);
		status_print(status, log_is_colored(1), stdout);
		status_look_print(status, stdout);
	}
	fflush(stdout);
	json_decref(status);
	return 0;
}

/* Runs beside the one that was shown, where none was asked for by name. */
static void print_others(void)
{
	char base[RUNTIME_PATH_BYTES], text[2000];

	if (!path_runtime_folder(base, sizeof(base), NULL) && others_describe(base, NULL, text, sizeof(text)))
		printf("\n%s", text);
}

int cli_status(int argc, char **argv)
{
	static const struct option long_options[] = {{"json", no_argument, NULL, 'j'},
		{"watch", no_argument, NULL, 'w'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct status_options options = {0};
	int choice, code;

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
	code = show(&options, false);
	if (!code && !options.supervisor && !options.is_json && !options.is_watch)
		print_others();
	while (!code && options.is_watch && !ferror(stdout)) {
		poll(NULL, 0, 1000);
		if (show(&options, true))
			break;
	}
	return code;
}
