/* intake.c: records of all streams of a store, from rings and link. Store process, main thread. */
#include "job/store/intake.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crc32c.h"
#include "base/log.h"

#define NS_PER_S       1000000000ull
#define FAULT_EVERY_NS (10 * NS_PER_S) /* alerts of one kind and input */

/* --- runs --------------------------------------------------------------------------------------------------------- */

static int parse_earlier(struct intake_input *input)
{
	const char *text = input->plan->earlier_runs;
	struct intake_run earlier;
	int used = 0;

	while (text && input->earlier_count < INTAKE_RUNS_MAX &&
		sscanf(text, " %63[^: ]:%" SCNu32 "%n", earlier.run, &earlier.last_epoch, &used) == 2) {
		struct intake_run *longer = realloc(input->earlier, (input->earlier_count + 1) * sizeof(*longer));
		if (!longer)
			return -ENOMEM;
		input->earlier = longer;
		longer[input->earlier_count++] = earlier;
		text += used;
	}
	return 0;
}

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

/* The boundary behind which the input goes on, from what its stream remembers. Over a link too: all streams of this
 * store lie in the same runtime folder. */
static void find_boundary(struct intake *intake, struct intake_input *input, const struct stream_status *status)
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

static void find_link_boundary(struct intake *intake, struct intake_input *input)
{
	struct stream_status status;

	input->boundary = (struct boundary){0};
	input->has_passed = false;
	if (stream_read_status(input->plan->stream_path, &status, NULL) == 0 &&
		memcmp(status.uuid, input->stream_uuid, sizeof(status.uuid)) == 0)
		find_boundary(intake, input, &status);
}

/* --- open --------------------------------------------------------------------------------------------------------- */

static void format_uuid(const uint8_t uuid[16], char ret_text[33])
{
	for (int i = 0; i < 16; i++)
		snprintf(ret_text + 2 * i, 3, "%02x", uuid[i]);
}

static int parse_uuid(const char *text, uint8_t ret_uuid[16])
{
	for (int i = 0; i < 16; i++) {
		unsigned byte;
		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			return -EINVAL;
		ret_uuid[i] = (uint8_t)byte;
	}
	return 0;
}

