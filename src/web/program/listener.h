/* listener.h: the address that REST and the page are served at: opened, opened again where it is in use, and said.
 * Process: enrgdaq-web, main thread. */
#ifndef WEB_PROGRAM_LISTENER_H
#define WEB_PROGRAM_LISTENER_H

#include "web/http/server.h"
#include "web/program/link.h"
#include "web/system/settings.h"

struct listener {
	const struct web_settings *settings;
	struct link *link;
	struct http_params params;
	struct http_server *http; /* NULL: it does not listen yet, or is not asked to */
	uint64_t due_ns, delay_ns;
	unsigned failures;
};

/* `params` brings the callbacks; the rest is taken from the settings, as long as which the listener lives. */
void listener_init(struct listener *listener, const struct web_settings *settings, struct link *link,
	const struct http_params *params);
/* Tries to listen, where it is wanted and due. */
void listener_try(struct listener *listener);
/* Is it the address that stands for all of this machine? */
bool listener_is_everywhere(const char *host);
/* "http://127.0.0.1:8000": how a program of this machine reaches it. */
void listener_format_address(const struct listener *listener, char *ret_text, size_t text_bytes);

#endif
