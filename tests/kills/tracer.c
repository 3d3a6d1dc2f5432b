/* tracer.c: see the header. */
#include "tracer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/elf.h>
#include <linux/ptrace.h>

#define PAGE_BYTES 4096u
#define OPTIONS    (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL)

struct tracer {
	struct tracer_aim aim;
	struct tracer_end *end;
	unsigned *flags; /* NULL: not asked for */
	unsigned capacity;
	uint64_t (*look)(void);
	uint64_t seen;
	pid_t child;
	pid_t tearing; /* the thread that is in the call to be torn; 0: none */
};

#define CALL(name)                                                                                                     \
	{                                                                                                              \
		SYS_##name, #name                                                                                      \
	}

/* Calls that change nothing which outlives the process. All others count, also those that nobody thought of.
 * A name a line would fill a page. */
/* clang-format off */
static const long without_trace[] = {
	SYS_read, SYS_pread64, SYS_readv, SYS_preadv, SYS_lseek, SYS_fstat, SYS_newfstatat, SYS_statx, SYS_statfs,
	SYS_fstatfs, SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_madvise, SYS_brk, SYS_futex,
	SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack, SYS_getpid, SYS_gettid, SYS_getppid,
	SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_uname, SYS_faccessat, SYS_readlinkat, SYS_getcwd,
	SYS_getdents64, SYS_clock_gettime, SYS_clock_nanosleep, SYS_nanosleep, SYS_gettimeofday, SYS_fcntl,
	SYS_flock, SYS_ioctl, SYS_getrandom, SYS_sched_yield, SYS_sched_getaffinity, SYS_sched_setaffinity,
	SYS_prctl, SYS_set_robust_list, SYS_set_tid_address, SYS_rseq, SYS_prlimit64, SYS_getrusage, SYS_sysinfo,
	SYS_wait4, SYS_close, SYS_dup, SYS_dup3, SYS_fadvise64, SYS_clone, SYS_clone3, SYS_exit, SYS_exit_group,
	SYS_getxattr, SYS_fgetxattr, SYS_lgetxattr, SYS_ppoll, SYS_socket, SYS_connect, SYS_getsockopt,
	SYS_setsockopt, SYS_getsockname, SYS_getpeername, SYS_recvfrom, SYS_recvmsg, SYS_shutdown, SYS_tgkill,
	SYS_eventfd2, SYS_epoll_create1, SYS_pipe2, SYS_sync_file_range, SYS_membarrier, SYS_epoll_pwait,
	SYS_epoll_ctl, SYS_timerfd_create, SYS_timerfd_settime, SYS_signalfd4, SYS_rt_sigtimedwait,
#ifdef SYS_futex_waitv
	SYS_futex_waitv,
#endif
#ifdef SYS_epoll_wait
	SYS_epoll_wait,
#endif
#ifdef SYS_faccessat2
	SYS_faccessat2,
#endif
#ifdef SYS_access
	SYS_access, SYS_readlink, SYS_stat, SYS_lstat, SYS_poll, SYS_arch_prctl, SYS_time, SYS_getrlimit, SYS_dup2,
#endif
};
/* clang-format on */

static bool is_without_trace(uint64_t number)
{
	for (size_t i = 0; i < sizeof(without_trace) / sizeof(without_trace[0]); i++)
		if ((uint64_t)without_trace[i] == number)
			return true;
	return false;
}

static bool is_counted(const struct ptrace_syscall_info *info)
{
	uint64_t flags = O_CREAT | O_TRUNC;

	if (info->entry.nr == SYS_openat)
		return info->entry.args[2] & flags;
#ifdef SYS_open
	if (info->entry.nr == SYS_open)
		return info->entry.args[1] & flags;
#endif
	return !is_without_trace(info->entry.nr);
}

/* --- words -------------------------------------------------------------------------------------------------------- */

