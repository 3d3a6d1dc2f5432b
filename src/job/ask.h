/* ask.h: how a supervisor asks its jobs for something: a queued real-time signal that carries a word. SIGTERM and
 * SIGINT come from anybody (a service manager signals a whole group, an operator one process) and merge while they
 * wait; a word is counted, and only the parent of the job can say it. Process: supervisor sends, jobs take. */
#ifndef JOB_ASK_H
#define JOB_ASK_H

#include <signal.h>
#include <stdbool.h>
#include <sys/signalfd.h>
#include <sys/types.h>

enum ask_word {
	ASK_DRAIN = 1, /* end in order */
	ASK_FAST = 2,  /* end after the batch at hand */
	ASK_LOG = 16,  /* + enum enrg_level: open log files anew, and log from that level on */
};

/* The signals that a job must have blocked from its first instruction on: the one of the words, and SIGTERM. */
void ask_add_signals(sigset_t *set);
/* Says a word to a child that was not reaped yet. 0, -ESRCH, -EAGAIN: try again later. */
int ask_send(pid_t pid, int word);
/* The word that a signal carries; 0: it is none, or its sender is not the parent of this process. */
int ask_parse(const struct signalfd_siginfo *info);

#endif
