/* main.c: `enrgdaq-web serve`: what listens for a supervisor, which starts it. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "web/program/serve.h"

#define ARENAS_MAX 4

static const char usage[] =
	"usage: enrgdaq-web serve\n"
	"\n"
	"Serves REST, the page, /metrics and ENRGDAQ's command and control for one supervisor. `enrgdaq run` starts "
	"it\n"
	"where supervisor.toml has [cnc], and speaks with it over standard input, a socket; it ends with it. It may "
	"be\n"
	"killed at any moment: data taking notices nothing, and the supervisor starts it again. Not for humans;\n"
	"docs/api.md shows how to ask it.\n";

int main(int argc, char **argv)
{
	bool is_help = argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"));

	if (argc != 2 || strcmp(argv[1], "serve") != 0) {
		fputs(usage, is_help ? stdout : stderr);
		return is_help ? 0 : 2;
	}
	signal(SIGPIPE, SIG_IGN);
	/* each arena of glibc takes 64 MiB of addresses, and RLIMIT_AS would leave none for a thread */
	(void)mallopt(M_ARENA_MAX, ARENAS_MAX);
	log_init("web", ENRG_INFO);
	int rc = serve(STDIN_FILENO);
	fflush(NULL);
	_exit(rc); /* threads that wait for a supervisor or a disk are left */
}
