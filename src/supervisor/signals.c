/* signals.c: a signalfd and what it says. Process: supervisor, main thread. */
#include "supervisor/signals.h"

#include <errno.h>
#include <sys/signalfd.h>
#include <unistd.h>

static bool is_ignored(int number)
{
	struct sigaction action;

	return !sigaction(number, NULL, &action) && action.sa_handler == SIG_IGN;
}

int signals_open(struct signals *ret_signals)
{
	static const int ignored[] = {SIGPIPE, SIGXFSZ, SIGTTOU};
	struct signals signals = {.descriptor = -1};
	sigset_t set;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&set);
	/* Also where they were inherited as ignored: a shell does that with SIGINT for a command behind an `&`. */
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (!is_ignored(SIGHUP))
		sigaddset(&set, SIGHUP);
	signals.descriptor = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals.descriptor < 0)
		return -errno;
	pthread_sigmask(SIG_BLOCK, &set, &signals.before);
	*ret_signals = signals;
	return 0;
}

struct signals_words signals_read(struct signals *signals, uint64_t now_ns)
{
	struct signals_words words = {0};
	struct signalfd_siginfo info;

	while (read(signals->descriptor, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGHUP) {
			words.is_hangup = true;
		} else if (!signals->asked_ns) {
			signals->asked_ns = now_ns;
			words.is_end = true;
		} else if (now_ns - signals->asked_ns >= SIGNALS_TOGETHER_NS && (pid_t)info.ssi_pid != getpid()) {
			words.is_fast = true; /* a benchmark that asks itself to end is no impatient user */
		}
	}
	return words;
}

void signals_close(struct signals *signals)
{
	if (signals->descriptor <= 0)
		return;
	(void)signals_read(signals, 0);
	close(signals->descriptor);
	signals->descriptor = -1;
	pthread_sigmask(SIG_SETMASK, &signals->before, NULL);
}
