/* copies.c: which way of copying and which window bring most through one link, and does the product find them? */
#include <stdio.h>

#include "benchmark/compare.h"
#include "benchmark/limits.h"
#include "benchmark/pair.h"
#include "benchmark/trial.h"

#define METHODS     3u
#define WINDOWS     4u
#define ROUNDS_MAX  50u
#define RING_BYTES  (UINT64_C(64) << 20)
#define RECORD_MORE UINT64_C(8192) /* header and alignment, at most */
#define TARGET_NS   UINT64_C(1000000)
#define CELL_NS     UINT64_C(60000000)
#define OWN_NS      UINT64_C(500000000)
#define DETECTOR_NS UINT64_C(700000000)

static const char help[] =
	"One link between two processes, CRC-32C on both sides, batches of 16 kB, 1 MB and 8 MB: every way of\n"
	"copying with several windows, the best of them, and what the product finds by itself; the bare pair of\n"
	"processes beside it. Then 8 MB a hundred times a second: from before the copy until the batch is\n"
	"checked, beside copy, wake-up and check by themselves. At most 50 rounds.";

struct size {
	const char *name;
	uint64_t bytes;
	unsigned methods;          /* batches below 64 KiB are always copied by memcpy */
	unsigned windows[WINDOWS]; /* in records */
	uint32_t window_records;   /* for a rate */
	double of_bare_pair;       /* goal; 0 = none */
};

static const struct size sizes[] = {
	{"16 kB", 16000, 1, {16, 48, 128, 512}, 256, 0},
	{"1 MB", 1000000, METHODS, {2, 3, 4, 8}, 16, 15.0 / 13},
	{"8 MB", 8000000, METHODS, {2, 3, 4, 6}, 8, 0},
};

struct figures {
	double cells[METHODS][WINDOWS][ROUNDS_MAX];
	double own[ROUNDS_MAX], bare[ROUNDS_MAX];
	struct trial_result last; /* of the product's own choice */
};

static struct trial_params params_of(const struct size *size)
{
	return (struct trial_params){
		.payload_bytes = size->bytes,
		.data_bytes = RING_BYTES,
		.required_count = 1,
		.checks = true,
		.window_records = size->window_records,
		.measure_ns = CELL_NS,
	};
}

static int measure_round(const struct size *size, struct figures *figures, unsigned round, struct enrg_error *err)
{
	struct limits_bare_pair bare;
	struct trial_params params = params_of(size);
	struct trial_result result;
	int rc = 0;

	for (unsigned m = 0; m < size->methods; m++)
		for (unsigned w = 0; w < WINDOWS && rc == 0; w++) {
			params.method = (enum copy_method)m;
			params.hot_bytes = size->windows[w] * (size->bytes + RECORD_MORE);
			rc = trial_run(&params, &result, err);
			figures->cells[m][w][round] = result.gb_per_s;
		}
	params.is_tuned = true;
	params.method = COPY_MEMCPY;
	params.hot_bytes = 0;
	params.target_ns = TARGET_NS;
	params.measure_ns = OWN_NS;
	if (rc == 0)
		rc = trial_run(&params, &figures->last, err);
	if (rc == 0)
		rc = limits_measure_bare_pair(&bare, err);
	if (rc == 0) {
		figures->own[round] = figures->last.gb_per_s;
		figures->bare[round] = bare.gb_per_s;
	}
	return rc;
}

static bool print_goal(double ratio, double goal, bool is_at_most)
{
	bool is_met = is_at_most ? ratio <= goal : ratio >= goal;

	printf(": ratio %.3f, goal %s %.3g: %s\n", ratio, is_at_most ? "<=" : ">=", goal, is_met ? "met" : "MISSED");
	return is_met;
}

