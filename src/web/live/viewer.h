/* viewer.h: one client of the WebSocket: what it wants, what it has got, and how much more it takes. Main thread.
 * Process: enrgdaq-web. */
#ifndef WEB_LIVE_VIEWER_H
#define WEB_LIVE_VIEWER_H

#include "web/live/ask.h"
#include "web/live/budget.h"
#include "web/live/events.h"
#include "web/live/follow.h"
#include "web/live/live.h"
#include "web/live/scope.h"

struct viewer_scope {
	struct feed *feed;   /* NULL: none of this id */
	uint32_t credit;     /* frames that it still takes */
	uint64_t sent;       /* sequence of the last frame that was sent */
	uint64_t first;      /* sequence that was there when it began */
	uint64_t starved_ns; /* since when it has no credit; 0: it has */
	uint32_t state_number;
	size_t frame_bytes; /* of the last one */
};

struct viewer {
	uint64_t socket;
	struct access_who who;
	struct budget messages, credits; /* that it may send */
	uint64_t complained_ns;          /* when it was told last that it sends too many */
	uint32_t ignored;                /* messages, since it kept to the limit */
	uint64_t stuck_ns;               /* since when it takes nothing; 0: it does */
	/* events */
	uint32_t bits;
	uint64_t seen; /* number of the last event that was sent, or passed over */
	bool has_credit;
	uint32_t credit;
	enum enrg_level log_level;
	char log_process[128], log_text[256];
	struct budget log_lines;
	uint64_t log_left_out, log_left_out_ns;
	uint64_t status_ns; /* of the snapshot that was sent last */
	struct viewer_scope scopes[ASK_SCOPES_MAX];
};

struct live {
	struct web_system *system;
	struct http_server *http;
	struct access *access;
	struct events *events;
	struct follow *follow;
	struct scope *scope;
	char instance[17]; /* of this process */
	struct viewer **viewers;
	size_t count, room;
	size_t first; /* who comes first in this turn */
	struct budget frames, bytes;
	uint64_t checked_ns;
	struct web_bytes *status; /* as it is sent, of the snapshot of status_ns */
	uint64_t status_ns;
	_Atomic uint64_t sockets, frames_sent, frames_skipped;
};

/* Takes the object. */
void viewer_say(struct live *live, struct viewer *viewer, json_t *message);
/* What there is for it, as far as it takes it. */
void viewer_send_events(struct live *live, struct viewer *viewer, uint64_t now_ns);
void viewer_send_frames(struct live *live, struct viewer *viewer, uint64_t now_ns);
void viewer_drop_scope(struct live *live, struct viewer *viewer, uint32_t id);
/* viewer_ask.c */
void viewer_hear(struct live *live, struct viewer *viewer, const void *bytes, size_t count, bool is_binary);
/* live_status.c: the newest status as it is sent; borrowed, NULL: none. */
struct web_bytes *live_get_status(struct live *live, uint64_t *ret_looked_ns);

#endif
