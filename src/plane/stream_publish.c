/* stream_publish.c: publishing, waking consumers and waiting for them. Producer, one thread.
 *
 * The path of a batch is claim, commit, publish; while consumers keep up it is arithmetic on this process's own copies
 * of the positions and one release store of `head`. Memory order: the store of head (release) pairs with the consumers'
 * load (acquire); the consumers' store of ack (release) pairs with the load in slowest_ack (acquire). Sleeping uses the
 * Dekker pattern: ticket, full fence, check again, on both sides.
 */
#include "plane/stream_state.h"

#include <errno.h>

#include "base/clock.h"
#include "base/crc32c.h"

/* A sleeping producer looks by itself this often; finding work then counts as rescued. */
#define LOOK_AFTER_NS 500000000u

void stream_sum_header(struct stream_header *header)
{
	header->words[7] |= (uint64_t)crc32c_small(0, header->words, offsetof(struct record, header_crc)) << 32;
}

/* --- consumers
 * --------------------------------------------------------------------------------------------------------- */

void stream_read_consumers(struct stream *stream, uint32_t changes)
{
	stream->consumer_changes = changes;
	stream->consumer_count = 0;
	for (uint32_t i = 0, count = mapping_consumer_count(&stream->mapping); i < count; i++) {
		struct segment_consumer *slot = mapping_consumer(&stream->mapping, i);
		/* Pairs with the release stores of kind: name and ack are there. */
		uint32_t kind = atomic_load_explicit(&slot->kind, memory_order_acquire);
		/* Whoever joins gets what is published from now on: its part begins at head, which no lap has reached.
		 */
		if (kind == CONSUMER_JOINING)
			mapping_admit(&stream->mapping, slot, stream->published);
		else if (kind != CONSUMER_REQUIRED)
			continue;
		stream->rung[stream->consumer_count] = 0;
		stream->consumers[stream->consumer_count++] = slot;
	}
}

/* One load of a line that hardly ever changes, instead of a look at all entries. */
static void refresh_consumers(struct stream *stream)
{
	/* Pairs with the raise by the new consumer, which stands behind its entry. */
	uint32_t changes = atomic_load_explicit(&stream->mapping.producer->consumer_changes, memory_order_acquire);

	if (changes != stream->consumer_changes)
		stream_read_consumers(stream, changes);
}

void stream_admit(struct stream *stream)
{
	refresh_consumers(stream);
}

/* --- publishing
 * ------------------------------------------------------------------------------------------------------- */

static void ring_consumers(struct stream *stream)
{
	refresh_consumers(stream);
	for (uint32_t i = 0; i < stream->consumer_count; i++) {
		struct segment_consumer *slot = stream->consumers[i];
		/* Pairs with the release in sleep_for_any: `wanted` belongs to this ticket or a later one. */
		uint32_t ticket = atomic_load_explicit(&slot->is_waiting, memory_order_acquire);
		if (!(ticket & 1u) || ticket == stream->rung[i] ||
			atomic_load_explicit(&slot->wanted, memory_order_relaxed) > stream->published)
			continue;
		stream->rung[i] = ticket;
		atomic_fetch_add_explicit(&slot->bell, 1, memory_order_release);
		doorbell_wake(&slot->bell);
		atomic_store_explicit(&stream->mapping.producer->wakes,
			atomic_load_explicit(&stream->mapping.producer->wakes, memory_order_relaxed) + 1,
			memory_order_relaxed);
	}
}

static void write_route(struct segment_route *route, uint64_t head, uint64_t position, uint64_t sequence)
{
	uint64_t first = atomic_load_explicit(&route->last[0].position, memory_order_relaxed);
	uint64_t second = atomic_load_explicit(&route->last[1].position, memory_order_relaxed);
	/* The one that is valid at head stays. */
	unsigned valid = first > head || (second <= head && second > first);

	atomic_store_explicit(&route->last[!valid].position, UINT64_MAX, memory_order_relaxed);
	atomic_thread_fence(memory_order_release); /* it is invalid before it changes */
	atomic_store_explicit(&route->last[!valid].sequence, sequence, memory_order_relaxed);
	atomic_store_explicit(&route->last[!valid].position, position, memory_order_release);
}

