/* count.c: what became of the rows of each input, for the ledger. Main thread of a processor's process. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "job/processor/life.h"

#define NAMES_MAX 64u /* of policies, an input */

const struct job_input *count_input(const struct enrg_processor *self, uint32_t input)
{
	return (const struct job_input *)self->process->common.inputs.input.items + input;
}

static uint64_t rejected(const struct checkpoint *checkpoint, uint32_t input)
{
	uint64_t rows = 0;

	for (uint32_t i = 0; i < checkpoint->policy_count; i++)
		rows += checkpoint->policies[i].input == input ? checkpoint->policies[i].rows : 0;
	return rows;
}

static int copy_policies(struct enrg_processor *self, const struct checkpoint *last, uint32_t from, uint32_t to)
{
	for (uint32_t i = 0; i < last->policy_count; i++) {
		struct checkpoint_policy *policies;
		if (last->policies[i].input != from)
			continue;
		policies = realloc(self->now.policies, (self->now.policy_count + 1) * sizeof(*policies));
		if (!policies)
			return -ENOMEM;
		self->now.policies = policies;
		policies[self->now.policy_count] = last->policies[i];
		policies[self->now.policy_count++].input = to;
	}
	return 0;
}

/* In the same run counts go on; in a new one what is open is carried into it. */
static int take_counts(struct enrg_processor *self, const struct checkpoint *last, uint32_t from, uint32_t to)
{
	const struct checkpoint_input *before = &last->inputs[from];
	struct checkpoint_input *now = &self->now.inputs[to];

	if (!strcmp(last->run, self->process->plan->run)) {
		*now = *before;
		return copy_policies(self, last, from, to);
	}
	now->carried = before->carried + before->read - before->in - rejected(last, from);
	return 0;
}

int count_init(struct enrg_processor *self, const struct checkpoint *last, struct enrg_error *err)
{
	uint32_t count = (uint32_t)self->process->common.inputs.input.count;
	int rc = 0;

	if (count > CHECKPOINT_INPUTS)
		return enrg_error_set(err, ENRG_E_CONFIG, "more than %u inputs", CHECKPOINT_INPUTS);
	self->now.inputs = calloc(count + 1, sizeof(*self->now.inputs));
	if (!self->now.inputs)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	self->now.input_count = count;
	for (uint32_t i = 0; i < count && rc == 0; i++) {
		const struct job_input *named = count_input(self, i);
		uint32_t key = checkpoint_input_key(named->job, named->group, named->tag);
		for (uint32_t k = 0; k < last->input_count && rc == 0; k++)
			if (last->inputs[k].key == key)
				rc = take_counts(self, last, k, i);
		self->now.inputs[i].key = key;
	}
	return rc < 0 ? enrg_error_set(err, rc, "out of memory") : 0;
}

/* --- what authors call -------------------------------------------------------------------------------------------- */

static int add_policy(struct enrg_processor *self, uint32_t input, const char *name, uint64_t rows)
{
	struct checkpoint *now = &self->now;
	struct checkpoint_policy *policies;
	uint32_t names = 0;

	for (uint32_t i = 0; i < now->policy_count; i++) {
		if (now->policies[i].input != input)
			continue;
		if (!strcmp(now->policies[i].name, name)) {
			now->policies[i].rows += rows;
			return 0;
		}
		names++;
	}
	if (names >= NAMES_MAX || now->policy_count >= CHECKPOINT_POLICIES)
		return -ENOSPC;
	policies = realloc(now->policies, (now->policy_count + 1) * sizeof(*policies));
	if (!policies)
		return -ENOMEM;
	now->policies = policies;
	policies[now->policy_count] = (struct checkpoint_policy){.input = input, .rows = rows};
	memcpy(policies[now->policy_count++].name, name, strlen(name));
	return 0;
}

/* It goes into the ledger, and to terminals. */
static bool is_name(const char *name)
{
	size_t length = strlen(name);

	for (const char *c = name; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return false;
	return length > 0 && length < CHECKPOINT_NAME_BYTES;
}

int enrg_processor_count(struct enrg_processor *processor, uint32_t input, uint64_t rows, const char *rejected_by)
{
	if (input >= processor->now.input_count || (rejected_by && !is_name(rejected_by)))
		return -EINVAL;
	if (rejected_by)
		return add_policy(processor, input, rejected_by, rows);
	processor->now.inputs[input].in += rows;
	return 0;
}
