/* listener.h: the sockets that connections come in at. One thread. */
#ifndef WEB_HTTP_LISTENER_H
#define WEB_HTTP_LISTENER_H

#include <stdint.h>

#include "enrgdaq/error.h"

enum { LISTENERS_MAX = 8 };

/* "localhost": both loopback addresses (one of them where this machine has but one); "::" takes IPv4 as well; "" and
 * "*" are 0.0.0.0; a name: all its addresses. Non-blocking, close-on-exec. `port` 0: a free one, the same for all. The
 * number of sockets, or an error that says address, port and what to do. */
int listener_open(
	const char *host, uint16_t port, int ret_sockets[LISTENERS_MAX], uint16_t *ret_port, struct enrg_error *err);

#endif
