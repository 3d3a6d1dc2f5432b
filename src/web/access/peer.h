/* peer.h: which user of this machine sits at the other end of a loopback connection. Any thread. */
#ifndef WEB_ACCESS_PEER_H
#define WEB_ACCESS_PEER_H

#include "web/http/message.h"

/* The user of the peer's socket as the kernel has it: asked by address and port (sock_diag), or, where the kernel has
 * no such thing, looked for in /proc/net/tcp and tcp6. -ENOENT: there is none any more (closed, or nobody's). */
int peer_find_user(const struct web_request *request, uint32_t *ret_user);
/* The latter alone. */
int peer_find_in_tables(const struct web_request *request, uint32_t *ret_user);

/* The text of /proc/net/tcp or tcp6: an established socket that somebody holds, `local` = the peer's end. Addresses are
 * IPv6, IPv4 as ::ffff:a.b.c.d. -ENOENT: there is none. */
struct peer_end {
	unsigned char address[16];
	uint16_t port;
};
int peer_scan(const char *text, const struct peer_end *local, const struct peer_end *remote, uint32_t *ret_user);

#endif
