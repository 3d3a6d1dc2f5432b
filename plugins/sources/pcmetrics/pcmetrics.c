/* pcmetrics.c: DAQJobPCMetrics: how busy this machine is. Runs in its own job process, on the main thread. */
#include <errno.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "enrgdaq/job.h"
#include "machine.h"

#define METRICS   3u
#define TICKS_MIN 4u /* fewer say nothing about the processor */

enum metric { METRIC_CPU, METRIC_MEMORY, METRIC_DISK };

static const char *const metric_names[METRICS] = {"cpu", "memory", "disk"};

struct pcmetrics_options {
	struct enrg_string_list metrics_to_store;
	double poll_interval_seconds;
	const char *tag;
};

struct pcmetrics {
	struct enrg_output *output;
	enum metric metrics[METRICS];
	unsigned count;
	struct machine_cpu cpu; /* at the last row */
};

static const struct enrg_option pcmetrics_option_list[] = {
	{.key = "metrics_to_store",
		.kind = ENRG_OPTION_STRING_LIST,
		.offset = offsetof(struct pcmetrics_options, metrics_to_store),
		.default_value = "[\"cpu\", \"memory\", \"disk\"]",
		.help = "Columns: some of cpu, memory, disk."},
	{.key = "poll_interval_seconds",
		.kind = ENRG_OPTION_FLOAT,
		.offset = offsetof(struct pcmetrics_options, poll_interval_seconds),
		.default_value = "1.0",
		.min = 0.05,
		.max = 86400,
		.unit = "s",
		.help = "From one row to the next."},
	{.key = "tag",
		.kind = ENRG_OPTION_STRING,
		.offset = offsetof(struct pcmetrics_options, tag),
		.help = "Stands in the name of its files, pc_TAG.csv; without the key the supervisor's id, \"\" = "
			"nothing."},
	{.key = NULL},
};

/* Turns the names into columns, in the order of the configuration. */
static int choose_metrics(struct pcmetrics *pcmetrics, const struct enrg_string_list *names, struct enrg_error *err)
{
	for (size_t i = 0; i < names->count; i++) {
		unsigned metric = 0;

		while (metric < METRICS && strcasecmp(names->items[i], metric_names[metric]) != 0)
			metric++;
		if (metric == METRICS)
			return enrg_error_set(err, ENRG_E_CONFIG,
				"metrics_to_store: expected cpu, memory or disk, found \"%s\"", names->items[i]);
		for (unsigned k = 0; k < pcmetrics->count; k++)
			if (pcmetrics->metrics[k] == (enum metric)metric)
				return enrg_error_set(err, ENRG_E_CONFIG, "metrics_to_store: \"%s\" stands there twice",
					names->items[i]);
		pcmetrics->metrics[pcmetrics->count++] = (enum metric)metric;
	}
	if (pcmetrics->count == 0)
		return enrg_error_set(
			err, ENRG_E_CONFIG, "metrics_to_store: expected at least one of cpu, memory, disk");
	return 0;
}

static int open_output(struct pcmetrics *pcmetrics, struct enrg_job *job, const char *tag, struct enrg_error *err)
{
	struct enrg_column columns[1 + METRICS] = {{.name = "timestamp", .type = ENRG_I64, .unit = "ms"}};
	static const struct enrg_note notes[] = {ENRG_NOTES_HOST_TIME("timestamp", "1000000")};
	const struct enrg_schema schema = {.column_count = 1 + pcmetrics->count,
		.columns = columns,
		.note_count = sizeof(notes) / sizeof(notes[0]),
		.notes = notes};

	for (unsigned i = 0; i < pcmetrics->count; i++)
		columns[1 + i] = (struct enrg_column){
			.name = metric_names[pcmetrics->metrics[i]], .type = ENRG_F64, .unit = "%"};
	return enrg_output_open(
		job, "store_config", tag ? tag : enrg_job_supervisor(job), &schema, &pcmetrics->output, err);
}

static int pcmetrics_start(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	const struct pcmetrics_options *chosen = options;
	struct pcmetrics *pcmetrics = calloc(1, sizeof(*pcmetrics));
	int rc;

	if (!pcmetrics)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	rc = choose_metrics(pcmetrics, &chosen->metrics_to_store, err);
	if (rc == 0)
		rc = machine_read_cpu("/proc", &pcmetrics->cpu, err);
	if (rc == 0)
		rc = open_output(pcmetrics, job, chosen->tag, err);
	if (rc < 0) {
		free(pcmetrics);
		return rc;
	}
	enrg_job_set_interval(job, (uint64_t)(chosen->poll_interval_seconds * 1e9));
	*ret_state = pcmetrics;
	return 0;
}

/* 1: `ret_values` is a row; 0: too early for a share of the processor. */
static int read_metrics(struct pcmetrics *pcmetrics, double ret_values[METRICS], struct enrg_error *err)
{
	int rc = 0;

	for (unsigned i = 0; i < pcmetrics->count && rc == 0; i++) {
		struct machine_cpu now;

		switch (pcmetrics->metrics[i]) {
		case METRIC_CPU:
			rc = machine_read_cpu("/proc", &now, err);
			if (rc < 0)
				break;
			if (now.all_ticks - pcmetrics->cpu.all_ticks < TICKS_MIN)
				return 0;
			ret_values[i] = machine_cpu_percent(&pcmetrics->cpu, &now);
			pcmetrics->cpu = now;
			break;
		case METRIC_MEMORY:
			rc = machine_read_memory("/proc", &ret_values[i], err);
			break;
		case METRIC_DISK:
			rc = machine_read_disk("/", &ret_values[i], err);
			break;
		}
	}
	return rc < 0 ? rc : 1;
}

static int pcmetrics_poll(struct enrg_job *job, void *state, struct enrg_error *err)
{
	struct pcmetrics *pcmetrics = state;
	struct enrg_claim claim;
	struct timespec now;
	double values[METRICS] = {0};
	int rc = read_metrics(pcmetrics, values, err);

	(void)job;
	if (rc <= 0)
		return rc < 0 ? rc : ENRG_POLL_IDLE;
	clock_gettime(CLOCK_REALTIME, &now);
	rc = enrg_output_claim(pcmetrics->output, 1, NULL, &claim, err);
	if (rc < 0)
		return rc;
	((int64_t *)claim.columns[0].values)[0] = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	for (unsigned i = 0; i < pcmetrics->count; i++)
		((double *)claim.columns[1 + i].values)[0] = values[i];
	rc = enrg_output_commit(pcmetrics->output, 1, (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec, err);
	return rc < 0 ? rc : ENRG_POLL_IDLE;
}

static void pcmetrics_destroy(void *state)
{
	free(state);
}

static const struct enrg_job_group pcmetrics_groups[] = {
	{.key = "store_config", .required = true, .help = "Where the rows go."},
	{.key = NULL},
};

static const struct enrg_job_type pcmetrics_job = {
	.size = sizeof(struct enrg_job_type),
	.name = "DAQJobPCMetrics",
	.summary = "Tells how busy this machine is: processor, memory, disk, in per cent.",
	.options = {.size = sizeof(struct pcmetrics_options), .options = pcmetrics_option_list},
	.groups = pcmetrics_groups,
	.start = pcmetrics_start,
	.poll = pcmetrics_poll,
	.destroy = pcmetrics_destroy,
};

static const struct enrg_job_type *const pcmetrics_jobs[] = {&pcmetrics_job, NULL};

ENRG_MODULE = {ENRG_MODULE_HEAD, .name = "pcmetrics", .jobs = pcmetrics_jobs};
