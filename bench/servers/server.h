/* server.h: a data base server of the bench program's own: in a temporary folder, on a free loopback port, ended with
 * the program, also when that is killed. */
#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

#include <sys/types.h>

#include "enrgdaq/error.h"

#define SERVER_ARGUMENTS_MAX 24u

struct server {
	char folder[64]; /* $TMPDIR or /tmp */
	unsigned port;
	pid_t pid; /* 0: not running */
};

/* Folder and port, nothing started yet. */
int server_init(struct server *server, struct enrg_error *err);
/* Ends the server and removes the folder; takes a zeroed server. */
void server_fini(struct server *server);

/* In the arguments FOLDER and PORT stand for what they say; NULL ends them. The output of the program goes to the file
 * "log" in the folder. server_run waits for its end and is negative where it fails. */
int server_run(const struct server *server, const char *const *arguments, struct enrg_error *err);
int server_start(struct server *server, const char *const *arguments, struct enrg_error *err);
/* Asks again and again for half a minute. */
int server_wait(struct server *server, int (*is_ready)(const struct server *server), struct enrg_error *err);

#endif
