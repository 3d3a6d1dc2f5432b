/* workers.c: see the header. */
#include "web/system/workers.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

struct workers {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	unsigned threads, first, waiting, busy;
	bool is_ending;
	pthread_t thread[WORKERS_THREADS_MAX];
	struct {
		void (*work)(void *context);
		void *context;
	} queue[WORKERS_QUEUE]; /* a ring: `waiting` of them, from `first` */
};

static void *run(void *argument)
{
	struct workers *workers = argument;

	pthread_mutex_lock(&workers->lock);
	for (;;) {
		while (!workers->waiting && !workers->is_ending)
			pthread_cond_wait(&workers->wake, &workers->lock);
		if (!workers->waiting)
			break;
		void (*work)(void *context) = workers->queue[workers->first].work;
		void *context = workers->queue[workers->first].context;
		workers->first = (workers->first + 1) % WORKERS_QUEUE;
		workers->waiting--;
		workers->busy++;
		pthread_mutex_unlock(&workers->lock);
		work(context);
		pthread_mutex_lock(&workers->lock);
		workers->busy--;
	}
	pthread_mutex_unlock(&workers->lock);
	return NULL;
}

struct workers *workers_start(unsigned threads)
{
	struct workers *workers = calloc(1, sizeof(*workers));

	if (!workers)
		return NULL;
	pthread_mutex_init(&workers->lock, NULL);
	pthread_cond_init(&workers->wake, NULL);
	for (; workers->threads < threads && workers->threads < WORKERS_THREADS_MAX; workers->threads++)
		if (pthread_create(&workers->thread[workers->threads], NULL, run, workers))
			break;
	if (workers->threads) /* fewer do as well */
		return workers;
	workers_stop(workers);
	return NULL;
}

void workers_stop(struct workers *workers)
{
	if (!workers)
		return;
	pthread_mutex_lock(&workers->lock);
	workers->is_ending = true;
	pthread_cond_broadcast(&workers->wake);
	pthread_mutex_unlock(&workers->lock);
	for (unsigned i = 0; i < workers->threads; i++)
		pthread_join(workers->thread[i], NULL);
	pthread_cond_destroy(&workers->wake);
	pthread_mutex_destroy(&workers->lock);
	free(workers);
}

int workers_add(struct workers *workers, void (*work)(void *context), void *context)
{
	int rc = -EAGAIN;

	pthread_mutex_lock(&workers->lock);
	if (workers->waiting < WORKERS_QUEUE && !workers->is_ending) {
		unsigned place = (workers->first + workers->waiting++) % WORKERS_QUEUE;
		workers->queue[place].work = work;
		workers->queue[place].context = context;
		pthread_cond_signal(&workers->wake);
		rc = 0;
	}
	pthread_mutex_unlock(&workers->lock);
	return rc;
}

unsigned workers_count(struct workers *workers)
{
	pthread_mutex_lock(&workers->lock);
	unsigned count = workers->waiting + workers->busy;
	pthread_mutex_unlock(&workers->lock);
	return count;
}
