/* restart.c: exponential back-off for jobs that die soon; none after a minute that went well. Process: supervisor. */
#include "supervisor/restart.h"

#include <stdio.h>
#include <string.h>

void restart_begin(struct restart *restart, uint64_t now_ns)
{
	if (restart->started_ns)
		restart->count++;
	restart->started_ns = now_ns;
	restart->due_ns = 0;
}

uint64_t restart_delay(const struct restart_policy *policy, uint32_t failures)
{
	uint64_t delay = failures ? policy->delay_ns : 0;

	for (uint32_t i = 1; i < failures && delay < policy->delay_max_ns; i++)
		delay *= 2;
	return delay < policy->delay_max_ns ? delay : policy->delay_max_ns;
}

enum restart_verdict restart_decide(
	struct restart *restart, const struct restart_policy *policy, const struct restart_end *end, uint64_t now_ns)
{
	if (!end->signal && end->exit_code == 0 && !end->is_store && end->is_done)
		return RESTART_DONE;
	if (end->exit_code == RESTART_UNASKED) {
		restart->due_ns = now_ns + policy->delay_ns;
		return RESTART_LATER;
	}
	/* Something from outside ended a job that was well: waiting would only delay its data. */
	if (now_ns - restart->started_ns >= RESTART_STABLE_NS)
		restart->failures = 0;
	else
		restart->failures++;
	if (!end->signal && end->exit_code == 2)
		restart->config_failures++;
	else
		restart->config_failures = 0;
	if (restart->config_failures > RESTART_CONFIG_TRIES)
		return RESTART_GIVE_UP;
	restart->due_ns = now_ns + restart_delay(policy, restart->failures);
	return RESTART_LATER;
}

void restart_format_end(const struct restart_end *end, char *ret_text, size_t text_bytes)
{
	static const char *const meanings[] = {
		"in order", "failed", "configuration", "fast stop", "asked by a signal from elsewhere"};

	if (end->was_hung)
		snprintf(ret_text, text_bytes, "hung, killed by the watchdog");
	else if (end->signal)
		snprintf(ret_text, text_bytes, "signal %d (%s)", end->signal, strsignal(end->signal));
	else if (end->exit_code >= 0 && end->exit_code < 5)
		snprintf(ret_text, text_bytes, "exit %d (%s)", end->exit_code, meanings[end->exit_code]);
	else
		snprintf(ret_text, text_bytes, "exit %d", end->exit_code);
}
