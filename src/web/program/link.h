/* link.h: lines of JSON between enrgdaq-web and the supervisor that has started it, over standard input, a socket. A
 * thread reads, so that the main thread waits at one place; it ends when the supervisor does. Process: enrgdaq-web.
 *
 * From the supervisor: {"do": "settings", …} (web/system/settings.h), first; {"do": "ping"}. To it: {"do": "pong"};
 * {"do": "listening", "address": "http://127.0.0.1:8000"}; {"do": "alert", "key", "severity": "warning" or "error",
 * "text", "over": bool}. Lines that are not known are stepped over. */
#ifndef WEB_PROGRAM_LINK_H
#define WEB_PROGRAM_LINK_H

#include <jansson.h>
#include <stdbool.h>

struct link_params {
	int socket;
	void (*wake)(void *context); /* something has come, or it has ended; on the thread that reads */
	void *context;
};

struct link;

/* NULL: out of memory, or no thread. */
struct link *link_start(const struct link_params *params);
/* The next line that has come; NULL: none now. New reference. */
json_t *link_next(struct link *link);
/* All has been read, and the supervisor has hung up. */
bool link_has_ended(struct link *link);
/* Waits up to that long until a line has come or it has ended. */
void link_wait(struct link *link, int timeout_ms);
/* Any thread; never waits: a supervisor that reads nothing loses what finds no room. */
void link_send(struct link *link, const json_t *line);
void link_alert(struct link *link, const char *key, const char *severity, const char *text, bool is_over);

#endif
