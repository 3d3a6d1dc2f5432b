/* commit.c: checkpoints of a processor. Main thread of its process.
 *
 * What steps commit to the stream is held back. A checkpoint writes the positions of all inputs into the set of the
 * journal that is not valid; state, counts and the output position into the slot that is not valid; then head moves,
 * and with it all of that is true; then the journal says so too, and the inputs are acknowledged. A process that is
 * killed behind head has this made up by its successor (checkpoint_roll_forward); one that is killed before it leaves
 * what was there before. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crc32c.h"
#include "base/log.h"
#include "job/processor/life.h"
#include "plane/stream.h"

#define HELD_BYTES  (256u << 10) /* made since the last checkpoint … */
#define READ_BYTES  (1u << 20)   /* … or read */
#define AGE_NS      1000000u
#define STATE_BYTES 4096u
#define STATE_TRIES 4

/* --- opening ------------------------------------------------------------------------------------------------------ */

static int open_stream(struct enrg_processor *self, struct enrg_error *err)
{
	const struct plan *plan = self->process->plan;
	int rc = plan->stream_path ? stream_open(plan->stream_path, plan->hot_bytes, &self->stream, err) : 0;

	if (rc < 0 || !self->stream)
		return rc;
	stream_hold(self->stream);
	stream_get_uuid(self->stream, self->now.output_uuid);
	if (!plan->hot_bytes && plan->latency_target_ns)
		stream_govern(self->stream, plan->latency_target_ns, plan->producers);
	return 0;
}

/* What can't be read is no reason to stand still: the positions are in the journal. */
static int tell_lost(struct enrg_processor *self, const struct enrg_error *why)
{
	process_alert(self->process, ENRG_ERROR,
		"the checkpoint of this processor can't be read (%s): it goes on with a new state where its inputs "
		"were "
		"consumed last; rows that it held are missing from its output, and what it made last may be there "
		"twice",
		why->text);
	return 0;
}

/* The journal has commits of the supervisor alone, which gave a new processor the places where its inputs begin. */
static bool has_read_nothing(const struct enrg_processor *self)
{
	const struct plan *plan = self->process->plan;
	struct stream_status status;
	uint32_t index;

	for (size_t i = 0; i < plan->input_count; i++) {
		if (stream_read_status(plan->inputs[i].stream_path, &status, NULL) < 0 ||
			journal_find_stream(self->journal, status.uuid, &index) < 0)
			continue;
		const struct journal_stream_state state = journal_stream(self->journal, index);
		if (state.batches || state.rows)
			return false;
	}
	return true;
}

/* The last checkpoint into *ret_last, which stays zeroed where there is none. */
static int find_last(struct enrg_processor *self, struct checkpoint *ret_last, struct enrg_error *err)
{
	const char *path = self->process->plan->checkpoint_path;
	uint64_t number = journal_commit_number(self->journal);
	struct enrg_error why = {0};
	int rc = checkpoint_open(path, &self->file, err);

	if (rc < 0)
		return rc;
	checkpoint_clear_next(self->file, number);
	self->is_new = number == 0;
	if (number == 0)
		return 0;
	rc = checkpoint_read(path, number, true, ret_last, &why);
	self->is_new = rc == -ENOENT && has_read_nothing(self);
	if (self->is_new)
		return 0;
	if (rc < 0)
		return rc == -ENOMEM ? enrg_error_set(err, rc, "%s", why.text) : tell_lost(self, &why);
	self->was_exact = true;
	return 0;
}

static void continue_stream(struct enrg_processor *self, const struct checkpoint *last)
{
	bool is_same = !memcmp(last->output_uuid, self->now.output_uuid, sizeof(last->output_uuid));

	if (self->stream && self->was_exact && is_same)
		stream_continue_exactly(self->stream, last->dropped_rows, !strcmp(last->run, self->process->plan->run));
}

static uint32_t text_key(const char *text)
{
	uint32_t key = crc32c(0, text, strlen(text));

	return key ? key : 1;
}

