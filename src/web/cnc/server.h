/* server.h: the ROUTER: hears clients, registers them, hands questions on, sends. On the thread of CNC. Process:
 * enrgdaq-web. */
#ifndef WEB_CNC_SERVER_H
#define WEB_CNC_SERVER_H

#include "config/web_options.h"
#include "web/cnc/gate.h"
#include "web/cnc/peers.h"
#include "web/cnc/registry.h"
#include "web/cnc/requests.h"

struct cnc_peer { /* who has sent a message; valid in the call */
	const void *identity;
	size_t identity_bytes;
	const char *name, *address; /* "": it has no name */
	bool may_command;
};

struct cnc_server_params {
	void *context; /* of ZeroMQ */
	const char *own_id;
	const struct cnc_options *options;
	struct registry *registry;
	struct requests *requests;
	struct notices *notices;
	void *user;
	/* Somebody asks; the message stays the caller's. */
	void (*on_request)(void *user, const struct cnc_peer *peer, const struct cnc_message *message);
};

#define CNC_SERVER_ITEMS 2u

struct cnc_server;
int cnc_server_open(const struct cnc_server_params *params, struct cnc_server **ret_server, struct enrg_error *err);
void cnc_server_close(struct cnc_server *server); /* takes NULL */
/* What to wait for. Returns how many, at most CNC_SERVER_ITEMS. */
unsigned cnc_server_items(struct cnc_server *server, zmq_pollitem_t *ret_items);
/* Hears what has come; whether more waits. */
bool cnc_server_turn(struct cnc_server *server, uint64_t now_ns);
/* 0; -EHOSTUNREACH: not connected; -EAGAIN: it does not read; ENRG_E_PROTOCOL: no message (json is borrowed). */
int cnc_server_send(struct cnc_server *server, const void *identity, size_t identity_bytes, const json_t *json,
	struct enrg_error *err);

#endif
