/* window.h: how many bytes a producer has in flight before it waits for consumers that keep up: found by what it sees
 * of them. No clock, no memory that is shared: all is told by the caller. One thread.
 *
 * A turn is one wait at the end of the window. Consumers that had nothing to do before the next batch came were
 * starved: the window was too small, or the producer is what is slow. Which of the two, the rate tells: a larger window
 * stays only where more went through. docs/decisions/0008-window-by-measurement.md */
#ifndef PLANE_WINDOW_H
#define PLANE_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

struct window_turn {
	uint64_t now_ns;  /* when the first batch behind the wait was published */
	uint64_t bytes;   /* that consumers were done with since the last turn */
	uint64_t held_ns; /* length of the wait */
	bool has_slept;   /* the wait was long enough to go to sleep */
	bool is_starved;  /* consumers had run out of work by then */
};

/* Episodes until a trial is worth while again, and after the next failure. */
struct window_pause {
	uint32_t left, next;
};

struct window {
	uint64_t bytes; /* the window now; callers never use less than records_min of their records */
	uint32_t records_min;
	uint64_t target_ns;  /* for a batch from commit to ack; 0 = no governor, `bytes` stays */
	uint64_t limit;      /* of bytes: what the ring allows */
	double bytes_per_ns; /* that consumers take, over the last episode; 0 = not known yet */
	/* the episode that goes on */
	uint64_t since_ns, done, held_ns;
	uint32_t turns, sleeps, starved;
	/* the trial of another window, an episode long */
	uint64_t before; /* window before the trial; 0 = none goes on */
	double rate_before;
	struct window_pause larger, smaller;
	/* since when batches have waited for more than twice the target; 0 = they do not */
	uint64_t beyond_since_ns, beyond_wait_ns;
};

/* For one of `producers` that share consumers. */
void window_init(struct window *window, uint64_t target_ns, uint32_t producers, uint64_t limit);

/* One turn of records that need `record_bytes` at most. */
void window_turn(struct window *window, uint64_t record_bytes, const struct window_turn *turn);

/* How long a batch that is committed last waits: by the rate of the last episode; 0 = not known yet. */
uint64_t window_wait_ns(const struct window *window, uint64_t record_bytes);

/* Why it is as large as it is. In streams' files: values stay. */
enum window_reason {
	WINDOW_UNTOLD,
	WINDOW_BY_HAND,
	WINDOW_UNMEASURED, /* no episode is over yet */
	WINDOW_LATENCY,    /* within the target */
	WINDOW_THROUGHPUT, /* beyond it: with less, consumers run out of work, or it is the records that they need to
			      have two of */
};
enum window_reason window_reason(const struct window *window, uint64_t record_bytes);
/* One word or two; of any number. */
const char *window_reason_name(uint32_t reason);

/* The target can't be met: batches have waited for more than twice as long for ten seconds. Sets how long they wait. */
bool window_misses_target(const struct window *window, uint64_t *ret_wait_ns);

/* One record can be filled while another is read. Several producers do that for each other: there one record each is as
 * good, where consumers do not run out of work. */
#define WINDOW_RECORDS_MIN 2u

/* The bytes to be used for records of that size. */
static inline uint64_t window_for(const struct window *window, uint64_t record_bytes)
{
	uint64_t least = window->records_min * record_bytes;

	return window->bytes > least ? window->bytes : least;
}

#endif
