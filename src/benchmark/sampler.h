/* sampler.h: looks at a running benchmark from outside, through the pages and streams of its jobs. Its thread never
 * touches the data path. */
#ifndef BENCHMARK_SAMPLER_H
#define BENCHMARK_SAMPLER_H

#include "benchmark/run.h"
#include "handover/page.h"

struct sampler; /* one benchmark in progress */

/* Starts the thread. `folder`: the runtime folder of the supervisor; producers are client_1 … and the store is `store`.
 * When the measurement is over, or nothing comes for 20 s, the thread sends SIGTERM to this process, whose supervisor
 * then drains. */
int sampler_start(
	const struct bench_params *params, const char *folder, struct sampler **ret_sampler, struct enrg_error *err);
/* The supervisor has ended: joins the thread, fills what was measured. -ETIMEDOUT: no data ever came. */
int sampler_stop(struct sampler *sampler, struct bench_result *result, struct enrg_error *err);

#endif
