/* process.c: what every job process calls. Main thread, except where noted. */
#include "job/process/process.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"

#define CPU_NOTED_NS 1000000000ull

void process_tell_ready(struct process *process)
{
	static const char line[] = "READY=1\n";

	if (process->is_ready)
		return;
	process->is_ready = true;
	atomic_store_explicit(&process->page->state, PAGE_RUNNING, memory_order_relaxed);
	process_beat(process);
	if (process->ready_descriptor > 0) {
		while (write(process->ready_descriptor, line, sizeof(line) - 1) < 0 && errno == EINTR)
			;
		close(process->ready_descriptor);
		process->ready_descriptor = -1;
	}
	atomic_store_explicit(&process->is_started_due, 1, memory_order_relaxed);
	if (process->alerts)
		alerts_nudge(process->alerts);
}

void process_beat(struct process *process)
{
	uint64_t now_ns = clock_mono_ns();

	atomic_store_explicit(&process->page->heartbeat_mono_ns, now_ns, memory_order_relaxed);
	if (now_ns - process->cpu_noted_ns < CPU_NOTED_NS)
		return;
	process->cpu_noted_ns = now_ns;
	atomic_store_explicit(&process->page->cpu_ns, clock_cpu_ns(), memory_order_relaxed);
}

void process_sleep_until(struct process *process, enum process_stop stop, uint64_t until_ns)
{
	const struct timespec until = {
		.tv_sec = (time_t)(until_ns / 1000000000u),
		.tv_nsec = (long)(until_ns % 1000000000u),
	};

	/* shared, as the wake in process_request_stop; the bit set only makes the time absolute */
	syscall(SYS_futex, &process->stop, FUTEX_WAIT_BITSET, stop, &until, NULL, FUTEX_BITSET_MATCH_ANY);
	atomic_store_explicit(&process->page->wakeups,
		atomic_load_explicit(&process->page->wakeups, memory_order_relaxed) + 1, memory_order_relaxed);
}

enum process_stop process_stop_state(const struct process *process)
{
	return (enum process_stop)atomic_load_explicit(&process->stop, memory_order_acquire);
}

void process_request_stop(struct process *process, enum process_stop stop)
{
	if (atomic_load_explicit(&process->stop, memory_order_relaxed) >= (uint32_t)stop)
		return;
	if (stop == PROCESS_HURRY)
		log_line(ENRG_INFO, "fast stop: what is left stays in shared memory");
	/* pairs with the acquire of process_stop_state */
	atomic_store_explicit(&process->stop, (uint32_t)stop, memory_order_release);
	/* not FUTEX_PRIVATE: consumer_wait sleeps on this word beside words that other processes wake */
	syscall(SYS_futex, &process->stop, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	void (*on_stop)(void *context) = atomic_load_explicit(&process->on_stop, memory_order_acquire);
	if (on_stop)
		on_stop(process->on_stop_context);
}

void process_alert(struct process *process, enum enrg_level level, const char *format, ...)
{
	char text[1000];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	secret_hide(text);
	log_line(level, "%s", text);
	if (process->page)
		atomic_fetch_add_explicit(&process->page->alerts, 1, memory_order_relaxed);
	if (process->alerts)
		alerts_post(process->alerts, level, text);
}
