/* consumers.c: what do more consumers of one stream cost, and what do observers? */
#include <stdio.h>

#include "benchmark/compare.h"
#include "benchmark/trial.h"

#define BATCH_BYTES 1000000u
#define RING_BYTES  (64u << 20)
#define HOT_BYTES   (8u << 20)
#define MEASURE_NS  200000000u

static const char help[] =
	"Batches of 1 MB to one, two and four required consumers, and to one with one and three observers\n"
	"attached (which never hold the producer back, and miss what is overwritten): the rate of the slowest\n"
	"required consumer, divided by the rate of one alone. Consumers beyond the CPUs of this machine share\n"
	"them: 1/n is then what can be had.";

struct crowd {
	const char *name;
	unsigned required_count, observer_count;
	uint64_t observed, lapped;
};

static int measure(const struct crowd *crowd, struct trial_result *ret_result, struct enrg_error *err)
{
	const struct trial_params params = {
		.payload_bytes = BATCH_BYTES,
		.data_bytes = RING_BYTES,
		.hot_bytes = HOT_BYTES,
		.required_count = crowd->required_count,
		.observer_count = crowd->observer_count,
		.is_tuned = true,
		.window_records = 16,
		.measure_ns = MEASURE_NS,
	};

	return trial_run(&params, ret_result, err);
}

static int measure_one(void *context, double *ret_figures, struct enrg_error *err)
{
	static const struct crowd one = {.required_count = 1};
	struct trial_result result = {0};

	(void)context;
	int rc = measure(&one, &result, err);
	ret_figures[0] = result.gb_per_s;
	return rc;
}

static int measure_crowd(void *context, double *ret_figures, struct enrg_error *err)
{
	struct crowd *crowd = context;
	struct trial_result result = {0};

	int rc = measure(crowd, &result, err);
	ret_figures[0] = result.gb_per_s;
	crowd->observed += result.observed;
	crowd->lapped += result.lapped;
	return rc;
}

int main(int argc, char **argv)
{
	static struct crowd crowds[] = {
		{.name = "two required consumers, of one", .required_count = 2},
		{.name = "four required consumers, of one", .required_count = 4},
		{.name = "one required consumer and one observer, of one alone",
			.required_count = 1,
			.observer_count = 1},
		{.name = "one required consumer and three observers, of one alone",
			.required_count = 1,
			.observer_count = 3},
	};
	unsigned rounds = compare_parse(argc, argv, help);
	struct enrg_error err = {0};
	int worst = 0;

	for (unsigned i = 0; i < sizeof(crowds) / sizeof(crowds[0]) && worst >= 0; i++) {
		const struct compare_metric metric = {crowds[i].name, "GB/s", 0, false};
		const struct compare compare = {.rounds = rounds,
			.metric_count = 1,
			.metrics = &metric,
			.limit = measure_one,
			.value = measure_crowd,
			.context = &crowds[i]};
		int code = compare_run(&compare, &err);
		worst = code < 0 || worst == 0 ? code : worst;
		if (crowds[i].observer_count > 0)
			printf("  observers read %llu batches and missed %llu\n",
				(unsigned long long)crowds[i].observed, (unsigned long long)crowds[i].lapped);
	}
	return compare_exit(worst, &err);
}
