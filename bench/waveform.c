/* waveform.c: how fast is the processing of a digitizer's records, beside reading their samples once? */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "benchmark/compare.h"
#include "waveform/clones.h"
#include "waveform/pulse.h"
#include "waveform/waveform.h"

#define RECORD_SAMPLES 500u
#define RECORDS        200000u /* 200 MB: more than a core's caches */
#define AHEAD_BYTES    2048u
#define PASSES         3

static const char help[] =
	"Records of 500 samples of a simulated photomultiplier, 200 MB of them, are read once (a sum over 16-bit\n"
	"samples, vectorised) and processed: baseline, extremes, zero suppression at 10 mV, statistics; the same\n"
	"without suppression; and with the pulse of each record for a histogram. The ratio of the times of the\n"
	"processor, the fastest of three passes each.";

struct field {
	int16_t *samples;
	int32_t cut;
	bool has_pulses;
	uint64_t sink; /* so that nothing is left out as useless */
};

static double cpu_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

WAVEFORM_CLONES
static __attribute__((noinline)) uint64_t read_record(const int16_t *samples, uint32_t count)
{
	int32_t sum = 0;

	for (size_t at = 0; at < count * sizeof(*samples); at += 64)
		__builtin_prefetch((const char *)samples + AHEAD_BYTES + at);
	for (uint32_t i = 0; i < count; i++)
		sum += samples[i];
	return (uint64_t)sum;
}

/* Asks ahead for what comes next, as the processing does: without that reading is slower. */
static void read_all(struct field *field)
{
	for (size_t i = 0; i < (size_t)RECORDS * RECORD_SAMPLES; i += RECORD_SAMPLES)
		field->sink += read_record(field->samples + i, RECORD_SAMPLES);
}

static void process_all(struct field *field)
{
	struct waveform_summary summary;
	struct pulse pulse = {0};

	for (size_t i = 0; i < RECORDS; i++) {
		const int16_t *samples = field->samples + i * RECORD_SAMPLES;
		waveform_measure(samples, RECORD_SAMPLES, field->cut, &summary);
		if (field->has_pulses)
			pulse_measure(samples, RECORD_SAMPLES, summary.baseline, PULSE_NEGATIVE, &pulse);
		field->sink += summary.sum_square + (uint64_t)(pulse.amplitude > 10);
	}
}

static double fastest(struct field *field, void (*pass)(struct field *))
{
	double least_s = 1e9;

	for (int i = 0; i < PASSES; i++) {
		double begin_s = cpu_s();
		pass(field);
		double taken_s = cpu_s() - begin_s;
		least_s = taken_s < least_s ? taken_s : least_s;
	}
	return (double)RECORDS * RECORD_SAMPLES * sizeof(int16_t) / least_s / 1e9;
}

static int measure_reading(void *context, double *ret_figures, struct enrg_error *err)
{
	(void)err;
	ret_figures[0] = fastest(context, read_all);
	return 0;
}

static int measure_processing(void *context, double *ret_figures, struct enrg_error *err)
{
	(void)err;
	ret_figures[0] = fastest(context, process_all);
	return 0;
}

/* Two of ten records hold a pulse of up to 250 mV. */
static int fill(struct field *field)
{
	uint64_t state = 1;

	field->samples = malloc((size_t)RECORDS * RECORD_SAMPLES * sizeof(int16_t));
	if (!field->samples)
		return -ENOMEM;
	for (size_t i = 0; i < (size_t)RECORDS * RECORD_SAMPLES; i++) {
		state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		uint32_t noise = (uint32_t)(state >> 61), at = (uint32_t)(i % RECORD_SAMPLES);
		bool has_pulse = i / RECORD_SAMPLES % 5 == 0 && at >= 120 && at < 160;
		int32_t height = has_pulse ? (int32_t)((160 - at) * (1 + i / RECORD_SAMPLES % 50)) : 0;
		field->samples[i] = (int16_t)(14000 + (int32_t)noise - height);
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const struct compare_metric metrics[] = {
		{"records of 500 samples, zero suppression, beside reading the samples once", "GB/s", 0.8, false},
		{"records of 500 samples, all samples kept, beside reading the samples once", "GB/s", 0.8, false},
		{"records of 500 samples, zero suppression and pulse, beside reading the samples once", "GB/s", 0,
			false},
	};
	struct field field = {0};
	struct enrg_error err = {0};
	struct compare compare = {
		.rounds = compare_parse(argc, argv, help),
		.metric_count = 1,
		.limit = measure_reading,
		.value = measure_processing,
		.context = &field,
	};
	int rc = fill(&field);
	bool is_missed = false;

	for (int i = 0; rc >= 0 && i < 3; i++) {
		compare.metrics = &metrics[i];
		field.cut = i == 1 ? 0 : waveform_cut_counts(10, waveform_mv_per_count(2000, 14));
		field.has_pulses = i == 2;
		rc = compare_run(&compare, &err);
		is_missed |= rc == 1;
	}
	free(field.samples);
	return compare_exit(rc < 0 ? rc : is_missed, &err);
}
