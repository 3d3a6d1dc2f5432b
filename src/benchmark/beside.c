/* beside.c: what `enrgdaq bench compare` measures and prints. Everything that is measured runs in children. */
#include "benchmark/beside.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "benchmark/python.h"
#include "benchmark/regime.h"
#include "benchmark/rival.h"
#include "benchmark/rival_module.h"
#include "benchmark/runner.h"

#define ROW_BYTES 16u /* of the benchmark's table */

#define RIVALS_MAX 8u

static const struct link {
	const char *name;
	uint64_t payload_bytes;
	double rate_hz;
} links[] = {
	{"64 B", 64, 0},
	{"16 kB", 16000, 0},
	{"1 MB", 1000000, 0},
	{"8 MB", 8000000, 0},
	{"40 kB at 100 Hz", 40000, 100}, /* the founding document's detector */
	{"8 MB at 100 Hz", 8000000, 100},
};

static const struct point {
	unsigned clients, rows;
} points[] = {{3, 1000}, {3, 10000}, {3, 50000}, {3, 100000}, {3, 500000}, {1, 500000}, {2, 500000}, {4, 500000},
	{8, 500000}};

struct beside {
	const struct beside_params *params;
	const struct rival *rivals[RIVALS_MAX];
	size_t rival_count;
	json_t *rows;
};

/* NAN: not measured. */
struct row {
	const char *part, *name;
	char what[32];
	double gb_per_s, messages_per_s, p50_ms, p99_ms, cpu_percent;
	const char *regime;
	char why[200]; /* it could not be measured */
};

/* --- rows --------------------------------------------------------------------------------------------------------- */

static void print_number(double value, int width, int decimals)
{
	if (isnan(value))
		printf(" %*s", width, "-");
	else
		printf(" %*.*f", width, decimals, value);
}

static void print_row(const struct row *row)
{
	printf("  %-16s %-16s", row->what, row->name);
	if (row->why[0]) {
		printf(" %s\n", row->why);
		return;
	}
	print_number(row->gb_per_s, 9, row->gb_per_s < 1 ? 4 : 2);
	print_number(row->messages_per_s, 11, 0);
	print_number(row->p50_ms, 10, 4);
	print_number(row->p99_ms, 10, 4);
	print_number(row->cpu_percent, 7, 0);
	printf("  %s\n", row->regime);
}

static void set_number(json_t *object, const char *key, double value)
{
	json_object_set_new(object, key, isnan(value) ? json_null() : json_real(value));
}

static void tell_failure(struct row *row, const char *text)
{
	static const char failed[] = "failed: ";

	memcpy(row->why, failed, sizeof(failed));
	text_copy(row->why + sizeof(failed) - 1, sizeof(row->why) - sizeof(failed) + 1, text);
}

static void add_row(struct beside *self, const struct row *row)
{
	json_t *object = json_pack("{s:s, s:s, s:s}", "part", row->part, "case", row->what, "name", row->name);

	if (row->why[0]) {
		json_object_set_new(object, "why", json_string(row->why));
	} else {
		set_number(object, "gb_per_s", row->gb_per_s);
		set_number(object, "messages_per_s", row->messages_per_s);
		set_number(object, "latency_p50_ms", row->p50_ms);
		set_number(object, "latency_p99_ms", row->p99_ms);
		set_number(object, "cpu_percent", row->cpu_percent);
		json_object_set_new(object, "regime", json_string(row->regime));
	}
	json_array_append_new(self->rows, object);
	if (!self->params->is_quiet) {
		print_row(row);
		fflush(stdout);
	}
}

static void print_head(const struct beside *self, const char *title, const char *note)
{
	if (self->params->is_quiet)
		return;
	printf("\n=== %s ===\n%s\n  %-16s %-16s %9s %11s %10s %10s %7s\n", title, note, "", "", "GB/s", "messages/s",
		"p50 ms", "p99 ms", "CPU %");
}

/* --- links -------------------------------------------------------------------------------------------------------- */

static int measure_rival(
	struct beside *self, const struct rival *rival, const struct rival_params *params, struct row *row)
{
	struct regime_probe before = {0}, after = {0};
	struct rival_result result = {0};
	struct enrg_error err = {0};
	int rc = 0;

	row->name = rival->name;
	rc = regime_measure(&before, &err);
	if (rc == 0)
		rc = rival_run(rival, params, &result, &err);
	if (rc == 0)
		rc = regime_measure(&after, &err);
	row->gb_per_s = result.gb_per_s;
	row->messages_per_s = result.messages_per_s;
	row->p50_ms = result.latency_p50_us / 1e3;
	row->p99_ms = result.latency_p99_us / 1e3;
	row->cpu_percent = result.cpu_percent;
	row->regime = regime_name(regime_join(before.regime, after.regime));
	if (rc < 0)
		tell_failure(row, err.text);
	add_row(self, row);
	return rc;
}

