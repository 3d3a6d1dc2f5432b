/* intake_link.c: records that come over ZeroMQ, where shared memory is off. Store process, main thread. */
#include "job/store/intake_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/log.h"
#include "base/text.h"

static uint64_t resume_link(void *context, const char *stream_uuid)
{
	const struct intake *intake = context;
	uint8_t uuid[16];
	uint32_t index;

	if (text_parse_hex(stream_uuid, sizeof(uuid), uuid) < 0 ||
		journal_find_stream(intake->journal, uuid, &index) < 0)
		return 0;
	return journal_stream(intake->journal, index).position;
}

/* The streams of this store's links lie in the same runtime folder: what a sender says of its own is looked up there.
 */
static int vet_link(void *context, const char *stream_uuid, uint64_t *ret_position)
{
	const struct intake *intake = context;
	const struct plan *plan = intake->process->plan;
	struct stream_status status;
	uint8_t wanted[16];

	if (text_parse_hex(stream_uuid, sizeof(wanted), wanted) < 0)
		return -EINVAL;
	for (size_t i = 0; i < plan->input_count; i++)
		if (plan->inputs[i].is_link &&
			!intake_find_ack(plan->inputs[i].stream_path, plan->name, &status, ret_position, NULL) &&
			!memcmp(status.uuid, wanted, sizeof(wanted)))
			return 0;
	return -ENOENT;
}

int intake_open_link(struct intake *intake, struct enrg_error *err)
{
	if (!intake->process->plan->link_url)
		return 0;
	int rc = link_receiver_open(intake->process->plan->link_url, &intake->link, err);
	if (rc)
		return rc;
	link_receiver_set_resume(intake->link, resume_link, intake);
	link_receiver_set_vet(intake->link, vet_link, intake);
	return 0;
}

void intake_find_link_boundary(struct intake *intake, struct intake_input *input)
{
	struct stream_status status;

	input->boundary = (struct boundary){0};
	input->has_passed = false;
	if (stream_read_status(input->plan->stream_path, &status, NULL) == 0 &&
		memcmp(status.uuid, input->stream_uuid, sizeof(status.uuid)) == 0)
		intake_find_boundary(intake, input, &status);
}

void intake_begin_link(struct intake *intake, struct intake_input *input)
{
	const char *name = intake->process->plan->name;
	struct stream_status status;
	uint64_t ack = 0;

	if (intake_find_ack(input->plan->stream_path, name, &status, &ack, NULL) < 0 ||
		memcmp(status.uuid, input->stream_uuid, sizeof(status.uuid)) != 0)
		return;
	for (uint32_t i = 0; i < status.consumer_count; i++) {
		uint64_t joined = status.consumers[i].joined.position;
		if (!strcmp(status.consumers[i].name, name) && input->now.position < joined)
			input->is_dirty = intake_begin_where_joined(&input->now, &status, name, joined);
	}
	/* The journal is new: the sender goes on where it was acknowledged last. */
	if (input->now.sequence == 0 && ack > input->now.position)
		input->now.position = input->committed.position = ack;
}

/* An input over the link, of a stream that its sender or its file names. NULL: there is no memory or no place. */
static struct intake_input *add_link_input(struct intake *intake, const struct plan_input *plan, const uint8_t uuid[16],
	const char *run, struct enrg_error *err)
{
	struct intake_input *input = intake_add_input(intake, plan, err);

	if (!input)
		return NULL;
	if (journal_add_stream(intake->journal, uuid, plan->source, &input->journal_index, err) < 0) {
		free(input->earlier);
		free(input);
		intake->count--;
		return NULL;
	}
	text_format_hex(uuid, sizeof(input->stream_uuid), input->uuid);
	memcpy(input->stream_uuid, uuid, sizeof(input->stream_uuid));
	snprintf(input->source, sizeof(input->source), "%s", plan->source);
	snprintf(input->run, sizeof(input->run), "%s", run);
	input->now = input->committed = journal_stream(intake->journal, input->journal_index);
	journal_keep_boundaries(intake->journal, uuid);
	intake_begin_link(intake, input);
	return input;
}

void intake_know_link(struct intake *intake, const struct plan_input *plan)
{
	struct stream_status status;
	struct intake_input *input = NULL;
	uint64_t ack;

	if (intake_find_ack(plan->stream_path, intake->process->plan->name, &status, &ack, NULL) == 0)
		input = add_link_input(intake, plan, status.uuid, status.run, NULL);
	if (input)
		intake_find_link_boundary(intake, input);
}

static struct intake_input *find_link_input(
	struct intake *intake, const struct link_batch *batch, struct enrg_error *err)
{
	const struct plan *plan = intake->process->plan;
	uint8_t uuid[16];

