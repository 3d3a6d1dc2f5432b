/* traces.h: which batches a job process has sent and received, sampled, on their way to the reporter thread.
 *
 * Off unless somebody reads traces: then process->traces is NULL, and a batch costs one load. On, a batch whose
 * sequence number is not sampled costs a count and a comparison. The main thread notes, the reporter thread switches
 * on and takes once a second.
 */
#ifndef JOB_PROCESS_TRACES_H
#define JOB_PROCESS_TRACES_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define TRACES_MAX   128u /* in one report */
#define TRACES_LANES 64u  /* streams that are sampled by themselves; beyond, some share how they are sampled */

struct traces;

struct trace_note {
	bool is_received;
	bool is_blob;
	const uint8_t *stream; /* 16 bytes: its uuid */
	const char *source;
	uint32_t lane;                 /* which stream of this process, from 0 */
	uint64_t sequence;             /* in the stream */
	uint64_t sent_ns, received_ns; /* CLOCK_MONOTONIC */
	uint64_t rows, bytes;
};

struct traces *traces_create(void);         /* NULL: out of memory */
void traces_destroy(struct traces *traces); /* takes NULL */

/* Main thread. Of each stream the batches whose sequence its step divides; the step is a power of two, doubled when
 * more than TRACES_MAX come before the next report, and halved while there are few. */
void traces_note(struct traces *traces, const struct trace_note *note);
/* Reporter thread. The body of a report, and the next one begins; NULL: nothing was noted, or out of memory. */
json_t *traces_take(struct traces *traces);
/* Reporter thread: nobody reads them any more; what was noted is thrown away. Totals stay. */
void traces_clear(struct traces *traces);

#endif
