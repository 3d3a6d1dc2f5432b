/* gate.c: where a run begins or ends in the inputs of a processor. An input that has come to a boundary is not read on
 * until all have, so that the output has it once, at one place, with nothing of the other side in front of it or
 * behind. What is open is flushed there. It is passed by the checkpoint that has it in the output: a kill leaves all
 * inputs before it or behind it. Main thread. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "job/processor/life.h"

#define GATE_NS 10000000000ull /* for an input that does not come: its source was not there when the run began */

struct processor_gate {
	bool is_waiting;
	uint64_t since_ns;
	struct intake_record record; /* its header is that of the consumer, which is not read on */
	struct boundary at;
};

static struct processor_gate *find_gate(const struct enrg_processor *self, const struct intake_input *input)
{
	for (uint32_t i = 0; i < self->gate_count; i++)
		if (self->intake.inputs[i] == input)
			return &self->gates[i];
	return NULL;
}

bool gate_is_shut(const struct enrg_processor *self, const struct intake_input *input)
{
	const struct processor_gate *gate = find_gate(self, input);

	return gate && gate->is_waiting;
}

bool gate_is_any_shut(const struct enrg_processor *self)
{
	for (uint32_t i = 0; i < self->gate_count; i++)
		if (self->gates[i].is_waiting)
			return true;
	return false;
}

int gate_hold(struct enrg_processor *self, const struct intake_record *record, struct enrg_error *err)
{
	if (self->gate_count < self->intake.count) {
		struct processor_gate *longer = realloc(self->gates, self->intake.count * sizeof(*longer));
		if (!longer)
			return enrg_error_set(err, -ENOMEM, "out of memory");
		memset(longer + self->gate_count, 0, (self->intake.count - self->gate_count) * sizeof(*longer));
		self->gates = longer;
		self->gate_count = self->intake.count;
	}
	struct processor_gate *gate = find_gate(self, record->input);
	*gate = (struct processor_gate){
		.is_waiting = true, .since_ns = clock_mono_ns(), .record = *record, .at = self->intake.at};
	return 0;
}

void gate_free(struct enrg_processor *self)
{
	free(self->gates);
	self->gates = NULL;
	self->gate_count = 0;
}

static bool is_same(const struct boundary *a, const struct boundary *b)
{
	return a->edge == b->edge && !strcmp(a->label, b->label) && !strcmp(a->run, b->run);
}

/* The one that came first; inputs at another one have left this one out. */
static const struct processor_gate *find_first(const struct enrg_processor *self)
{
	const struct processor_gate *first = NULL;

	for (uint32_t i = 0; i < self->gate_count; i++)
		if (self->gates[i].is_waiting && (!first || self->gates[i].at.wall_ns < first->at.wall_ns))
			first = &self->gates[i];
	return first;
}

/* Will this input still come to that boundary? */
static bool is_awaited(const struct enrg_processor *self, uint32_t index, const struct processor_gate *first)
{
	const struct intake_input *input = self->intake.inputs[index];
	bool is_shut = index < self->gate_count && self->gates[index].is_waiting;

	if (is_shut || !input->consumer || !first->at.run[0] || consumer_is_closed(input->consumer))
		return false;
	return clock_mono_ns() - first->since_ns < GATE_NS;
}

/* The run that the output is in has ended without its inputs having told: it was left open when this processor was
 * removed, or none of what it reads now was in it. */
static int end_run(struct enrg_processor *self, struct enrg_error *err)
{
	const struct boundary *last = boundary_last(self->stream);
	struct boundary end = {.edge = RUN_ENDED, .number = last->number, .wall_ns = clock_wall_ns()};

	memcpy(end.run, last->label, sizeof(end.run));
	memcpy(end.label, self->job.run.between, sizeof(end.label));
	int rc = outputs_commit_boundary(self->job.outputs, &end, UINT64_MAX, err);
	return rc == 0 ? outputs_set_label(self->job.outputs, end.label, err) : rc;
}

