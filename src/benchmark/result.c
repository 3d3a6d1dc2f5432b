/* result.c: results as JSON and as a summary. */
#include "benchmark/result.h"

#include <jansson.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

int bench_result_ratio(const struct bench_result *result, double *ret_ratio)
{
	double generation = result->limits.generation_gb_per_s, checking = result->limits.checking_gb_per_s;
	double slower = generation < checking ? generation : checking;

	if (result->clients != 1 || result->rate_hz > 0 || slower <= 0)
		return 0;
	*ret_ratio = result->throughput_mb_per_s / (slower * 1e3);
	return 1;
}

static void read_cpu_model(char *ret_model, size_t bytes)
{
	char line[512];
	FILE *file = fopen("/proc/cpuinfo", "re");

	snprintf(ret_model, bytes, "unknown");
	while (file && fgets(line, sizeof(line), file)) {
		char *colon = strchr(line, ':');
		if (strncmp(line, "model name", 10) != 0 || !colon)
			continue;
		line[strcspn(line, "\n")] = 0;
		snprintf(ret_model, bytes, "%s", colon + 2);
		break;
	}
	if (file)
		fclose(file);
}

json_t *bench_machine_format(void)
{
	struct utsname system = {0};
	struct sysinfo memory = {0};
	char model[256];

	uname(&system);
	sysinfo(&memory);
	read_cpu_model(model, sizeof(model));
	return json_pack("{s:s, s:i, s:s, s:f}", "cpu", model, "cores", (int)sysconf(_SC_NPROCESSORS_ONLN), "kernel",
		system.release, "memory_gb", (double)memory.totalram * memory.mem_unit / 1e9);
}

json_t *bench_result_format(const struct bench_result *r)
{
	double ratio;
	json_t *object = json_pack("{s:i, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "num_clients",
		(int)r->clients, "payload_size", (json_int_t)r->payload_rows, "duration", r->duration_s,
		"avg_throughput_mbs", r->throughput_mb_per_s, "peak_throughput_mbs", r->peak_mb_per_s,
		"zmq_throughput_mbs", r->zmq_mb_per_s, "messages_per_second", r->messages_per_s, "avg_queue_size",
		r->queue_batches, "cpu_usage_percent", r->cpu_percent, "latency_p95_ms", r->latency_p95_mean_ms,
		"latency_p99_ms", r->latency_p99_peak_ms);
	json_t *ours = json_pack(
		"{s:f, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:b, s:s, s:b, s:s, s:s, s:o?, s:o?}", "rate_hz",
		r->rate_hz, "batches", (json_int_t)r->batches, "lost", (json_int_t)r->lost, "duplicated",
		(json_int_t)r->duplicated, "corrupted", (json_int_t)r->corrupted, "latency_run_p95_ms",
		r->latency_p95_ms, "latency_run_p99_ms", r->latency_p99_ms, "latency_p50_ms", r->latency_p50_ms,
		"latency_p999_ms", r->latency_p999_ms, "latency_max_ms", r->latency_max_ms, "accounted",
		(int)r->is_accounted, "store", r->store, "use_shm", (int)r->use_shm, "date", r->date, "regime",
		regime_name(r->regime), "limits", limits_format(&r->limits), "machine", bench_machine_format());

	if (!object || !ours || json_object_update(object, ours) < 0) {
		json_decref(object);
		object = NULL;
	}
	if (object && bench_result_ratio(r, &ratio))
		json_object_set_new(object, "ratio_to_slower_of_generation_and_checking", json_real(ratio));
	json_decref(ours);
	return object;
}

void bench_result_print(const struct bench_result *r, FILE *stream)
{
	double ratio;

	fprintf(stream, "\n=== Benchmark: %u client%s, %llu rows a message, %.1f s, store %s, %s ===\n", r->clients,
		r->clients == 1 ? "" : "s", (unsigned long long)r->payload_rows, r->measured_s, r->store,
		r->use_shm ? "shared memory" : "ZeroMQ");
	fprintf(stream, "Avg SHM Throughput: %.2f MB/s\n", r->throughput_mb_per_s);
	fprintf(stream, "Peak SHM Throughput: %.2f MB/s\n", r->peak_mb_per_s);
	/* The founding document's names above, the Python program's present ones here. */
	fprintf(stream, "Avg Data Throughput: %.2f MB/s\n", r->throughput_mb_per_s);
	fprintf(stream, "Peak Data Throughput: %.2f MB/s\n", r->peak_mb_per_s);
	fprintf(stream, "ZMQ Throughput: %.4f MB/s\n", r->zmq_mb_per_s);
	fprintf(stream, "Messages/Second: %.2f\n", r->messages_per_s);
	fprintf(stream, "Average Queue Size: %.2f\n", r->queue_batches);
	fprintf(stream, "Avg CPU Usage: %.1f%%\n", r->cpu_percent);
	fprintf(stream, "Avg p95 Latency: %.4f ms\n", r->latency_p95_mean_ms);
	fprintf(stream, "Peak p99 Latency: %.4f ms\n", r->latency_p99_peak_ms);
	fprintf(stream, "Latency from commit to consumed: p50 %.4f, p95 %.4f, p99 %.4f, p99.9 %.4f, max %.4f ms\n",
		r->latency_p50_ms, r->latency_p95_ms, r->latency_p99_ms, r->latency_p999_ms, r->latency_max_ms);
	fprintf(stream, "Batches: %llu, lost %llu, duplicated %llu, corrupted %llu; ledger: %s\n",
		(unsigned long long)r->batches, (unsigned long long)r->lost, (unsigned long long)r->duplicated,
		(unsigned long long)r->corrupted, r->is_accounted ? "produced = stored" : "NOT ACCOUNTED");
	fprintf(stream, "Regime: %s (line round trip %.0f ns before, %.0f ns after)\n", regime_name(r->regime),
		r->limits.before.round_trip_ns, r->limits.after.round_trip_ns);
	fprintf(stream, "Limits now: bare pair %.0f, generation alone %.0f, checking alone %.0f MB/s\n",
		r->limits.bare_pair.gb_per_s * 1e3, r->limits.generation_gb_per_s * 1e3,
		r->limits.checking_gb_per_s * 1e3);
	if (bench_result_ratio(r, &ratio))
		fprintf(stream, "Ratio to the slower of generation and checking: %.3f (goal 0.90 at 500000 rows)\n",
			ratio);
}
