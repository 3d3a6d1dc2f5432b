/* doorbell.c: futex calls (shared, not private: the words lie in files that several processes map). */
#include "plane/doorbell.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define LOOK_AGAIN_NS 1000000u /* where not all words can be slept on */

static struct timespec to_timespec(uint64_t ns)
{
	return (struct timespec){.tv_sec = (time_t)(ns / 1000000000u), .tv_nsec = (long)(ns % 1000000000u)};
}

static int result_of(long called)
{
	if (called >= 0 || errno == EAGAIN)
		return 0;
	return -errno;
}

int doorbell_wait(_Atomic uint32_t *word, uint32_t value, uint64_t timeout_ns)
{
	struct timespec timeout = to_timespec(timeout_ns == UINT64_MAX ? 0 : timeout_ns);

	return result_of(
		syscall(SYS_futex, word, FUTEX_WAIT, value, timeout_ns == UINT64_MAX ? NULL : &timeout, NULL, 0));
}

int doorbell_wait_any(_Atomic uint32_t *const *words, const uint32_t *values, uint32_t count, uint64_t timeout_ns)
{
	static _Atomic bool is_missing; /* the call, in this kernel: an old one, or valgrind's */
	struct futex_waitv waiters[DOORBELL_WAIT_MAX] = {0};
	struct timespec until;
	long called;

	if (count == 1)
		return doorbell_wait(words[0], values[0], timeout_ns);
	for (uint32_t i = 0; i < count && i < DOORBELL_WAIT_MAX; i++)
		waiters[i] = (struct futex_waitv){.val = values[i], .uaddr = (uintptr_t)words[i], .flags = FUTEX_32};
	if (count <= DOORBELL_WAIT_MAX && !atomic_load_explicit(&is_missing, memory_order_relaxed)) {
		until = to_timespec(timeout_ns == UINT64_MAX ? 0 : clock_mono_ns() + timeout_ns);
		called = syscall(
			SYS_futex_waitv, waiters, count, 0, timeout_ns == UINT64_MAX ? NULL : &until, CLOCK_MONOTONIC);
		if (called >= 0 || errno != ENOSYS)
			return result_of(called);
		atomic_store_explicit(&is_missing, true, memory_order_relaxed);
	}
	if (timeout_ns <= LOOK_AGAIN_NS)
		return doorbell_wait(words[0], values[0], timeout_ns);
	called = doorbell_wait(words[0], values[0], LOOK_AGAIN_NS);
	return called == -ETIMEDOUT ? 0 : (int)called; /* the caller's time is not over: let it look */
}

void doorbell_wake(_Atomic uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

uint64_t doorbell_spin_budget(struct doorbell_spin *spin)
{
	/* Try again now and then: the other side may have got a core of its own meanwhile. */
	if (spin->budget_ns == 0 && (++spin->failures & 31u) == 0)
		return DOORBELL_SPIN_MAX_NS / 2;
	return spin->budget_ns;
}

void doorbell_spin_learn(struct doorbell_spin *spin, int found, uint64_t waited_ns)
{
	if (found)
		spin->budget_ns = DOORBELL_SPIN_MAX_NS;
	else if (waited_ns > DOORBELL_SPIN_MAX_NS)
		spin->budget_ns /= 2;
	else /* a spin of this length would have been enough */
		spin->budget_ns = DOORBELL_SPIN_MAX_NS;
	if (spin->budget_ns < DOORBELL_SPIN_MAX_NS / 8)
		spin->budget_ns = 0;
}