	for (uint32_t i = 0; i < intake->count; i++)
		if (intake->inputs[i]->plan->is_link && strcmp(intake->inputs[i]->uuid, batch->stream_uuid) == 0)
			return intake->inputs[i];
	if (text_parse_hex(batch->stream_uuid, sizeof(uuid), uuid) < 0) {
		enrg_error_set(err, ENRG_E_PROTOCOL, "link: \"%s\" is no stream", batch->stream_uuid);
		return NULL;
	}
	for (size_t i = 0; i < plan->input_count; i++) {
		if (!plan->inputs[i].is_link || strcmp(plan->inputs[i].source, batch->source) != 0)
			continue;
		struct intake_input *input = add_link_input(intake, &plan->inputs[i], uuid, batch->run, err);
		if (!input)
			return NULL;
		if (input->now.sequence == 0) /* not known yet: the sender goes on where it was acknowledged last */
			input->now.position = input->committed.position = batch->position;
		intake_find_link_boundary(intake, input);
		return input;
	}
	enrg_error_set(err, ENRG_E_PROTOCOL, "link: %s is not an input of this store", batch->source);
	return NULL;
}

/* Both CRCs are zero where the stream has checks off. */
static int check_link_crc(const struct link_batch *batch, struct enrg_error *err)
{
	const struct record *header = &batch->header;

	if (header->meta_crc == 0 && header->body_crc == 0)
		return 0;
	if (crc32c(0, batch->payload, header->meta_bytes) == header->meta_crc &&
		crc32c(0, batch->payload + header->meta_bytes, header->body_bytes) == header->body_crc)
		return 0;
	return enrg_error_set(
		err, ENRG_E_CORRUPT, "%s: batch %llu: CRC wrong", batch->source, (unsigned long long)header->sequence);
}

/* 1: `batch` holds one. */
bool intake_receive(struct intake *intake, int timeout_ms)
{
	struct enrg_error err;
	int rc = link_receiver_recv(intake->link, timeout_ms, &intake->batch, &err);

	if (rc < 0)
		intake_tell_fault(intake, &intake->malformed, "a message of the link was thrown away", &err);
	return rc > 0;
}

/* Its sender could not read a record before this batch. Where that was the boundary of a run, it comes first: the batch
 * is kept for the next call. */
static bool recall_unsent(struct intake *intake, struct intake_input *input, struct intake_record *ret_record)
{
	const struct link_batch *batch = &intake->batch;
	struct boundary next;

	if (!input->now.sequence || batch->header.sequence <= input->now.sequence + 1 ||
		!intake_find_next_boundary(input, input->now.position, &next) || next.position > batch->position)
		return false;
	if (next.sequence == input->now.sequence)
		intake_tell_recalled(input, &next);
	(void)intake_pass_hidden(intake, input, input->now.position, &next, ret_record);
	(void)intake_check_sequence(intake, input, ret_record->header);
	intake->has_batch = true;
	return true;
}

int intake_next_of_link(struct intake *intake, struct intake_record *ret_record)
{
	const struct link_batch *batch = &intake->batch;
	struct enrg_error err;

	if (!intake->has_batch && !intake_receive(intake, 0))
		return INTAKE_NONE;
	intake->has_batch = false;
	struct intake_input *input = find_link_input(intake, batch, &err);
	if (!input) {
		intake_tell_fault(intake, &intake->malformed, "a message of the link was thrown away", &err);
		return INTAKE_SKIPPED;
	}
	*ret_record = (struct intake_record){
		.input = input,
		.header = &batch->header,
		.payload = batch->payload,
		.payload_bytes = (uint64_t)batch->header.meta_bytes + batch->header.body_bytes,
		.position = batch->position,
		.end = batch->end,
		.route = {batch->group, batch->schema, batch->flags, batch->tag, batch->schema_ipc,
			batch->schema_bytes},
	};
	journal_set_reading(intake->journal, input->journal_index, batch->position);
	if (recall_unsent(intake, input, ret_record))
		return INTAKE_RUN;
	if (intake_check_sequence(intake, input, &batch->header))
		return INTAKE_SKIPPED;
	if (check_link_crc(batch, &err) < 0) {
		if (intake_recall_boundary(intake, ret_record))
			return INTAKE_RUN;
		intake_reject(intake, ret_record, &err);
		return INTAKE_SKIPPED;
	}
	return batch->header.type == RECORD_RUN ? intake_take_boundary(intake, ret_record) : INTAKE_RECORD;
}

void intake_look(struct intake *intake)
{
	struct enrg_error err = {0};
	int rc = intake->link ? link_receiver_look(intake->link, &err) : 0;

	if (rc > 0)
		process_alert(intake->process, ENRG_ERROR,
			"%s: the socket that producers send to was removed: made again; batches continue to come, none "
			"is lost",
			intake->process->plan->link_url);
	else if (rc < 0)
		log_line(ENRG_WARNING,
			"the socket that producers send to was removed, and can't be made again: %s; trying again",
			err.text);
}
