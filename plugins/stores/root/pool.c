/* pool.c: see the header. Store process: main thread and the helper that it owns. */
#include "pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct pool {
	pthread_t helper;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	/* under the mutex: */
	struct pool_round *first, *last; /* rounds with tasks that nobody took */
	bool is_ending;
	struct compressor compressors[2]; /* of the main thread, of the helper */
};

/* With the mutex, which is free while the task is done. false: there is none. */
static bool do_task(struct pool *pool, struct compressor *compressor)
{
	struct pool_round *round = pool->first;

	if (!round)
		return false;
	uint32_t index = round->taken++;
	if (round->taken == round->count)
		pool->first = round->next;
	pthread_mutex_unlock(&pool->mutex);
	round->function(round->context, index, compressor);
	pthread_mutex_lock(&pool->mutex);
	if (++round->done == round->count)
		pthread_cond_broadcast(&pool->changed);
	return true;
}

static void *help(void *argument)
{
	struct pool *pool = argument;

	pthread_mutex_lock(&pool->mutex);
	while (!pool->is_ending)
		if (!do_task(pool, &pool->compressors[1]))
			pthread_cond_wait(&pool->changed, &pool->mutex);
	pthread_mutex_unlock(&pool->mutex);
	return NULL;
}

int pool_create(struct pool **ret_pool, struct enrg_error *err)
{
	struct pool *pool = calloc(1, sizeof(*pool));
	sigset_t all, old;

	if (!pool)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	pthread_mutex_init(&pool->mutex, NULL);
	pthread_cond_init(&pool->changed, NULL);
	/* Signals are the framework's, on the main thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	int error = pthread_create(&pool->helper, NULL, help, pool);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (error) {
		free(pool);
		return enrg_error_set(err, -error, "can't start a thread: %s", strerror(error));
	}
	*ret_pool = pool;
	return 0;
}

void pool_destroy(struct pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->mutex);
	pool->is_ending = true;
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->mutex);
	pthread_join(pool->helper, NULL);
	pthread_cond_destroy(&pool->changed);
	pthread_mutex_destroy(&pool->mutex);
	compressor_fini(&pool->compressors[0]);
	compressor_fini(&pool->compressors[1]);
	free(pool);
}

void pool_start(struct pool *pool, struct pool_round *round)
{
	round->taken = round->done = 0;
	round->next = NULL;
	if (round->count == 0)
		return;
	pthread_mutex_lock(&pool->mutex);
	if (pool->first)
		pool->last->next = round;
	else
		pool->first = round;
	pool->last = round;
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->mutex);
}

void pool_finish(struct pool *pool, struct pool_round *round)
{
	pthread_mutex_lock(&pool->mutex);
	while (round->done < round->count)
		if (!do_task(pool, &pool->compressors[0]))
			pthread_cond_wait(&pool->changed, &pool->mutex);
	pthread_mutex_unlock(&pool->mutex);
}
