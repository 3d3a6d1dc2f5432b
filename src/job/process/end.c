/* end.c: see the header. Main thread. */
#include "job/process/end.h"

#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "job/process/reporter.h"

void process_end(struct process *process, enum process_exit code)
{
	struct reporter *reporter = process->reporter;

	process->reporter = NULL;
	reporter_stop(reporter);
	page_refresh(process->page);
	log_stop();
	fflush(stdout);
	_exit((int)code);
}

void process_end_if_left(const struct process *process, int rc)
{
	if (!process->is_thread_left)
		return;
	log_stop();
	fflush(stdout);
	_exit(rc);
}
