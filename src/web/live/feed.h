/* feed.h: one request for frames, which all clients share that ask for the same: what is looked at in each batch, and
 * the frame that comes of it. No lock, no thread: the scope's thread calls it. Process: enrgdaq-web. */
#ifndef WEB_LIVE_FEED_H
#define WEB_LIVE_FEED_H

#include "web/live/ask.h"
#include "web/live/scope_frame.h"

#define FEED_MAP_BYTES_MAX (SCOPE_BYTES_MAX - 65536u)

/* Compared byte by byte. */
struct feed_request {
	char source[ENRG_NAME_BYTES_MAX + 1], tag[ENRG_NAME_BYTES_MAX + 1], column[ENRG_NAME_BYTES_MAX + 1];
	char columns[ASK_COLUMNS_MAX][ENRG_NAME_BYTES_MAX + 1];
	uint32_t channels[WAVES_CHANNELS_MAX];         /* first those that are shown, then those that only trigger */
	uint32_t trigger_channels[WAVES_CHANNELS_MAX]; /* the first is the zero of the time axis */
	uint32_t column_count, shown_count, channel_count; /* 0: all that there are */
	uint32_t trigger_count, needed, has_level, is_relative, has_tag;
	uint32_t view, points, rows, from, count, average;
	float low, high, level, hysteresis;
	uint32_t slope, mode;
	double within_ns, hold_off_ns, auto_ns, frames_per_second;
	uint64_t owner; /* of a single trigger, which is nobody else's; else 0 */
};

/* 0, or ENRG_E_PROTOCOL with the fault. */
int feed_request_make(
	const struct ask_scope *scope, uint64_t owner, struct feed_request *ret_request, struct ask_fault *ret_fault);

struct feed_window { /* of samples, as in the request */
	uint32_t from, count, points;
};

/* Is it one of the first `count` channels? */
bool feed_request_has(const struct feed_request *request, uint32_t channel, uint32_t count);

struct feed {
	struct feed_request request;
	uint32_t number; /* never given twice */

	struct trigger trigger;
	struct waves_event event;
	struct feed_window window;
	/* of `event`, to show it again */
	bool has_event;
	struct waves_layout layout;
	float zero;
	char run[64], tag[ENRG_NAME_BYTES_MAX + 1];
	uint64_t run_number, published_rows;

	uint64_t due_ns;                   /* of the next frame */
	uint64_t period_ns;                /* between two, at least; also by the request */
	uint64_t sequence;                 /* of the last one */
	uint64_t shown_ever, skipped_ever; /* events */
	uint64_t skipped_before;           /* skipped_ever in the last frame */
	uint64_t shown_now;                /* in the frame that is being made */
	uint64_t rows_seen, events_seen;   /* how many rows an event has */
	uint64_t rows_before;              /* published before this feed began */
	bool has_begun;
	uint32_t most_waves;
	bool is_useless[256]; /* tables of the stream that it can't use, by the number that the stream's instance gave
				 them */
	uint32_t instance;

	float *values; /* of frames */
	size_t value_room;
	uint64_t mean_of; /* events in `means` */
	double mean_zero;
	float *means;
	struct wave mean_waves[WAVES_CHANNELS_MAX];
	uint32_t mean_count;
	uint16_t *counts;
	uint32_t map_channels[WAVES_CHANNELS_MAX];
	uint32_t map_count, map_points;
	struct density_map *map; /* NULL: not begun */
	uint64_t inside, outside;
	struct strip *strip;

	/* of the scope, under its lock */
	unsigned references;
	bool is_asked, is_wanted, is_armed, is_zoomed;
	struct feed_window zoom;
	uint64_t asked_period_ns;
	struct web_bytes *newest;
	uint64_t newest_sequence;
	uint32_t state_number; /* counts changes of `state` */
	char state[300];       /* why there are no frames; "" */
};

struct feed_look {
	const struct enrg_batch *batch;
	uint64_t published_rows;   /* of the stream, since it was opened */
	uint64_t run_number;       /* 0: not known */
	uint64_t now_ns, until_ns; /* CLOCK_MONOTONIC; no event is begun behind `until_ns` */
};

struct feed *feed_create(const struct feed_request *request, uint32_t number); /* NULL: out of memory */
void feed_destroy(struct feed *feed);                                          /* takes NULL */
/* The source has another stream from here on: what was learned of the old one does not hold. */
void feed_begin_instance(struct feed *feed, uint32_t instance);
/* Can it make use of such a table? `why` says why not. */
bool feed_takes(const struct feed *feed, const struct enrg_schema *schema, char why[300]);
/* Is a batch wanted now, by its own pace? */
bool feed_is_due(const struct feed *feed, uint64_t now_ns);
/* A frame, or NULL: none comes of this batch. */
struct web_bytes *feed_take(struct feed *feed, const struct feed_look *look);
/* The event that a single trigger has shown, by another window; NULL: it has shown none. What comes next is shown by it
 * as well. */
struct web_bytes *feed_zoom(struct feed *feed, const struct feed_window *window, uint64_t now_ns);

#endif
