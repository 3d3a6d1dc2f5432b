/* run.c: configures, runs and measures one benchmark. */
#include "benchmark/run.h"

#include <errno.h>
#include <ftw.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"
#include "benchmark/sampler.h"
#include "benchmark/work.h"
#include "config/types.h"
#include "supervisor/supervisor.h"

#define CLIENTS_MAX 200u

struct texts {
	size_t count;
	char *names[CLIENTS_MAX + 2];
	char *texts[CLIENTS_MAX + 2];
};

static void texts_fini(struct texts *texts)
{
	for (size_t i = 0; i < texts->count; i++) {
		free(texts->names[i]);
		free(texts->texts[i]);
	}
}

static void __attribute__((format(printf, 3, 4)))
add_text(struct texts *texts, const char *name, const char *format, ...)
{
	va_list arguments;
	size_t at = texts->count++;

	va_start(arguments, format);
	if (vasprintf(&texts->texts[at], format, arguments) < 0)
		abort();
	va_end(arguments);
	texts->names[at] = strdup(name);
	if (!texts->names[at])
		abort();
}

static bool has_store(const char *section)
{
	struct types *types = NULL;
	bool is_there = types_load(&types, NULL, NULL, NULL) == 0 && types_find_section(types, section);

	types_free(types);
	return is_there;
}

static void write_texts(const struct bench_params *params, const char *section, struct texts *texts)
{
	/* A whole message must fit one slot, and every client gets room for eight. */
	uint64_t slot_kb = params->payload_rows * 16 / 1024 + 64;
	uint64_t ring_mb = (slot_kb * 8 * params->clients) / 1024 + 1;
	char name[32];

	add_text(texts, "supervisor.toml",
		"verbosity = \"WARNING\"\nring_buffer_size_mb = %llu\nring_buffer_slot_size_kb = %llu\nwindow_kb = "
		"%llu\n"
		"[info]\nsupervisor_id = \"bench\"\n",
		(unsigned long long)(ring_mb > 256 ? ring_mb : 256),
		(unsigned long long)(slot_kb > 1024 ? slot_kb : 1024), (unsigned long long)params->window_kb);
	if (strcmp(section, "memory") == 0)
		add_text(texts, "store.toml", "daq_job_type = \"DAQJobStoreMemory\"\nvoid_data = %s\n",
			params->void_data ? "true" : "false");
	else
		add_text(texts, "store.toml", "daq_job_type = \"%s\"\nout_dir = \"%s\"\n",
			strcmp(section, "root") == 0 ? "DAQJobStoreROOT" : "DAQJobStoreArrow", params->out_dir);
	for (uint32_t i = 0; i < params->clients; i++) {
		snprintf(name, sizeof(name), "client_%u.toml", i + 1);
		add_text(texts, name,
			"daq_job_type = \"DAQJobBenchmark\"\npayload_size = %llu\nrate_hz = %.17g\nuse_shm = %s\n"
			"use_shm_when_possible = %s\n[store_config.%s]\n",
			(unsigned long long)params->payload_rows, params->rate_hz, params->use_shm ? "true" : "false",
			params->use_shm ? "true" : "false", section);
		if (strcmp(section, "memory") == 0)
			continue;
		char *text = texts->texts[texts->count - 1], *more;
		if (asprintf(&more, "%sfile_path = \"client_%u.%s\"\n%s", text, i + 1,
			    strcmp(section, "root") == 0 ? "root" : "arrows",
			    strcmp(section, "root") == 0 ? "tree_name = \"benchmark\"\n" : "") < 0)
			abort();
		free(text);
		texts->texts[texts->count - 1] = more;
	}
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status;
	(void)kind;
	(void)place;
	return remove(path);
}

