/* pool.h: the main thread and a helper that share independent tasks: encoding and compressing the columns of a commit.
 */
#ifndef ROOT_POOL_H
#define ROOT_POOL_H

#include "compress.h"

/* Called once for each index, by either thread. */
typedef void pool_function(void *context, uint32_t index, struct compressor *compressor);

struct pool;

int pool_create(struct pool **ret_pool, struct enrg_error *err);
void pool_destroy(struct pool *pool); /* takes NULL */
/* Returns when all tasks are done. */
void pool_run(struct pool *pool, uint32_t count, pool_function *function, void *context);

#endif