/* What the stream says, and what it knows of this consumer. */
static int find_ack(
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

/* What came before this store joined the stream was not for it: counted as skipped, so that each batch is accounted
 * for. true: so it is, and the journal does not say it yet. */
static bool begin_where_joined(
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

static int attach_ring(struct intake *intake, struct intake_input *input, struct enrg_error *err)
{
	const char *path = input->plan->stream_path, *name = intake->process->plan->name;
	struct stream_status status;
	uint64_t ack = 0;
	int rc = find_ack(path, name, &status, &ack, err);

	if (rc == 0)
		rc = journal_add_stream(intake->journal, status.uuid, input->plan->source, &input->journal_index, err);
	if (rc < 0)
		return rc;
	journal_keep_boundaries(intake->journal, status.uuid);
	memcpy(input->stream_uuid, status.uuid, sizeof(input->stream_uuid));
	format_uuid(status.uuid, input->uuid);
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
		input->is_dirty = begin_where_joined(&input->now, &status, name, ack);
	rc = consumer_open(path, name, input->now.position, &input->consumer, err);
	if (rc < 0)
		return rc;
	if (is_ahead)
		consumer_release(input->consumer, input->now.position, 0);
	input->committed = input->now;
	find_boundary(intake, input, &status);
	if (!input->consumer)
		return enrg_error_set(err, -EBUSY, "%s: its place in the stream was taken meanwhile", path);
	const struct segment_header *header = consumer_header(input->consumer);
	input->data_bytes = header->data_bytes;
	snprintf(input->source, sizeof(input->source), "%.255s", header->source);
	snprintf(input->run, sizeof(input->run), "%.63s", header->run);
	intake->ring_count++;
	return 0;
}

static uint64_t resume_link(void *context, const char *stream_uuid)
{
	const struct intake *intake = context;
	uint8_t uuid[16];
	uint32_t index;

	if (parse_uuid(stream_uuid, uuid) < 0 || journal_find_stream(intake->journal, uuid, &index) < 0)
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

	if (parse_uuid(stream_uuid, wanted) < 0)
		return -EINVAL;
	for (size_t i = 0; i < plan->input_count; i++)
		if (plan->inputs[i].is_link &&
			!find_ack(plan->inputs[i].stream_path, plan->name, &status, ret_position, NULL) &&
			!memcmp(status.uuid, wanted, sizeof(wanted)))
			return 0;
	return -ENOENT;
}

static int open_link(struct intake *intake, struct enrg_error *err)
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

/* Room for one more input in the lists. */
static int reserve(struct intake *intake)
{
	uint32_t room = intake->room ? 2 * intake->room : 16;

	if (intake->count < intake->room)
		return 0;
	void *inputs = realloc(intake->inputs, room * sizeof(*intake->inputs));
	intake->inputs = inputs ? inputs : intake->inputs;
	void *rings = realloc(intake->rings, room * sizeof(*intake->rings));
	intake->rings = rings ? rings : intake->rings;
	if (!inputs || !rings)
		return -ENOMEM;
	intake->room = room;
	return 0;
}

static struct intake_input *add_input(struct intake *intake, const struct plan_input *plan, struct enrg_error *err)
{
	if (reserve(intake) < 0) {
		enrg_error_set(err, -ENOMEM, "%s: out of memory", plan->source);
		return NULL;
	}
	struct intake_input *input = calloc(1, sizeof(*input));
	if (!input) {
		enrg_error_set(err, -ENOMEM, "%s: out of memory", plan->source);
		return NULL;
	}
	input->plan = plan;
	if (parse_earlier(input) < 0) {
		free(input->earlier);
		free(input);
		enrg_error_set(err, -ENOMEM, "%s: out of memory", plan->source);
		return NULL;
	}
	intake->inputs[intake->count++] = input;
	return input;
}

int intake_add(struct intake *intake, const struct plan_input *plan, struct enrg_error *err)
{
	struct intake_input *input = plan->is_link ? NULL : add_input(intake, plan, err);
	int rc = plan->is_link ? 0 : input ? attach_ring(intake, input, err) : -ENOMEM;

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
		if (plan->inputs[i].is_link)
			continue; /* made when its stream first says something */
		struct intake_input *input = add_input(intake, &plan->inputs[i], err);
		rc = input ? attach_ring(intake, input, err) : -ENOMEM;
		if (rc < 0)
			enrg_error_add(err, rc, "input %s", plan->inputs[i].source);
	}
	if (rc == 0)
		rc = open_link(intake, err);
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
			rc = attach_ring(intake, input, err);
		else
			input->now = input->committed; /* the journal does not know where a new stream began */
		if (rc == 0 && input->plan->is_link)
			find_link_boundary(intake, input);
	}
	return rc < 0 ? rc : open_link(intake, err);
}

/* --- faults ------------------------------------------------------------------------------------------------------- */

static void tell_fault(
	struct intake *intake, struct intake_fault *fault, const char *what, const struct enrg_error *why)
{
	uint64_t now = clock_mono_ns();

	fault->untold++;
	if (fault->told_ns && now - fault->told_ns < FAULT_EVERY_NS)
		return;
	if (fault->untold > 1)
		process_alert(intake->process, ENRG_ERROR, "%s: %s (and %llu like it before)", what, why->text,
			(unsigned long long)fault->untold - 1);
	else
		process_alert(intake->process, ENRG_ERROR, "%s: %s", what, why->text);
	fault->told_ns = now;
	fault->untold = 0;
}

static void count(_Atomic uint64_t *counter, uint64_t add)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + add, memory_order_relaxed);
}

static void count_corrupt(
	struct intake *intake, struct intake_input *input, uint64_t rows, const struct enrg_error *why)
{
	input->now.corrupted_batches++;
	input->now.corrupted_rows += rows;
	input->is_dirty = true;
	tell_fault(intake, &input->corrupt, "a corrupt batch was not stored", why);
}

