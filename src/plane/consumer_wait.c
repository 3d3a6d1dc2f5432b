/* consumer_wait.c: how a consumer waits for the next record of one or of many streams. One thread.
 *
 * A store may have a thousand inputs of which hardly any says something. A look at all of them costs milliseconds,
 * since each lies in pages of its own; so while nothing comes as little as possible is looked at. */
#include "plane/consumer_state.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"

#define LOOK_AFTER_NS 500000000u

/* One sleep. Streams with more words than the kernel takes at once are deaf: they are looked at. */
struct sleep {
	struct consumer *const *consumers;
	uint32_t count, heard;
	_Atomic uint32_t *words[DOORBELL_WAIT_MAX];
	uint32_t values[DOORBELL_WAIT_MAX], used;
};

static uint32_t count_ready(struct consumer *const *consumers, uint32_t count)
{
	uint32_t ready = 0;

	for (uint32_t i = 0; i < count; i++)
		ready += consumers[i]->head > consumers[i]->position || consumer_refresh(consumers[i]);
	return ready;
}

static bool has_changed(const _Atomic uint32_t *word, uint32_t value)
{
	return word && atomic_load_explicit(word, memory_order_acquire) != value;
}

static int spin_for_any(struct consumer *const *consumers, uint32_t count, _Atomic uint32_t *word, uint32_t value,
	uint64_t started_ns, uint64_t budget_ns)
{
	while (budget_ns) {
		for (int i = 0; i < 32; i++) {
			int ready = (int)count_ready(consumers, count);
			if (ready || has_changed(word, value))
				return ready;
			doorbell_pause();
		}
		if (clock_mono_ns() - started_ns >= budget_ns)
			break;
	}
	return 0;
}

/* --- deaf streams: looked at seldom where little comes and no ring fills
 * ----------------------------------------------- */

#define LOOK_DEAF_NS     1000000u
#define LOOK_DEAF_MAX_NS 128000000u

static void lengthen_deaf(struct consumer *first)
{
	uint64_t twice = 2 * first->deaf_ns;

	first->deaf_ns = twice < LOOK_DEAF_MAX_NS ? twice : LOOK_DEAF_MAX_NS;
}

static void learn_deaf(struct consumer *const *consumers, uint32_t ready, uint32_t count)
{
	bool is_pressed = ready >= count / 8;

	for (uint32_t i = 0; ready && !is_pressed && i < count; i++)
		is_pressed = consumers[i]->head - consumers[i]->position >= consumers[i]->mapping.data_bytes / 8;
	if (is_pressed)
		consumers[0]->deaf_ns = LOOK_DEAF_NS;
	else
		lengthen_deaf(consumers[0]);
}

/* Where there is no memory for it, each look is the long one. */
static void take_glances(struct consumer *const *consumers, uint32_t heard, uint32_t count)
{
	struct consumer *first = consumers[0];

	if (first->deaf_ns < LOOK_DEAF_NS)
		first->deaf_ns = LOOK_DEAF_NS;
	if (first->glance_room < count - heard) {
		free(first->glances);
		first->glances = malloc((count - heard) * sizeof(*first->glances));
		first->glance_room = first->glances ? count - heard : 0;
	}
	for (uint32_t i = heard; first->glances && i < count; i++)
		first->glances[i - heard] =
			(struct glance){&consumers[i]->mapping.producer->head, consumers[i]->position};
}

/* Has any of the deaf ones something? */
static bool glance(const struct sleep *sleep)
{
	uint32_t deaf = sleep->count - sleep->heard;
	const struct glance *glances = deaf ? sleep->consumers[0]->glances : NULL;

	if (deaf && !glances)
		return count_ready(sleep->consumers + sleep->heard, deaf);
	for (uint32_t i = 0; i < deaf; i++)
		if (atomic_load_explicit(glances[i].head, memory_order_relaxed) > glances[i].position)
			return true;
	return false;
}

/* --- sleeping
 * ---------------------------------------------------------------------------------------------------------- */

static void begin_sleep(struct consumer *consumer)
{
	consumer->ticket = (consumer->ticket + 1) | 1u;
	atomic_store_explicit(&consumer->slot->wanted, consumer->position + 1, memory_order_relaxed);
	atomic_store_explicit(&consumer->slot->is_waiting, consumer->ticket, memory_order_release);
}

