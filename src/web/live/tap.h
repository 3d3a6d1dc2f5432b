/* tap.h: one source that the scope reads for all who look at it. The scope's thread. Process: enrgdaq-web. */
#ifndef WEB_LIVE_TAP_H
#define WEB_LIVE_TAP_H

#include "enrgdaq/client.h"
#include "web/live/feed.h"

struct tap {
	char source[ENRG_NAME_BYTES_MAX + 1];
	struct enrg_stream *stream; /* NULL: not there yet */
	uint64_t tried_ns, read_ns;
	uint64_t reached; /* sequence of the last record that was looked at */
	bool is_used;     /* by a feed of this turn */
	char state[300];  /* why nothing comes; "" */
};

struct tap_turn {
	struct feed *const *feeds; /* that want something of this source */
	size_t count;
	uint64_t until_ns; /* CLOCK_MONOTONIC */
	const char *run;   /* that is on, and its number */
	uint64_t run_number;
	void (*on_frame)(void *context, struct feed *feed, struct web_bytes *frame); /* takes the frame */
	void *context;
};

/* Opens the stream where it is not, at most twice a second. */
void tap_open(struct tap *tap, struct enrg_client *client);
/* What has come since. */
void tap_read(struct tap *tap, const struct tap_turn *turn);
void tap_close(struct tap *tap);

#endif
