/* replan.c: streams that come to a store while it runs, and such that go. Store process, main thread.
 *
 * Order: targets of what goes are closed, its ring is let go, then the new list takes the place of the old one, then
 * what is new is opened. A failure there leaves the list as it is to be, and the store's own way back opens it again.
 */
#include "job/store/life.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"

static const struct plan_input *find(const struct plan *plan, const struct plan_input *wanted)
{
	for (size_t i = 0; i < plan->input_count; i++)
		if (!strcmp(plan->inputs[i].source, wanted->source) && plan->inputs[i].is_link == wanted->is_link)
			return &plan->inputs[i];
	return NULL;
}

/* What goes, and what is to be written by another section from now on. */
static int drop_old(struct store_life *life, const struct plan *fresh, struct enrg_error *err)
{
	struct intake *intake = &life->intake;
	int result = 0;

	for (uint32_t i = intake->count; i-- > 0;) {
		struct intake_input *input = intake->inputs[i];
		const struct plan_input *now = find(fresh, input->plan);
		bool is_same = now && !strcmp(now->producer_toml, input->plan->producer_toml);
		int rc = is_same ? 0 : target_drop(&life->targets, life->state, input, result ? NULL : err);

		result = result ? result : rc;
		if (now) {
			input->plan = now;
			continue;
		}
		if (life->failure.input == input)
			life->failure.input = NULL;
		log_line(ENRG_INFO, "reads %s no more", input->source);
		intake_remove(intake, i);
	}
	return result;
}

static bool has_input(const struct intake *intake, const struct plan_input *plan)
{
	for (uint32_t i = 0; i < intake->count; i++)
		if (intake->inputs[i]->plan == plan)
			return true;
	return false;
}

int store_life_replan(struct store_life *life, struct enrg_error *err)
{
	struct process *process = life->process;
	struct plan *plan = process->plan, *fresh;
	struct enrg_error why = {0};
	int rc = plan_read_file(plan, &fresh, &why);

	if (rc) {
		if (rc != -ENOENT)
			log_line(ENRG_WARNING, "what this store is to read now can't be found out: %s", why.text);
		return 0; /* the supervisor asks again */
	}
	rc = drop_old(life, fresh, err);
	struct plan_input *inputs = plan->inputs;
	size_t count = plan->input_count;
	uint64_t serial = fresh->serial;
	plan->inputs = fresh->inputs;
	plan->input_count = fresh->input_count;
	fresh->inputs = inputs;
	fresh->input_count = count;
	plan_free(fresh);
	for (size_t i = 0; i < plan->input_count; i++) {
		if (has_input(&life->intake, &plan->inputs[i]))
			continue;
		int added = intake_add(&life->intake, &plan->inputs[i], rc ? NULL : err);
		rc = rc ? rc : added;
		if (!added)
			log_line(ENRG_INFO, "reads %s from now on", plan->inputs[i].source);
	}
	atomic_store_explicit(&process->page->plan_serial, serial, memory_order_release);
	return rc;
}
