/* copies.c: which instruction copies best into a ring that another process reads, and does the product find it? */
#include <stdio.h>

#include "bench/compare.h"
#include "bench/limits.h"
#include "bench/trial.h"

#define BATCH_BYTES 8000000u
#define RING_BYTES  (64u << 20)
#define HOT_BYTES   (16u << 20)
#define MEASURE_NS  200000000u

static const char help[] =
	"Batches of 8 MB through one link by memcpy, rep movsb and non-temporal stores, and by the product's\n"
	"own choice, with and without CRC-32C on both sides: each divided by the bare pair of processes with\n"
	"its best instruction.";

struct way {
	bool is_tuned, checks;
	enum copy_method method;
	enum copy_method chosen; /* in the last round */
};

static int measure_pair(void *context, double *ret_figures, struct enrg_error *err)
{
	struct limits_bare_pair pair = {0};

	(void)context;
	int code = limits_measure_bare_pair(&pair, err);
	ret_figures[0] = pair.gb_per_s;
	return code;
}

static int measure_way(void *context, double *ret_figures, struct enrg_error *err)
{
	struct way *way = context;
	const struct trial_params params = {
		.payload_bytes = BATCH_BYTES,
		.data_bytes = RING_BYTES,
		.hot_bytes = HOT_BYTES,
		.required_count = 1,
		.checks = way->checks,
		.is_tuned = way->is_tuned,
		.method = way->method,
		.measure_ns = MEASURE_NS,
	};
	struct trial_result result = {0};

	int code = trial_run(&params, &result, err);
	ret_figures[0] = result.gb_per_s;
	way->chosen = result.method;
	return code;
}

int main(int argc, char **argv)
{
	unsigned rounds = compare_parse(argc, argv, help);
	struct enrg_error err = {0};
	int worst = 0;

	for (int i = 0; i < 8 && worst >= 0; i++) {
		struct way way = {.checks = i >= 4, .is_tuned = i % 4 == 3, .method = (enum copy_method)(i % 4 % 3)};
		char name[80];
		snprintf(name, sizeof(name), "%s%s", way.is_tuned ? "own choice" : copy_method_name(way.method),
			way.checks ? ", with CRC" : "");
		const struct compare_metric metric = {name, "GB/s", 0, false};
		const struct compare compare = {rounds, 1, &metric, measure_pair, measure_way, &way, NULL};
		int code = compare_run(&compare, &err);
		worst = code < 0 || worst == 0 ? code : worst;
		if (way.is_tuned && !way.checks)
			printf("  chosen last: %s\n", copy_method_name(way.chosen));
	}
	return compare_exit(worst, &err);
}
