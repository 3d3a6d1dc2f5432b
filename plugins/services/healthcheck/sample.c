/* sample.c: see the header. */
#include "sample.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static uint64_t number(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));

	return value > 0 ? (uint64_t)value : 0;
}

static bool read_job(const json_t *job, struct sample_job *ret_job)
{
	const char *state = json_string_value(json_object_get(job, "state"));
	bool is_store = json_is_true(json_object_get(job, "is_store"));

	*ret_job = (struct sample_job){.name = json_string_value(json_object_get(job, "name")),
		.type = json_string_value(json_object_get(job, "type"))};
	if (!ret_job->name || !ret_job->type || !state)
		return false;
	ret_job->counts[RULE_IN] = number(json_object_get(job, "in"), "batches");
	ret_job->counts[RULE_OUT] = number(json_object_get(job, "out"), "batches");
	ret_job->counts[is_store ? RULE_IN_QUEUE : RULE_OUT_QUEUE] = number(job, "backlog_batches");
	ret_job->counts[RULE_RESTARTS] = number(job, "restarts");
	ret_job->is_at_rest = !strcmp(state, "stopped") || !strcmp(state, "done");
	return true;
}

int sample_parse(const char *json, struct sample *ret_sample)
{
	json_t *status = json_loads(json, 0, NULL);
	const json_t *jobs = json_object_get(status, "jobs");
	const char *run = json_string_value(json_object_get(status, "run"));
	const char *state = json_string_value(json_object_get(status, "state"));
	struct sample sample = {.memory = status, .is_running = state && !strcmp(state, "running")};

	if (!json_is_array(jobs) || !run || !state) {
		json_decref(status);
		return -EPROTO;
	}
	sample.jobs = calloc(json_array_size(jobs) + 1, sizeof(*sample.jobs));
	sample.run = strdup(run);
	for (size_t i = 0; sample.jobs && i < json_array_size(jobs); i++)
		sample.count += read_job(json_array_get(jobs, i), &sample.jobs[sample.count]);
	if (!sample.jobs || !sample.run) {
		sample_fini(&sample);
		return -ENOMEM;
	}
	*ret_sample = sample;
	return 0;
}

void sample_fini(struct sample *sample)
{
	json_decref(sample->memory);
	free(sample->jobs);
	free(sample->run);
	*sample = (struct sample){0};
}