void bench_remove_tree(const char *folder)
{
	nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* A folder of its own, so that a benchmark meets no other instance and leaves nothing. */
static int make_runtime_folder(char *ret_folder, size_t bytes, struct enrg_error *err)
{
	int rc = path_runtime_folder(ret_folder, bytes, err);

	if (rc < 0)
		return rc;
	rc = path_make_folders(ret_folder, 0700, err);
	if (rc < 0)
		return rc;
	snprintf(ret_folder + strlen(ret_folder), bytes - strlen(ret_folder), "/bench-XXXXXX");
	if (!mkdtemp(ret_folder))
		return enrg_error_set(err, -errno, "%s: %s", ret_folder, enrg_error_name(-errno));
	return 0;
}

static void keep_ledger(void *context, const json_t *status, bool is_last)
{
	bool *is_accounted = context;
	const json_t *value = json_object_get(json_object_get(status, "ledger"), "settled");

	if (is_last && value)
		*is_accounted = json_is_true(value);
}

static int run_system(const struct bench_params *params, const char *folder, struct texts *texts,
	struct bench_result *result, struct enrg_error *err)
{
	char jobs[640];
	sigset_t asked, old;
	struct sampler *sampler = NULL;
	struct supervisor_params supervisor = {
		.names = (const char *const *)texts->names,
		.texts = (const char *const *)texts->texts,
		.text_count = texts->count,
		.is_quiet = true,
		.on_status = keep_ledger,
		.context = &result->is_accounted,
	};

	sigemptyset(&asked);
	sigaddset(&asked, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &asked, &old);
	snprintf(jobs, sizeof(jobs), "%s/bench", folder);
	int rc = sampler_start(params, jobs, &sampler, err);
	if (rc < 0)
		return rc;
	int ended = supervisor_run(&supervisor);
	rc = sampler_stop(sampler, result, err);
	/* The sampler's request may have come when the supervisor had just ended by itself. */
	while (sigtimedwait(&asked, NULL, &(struct timespec){0}) > 0)
		;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (ended == SUPERVISOR_CONFIG)
		return enrg_error_set(err, ENRG_E_CONFIG, "the system did not start (its messages are above)");
	return rc;
}

/* What this machine can do right now, in as short a time as gives stable figures. */
static int measure_limits(const struct bench_params *params, struct limits *limits, struct enrg_error *err)
{
	int rc = regime_measure(&limits->before, err);

	limits->wall_ns = clock_wall_ns();
	if (rc == 0)
		rc = limits_measure_bare_pair(&limits->bare_pair, err);
	if (rc == 0)
		rc = limits_measure_crc(&limits->crc_gb_per_s, err);
	if (rc == 0)
		rc = work_measure_generation(params->payload_rows, &limits->generation_gb_per_s, err);
	if (rc == 0)
		rc = work_measure_checking(params->payload_rows, &limits->checking_gb_per_s, err);
	return rc;
}

int bench_run(const struct bench_params *params, struct bench_result *ret_result, struct enrg_error *err)
{
	struct bench_result result = {.clients = params->clients,
		.payload_rows = params->payload_rows,
		.rate_hz = params->rate_hz,
		.duration_s = params->duration_s,
		.use_shm = params->use_shm};
	const char *section = params->store ? params->store : has_store("root") ? "root" : "arrow";
	struct texts texts = {0};
	char folder[512];

	if (params->clients < 1 || params->clients > CLIENTS_MAX)
		return enrg_error_set(err, -EINVAL, "--clients: 1 to %u", CLIENTS_MAX);
	snprintf(result.store, sizeof(result.store), "%s", section);
	clock_format_utc(clock_wall_ns(), result.date, sizeof(result.date));
	int rc = measure_limits(params, &result.limits, err);
	if (rc == 0)
		rc = make_runtime_folder(folder, sizeof(folder), err);
	if (rc < 0)
		return rc;
	write_texts(params, section, &texts);
	setenv("ENRGDAQ_RUNTIME_DIR", folder, 1);
	rc = run_system(params, folder, &texts, &result, err);
	bench_remove_tree(folder);
	texts_fini(&texts);
	if (rc == 0)
		rc = regime_measure(&result.limits.after, err);
	result.regime = regime_join(result.limits.before.regime, result.limits.after.regime);
	if (rc == 0)
		*ret_result = result;
	return rc;
}
