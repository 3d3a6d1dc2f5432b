/* stop.c: `enrgdaq stop [ID] [--hurry]`: asks a running supervisor to end, and waits until it has. */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "cli/cli.h"
#include "supervisor/runtime.h"
#include "supervisor/signals.h"
#include "supervisor/status.h"

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

static json_t *read_file(const char *folder, const char *name)
{
	char path[RUNTIME_PATH_BYTES + 32];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return json_load_file(path, 0, NULL);
}

/* `last`: the summary printed last; the same twice says nothing. */
static void print_progress(const char *folder, char last[256])
{
	json_t *status = read_file(folder, "status.json");
	const char *state = json_string_value(json_object_get(status, "state"));
	char summary[256];

	if (state && strcmp(state, "running") && strcmp(state, "ended")) {
		status_summary(status, summary, sizeof(summary));
		if (strcmp(summary, last))
			printf("%s: %s\n", state, summary);
		memcpy(last, summary, sizeof(summary));
		fflush(stdout);
	}
	json_decref(status);
}

static int report(const char *folder)
{
	json_t *run = read_file(folder, "run.json");
	const char *state = json_string_value(json_object_get(run, "state"));
	int code = (int)json_integer_value(json_object_get(run, "exit_code"));

	if (!state || !strcmp(state, "running")) {
		printf("ended without a word\n");
		code = 1;
	} else {
		printf("stopped, run %s: %s\n", json_string_value(json_object_get(run, "run")),
			code == 0                      ? "every batch is accounted for and stored"
			: !strcmp(state, "unfinished") ? "batches stay in shared memory, the next start stores them"
						       : "see the lines of `enrgdaq run`");
	}
	json_decref(run);
	return code;
}

static int stop(const char *supervisor, bool is_hurry)
{
	char folder[RUNTIME_PATH_BYTES], last[256] = "";
	struct enrg_error err = {0};
	pid_t pid = 0;
	struct pollfd entry = {.events = POLLIN};
	int code = runtime_find(supervisor, folder, sizeof(folder), &pid, &err);

	if (code || !pid) {
		fprintf(stderr, "%s\n", code ? err.text : "that system does not run");
		return 1;
	}
	entry.fd = pidfd_open(pid, 0);
	if (entry.fd < 0 || runtime_owner(folder) != pid || pidfd_send_signal(entry.fd, SIGTERM, NULL, 0)) {
		fprintf(stderr, "process %d can't be stopped: %s\n", (int)pid, strerror(errno));
		return 1;
	}
	printf("stopping %s (process %d)\n", strrchr(folder, '/') + 1, (int)pid);
	fflush(stdout);
	/* Signals that come together are one word. */
	if (is_hurry && poll(&entry, 1, SIGNALS_TOGETHER_NS / 1000000 + 100) == 0)
		pidfd_send_signal(entry.fd, SIGTERM, NULL, 0);
	while (poll(&entry, 1, 1000) <= 0)
		print_progress(folder, last);
	close(entry.fd);
	return report(folder);
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
	return stop(argv[optind], is_hurry);
}
