/* intake.c: records of all streams of a store, from rings and link. Store process, main thread. */
#include "job/store/intake_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- open --------------------------------------------------------------------------------------------------------- */

int intake_add(struct intake *intake, const struct plan_input *plan, struct enrg_error *err)
{
	if (plan->is_link) {
		intake_know_link(intake, plan);
		return 0;
	}
	struct intake_input *input = intake_add_input(intake, plan, err);
	int rc = input ? intake_attach_ring(intake, input, err) : -ENOMEM;

	return rc < 0 ? enrg_error_add(err, rc, "input %s", plan->source) : 0;
}

void intake_remove(struct intake *intake, uint32_t index)
{
	struct intake_input *input = intake->inputs[index];

	if (input->consumer)
		intake->ring_count--;
	consumer_close(input->consumer);
	free(input->earlier);
	free(input);
	intake->count--;
	memmove(&intake->inputs[index], &intake->inputs[index + 1],
		(intake->count - index) * sizeof(intake->inputs[0]));
	intake_forget(intake);
}

/* What the journal knows of streams that are opened later, or come over the link, makes no room for new ones. */
static void keep_known(const struct intake *intake)
{
	const struct plan *plan = intake->process->plan;
	struct stream_status status;

	for (size_t i = 0; i < plan->input_count; i++)
		if (plan->inputs[i].stream_path && stream_read_status(plan->inputs[i].stream_path, &status, NULL) == 0)
			journal_keep_stream(intake->journal, status.uuid);
}

int intake_open(struct intake *intake, struct process *process, struct journal *journal, struct enrg_error *err)
{
	const struct plan *plan = process->plan;
	int rc = 0;

	*intake = (struct intake){.process = process, .journal = journal};
	keep_known(intake);
	for (size_t i = 0; i < plan->input_count && rc == 0; i++) {
		if (plan->inputs[i].is_link) {
			intake_know_link(intake, &plan->inputs[i]);
			continue;
		}
		struct intake_input *input = intake_add_input(intake, &plan->inputs[i], err);
		rc = input ? intake_attach_ring(intake, input, err) : -ENOMEM;
		if (rc < 0)
			enrg_error_add(err, rc, "input %s", plan->inputs[i].source);
	}
	if (rc == 0)
		rc = intake_open_link(intake, err);
	if (rc < 0)
		intake_close(intake);
	return rc;
}

static void detach(struct intake *intake)
{
	for (uint32_t i = 0; i < intake->count; i++) {
		consumer_close(intake->inputs[i]->consumer);
		intake->inputs[i]->consumer = NULL;
	}
	intake->ring_count = 0;
	intake_forget(intake);
	if (intake->link)
		link_receiver_close(intake->link);
	intake->link = NULL;
	intake->has_batch = false;
}

void intake_close(struct intake *intake)
{
	detach(intake);
	for (uint32_t i = 0; i < intake->count; i++) {
		free(intake->inputs[i]->earlier);
		free(intake->inputs[i]);
	}
	free(intake->inputs);
	free(intake->rings);
	intake->inputs = NULL;
	intake->rings = NULL;
	intake->count = intake->room = 0;
}

int intake_rewind(struct intake *intake, struct enrg_error *err)
{
	int rc = 0;

	detach(intake);
	for (uint32_t i = 0; i < intake->count && rc == 0; i++) {
		struct intake_input *input = intake->inputs[i];
		input->is_dirty = false;
		input->skipped_records = 0;
		if (!input->plan->is_link)
			rc = intake_attach_ring(intake, input, err);
		else
			input->now = input->committed; /* the journal does not know where a new stream began */
		if (rc == 0 && input->plan->is_link) {
			intake_begin_link(intake, input);
			intake_find_link_boundary(intake, input);
		}
	}
	return rc < 0 ? rc : intake_open_link(intake, err);
}

/* --- faults ------------------------------------------------------------------------------------------------------- */

static void count(_Atomic uint64_t *counter, uint64_t add)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + add, memory_order_relaxed);
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

