/* stream_write.c: the producer's path of a batch. One thread.
 *
 * The path of a batch is claim, commit, publish; while consumers keep up it is arithmetic on this process's own copies of
 * the positions and one release store of `head`. Memory order: the store of head (release) pairs with the consumers' load
 * (acquire); the consumers' store of ack (release) pairs with the load in slowest_ack (acquire). Sleeping uses the
 * Dekker pattern: ticket, full fence, check again, on both sides.
 */
#include "plane/stream_state.h"

#include <errno.h>

#include "base/clock.h"
#include "base/crc32c.h"

/* How long a producer beyond its hot window waits for a consumer that makes no progress before it goes deeper. */
#define SPILL_AFTER_NS 1000000u
#define SPILL_AFTER_MAX_NS 20000000u
/* Nor does it wait for consumers that need longer than this to come back into the window. A whole ring is read in less at
 * memory speed; for what is slower than that the depth of the ring is worth more than the cache. */
#define RETURN_MAX_NS 50000000u
/* How fast consumers are is judged by no more than this. */
#define JUDGE_NS 100000000u
/* At most this far behind, a consumer has kept up: about what moves while a sleeper wakes. */
#define KEPT_UP_BYTES (256u << 10)
/* How often a producer asks again where tmpfs is full. */
#define PAGES_RETRY_NS 50000000u
/* A sleeping producer looks by itself this often; finding work then counts as rescued. */
#define LOOK_AFTER_NS 500000000u

/* --- consumers --------------------------------------------------------------------------------------------------------- */

void stream_read_roster(struct stream *stream, uint32_t roster)
{
	stream->roster = roster;
	stream->consumer_count = stream->required_count = 0;
	for (uint32_t i = 0; i < SEGMENT_CONSUMERS; i++) {
		struct segment_consumer *slot = mapping_consumer(&stream->mapping, i);
		/* Pairs with the release stores of kind: name and ack are there. */
		uint32_t kind = atomic_load_explicit(&slot->kind, memory_order_acquire);
		if (kind == CONSUMER_FREE)
			continue;
		stream->rung[stream->consumer_count] = 0;
		stream->consumers[stream->consumer_count++] = slot;
		if (kind == CONSUMER_REQUIRED)
			stream->required[stream->required_count++] = slot;
	}
}

/* One load of a line that hardly ever changes, instead of a look at all entries. */
static void refresh_roster(struct stream *stream)
{
	/* Pairs with the raise by the new consumer, which stands behind its entry. */
	uint32_t roster = atomic_load_explicit(&stream->mapping.producer->roster, memory_order_acquire);

	if (roster != stream->roster)
		stream_read_roster(stream, roster);
}

/* --- publishing ------------------------------------------------------------------------------------------------------- */

static void ring_consumers(struct stream *stream)
{
	refresh_roster(stream);
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
			atomic_load_explicit(&stream->mapping.producer->wakes, memory_order_relaxed) + 1, memory_order_relaxed);
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
	if (stream->published == stream->tail)
		return;
	write_dirty_routes(stream);
	write_tally(stream);
	stream->published = stream->tail;
	/* Pairs with the acquire load of head in the consumers: records and tallies before it are theirs to read. */
	atomic_store_explicit(&stream->mapping.producer->head, stream->published, memory_order_release);
	/* Pairs with the fence in the consumer's going to sleep: one of the two sees the other. */
	atomic_thread_fence(memory_order_seq_cst);
	ring_consumers(stream);
}

/* --- waiting for consumers -------------------------------------------------------------------------------------------- */

