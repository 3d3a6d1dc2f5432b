/* run_figures.c: see the header. Process: supervisor, main thread. */
#include "supervisor/run_figures.h"

#include <stdlib.h>
#include <string.h>

#include "handover/hardware.h"

#define NS_PER_S 1e9

void run_figures_fini(struct run_figures *figures)
{
	free(figures->jobs);
	*figures = (struct run_figures){0};
}

static struct run_figures_job *find_job(const struct run_figures *figures, const char *name)
{
	for (uint32_t i = 0; i < figures->count; i++)
		if (!strcmp(figures->jobs[i].name, name))
			return &figures->jobs[i];
	return NULL;
}

/* NULL: out of memory. */
static struct run_figures_job *get_job(struct run_figures *figures, const struct member *member)
{
	struct run_figures_job *job = find_job(figures, member->config->name);

	if (job)
		return job;
	job = realloc(figures->jobs, (figures->count + 1) * sizeof(*job));
	if (!job)
		return NULL;
	figures->jobs = job;
	job += figures->count++;
	*job = (struct run_figures_job){.lives = member->lives,
		.rows = member->now.out_rows,
		.bytes = member->now.out_bytes,
		.batches = member->now.out_batches,
		.seen_ns = member->sampled_ns};
	snprintf(job->name, sizeof(job->name), "%s", member->config->name);
	return job;
}

void run_figures_begin(struct run_figures *figures, const struct roster *roster, uint64_t now_ns)
{
	run_figures_fini(figures);
	figures->began_ns = figures->ticked_ns = now_ns ? now_ns : 1;
	for (size_t i = 0; i < roster->count; i++)
		if (!member_is_service(roster->members[i]))
			get_job(figures, roster->members[i]);
}

static void tick_job(struct run_figures_job *job, const struct member *member, double span_s)
{
	if (member->lives > job->lives)
		job->restarts += member->lives - job->lives;
	job->lives = member->lives;
	if (!member_is_source(member))
		return;
	if (member->state != MEMBER_RUNNING && member->state != MEMBER_DONE)
		job->down_s += span_s;
	else if (member->blocked_percent > 0)
		job->blocked_s += span_s * (member->blocked_percent < 100 ? member->blocked_percent : 100) / 100;
}

void run_figures_tick(struct run_figures *figures, const struct roster *roster, uint64_t now_ns)
{
	if (!figures->began_ns || now_ns <= figures->ticked_ns)
		return;
	double span_s = (double)(now_ns - figures->ticked_ns) / NS_PER_S;
	figures->ticked_ns = now_ns;
	for (size_t i = 0; i < roster->count; i++) {
		const struct member *member = roster->members[i];
		struct run_figures_job *job = member_is_service(member) ? NULL : get_job(figures, member);
		if (job)
			tick_job(job, member, span_s);
	}
}

static double rate_of(uint64_t now, uint64_t before, double span_s)
{
	return span_s > 0 && now > before ? (double)(now - before) / span_s : 0;
}

/* Between the first and the last look at its page. */
static json_t *format_rates(const struct run_figures_job *job, const struct member *member)
{
	bool is_known = job->seen_ns && member->sampled_ns > job->seen_ns;
	double span_s = is_known ? (double)(member->sampled_ns - job->seen_ns) / NS_PER_S : 0;

	return json_pack("{s:f, s:f, s:f}", "rows_per_s", rate_of(member->now.out_rows, job->rows, span_s),
		"bytes_per_s", rate_of(member->now.out_bytes, job->bytes, span_s), "batches_per_s",
		rate_of(member->now.out_batches, job->batches, span_s));
}

static json_t *format_hardware(const struct member *member)
{
	struct hardware hardware;

	if (!hardware_read(member->plan->page_path, &hardware))
		return NULL;
	return json_pack(
		"{s:s, s:s, s:s}", "model", hardware.model, "serial", hardware.serial, "firmware", hardware.firmware);
}

static void format_jobs(const struct run_figures *figures, const struct roster *roster, json_t *body)
{
	json_t *rates = json_object(), *hardware = json_object();

	for (size_t i = 0; i < roster->count; i++) {
		const struct member *member = roster->members[i];
		const struct run_figures_job *job = find_job(figures, member->config->name);
		json_t *identity = format_hardware(member);
		if (job && !member_is_store(member))
			json_object_set_new(rates, job->name, format_rates(job, member));
		if (identity)
			json_object_set_new(hardware, member->config->name, identity);
	}
	json_object_set_new(body, "rates", rates);
	json_object_set_new(body, "hardware", hardware);
}

void run_figures_format(const struct run_figures *figures, const struct roster *roster, json_t *body)
{
	json_t *dead = json_object(), *restarts = json_object();

	format_jobs(figures, roster, body);
	for (uint32_t i = 0; i < figures->count; i++) {
		const struct run_figures_job *job = &figures->jobs[i];
		double sum_s = job->down_s + job->blocked_s;
		if (sum_s > 0)
			json_object_set_new(dead, job->name,
				json_pack("{s:f, s:f}", "down_s", job->down_s, "blocked_s", job->blocked_s));
		if (job->restarts)
			json_object_set_new(restarts, job->name, json_integer((json_int_t)job->restarts));
	}
	json_object_set_new(body, "dead", dead);
	json_object_set_new(body, "restarts", restarts);
}
