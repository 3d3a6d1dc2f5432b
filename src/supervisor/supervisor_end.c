/* supervisor_end.c: the ledger, what stays behind, the exit code. Process: supervisor, main thread. */
#include "supervisor/supervisor_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "supervisor/job_add.h"
#include "supervisor/processors.h"
#include "supervisor/run_end.h"
#include "supervisor/runs_plain.h"
#include "supervisor/supervisor.h"
#include "supervisor/verdict.h"

#define BOOK_PATIENCE_NS 2000000000ull /* for what is to be entered; the program goes on without us */

static void print_ledger(const struct supervisor *self)
{
	char *text = NULL;
	size_t bytes;
	FILE *stream = open_memstream(&text, &bytes);

	if (!stream)
		return;
	fprintf(stream, "run %s of %s:\n", self->runtime.run, self->folder->supervisor.info.supervisor_id);
	ledger_print(self->ledger, log_is_colored(1), stream);
	if (!fclose(stream))
		log_print(text);
	free(text);
}

static void roll_processors_forward(const struct roster *roster)
{
	struct plan_set plans = {.plans = calloc(roster->count + 1, sizeof(*plans.plans))};

	for (; plans.plans && plans.count < roster->count; plans.count++)
		plans.plans[plans.count] = roster->members[plans.count]->plan;
	processors_roll_forward(&plans);
	free(plans.plans);
}

int supervisor_finish(struct supervisor *self)
{
	struct enrg_error err = {0};
	int exit_code = SUPERVISOR_OK;
	bool is_failing;
	json_t *status;
	size_t left;

	control_plane_collect(&self->control);
	supervisor_look_after(self, true);
	roll_processors_forward(self->roster);
	supervisor_take_samples(self, true);
	status = supervisor_make_status(self, 0, true);
	bool are_runs_accounted = runs_finish(&self->runs, status ? json_object_get(status, "ledger") : NULL);
	is_failing = verdict_is_any_failing(self->roster);
	verdict_tell_missed_ticks(self->roster);
	if (!verdict_is_clean(self->roster) || !ledger_is_settled(self->ledger) || !are_runs_accounted ||
		(self->drain.was_killed && !self->drain.is_hurried) || is_failing)
		exit_code = SUPERVISOR_TROUBLE;
	if (verdict_is_any_given_up(self->roster))
		exit_code = SUPERVISOR_CONFIG;
	if (status) {
		json_object_set_new(status, "exit_code", json_integer(exit_code));
		supervisor_write_status(self, status);
		control_plane_publish(&self->control, status);
		json_t *ledger = json_object_get(status, "ledger");
		const struct clock_state clock = clock_state_read();
		json_object_set_new(ledger, "ended", json_string(drain_outcome(&self->drain)));
		json_object_set_new(ledger, "clock", clock_state_format_pair(&self->clock_begin, &clock));
		run_end_write_ledger(&self->runtime, self->roster, ledger);
		runs_plain_finish(&self->runs, ledger, exit_code == SUPERVISOR_OK);
		if (self->params->on_status)
			self->params->on_status(self->params->context, status, true);
		json_decref(status);
	}
	if (!self->params->is_quiet) {
		print_ledger(self);
	}
	left = run_end_clean(&self->runtime, self->roster);
	keeper_rescue(&self->keeper);
	if (left)
		log_line(ENRG_WARNING,
			"%zu stream(s) in %s hold batches that are not stored: the next `enrgdaq run` of "
			"this configuration stores them",
			left, self->runtime.folder);
	if (runtime_end_run(&self->runtime, !left, exit_code, &err))
		log_line(ENRG_WARNING, "run.json: %s", err.text);
	return exit_code;
}

static void close_descriptor(int descriptor)
{
	if (descriptor >= 0)
		close(descriptor);
}

static void remove_sockets(const struct supervisor *self)
{
	char publish_url[RUNTIME_URL_BYTES], subscribe_url[RUNTIME_URL_BYTES];

	if (!self->has_begun) /* they may be those of the instance that runs */
		return;
	runtime_format_bus(&self->runtime, publish_url, subscribe_url);
	unlink(publish_url + strlen("ipc://"));
	unlink(subscribe_url + strlen("ipc://"));
	for (size_t i = 0; self->roster && i < self->roster->count; i++)
		if (self->roster->members[i]->plan->link_url)
			unlink(self->roster->members[i]->plan->link_url + strlen("ipc://"));
}

void supervisor_fini(struct supervisor *self)
{
	run_parts_close(&self->run_parts);
	runs_close(&self->runs);
	book_close(&self->book, BOOK_PATIENCE_NS);
	supervisor_close_alarms(self);
	jobs_close(&self->jobs);
	if (self->has_begun && self->roster)
		job_add_remove_files(&self->runtime);
	transition_fini(&self->transition);
	control_close(&self->commands);
	control_plane_stop(&self->control);
	remove_sockets(self);
	keeper_close(&self->keeper);
	roster_destroy(self->roster);
	ledger_destroy(self->ledger);
	losses_fini(&self->losses);
	close_descriptor(self->lifeline[1]);
	close_descriptor(self->lifeline[0]);
	close_descriptor(self->timer);
	close_descriptor(self->epoll);
	stream_specs_destroy(self->specs);
	plan_set_destroy(self->plans);
	runtime_close(&self->runtime);
	sources_fini(&self->sources);
	if (self->folder)
		folder_free(self->folder);
	if (self->types)
		types_free(self->types);
}
