/* visit.h: one connection, and how long it has been slow. Lives in the server's list from its first to its last byte.
 */
#ifndef SERVE_HTTP_VISIT_H
#define SERVE_HTTP_VISIT_H

#include <stdbool.h>
#include <stdint.h>

struct visit {
	struct visit *next, **place;
	int descriptor; /* the library's */
	bool is_answering, was_sending;
	uint64_t since_ns; /* that it waits for a request, or that nothing more of an answer has arrived */
	uint64_t bytes;    /* of answers, that the library has taken */
	int64_t arrived;   /* less those that the kernel still has for who asked, when it was looked at last */
};

/* An answer may stand still for so many times the patience with a request. */
#define VISIT_STALLS 3u
/* What counts as not standing still: a window of the receiver can't be told to grow by less. */
#define VISIT_STEP_BYTES 512

static inline void visit_begin_wait(struct visit *visit, uint64_t now_ns)
{
	visit->is_answering = false;
	visit->since_ns = now_ns;
}

static inline void visit_begin_answer(struct visit *visit, uint64_t now_ns)
{
	visit->is_answering = true;
	visit->since_ns = now_ns;
}

/* Has it had its time? `unsent`: bytes that the kernel has, and the other side has not. However slowly it fetches: who
 * fetches is not cut off. */
static inline bool visit_is_over(struct visit *visit, uint64_t unsent, uint64_t now_ns, uint64_t request_ns)
{
	bool is_sending = visit->is_answering || unsent;
	int64_t arrived = (int64_t)visit->bytes - (int64_t)unsent;

	if (visit->was_sending && (!is_sending || arrived >= visit->arrived + VISIT_STEP_BYTES)) {
		visit->arrived = arrived;
		visit->since_ns = now_ns;
	}
	if (!visit->was_sending)
		visit->arrived = arrived;
	visit->was_sending = is_sending;
	return now_ns - visit->since_ns > (is_sending ? VISIT_STALLS * request_ns : request_ns);
}

#endif
