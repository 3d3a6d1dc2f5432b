/* process.c: what every job process calls. Main thread, except where noted. */
#include "job/process/process.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdio.h>
#include <sys/eventfd.h>
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
	uint64_t cpu_ns = clock_cpu_ns();
	bool is_light = cpu_ns - process->cpu_noted < (now_ns - process->cpu_noted_ns) / PROCESS_LIGHT_CPU;

	process->cpu_noted_ns = now_ns;
	process->cpu_noted = cpu_ns;
	atomic_store_explicit(&process->page->cpu_ns, cpu_ns, memory_order_relaxed);
	if (!is_light && process->alerts && atomic_exchange_explicit(&process->is_dozing, 0, memory_order_relaxed))
		alerts_nudge(process->alerts);
}

/* --- sleeping and waking ----------------------------------------------------------------------------------------- */

static void read_event(int descriptor)
{
	uint64_t count;

	while (read(descriptor, &count, sizeof(count)) < 0 && errno == EINTR)
		;
}

static void write_event(int descriptor)
{
	const uint64_t one = 1;

	while (write(descriptor, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void process_wake(struct process *process)
{
	/* pairs with process_clear_wake: whoever clears this sees what stands ready */
	if (atomic_exchange_explicit(&process->wake, 1, memory_order_seq_cst))
		return;
	/* not FUTEX_PRIVATE: consumer_wait sleeps on this word beside words that other processes wake */
	syscall(SYS_futex, &process->wake, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	/* seq_cst, as the exchange: either the event is seen here, or process_poll sees that `wake` is 1 */
	int event = atomic_load_explicit(&process->wake_event, memory_order_seq_cst);
	if (event)
		write_event(event - 1);
}

void process_clear_wake(struct process *process)
{
	if (!atomic_exchange_explicit(&process->wake, 0, memory_order_seq_cst))
		return;
	int event = atomic_load_explicit(&process->wake_event, memory_order_relaxed);
	if (event)
		read_event(event - 1);
}

static void count_wakeup(struct process *process)
{
	atomic_store_explicit(&process->page->wakeups,
		atomic_load_explicit(&process->page->wakeups, memory_order_relaxed) + 1, memory_order_relaxed);
}

void process_sleep_until(struct process *process, enum process_stop stop, uint64_t until_ns)
{
	const struct timespec until = {
		.tv_sec = (time_t)(until_ns / 1000000000u),
		.tv_nsec = (long)(until_ns % 1000000000u),
	};

	/* A stop is raised before `wake` is: one that is not seen here has not raised it yet. The bit set only makes
	 * the time absolute. */
	if (process_stop_state(process) == stop)
		syscall(SYS_futex, &process->wake, FUTEX_WAIT_BITSET, 0, &until, NULL, FUTEX_BITSET_MATCH_ANY);
	process_clear_wake(process);
	count_wakeup(process);
}

/* At the first need: most jobs sleep on the futex alone. */
static int open_event(struct process *process)
{
	int event = atomic_load_explicit(&process->wake_event, memory_order_relaxed) - 1;

	if (event >= 0)
		return event;
	event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (event < 0)
		return -errno;
	atomic_store_explicit(&process->wake_event, event + 1, memory_order_seq_cst);
	return event;
}

int process_poll(
	struct process *process, enum process_stop stop, struct pollfd *entries, uint32_t count, uint64_t until_ns)
{
	int event = open_event(process);

	if (event < 0)
		return event;
	uint64_t now_ns = clock_mono_ns(), left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
	if (process_stop_state(process) != stop || atomic_load_explicit(&process->wake, memory_order_seq_cst))
		left_ns = 0;
	const struct timespec left = {
		.tv_sec = (time_t)(left_ns / 1000000000u),
		.tv_nsec = (long)(left_ns % 1000000000u),
	};
	entries[count] = (struct pollfd){.fd = event, .events = POLLIN};
	int ready = ppoll(entries, count + 1, &left, NULL);
	int rc = ready < 0 ? -errno : ready;
	if (rc > 0 && entries[count].revents) {
		/* also where `wake` is 0 by now: its writer was overtaken by who cleared it */
		read_event(event);
		rc--;
	}
	process_clear_wake(process);
	count_wakeup(process);
	if (rc == -EINTR) {
		for (uint32_t i = 0; i < count; i++)
			entries[i].revents = 0;
		rc = 0;
	}
	return rc;
}

/* --- stop -------------------------------------------------------------------------------------------------------- */

enum process_stop process_stop_state(const struct process *process)
{
	return (enum process_stop)atomic_load_explicit(&process->stop, memory_order_acquire);
}

void process_request_stop(struct process *process, enum process_stop stop)
{
	if (atomic_load_explicit(&process->stop, memory_order_relaxed) >= (uint32_t)stop)
		return;
	if (stop == PROCESS_HURRY && !atomic_load_explicit(&process->is_parting, memory_order_relaxed))
		log_line(ENRG_INFO, "fast stop: what is left stays in shared memory");
	/* pairs with the acquire of process_stop_state */
	atomic_store_explicit(&process->stop, (uint32_t)stop, memory_order_release);
	/* a store that tries again sleeps on this word, in consumer_wait: not FUTEX_PRIVATE */
	syscall(SYS_futex, &process->stop, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
	process_wake(process);
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
