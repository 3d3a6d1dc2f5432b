/* intake_wait.c: a store sleeps until there is something to read; what waits for it, and whether anything may still
 * come. Store process, main thread. */
#include "job/store/intake.h"

#include "base/clock.h"
#include "base/log.h"

#define NS_PER_S          1000000000ull
#define PRODUCERS_END_NS  (10 * NS_PER_S) /* from the wish to drain to giving up on producers that go on */
#define MIXED_WAIT_MIN_NS 1000000ull      /* rings and link can't be waited for together: by turns, ever longer */
#define MIXED_WAIT_MAX_NS 50000000ull
#define LINK_WAIT_MAX_MS  200 /* a stop does not wake a sleep on the link */

/* Those to wait for. An input that waits after a failure has something to read: it would end the sleep at once. */
static uint32_t collect_rings(struct intake *intake)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < intake->count; i++)
		if (intake->inputs[i]->consumer && !intake->inputs[i]->retry_ns)
			intake->rings[count++] = intake->inputs[i]->consumer;
	return count;
}

/* Until one has something, or process_wake. */
static int wait_for_rings(struct intake *intake, uint32_t rings, uint32_t stop_seen, uint64_t timeout_ns)
{
	struct process *process = intake->process;
	/* a stop is raised before `wake` is: one that is not seen here has not raised it yet */
	bool is_asked = process_stop_state(process) != (enum process_stop)stop_seen;
	int ready = consumer_wait(intake->rings, rings, &process->wake, 0, is_asked ? 0 : timeout_ns);

	process_clear_wake(process);
	return ready;
}

/* The link has nothing to sleep on beside rings and the word of process_wake: it is asked by turns with them, less
 * often while nothing comes. Alone it is waited for, and a stop is noticed a little later. */
static void wait_with_link(struct intake *intake, uint32_t rings, uint32_t stop_seen, uint64_t timeout_ns)
{
	struct process *process = intake->process;

	if (intake->ring_count == 0) {
		uint64_t wait_ms = timeout_ns / 1000000;
		if (process_stop_state(process) == (enum process_stop)stop_seen)
			intake->has_batch =
				intake_receive(intake, wait_ms < LINK_WAIT_MAX_MS ? (int)wait_ms : LINK_WAIT_MAX_MS);
		return;
	}
	intake->idle_ns = intake->idle_ns ? intake->idle_ns * 2 : MIXED_WAIT_MIN_NS;
	if (intake->idle_ns > MIXED_WAIT_MAX_NS)
		intake->idle_ns = MIXED_WAIT_MAX_NS;
	uint64_t wait_ns = timeout_ns < intake->idle_ns ? timeout_ns : intake->idle_ns;
	int ready = wait_for_rings(intake, rings, stop_seen, wait_ns);
	intake->has_batch = intake_receive(intake, 0);
	if (ready > 0 || intake->has_batch)
		intake->idle_ns = 0;
}

void intake_wait(struct intake *intake, uint32_t stop_seen, uint64_t timeout_ns)
{
	uint32_t rings = collect_rings(intake);
	int ready;

	if (intake->link) {
		wait_with_link(intake, rings, stop_seen, timeout_ns);
	} else {
		ready = wait_for_rings(intake, rings, stop_seen, timeout_ns);
		intake->is_quiet = ready == 0 && rings == intake->ring_count;
		intake->is_sparse = ready > 0;
	}
	_Atomic uint64_t *wakeups = &intake->process->page->wakeups;
	/* the page has one writer */
	atomic_store_explicit(wakeups, atomic_load_explicit(wakeups, memory_order_relaxed) + 1, memory_order_relaxed);
}

/* Positions may lie a lap of the ring apart, which a pad fills, for a few messages. */
static uint64_t backlog_of(const struct intake_input *input)
{
	uint64_t head = input->consumer ? consumer_head(input->consumer) : 0;
	uint64_t bytes = head > input->committed.position ? head - input->committed.position : 0;
	struct stream_status status;

	if (!bytes || stream_read_status(input->plan->stream_path, &status, NULL) != 0)
		return bytes;
	uint64_t messages = status.bytes > input->committed.bytes ? status.bytes - input->committed.bytes : 0;
	return bytes < messages ? bytes : messages;
}

uint64_t intake_backlog(const struct intake *intake)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < intake->count; i++)
		bytes += backlog_of(intake->inputs[i]);
	return bytes;
}

static bool is_producer_there(const struct intake_input *input)
{
	struct stream_status status;

	if (!input->consumer || consumer_is_closed(input->consumer))
		return false;
	return stream_read_status(input->plan->stream_path, &status, NULL) == 0 && status.is_attached &&
	       !status.is_closed;
}

static const char *find_producer(const struct intake *intake)
{
	for (uint32_t i = 0; i < intake->count; i++)
		if (is_producer_there(intake->inputs[i]))
			return intake->inputs[i]->source;
	if (intake->link && link_receiver_open_senders(intake->link) > 0)
		return "a sender of the link";
	return NULL;
}

bool intake_has_producers(const struct intake *intake)
{
	return find_producer(intake) != NULL;
}

bool intake_is_drained(struct intake *intake, bool is_busy)
{
	uint64_t now = clock_mono_ns();

	if (intake->drain_started_ns == 0)
		intake->drain_started_ns = now;
	bool is_late = now - intake->drain_started_ns >= PRODUCERS_END_NS;
	if (is_busy && !is_late)
		return false;
	/* Who is gone can't write after it: so first this, then a look at what is in the ring. */
	const char *producer = find_producer(intake);
	bool is_empty = !is_busy && !intake->has_batch;
	/* Not the list of rings: that one holds those that were waited for last, and at first none. */
	for (uint32_t i = 0; i < intake->count; i++) {
		const struct consumer *consumer = intake->inputs[i]->consumer;

		is_empty &= !consumer || consumer_head(consumer) == consumer_position(consumer);
	}
	if (!producer || !is_late)
		return !producer && is_empty;
	log_line(ENRG_WARNING,
		"%s has not ended within 10 s: what it writes from now on stays in shared memory for the next "
		"start",
		producer);
	return true;
}
