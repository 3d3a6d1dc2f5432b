/* pair.c: processes that measure something together. Runs in the process of `enrgdaq bench` or of a program in bench/;
 * the sides are its children. */
#include "benchmark/pair.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

#define IDLE_NS UINT64_C(100000)

static bool is_alone; /* set before the sides are forked, read by them */

unsigned pair_cpus(int *ret_cpus, unsigned count_max)
{
	cpu_set_t mask;
	unsigned count = 0;

	CPU_ZERO(&mask);
	sched_getaffinity(0, sizeof(mask), &mask);
	for (int cpu = 0; cpu < CPU_SETSIZE && count < count_max; cpu++)
		if (CPU_ISSET((size_t)cpu, &mask))
			ret_cpus[count++] = cpu;
	if (count == 0)
		ret_cpus[count++] = -1; /* more CPUs than the mask has room for: leave it to the scheduler */
	return count;
}

bool pair_is_alone(void)
{
	return is_alone;
}

void *pair_map(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void pair_unmap(void *memory, size_t bytes)
{
	if (memory)
		munmap(memory, bytes);
}

void pair_relax(void)
{
	if (is_alone) {
		sched_yield();
		return;
	}
#if defined(__x86_64__)
	_mm_pause();
#endif
}

void pair_await(const _Atomic uint32_t *word, uint32_t value)
{
	while (atomic_load_explicit(word, memory_order_acquire) != value)
		pair_relax();
}

static void pin(int cpu)
{
	cpu_set_t mask;

	if (cpu < 0)
		return;
	CPU_ZERO(&mask);
	CPU_SET((size_t)cpu, &mask);
	sched_setaffinity(0, sizeof(mask), &mask); /* a refusal costs precision, not truth: the tag is measured */
}

/* Exit codes have 8 bits: 1 … 200 is an errno, 201 … 255 one of ENRGDAQ's own. */
static int exit_code_of(int code)
{
	if (code >= 0)
		return 0;
	if (code <= -1001 && code > -1055)
		return 200 - code - 1000;
	return -code < 200 ? -code : EIO;
}

static int code_of_exit(int exit_code)
{
	return exit_code > 200 ? -(exit_code - 200 + 1000) : -exit_code;
}

/* The child: dies with its parent, also when the parent died before it could ask for that. */
static _Noreturn void run_side(const struct pair_side *side, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(ECHILD);
	pin(side->cpu);
	_exit(exit_code_of(side->run(side->context)));
}

struct child {
	pid_t pid;
	int descriptor; /* pidfd */
};

static int start_side(const struct pair_side *side, struct child *ret_child)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0)
		run_side(side, parent);
	ret_child->pid = pid;
	ret_child->descriptor = (int)syscall(SYS_pidfd_open, pid, 0); /* close-on-exec by itself */
	return ret_child->descriptor < 0 ? -errno : 0;
}

static int reap(struct child *child)
{
	int status = 0;

	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (child->descriptor >= 0)
		close(child->descriptor);
	child->pid = 0;
	child->descriptor = -1;
	return WIFEXITED(status) ? code_of_exit(WEXITSTATUS(status)) : -ECHILD;
}

/* Waits for one child of those that still run and reaps it. Its code, or -ETIMEDOUT. */
static int await_one(struct child *children, unsigned count, uint64_t deadline_ns)
{
	struct pollfd polls[PAIR_SIDES_MAX];
	int ready;

	for (unsigned i = 0; i < count; i++)
		polls[i] = (struct pollfd){.fd = children[i].pid ? children[i].descriptor : -1, .events = POLLIN};
	do {
		uint64_t now_ns = clock_mono_ns();
		if (now_ns >= deadline_ns)
			return -ETIMEDOUT;
		ready = poll(polls, count, (int)((deadline_ns - now_ns) / 1000000) + 1);
	} while (ready <= 0 && (ready == 0 || errno == EINTR));
	if (ready < 0)
		return -errno;
	for (unsigned i = 0; i < count; i++)
		if (polls[i].revents)
			return reap(&children[i]);
	return 0;
}

static void kill_all(struct child *children, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (children[i].pid)
			kill(children[i].pid, SIGKILL);
	for (unsigned i = 0; i < count; i++)
		if (children[i].pid)
			reap(&children[i]);
}

int pair_run(const struct pair_side *sides, unsigned count, uint64_t timeout_ns, struct enrg_error *err)
{
	struct child children[PAIR_SIDES_MAX] = {0};
	uint64_t deadline_ns = clock_mono_ns() + timeout_ns;
	int cpus[2], code = 0;

	if (count > PAIR_SIDES_MAX)
		return enrg_error_set(err, -EINVAL, "at most %u processes measure together", PAIR_SIDES_MAX);
	is_alone = pair_cpus(cpus, 2) < 2;
	for (unsigned i = 0; i < count && code == 0; i++)
		code = start_side(&sides[i], &children[i]);
	for (unsigned i = 0; i < count && code == 0; i++)
		code = await_one(children, count, deadline_ns);
	kill_all(children, count);
	if (code == -ETIMEDOUT)
		return enrg_error_set(
			err, code, "a measurement did not end within %u s", (unsigned)(timeout_ns / 1000000000));
	if (code < 0)
		return enrg_error_set(err, code, "a measuring process failed: %s", enrg_error_name(code));
	return 0;
}

int pair_open_state(uint32_t pid)
{
	char name[40];

	snprintf(name, sizeof(name), "/proc/%u/stat", pid);
	int descriptor = open(name, O_RDONLY | O_CLOEXEC);
	return descriptor < 0 ? -errno : descriptor;
}

/* State letter of the process: 'S' = asleep, 0 = there is none. */
static char read_state(int state_file)
{
	char text[256];
	ssize_t got = pread(state_file, text, sizeof(text) - 1, 0);

	text[got > 0 ? got : 0] = '\0';
	const char *name_end = strrchr(text, ')');
	return name_end && name_end[1] ? name_end[2] : '\0';
}

void pair_await_sleep(int state_file)
{
	char state;

	while ((state = read_state(state_file)) != 'S' && state != '\0')
		pair_relax();
	for (uint64_t start_ns = clock_mono_ns(); clock_mono_ns() - start_ns < IDLE_NS;)
		pair_relax();
}

static sigset_t signals_before;

void pair_hold_signals(void)
{
	sigset_t held;

	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGHUP);
	sigprocmask(SIG_BLOCK, &held, &signals_before);
}

void pair_free_signals(void)
{
	sigprocmask(SIG_SETMASK, &signals_before, NULL);
}

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

double pair_quantile(double *values, unsigned count, double quantile)
{
	if (count == 0)
		return 0;
	qsort(values, count, sizeof(*values), compare);
	return values[(unsigned)(quantile * (double)(count - 1) + 0.5)];
}

double pair_median(double *values, unsigned count)
{
	if (count == 0)
		return 0;
	double upper = pair_quantile(values, count, 0.5);
	return count % 2 ? upper : (values[count / 2 - 1] + values[count / 2]) / 2;
}
