/* stream_room.c: room for the next record: how much a producer has in flight before it waits for consumers that keep up
 * (the window), where its records lie (at the start of the ring, which is warm in the cache), and when it uses the
 * whole depth. One thread. docs/decisions/0002-hot-window.md and 0008-window-by-measurement.md.
 *
 * While consumers keep up, laps are short: at the end of a region that is one record longer than the window, a pad
 * covers the rest of the lap. When a consumer stops in such a short lap, the producer jumps over what is in flight and
 * goes on behind it, where nothing lies but that pad: so a rewind takes nothing of the ring's depth.
 *
 *     0        tail        ack       pad_at                          data_bytes
 *     |xxxxxxxx|           |xxxxxxxxx|pad.............................|
 *              |jump: a pad of this lap|go on here
 */
#include "plane/stream_state.h"

#include <errno.h>

#include "base/clock.h"

/* How long a producer at the end of its window waits for a consumer that makes no progress before it goes deeper. */
#define SPILL_AFTER_NS     1000000u
#define SPILL_AFTER_MAX_NS 20000000u
/* Consumers that serve other producers as well work meanwhile: for each of these so much longer, and at most … */
#define SPILL_EACH_NS     5000000u
#define SPILL_EACH_MAX_NS 40000000u
/* It wakes each SPILL_AFTER_NS to see whether they move; one of more than so many, only so often within its patience:
 * many that look push the one that they wait for off its core. */
#define CROWD     4u
#define LOOKS_MAX 4u
/* Nor does it wait for consumers that need longer than this to come back into the window. A whole ring is read in less
 * at memory speed; for what is slower than that the depth of the ring is worth more than the cache. */
#define RETURN_MAX_NS 50000000u
/* For each producer that they serve: each has its share of their speed. At most … */
#define RETURN_PRODUCERS_MAX 16u
/* How fast consumers are is judged by no more than this. */
#define JUDGE_NS 100000000u
/* A producer that waits is woken when it can write about this much, where its window is many records. */
#define WAKE_BYTES (256u << 10)
/* How often a producer asks again where tmpfs is full. */
#define PAGES_RETRY_NS 50000000u

/* --- short laps --------------------------------------------------------------------------------------------------- */

static void put_pad(struct stream *stream, uint64_t bytes)
{
	struct record pad = {.length = (uint32_t)bytes, .type = RECORD_PAD};

	stream_raise_claimed(stream, stream->tail + sizeof(pad));
	struct stream_header header = stream_make_header(stream, &pad);
	if (stream->mapping.has_checks)
		stream_sum_header(&header);
	stream_put_header(stream->mapping.data + stream->offset, &header);
	stream_advance(stream, bytes);
}

bool stream_rewind(struct stream *stream)
{
	uint64_t rest = stream->mapping.data_bytes - stream->offset;

	if (!stream_pages_have_pads(stream))
		return false;
	stream_pages_end_lap(stream);
	/* Of several pads each has a header that consumers still read: there is no jump into those. */
	stream->pad_at = rest <= SEGMENT_PAD_MAX ? stream->tail : STREAM_NO_PAD;
	stream->pad_end = stream->tail + rest;
	while (stream->offset) {
		uint64_t left = stream->mapping.data_bytes - stream->offset;
		put_pad(stream, left < SEGMENT_PAD_MAX ? left : SEGMENT_PAD_MAX);
	}
	return true;
}

bool stream_rewind_now(struct stream *stream)
{
	if (!stream->is_held)
		return stream_rewind(stream);
	if (stream->published != stream->tail || !stream_rewind(stream))
		return false;
	stream_publish_held(stream);
	stream->step_limit = stream->tail + stream_step_bytes(stream);
	return true;
}

/* Has the slowest consumer still to pass the pad that ended the last lap? */
static bool is_before_pad(const struct stream *stream)
{
	return stream->pad_at != STREAM_NO_PAD && stream->ack <= stream->pad_at;
}

static uint64_t lap_start(const struct stream *stream)
{
	return stream->tail - stream->offset;
}

