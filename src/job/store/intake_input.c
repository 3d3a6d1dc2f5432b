/* intake_input.c: the list of inputs: one that comes, one that goes. Store process, main thread. */
#include "job/store/intake_parts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

struct intake_input *intake_add_input(struct intake *intake, const struct plan_input *plan, struct enrg_error *err)
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
