/* pool.h: the main thread and a helper that share independent tasks: encoding and compressing columns. */
#ifndef ROOT_POOL_H
#define ROOT_POOL_H

#include "compress.h"

/* Called once for each index, by either thread. */
typedef void pool_function(void *context, uint32_t index, struct compressor *compressor);

/* Some tasks that belong together; the caller's memory from pool_start until pool_finish returns. */
struct pool_round {
	pool_function *function;
	void *context;
	uint32_t count;
	/* The pool's: */
	uint32_t taken, done;
	struct pool_round *next;
};

struct pool;

int pool_create(struct pool **ret_pool, struct enrg_error *err);
void pool_destroy(struct pool *pool); /* takes NULL; no round may be under way */
/* The helper does the tasks in their order, behind those of rounds that were started before. */
void pool_start(struct pool *pool, struct pool_round *round);
/* Takes part until all tasks of the round are done. */
void pool_finish(struct pool *pool, struct pool_round *round);

#endif