/* The output says it once: what is open is flushed before. */
static int copy_boundary(struct enrg_processor *self, const struct boundary *at, struct enrg_error *err)
{
	struct outputs *outputs = self->job.outputs;
	int rc = 0;

	if (strcmp(outputs->label, at->label) == 0)
		return 0; /* another input had it before, alone */
	if (!at->run[0] && self->stream && boundary_last(self->stream)->edge == RUN_BEGINS)
		return 0; /* what an input is called between runs ends none */
	commit_begin_step(self);
	if (self->type->flush && (rc = self->type->flush(self->state, err)) < 0)
		return enrg_error_add(err, rc, "flush");
	rc = outputs_flush(outputs, err);
	if (rc == 0 && self->process->plan->has_run_control && self->stream && at->edge == RUN_BEGINS &&
		boundary_last(self->stream)->edge == RUN_BEGINS)
		rc = end_run(self, err);
	if (rc == 0)
		rc = outputs_commit_boundary(outputs, at, UINT64_MAX, err);
	if (rc == 0)
		rc = outputs_set_label(outputs, at->label, err);
	commit_end_step(self);
	return rc;
}

static void tell_absent(const struct enrg_processor *self, const struct processor_gate *first)
{
	for (uint32_t i = 0; i < self->intake.count; i++) {
		const struct intake_input *input = self->intake.inputs[i];
		bool is_shut = i < self->gate_count && self->gates[i].is_waiting;
		if (!is_shut && first->at.run[0] && input->consumer && !consumer_is_closed(input->consumer))
			log_line(ENRG_WARNING,
				"run %s %s in %s, and not in %s within 10 s: goes on without it; what comes from there "
				"may be on the other side",
				first->at.run, first->at.edge == RUN_BEGINS ? "begins" : "has ended",
				first->record.input->source, input->source);
	}
}

int gate_step(struct enrg_processor *self, struct enrg_error *err)
{
	const struct processor_gate *first = find_first(self);

	if (!first)
		return 0;
	for (uint32_t i = 0; i < self->intake.count; i++)
		if (is_awaited(self, i, first))
			return 0;
	tell_absent(self, first);
	const struct boundary at = first->at;
	int rc = commit_make(self, err);
	if (rc == 0)
		rc = copy_boundary(self, &at, err);
	for (uint32_t i = 0; rc == 0 && i < self->gate_count; i++) {
		struct processor_gate *gate = &self->gates[i];
		if (!gate->is_waiting || !is_same(&gate->at, &at))
			continue;
		self->intake.at = gate->at;
		rc = intake_pass(&self->intake, &gate->record, err);
		gate->is_waiting = false;
	}
	return rc < 0 ? rc : commit_make(self, err);
}

/* --- a processor that comes while a run is on --------------------------------------------------------------------- */

/* Has that run begun in the output, whether or not it has ended since? */
static bool has_begun(const struct enrg_processor *self, const char *label)
{
	struct stream_status status;

	if (stream_read_status(self->process->plan->stream_path, &status, NULL) < 0)
		return true;
	for (uint32_t i = 0; i < status.boundary_count; i++)
		if (status.boundaries[i].edge == RUN_BEGINS && !strcmp(status.boundaries[i].label, label))
			return true;
	return false;
}

static bool is_any_in(const struct enrg_processor *self, const char *label)
{
	for (uint32_t i = 0; i < self->intake.count; i++) {
		const struct boundary *at = &self->intake.inputs[i]->boundary;
		if (at->edge == RUN_BEGINS && !strcmp(at->label, label))
			return true;
	}
	return false;
}

static int begin_late(struct enrg_processor *self, const struct boundary *in, struct enrg_error *err)
{
	struct boundary begin = {.edge = RUN_BEGINS, .number = in->number, .wall_ns = clock_wall_ns()};

	memcpy(begin.run, in->label, sizeof(begin.run));
	memcpy(begin.label, in->label, sizeof(begin.label));
	log_line(ENRG_INFO, "joins run %s while it is on: what it makes of it begins here", begin.run);
	return copy_boundary(self, &begin, err);
}

int gate_join(struct enrg_processor *self, struct enrg_error *err)
{
	int rc = 0;

	if (!self->process->plan->has_run_control || !self->stream || gate_is_any_shut(self))
		return 0;
	const struct boundary *last = boundary_last(self->stream);
	if (self->is_new && last->edge == RUN_BEGINS && !is_any_in(self, last->label)) {
		commit_begin_step(self);
		rc = end_run(self, err);
		commit_end_step(self);
	}
	for (uint32_t i = 0; i < self->intake.count && rc == 0; i++) {
		const struct intake_input *input = self->intake.inputs[i];
		if (input->consumer && input->boundary.edge == RUN_BEGINS &&
			boundary_last(self->stream)->edge != RUN_BEGINS && !has_begun(self, input->boundary.label))
			rc = begin_late(self, &input->boundary, err);
	}
	self->is_new = false;
	return rc < 0 ? rc : commit_make(self, err);
}
