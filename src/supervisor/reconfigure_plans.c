/* reconfigure_plans.c: see the header. Process: supervisor, main thread. */
#include "supervisor/reconfigure_plans.h"

#include <errno.h>
#include <unistd.h>

#include "supervisor/earlier/streams.h"
#include "supervisor/keeps.h"
#include "supervisor/needs.h"
#include "supervisor/run_log.h"

/* A stream that lies there from an earlier removal goes on: with the stores of now, and what is left for others. */
static int continue_stream(struct plan *plan, struct enrg_error *err)
{
	struct stream_status status;
	int rc = stream_read_status(plan->stream_path, &status, err);

	for (size_t i = 0; !rc && i < plan->sink_count; i++) {
		int joined = stream_join_consumer(plan->stream_path, plan->sinks[i].store_name, err);
		rc = joined < 0 ? joined : 0;
	}
	for (uint32_t i = 0; !rc && i < status.consumer_count; i++) {
		const struct stream_consumer_status *consumer = &status.consumers[i];
		const struct plan_sink left = {.store_name = (char *)consumer->name, .store_type = (char *)""};

		if (plan_find_sink(plan, consumer->name) < plan->sink_count)
			continue;
		if (!consumer->backlog_bytes)
			rc = stream_drop_consumer(plan->stream_path, consumer->name, err);
		else if (!(rc = plan_copy_sink(&left, plan)))
			plan->sinks[plan->sink_count - 1].is_parked = true;
	}
	return rc;
}

static int make_streams(struct reconfigure *self, const struct folder *wanted, const struct change *change,
	struct plan_set *plans, struct enrg_error *err)
{
	struct stream_specs *specs = NULL;
	int rc = stream_specs_create(wanted, plans, &specs, err);

	for (size_t i = 0; !rc && i < change->count; i++) {
		struct plan *plan =
			change->items[i].kind == CHANGE_ADD_SOURCE ? plan_set_find(plans, change->items[i].name) : NULL;
		if (!plan || !plan->stream_path)
			continue;
		rc = stream_return(plan->stream_path, err);
		if (!rc && !access(plan->stream_path, F_OK))
			rc = continue_stream(plan, err);
		else if (!rc && ledger_knows(self->transition->ledger, plan->name))
			rc = enrg_error_set(err, -ENOENT,
				"%s was in this run before, and somebody has removed what its batches count on from "
				"(%s, put aside as .parted): counted from 1 again they would be taken for the first "
				"ones; give it another name, or start the run anew",
				plan->name, plan->stream_path);
	}
	if (!rc)
		rc = streams_create(specs, self->checks, err);
	stream_specs_destroy(specs);
	return rc;
}

int reconfigure_check_plans(const struct reconfigure *self, const struct folder *wanted, const struct change *change,
	struct plan_set **ret_plans, struct enrg_error *err)
{
	int rc = plan_set_create(wanted, self->runtime, ret_plans, err);

	if (!rc)
		rc = keeps_check(self->transition->roster, wanted, change, *ret_plans, err);
	return rc ? rc : needs_check(*ret_plans, err);
}

int reconfigure_make_plans(struct reconfigure *self, const struct folder *wanted, const struct change *change,
	struct plan_set **ret_plans, struct enrg_error *err)
{
	const struct run_log_params log_params = {&wanted->supervisor, self->runtime->folder, self->log_format};
	struct plan_set *plans = NULL;
	int rc = reconfigure_check_plans(self, wanted, change, &plans, err);

	if (!rc)
		rc = run_log_plan(&log_params, plans, err);
	if (!rc)
		rc = plan_set_name_run(plans, self->runtime->run, err);
	if (!rc)
		rc = make_streams(self, wanted, change, plans, err);
	if (rc)
		plan_set_destroy(plans);
	else
		*ret_plans = plans;
	return rc;
}