static void write_dirty_routes(struct stream *stream)
{
	for (uint32_t word = 0; word < SEGMENT_ROUTES / 64; word++) {
		while (stream->dirty_routes[word]) {
			uint32_t route = word * 64 + (uint32_t)__builtin_ctzll(stream->dirty_routes[word]);
			stream->dirty_routes[word] &= stream->dirty_routes[word] - 1;
			write_route(&stream->mapping.routes[route], stream->published, stream->tail,
				stream->route_sequence[route]);
		}
	}
}

/* What is true at `tail`, into the tally that is not valid now; killed anywhere in here, the other one counts. */
static void write_tally(struct stream *stream)
{
	struct segment_tally *tally = &stream->mapping.producer->tally[!stream->tally];

	atomic_store_explicit(&tally->position, UINT64_MAX, memory_order_relaxed);
	atomic_thread_fence(memory_order_release); /* it is invalid before any of it changes */
	atomic_store_explicit(&tally->sequence, stream->sequence, memory_order_relaxed);
	atomic_store_explicit(&tally->batches, stream->batches, memory_order_relaxed);
	atomic_store_explicit(&tally->rows, stream->rows, memory_order_relaxed);
	atomic_store_explicit(&tally->bytes, stream->bytes, memory_order_relaxed);
	atomic_store_explicit(&tally->gaps, stream->gaps, memory_order_relaxed);
	atomic_store_explicit(&tally->dropped_rows, stream->dropped_rows, memory_order_relaxed);
	atomic_store_explicit(&tally->position, stream->tail, memory_order_release);
	stream->tally = !stream->tally;
}

void stream_publish(struct stream *stream)
{
	if (stream->published != stream->tail && !stream->is_held)
		stream_publish_held(stream);
}

void stream_publish_held(struct stream *stream)
{
	if (stream->published == stream->tail)
		return;
	if (stream->is_turn_open)
		stream_end_turn(stream);
	write_dirty_routes(stream);
	write_tally(stream);
	stream->published = stream->tail;
	/* Pairs with the acquire load of head in the consumers: records and tallies before it are theirs to read. */
	atomic_store_explicit(&stream->mapping.producer->head, stream->published, memory_order_release);
	/* Pairs with the fence in the consumer's going to sleep: one of the two sees the other. */
	atomic_thread_fence(memory_order_seq_cst);
	ring_consumers(stream);
}

/* --- waiting for consumers
 * -------------------------------------------------------------------------------------------- */

uint64_t stream_slowest_ack(struct stream *stream)
{
	uint64_t slowest = stream->published;

	refresh_consumers(stream);
	for (uint32_t i = 0; i < stream->consumer_count; i++) {
		uint64_t ack = atomic_load_explicit(&stream->consumers[i]->ack, memory_order_acquire);
		if (ack < slowest)
			slowest = ack;
	}
	/* A consumer can only go forward; a smaller value was scribbled by somebody. */
	if (slowest > stream->ack)
		stream->ack = slowest;
	return stream->ack;
}

uint64_t stream_in_flight(const struct stream *stream)
{
	return stream->tail - stream_slowest_ack((struct stream *)(uintptr_t)stream);
}

uint64_t stream_blocked_ns(const struct stream *stream)
{
	return atomic_load_explicit(&stream->mapping.producer->blocked_ns, memory_order_relaxed);
}

static bool spin_for(struct stream *stream, uint64_t wanted, uint64_t started_ns, uint64_t budget_ns)
{
	while (budget_ns) {
		for (int i = 0; i < 32; i++) {
			if (stream_slowest_ack(stream) >= wanted)
				return true;
			doorbell_pause();
		}
		if (clock_mono_ns() - started_ns >= budget_ns)
			break;
	}
	return false;
}

