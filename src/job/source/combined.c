/* combined.c: see the header. What is missing or of another kind is 0; nothing that was sent is believed. */
#include "job/source/combined.h"

#include <errno.h>
#include <stdlib.h>

#include "enrgdaq/message.h"

static const json_t *entry(const json_t *body, const char *key, size_t index)
{
	return json_array_get(json_object_get(body, key), index);
}

static uint64_t count(const json_t *body, const char *key, size_t index)
{
	json_int_t value = json_integer_value(entry(body, key, index));

	return value > 0 ? (uint64_t)value : 0;
}

static const char *text(const json_t *body, const char *key, size_t index)
{
	const char *value = json_string_value(entry(body, key, index));

	return value ? value : "";
}

static struct enrg_job_figures figures_of(const json_t *body, size_t index)
{
	return (struct enrg_job_figures){
		.job = text(body, "job", index),
		.job_type = text(body, "job_type", index),
		.is_alive = json_is_true(entry(body, "is_alive", index)),
		.in_batches = count(body, "in_batches", index),
		.in_bytes = count(body, "in_bytes", index),
		.out_batches = count(body, "out_batches", index),
		.out_bytes = count(body, "out_bytes", index),
		.in_waiting = count(body, "in_waiting", index),
		.out_waiting = count(body, "out_waiting", index),
		.last_in_ns = count(body, "last_in_ns", index),
		.last_out_ns = count(body, "last_out_ns", index),
		.last_restart_ns = count(body, "last_restart_ns", index),
		.restarts = count(body, "restarts", index),
		.cpu_percent = json_number_value(entry(body, "cpu_percent", index)),
		.rss_mb = json_number_value(entry(body, "rss_mb", index)),
	};
}

int combined_hand_over(struct enrg_job *job, const struct envelope *envelope, struct enrg_error *err)
{
	const json_t *body = envelope->body;
	size_t jobs = json_array_size(json_object_get(body, "job"));
	struct enrg_job_figures *figures = calloc(jobs + 1, sizeof(*figures));
	const struct enrg_job_figures **places = calloc(jobs + 1, sizeof(const struct enrg_job_figures *));
	int rc = -ENOMEM;

	for (size_t i = 0; figures && places && i < jobs; i++) {
		figures[i] = figures_of(body, i);
		places[i] = &figures[i];
	}
	if (figures && places) {
		const struct enrg_combined_stats stats = {
			.sender = {.supervisor = envelope->supervisor,
				.job = envelope->job,
				.job_type = envelope->job_type,
				.pid = envelope->pid,
				.sent_ns = envelope->sent_wall_ns},
			.count = (uint32_t)jobs,
			.jobs = places,
		};
		rc = job->type->on_combined_stats(job, job->state, &stats, err);
	} else {
		enrg_error_set(err, rc, "no memory for the figures of %zu jobs", jobs);
	}
	free(figures);
	free(places);
	return rc;
}
