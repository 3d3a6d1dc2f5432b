/* live.h: what is pushed: events of the system and frames of waveforms over one WebSocket (/api/v1/live), by credits;
 * docs/live-protocol.md. Process: enrgdaq-web; main thread unless said. */
#ifndef WEB_LIVE_LIVE_H
#define WEB_LIVE_LIVE_H

#include "web/http/server.h"
#include "web/system/system.h"

struct live;
/* Listens to the system (system_listen) and begins to follow log and alerts. */
int live_open(struct web_system *system, struct http_server *http, struct access *access, struct live **ret_live,
	struct enrg_error *err);
void live_close(struct live *live); /* takes NULL; before http_close */
void live_on_open(struct live *live, uint64_t socket, const struct access_who *who);
void live_on_message(struct live *live, uint64_t socket, const void *bytes, size_t count, bool is_binary);
void live_on_close(struct live *live, uint64_t socket);
/* Sends what has come, in each on_turn of http. */
void live_turn(struct live *live);
/* Something happened: a JSON object with the member `event`, kept for the last 1,000; sent to those who listen. Steals.
 * Any thread. */
void live_tell(struct live *live, json_t *event);

struct live_counts { /* the latter two: totals */
	uint64_t sockets, frames_sent, frames_skipped;
};
/* Any thread. */
void live_get_counts(struct live *live, struct live_counts *ret_counts);

#endif
