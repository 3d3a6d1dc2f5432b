/* inherit.c: stores that ran with their defaults and are configured by a file now. Process: supervisor, at start. */
#include "supervisor/earlier/inherit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/path.h"
#include "handover/leftover.h"
#include "handover/presence.h"
#include "handover/switches.h"
#include "plane/stream.h"
#include "supervisor/earlier/adopt.h"

/* --- names --- */

/* Does a consumer have that name, and is a batch left in its stream? For whom does not matter: the stream goes on only
 * with all the consumers that it had. */
struct search {
	const char *name;
	bool is_there, has_batches;
};

static int look_for_name(const char *path, void *context)
{
	struct search *search = context;
	struct stream_status status;
	bool is_here = false, has_batches = false;

	if (stream_read_status(path, &status, NULL))
		return 0;
	for (uint32_t i = 0; i < status.consumer_count; i++) {
		const struct stream_consumer_status *consumer = &status.consumers[i];
		is_here |= strcmp(consumer->name, search->name) == 0;
		has_batches |= consumer->backlog_bytes > 0;
	}
	search->is_there |= is_here;
	search->has_batches |= is_here && has_batches;
	return 0;
}

static struct search find_name(const struct runtime *runtime, const char *name)
{
	struct search search = {.name = name};

	presence_visit_files(runtime->folder, ".stream", look_for_name, &search);
	return search;
}

/* Also names that are one as a file count. */
static bool is_taken(const struct folder *folder, const char *name)
{
	char safe[300], other[300];

	path_safe_name(name, safe, sizeof(safe));
	for (size_t i = 0; i < folder->job_count; i++) {
		path_safe_name(folder->jobs[i].name, other, sizeof(other));
		if (!strcmp(safe, other))
			return true;
	}
	return false;
}

static bool is_only_one(const struct folder *folder, const struct job_config *job)
{
	for (size_t i = 0; i < folder->job_count; i++)
		if (&folder->jobs[i] != job && folder->jobs[i].type == job->type)
			return false;
	return true;
}

int inherit_names(struct folder *folder, const struct runtime *runtime, struct enrg_error *err)
{
	for (size_t i = 0; i < folder->job_count; i++) {
		struct job_config *job = &folder->jobs[i];
		const char *name = job->type->name;
		if (!job->type->store || !job->type->store->starts_by_default || !is_only_one(folder, job) ||
			is_taken(folder, name) || !find_name(runtime, name).has_batches ||
			find_name(runtime, job->name).is_there)
			continue;
		char *copy = strdup(name);
		if (!copy)
			return enrg_error_set(err, -ENOMEM, "out of memory");
		log_line(ENRG_WARNING,
			"%s: batches are left of a run in which this store had its defaults and the name %s: it keeps "
			"that name, and is called %s when a run begins without left-overs",
			job->file, name, job->name);
		free(job->name);
		job->name = copy;
	}
	return 0;
}

/* --- journals --- */

static void remove_journal(const char *path)
{
	struct journal *journal;
	const char *file;
	uint32_t index = 0;
	uint64_t length;
	bool has_files;

	if (journal_open(path, &journal, NULL))
		return; /* in use, or damaged: whoever needs it says so */
	leftover_cut(journal);
	has_files = journal_next_file(journal, &index, &file, &length);
	if (!has_files)
		switches_remove(path);
	if (!has_files && unlink(path) == 0)
		log_line(ENRG_INFO, "%s: removed: no store of this configuration continues with it", path);
	journal_close(journal);
}

struct journal_visit {
	const struct plan_set *plans;
};

static int visit_journal(const char *path, void *context)
{
	const struct plan_set *plans = ((const struct journal_visit *)context)->plans;

	for (size_t i = 0; i < plans->count; i++)
		if (plans->plans[i]->journal_path && !strcmp(plans->plans[i]->journal_path, path))
			return 0;
	remove_journal(path);
	return 0;
}

static int visit_checkpoint(const char *path, void *context)
{
	const struct plan_set *plans = ((const struct journal_visit *)context)->plans;

	for (size_t i = 0; i < plans->count; i++)
		if (plans->plans[i]->checkpoint_path && !strcmp(plans->plans[i]->checkpoint_path, path))
			return 0;
	if (unlink(path) == 0)
		log_line(ENRG_INFO, "%s: removed: no processor of this configuration goes on with it", path);
	return 0;
}

void inherit_remove_journals(const struct runtime *runtime, const struct plan_set *plans)
{
	struct journal_visit visit = {.plans = plans};

	presence_visit_files(runtime->folder, ".journal", visit_journal, &visit);
	presence_visit_files(runtime->folder, ".checkpoint", visit_checkpoint, &visit);
}
