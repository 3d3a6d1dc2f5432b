/* processors.c: see the header. Process: supervisor, main thread. Trusts nothing that it reads. */
#include "supervisor/processors.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "handover/checkpoint.h"

/* A processor that commits while its checkpoint is read leaves the slot half written: read again. */
#define TRIES 5

void processors_roll_forward(const struct plan_set *plans)
{
	for (size_t i = 0; i < plans->count; i++) {
		const struct plan *plan = plans->plans[i];
		struct stream_status status = {0};
		struct enrg_error err = {0};
		bool has_stream;
		int rc;

		if (!plan->is_processor)
			continue;
		has_stream = plan->stream_path && stream_read_status(plan->stream_path, &status, NULL) == 0;
		rc = checkpoint_roll_forward(plan->checkpoint_path, plan->journal_path, has_stream ? status.uuid : NULL,
			has_stream ? status.head : 0, &err);
		if (rc < 0)
			log_line(ENRG_WARNING, "%s: %s", plan->name, err.text);
		else if (rc > 0)
			log_line(ENRG_INFO, "%s was killed in the middle of a commit that counts: it is made up",
				plan->name);
	}
}

static int read_last(const struct plan *plan, struct checkpoint *ret_last)
{
	uint64_t number;
	int rc = -1;

	for (int i = 0; i < TRIES && rc < 0; i++) {
		if (journal_read_number(plan->journal_path, &number) < 0)
			return -1;
		rc = checkpoint_read(plan->checkpoint_path, number, false, ret_last, NULL);
	}
	return rc;
}

static void set_input(struct ledger_input *input, const struct job_input *named, const struct checkpoint_input *counts)
{
	snprintf(input->job, sizeof(input->job), "%s", named->job);
	snprintf(input->group, sizeof(input->group), "%s", named->group ? named->group : "");
	snprintf(input->tag, sizeof(input->tag), "%s", named->tag ? named->tag : "");
	input->carried = counts->carried;
	input->read = counts->read;
	input->in = counts->in;
}

static void set_line(struct ledger_processor *line, const struct job_config *config, const struct checkpoint *last)
{
	const struct job_input *named = config->common.inputs.input.items;
	uint32_t count = (uint32_t)config->common.inputs.input.count;

	if (last->input_count < count)
		count = last->input_count;
	if (ledger_processor_reset(line, count, last->policy_count) < 0)
		return;
	for (uint32_t i = 0; i < count; i++)
		set_input(&line->inputs[i], &named[i], &last->inputs[i]);
	for (uint32_t i = 0; i < last->policy_count; i++) {
		line->policies[i].input = last->policies[i].input;
		line->policies[i].rows = last->policies[i].rows;
		snprintf(line->policies[i].name, sizeof(line->policies[i].name), "%s", last->policies[i].name);
	}
	ledger_processor_balance(line);
}

void processors_sample(const struct roster *roster, struct ledger *ledger)
{
	for (size_t i = 0; i < roster->count; i++) {
		const struct member *member = roster->members[i];
		struct ledger_processor *line;
		struct checkpoint last;

		if (!member_is_processor(member) || read_last(member->plan, &last) < 0)
			continue;
		/* Before its first checkpoint in a run there are only the counts of the run before. */
		line = strcmp(last.run, member->plan->run) ? NULL : ledger_find_processor(ledger, member->plan->name);
		if (line)
			set_line(line, member->config, &last);
		checkpoint_fini(&last);
	}
}