static int take_last(struct enrg_processor *self, struct checkpoint *last, struct enrg_error *err)
{
	continue_stream(self, last);
	self->last_ended = last->flags & CHECKPOINT_ENDED;
	memcpy(self->last_run, last->run, sizeof(self->last_run));
	self->last_text_key = last->text_key;
	self->now.streams = last->streams;
	self->now.stream_count = last->stream_count;
	last->streams = NULL;
	self->now.state = last->state;
	self->now.state_bytes = self->state_room = last->state_bytes;
	last->state = NULL;
	self->now.text_key = text_key(self->process->plan->toml_text);
	memcpy(self->now.run, self->process->plan->run, strnlen(self->process->plan->run, sizeof(self->now.run) - 1));
	return count_init(self, last, err);
}

int commit_open(struct enrg_processor *self, struct enrg_error *err)
{
	const struct plan *plan = self->process->plan;
	struct checkpoint last = {0};
	int rc = open_stream(self, err);

	if (rc == 0)
		rc = checkpoint_roll_forward(plan->checkpoint_path, plan->journal_path, self->now.output_uuid,
			self->stream ? stream_tail(self->stream) : 0, err);
	if (rc >= 0)
		rc = journal_open(plan->journal_path, &self->journal, err);
	if (rc == 0)
		rc = find_last(self, &last, err);
	if (rc == 0)
		rc = take_last(self, &last, err);
	checkpoint_fini(&last);
	return rc;
}

/* Nothing of the state concerns what comes: all was flushed, and it is another run, or another text. */
static bool is_over(const struct enrg_processor *self)
{
	bool is_other_text = self->last_text_key && self->last_text_key != self->now.text_key;

	return self->last_ended && (is_other_text || strcmp(self->last_run, self->process->plan->run) != 0);
}

int commit_load(struct enrg_processor *self, struct enrg_error *err)
{
	if (!self->was_exact || !self->type->load || is_over(self))
		return 0;
	int rc = self->type->load(self->state, self->now.state, self->now.state_bytes, err);
	return rc < 0 ? enrg_error_add(err, rc, "load") : 0;
}

void commit_close(struct enrg_processor *self, bool in_order)
{
	stream_close(self->stream, in_order);
	self->stream = NULL;
	checkpoint_close(self->file);
	self->file = NULL;
	journal_close(self->journal);
	self->journal = NULL;
	checkpoint_fini(&self->now);
}

/* --- steps -------------------------------------------------------------------------------------------------------- */

void commit_begin_step(struct enrg_processor *self)
{
	if (self->stream)
		stream_begin_step(self->stream);
}

void commit_end_step(struct enrg_processor *self)
{
	self->now_ns = clock_mono_ns();
	if (!self->has_stepped)
		self->first_step_ns = self->now_ns;
	self->has_stepped = true;
}

static struct checkpoint_stream *find_part(const struct enrg_processor *self, const uint8_t uuid[16])
{
	for (uint32_t i = 0; i < self->now.stream_count; i++)
		if (!memcmp(self->now.streams[i].uuid, uuid, 16))
			return &self->now.streams[i];
	return NULL;
}

static void get_uuid(const struct intake_record *record, uint8_t ret_uuid[16])
{
	memcpy(ret_uuid, consumer_header(record->input->consumer)->uuid, 16);
}

int commit_set_part(struct enrg_processor *self, const struct intake_record *record, uint64_t row)
{
	struct checkpoint_stream *part, *parts;
	uint8_t uuid[16];

	get_uuid(record, uuid);
	part = find_part(self, uuid);
	if (!row) {
		if (part)
			*part = self->now.streams[--self->now.stream_count];
		return 0;
	}
	if (!part) {
		parts = realloc(self->now.streams, (self->now.stream_count + 1) * sizeof(*parts));
		if (!parts)
			return -ENOMEM;
		self->now.streams = parts;
		part = &parts[self->now.stream_count++];
	}
	memcpy(part->uuid, uuid, sizeof(uuid));
	part->position = record->position;
	part->row = row;
	return 0;
}