/* Up to this position nothing is in the way. */
static uint64_t room_end(const struct stream *stream)
{
	uint64_t end = stream->ack + stream->mapping.data_bytes;

	return end > stream->deep_until ? end : stream->deep_until;
}

/* In the way of the next record lies what a consumer that stands in the last lap has not read: goes on behind it. The
 * window is shorter than the region, so the header of the pad always has room. */
static void jump_if_needed(struct stream *stream, uint64_t need)
{
	uint64_t size = stream->mapping.data_bytes;

	if (!is_before_pad(stream) || lap_start(stream) != stream->pad_end || stream->tail < stream->deep_until ||
		stream->tail + need + SEGMENT_LINE <= stream->ack + size)
		return;
	uint64_t target = stream->pad_at % size + SEGMENT_LINE;
	if (stream->tail + SEGMENT_LINE > stream->ack + size || stream->offset + SEGMENT_LINE > target ||
		target + need > size)
		return;
	stream->deep_until = lap_start(stream) + size;
	put_pad(stream, target - stream->offset);
}

/* --- waiting for consumers that keep up --------------------------------------------------------------------------- */

/* A consumer that serves several producers comes round to this one more seldom: what it took lately is the measure. */
static void learn_pace(struct stream *stream, uint64_t waited_ns)
{
	uint64_t pace = waited_ns < SPILL_AFTER_MAX_NS ? waited_ns : SPILL_AFTER_MAX_NS;

	stream->pace_ns = pace > stream->pace_ns ? pace : stream->pace_ns - (stream->pace_ns - pace) / 8;
}

/* Many that are busy push their consumer off its core for longer than the least: then what was seen counts. */
static uint64_t patience(const struct stream *stream)
{
	uint64_t patience_ns = 4 * stream->pace_ns, others = stream->producers > 1 ? stream->producers - 1 : 0;
	uint64_t least_ns = others < SPILL_EACH_MAX_NS / SPILL_EACH_NS ? others * SPILL_EACH_NS : SPILL_EACH_MAX_NS;
	uint64_t most_ns = others * SPILL_EACH_NS > SPILL_AFTER_MAX_NS ? others * SPILL_EACH_NS : SPILL_AFTER_MAX_NS;

	least_ns = least_ns > SPILL_AFTER_NS ? least_ns : SPILL_AFTER_NS;
	patience_ns = patience_ns < most_ns ? patience_ns : most_ns;
	return patience_ns > least_ns ? patience_ns : least_ns;
}

static uint64_t next_look(const struct stream *stream)
{
	return stream->producers > CROWD ? patience(stream) / LOOKS_MAX : SPILL_AFTER_NS;
}

/* From one ack to a later one; the pad of a rewind is no work for a consumer. */
static uint64_t bytes_between(const struct stream *stream, uint64_t from, uint64_t to)
{
	bool is_over_pad = stream->pad_at != STREAM_NO_PAD && from <= stream->pad_at && to >= stream->pad_end;

	return to - from - (is_over_pad ? stream->pad_end - stream->pad_at : 0);
}

void stream_read_progress(struct stream *stream, uint64_t *ret_written, uint64_t *ret_acknowledged)
{
	uint64_t unread = bytes_between(stream, stream_slowest_ack(stream), stream->tail);

	*ret_written = stream->bytes;
	*ret_acknowledged = stream->bytes > unread ? stream->bytes - unread : 0;
}

/* Do consumers that did `done` bytes in elapsed_ns need too long for `left` more? */
static bool is_far(const struct stream *stream, uint64_t left, uint64_t done, uint64_t elapsed_ns)
{
	uint32_t producers = stream->producers < 1 ? 1 : stream->producers;

	producers = producers < RETURN_PRODUCERS_MAX ? producers : RETURN_PRODUCERS_MAX;
	return (double)left * (double)elapsed_ns > (double)done * RETURN_MAX_NS * producers;
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
	uint64_t done = bytes_between(stream, stream->spill_ack, stream->ack),
		 elapsed_ns = now - stream->spill_since_ns;

	if (done && !is_far(stream, bytes_between(stream, stream->ack, wanted), done, elapsed_ns))
		return true;
	if (elapsed_ns > JUDGE_NS)
		begin_spill(stream, now);
	return false;
}