static bool print_size(const struct size *size, struct figures *figures, unsigned rounds, enum regime regime)
{
	unsigned best_method = 0, best_window = 0;
	double best = 0, own = pair_median(figures->own, rounds), bare = pair_median(figures->bare, rounds);

	printf("%s, GB/s, medians of %u, %s; batches in flight:", size->name, rounds, regime_name(regime));
	for (unsigned w = 0; w < WINDOWS; w++)
		printf("%8u", size->windows[w]);
	for (unsigned m = 0; m < size->methods; m++) {
		printf("\n  %-14s", copy_method_name((enum copy_method)m));
		for (unsigned w = 0; w < WINDOWS; w++) {
			double gb_per_s = pair_median(figures->cells[m][w], rounds);
			printf("%8.2f", gb_per_s);
			if (gb_per_s <= best)
				continue;
			best = gb_per_s;
			best_method = m;
			best_window = w;
		}
	}
	printf("\n  own choice %.2f (%s, %.1f in flight) of the best, %.2f (%s, %u)", own,
		copy_method_name(figures->last.method), figures->last.in_flight_bytes / (double)size->bytes, best,
		copy_method_name((enum copy_method)best_method), size->windows[best_window]);
	bool is_met = print_goal(own / best, 0.95, false);
	printf("  own choice of the bare pair, %.2f", bare);
	if (size->of_bare_pair > 0)
		return print_goal(own / bare, size->of_bare_pair, false) && is_met;
	printf(": ratio %.3f\n", own / bare);
	return is_met;
}

/* 0: met; 1: missed; negative: not measured. */
static int measure_size(const struct size *size, unsigned rounds, struct enrg_error *err)
{
	static struct figures figures;
	struct regime_probe before, after;
	int rc = regime_measure(&before, err);

	for (unsigned round = 0; round < rounds && rc == 0; round++)
		rc = measure_round(size, &figures, round, err);
	if (rc == 0)
		rc = regime_measure(&after, err);
	if (rc < 0)
		return rc;
	bool is_met = print_size(size, &figures, rounds, regime_join(before.regime, after.regime));
	fflush(stdout);
	return is_met ? 0 : 1;
}

/* One run of each way, beside the product's own. */
static int print_ways(struct trial_params params, struct enrg_error *err)
{
	struct trial_result result;
	int rc = 0;

	params.is_tuned = false;
	printf("8 MB at 100 Hz, p50 of one run each, µs:");
	for (unsigned m = 0; m < METHODS && rc == 0; m++) {
		params.method = (enum copy_method)m;
		rc = trial_run(&params, &result, err);
		if (rc == 0)
			printf(" %s %.0f (copy %.0f, check %.0f)%s", copy_method_name(params.method),
				result.latency_p50_us, result.copy_p50_us, result.read_p50_us,
				m + 1 < METHODS ? "," : "\n");
	}
	return rc;
}

/* A detector of 8 MB at 100 Hz: nothing is ever in flight when the next batch comes. */
static int measure_detector(unsigned rounds, struct enrg_error *err)
{
	double ratios[ROUNDS_MAX], p50_us[ROUNDS_MAX], parts_us[ROUNDS_MAX];
	struct trial_params params = params_of(&sizes[2]);
	struct trial_result result = {0};
	struct limits_wakeup wakeup = {0};
	int rc = 0;

	params.is_tuned = true;
	params.target_ns = TARGET_NS;
	params.period_ns = 10000000;
	params.measure_ns = DETECTOR_NS;
	params.window_records = 8;
	for (unsigned round = 0; round < rounds && rc == 0; round++) {
		rc = limits_measure_wakeup(&wakeup, err);
		if (rc == 0)
			rc = trial_run(&params, &result, err);
		p50_us[round] = result.latency_p50_us;
		parts_us[round] = result.copy_p50_us + wakeup.p50_us + result.read_p50_us;
		ratios[round] = parts_us[round] > 0 ? p50_us[round] / parts_us[round] : 0;
	}
	if (rc == 0)
		rc = print_ways(params, err);
	if (rc < 0)
		return rc;
	printf("8 MB at 100 Hz, own choice, p50 %.0f µs of copy + wake-up + check, %.0f (last: %.0f + %.0f + %.0f)",
		pair_median(p50_us, rounds), pair_median(parts_us, rounds), result.copy_p50_us, wakeup.p50_us,
		result.read_p50_us);
	return print_goal(pair_median(ratios, rounds), 1.3, true) ? 0 : 1;
}

int main(int argc, char **argv)
{
	unsigned rounds = compare_parse(argc, argv, help);
	struct enrg_error err = {0};
	int worst = 0;

	rounds = rounds < ROUNDS_MAX ? rounds : ROUNDS_MAX;
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]) && worst >= 0; i++) {
		int rc = measure_size(&sizes[i], rounds, &err);
		worst = rc < 0 || worst == 0 ? rc : worst;
	}
	if (worst >= 0) {
		int rc = measure_detector(rounds, &err);
		worst = rc < 0 || worst == 0 ? rc : worst;
	}
	return compare_exit(worst, &err);
}
