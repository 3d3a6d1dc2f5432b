/* copy_tuner.h: which way of copying lets most come out at the reader: found by trying. A producer's own time says
 * little of it: stores past the caches can be the fastest for the producer and the slowest for its reader. No clock, no
 * memory that is shared: all is told by the caller. One thread. docs/decisions/0017-copies-by-what-comes-out.md
 *
 * For each batch that is copied: copy_tuner_begin before its claim, copy_tuner_end after its commit. Batches of three
 * classes of size are judged each by itself. */
#ifndef BASE_COPY_TUNER_H
#define BASE_COPY_TUNER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/copy.h"

/* Smaller batches are copied by memcpy and not looked at. */
#define COPY_TUNER_BYTES_MIN (UINT64_C(64) << 10)
#define COPY_TUNER_CLASSES   3u

struct copy_class {
	enum copy_method kept; /* what won last */
	uint64_t due_ns;       /* of the next trial; 0 = the source has not been busy yet */
	uint64_t pause_ns;     /* before the one after it */
	double usual;          /* bytes a ns since the last trial; 0 = not known yet */
	uint32_t odd;          /* episodes in a row that were far from it */
};

struct copy_episode {
	uint64_t acknowledged_min; /* it begins when this much is acknowledged: what an earlier way wrote is through */
	uint64_t since_ns, since_acknowledged, busy_ns;
	uint32_t batches; /* 0 = it has not begun */
};

struct copy_tuner {
	struct copy_class classes[COPY_TUNER_CLASSES];
	uint32_t producers;
	unsigned class_now;
	enum copy_method way; /* of the batches now */
	bool is_busy;         /* the source waits for nothing but its consumers */
	uint64_t written;     /* bytes, ever */
	uint64_t begun_ns;    /* when the batch that is being written began; 0: it is too small */
	struct copy_episode episode;
	/* the trial that goes on */
	unsigned step;                /* of it; 0 = none */
	unsigned rival;               /* the way that is tried */
	bool has_tried;               /* the other rival */
	double kept_rate, rival_rate; /* bytes a ns, in its last episodes */
};

/* For one of `producers` that share consumers. Three and more see of each other's gains and losses nothing but their
 * own share, so they try nothing: what they write together decides. */
void copy_tuner_init(struct copy_tuner *tuner, uint32_t producers);

/* Before a batch of `bytes` is claimed: how it is to be copied. */
enum copy_method copy_tuner_begin(struct copy_tuner *tuner, uint64_t bytes, uint64_t now_ns);

/* After it was committed: bytes that were written, itself included, and those of them that all consumers are done with.
 */
void copy_tuner_end(struct copy_tuner *tuner, uint64_t written, uint64_t acknowledged, uint64_t now_ns);

#endif
