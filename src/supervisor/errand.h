/* errand.h: a call that may never come back, such as one for a file on a server that is gone: made on a thread of its
 * own, for which nobody waits longer than he likes. What hangs is left behind, with all that it uses. Process:
 * supervisor; main thread. */
#ifndef SUPERVISOR_ERRAND_H
#define SUPERVISOR_ERRAND_H

#include <stdbool.h>
#include <stdint.h>

struct errand;

struct errand_params {
	int (*work)(void *context); /* on the thread; sees nothing but the context, and no signals */
	void (*release)(void *context);
	void *context;
};

/* -EAGAIN: there is no thread; then the context was released. */
int errand_start(const struct errand_params *params, struct errand **ret_errand);
/* true: it is done, *ret_rc is what it returned, and its context can be read. Waits up to `patience_ns` for it. */
bool errand_wait(struct errand *errand, uint64_t patience_ns, int *ret_rc);
/* The context is released: now where it is done, else when it is. Takes NULL. */
void errand_end(struct errand *errand);

#endif
