/* ledger_processors.c: see the header. Process: supervisor. */
#include "supervisor/ledger_processors.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct ledger_processor *ledger_find_processor(struct ledger *ledger, const char *name)
{
	struct ledger_processor *longer;

	for (uint32_t i = 0; i < ledger->processor_count; i++)
		if (!strcmp(ledger->processors[i].name, name))
			return &ledger->processors[i];
	longer = realloc(ledger->processors, (ledger->processor_count + 1) * sizeof(*longer));
	if (!longer)
		return NULL;
	ledger->processors = longer;
	longer += ledger->processor_count++;
	*longer = (struct ledger_processor){0};
	snprintf(longer->name, sizeof(longer->name), "%s", name);
	return longer;
}

int ledger_processor_reset(struct ledger_processor *processor, uint32_t input_count, uint32_t policy_count)
{
	free(processor->inputs);
	free(processor->policies);
	processor->inputs = input_count ? calloc(input_count, sizeof(*processor->inputs)) : NULL;
	processor->policies = policy_count ? calloc(policy_count, sizeof(*processor->policies)) : NULL;
	processor->input_count = processor->inputs ? input_count : 0;
	processor->policy_count = processor->policies ? policy_count : 0;
	return processor->input_count == input_count && processor->policy_count == policy_count ? 0 : -ENOMEM;
}

static void forget_policies(struct ledger_processor *processor, uint32_t input)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < processor->policy_count; i++)
		if (processor->policies[i].input != input)
			processor->policies[kept++] = processor->policies[i];
	processor->policy_count = kept;
}

struct ledger_input *ledger_processor_take_input(struct ledger_processor *processor, uint32_t key)
{
	uint32_t index = 0;

	while (index < processor->input_count && processor->inputs[index].key != key)
		index++;
	if (index == processor->input_count) {
		struct ledger_input *longer = realloc(processor->inputs, (index + 1) * sizeof(*longer));
		if (!longer)
			return NULL;
		processor->inputs = longer;
		longer[index] = (struct ledger_input){.key = key};
		processor->input_count++;
	}
	forget_policies(processor, index);
	return &processor->inputs[index];
}

int ledger_processor_add_policy(struct ledger_processor *processor, uint32_t input, const char *name, uint64_t rows)
{
	struct ledger_policy *longer = realloc(processor->policies, (processor->policy_count + 1) * sizeof(*longer));

	if (!longer)
		return -ENOMEM;
	processor->policies = longer;
	longer += processor->policy_count++;
	*longer = (struct ledger_policy){.input = input, .rows = rows};
	snprintf(longer->name, sizeof(longer->name), "%s", name);
	return 0;
}

void ledger_processor_balance(struct ledger_processor *processor)
{
	for (uint32_t i = 0; i < processor->input_count; i++) {
		struct ledger_input *input = &processor->inputs[i];

		input->rejected = 0;
		for (uint32_t k = 0; k < processor->policy_count; k++)
			input->rejected += processor->policies[k].input == i ? processor->policies[k].rows : 0;
		input->open = (int64_t)(input->read + input->carried - input->in - input->rejected);
	}
}

bool ledger_processor_is_accounted(const struct ledger_processor *processor)
{
	for (uint32_t i = 0; i < processor->input_count; i++)
		if (processor->inputs[i].open < 0)
			return false;
	return true;
}

bool ledger_processor_is_settled(const struct ledger_processor *processor)
{
	for (uint32_t i = 0; i < processor->input_count; i++)
		if (processor->inputs[i].open != 0)
			return false;
	return true;
}

/* --- JSON --------------------------------------------------------------------------------------------------------- */

static json_t *format_input(const struct ledger_processor *processor, uint32_t index)
{
	const struct ledger_input *input = &processor->inputs[index];
	json_t *rejected = json_object();

	for (uint32_t i = 0; i < processor->policy_count; i++)
		if (processor->policies[i].input == index)
			json_object_set_new(rejected, processor->policies[i].name,
				json_integer((json_int_t)processor->policies[i].rows));
	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:o, s:I}", "job", input->job, "group", input->group, "tag",
		input->tag, "carried_rows", (json_int_t)input->carried, "read_rows", (json_int_t)input->read, "in_rows",
		(json_int_t)input->in, "rejected_rows", rejected, "open_rows", (json_int_t)input->open);
}

json_t *ledger_processors_format(const struct ledger *ledger)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < ledger->processor_count; i++) {
		const struct ledger_processor *processor = &ledger->processors[i];
		json_t *inputs = json_array();

		for (uint32_t k = 0; k < processor->input_count; k++)
			json_array_append_new(inputs, format_input(processor, k));
		json_array_append_new(list, json_pack("{s:s, s:b, s:o}", "processor", processor->name, "accounted",
						    ledger_processor_is_accounted(processor), "inputs", inputs));
	}
	return list;
}

/* --- text --------------------------------------------------------------------------------------------------------- */

/* Names come from files: they must not steer the terminal. */
static const char *shown(const char *name, char ret_safe[256])
{
	snprintf(ret_safe, 256, "%s", name);
	text_make_safe(ret_safe, strlen(ret_safe));
	return ret_safe;
}

static void print_input(const struct ledger_processor *processor, uint32_t index, bool is_colored, FILE *stream)
{
	const struct ledger_input *input = &processor->inputs[index];
	const char *color = input->open < 0 ? "\033[1;31m" : input->open ? "\033[33m" : "\033[32m";
	const char *word = input->open < 0 ? "ROWS COUNTED TWICE"
			   : input->open   ? "accounted, rows are open"
					   : "accounted";
	char name[256], of[256];

	fprintf(stream, "  %s of %s%s%s%s%s: read %" PRIu64 " rows", shown(processor->name, name),
		shown(input->job, of), input->group[0] ? ", " : "", input->group, input->tag[0] ? ", " : "", input->tag,
		input->read);
	if (input->carried)
		fprintf(stream, ", open at the start %" PRIu64, input->carried);
	fprintf(stream, "; in %" PRIu64, input->in);
	for (uint32_t i = 0; i < processor->policy_count; i++)
		if (processor->policies[i].input == index)
			fprintf(stream, "; rejected by %s %" PRIu64, shown(processor->policies[i].name, name),
				processor->policies[i].rows);
	if (input->open)
		fprintf(stream, "; open %" PRId64, input->open);
	fprintf(stream, ": %s%s%s\n", is_colored ? color : "", word, is_colored ? "\033[0m" : "");
}

void ledger_processors_print(const struct ledger *ledger, bool is_colored, FILE *stream)
{
	for (uint32_t i = 0; i < ledger->processor_count; i++)
		for (uint32_t k = 0; k < ledger->processors[i].input_count; k++)
			print_input(&ledger->processors[i], k, is_colored, stream);
}