uint64_t commit_part(const struct enrg_processor *self, const struct intake_record *record)
{
	const struct checkpoint_stream *part;
	uint8_t uuid[16];

	if (!self->now.stream_count)
		return 0;
	get_uuid(record, uuid);
	part = find_part(self, uuid);
	return part && part->position == record->position ? part->row : 0;
}

/* --- checkpoints -------------------------------------------------------------------------------------------------- */

bool commit_is_due(const struct enrg_processor *self, const struct intake_input *input)
{
	uint64_t held = self->stream ? stream_held_bytes(self->stream) : 0;

	if (!self->has_stepped && !intake_is_dirty(&self->intake))
		return false;
	if (self->crash.is_careful || held >= HELD_BYTES || self->read_bytes >= READ_BYTES)
		return true;
	if (self->stream && held >= stream_data_bytes(self->stream) / 4)
		return true;
	return (self->has_stepped && self->now_ns - self->first_step_ns >= AGE_NS) ||
	       intake_is_pressed(&self->intake, input);
}

static int save_state(struct enrg_processor *self, struct enrg_error *err)
{
	uint64_t count = 0;
	int rc = 0;

	for (int i = 0; self->type->save && i < STATE_TRIES; i++) {
		uint64_t wanted = count > self->state_room ? count : self->state_room ? self->state_room : STATE_BYTES;
		bool is_too_large = wanted > CHECKPOINT_STATE_MAX;
		void *bytes = self->now.state;
		if (!is_too_large && wanted > self->state_room)
			bytes = realloc(self->now.state, wanted);
		if (is_too_large || !bytes)
			return enrg_error_set(err, is_too_large ? -EMSGSIZE : -ENOMEM,
				"save: a state of %llu bytes is too large", (unsigned long long)wanted);
		self->now.state = bytes;
		self->state_room = wanted;
		rc = self->type->save(self->state, bytes, wanted, &count, err);
		if (rc != -ENOSPC || count <= wanted)
			break;
	}
	if (rc == 0 && count > self->state_room)
		rc = enrg_error_set(err, -EINVAL, "it says that it wrote more than it had room for");
	if (rc < 0)
		return enrg_error_add(err, rc, "save");
	self->now.state_bytes = count;
	return 0;
}

/* All that may fail comes before anything is changed. */
static int prepare(struct enrg_processor *self, struct enrg_error *err)
{
	int rc = outputs_flush(self->job.outputs, err); /* rows that were appended belong to what was read */

	if (rc < 0)
		return rc;
	rc = save_state(self, err);
	self->now.number = journal_commit_number(self->journal) + 1;
	self->now.output_position = self->stream ? stream_tail(self->stream) : 0;
	self->now.dropped_rows = self->stream ? stream_dropped_rows(self->stream) : 0;
	return rc < 0 ? rc : checkpoint_reserve(self->file, &self->now, err);
}

int commit_make(struct enrg_processor *self, struct enrg_error *err)
{
	if (!self->has_stepped && !intake_is_dirty(&self->intake))
		return 0;
	int rc = prepare(self, err);
	if (rc < 0)
		return rc;
	intake_prepare(&self->intake);
	journal_complete(self->journal);
	checkpoint_write(self->file, &self->now);
	if (self->stream) {
		stream_publish_held(self->stream); /* the store of head commits */
		stream_note_dropped(self->stream);
	}
	uint64_t number = journal_make_valid(self->journal);
	intake_release(&self->intake, number);
	journal_set_reading(self->journal, JOURNAL_NONE, 0);
	self->has_stepped = false;
	self->read_bytes = 0;
	return 0;
}

int commit_make_last(struct enrg_processor *self, struct enrg_error *err)
{
	self->now.flags |= CHECKPOINT_ENDED;
	self->has_stepped = true;
	return commit_make(self, err);
}