static uint64_t slowest_ack(struct stream *stream)
{
	uint64_t slowest = stream->published;

	refresh_roster(stream);
	for (uint32_t i = 0; i < stream->required_count; i++) {
		uint64_t ack = atomic_load_explicit(&stream->required[i]->ack, memory_order_acquire);
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
	return stream->tail - slowest_ack((struct stream *)(uintptr_t)stream);
}

uint64_t stream_slowest_ack(struct stream *stream)
{
	return slowest_ack(stream);
}

static bool spin_for(struct stream *stream, uint64_t wanted, uint64_t started_ns, uint64_t budget_ns)
{
	while (budget_ns) {
		for (int i = 0; i < 32; i++) {
			if (slowest_ack(stream) >= wanted)
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
	if (slowest_ack(stream) < wanted && !atomic_load_explicit(&stream->is_interrupted, memory_order_acquire))
		slept = doorbell_wait(&producer->bell, bell, is_long ? LOOK_AFTER_NS : timeout_ns);
	atomic_store_explicit(&producer->is_waiting, ++stream->ticket, memory_order_relaxed);
	if (slept == -ETIMEDOUT && is_long && slowest_ack(stream) >= wanted)
		atomic_fetch_add_explicit(&producer->rescued, 1, memory_order_relaxed);
}

/* Waits until the slowest ack is at least `wanted`. 0, -EAGAIN, ENRG_E_STOPPED. */
static int wait_for_ack(struct stream *stream, uint64_t wanted, uint64_t timeout_ns)
{
	struct segment_producer *producer = stream->mapping.producer;
	uint64_t started = clock_mono_ns(), now = started;
	int result = 0;

	if (slowest_ack(stream) >= wanted)
		return 0;
	stream_publish(stream);
	atomic_store_explicit(&producer->blocked_since_ns, started, memory_order_relaxed);
	uint64_t budget = doorbell_spin_budget(&stream->spin);
	bool is_found = spin_for(stream, wanted, started, budget < timeout_ns ? budget : timeout_ns);
	while (slowest_ack(stream) < wanted) {
		now = clock_mono_ns();
		if (atomic_load_explicit(&stream->is_interrupted, memory_order_acquire))
			result = ENRG_E_STOPPED;
		else if (now - started >= timeout_ns)
			result = -EAGAIN;
		if (result < 0)
			break;
		sleep_for(stream, wanted, timeout_ns == UINT64_MAX ? UINT64_MAX : timeout_ns - (now - started));
	}
	now = clock_mono_ns();
	doorbell_spin_learn(&stream->spin, is_found, now - started);
	atomic_store_explicit(&producer->blocked_since_ns, 0, memory_order_relaxed);
	atomic_store_explicit(&producer->blocked_ns,
		atomic_load_explicit(&producer->blocked_ns, memory_order_relaxed) + (now - started), memory_order_relaxed);
	return result;
}

/* --- claiming --------------------------------------------------------------------------------------------------------- */

void stream_sum_header(struct stream_header *header)
{
	header->words[7] |= (uint64_t)crc32c_small(0, header->words, offsetof(struct record, header_crc)) << 32;
}

bool stream_rewind(struct stream *stream)
{
	if (!stream_pages_have_pads(stream))
		return false;
	stream_pages_end_lap(stream);
	while (stream->offset) {
		uint64_t left = stream->mapping.data_bytes - stream->offset;
		struct record pad = {
			.length = (uint32_t)(left < SEGMENT_PAD_MAX ? left : SEGMENT_PAD_MAX),
			.type = RECORD_PAD,
		};
		stream_raise_claimed(stream, stream->tail + sizeof(pad));
		struct stream_header header = stream_make_header(stream, &pad);
		if (stream->mapping.has_checks)
			stream_sum_header(&header);
		stream_put_header(stream->mapping.data + stream->offset, &header);
		stream_advance(stream, pad.length);
	}
	return true;
}

/* Two records fit always, so that one can be filled while the other is read. */
static uint64_t hot_window(const struct stream *stream, uint64_t need)
{
	return stream->hot_bytes > 2 * need ? stream->hot_bytes : 2 * need;
}

/* A consumer that is behind by less than this has kept up. */
static uint64_t kept_up_bytes(const struct stream *stream, uint64_t need)
{
	uint64_t share = stream->hot_bytes / 8 < KEPT_UP_BYTES ? stream->hot_bytes / 8 : KEPT_UP_BYTES;

	return share > 2 * need ? share : 2 * need;
}

/* A consumer that serves several producers comes round to this one more seldom: what it took lately is the measure. */
static void learn_pace(struct stream *stream, uint64_t waited_ns)
{
	uint64_t pace = waited_ns < SPILL_AFTER_MAX_NS ? waited_ns : SPILL_AFTER_MAX_NS;

	stream->pace_ns = pace > stream->pace_ns ? pace : stream->pace_ns - (stream->pace_ns - pace) / 8;
}

static uint64_t patience(const struct stream *stream)
{
	uint64_t patience_ns = 4 * stream->pace_ns;

	if (patience_ns > SPILL_AFTER_MAX_NS)
		return SPILL_AFTER_MAX_NS;
	return patience_ns > SPILL_AFTER_NS ? patience_ns : SPILL_AFTER_NS;
}

/* Do consumers that did `done` bytes in elapsed_ns need too long for `left` more? */
static bool is_far(uint64_t left, uint64_t done, uint64_t elapsed_ns)
{
	return (double)left * (double)elapsed_ns > (double)done * RETURN_MAX_NS;
}

static void begin_spill(struct stream *stream, uint64_t now)
{
	stream->is_spilling = true;
	stream->spill_ack = stream->ack;
	stream->spill_since_ns = now;
}

/* Deeper than the window: are consumers fast enough by now to wait for them? */
static bool is_return_near(struct stream *stream, uint64_t wanted, uint64_t now)
{
	uint64_t done = stream->ack - stream->spill_ack, elapsed_ns = now - stream->spill_since_ns;

	if (done && !is_far(wanted - stream->ack, done, elapsed_ns))
		return true;
	if (elapsed_ns > JUDGE_NS)
		begin_spill(stream, now);
	return false;
}

/* At the end of the hot window: waits for consumers that move. false: one of them stands still or has a long way to go, or
 * the caller's time is over: go deeper, without waiting again until they are fast enough. */
static bool await_window(struct stream *stream, uint64_t wanted, uint64_t timeout_ns)
{
	uint64_t started = clock_mono_ns(), now = started, moved_ns = started;
	uint64_t first = stream->ack, last = first;

	if (stream->is_spilling) {
		if (!is_return_near(stream, wanted, now))
			return false;
		learn_pace(stream, now - stream->spill_since_ns);
		stream->is_spilling = false;
	}
	do {
		uint64_t left = timeout_ns - (now - started);
		int result = wait_for_ack(stream, wanted, left < SPILL_AFTER_NS ? left : SPILL_AFTER_NS);
		if (result == ENRG_E_STOPPED)
			return false; /* there may be room deeper down */
		now = clock_mono_ns();
		if (result == 0) {
			learn_pace(stream, now - started);
			return true;
		}
		if (stream->ack != last) {
			last = stream->ack;
			moved_ns = now;
		}
		if (last != first && is_far(wanted - last, last - first, now - started))
			break;
	} while (now - moved_ns < patience(stream) && now - started < timeout_ns);
	begin_spill(stream, now);
	return false;
}

/* Where the hot window ends: goes back to the start if the consumers have kept up, waits a little for them to do so, or
 * lets the producer go deeper. */
static void leave_hot_window(struct stream *stream, uint64_t need, uint64_t timeout_ns)
{
	uint64_t lap_start = stream->tail - stream->offset;
	uint64_t close = kept_up_bytes(stream, need);
	uint64_t low = stream->tail > close ? stream->tail - close : 0;
	/* The consumers must have left the first `need` bytes, and be close behind. The pad of a rewind takes the rest of the
	 * lap out of the ring until they have passed it: going back while one of them stands still would leave the
	 * producer with the hot window instead of the whole depth. */
	uint64_t wanted = lap_start + need > low ? lap_start + need : low;

	if (need > stream->offset) /* a rewound record would reach the pad that made room for it */
		return;
	if (stream->ack >= wanted || slowest_ack(stream) >= wanted || await_window(stream, wanted, timeout_ns))
		(void)stream_rewind(stream); /* else deeper, or without pages for that, back here when there are some */
}

static uint64_t bytes_needed(uint64_t offset, uint64_t payload_bytes, uint32_t *ret_lead)
{
	uint64_t at = offset + sizeof(struct record);

	*ret_lead = payload_bytes < SEGMENT_ALIGN_FROM ? 0 : (uint32_t)(-at & (SEGMENT_PAGE - 1));
	return (sizeof(struct record) + *ret_lead + payload_bytes + SEGMENT_LINE - 1) & ~(uint64_t)(SEGMENT_LINE - 1);
}

/* Pages for `*need` bytes at tail. While there is no memory, those that exist have to do: back to the start as soon as
 * consumers are past what is needed there. Results as stream_claim. */
static int find_pages(
	struct stream *stream, uint64_t payload_bytes, uint64_t timeout_ns, uint64_t *need, uint32_t *ret_lead)
{
	uint64_t started = 0, waited = 0;
	uint32_t lead;
	int rc;

	while ((rc = stream_pages_extend(stream, stream->offset + *need + sizeof(struct record))) == -ENOSPC) {
		uint64_t first = bytes_needed(0, payload_bytes, &lead), left = timeout_ns - waited;
		/* Else a rewound record would reach the pad that made room for it, or there is no page for the pad. */
		bool helps = first <= stream->offset && stream_pages_have_pads(stream);

		rc = wait_for_ack(stream, helps ? stream->tail - stream->offset + first : UINT64_MAX,
			left < PAGES_RETRY_NS ? left : PAGES_RETRY_NS);
		if (rc == ENRG_E_STOPPED)
			return rc;
		if (rc == 0) {
			(void)stream_rewind(stream);
			*need = bytes_needed(stream->offset, payload_bytes, ret_lead);
			continue;
		}
		started = started ? started : clock_mono_ns();
		waited = clock_mono_ns() - started;
		if (waited >= timeout_ns)
			return -EAGAIN;
	}
	return rc;
}

/* Small records up to here need no look at consumers, window and pages. */
static uint64_t free_until(const struct stream *stream)
{
	uint64_t lap_start = stream->tail - stream->offset, until = stream->ack + stream->mapping.data_bytes;
	uint64_t window_end = lap_start + stream->hot_bytes;
	uint64_t pages_end = lap_start + stream->pages.end - sizeof(struct record);

	if (stream->hot_bytes && window_end < until)
		until = window_end;
	return stream->pages.end < stream->mapping.data_bytes && pages_end < until ? pages_end : until;
}

int stream_make_room(
	struct stream *stream, uint64_t payload_bytes, uint64_t timeout_ns, uint64_t *ret_need, uint32_t *ret_lead)
{
	uint64_t size = stream->mapping.data_bytes;
	uint64_t need = bytes_needed(stream->offset, payload_bytes, ret_lead);

	if (stream->hot_bytes && stream->offset + need > hot_window(stream, need)) {
		/* At the start the way to a page may be longer than here. */
		leave_hot_window(stream, bytes_needed(0, payload_bytes, ret_lead), timeout_ns);
		need = bytes_needed(stream->offset, payload_bytes, ret_lead);
	}
	if (stream->tail + need - stream->ack > size) {
		int result = wait_for_ack(stream, stream->tail + need - size, timeout_ns);
		if (result < 0)
			return result;
	}
	if (stream->offset + need + sizeof(struct record) > stream->pages.end) {
		int rc = find_pages(stream, payload_bytes, timeout_ns, &need, ret_lead);
		if (rc < 0)
			return rc;
	}
	*ret_need = need;
	stream->free_until = free_until(stream);
	return 0;
}

int stream_claim(struct stream *stream, uint64_t payload_bytes, uint64_t timeout_ns, struct stream_claim *ret_claim)
{
	uint64_t need = sizeof(struct record) + ((payload_bytes + SEGMENT_LINE - 1) & ~(uint64_t)(SEGMENT_LINE - 1));
	uint32_t lead = 0;

	if (payload_bytes > stream->payload_max)
		return -EMSGSIZE;
	if (payload_bytes >= SEGMENT_ALIGN_FROM || stream->tail + need > stream->free_until) {
		int result = stream_make_room(stream, payload_bytes, timeout_ns, &need, &lead);
		if (result < 0)
			return result;
	}
	stream_raise_claimed(stream, stream->tail + need);
	stream->claim_lead = lead;
	ret_claim->payload = stream->mapping.data + stream->offset + sizeof(struct record) + lead;
	ret_claim->payload_bytes = payload_bytes;
	return 0;
}

/* What is the same with checks and without: two copies of it, so that the one without needs no stack. */
static inline __attribute__((always_inline)) void commit_with(
	struct stream *stream, const struct stream_commit *commit, bool checks)
{
	uint16_t route = commit->route % SEGMENT_ROUTES;
	uint64_t payload_bytes = commit->meta_bytes + commit->body_bytes;
	uint64_t length = sizeof(struct record) + stream->claim_lead + payload_bytes;
	struct record record = {
		.length = (uint32_t)((length + SEGMENT_LINE - 1) & ~(uint64_t)(SEGMENT_LINE - 1)),
		.type = commit->type,
		.route = route,
		.sequence = ++stream->sequence,
		.acquired_ns = commit->acquired_ns,
		.committed_ns = commit->committed_ns ? commit->committed_ns : clock_mono_ns(),
		.rows = commit->rows,
		.lead_bytes = stream->claim_lead,
		.meta_bytes = commit->meta_bytes,
		.body_bytes = (uint32_t)commit->body_bytes,
	};
	uint8_t *at = stream->mapping.data + stream->offset;

	if (checks) {
		const uint8_t *payload = at + sizeof(record) + stream->claim_lead;
		record.meta_crc = crc32c(0, payload, commit->meta_bytes);
		record.body_crc = commit->has_crc ? commit->body_crc
						  : crc32c(0, payload + commit->meta_bytes, commit->body_bytes);
	}
	struct stream_header header = stream_make_header(stream, &record);
	if (checks)
		stream_sum_header(&header);
	stream_put_header(at, &header);
	stream_advance(stream, record.length);
	stream->batches++;
	stream->gaps += commit->type == RECORD_GAP;
	stream->rows += commit->rows;
	stream->bytes += payload_bytes;
	stream->route_sequence[route]++;
	stream->dirty_routes[route / 64] |= 1ull << (route % 64);
	if (!commit->hold)
		stream_publish(stream);
}

__attribute__((noinline)) static void commit_checked(struct stream *stream, const struct stream_commit *commit)
{
	commit_with(stream, commit, true);
}

void stream_commit(struct stream *stream, const struct stream_commit *commit)
{
	if (stream->mapping.has_checks)
		commit_checked(stream, commit);
	else
		commit_with(stream, commit, false);
}
