/* member.c: what a job of this supervisor is doing, in words. Process: supervisor, main thread. */
#include "supervisor/member.h"

void member_enter(struct member *member, enum member_state state)
{
	member->state = state;
}

bool member_stays_down(const struct member *member, const struct restart_end *end)
{
	const struct job_common *common = &member->config->common;

	return common->has_restart_on_crash && !common->restart_on_crash && !(end->exit_code == 0 && end->is_done);
}

bool member_is_alive(const struct member *member)
{
	return member->child.pid != 0;
}

bool member_is_store(const struct member *member)
{
	return member->plan->is_store;
}

bool member_is_processor(const struct member *member)
{
	return member->plan->is_processor;
}

bool member_is_source(const struct member *member)
{
	return !member->plan->is_store && !member->plan->is_processor;
}

bool member_is_service(const struct member *member)
{
	const struct enrg_job_type *job = member->config->type->job;

	return job && (!job->poll || job->is_service);
}

const char *member_state_name(const struct member *member)
{
	static const char *const names[] = {
		"not started", "starting", "running", "restarting", "done", "given up", "stopped"};

	if (member->state == MEMBER_RUNNING && member->page_state == PAGE_DRAINING)
		return "draining";
	if (member->state == MEMBER_RUNNING && member->page_state == PAGE_WAITING)
		return "waiting";
	return names[member->state];
}
