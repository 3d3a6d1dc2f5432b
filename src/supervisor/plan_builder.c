/* plan_builder.c: who talks to whom. Process: supervisor. */
#include "supervisor/plan_builder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/path.h"
#include "base/version.h"
#include "config/folder_inputs.h"
#include "config/folder_stores.h"
#include "plane/segment.h"
#include "supervisor/budget.h"

/* Folders with more are refused. */
_Static_assert(FOLDER_STORES_MAX == SEGMENT_CONSUMERS, "stores that a ring has room for");

#define BEAT_LEAST_NS 500000000ull
#define BEAT_MOST_NS  15000000000ull

/* Strings of plans: malloc'ed, since plan_free frees them. A failed allocation is remembered in `failed`. */
struct text_maker {
	bool failed;
};

static char *copy(struct text_maker *maker, const char *text)
{
	char *result = text ? strdup(text) : NULL;

	maker->failed |= text && !result;
	return result;
}

static char *print(struct text_maker *maker, const char *format, ...) __attribute__((format(printf, 2, 3)));

static char *print(struct text_maker *maker, const char *format, ...)
{
	va_list arguments;
	char *result = NULL;

	va_start(arguments, format);
	if (vasprintf(&result, format, arguments) < 0)
		result = NULL;
	va_end(arguments);
	maker->failed |= !result;
	return result;
}

#define FILE_NAME_BYTES 200u

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* One path component a job. Names that look alike when made safe ("a/b", "a_b") get different ones, the same in every
 * run. By sorting: with thousands of jobs a look at all others for each of them takes seconds. NULL: no memory. */
static char (*make_file_names(const struct folder *folder))[FILE_NAME_BYTES]
{
	char(*names)[FILE_NAME_BYTES] = calloc(folder->job_count + 1, sizeof(*names));
	char **order = calloc(folder->job_count + 1, sizeof(*order));

	for (size_t i = 0; names && order && i < folder->job_count; i++) {
		path_safe_name(folder->jobs[i].name, names[i], FILE_NAME_BYTES - 20);
		order[i] = names[i];
	}
	if (!names || !order) {
		free(names);
		free(order);
		return NULL;
	}
	qsort(order, folder->job_count, sizeof(*order), compare_names);
	for (size_t i = 0, end; i < folder->job_count; i = end) {
		for (end = i + 1; end < folder->job_count && !strcmp(order[i], order[end]); end++)
			;
		for (size_t k = i; end - i > 1 && k < end; k++) {
			const char *name = folder->jobs[(size_t)(order[k] - names[0]) / FILE_NAME_BYTES].name;
			snprintf(order[k] + strlen(order[k]), 20, "-%08x", crc32c(0, name, strlen(name)));
		}
	}
	free(order);
	return names;
}

static bool is_link(const struct job_config *store, const struct job_config *producer)
{
	/* A processor shares a machine with what it reads. */
	return store->type->store && (!store->common.use_shm_when_possible || !producer->common.use_shm_when_possible);
}

static char *make_link_url(struct text_maker *maker, const struct runtime *runtime, const struct job_config *store)
{
	return print(maker, "ipc://%s/%08x.link", runtime->sockets, crc32c(0, store->name, strlen(store->name)));
}

static int add_sinks(const struct folder *folder, const struct runtime *runtime, const struct job_config *job,
	struct plan *plan, struct text_maker *maker, struct enrg_error *err)
{
	for (size_t i = 0; i < folder->job_count; i++)
		plan->sink_count += folder_takes(&folder->jobs[i], job);
	if (!plan->sink_count)
		return 0;
	plan->sinks = calloc(plan->sink_count, sizeof(*plan->sinks));
	if (!plan->sinks) {
		plan->sink_count = 0;
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	for (size_t i = 0, k = 0; i < folder->job_count; i++) {
		const struct job_config *store = &folder->jobs[i];

		if (!folder_takes(store, job))
			continue;
		plan->sinks[k].store_name = copy(maker, store->name);
		plan->sinks[k].store_type = copy(maker, store->type->name);
		plan->sinks[k].link_url = is_link(store, job) ? make_link_url(maker, runtime, store) : NULL;
		k++;
	}
	return 0;
}

static int fill_input(const struct runtime *runtime, const struct job_config *producer, const char *file_name,
	struct plan_input *input, struct text_maker *maker)
{
	const struct enrg_job_group *groups = type_groups(producer->type);

