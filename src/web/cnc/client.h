/* client.h: the DEALER: heartbeats and log lines of the own system for the server, whose questions it hands on;
 * connects again for ever. On the thread of CNC. Process: enrgdaq-web. */
#ifndef WEB_CNC_CLIENT_H
#define WEB_CNC_CLIENT_H

#include "config/web_options.h"
#include "web/cnc/frames.h"
#include "web/cnc/message.h"
#include "web/cnc/notices.h"
#include "web/node/node.h"

struct cnc_client_params {
	void *context; /* of ZeroMQ */
	const char *own_id;
	const struct cnc_options *options;
	struct node *node;
	struct notices *notices;
	void *user;
	/* The server asks; the message stays the caller's. `address` is the server's. */
	void (*on_request)(void *user, const char *address, bool may_command, const struct cnc_message *message);
};

#define CNC_CLIENT_ITEMS 2u

struct cnc_client;
int cnc_client_open(const struct cnc_client_params *params, struct cnc_client **ret_client, struct enrg_error *err);
void cnc_client_close(struct cnc_client *client); /* takes NULL */
/* What to wait for. Returns how many, at most CNC_CLIENT_ITEMS. */
unsigned cnc_client_items(struct cnc_client *client, zmq_pollitem_t *ret_items);
/* Hears what has come, sends what is due; whether more waits. */
bool cnc_client_turn(struct cnc_client *client, uint64_t now_ns);
/* 0; -EAGAIN: the server is not there; ENRG_E_PROTOCOL: no message (json is borrowed). */
int cnc_client_send(struct cnc_client *client, const json_t *json, struct enrg_error *err);

#endif
