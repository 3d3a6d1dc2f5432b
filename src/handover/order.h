/* order.h: how a supervisor asks its jobs for something: a queued real-time signal that carries a word. SIGTERM and
 * SIGINT come from anybody (a service manager signals a whole group, an operator one process) and merge while they
 * wait; a word is counted, and only the parent of the job can say it. Process: supervisor sends, jobs take. */
#ifndef HANDOVER_ORDER_H
#define HANDOVER_ORDER_H

#include <signal.h>
#include <stdbool.h>
#include <sys/signalfd.h>
#include <sys/types.h>

enum order {
	ORDER_DRAIN = 1, /* end in order */
	ORDER_FAST = 2,  /* end after the batch at hand */
	ORDER_PART = 3,  /* the same, while others go on: what is left waits for the next process of this job */
	ORDER_LEAVE = 5, /* a processor: it is removed; makes all that it can of what it has read, and ends in order */
	ORDER_PLAN = 4, /* a store: the file of its plan (plan.h) says anew what it reads; a source: a consumer joins */
	ORDER_RUN = 8,  /* the wish of wish.h has changed: look */
	ORDER_LOG = 16, /* + enum enrg_level: open log files anew, and log from that level on */
};

/* The signals that a job must have blocked from its first instruction on: the one of the orders, and SIGTERM. */
void order_add_signals(sigset_t *set);
/* Sends an order to a child that was not reaped yet. 0, -ESRCH, -EAGAIN: try again later. */
int order_send(pid_t pid, int order);
/* The order that a signal carries; 0: it is none, or its sender is not the parent of this process. */
int order_parse(const struct signalfd_siginfo *info);

#endif
