/* scope_frame.h: the bytes of a frame as clients get them; docs/live-protocol.md is the layout. Any thread. Process:
 * enrgdaq-web. */
#ifndef WEB_LIVE_SCOPE_FRAME_H
#define WEB_LIVE_SCOPE_FRAME_H

#include "web/http/message.h"

enum scope_frame_kind {
	SCOPE_SAMPLES = 1, /* values as they are */
	SCOPE_PAIRS = 2,   /* min and max of each column */
	SCOPE_DENSITY = 3, /* a map of counts a channel */
	SCOPE_STRIP = 4,   /* values of columns over time: a channel a column, times ahead of them */
};

enum scope_frame_values { SCOPE_INT16 = 1, SCOPE_FLOAT32 = 2, SCOPE_UINT16 = 3 };

enum {
	SCOPE_IS_FORCED = 1,   /* nothing triggered for a while: an event as it came */
	SCOPE_IS_AVERAGE = 2,  /* the mean of several */
	SCOPE_HAS_GAPS = 4,    /* samples that the source left out stand as 0 */
	SCOPE_IS_LAST = 8,     /* single: nothing more until it is armed */
	SCOPE_IN_SAMPLES = 16, /* x counts samples, not ns: the table does not say how long one takes */
};

#define SCOPE_HEADER_BYTES  168u
#define SCOPE_CHANNEL_BYTES 32u
#define SCOPE_BYTES_MAX     (2u << 20) /* with its header */

struct scope_channel {
	uint32_t number;
	bool has_triggered;
	double scale, offset;   /* in the unit: offset + scale * value */
	double baseline;        /* NAN: not known */
	const float *values;    /* those of the frame's kind; all channels have as many */
	const uint16_t *counts; /* SCOPE_DENSITY */
};

struct scope_frame {
	enum scope_frame_kind kind;
	enum scope_frame_values type;
	uint32_t flags, feed;
	uint64_t sequence, event_number, run_number, wall_ns, made_ns;
	double x0_ns, x_step_ns; /* of the first point, from point to point */
	uint32_t points;         /* a channel: values, pairs, columns of a map */
	uint32_t rows;           /* of a map */
	uint32_t first_sample, sample_count, record_samples;
	uint64_t shown, skipped, shown_ever, skipped_ever;
	double low, high; /* of a map */
	const char *source, *run, *tag, *unit;
	uint32_t channel_count;
	const struct scope_channel *channels;
	const double *times_ns; /* SCOPE_STRIP: since wall_ns */
};

/* NULL: out of memory, or longer than SCOPE_BYTES_MAX. */
struct web_bytes *scope_frame_create(const struct scope_frame *frame);

#endif
