/* streams.c: files of rings. Process: supervisor, while no job runs. */
#include "supervisor/earlier/streams.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "handover/presence.h"
#include "supervisor/budget.h"

/* Beyond the largest payload a record has its header, lead and padding. */
#define RECORD_OVERHEAD_MAX 8192u

_Static_assert(sizeof(struct stream_spec) < 256, "a thousand sources are usual");

int stream_specs_create(const struct folder *folder, const struct plan_set *plans, struct stream_specs **ret_specs,
	struct enrg_error *err)
{
	size_t producers = plan_set_producers(plans);
	int64_t slot_kb = folder->supervisor.ring_buffer_slot_size_kb;
	struct stream_specs *specs = calloc(1, sizeof(*specs));

	if (specs)
		specs->items = calloc(producers + 1, sizeof(*specs->items));
	if (!specs || !specs->items) {
		free(specs);
		return enrg_error_set(err, -ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < plans->count; i++) {
		if (!plans->plans[i]->stream_path)
			continue;
		specs->items[specs->count++] = (struct stream_spec){
			.plan = plans->plans[i],
			.data_bytes = budget_ring_bytes(folder->jobs[i].common.ring_buffer_size_mb,
				folder->supervisor.ring_buffer_size_mb, producers, slot_kb),
			.record_bytes_max = budget_record_bytes(slot_kb),
		};
	}
	*ret_specs = specs;
	return 0;
}

void stream_specs_drop_kept(struct stream_specs *specs)
{
	for (size_t i = 0; i < specs->count; i++) {
		free(specs->items[i].kept);
		specs->items[i].kept = NULL;
	}
}

void stream_specs_destroy(struct stream_specs *specs)
{
	if (!specs)
		return;
	stream_specs_drop_kept(specs);
	free(specs->items);
	free(specs);
}

static int create_one(const struct stream_spec *spec, bool checks, struct enrg_error *err)
{
	const struct stream_params params = {
		.path = spec->plan->stream_path,
		.source = spec->plan->name,
		.run = spec->plan->run,
		.supervisor = spec->plan->supervisor,
		.data_bytes = spec->data_bytes,
		.record_bytes_max = spec->record_bytes_max,
		.checks = checks,
	};
	int rc = stream_create(&params, err);

	for (size_t i = 0; !rc && i < spec->plan->sink_count; i++)
		rc = stream_add_consumer(params.path, spec->plan->sinks[i].store_name, err);
	if (rc)
		unlink(params.path); /* without its consumers it is no stream of ours; it is empty */
	return rc;
}

int streams_create(const struct stream_specs *specs, bool checks, struct enrg_error *err)
{
	uint64_t need_bytes = 0;
	size_t count = 0;
	int rc = 0;

	for (size_t i = 0; i < specs->count; i++) {
		if (!access(specs->items[i].plan->stream_path, F_OK))
			continue;
		need_bytes += specs->items[i].data_bytes + BUDGET_OVERHEAD_BYTES;
		count++;
	}
	if (count)
		rc = budget_check(specs->items[0].plan->runtime_folder, need_bytes, count, err);
	if (rc > 0) {
		log_line(ENRG_WARNING, "%s", err->text);
		rc = 0;
	}
	for (size_t i = 0; !rc && i < specs->count; i++)
		if (access(specs->items[i].plan->stream_path, F_OK))
			rc = create_one(&specs->items[i], checks, err);
	return rc;
}

bool stream_spec_fits(const struct stream_spec *spec, const struct stream_status *status)
{

	if (strcmp(spec->plan->name, status->source) || spec->data_bytes != status->data_bytes ||
		status->record_bytes_max < spec->record_bytes_max ||
		status->record_bytes_max > spec->record_bytes_max + RECORD_OVERHEAD_MAX)
		return false;
	for (uint32_t i = 0; i < status->consumer_count; i++) {
		bool is_known = false;

		for (size_t k = 0; k < spec->plan->sink_count; k++)
			is_known |= !strcmp(spec->plan->sinks[k].store_name, status->consumers[i].name);
		if (!is_known)
			return false;
	}
	return status->consumer_count == spec->plan->sink_count;
}

bool stream_spec_has_sink(const struct stream_spec *spec, const char *name)
{
	for (size_t i = 0; i < spec->plan->sink_count; i++)
		if (!strcmp(spec->plan->sinks[i].store_name, name))
			return true;
	return false;
}

bool stream_spec_takes(const struct stream_spec *spec, const struct stream_status *status)
{
	if (strcmp(spec->plan->name, status->source))
		return false;
	if (!status->consumer_count) /* of a source that was removed, and comes again */
		return true;
	for (uint32_t i = 0; i < status->consumer_count; i++)
		if (stream_spec_has_sink(spec, status->consumers[i].name))
			return true;
	return false;
}

bool stream_is_settled(const char *path)
{
	struct stream_status status;

	if (stream_read_status(path, &status, NULL))
		return false;
	for (uint32_t i = 0; i < status.consumer_count; i++)
		if (status.consumers[i].backlog_bytes)
			return false;
	return true;
}

bool stream_remove_settled(const char *path)
{
	if (stream_is_settled(path))
		unlink(path);
	return access(path, F_OK) != 0;
}

static void name_parted(const char *path, char ret_path[PATH_MAX])
{
	size_t length = strlen(path), suffix = strlen(".stream");

	snprintf(ret_path, PATH_MAX, "%.*s" STREAM_PARTED_SUFFIX, (int)(length > suffix ? length - suffix : 0), path);
}

/* The pages go when the name has gone: a ring that has its name has the pages that its producer takes for granted. */
int stream_part(const char *path, struct enrg_error *err)
{
	char parted[PATH_MAX];

	name_parted(path, parted);
	if (rename(path, parted))
		return enrg_error_set(err, -errno, "%s: %s", path, enrg_error_name(-errno));
	return stream_free_pages(parted, err);
}

int stream_return(const char *path, struct enrg_error *err)
{
	char parted[PATH_MAX];

	name_parted(path, parted);
	if (!access(path, F_OK) || access(parted, F_OK))
		return 0;
	int rc = stream_get_pages(parted, err);
	if (!rc && rename(parted, path))
		rc = enrg_error_set(err, -errno, "%s: %s", parted, enrg_error_name(-errno));
	return rc;
}

static int remove_file(const char *path, void *context)
{
	(void)context;
	unlink(path);
	return 0;
}

void streams_drop_parted(const char *folder)
{
	presence_visit_files(folder, STREAM_PARTED_SUFFIX, remove_file, NULL);
}

size_t streams_remove_settled(const struct stream_specs *specs)
{
	size_t left = 0;

	for (size_t i = 0; i < specs->count; i++)
		left += !stream_remove_settled(specs->items[i].plan->stream_path);
	return left;
}
