/* runs_sources.c: what sources are told of runs, and how far they are. Process: supervisor, main thread. */
#include "supervisor/runs_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "handover/order.h"
#include "plane/stream.h"

void runs_wish(struct runs *runs, const struct account *account)
{
	struct wish wish = {.deadline_ns = clock_mono_ns() + runs->patience_ns};

	if (account) {
		snprintf(wish.run, sizeof(wish.run), "%s", account->id);
		wish.number = account->number;
	}
	runs->serial = wish_set(runs->wishes, &wish);
	for (size_t i = 0; runs->roster && i < runs->roster->count; i++) {
		struct member *member = runs->roster->members[i];
		if (member_is_source(member) && member_is_alive(member))
			(void)child_send_order(&member->child, ORDER_RUN); /* who misses it sees it at its next poll */
	}
}

/* --- how far a source is ------------------------------------------------------------------------------------------ */

/* It will not take part any more. */
static bool is_over(const struct member *member)
{
	return member->state == MEMBER_DONE || member->state == MEMBER_GIVEN_UP || member->state == MEMBER_STOPPED;
}

/* What its page answers to the present wish. */
static enum page_run read_answer(
	const struct runs *runs, const struct member *member, char ret_reason[PAGE_REASON_BYTES])
{
	enum page_run answer = PAGE_RUN_NONE;
	struct page *page = malloc(sizeof(*page));
	int file = page ? page_open_file(member->plan->page_path) : -1;

	if (file >= 0 && page_read(file, page) == 0 &&
		atomic_load_explicit(&page->pid, memory_order_relaxed) == (uint32_t)member->child.pid &&
		atomic_load_explicit(&page->run_serial, memory_order_relaxed) == runs->serial) {
		answer = (enum page_run)atomic_load_explicit(&page->run_answer, memory_order_relaxed);
		page->run_reason[sizeof(page->run_reason) - 1] = '\0';
		snprintf(ret_reason, PAGE_REASON_BYTES, "%s", page->run_reason);
		text_make_safe(ret_reason, strlen(ret_reason));
	}
	if (file >= 0)
		close(file);
	free(page);
	return answer;
}

/* Is `id` (NULL: no run) what stands in its stream? The boundary is there or it is not. */
static bool is_in_stream(const struct member *member, const char *id)
{
	struct stream_status *status = malloc(sizeof(*status));
	bool is_there = false;

	if (status && stream_read_status(member->plan->stream_path, status, NULL) == 0) {
		const struct boundary *last =
			status->boundary_count ? &status->boundaries[status->boundary_count - 1] : NULL;
		const char *run = last ? boundary_run(last) : "";
		is_there = !strcmp(run, id ? id : "");
	}
	free(status);
	return is_there;
}

/* A source that runs must have answered the present wish: it may be about to do what it was told before. */
static enum runs_progress look_at(
	const struct runs *runs, const struct member *member, const char *id, char ret_reason[PAGE_REASON_BYTES])
{
	bool has_stream = member->plan->stream_path != NULL;

	ret_reason[0] = '\0';
	if (member_is_alive(member)) {
		enum page_run answer = read_answer(runs, member, ret_reason);
		if (answer == PAGE_RUN_REFUSED)
			return RUNS_REFUSED;
		return answer == PAGE_RUN_DONE && (!has_stream || is_in_stream(member, id)) ? RUNS_DONE : RUNS_WAITING;
	}
	if (has_stream ? is_in_stream(member, id) : !id)
		return RUNS_DONE;
	return id && is_over(member) ? RUNS_DONE : RUNS_WAITING;
}

/* A service without data of its own, and without anything to do where runs begin and end, has no part in them: no run
 * waits for who sends mails. */
static bool takes_part(const struct member *member)
{
	const struct enrg_job_type *job = member->config->type->job;

	if (!member_is_source(member))
		return false;
	return !member_is_service(member) || member->plan->stream_path || job->run_start || job->run_stop;
}

/* The first source that is not there; `ret_reason` says why as far as it is known. */
enum runs_progress runs_look(const struct runs *runs, const char *id, char *ret_text, size_t text_bytes)
{
	for (size_t i = 0; i < runs->roster->count; i++) {
		const struct member *member = runs->roster->members[i];
		char reason[PAGE_REASON_BYTES];
		enum runs_progress progress = takes_part(member) ? look_at(runs, member, id, reason) : RUNS_DONE;

		if (progress == RUNS_DONE)
			continue;
		if (progress == RUNS_REFUSED)
			snprintf(ret_text, text_bytes, "%s refuses: %.400s", member->plan->name, reason);
		else if (!member_is_alive(member))
			snprintf(ret_text, text_bytes, "%s is %s", member->plan->name, member_state_name(member));
		else
			snprintf(ret_text, text_bytes, "%s has not answered yet", member->plan->name);
		return progress;
	}
	return RUNS_DONE;
}

const char *runs_find_missing_store(const struct runs *runs)
{
	for (size_t i = 0; i < runs->roster->count; i++)
		if (member_is_store(runs->roster->members[i]) && runs->roster->members[i]->state != MEMBER_RUNNING)
			return runs->roster->members[i]->plan->name;
	return NULL;
}

/* --- ends that no source writes -------------------- */

struct ending {
	const char *path;
	struct boundary boundary;
	struct stream *stream;
};

static int write_end(void *context)
{
	struct ending *ending = context;
	int rc = stream_open(ending->path, 0, &ending->stream, NULL);

	if (rc == 0 && boundary_last(ending->stream)->edge == RUN_BEGINS)
		rc = boundary_commit(ending->stream, &ending->boundary, 0);
	return rc;
}

/* A source that is not there can't end its part: whoever holds its lock may. -EBUSY: it is there. */
static int end_in_stream(const struct runs *runs, const struct member *member)
{
	struct ending ending = {.path = member->plan->stream_path,
		.boundary = {.edge = RUN_ENDED, .number = runs->account->number, .wall_ns = clock_wall_ns()}};

	snprintf(ending.boundary.run, sizeof(ending.boundary.run), "%s", runs->account->id);
	snprintf(ending.boundary.label, sizeof(ending.boundary.label), "%.50s-between", runs->runtime->run);
	int rc = fault_guard(write_end, &ending);
	if (rc == 0)
		log_line(ENRG_WARNING, "%s was not there to end run %s: it ends behind its last batch",
			member->plan->name, runs->account->id);
	if (rc != -EFAULT) /* else the mapping is no more what it was */
		stream_close(ending.stream, false);
	return rc;
}

bool runs_end_for_absent(const struct runs *runs, bool is_late)
{
	bool is_done = true;

	for (size_t i = 0; i < runs->roster->count; i++) {
		const struct member *member = runs->roster->members[i];
		if (member_is_source(member) && member->plan->stream_path && !member_is_alive(member) &&
			(is_late || is_over(member)) && is_in_stream(member, runs->account->id))
			is_done &= end_in_stream(runs, member) == 0;
	}
	return is_done;
}
