/* trigger.h: which events a scope shows: where a waveform passes a level, whether several channels do so together, and
 * how often. Pure functions on the caller's arrays. Positions are counted in samples from the first one, with a
 * fraction; NAN: it does not. Process: enrgdaq-web. */
#ifndef WEB_LIVE_TRIGGER_H
#define WEB_LIVE_TRIGGER_H

#include <stdbool.h>
#include <stdint.h>

enum trigger_slope { TRIGGER_RISING, TRIGGER_FALLING, TRIGGER_EITHER };

struct trigger_level {
	float level;
	float hysteresis; /* >= 0: what passes the level was that far on its other side before */
	enum trigger_slope slope;
};

/* Where the values pass the level for the first time, between two samples by a straight line. */
float trigger_cross(const float *values, uint32_t count, const struct trigger_level *level);

/* When the `needed`th of the channels has passed its level, where so many did so within `within` samples: the first
 * such moment. `positions` are sorted here; NANs among them count as never. `needed` is at least 1. */
float trigger_coincide(float *positions, uint32_t count, uint32_t needed, float within);

enum trigger_mode {
	TRIGGER_AUTO,   /* what triggers; where nothing did for a while, anything */
	TRIGGER_NORMAL, /* what triggers */
	TRIGGER_SINGLE, /* the next one that triggers, then nothing until it is armed again */
};

struct trigger_rules {
	enum trigger_mode mode;
	uint64_t hold_off_ns; /* between two that are shown, by their own times */
	uint64_t auto_ns;     /* TRIGGER_AUTO: where nothing was shown for so long, anything is */
};

struct trigger {              /* zeroed: armed, nothing shown */
	bool is_done;         /* TRIGGER_SINGLE: it has shown its event */
	uint64_t shown_at_ns; /* own time of the event that was shown last */
	uint64_t shown_ns;    /* when it was shown, by the caller's clock */
	bool has_shown;
};

enum trigger_verdict { TRIGGER_LEAVE, TRIGGER_SHOW, TRIGGER_SHOW_FORCED };

/* What becomes of an event of the time `event_ns`; it has passed the level or not. `now_ns`: a clock that only grows.
 */
enum trigger_verdict trigger_judge(struct trigger *trigger, const struct trigger_rules *rules, bool has_passed,
	uint64_t event_ns, uint64_t now_ns);
/* TRIGGER_SINGLE: shows one more. */
void trigger_arm(struct trigger *trigger);

#endif
