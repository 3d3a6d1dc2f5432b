/* serve.c: `enrgdaq-runs serve`, which the supervisor starts. */
#include "runs/program/program.h"

#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/log.h"
#include "runs/service.h"

#define IDLE_NS 3000000000ull
#define NICE    5 /* a number is asked for, and a whole system waits */

static const char usage[] =
	"usage: enrgdaq-runs serve --database FILE --folder FOLDER --inbox RUNTIME_FOLDER --supervisor ID [--owner "
	"FD]\n"
	"\n"
	"Owns the run book of one supervisor, which starts it and speaks with it over standard input, a socket\n"
	"(src/runs/service.h). Not for humans.\n"
	"\n"
	"  --idle SECONDS    it ends when there was nothing to do for so long (3)\n"
	"  --network WORD    yes or no: the database lies on a network file system; without it the system says so\n";

int program_serve(int argc, char **argv)
{
	static const struct option options[] = {{"database", required_argument, NULL, 'b'},
		{"folder", required_argument, NULL, 'f'}, {"inbox", required_argument, NULL, 'i'},
		{"supervisor", required_argument, NULL, 's'}, {"owner", required_argument, NULL, 'o'},
		{"idle", required_argument, NULL, 't'}, {"network", required_argument, NULL, 'n'},
		{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	struct service_params params = {.socket = 0, .owner = -1, .idle_ns = IDLE_NS};
	int choice;

	while ((choice = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (choice == 'h' || choice == '?') {
			fputs(usage, choice == 'h' ? stdout : stderr);
			return choice == 'h' ? 0 : 2;
		}
		params.database = choice == 'b' ? optarg : params.database;
		params.folder = choice == 'f' ? optarg : params.folder;
		params.runtime_folder = choice == 'i' ? optarg : params.runtime_folder;
		params.supervisor = choice == 's' ? optarg : params.supervisor;
		params.owner = choice == 'o' ? atoi(optarg) : params.owner;
		params.idle_ns = choice == 't' ? (uint64_t)(atof(optarg) * 1e9) : params.idle_ns;
		if (choice == 'n')
			params.network = strcmp(optarg, "yes") ? DATABASE_LOCAL : DATABASE_NETWORK;
	}
	if (!params.database || !params.folder || !params.runtime_folder || !params.supervisor) {
		fputs(usage, stderr);
		return 2;
	}
	if (params.owner >= 0)
		(void)fcntl(params.owner, F_SETFD, FD_CLOEXEC);
	signal(SIGPIPE, SIG_IGN);
	(void)setpriority(PRIO_PROCESS, 0, NICE);
	log_init("run book", ENRG_INFO);
	return service_run(&params);
}
