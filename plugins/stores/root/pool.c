/* pool.c: see the header. Store process: main thread and the helper that it owns. */
#include "pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct pool {
	pthread_t helper;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	/* under the mutex: */
	uint64_t round;  /* counts the calls of pool_run */
	uint64_t helped; /* the last round that the helper is through with */
	bool is_ending;
	/* set before a round: */
	pool_function *function;
	void *context;
	uint32_t count;
	_Atomic uint32_t next; /* index of the next task that nobody took */
	struct compressor compressors[2];
};

static void work(struct pool *pool, struct compressor *compressor)
{
	for (;;) {
		/* The tasks were published by the mutex; this only hands out numbers. */
		uint32_t index = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
		if (index >= pool->count)
			return;
		pool->function(pool->context, index, compressor);
	}
}

static void *help(void *argument)
{
	struct pool *pool = argument;

	pthread_mutex_lock(&pool->mutex);
	for (;;) {
		while (pool->round == pool->helped && !pool->is_ending)
			pthread_cond_wait(&pool->changed, &pool->mutex);
		if (pool->is_ending)
			break;
		pthread_mutex_unlock(&pool->mutex);
		work(pool, &pool->compressors[1]);
		pthread_mutex_lock(&pool->mutex);
		pool->helped = pool->round;
		pthread_cond_broadcast(&pool->changed);
	}
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

void pool_run(struct pool *pool, uint32_t count, pool_function *function, void *context)
{
	pthread_mutex_lock(&pool->mutex);
	pool->function = function;
	pool->context = context;
	pool->count = count;
	atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
	pool->round++;
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->mutex);
	work(pool, &pool->compressors[0]);
	pthread_mutex_lock(&pool->mutex);
	while (pool->helped != pool->round)
		pthread_cond_wait(&pool->changed, &pool->mutex);
	pthread_mutex_unlock(&pool->mutex);
}