bool intake_may_have(const struct intake *intake, const struct intake_input *input)
{
	if (intake->is_quiet)
		return false;
	return !intake->is_sparse || input->retry_ns || consumer_has_seen_more(input->consumer);
}

void intake_forget(struct intake *intake)
{
	intake->is_quiet = intake->is_sparse = false;
}

int intake_next(struct intake *intake, struct intake_input *input, struct intake_record *ret_record)
{
	return input ? intake_next_of_ring(intake, input, ret_record) : intake_next_of_link(intake, ret_record);
}

/* --- commits ------------------------------------------------------------------------------------------------------ */

bool intake_is_dirty(const struct intake *intake)
{
	for (uint32_t i = 0; i < intake->count; i++)
		if (intake->inputs[i]->is_dirty)
			return true;
	return false;
}

void intake_prepare(struct intake *intake)
{
	for (uint32_t i = 0; i < intake->count; i++) {
		const struct intake_input *input = intake->inputs[i];
		if (!input->is_dirty)
			continue;
		journal_set_stream(intake->journal, input->journal_index, &input->now);
		if (input->has_passed)
			journal_set_stream(intake->journal, input->boundary_index, &input->now);
	}
}

/* What the commit added, for the page: a replay after a failure is so counted once. */
static void count_committed(
	struct page *page, const struct journal_stream_state *now, const struct journal_stream_state *before)
{
	count(&page->in_batches, now->batches - before->batches);
	count(&page->in_rows, now->rows - before->rows);
	count(&page->in_bytes, now->bytes - before->bytes);
	count(&page->lost, now->lost_batches - before->lost_batches);
	count(&page->duplicated, now->duplicated_batches - before->duplicated_batches);
	count(&page->corrupted, now->corrupted_batches - before->corrupted_batches);
	count(&page->set_aside, now->set_aside_batches - before->set_aside_batches);
}

void intake_release(struct intake *intake, uint64_t commit)
{
	for (uint32_t i = 0; i < intake->count; i++) {
		struct intake_input *input = intake->inputs[i];
		if (!input->is_dirty)
			continue;
		count_committed(intake->process->page, &input->now, &input->committed);
		input->is_dirty = input->has_passed = false;
		input->committed = input->now;
		if (input->consumer)
			consumer_release(input->consumer, input->now.position, commit);
		else if (intake->link)
			link_receiver_ack(intake->link, input->uuid, input->now.position);
	}
}

bool intake_is_pressed(const struct intake *intake, const struct intake_input *input)
{
	if (!input || !input->consumer)
		return intake->link && link_receiver_is_commit_due(intake->link);
	if (input->now.position == input->committed.position)
		return false;
	/* A record is at most half of the ring: with this, one always fits when all is read and committed. */
	return input->now.position - input->committed.position >= input->data_bytes / 4 ||
	       consumer_room(input->consumer) < input->data_bytes / 4;
}

/* --- failures of the store ---------------------------------------------------------------------------------------- */

void intake_note_failure(struct intake *intake, struct intake_input *input, uint64_t record_end)
{
	for (uint32_t i = 0; i < intake->count; i++) {
		struct intake_input *read = intake->inputs[i];
		uint64_t end = read == input && record_end > read->now.position ? record_end : read->now.position;
		if (end > read->committed.position && end > read->failed_end)
			read->failed_end = end;
	}
}

bool intake_is_recovered(const struct intake *intake)
{
	for (uint32_t i = 0; i < intake->count; i++)
		if (intake->inputs[i]->committed.position < intake->inputs[i]->failed_end)
			return false;
	return true;
}

uint64_t intake_next_retry(const struct intake *intake)
{
	uint64_t next = UINT64_MAX;

	for (uint32_t i = 0; i < intake->count; i++)
		if (intake->inputs[i]->retry_ns && intake->inputs[i]->retry_ns < next)
			next = intake->inputs[i]->retry_ns;
	return next;
}
