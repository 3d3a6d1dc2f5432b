/* server.h: a small web server for the files of one folder, over libmicrohttpd, without a thread of its own: its owner
 * waits for its descriptor and calls server_run. It bounds connections, what one address has of them, the time that a
 * request may take to arrive and how slowly an answer may be fetched. One thread. */
#ifndef SERVE_HTTP_SERVER_H
#define SERVE_HTTP_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "enrgdaq/error.h"

struct server;

struct server_params {
	const char *root; /* the folder; both texts outlive the server */
	const char *host; /* a name or an address of this machine */
	uint16_t port;    /* 0: any that is free */
	unsigned connections_max, connections_per_address;
	uint64_t request_ns; /* from one request to the end of the head of the next, and until the first */
	void (*log)(void *context, const char *line); /* what may be of use to who looks for a fault */
	void *context;
};

/* -EADDRINUSE, -EACCES and such with what to do about it; ENRG_E_CONFIG: the host has no address here. */
int server_create(const struct server_params *params, struct server **ret_server, struct enrg_error *err);
void server_destroy(struct server *server); /* takes NULL */

/* Readable when there is something to do. */
int server_descriptor(const struct server *server);
/* Does what there is to do, and closes connections that take too long; returns when to call again at the latest, in
 * ns from now. */
uint64_t server_run(struct server *server);
/* The port that it listens on. */
uint16_t server_port(const struct server *server);
/* Does it listen on the loopback interface alone? */
bool server_is_private(const struct server *server);

#endif