/* Waits for consumers that move. false: one of them stands still or has a long way to go, or the caller's time is over:
 * go deeper, without waiting again until they are fast enough. */
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
		uint64_t left = timeout_ns - (now - started), look_ns = next_look(stream);
		int rc = stream_wait_for_ack(stream, wanted, left < look_ns ? left : look_ns);
		if (rc == ENRG_E_STOPPED)
			return false; /* there may be room deeper down */
		now = clock_mono_ns();
		if (rc == 0) {
			learn_pace(stream, now - started);
			return true;
		}
		if (stream->ack != last) {
			last = stream->ack;
			moved_ns = now;
		}
		if (last != first && is_far(stream, bytes_between(stream, last, wanted),
					     bytes_between(stream, first, last), now - started))
			break;
	} while (now - moved_ns < patience(stream) && now - started < timeout_ns);
	begin_spill(stream, now);
	return false;
}

/* --- the window --------------------------------------------------------------------------------------------------- */

static uint64_t round_up(uint64_t bytes)
{
	return (bytes + SEGMENT_LINE - 1) & ~(uint64_t)(SEGMENT_LINE - 1);
}

static uint64_t bytes_needed(const struct stream *stream, uint64_t offset, uint64_t payload_bytes, uint32_t *ret_lead)
{
	uint64_t at = offset + sizeof(struct record) + stream->page_at;

	*ret_lead = payload_bytes < SEGMENT_ALIGN_FROM ? 0 : (uint32_t)(-at & (SEGMENT_PAGE - 1));
	return round_up(sizeof(struct record) + *ret_lead + payload_bytes);
}

/* By the largest of the latest records, wherever it begins: small ones between large ones are not to wait for all of
 * these. */
static uint64_t most_needed(struct stream *stream, uint64_t payload_bytes)
{
	uint64_t lead_most = payload_bytes < SEGMENT_ALIGN_FROM ? 0 : SEGMENT_PAGE - SEGMENT_LINE;
	uint64_t most = round_up(sizeof(struct record) + lead_most + payload_bytes);

	stream->most = round_up(most > stream->most ? most : stream->most - (stream->most - most) / 64);
	return stream->most;
}

/* The ack at which no more than `bytes` up to tail are in flight; the pad of a rewind does not count. */
static uint64_t ack_for(const struct stream *stream, uint64_t bytes)
{
	uint64_t low = stream->tail > bytes ? stream->tail - bytes : 0;

	if (low > stream->pad_end || !is_before_pad(stream))
		return low;
	uint64_t pad_bytes = stream->pad_end - stream->pad_at;
	return low > pad_bytes ? low - pad_bytes : 0;
}

/* Waits until the next record fits the window, or lets the producer go deeper. */
static void keep_window(struct stream *stream, uint64_t window, uint64_t most, uint64_t timeout_ns)
{
	uint64_t wanted = ack_for(stream, window - most);

	if (stream->ack >= wanted || stream_slowest_ack(stream) >= wanted) {
		stream->is_spilling = false;
		return;
	}
	uint64_t spare = window > 2 * most ? (window - 2 * most) / 2 : 0,
		 step = spare < WAKE_BYTES ? spare : WAKE_BYTES;
	uint64_t began_ns = clock_mono_ns();
	stream->has_slept = false;
	stream->is_turn_open = await_window(stream, ack_for(stream, window - most - step), timeout_ns);
	stream->turn_held_ns = clock_mono_ns() - began_ns;
}

