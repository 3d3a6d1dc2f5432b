/* connection.h: one connection: requests that arrive in pieces, their answers, what is too much, too slow, or over. On
 * libwebsockets' raw sockets. Main thread. */
#ifndef WEB_HTTP_CONNECTION_H
#define WEB_HTTP_CONNECTION_H

#include <libwebsockets.h>

#include "web/http/address.h"
#include "web/http/post.h"
#include "web/http/request.h"
#include "web/http/server.h"
#include "web/http/websocket.h"

enum connection_state {
	CONNECTION_FREE,
	CONNECTION_READING,   /* waits for a request, or is in the middle of one */
	CONNECTION_ANSWERING, /* on_request has it */
	CONNECTION_WRITING,
	CONNECTION_LINGERING, /* its last answer is out; what the peer still sends is thrown away, so that the answer
				 arrives */
	CONNECTION_SOCKET,
};

struct connection {
	struct connections *all;
	enum connection_state state;
	uint32_t slot;
	struct lws *wsi; /* NULL: not known yet */
	struct request_peer peer;
	struct address *address;
	uint64_t since_ns, deadline_ns; /* of the state; deadline_ns: 0 = none */
	uint64_t answered;              /* requests */
	bool is_begun;                  /* bytes of the next request have come */
	bool is_stopped;                /* nothing is read now */
	bool keeps_open, lingers, owes_continue;
	bool is_dying; /* connection_kill was called */

	char *input;
	size_t input_bytes, input_capacity, input_seen;
	uint64_t discarded;

	struct request *request; /* from its head until its answer is sent */
	uint64_t request_id;     /* while on_request has it; else 0 */
	unsigned char *output;   /* head, and a small body */
	size_t output_bytes, sent;
	struct web_bytes *body; /* a large one; NULL */
	struct websocket *websocket;
};

enum { CONNECTION_PIECE = 32768 };

struct connections {
	const struct http_params *params; /* of http_open; limits in it are filled in */
	struct lws_vhost *vhost;
	struct connection *slots;
	uint32_t slot_count, used;
	struct request *orphans; /* whoever answers them may still be reading them */
	uint64_t serial;
	struct address_table addresses;
	struct request_proxies proxies;
	struct post post;
	size_t body_budget;
	bool is_tls;
	uint64_t date_s;
	char date[32];
	unsigned char piece[CONNECTION_PIECE];
	atomic_uint_fast64_t answers[600], refused_limit, connection_count, socket_count;
};

void connections_count(struct connections *all, int status);
/* Its answer is there, its connection is not. */
void connections_drop_orphan(struct connections *all, uint64_t id);

/* `patience_ns`: from now to connection_end_by_time; 0: for ever. */
void connection_set_state(struct connection *connection, enum connection_state state, uint64_t patience_ns);
/* Takes the body of the response. */
void connection_answer(struct connection *connection, struct web_response *response);
/* Callbacks of libwebsockets; -1: it closes the connection. */
int connection_read(struct connection *connection, const void *bytes, size_t count);
int connection_write(struct connection *connection);
void connection_close(struct connection *connection);
/* It is closed soon, without another word. */
void connection_kill(struct connection *connection);
/* Its deadline is over. */
void connection_end_by_time(struct connection *connection);

#endif
