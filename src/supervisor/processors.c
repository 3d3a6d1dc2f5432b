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

/* What its file names by that key. While it changes the file may be newer than the checkpoint, or older. */
static void name_input(const struct job_config *config, uint32_t key, struct ledger_input *ret_input)
{
	const struct job_input *named = config->common.inputs.input.items;

	for (size_t i = 0; i < config->common.inputs.input.count; i++) {
		if (checkpoint_input_key(named[i].job, named[i].group, named[i].tag) != key)
			continue;
		snprintf(ret_input->job, sizeof(ret_input->job), "%s", named[i].job);
		snprintf(ret_input->group, sizeof(ret_input->group), "%s", named[i].group ? named[i].group : "");
		snprintf(ret_input->tag, sizeof(ret_input->tag), "%s", named[i].tag ? named[i].tag : "");
	}
}

/* An input that it reads no more keeps its counts. */
static void set_line(struct ledger_processor *line, const struct job_config *config, const struct checkpoint *last)
{
	for (uint32_t i = 0; i < last->input_count; i++) {
		struct ledger_input *input = ledger_processor_take_input(line, last->inputs[i].key);
		if (!input)
			return;
		name_input(config, input->key, input);
		input->carried = last->inputs[i].carried;
		input->read = last->inputs[i].read;
		input->in = last->inputs[i].in;
		for (uint32_t k = 0; k < last->policy_count; k++)
			if (last->policies[k].input == i &&
				ledger_processor_add_policy(line, (uint32_t)(input - line->inputs),
					last->policies[k].name, last->policies[k].rows))
				return;
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