/* At the end of the region: back to the start, where the consumers have left it. */
static void rewind_if_hot(struct stream *stream, uint64_t window, uint64_t most)
{
	if (stream->is_spilling || stream->offset + most <= window + most + SEGMENT_LINE)
		return;
	/* A rewound record must not reach the pad that made room for it. */
	if (most + SEGMENT_LINE <= stream->offset && stream->ack >= lap_start(stream) + most + SEGMENT_LINE)
		(void)stream_rewind_now(stream); /* else deeper: there is no page for the pad now */
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
		uint64_t first = bytes_needed(stream, 0, payload_bytes, &lead), left = timeout_ns - waited;
		/* Else a rewound record would reach the pad that made room for it, or there is no page for the pad. */
		bool helps = first <= stream->offset && stream_pages_have_pads(stream) &&
			     (!stream->is_held || stream->published == stream->tail);

		rc = stream_wait_for_ack(stream, helps ? stream->tail - stream->offset + first : UINT64_MAX,
			left < PAGES_RETRY_NS ? left : PAGES_RETRY_NS);
		if (rc == ENRG_E_STOPPED)
			return rc;
		if (rc == 0) {
			(void)stream_rewind_now(stream);
			*need = bytes_needed(stream, stream->offset, payload_bytes, ret_lead);
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
static uint64_t look_again_at(const struct stream *stream, uint64_t window, uint64_t most)
{
	uint64_t end = room_end(stream), pages_end = lap_start(stream) + stream->pages.end - sizeof(struct record);

	if (stream->pages.end < stream->mapping.data_bytes && pages_end < end)
		end = pages_end;
	if (stream->is_held && stream->step_limit < end)
		end = stream->step_limit;
	if (!window)
		return end;
	if (stream->is_spilling)
		return stream->tail;
	uint64_t region_end = lap_start(stream) + window + most + SEGMENT_LINE;
	uint64_t window_end = stream->ack + window;
	if (is_before_pad(stream))
		window_end += stream->pad_end - stream->pad_at;
	end = region_end < end ? region_end : end;
	return window_end < end ? window_end : end;
}

int stream_make_room(
	struct stream *stream, uint64_t payload_bytes, uint64_t timeout_ns, uint64_t *ret_need, uint32_t *ret_lead)
{
	uint64_t size = stream->mapping.data_bytes, most = most_needed(stream, payload_bytes);
	/* Inside of a step nothing is published, so that no wait for the window would end: stream_begin_step waits. */
	uint64_t window = stream->window.bytes && !stream->is_held ? window_for(&stream->window, most) : 0;

	if (window) {
		keep_window(stream, window, most, timeout_ns);
		rewind_if_hot(stream, window, most);
		jump_if_needed(stream, most);
	}
	*ret_need = bytes_needed(stream, stream->offset, payload_bytes, ret_lead);
	if (stream->is_held && stream->tail + *ret_need > stream->step_limit)
		return -EMSGSIZE;
	if (stream->tail + *ret_need > room_end(stream)) {
		int rc = stream_wait_for_ack(stream, stream->tail + *ret_need - size, timeout_ns);
		if (rc < 0)
			return rc;
	}
	if (stream->offset + *ret_need + sizeof(struct record) > stream->pages.end) {
		int rc = find_pages(stream, payload_bytes, timeout_ns, ret_need, ret_lead);
		if (rc < 0)
			return rc;
	}
	stream->free_until = look_again_at(stream, window, most);
	return 0;
}

/* --- steps that are published as a whole ---------------------------------------------------------------------------
 */

uint64_t stream_step_bytes(const struct stream *stream)
{
	return stream->mapping.data_bytes / 2;
}

void stream_begin_step(struct stream *stream)
{
	uint64_t window = stream->window.bytes ? window_for(&stream->window, stream->most) : 0;

	if (window && stream->most && stream->published == stream->tail) {
		keep_window(stream, window, stream->most, SPILL_AFTER_MAX_NS);
		rewind_if_hot(stream, window, stream->most);
	}
	stream->step_limit = stream->tail + stream_step_bytes(stream);
	if (stream->free_until > stream->step_limit)
		stream->free_until = stream->step_limit;
}
