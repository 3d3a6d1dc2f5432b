/* sampler.c: the thread that samples a benchmark. */
#include "benchmark/sampler.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "plane/stream.h"

#define NO_DATA_NS 20000000000u
#define STEP_NS    20000000u

struct sample {
	uint64_t at_ns, store_started_ns, batches, rows, produced, cpu_ns, zmq_bytes;
	struct histogram latency;
};

struct sampler {
	struct bench_params params;
	char folder[512];
	pthread_t thread;
	_Atomic bool is_ending; /* the supervisor has returned */
	const struct page *store;
	const struct page *clients[1024];
	bool is_timed_out;
	struct sample first, before, now;
	double peak_mb_per_s, queue_sum, p95_sum, p99_peak;
	unsigned intervals;
};

static const struct page *look_for(struct sampler *sampler, const char *name)
{
	char path[640];
	const struct page *page = NULL;

	snprintf(path, sizeof(path), "%s/%s.page", sampler->folder, name);
	return page_open(path, &page, NULL) == 0 ? page : NULL;
}

static void open_clients(struct sampler *sampler)
{
	for (uint32_t i = 0; i < sampler->params.clients; i++) {
		char name[32];
		snprintf(name, sizeof(name), "client_%u", i + 1);
		if (!sampler->clients[i])
			sampler->clients[i] = look_for(sampler, name);
	}
}

/* CPU time of another process, to the nanosecond; what its page says where the process is gone. */
static uint64_t cpu_of(const struct page *page)
{
	clockid_t clock;
	struct timespec time;

	if (clock_getcpuclockid((pid_t)atomic_load_explicit(&page->pid, memory_order_relaxed), &clock) == 0 &&
		clock_gettime(clock, &time) == 0)
		return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
	return atomic_load_explicit(&page->cpu_ns, memory_order_relaxed);
}

static void add_page(struct sample *sample, const struct page *page)
{
	sample->cpu_ns += cpu_of(page);
	sample->zmq_bytes += atomic_load_explicit(&page->zmq_out_bytes, memory_order_relaxed) +
			     atomic_load_explicit(&page->control_out_bytes, memory_order_relaxed);
}

static void take(struct sampler *sampler, struct sample *sample)
{
	struct stream_status status;
	char path[640];

	memset(sample, 0, sizeof(*sample));
	open_clients(sampler);
	sample->store_started_ns = atomic_load_explicit(&sampler->store->started_mono_ns, memory_order_acquire);
	sample->batches = atomic_load_explicit(&sampler->store->in_batches, memory_order_acquire);
	sample->rows = atomic_load_explicit(&sampler->store->in_rows, memory_order_acquire);
	sample->at_ns = clock_mono_ns();
	sample->cpu_ns = clock_cpu_ns();
	histogram_merge(&sample->latency, &sampler->store->latency);
	add_page(sample, sampler->store);
	for (uint32_t i = 0; i < sampler->params.clients; i++) {
		if (sampler->clients[i])
			add_page(sample, sampler->clients[i]);
		snprintf(path, sizeof(path), "%s/client_%u.stream", sampler->folder, i + 1);
		if (stream_read_status(path, &status, NULL) == 0)
			sample->produced += status.batches;
	}
}

static double seconds(const struct sample *from, const struct sample *to)
{
	return (double)(to->at_ns - from->at_ns) / 1e9;
}

/* A client that died and was started again counts from zero. */
static double growth(uint64_t from, uint64_t to)
{
	return to > from ? (double)(to - from) : 0;
}

static void end_interval(struct sampler *sampler, double at_s)
{
	const struct sample *before = &sampler->before, *now = &sampler->now;
	double span = seconds(before, now);
	struct histogram latency;
	struct bench_interval interval = {.at_s = at_s};

	histogram_init(&latency);
	histogram_subtract(&latency, &now->latency, &before->latency);
	interval.mb_per_s = (double)(now->rows - before->rows) * 16 / 1e6 / span;
	interval.messages_per_s = (double)(now->batches - before->batches) / span;
	interval.queue_batches = now->produced > now->batches ? (double)(now->produced - now->batches) : 0;
	interval.cpu_percent = growth(before->cpu_ns, now->cpu_ns) / 1e7 / span;
	interval.p95_ms = (double)histogram_quantile(&latency, 0.95) / 1e6;
	interval.p99_ms = (double)histogram_quantile(&latency, 0.99) / 1e6;
	if (at_s > 0) {
		sampler->intervals++;
		sampler->queue_sum += interval.queue_batches;
		sampler->p95_sum += interval.p95_ms;
		if (interval.mb_per_s > sampler->peak_mb_per_s)
			sampler->peak_mb_per_s = interval.mb_per_s;
		if (interval.p99_ms > sampler->p99_peak)
			sampler->p99_peak = interval.p99_ms;
	}
	if (sampler->params.on_interval)
		sampler->params.on_interval(sampler->params.context, &interval);
}

static bool is_ending(const struct sampler *sampler)
{
	return atomic_load_explicit(&sampler->is_ending, memory_order_acquire);
}

/* Pauses until the moment, in steps, so that an early end is noticed. */
static void pause_until(const struct sampler *sampler, uint64_t until_ns)
{
	for (uint64_t now; (now = clock_mono_ns()) < until_ns && !is_ending(sampler);) {
		uint64_t left = until_ns - now < STEP_NS ? until_ns - now : STEP_NS;
		nanosleep(&(struct timespec){.tv_nsec = (long)left}, NULL);
	}
}