static void prepare(struct sleep *sleep, _Atomic uint32_t *word, uint32_t value)
{
	for (uint32_t i = 0; i < sleep->count; i++) {
		struct consumer *consumer = sleep->consumers[i];

		/* Only where it is news: the line need not be written. */
		if (consumer->short_steps)
			consumer->short_steps = 0;
		if (consumer->has_siblings != (sleep->count > 1))
			consumer->has_siblings = sleep->count > 1;
	}
	for (uint32_t i = 0; i < sleep->heard; i++) {
		_Atomic uint32_t *bell = &sleep->consumers[i]->slot->bell;

		sleep->words[sleep->used] = bell;
		sleep->values[sleep->used++] = atomic_load_explicit(bell, memory_order_acquire);
		begin_sleep(sleep->consumers[i]);
	}
	if (word) {
		sleep->words[sleep->used] = word;
		sleep->values[sleep->used++] = value;
	}
	if (sleep->heard < sleep->count)
		take_glances(sleep->consumers, sleep->heard, sleep->count);
	/* Pairs with the fence in stream_publish. */
	atomic_thread_fence(memory_order_seq_cst);
}

/* Until a word has rung or a deaf stream has something. -ETIMEDOUT: nothing of that. */
static int doze(const struct sleep *sleep, uint64_t timeout_ns)
{
	struct consumer *first = sleep->count ? sleep->consumers[0] : NULL;
	uint64_t until_ns = clock_mono_ns() + timeout_ns, left_ns = timeout_ns;

	if (!sleep->used)
		return -ETIMEDOUT;
	if (sleep->heard == sleep->count)
		return doorbell_wait_any(sleep->words, sleep->values, sleep->used, timeout_ns);
	for (;;) {
		uint64_t slice_ns = left_ns < first->deaf_ns ? left_ns : first->deaf_ns;
		int rc = doorbell_wait_any(sleep->words, sleep->values, sleep->used, slice_ns);
		if (rc != -ETIMEDOUT || glance(sleep))
			return rc == -ETIMEDOUT ? 0 : rc;
		uint64_t now_ns = clock_mono_ns();
		if (now_ns >= until_ns)
			return -ETIMEDOUT;
		left_ns = until_ns - now_ns;
		lengthen_deaf(first);
	}
}

/* Sleeps once. */
static int sleep_for_any(
	struct consumer *const *consumers, uint32_t count, _Atomic uint32_t *word, uint32_t value, uint64_t timeout_ns)
{
	struct sleep sleep = {.consumers = consumers,
		.count = count,
		.heard = count < DOORBELL_WAIT_MAX ? count : DOORBELL_WAIT_MAX - 1};
	bool is_long = timeout_ns >= LOOK_AFTER_NS;
	int slept = 0;

	prepare(&sleep, word, value);
	if (!count_ready(consumers, sleep.heard) && !glance(&sleep) && !has_changed(word, value))
		slept = doze(&sleep, is_long ? LOOK_AFTER_NS : timeout_ns);
	uint32_t rescued = 0;
	for (uint32_t i = 0; i < sleep.heard; i++) {
		struct consumer *consumer = consumers[i];
		atomic_store_explicit(&consumer->slot->is_waiting, ++consumer->ticket, memory_order_relaxed);
		if (slept != -ETIMEDOUT || !is_long || !consumer_refresh(consumer))
			continue;
		atomic_fetch_add_explicit(&consumer->slot->rescued, 1, memory_order_relaxed);
		rescued++;
	}
	if (sleep.heard == count)
		return (int)count_ready(consumers, count);
	uint32_t ready = slept != -ETIMEDOUT || rescued ? count_ready(consumers, count) : 0;
	learn_deaf(consumers, ready, count);
	return (int)ready;
}

int consumer_wait(
	struct consumer *const *consumers, uint32_t count, _Atomic uint32_t *word, uint32_t value, uint64_t timeout_ns)
{
	int ready = (int)count_ready(consumers, count);

	if (ready || timeout_ns == 0 || has_changed(word, value))
		return ready;
	uint64_t started = clock_mono_ns(), waited = 0;
	struct doorbell_spin *spin = count ? &consumers[0]->spin : NULL;
	uint64_t budget = spin ? doorbell_spin_budget(spin) : 0;
	ready = spin_for_any(consumers, count, word, value, started, budget < timeout_ns ? budget : timeout_ns);
	bool is_found = ready > 0;
	while (!ready && !has_changed(word, value)) {
		waited = clock_mono_ns() - started;
		if (waited >= timeout_ns)
			break;
		ready = sleep_for_any(consumers, count, word, value, timeout_ns - waited);
	}
	if (spin)
		doorbell_spin_learn(spin, is_found, clock_mono_ns() - started);
	return ready;
}
