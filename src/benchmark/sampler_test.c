/* sampler_test.c: what a benchmark says of a store that is there all the time, and of one that was started again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "benchmark/sampler.h"

struct fixture {
	char folder[64], path[96];
	struct page *store;
	unsigned intervals, restart_at;
};

/* Between two samples: a second of work, or a new life on the same page. */
static void on_interval(void *context, const struct bench_interval *interval)
{
	struct fixture *f = context;

	(void)interval;
	if (++f->intervals == f->restart_at) {
		page_close(f->store);
		page_create(f->path, &f->store, NULL);
	}
	atomic_fetch_add(&f->store->in_rows, 1000);
	atomic_fetch_add(&f->store->in_batches, 1);
}

static int sample(unsigned restart_at, struct bench_result *result, struct enrg_error *err)
{
	struct fixture f = {.folder = "/dev/shm/sampler_test.XXXXXX", .restart_at = restart_at};
	const struct bench_params params = {
		.clients = 1,
		.duration_s = 0.3,
		.interval_s = 0.1,
		.on_interval = on_interval,
		.context = &f,
	};
	struct sampler *sampler;
	sigset_t asked;
	int signal_number;

	sigemptyset(&asked);
	sigaddset(&asked, SIGTERM);
	sigprocmask(SIG_BLOCK, &asked, NULL);
	assert_non_null(mkdtemp(f.folder));
	snprintf(f.path, sizeof(f.path), "%s/store.page", f.folder);
	assert_int_equal(page_create(f.path, &f.store, err), 0);
	atomic_store(&f.store->in_rows, 1000000);
	atomic_store(&f.store->in_batches, 1000);
	assert_int_equal(sampler_start(&params, f.folder, &sampler, err), 0);
	assert_int_equal(sigwait(&asked, &signal_number), 0);
	int code = sampler_stop(sampler, result, err);
	page_close(f.store);
	unlink(f.path);
	rmdir(f.folder);
	return code;
}

static void test_whole_run(void **state)
{
	struct bench_result result = {0};
	struct enrg_error err = {0};

	(void)state;
	assert_int_equal(sample(0, &result, &err), 0);
	assert_int_equal(result.batches, 1003);
	assert_true(result.throughput_mb_per_s > 0 && result.throughput_mb_per_s < 10);
}

static void test_restarted_store(void **state)
{
	struct bench_result result = {0};
	struct enrg_error err = {0};

	(void)state;
	assert_int_equal(sample(1, &result, &err), -ECANCELED);
	assert_int_equal(sample(3, &result, &err), -ECANCELED); /* behind the last sample */
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_whole_run), cmocka_unit_test(test_restarted_store)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
