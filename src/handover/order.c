/* order.c: orders from a supervisor to its jobs. */
#include "handover/order.h"

#include <errno.h>
#include <unistd.h>

static int order_signal(void)
{
	return SIGRTMIN + 1;
}

void order_add_signals(sigset_t *set)
{
	sigaddset(set, SIGTERM);
	sigaddset(set, order_signal());
}

int order_send(pid_t pid, int order)
{
	return sigqueue(pid, order_signal(), (union sigval){.sival_int = order}) ? -errno : 0;
}

int order_parse(const struct signalfd_siginfo *info)
{
	if ((int)info->ssi_signo != order_signal() || info->ssi_code != SI_QUEUE || (pid_t)info->ssi_pid != getppid())
		return 0;
	return info->ssi_int;
}
