/* head.h: the head of a request as bytes from outside: everything that servers and proxies could read in two ways is
 * refused. No sockets. Any thread. */
#ifndef WEB_HTTP_HEAD_H
#define WEB_HTTP_HEAD_H

#include "web/http/message.h"
#include "web/http/target.h"

enum { HEAD_BYTES_MAX = 16384, HEAD_TARGET_MAX = 8192, HEAD_LINES_MAX = 100 };

enum head_field { /* that are read; each may come once, but for those said in head.c */
	HEAD_HOST,
	HEAD_CONTENT_LENGTH,
	HEAD_TRANSFER_ENCODING,
	HEAD_CONTENT_TYPE,
	HEAD_ORIGIN,
	HEAD_FETCH_SITE,
	HEAD_FETCH_MODE,
	HEAD_AUTHORIZATION,
	HEAD_COOKIE,
	HEAD_IF_NONE_MATCH,
	HEAD_USER_AGENT,
	HEAD_ADMIN_ACCESS,
	HEAD_CSRF,
	HEAD_IDEMPOTENCY_KEY,
	HEAD_CONNECTION,
	HEAD_UPGRADE,
	HEAD_SOCKET_KEY,
	HEAD_SOCKET_VERSION,
	HEAD_SOCKET_PROTOCOL,
	HEAD_EXPECT,
	HEAD_FORWARDED_FOR,
	HEAD_FORWARDED_PROTO,
	HEAD_FIELDS
};

struct head {
	enum web_method method;
	bool has_no_body_back; /* HEAD */
	bool keeps_open;       /* the connection is for more than this request */
	bool is_upgrade;       /* to a WebSocket, with all that belongs to it */
	bool expects_continue;
	bool is_forwarded; /* has a header that only programs between us and a client write */
	uint64_t body_bytes;
	struct target target;
	const char *texts[HEAD_FIELDS]; /* NULL: no such header */
};

struct head_refusal {
	int status;
	const char *detail; /* a literal */
};

/* Bytes of the head that `bytes` begins with, the empty line included; 0: its end is not there yet. `from`: what was
 * looked at before. */
size_t head_find_end(const char *bytes, size_t count, size_t from);
/* `text`: exactly one head, which is taken apart where it lies, a NUL behind it. false: it is refused. */
bool head_parse(char *text, size_t bytes, struct head *ret_head, struct head_refusal *ret_refusal);

#endif