static const char *name_call(uint64_t number, char *ret_text, size_t text_bytes)
{
	static const struct {
		long number;
		const char *name;
	} names[] = {
		CALL(write),
		CALL(pwrite64),
		CALL(writev),
		CALL(pwritev),
		CALL(openat),
		CALL(fsync),
		CALL(fdatasync),
		CALL(ftruncate),
		CALL(fallocate),
		CALL(renameat),
		CALL(renameat2),
		CALL(linkat),
		CALL(unlinkat),
		CALL(mkdirat),
		CALL(fsetxattr),
		CALL(fremovexattr),
		CALL(sendto),
		CALL(sendmsg),
		CALL(msync),
#ifdef SYS_rename
		CALL(rename),
		CALL(link),
		CALL(unlink),
		CALL(mkdir),
		CALL(rmdir),
		CALL(open),
#endif
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if ((uint64_t)names[i].number == number)
			return names[i].name;
	snprintf(ret_text, text_bytes, "system call %llu", (unsigned long long)number);
	return ret_text;
}

/* What the call is about: the file behind its descriptor, or the path that is its first or second argument. */
static void find_object(
	const struct tracer *tracer, const struct ptrace_syscall_info *info, char *ret_text, size_t bytes)
{
	char link[64];
	ssize_t count;

	snprintf(link, sizeof(link), "/proc/%d/fd/%llu", tracer->child, (unsigned long long)info->entry.args[0]);
	count = readlink(link, ret_text, bytes - 1);
	for (int i = 0; i < 2 && count <= 0; i++) {
		struct iovec to = {ret_text, bytes - 1}, from = {(void *)(uintptr_t)info->entry.args[i], bytes - 1};
		count = process_vm_readv(tracer->child, &to, 1, &from, 1, 0);
	}
	ret_text[count > 0 ? count : 0] = '\0';
}

static void note_place(struct tracer *tracer, const struct ptrace_syscall_info *info)
{
	char number[40], object[200];

	find_object(tracer, info, object, sizeof(object));
	snprintf(tracer->end->place, sizeof(tracer->end->place), "%s call %u, %s %s",
		tracer->aim.is_torn ? "in the middle of" : "before", tracer->end->calls,
		name_call(info->entry.nr, number, sizeof(number)), object);
}

/* --- tearing ------------------------------------------------------------------------------------------------------ */

/* Bytes up to the first end of a page, where the call writes beyond it; 0: it doesn't. */
static uint64_t first_part(const struct ptrace_syscall_info *info)
{
	uint64_t at = info->entry.nr == SYS_pwrite64 ? info->entry.args[3] : 0;
	uint64_t part = PAGE_BYTES - at % PAGE_BYTES;

	if (info->entry.nr != SYS_write && info->entry.nr != SYS_pwrite64)
		return 0;
	return info->entry.args[2] > part ? part : 0;
}

static void shorten(pid_t thread, uint64_t count)
{
#ifdef __x86_64__
	ptrace(PTRACE_POKEUSER, thread, offsetof(struct user_regs_struct, rdx), count);
#else
	(void)thread, (void)count;
#endif
}

static bool can_shorten(void)
{
#ifdef __x86_64__
	return true;
#else
	return false;
#endif
}

/* --- the loop ----------------------------------------------------------------------------------------------------- */

static unsigned find_flags(struct tracer *tracer, const struct ptrace_syscall_info *info)
{
	uint64_t seen = tracer->look();
	unsigned flags = can_shorten() && first_part(info) ? TRACER_CAN_TEAR : 0;

	if (seen != tracer->seen)
		flags |= TRACER_CHANGED;
	tracer->seen = seen;
	return flags;
}

/* The thread stands before a call or behind it. true: the process is to die here. */
static bool handle_call(struct tracer *tracer, pid_t thread)
{
	struct ptrace_syscall_info info;
	struct tracer_end *end = tracer->end;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof(info), &info) <= 0)
		return false;
	if (info.op == PTRACE_SYSCALL_INFO_EXIT)
		return tracer->tearing == thread;
	if (info.op != PTRACE_SYSCALL_INFO_ENTRY || !is_counted(&info))
		return false;
	end->calls++;
	if (tracer->flags && end->calls <= tracer->capacity)
		tracer->flags[end->calls - 1] = find_flags(tracer, &info);
	if (end->calls != tracer->aim.call)
		return false;
	note_place(tracer, &info);
	if (!tracer->aim.is_torn)
		return true;
	shorten(thread, first_part(&info));
	tracer->tearing = thread;
	return false;
}

static void follow(struct tracer *tracer)
{
	int status;

	for (;;) {
		pid_t thread = waitpid(-1, &status, __WALL);
		int signal = 0;
		if (thread < 0)
			abort();
		if (!WIFSTOPPED(status)) {
			if (thread != tracer->child)
				continue;
			tracer->end->status = status;
			return;
		}
		if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
			if (handle_call(tracer, thread)) {
				tracer->end->was_killed = true;
				kill(tracer->child, SIGKILL);
				continue;
			}
		} else if (WSTOPSIG(status) != SIGSTOP && WSTOPSIG(status) != SIGTRAP) {
			signal = WSTOPSIG(status);
		}
		ptrace(PTRACE_SYSCALL, thread, NULL, signal);
	}
}

static void run(struct tracer *tracer, int (*function)(void *context), void *context)
{
	int status;

	fflush(NULL);
	tracer->child = fork();
	if (tracer->child < 0)
		abort();
	if (tracer->child == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(function(context));
	}
	if (waitpid(tracer->child, &status, 0) != tracer->child || !WIFSTOPPED(status) ||
		ptrace(PTRACE_SETOPTIONS, tracer->child, NULL, OPTIONS) < 0) {
		fprintf(stderr, "ptrace: %s: this test must be allowed to trace its children\n", strerror(errno));
		abort();
	}
	ptrace(PTRACE_SYSCALL, tracer->child, NULL, 0);
	follow(tracer);
}

void tracer_run(int (*function)(void *context), void *context, const struct tracer_aim *aim, struct tracer_end *ret_end)
{
	struct tracer tracer = {.aim = *aim, .end = ret_end};

	*ret_end = (struct tracer_end){0};
	run(&tracer, function, context);
}

void tracer_count(int (*function)(void *context), void *context, uint64_t (*look)(void), unsigned *ret_flags,
	unsigned capacity, struct tracer_end *ret_end)
{
	struct tracer tracer = {
		.aim = {TRACER_NEVER, false}, .end = ret_end, .flags = ret_flags, .capacity = capacity, .look = look};

	*ret_end = (struct tracer_end){0};
	run(&tracer, function, context);
}
