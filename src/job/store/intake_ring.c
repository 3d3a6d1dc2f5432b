/* intake_ring.c: records of a stream that this process has mapped. Store process, main thread. */
#include "job/store/intake_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

int intake_find_ack(
	const char *path, const char *name, struct stream_status *ret_status, uint64_t *ret_ack, struct enrg_error *err)
{
	int rc = stream_read_status(path, ret_status, err);

	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < ret_status->consumer_count; i++) {
		if (strcmp(ret_status->consumers[i].name, name) == 0) {
			*ret_ack = ret_status->consumers[i].ack;
			return 0;
		}
	}
	return enrg_error_set(err, -ENOENT, "%s: has no consumer %s", path, name);
}

bool intake_begin_where_joined(
	struct journal_stream_state *now, const struct stream_status *status, const char *name, uint64_t ack)
{
	const struct stream_joined *joined = NULL;

	for (uint32_t i = 0; i < status->consumer_count; i++)
		if (strcmp(status->consumers[i].name, name) == 0)
			joined = &status->consumers[i].joined;
	now->position = ack;
	if (!joined || joined->position != ack || joined->sequence < now->sequence || joined->gaps < now->gaps) {
		/* The journal is new (or was moved away): the sequence is taken as it comes, unless it starts at the
		 * start. */
		now->sequence = 0;
		return false;
	}
	uint64_t known_rows = now->rows + now->skipped_rows + now->set_aside_rows + now->corrupted_rows;
	now->skipped_batches += joined->sequence - now->sequence - (joined->gaps - now->gaps);
	now->skipped_rows += joined->rows > known_rows ? joined->rows - known_rows : 0;
	now->gaps = joined->gaps;
	now->sequence = joined->sequence;
	return true;
}

int intake_attach_ring(struct intake *intake, struct intake_input *input, struct enrg_error *err)
{
	const char *path = input->plan->stream_path, *name = intake->process->plan->name;
	struct stream_status status;
	uint64_t ack = 0;
	int rc = intake_find_ack(path, name, &status, &ack, err);

	if (rc == 0)
		rc = journal_add_stream(intake->journal, status.uuid, input->plan->source, &input->journal_index, err);
	if (rc < 0)
		return rc;
	journal_keep_boundaries(intake->journal, status.uuid);
	memcpy(input->stream_uuid, status.uuid, sizeof(input->stream_uuid));
	text_format_hex(status.uuid, sizeof(status.uuid), input->uuid);
	input->now = journal_stream(intake->journal, input->journal_index);
	if (input->now.position > status.head) {
		process_alert(intake->process, ENRG_ERROR,
			"%s: the journal says that %llu bytes were stored, but the stream "
			"holds %llu: one of the two was damaged; going on where the stream was acknowledged last",
			input->plan->source, (unsigned long long)input->now.position, (unsigned long long)status.head);
		input->now.position = input->now.sequence = 0;
	}
	bool is_ahead = input->now.position > ack; /* killed between commit and acknowledgement */
	if (input->now.position < ack) /* committed also where nothing comes any more: the ledger reads the journal */
		input->is_dirty = intake_begin_where_joined(&input->now, &status, name, ack);
	rc = consumer_open(path, name, input->now.position, &input->consumer, err);
	if (rc < 0)
		return rc;
	if (is_ahead)
		consumer_release(input->consumer, input->now.position, 0);
	input->committed = input->now;
	intake_find_boundary(intake, input, &status);
	if (!input->consumer)
		return enrg_error_set(err, -EBUSY, "%s: its place in the stream was taken meanwhile", path);
	const struct segment_header *header = consumer_header(input->consumer);
	input->data_bytes = header->data_bytes;
	snprintf(input->source, sizeof(input->source), "%.255s", header->source);
	snprintf(input->run, sizeof(input->run), "%.63s", header->run);
	intake->ring_count++;
	return 0;
}

/* A header that is corrupt hides what its record is, and perhaps where it ends: it may be the boundary of a run, or
 * hide one. The page of the stream tells where the next one is, so that two runs are never taken for one. */
static int skip_corrupt(struct intake *intake, struct intake_input *input, const struct enrg_error *why,
	struct intake_record *ret_record)
{
	uint64_t before = consumer_position(input->consumer);
	struct boundary next;
	bool has_next = intake_find_next_boundary(input, before, &next), is_trusted = true;
	bool is_itself = has_next && next.sequence == input->now.sequence + input->skipped_records &&
			 (input->now.sequence || !input->now.position);

	if (!is_itself) {
		is_trusted = consumer_skip(input->consumer) == 0;
		is_itself = is_trusted && has_next && consumer_position(input->consumer) == next.position;
		is_trusted = is_trusted && (!has_next || consumer_position(input->consumer) <= next.position);
	}
	if (is_itself && consumer_go_to(input->consumer, next.position) == 0) {
		intake_tell_recalled(input, &next);
		return intake_pass_hidden(intake, input, before, &next, ret_record);
	}
	intake_count_corrupt(intake, input, 0, why);
	input->skipped_records++;
	if (!is_trusted && has_next && consumer_go_to(input->consumer, next.position) == 0) {
		(void)intake_pass_hidden(intake, input, before, &next, ret_record);
		(void)intake_check_sequence(intake, input, ret_record->header);
		has_next = true;
	} else {
		has_next = false;
	}
	if (!is_trusted)
		process_alert(intake->process, ENRG_ERROR,
			"%s: the length of the corrupt batch can't be trusted: %llu bytes up to %s are skipped",
			input->source, (unsigned long long)(consumer_position(input->consumer) - before),
			has_next ? "where a run begins or ends" : "what the producer published last");
	if (has_next)
		return INTAKE_RUN;
	input->now.position = consumer_position(input->consumer);
	return INTAKE_SKIPPED;
}

int intake_next_of_ring(struct intake *intake, struct intake_input *input, struct intake_record *ret_record)
{
	struct consumer_record record;
	struct enrg_error err;
	int rc = consumer_acquire(input->consumer, &record, &err);

	if (rc == 0) {
		/* Pads stand behind the last record: they are done with as well. */
		if (consumer_position(input->consumer) != input->now.position) {
			input->now.position = consumer_position(input->consumer);
			input->is_dirty = true;
		}
		return INTAKE_NONE;
	}
	if (rc < 0)
		return skip_corrupt(intake, input, &err, ret_record);
	*ret_record = (struct intake_record){
		.input = input,
		.header = record.header,
		.payload = record.payload,
		.payload_bytes = (uint64_t)record.header->meta_bytes + record.header->body_bytes,
		.position = record.position,
		.end = record.end,
	};
	journal_set_reading(intake->journal, input->journal_index, record.position);
	int repeated = intake_check_sequence(intake, input, record.header);
	if (repeated) {
		input->now.position = record.end;
		input->is_dirty = true;
		return INTAKE_SKIPPED;
	}
	if (consumer_check(input->consumer, &record, &err) < 0) {
		if (intake_recall_boundary(intake, ret_record))
			return INTAKE_RUN;
		intake_reject(intake, ret_record, &err);
		return INTAKE_SKIPPED;
	}
	if (record.header->type == RECORD_RUN)
		return intake_take_boundary(intake, ret_record);
	if (consumer_route(input->consumer, record.header->route, &ret_record->route) < 0) {
		enrg_error_set(&err, ENRG_E_CORRUPT, "%s: batch %llu has route %u, which the stream does not know",
			input->source, (unsigned long long)record.header->sequence, record.header->route);
		intake_reject(intake, ret_record, &err);
		return INTAKE_SKIPPED;
	}
	return INTAKE_RECORD;
}
