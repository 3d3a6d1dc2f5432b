/* hear.c: messages of a processor. Each one that is taken is a step, and its checkpoint is made before its answer goes
 * out: what somebody was told is done stays done, whoever is killed. Main thread of its process. */
#include <stddef.h>

#include "config/types_message.h"
#include "job/processor/life.h"
#include "job/process/mailbox.h"
#include "job/source/receive.h"

static struct enrg_processor *processor_of(struct enrg_job *job)
{
	return (struct enrg_processor *)(void *)((char *)job - offsetof(struct enrg_processor, job));
}

static void begin(struct enrg_job *job)
{
	commit_begin_step(processor_of(job));
}

static int end(struct enrg_job *job, struct enrg_error *err)
{
	struct enrg_processor *self = processor_of(job);

	commit_end_step(self);
	return commit_make(self, err);
}

int hear_open(struct enrg_processor *self, struct enrg_error *err)
{
	static const struct job_steps steps = {begin, end};

	types_listen(self->process->type, &self->listener);
	self->job.type = &self->listener;
	self->job.steps = &steps;
	return types_hears(&self->listener) ? receiver_create(&self->job, err) : 0;
}

void hear_start(struct enrg_processor *self)
{
	self->job.state = self->state;
	self->job.is_started = true;
}

int hear_messages(struct enrg_processor *self, uint32_t stop, struct enrg_error *err)
{
	int rc = 0;

	if (self->job.receiver && !self->is_deaf)
		rc = stop ? receiver_end(&self->job, err) : receiver_take(&self->job, err);
	self->is_deaf = self->is_deaf || stop;
	return rc < 0 ? enrg_error_add(err, rc, "a message") : 0;
}

uint64_t hear_deadline(const struct enrg_processor *self)
{
	return receiver_deadline(&self->job);
}