	input->source = copy(maker, producer->name);
	input->stream_path = print(maker, "%s/%s.stream", runtime->folder, file_name);
	input->producer_file = copy(maker, producer->file);
	input->producer_toml = copy(maker, producer->toml_text);
	input->producer_type = copy(maker, producer->type->name);
	while (groups && groups[input->group_count].key)
		input->group_count++;
	input->groups = calloc(input->group_count + 1, sizeof(*input->groups));
	if (!input->groups) {
		input->group_count = 0;
		return -ENOMEM;
	}
	for (size_t i = 0; i < input->group_count; i++)
		input->groups[i] = copy(maker, groups[i].key);
	return 0;
}

/* What all plans of a set are made from. */
struct site {
	const struct folder *folder;
	const struct runtime *runtime;
	char (*file_names)[FILE_NAME_BYTES]; /* of folder->jobs */
};

static int add_inputs(const struct site *site, const struct job_config *job, struct plan *plan,
	struct text_maker *maker, struct enrg_error *err)
{
	const struct folder *folder = site->folder;
	bool any_link = false;

	for (size_t i = 0; i < folder->job_count; i++)
		plan->input_count += folder_takes(job, &folder->jobs[i]);
	plan->inputs = calloc(plan->input_count + 1, sizeof(*plan->inputs));
	if (!plan->inputs) {
		plan->input_count = 0;
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	for (size_t i = 0, k = 0; i < folder->job_count; i++) {
		const struct job_config *producer = &folder->jobs[i];

		if (!folder_takes(job, producer))
			continue;
		if (fill_input(site->runtime, producer, site->file_names[i], &plan->inputs[k], maker))
			return enrg_error_set(err, -ENOMEM, "out of memory");
		plan->inputs[k].is_link = is_link(job, producer);
		any_link |= plan->inputs[k].is_link;
		k++;
	}
	if (any_link)
		plan->link_url = make_link_url(maker, site->runtime, job);
	return 0;
}

/* A group without a store of its own is produced all the same where somebody reads it. */
static char *make_read_groups(const struct folder *folder, const struct job_config *job, struct text_maker *maker)
{
	char *text = NULL;

	for (const struct enrg_job_group *group = type_groups(job->type); group && group->key; group++) {
		bool is_read = false;
		char *longer;

		for (size_t i = 0; i < folder->job_count; i++)
			is_read |= folder_reads(&folder->jobs[i], job, group->key);
		if (!is_read)
			continue;
		longer = print(maker, "%s%s ", text ? text : "", group->key);
		free(text);
		text = longer;
	}
	return text;
}

static int build(const struct site *site, size_t index, struct plan *plan, struct enrg_error *err)
{
	const struct folder *folder = site->folder;
	const struct runtime *runtime = site->runtime;
	const struct job_config *job = &folder->jobs[index];
	const char *file_name = site->file_names[index];
	char publish_url[RUNTIME_URL_BYTES], subscribe_url[RUNTIME_URL_BYTES];
	struct text_maker maker = {false};
	int rc;

	plan->version = copy(&maker, version_text());
	plan->supervisor = copy(&maker, folder->supervisor.info.supervisor_id);
	plan->run = copy(&maker, runtime->run);
	plan->name = copy(&maker, job->name);
	plan->type = copy(&maker, job->type->name);
	plan->module_path = copy(&maker, job->type->module_path);
	plan->file = copy(&maker, job->file);
	plan->toml_text = copy(&maker, job->toml_text ? job->toml_text : "");
	plan->runtime_folder = copy(&maker, runtime->folder);
	plan->page_path = print(&maker, "%s/%s.page", runtime->folder, file_name);
	runtime_format_bus(runtime, publish_url, subscribe_url);
	plan->publish_url = copy(&maker, publish_url);
	plan->subscribe_url = copy(&maker, subscribe_url);
	plan->verbosity = job->common.has_verbosity ? job->common.verbosity : folder->supervisor.verbosity;
	plan->is_store = job->type->store != NULL;
	plan->is_processor = job->type->processor != NULL;
	plan->has_run_control = folder->supervisor.runs.control;
	plan->level = folder_level(folder, job);
	rc = 0;
	if (plan->is_processor)
		plan->checkpoint_path = print(&maker, "%s/%s.checkpoint", runtime->folder, file_name);
	if (plan->is_store || plan->is_processor) {
		plan->journal_path = print(&maker, "%s/%s.journal", runtime->folder, file_name);
		rc = add_inputs(site, job, plan, &maker, err);
	}
	if (!rc && !plan->is_store) {
		rc = add_sinks(folder, runtime, job, plan, &maker, err);
		if (plan->sink_count)
			plan->stream_path = print(&maker, "%s/%s.stream", runtime->folder, file_name);
		plan->read_groups = make_read_groups(folder, job, &maker);
	}
	return !rc && maker.failed ? enrg_error_set(err, -ENOMEM, "out of memory") : rc;
}

/* Four in the watchdog's patience; each costs an idle job a wake-up, which is a tenth of a millisecond where a thousand
 * processes share the caches. */
static void set_beats(const struct folder *folder, struct plan_set *set)
{
	uint64_t beat_ns = (uint64_t)(folder->supervisor.watchdog_seconds * 1e9) / 4;

	for (size_t i = 0; i < set->count; i++)
		set->plans[i]->beat_ns = beat_ns < BEAT_LEAST_NS  ? BEAT_LEAST_NS
					 : beat_ns > BEAT_MOST_NS ? BEAT_MOST_NS
								  : beat_ns;
}

static void set_windows(const struct folder *folder, struct plan_set *set)
{
	size_t producers = plan_set_producers(set);
	uint64_t all_bytes = (uint64_t)folder->supervisor.window_kb << 10;

	for (size_t i = 0; i < set->count; i++) {
		struct plan *plan = set->plans[i];
		if (!plan->stream_path)
			continue;
		plan->hot_bytes = all_bytes / producers;
		plan->latency_target_ns = (uint64_t)(folder->supervisor.latency_target_ms * 1e6);
		plan->producers = (uint32_t)producers;
	}
}

int plan_set_create(
	const struct folder *folder, const struct runtime *runtime, struct plan_set **ret_set, struct enrg_error *err)
{
	struct plan_set *set = calloc(1, sizeof(*set));

	if (set)
		set->plans = calloc(folder->job_count + 1, sizeof(struct plan *));
	char(*file_names)[FILE_NAME_BYTES] = set && set->plans ? make_file_names(folder) : NULL;
	if (!file_names) {
		if (set)
			free(set->plans);
		free(set);
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	const struct site site = {folder, runtime, file_names};
	int rc = 0;
	for (; !rc && set->count < folder->job_count; set->count++) {
		struct plan *plan = calloc(1, sizeof(*plan));
		rc = plan ? build(&site, set->count, plan, err) : enrg_error_set(err, -ENOMEM, "out of memory");
		set->plans[set->count] = plan;
	}
	free(file_names);
	if (rc) {
		plan_set_destroy(set);
		return rc;
	}
	set_beats(folder, set);
	set_windows(folder, set);
	*ret_set = set;
	return 0;
}

void plan_set_destroy(struct plan_set *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->count; i++)
		if (set->plans[i])
			plan_free(set->plans[i]);
	free(set->plans);
	free(set);
}

size_t plan_set_producers(const struct plan_set *set)
{
	size_t count = 0;

	for (size_t i = 0; i < set->count; i++)
		count += set->plans[i]->stream_path != NULL;
	return count;
}

struct plan *plan_set_find(const struct plan_set *set, const char *name)
{
	for (size_t i = 0; i < set->count; i++)
		if (!strcmp(set->plans[i]->name, name))
			return set->plans[i];
	return NULL;
}

int plan_name_run(struct plan *plan, const char *run, struct enrg_error *err)
{
	char *name = strdup(run);

	if (!name)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	free(plan->run);
	plan->run = name;
	return 0;
}

int plan_set_name_run(struct plan_set *set, const char *run, struct enrg_error *err)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < set->count; i++)
		rc = plan_name_run(set->plans[i], run, err);
	return rc;
}
