/* doorbell.h: sleeping and waking between processes, by futex words in shared memory. Any thread. */
#ifndef PLANE_DOORBELL_H
#define PLANE_DOORBELL_H

#include <stdatomic.h>
#include <stdint.h>

#define DOORBELL_WAIT_MAX 128u

/* Sleeps while *word == value, up to timeout_ns (UINT64_MAX = for ever). 0 woken or changed, -ETIMEDOUT, -EINTR. */
int doorbell_wait(_Atomic uint32_t *word, uint32_t value, uint64_t timeout_ns);

/* Sleeps while all words have their values (futex_waitv). Results as above; more words than the kernel takes at once,
 * or a kernel without the call: sleeps on the first one for at most 1 ms. */
int doorbell_wait_any(_Atomic uint32_t *const *words, const uint32_t *values, uint32_t count, uint64_t timeout_ns);

/* Wakes everybody who sleeps on the word. */
void doorbell_wake(_Atomic uint32_t *word);

/* How long it pays to spin before sleeping: grows while spinning succeeds, goes to zero where the other side is not
 * running (more processes than cores). One waiter's own state; zeroed is ready. */
struct doorbell_spin {
	uint32_t budget_ns;
	uint32_t failures;
};

#define DOORBELL_SPIN_MAX_NS 60000u

/* Spin budget for this wait. */
uint64_t doorbell_spin_budget(struct doorbell_spin *spin);
/* Tells how it went: did the spin find what it waited for? */
void doorbell_spin_learn(struct doorbell_spin *spin, int found, uint64_t waited_ns);

static inline void doorbell_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

#endif
