/* request.h: one request from its head to its answer: who it comes from, its body. Main thread. */
#ifndef WEB_HTTP_REQUEST_H
#define WEB_HTTP_REQUEST_H

#include "web/http/address.h"
#include "web/http/head.h"

enum { REQUEST_PROXIES_MAX = 32 };

struct request_proxies {
	struct sockaddr_storage addresses[REQUEST_PROXIES_MAX];
	uint32_t count;
};

struct request_peer { /* of a connection */
	uint64_t connection;
	struct sockaddr_storage socket;
	char address[46], server_address[46];
	uint16_t port, server_port;
	bool is_tls, is_loopback, is_proxy;
};

struct request {
	struct web_request seen; /* by who answers it */
	struct request *next;    /* of those whose connection has gone before they were answered */
	struct head head;
	struct sockaddr_storage client; /* the peer, or who stands behind it */
	char server_address[46];
	char *text; /* the head, taken apart */
	char *body;
	size_t body_capacity;
};

/* Copies the head that `bytes` are. 0, -EINVAL: it is refused with *ret_refusal; -ENOMEM. */
int request_create(const char *bytes, size_t count, const struct request_peer *peer,
	const struct request_proxies *proxies, struct request **ret_request, struct head_refusal *ret_refusal);
void request_destroy(struct request *request); /* takes NULL */
/* Takes what belongs to the body; *budget is what all bodies together may still take. The count; -ENOMEM. */
int request_add_body(struct request *request, const char *bytes, size_t count, size_t *budget);
bool request_is_proxy(const struct request_proxies *proxies, const struct sockaddr_storage *address);

#endif