static int measure_links(struct beside *self, struct enrg_error *err)
{
	print_head(self, "Links: one producer, one consumer, each on a core of its own",
		"  Every byte is copied in, read, and its CRC-32C compared, on all alike. Latency: from before the "
		"copy "
		"until checked.");
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		const struct rival_params params = {.producers = 1,
			.payload_bytes = links[i].payload_bytes,
			.rate_hz = links[i].rate_hz,
			.measure_ns = (uint64_t)(self->params->duration_s * 1e9)};
		for (size_t k = 0; k < self->rival_count && !runner_is_interrupted(); k++) {
			struct row row = {.part = "link"};
			snprintf(row.what, sizeof(row.what), "%s", links[i].name);
			int rc = measure_rival(self, self->rivals[k], &params, &row);
			if (rc < 0 && k == 0)
				return enrg_error_set(err, rc, "%s", row.why);
		}
	}
	return 0;
}

/* --- the suite's points ------------------------------------------------------------------------------------------- */

static double number_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static void measure_system(struct beside *self, const struct point *point, struct row *row)
{
	char clients[16], rows[16], duration[32];
	char *const arguments[] = {(char *)(uintptr_t)self->params->program, "bench", "run", "--clients", clients,
		"--payload-size", rows, "--duration", duration, "--use-memory-store", "--json", NULL};
	struct runner_output output;
	json_t *result = NULL;

	snprintf(clients, sizeof(clients), "%u", point->clients);
	snprintf(rows, sizeof(rows), "%u", point->rows);
	snprintf(duration, sizeof(duration), "%.17g", self->params->duration_s);
	int rc = runner_run(
		&(struct runner_params){.arguments = arguments, .timeout_s = self->params->duration_s + RUNNER_GRACE_S},
		&output);
	row->name = "ENRGDAQ, whole";
	if (rc == 0 && output.status == 0)
		result = json_loads(output.text, 0, NULL);
	if (result) {
		row->gb_per_s = number_of(result, "avg_throughput_mbs") / 1e3;
		row->messages_per_s = number_of(result, "messages_per_second");
		row->p50_ms = number_of(result, "latency_p50_ms");
		row->p99_ms = number_of(result, "latency_run_p99_ms");
		row->cpu_percent = number_of(result, "cpu_usage_percent");
		row->regime = json_string_value(json_object_get(result, "regime"));
	} else {
		tell_failure(row, rc < 0 ? enrg_error_name(rc) : output.said);
	}
	add_row(self, row);
	json_decref(result);
	free(output.text);
}

static void measure_python(struct beside *self, const struct point *point, struct row *row)
{
	struct python_result result = {0};
	struct enrg_error err = {0};
	int rc = python_run(self->params->python, point->clients, point->rows, self->params->duration_s, &result, &err);

	row->name = "Python ENRGDAQ";
	row->gb_per_s = result.gb_per_s;
	row->messages_per_s = result.messages_per_s;
	row->p50_ms = (double)NAN;
	row->p99_ms = result.latency_p99_ms;
	row->cpu_percent = result.cpu_percent;
	row->regime = "its store reads nothing";
	if (rc < 0)
		tell_failure(row, err.text);
	add_row(self, row);
}

static void measure_point(struct beside *self, const struct point *point)
{
	const struct rival_params params = {.producers = point->clients,
		.payload_bytes = (uint64_t)point->rows * ROW_BYTES,
		.measure_ns = (uint64_t)(self->params->duration_s * 1e9)};
	struct row row = {.part = "suite"};

	snprintf(row.what, sizeof(row.what), "%u x %u rows", point->clients, point->rows);
	measure_system(self, point, &row);
	for (size_t k = 0; k < self->rival_count && !runner_is_interrupted(); k++) {
		row.why[0] = 0;
		measure_rival(self, self->rivals[k], &params, &row);
	}
	row.why[0] = 0;
	if (self->params->python && !runner_is_interrupted())
		measure_python(self, point, &row);
}

static void measure_points(struct beside *self)
{
	print_head(self, "The suite: several producers, one consumer",
		"  ENRGDAQ: the whole system, supervisor, jobs and memory store, latency from commit to consumed. The "
		"others: bare processes.");
	if (self->params->clients) {
		measure_point(self, &(struct point){self->params->clients, self->params->rows});
		return;
	}
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]) && !runner_is_interrupted(); i++)
		measure_point(self, &points[i]);
}

/* --- all of it ---------------------------------------------------------------------------------------------------- */

static void find_rivals(struct beside *self)
{
	static const struct rival *const own[] = {&rival_stream, &rival_zmq, &rival_unix};
	const struct rival *const *iceoryx2 = rival_load("iceoryx2");

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		self->rivals[self->rival_count++] = own[i];
	for (; iceoryx2 && *iceoryx2 && self->rival_count < RIVALS_MAX; iceoryx2++)
		self->rivals[self->rival_count++] = *iceoryx2;
	if (!self->params->is_quiet && self->rival_count == sizeof(own) / sizeof(own[0]))
		printf("iceoryx2: not found when this program was built (docs/benchmark.md says how to get it)\n");
}

int beside_run(const struct beside_params *params, json_t **ret_rows, struct enrg_error *err)
{
	struct beside self = {.params = params, .rows = json_array()};
	int rc = 0;

	runner_catch_interrupts();
	find_rivals(&self);
	if (params->has_links)
		rc = measure_links(&self, err);
	if (rc == 0 && params->has_points)
		measure_points(&self);
	if (rc == 0 && runner_is_interrupted())
		rc = enrg_error_set(err, ENRG_E_STOPPED, "stopped; the rows above are whole");
	*ret_rows = self.rows;
	return rc;
}