static bool wait_for_data(struct sampler *sampler)
{
	uint64_t until = clock_mono_ns() + NO_DATA_NS;

	while (!is_ending(sampler) && clock_mono_ns() < until) {
		if (!sampler->store)
			sampler->store = look_for(sampler, "store");
		if (sampler->store && atomic_load_explicit(&sampler->store->in_rows, memory_order_acquire))
			return true;
		nanosleep(&(struct timespec){.tv_nsec = STEP_NS / 4}, NULL);
	}
	return false;
}

/* The first seconds are for caches, page tables and restarts of clocks: not measured. */
static double warm_up_seconds(const struct sampler *sampler)
{
	return sampler->params.duration_s < 10 ? sampler->params.duration_s / 5 : 2;
}

/* Asks the supervisor, which is this process, to end the run in order; unless it has ended already. */
static void end_run(const struct sampler *sampler)
{
	if (!is_ending(sampler))
		kill(getpid(), SIGTERM);
}

/* A new life of the store counts from zero, on the same page: what was counted before is gone, and so is the run. */
static bool is_another_life(const struct sampler *sampler)
{
	return atomic_load_explicit(&sampler->store->started_mono_ns, memory_order_acquire) !=
	       sampler->first.store_started_ns;
}

static void *sample_run(void *context)
{
	struct sampler *sampler = context;
	double warm_up = warm_up_seconds(sampler), interval = sampler->params.interval_s;

	if (!wait_for_data(sampler)) {
		sampler->is_timed_out = true;
		end_run(sampler);
		return NULL;
	}
	uint64_t start = clock_mono_ns() + (uint64_t)(warm_up * 1e9);
	pause_until(sampler, start);
	take(sampler, &sampler->first);
	sampler->before = sampler->now = sampler->first;
	for (double at = 0; at < sampler->params.duration_s - 1e-3 && !is_ending(sampler);) {
		at = at + interval < sampler->params.duration_s ? at + interval : sampler->params.duration_s;
		pause_until(sampler, start + (uint64_t)(at * 1e9));
		if (is_ending(sampler))
			break;
		sampler->before = sampler->now;
		take(sampler, &sampler->now);
		if (is_another_life(sampler))
			break;
		end_interval(sampler, at);
	}
	end_run(sampler);
	return NULL;
}

int sampler_start(
	const struct bench_params *params, const char *folder, struct sampler **ret_sampler, struct enrg_error *err)
{
	struct sampler *sampler = calloc(1, sizeof(*sampler));
	sigset_t all, old;

	if (!sampler)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	sampler->params = *params;
	snprintf(sampler->folder, sizeof(sampler->folder), "%s", folder);
	/* Signals are the supervisor's. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	int rc = pthread_create(&sampler->thread, NULL, sample_run, sampler);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc) {
		free(sampler);
		return enrg_error_set(err, -rc, "can't start a thread: %s", enrg_error_name(-rc));
	}
	*ret_sampler = sampler;
	return 0;
}

static void fill_latency(const struct sampler *sampler, struct bench_result *result)
{
	struct histogram latency;

	histogram_init(&latency);
	histogram_subtract(&latency, &sampler->now.latency, &sampler->first.latency);
	result->latency_p50_ms = (double)histogram_quantile(&latency, 0.50) / 1e6;
	result->latency_p95_ms = (double)histogram_quantile(&latency, 0.95) / 1e6;
	result->latency_p99_ms = (double)histogram_quantile(&latency, 0.99) / 1e6;
	result->latency_p999_ms = (double)histogram_quantile(&latency, 0.999) / 1e6;
	result->latency_max_ms = (double)histogram_quantile(&latency, 1) / 1e6;
	result->latency_p95_mean_ms = sampler->p95_sum / sampler->intervals;
	result->latency_p99_peak_ms = sampler->p99_peak;
}

static void fill(const struct sampler *sampler, struct bench_result *result)
{
	const struct sample *first = &sampler->first, *now = &sampler->now;
	double span = seconds(first, now);

	result->measured_s = span;
	result->throughput_mb_per_s = (double)(now->rows - first->rows) * 16 / 1e6 / span;
	result->messages_per_s = (double)(now->batches - first->batches) / span;
	result->zmq_mb_per_s = growth(first->zmq_bytes, now->zmq_bytes) / 1e6 / span;
	result->cpu_percent = growth(first->cpu_ns, now->cpu_ns) / 1e7 / span;
	result->peak_mb_per_s = sampler->peak_mb_per_s;
	result->queue_batches = sampler->queue_sum / sampler->intervals;
	result->batches = atomic_load_explicit(&sampler->store->in_batches, memory_order_relaxed);
	result->lost = atomic_load_explicit(&sampler->store->lost, memory_order_relaxed);
	result->duplicated = atomic_load_explicit(&sampler->store->duplicated, memory_order_relaxed);
	result->corrupted = atomic_load_explicit(&sampler->store->corrupted, memory_order_relaxed);
	fill_latency(sampler, result);
}

int sampler_stop(struct sampler *sampler, struct bench_result *result, struct enrg_error *err)
{
	int rc = 0;

	atomic_store_explicit(&sampler->is_ending, true, memory_order_release);
	pthread_join(sampler->thread, NULL);
	if (sampler->is_timed_out)
		rc = enrg_error_set(err, -ETIMEDOUT, "the store counted no row");
	else if (sampler->first.at_ns && is_another_life(sampler))
		rc = enrg_error_set(err, -ECANCELED, "the store ended and was started again: nothing was measured");
	else if (!sampler->intervals)
		rc = enrg_error_set(err, -ECANCELED, "ended before the first interval of the measurement was over");
	else
		fill(sampler, result);
	page_close(sampler->store);
	for (uint32_t i = 0; i < sampler->params.clients; i++)
		page_close(sampler->clients[i]);
	free(sampler);
	return rc;
}
