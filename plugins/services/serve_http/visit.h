/* visit.h: one connection, and how long it has been slow. Lives in the server's list from its first to its last byte.
 */
#ifndef SERVE_HTTP_VISIT_H
#define SERVE_HTTP_VISIT_H

#include <stdbool.h>
#include <stdint.h>

struct visit {
	struct visit *next, **place;
	int descriptor; /* the library's */
	bool is_answering;
	uint64_t since_ns; /* that it waits for a request, or that `bytes` are counted */
	uint64_t bytes;    /* of the answer, fetched since then */
};

/* Since when an answer may have stood still, and the bytes that are to be fetched in that time. */
#define VISIT_SLOW_NS    30000000000u
#define VISIT_SLOW_BYTES 30720u

static inline void visit_begin_wait(struct visit *visit, uint64_t now_ns)
{
	visit->is_answering = false;
	visit->since_ns = now_ns;
}

static inline void visit_begin_answer(struct visit *visit, uint64_t now_ns)
{
	visit->is_answering = true;
	visit->since_ns = now_ns;
	visit->bytes = 0;
}

/* Has it had its time? */
static inline bool visit_is_over(struct visit *visit, uint64_t now_ns, uint64_t request_ns)
{
	if (!visit->is_answering)
		return now_ns - visit->since_ns > request_ns;
	if (now_ns - visit->since_ns < VISIT_SLOW_NS)
		return false;
	if (visit->bytes < VISIT_SLOW_BYTES)
		return true;
	visit_begin_answer(visit, now_ns);
	return false;
}

#endif
