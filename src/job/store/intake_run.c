/* intake_run.c: which run a record belongs to, and where runs begin and end. Store process, main thread. */
#include "job/store/intake_parts.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

const char *intake_run_of(const struct intake *intake, const struct intake_record *record, bool *ret_is_left)
{
	const struct intake_input *input = record->input;

	*ret_is_left = true;
	for (uint32_t i = 0; i < input->earlier_count; i++)
		if (record->header->epoch <= input->earlier[i].last_epoch)
			return input->boundary.edge ? boundary_run(&input->boundary) : input->earlier[i].run;
	*ret_is_left = false;
	if (input->boundary.edge)
		return boundary_run(&input->boundary);
	return input->earlier_count ? intake->process->plan->run : input->run;
}

const char *intake_label_of(const struct intake_input *input)
{
	return input->boundary.edge ? input->boundary.label : NULL;
}

/* Label of the time between two runs: that of the last one which the stream remembers. */
static const char *find_between(const struct stream_status *status)
{
	for (uint32_t i = status->boundary_count; i--;)
		if (status->boundaries[i].edge == RUN_ENDED)
			return status->boundaries[i].label;
	return NULL;
}

/* What the next boundary says of what lies before it. false: nothing. */
static bool find_before(const struct boundary *next, const struct stream_status *status, struct boundary *ret_found)
{
	const char *label = next->edge == RUN_ENDED && next->run[0] ? next->run : find_between(status);

	*ret_found = (struct boundary){.index = next->index - 1};
	if (next->index == 1)
		return true;
	if (!label)
		return false;
	ret_found->edge = next->edge == RUN_ENDED && next->run[0] ? RUN_BEGINS : RUN_ENDED;
	snprintf(ret_found->label, sizeof(ret_found->label), "%s", label);
	return true;
}

/* Where the stream has forgotten the boundary before the place where the input goes on: by the record of the next one,
 * which is still in the ring. The consumer goes back to where it was. */
static bool look_ahead(struct intake *intake, struct intake_input *input, const struct stream_status *status)
{
	struct consumer_record record;
	struct boundary next;
	bool is_found = false;

	while (input->consumer && !is_found && consumer_acquire(input->consumer, &record, NULL) == 1)
		is_found = record.header->type == RECORD_RUN && consumer_check(input->consumer, &record, NULL) == 0 &&
			   boundary_parse(record.payload,
				   (uint64_t)record.header->meta_bytes + record.header->body_bytes, &next) == 0;
	if (input->consumer) {
		consumer_close(input->consumer);
		input->consumer = NULL;
		if (consumer_open(input->plan->stream_path, intake->process->plan->name, input->now.position,
			    &input->consumer, NULL) < 0)
			return false; /* attach_ring says so */
	}
	return is_found && find_before(&next, status, &input->boundary);
}

void intake_find_boundary(struct intake *intake, struct intake_input *input, const struct stream_status *status)
{
	const struct boundary *found = boundary_find(status->boundaries, status->boundary_count, input->now.position);

	input->has_passed = false;
	input->boundary = found ? *found : (struct boundary){0};
	if (!found && status->boundary_count && status->boundaries[0].index > 1 && !look_ahead(intake, input, status))
		process_alert(intake->process, ENRG_ERROR,
			"%s: more runs have begun and ended than its stream remembers, since this store committed "
			"last: "
			"up to the next one batches are stored as those of run %s",
			input->plan->source, status->run);
}

static void recall(struct intake *intake, const struct boundary *found)
{
	intake->at = *found;
	if (found->edge == RUN_BEGINS)
		memcpy(intake->at.run, found->label, sizeof(intake->at.run));
}

static bool read_stream(const struct intake_input *input, struct stream_status *ret_status)
{
	return stream_read_status(input->plan->stream_path, ret_status, NULL) == 0 &&
	       memcmp(ret_status->uuid, input->stream_uuid, sizeof(ret_status->uuid)) == 0;
}

void intake_tell_recalled(const struct intake_input *input, const struct boundary *found)
{
	log_line(ENRG_WARNING,
		"%s: the record of a run's %s before %llu is corrupt; the stream tells the same elsewhere, nothing is "
		"lost",
		input->source, found->edge == RUN_BEGINS ? "begin" : "end", (unsigned long long)found->position);
}

bool intake_recall_boundary(struct intake *intake, const struct intake_record *record)
{
	const struct intake_input *input = record->input;
	const struct boundary *found;
	struct stream_status status;

	if (record->header->type != RECORD_RUN || !read_stream(input, &status))
		return false;
	found = boundary_find(status.boundaries, status.boundary_count, record->end);
	if (!found || found->position != record->end)
		return false;
	recall(intake, found);
	intake_tell_recalled(input, found);
	return true;
}

int intake_take_boundary(struct intake *intake, const struct intake_record *record)
{
	struct enrg_error err;

	if (boundary_parse(record->payload, record->payload_bytes, &intake->at) == 0) {
		intake->at.position = record->end;
		return INTAKE_RUN;
	}
	if (intake_recall_boundary(intake, record))
		return INTAKE_RUN;
	enrg_error_set(&err, ENRG_E_CORRUPT, "%s: the boundary of a run at %llu makes no sense", record->input->source,
		(unsigned long long)record->position);
	intake_reject(intake, record, &err);
	return INTAKE_SKIPPED;
}

bool intake_find_next_boundary(const struct intake_input *input, uint64_t position, struct boundary *ret_found)
{
	struct stream_status status;

	if (!read_stream(input, &status))
		return false;
	for (uint32_t i = 0; i < status.boundary_count; i++) {
		if (status.boundaries[i].position <= position)
			continue;
		*ret_found = status.boundaries[i];
		return true;
	}
	return false;
}

int intake_pass_hidden(struct intake *intake, struct intake_input *input, uint64_t position,
	const struct boundary *found, struct intake_record *ret_record)
{
	recall(intake, found);
	input->recalled = (struct record){.type = RECORD_RUN, .sequence = found->sequence + 1};
	*ret_record = (struct intake_record){
		.input = input, .header = &input->recalled, .position = position, .end = found->position};
	return INTAKE_RUN;
}

int intake_pass(struct intake *intake, const struct intake_record *record, struct enrg_error *err)
{
	struct intake_input *input = record->input;
	int rc = journal_add_boundary(
		intake->journal, input->stream_uuid, input->source, intake->at.index, &input->boundary_index, err);

	if (rc < 0)
		return rc;
	input->now.gaps++;
	intake_accept(record);
	input->boundary = intake->at;
	input->has_passed = true;
	return 0;
}
