/* server.h: HTTP/1.1 and WebSocket over libwebsockets: what may be said at all, limits, TLS. Refuses by itself, with
 * the status that HTTP has for it, what no handler must see (docs/decisions/0022). Knows nothing of DAQ. Process:
 * enrgdaq-web, main thread, except where "any thread" stands. */
#ifndef WEB_HTTP_SERVER_H
#define WEB_HTTP_SERVER_H

#include "enrgdaq/error.h"
#include "web/http/message.h"

struct http_limits { /* 0: as docs/access.md says, where it isn't said otherwise */
	uint32_t body_bytes, connections, connections_per_address;
	uint32_t gets_per_second, posts_per_second, posts_burst; /* of an address; 0: no limit */
	uint32_t request_ms; /* that a request may take to arrive, and one more second for each 64 KiB of its body */
	uint32_t answer_ms;  /* until http_answer; then 504 */
	uint32_t idle_ms;    /* between two requests of a connection */
	uint32_t ping_ms;    /* between pings of a WebSocket, and for its pong */
};

struct http_server;

struct http_params {
	const char *host;                      /* "localhost": both loopback addresses; "0.0.0.0", an address, a name */
	uint16_t port;                         /* 0: a free one */
	const char *tls_certificate, *tls_key; /* PEM files, loaded anew when they change; NULL, "": plain */
	const char *const *proxies;            /* addresses whose X-Forwarded-* count; NULL at the end */
	struct http_limits limits;
	void *context;
	/* A request that is well formed. It is answered with http_answer, now or later, once; until then it is valid.
	 */
	void (*on_request)(void *context, const struct web_request *request);
	/* A request with is_upgrade that is answered with status 101 (http_answer, now or later) has become this
	 * socket. The request is valid until this returns. Also: on_request was called with it before. */
	void (*on_socket_open)(void *context, uint64_t socket, const struct web_request *request);
	/* A whole message, at most 64 KiB; text is proved UTF-8. */
	void (*on_socket_message)(void *context, uint64_t socket, const void *bytes, size_t count, bool is_binary);
	void (*on_socket_close)(void *context, uint64_t socket);
	/* After http_wake, and at least each 100 ms. */
	void (*on_turn)(void *context);
};

struct http_counts {                                  /* totals since the start, for metrics; any thread */
	uint64_t answers[600];                        /* by status */
	uint64_t refused_limit, connections, sockets; /* the latter two: now */
};

/* Listens. Errors say address, port and remedy (in use, not allowed, no such address). */
int http_open(const struct http_params *params, struct http_server **ret_server, struct enrg_error *err);
/* No other thread may be calling any of these. Takes NULL. */
void http_close(struct http_server *server);
uint16_t http_port(const struct http_server *server);
/* One turn of its loop: waits up to `timeout_ms`, then calls back. <0: it can't go on. */
int http_turn(struct http_server *server, int timeout_ms);
/* Ends a waiting turn. Any thread. */
void http_wake(struct http_server *server);

/* Takes the response's body. The request is not valid any more; unknown ids (the peer has gone) are ignored. Any
 * thread. */
void http_answer(struct http_server *server, uint64_t request, struct web_response *response);
/* Takes a reference of `bytes`. At most 256 messages (4 MiB) wait for a socket; then it is closed (1013). Any thread.
 */
void http_socket_send(struct http_server *server, uint64_t socket, struct web_bytes *bytes, bool is_binary);
/* Messages of that socket that are not sent yet. Any thread. */
uint32_t http_socket_waiting(struct http_server *server, uint64_t socket);
/* `reason`: at most 120 bytes. Any thread. */
void http_socket_close(struct http_server *server, uint64_t socket, uint16_t code, const char *reason);
void http_get_counts(struct http_server *server, struct http_counts *ret_counts);

#endif
