/* ask.c: words from a supervisor to its jobs. */
#include "job/ask.h"

#include <errno.h>
#include <unistd.h>

static int ask_signal(void)
{
	return SIGRTMIN + 1;
}

void ask_add_signals(sigset_t *set)
{
	sigaddset(set, SIGTERM);
	sigaddset(set, ask_signal());
}

int ask_send(pid_t pid, int word)
{
	return sigqueue(pid, ask_signal(), (union sigval){.sival_int = word}) ? -errno : 0;
}

int ask_parse(const struct signalfd_siginfo *info)
{
	if ((int)info->ssi_signo != ask_signal() || info->ssi_code != SI_QUEUE || (pid_t)info->ssi_pid != getppid())
		return 0;
	return info->ssi_int;
}
