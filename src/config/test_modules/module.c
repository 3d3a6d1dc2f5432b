/* module.c: a module for types_test, built as it should be, for another ABI, and with a job that lacks a function. */
#include "enrgdaq/job.h"
#include "enrgdaq/module.h"

static int start(struct enrg_job *job, const void *options, void **ret_state, struct enrg_error *err)
{
	(void)job;
	(void)options;
	(void)err;
	*ret_state = NULL;
	return 0;
}

static int poll_job(struct enrg_job *job, void *state, struct enrg_error *err)
{
	(void)job;
	(void)state;
	(void)err;
	return ENRG_POLL_DONE;
}

static void destroy(void *state)
{
	(void)state;
}

static const char *const old_names[] = {"loaded", NULL};
static const struct enrg_job_type type = {
	.size = sizeof(struct enrg_job_type),
	.name = "DAQJobLoaded",
	.old_names = old_names,
	.summary = "A job for the test of the loader.",
	.start = start,
	.poll = TEST_POLL,
	.destroy = destroy,
};
static const struct enrg_job_type *const jobs[] = {&type, NULL};

/* keeps the function used in the variant that leaves it out */
int (*const module_poll)(struct enrg_job *, void *, struct enrg_error *) = poll_job;

ENRG_MODULE = {TEST_ABI, sizeof(struct enrg_module), sizeof(struct enrg_option), .name = "loaded", .jobs = jobs};