/* Sleeps once, until rung, interrupted, or timeout_ns. */
static void sleep_for(struct stream *stream, uint64_t wanted, uint64_t timeout_ns)
{
	struct segment_producer *producer = stream->mapping.producer;
	uint32_t bell = atomic_load_explicit(&producer->bell, memory_order_acquire);
	bool is_long = timeout_ns >= LOOK_AFTER_NS;

	stream->ticket = (stream->ticket + 1) | 1u;
	atomic_store_explicit(&producer->wanted, wanted, memory_order_relaxed);
	atomic_store_explicit(&producer->is_waiting, stream->ticket, memory_order_release);
	/* Pairs with the fence in consumer_release. */
	atomic_thread_fence(memory_order_seq_cst);
	int slept = 0;

	stream->has_slept = true;
	if (stream_slowest_ack(stream) < wanted && !atomic_load_explicit(&stream->is_interrupted, memory_order_acquire))
		slept = doorbell_wait(&producer->bell, bell, is_long ? LOOK_AFTER_NS : timeout_ns);
	atomic_store_explicit(&producer->is_waiting, ++stream->ticket, memory_order_relaxed);
	if (slept == -ETIMEDOUT && is_long && stream_slowest_ack(stream) >= wanted)
		atomic_fetch_add_explicit(&producer->rescued, 1, memory_order_relaxed);
}

int stream_wait_for_ack(struct stream *stream, uint64_t wanted, uint64_t timeout_ns)
{
	struct segment_producer *producer = stream->mapping.producer;
	uint64_t started = clock_mono_ns(), now;
	int rc = 0;

	if (stream_slowest_ack(stream) >= wanted)
		return 0;
	stream_publish(stream);
	atomic_store_explicit(&producer->blocked_since_ns, started, memory_order_relaxed);
	uint64_t budget = doorbell_spin_budget(&stream->spin);
	bool is_found = spin_for(stream, wanted, started, budget < timeout_ns ? budget : timeout_ns);
	while (stream_slowest_ack(stream) < wanted) {
		now = clock_mono_ns();
		if (atomic_load_explicit(&stream->is_interrupted, memory_order_acquire))
			rc = ENRG_E_STOPPED;
		else if (now - started >= timeout_ns)
			rc = -EAGAIN;
		if (rc < 0)
			break;
		sleep_for(stream, wanted, timeout_ns == UINT64_MAX ? UINT64_MAX : timeout_ns - (now - started));
	}
	now = clock_mono_ns();
	doorbell_spin_learn(&stream->spin, is_found, now - started);
	atomic_store_explicit(&producer->blocked_since_ns, 0, memory_order_relaxed);
	atomic_store_explicit(&producer->blocked_ns,
		atomic_load_explicit(&producer->blocked_ns, memory_order_relaxed) + (now - started),
		memory_order_relaxed);
	return rc;
}

/* --- the end of a turn
 * ------------------------------------------------------------------------------------------------ */

/* A consumer that sleeps has found nothing in all that it reads. One that has acknowledged everything and does not
 * sleep may have other producers' batches at hand. */
static bool are_consumers_starved(struct stream *stream)
{
	if (stream->producers == 1 && stream_slowest_ack(stream) == stream->published)
		return true;
	for (uint32_t i = 0; i < stream->consumer_count; i++)
		if (atomic_load_explicit(&stream->consumers[i]->is_waiting, memory_order_relaxed) & 1u)
			return true;
	return false;
}

void stream_end_turn(struct stream *stream)
{
	const struct window_turn turn = {
		.now_ns = clock_mono_ns(),
		.bytes = stream->bytes - stream->turn_bytes,
		.held_ns = stream->turn_held_ns,
		.has_slept = stream->has_slept,
		.is_starved = are_consumers_starved(stream),
	};

	stream->is_turn_open = false;
	stream->turn_bytes = stream->bytes;
	window_turn(&stream->window, stream->most, &turn);
	stream_tell_window(stream);
}

void stream_tell_window(struct stream *stream)
{
	struct segment_producer *producer = stream->mapping.producer;
	uint64_t bytes = stream->window.bytes ? window_for(&stream->window, stream->most) : 0;

	atomic_store_explicit(&producer->window, bytes, memory_order_relaxed);
	atomic_store_explicit(
		&producer->window_reason, window_reason(&stream->window, stream->most), memory_order_relaxed);
}