/* 0: as expected, or a hole, which is counted; 1: it came before. */
static int check_sequence(struct intake *intake, struct intake_input *input, const struct record *header)
{
	uint64_t expected = input->now.sequence + 1;
	uint64_t hole = 0;
	struct enrg_error why;

	if (input->now.sequence == 0 && input->now.position != 0)
		expected = header->sequence;
	if (header->sequence < expected) {
		input->now.duplicated_batches++;
		enrg_error_set(&why, ENRG_E_SEQUENCE, "%s: batch %llu, expected %llu", input->source,
			(unsigned long long)header->sequence, (unsigned long long)expected);
		tell_fault(intake, &input->duplicated, "a batch came twice and was stored once", &why);
		return 1;
	}
	hole = header->sequence - expected;
	hole -= hole < input->skipped_records ? hole : input->skipped_records;
	input->skipped_records = 0;
	if (hole == 0)
		return 0;
	input->now.lost_batches += hole;
	enrg_error_set(&why, ENRG_E_SEQUENCE, "%s: %llu missing before batch %llu, expected %llu", input->source,
		(unsigned long long)hole, (unsigned long long)header->sequence, (unsigned long long)expected);
	tell_fault(intake, &input->lost, "batches are missing", &why);
	return 0;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

void intake_accept(const struct intake_record *record)
{
	struct intake_input *input = record->input;

	input->now.position = record->end;
	input->now.sequence = record->header->sequence;
	input->is_dirty = true;
}

void intake_reject(struct intake *intake, const struct intake_record *record, const struct enrg_error *why)
{
	count_corrupt(intake, record->input, record->header->rows, why);
	intake_accept(record);
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

static void tell_recalled(const struct intake_input *input, const struct boundary *found)
{
	log_line(ENRG_WARNING,
		"%s: the record of a run's %s before %llu is corrupt; the stream tells the same elsewhere, nothing is "
		"lost",
		input->source, found->edge == RUN_BEGINS ? "begin" : "end", (unsigned long long)found->position);
}

/* A boundary whose record is spoilt: the stream's page tells the same of it. false: it does not. */
static bool recall_boundary(struct intake *intake, const struct intake_record *record)
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
	tell_recalled(input, found);
	return true;
}

/* A record that is no batch, its check sums right. */
static int take_boundary(struct intake *intake, const struct intake_record *record)
{
	struct enrg_error err;

	if (boundary_parse(record->payload, record->payload_bytes, &intake->at) == 0) {
		intake->at.position = record->end;
		return INTAKE_RUN;
	}
	if (recall_boundary(intake, record))
		return INTAKE_RUN;
	enrg_error_set(&err, ENRG_E_CORRUPT, "%s: the boundary of a run at %llu makes no sense", record->input->source,
		(unsigned long long)record->position);
	intake_reject(intake, record, &err);
	return INTAKE_SKIPPED;
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

/* The first boundary behind that place which the stream's page knows. */
static bool find_next_boundary(const struct intake_input *input, uint64_t position, struct boundary *ret_found)
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

/* The boundary comes next, whatever its record says. */
static int pass_hidden(struct intake *intake, struct intake_input *input, uint64_t position,
	const struct boundary *found, struct intake_record *ret_record)
{
	recall(intake, found);
	input->recalled = (struct record){.type = RECORD_RUN, .sequence = found->sequence + 1};
	*ret_record = (struct intake_record){
		.input = input, .header = &input->recalled, .position = position, .end = found->position};
	return INTAKE_RUN;
}

/* A header that is corrupt hides what its record is, and perhaps where it ends: it may be the boundary of a run, or
 * hide one. The page of the stream tells where the next one is, so that two runs are never taken for one. */
static int skip_corrupt(struct intake *intake, struct intake_input *input, const struct enrg_error *why,
	struct intake_record *ret_record)
{
	uint64_t before = consumer_position(input->consumer);
	struct boundary next;
	bool has_next = find_next_boundary(input, before, &next), is_trusted = true;
	bool is_itself = has_next && next.sequence == input->now.sequence + input->skipped_records &&
			 (input->now.sequence || !input->now.position);

	if (!is_itself) {
		is_trusted = consumer_skip(input->consumer) == 0;
		is_itself = is_trusted && has_next && consumer_position(input->consumer) == next.position;
		is_trusted = is_trusted && (!has_next || consumer_position(input->consumer) <= next.position);
	}
	if (is_itself && consumer_go_to(input->consumer, next.position) == 0) {
		tell_recalled(input, &next);
		return pass_hidden(intake, input, before, &next, ret_record);
	}
	count_corrupt(intake, input, 0, why);
	input->skipped_records++;
	if (!is_trusted && has_next && consumer_go_to(input->consumer, next.position) == 0) {
		(void)pass_hidden(intake, input, before, &next, ret_record);
		(void)check_sequence(intake, input, ret_record->header);
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

static int next_of_ring(struct intake *intake, struct intake_input *input, struct intake_record *ret_record)
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
	int repeated = check_sequence(intake, input, record.header);
	if (repeated) {
		input->now.position = record.end;
		input->is_dirty = true;
		return INTAKE_SKIPPED;
	}
	if (consumer_check(input->consumer, &record, &err) < 0) {
		if (recall_boundary(intake, ret_record))
			return INTAKE_RUN;
		intake_reject(intake, ret_record, &err);
		return INTAKE_SKIPPED;
	}
	if (record.header->type == RECORD_RUN)
		return take_boundary(intake, ret_record);
	if (consumer_route(input->consumer, record.header->route, &ret_record->route) < 0) {
		enrg_error_set(&err, ENRG_E_CORRUPT, "%s: batch %llu has route %u, which the stream does not know",
			input->source, (unsigned long long)record.header->sequence, record.header->route);
		intake_reject(intake, ret_record, &err);
		return INTAKE_SKIPPED;
	}
	return INTAKE_RECORD;
}

static struct intake_input *find_link_input(
	struct intake *intake, const struct link_batch *batch, struct enrg_error *err)
{
	const struct plan *plan = intake->process->plan;
	uint8_t uuid[16];

	for (uint32_t i = 0; i < intake->count; i++)
		if (intake->inputs[i]->plan->is_link && strcmp(intake->inputs[i]->uuid, batch->stream_uuid) == 0)
			return intake->inputs[i];
	if (parse_uuid(batch->stream_uuid, uuid) < 0) {
		enrg_error_set(err, ENRG_E_PROTOCOL, "link: \"%s\" is no stream", batch->stream_uuid);
		return NULL;
	}
	for (size_t i = 0; i < plan->input_count; i++) {
		if (!plan->inputs[i].is_link || strcmp(plan->inputs[i].source, batch->source) != 0)
			continue;
		struct intake_input *input = add_input(intake, &plan->inputs[i], err);
		if (!input)
			return NULL;
		if (journal_add_stream(intake->journal, uuid, batch->source, &input->journal_index, err) < 0) {
			free(input->earlier);
			free(input);
			intake->count--;
			return NULL;
		}
		snprintf(input->uuid, sizeof(input->uuid), "%s", batch->stream_uuid);
		snprintf(input->source, sizeof(input->source), "%s", batch->source);
		snprintf(input->run, sizeof(input->run), "%s", batch->run);
		input->now = journal_stream(intake->journal, input->journal_index);
		if (input->now.sequence == 0) /* not known yet: the sender goes on where it was acknowledged last */
			input->now.position = batch->position;
		input->committed = input->now;
		memcpy(input->stream_uuid, uuid, sizeof(input->stream_uuid));
		journal_keep_boundaries(intake->journal, uuid);
		find_link_boundary(intake, input);
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
		tell_fault(intake, &intake->malformed, "a message of the link was thrown away", &err);
	return rc > 0;
}

/* Its sender could not read a record before this batch. Where that was the boundary of a run, it comes first: the batch
 * is kept for the next call. */
static bool recall_unsent(struct intake *intake, struct intake_input *input, struct intake_record *ret_record)
{
	const struct link_batch *batch = &intake->batch;
	struct boundary next;

	if (!input->now.sequence || batch->header.sequence <= input->now.sequence + 1 ||
		!find_next_boundary(input, input->now.position, &next) || next.position > batch->position)
		return false;
	if (next.sequence == input->now.sequence)
		tell_recalled(input, &next);
	(void)pass_hidden(intake, input, input->now.position, &next, ret_record);
	(void)check_sequence(intake, input, ret_record->header);
	intake->has_batch = true;
	return true;
}

static int next_of_link(struct intake *intake, struct intake_record *ret_record)
{
	const struct link_batch *batch = &intake->batch;
	struct enrg_error err;

	if (!intake->has_batch && !intake_receive(intake, 0))
		return INTAKE_NONE;
	intake->has_batch = false;
	struct intake_input *input = find_link_input(intake, batch, &err);
	if (!input) {
		tell_fault(intake, &intake->malformed, "a message of the link was thrown away", &err);
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
	if (check_sequence(intake, input, &batch->header))
		return INTAKE_SKIPPED;
	if (check_link_crc(batch, &err) < 0) {
		if (recall_boundary(intake, ret_record))
			return INTAKE_RUN;
		intake_reject(intake, ret_record, &err);
		return INTAKE_SKIPPED;
	}
	return batch->header.type == RECORD_RUN ? take_boundary(intake, ret_record) : INTAKE_RECORD;
}

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
	return input ? next_of_ring(intake, input, ret_record) : next_of_link(intake, ret_record);
}

/* --- commits ------------------------------------------------------------------------------------------------------ */

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
