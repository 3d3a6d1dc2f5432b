/* message.h: a request as it came through all checks of HTTP, and what is answered. Process: enrgdaq-web; a request is
 * made on the main thread and belongs to whoever answers it. */
#ifndef WEB_HTTP_MESSAGE_H
#define WEB_HTTP_MESSAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that several answers share: rendered once, freed with the last of them. Any thread. */
struct web_bytes {
	atomic_uint references;
	char etag[20]; /* of http's main thread: made with the first answer that needs it */
	size_t count;
	unsigned char data[];
};
/* A copy of `data`, one reference; NULL: out of memory. */
struct web_bytes *web_bytes_create(const void *data, size_t count);
struct web_bytes *web_bytes_hold(struct web_bytes *bytes);
void web_bytes_release(struct web_bytes *bytes); /* takes NULL */

enum web_method { WEB_GET, WEB_POST, WEB_OTHER_METHOD };

/* All texts are valid as long as the request, never NULL unless it is said; of a header that came twice the request was
 * refused before, unless a list is allowed there. */
struct web_request {
	uint64_t id;            /* never given twice */
	uint64_t connection;    /* that it came over; never given twice */
	enum web_method method; /* HEAD is WEB_GET whose body is not sent */
	bool is_loopback;       /* the peer's address is one of 127.0.0.0/8, ::1, and so is ours */
	bool is_tls;            /* also where a configured proxy says so (X-Forwarded-Proto) */
	bool is_upgrade;        /* wants to become a WebSocket */
	char address[46]; /* of the peer, as text; of who stands behind it, where the peer is a configured proxy */
	char peer_address[46];
	uint16_t peer_port, server_port;
	const char *server_address; /* that the peer has connected to, as text */
	const char *path;  /* decoded, UTF-8, from '/', without empty, "." and ".." parts and without `/t/TOKEN` */
	const char *token; /* of `/t/TOKEN`; NULL: none */
	const char *query; /* behind '?', as it came; "" */
	const char *host;  /* as it came, with its port */
	const char *origin, *fetch_site, *fetch_mode; /* NULL: no such header */
	const char *authorization, *cookie, *content_type, *if_none_match, *user_agent;
	const char *admin_access;    /* X-Admin-Access; NULL */
	const char *csrf;            /* X-ENRGDAQ-CSRF; NULL */
	const char *idempotency_key; /* Idempotency-Key; NULL */
	const char *protocols;       /* Sec-WebSocket-Protocol, a list; NULL. One of them is answered in `headers` */
	bool is_proxied;             /* the peer is a configured proxy */
	bool is_forwarded; /* has a header that proxies add, configured or not: X-Forwarded-*, Forwarded, Via … */
	const char *body;  /* NUL behind it; "" */
	size_t body_bytes;
};

enum { WEB_HEADERS_MAX = 4 };

struct web_response {
	int status;             /* 0 = not answered yet */
	const char *type;       /* Content-Type; a literal; NULL: application/json */
	struct web_bytes *body; /* one reference of the response; NULL: none */
	bool has_etag;          /* http makes it of the body, and answers 304 where it is what the client has */
	uint32_t retry_after_s; /* 0: no such header */
	struct {
		const char *name; /* a literal */
		char value[512];
	} headers[WEB_HEADERS_MAX]; /* Set-Cookie, Location, Allow, WWW-Authenticate …; "" ends them */
};

#endif
