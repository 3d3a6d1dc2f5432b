/* errand.c: see the header. */
#include "supervisor/errand.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"

#define STACK_BYTES (256u << 10)

struct errand {
	struct errand_params params;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t is_over;
	bool is_done, is_left;
	int rc;
};

static void destroy(struct errand *errand)
{
	errand->params.release(errand->params.context);
	pthread_cond_destroy(&errand->is_over);
	pthread_mutex_destroy(&errand->lock);
	free(errand);
}

static void *run(void *argument)
{
	struct errand *errand = argument;
	int rc = errand->params.work(errand->params.context);

	pthread_mutex_lock(&errand->lock);
	errand->rc = rc;
	errand->is_done = true;
	bool is_left = errand->is_left;
	pthread_cond_signal(&errand->is_over);
	pthread_mutex_unlock(&errand->lock);
	if (is_left)
		destroy(errand);
	return NULL;
}

/* Signals are for the main thread. */
static int start_thread(struct errand *errand)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	pthread_t thread;

	sigfillset(&all);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int code = pthread_create(&thread, &attributes, run, errand);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return -code;
}

int errand_start(const struct errand_params *params, struct errand **ret_errand)
{
	struct errand *errand = calloc(1, sizeof(*errand));
	pthread_condattr_t attributes;

	if (!errand) {
		params->release(params->context);
		return -EAGAIN;
	}
	errand->params = *params;
	pthread_mutex_init(&errand->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&errand->is_over, &attributes);
	pthread_condattr_destroy(&attributes);
	if (start_thread(errand) < 0) {
		destroy(errand);
		return -EAGAIN;
	}
	*ret_errand = errand;
	return 0;
}

bool errand_wait(struct errand *errand, uint64_t patience_ns, int *ret_rc)
{
	uint64_t until_ns = clock_mono_ns() + patience_ns;
	const struct timespec until = {
		.tv_sec = (time_t)(until_ns / 1000000000u), .tv_nsec = (long)(until_ns % 1000000000u)};
	int code = 0;

	pthread_mutex_lock(&errand->lock);
	while (!errand->is_done && patience_ns && code != ETIMEDOUT)
		code = pthread_cond_timedwait(&errand->is_over, &errand->lock, &until);
	bool is_done = errand->is_done;
	if (is_done)
		*ret_rc = errand->rc;
	pthread_mutex_unlock(&errand->lock);
	return is_done;
}

void errand_end(struct errand *errand)
{
	if (!errand)
		return;
	pthread_mutex_lock(&errand->lock);
	bool is_done = errand->is_done;
	errand->is_left = true;
	pthread_mutex_unlock(&errand->lock);
	if (is_done)
		destroy(errand);
}
