/* stream_many.c: many small records at once, on the producer's side. One thread.
 *
 * A record of 64 bytes is two cache lines, and committed by itself it costs its producer more in bookkeeping than in
 * bytes. Here the bookkeeping is done once for all of them, and the bytes take the faster of two ways: straight into
 * the ring, or into a private buffer and from there past the caches into the ring. Between cores that share a cache the
 * first is twice as fast (2.4 against 5.4 ns a record); where they do not share one, the second is six to ten times as
 * fast, because lines that the consumer's cache holds come back one by one. Whatever is written lies beyond head until
 * it is published, as with single records.
 */
#include "plane/pair.h"
#include "plane/stream_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

#include "base/clock.h"
#include "base/crc32c.h"

/* Shorter ones say nothing about the way. */
#define TIMED_BYTES        4096u
#define TRIAL_CLAIMS       8u
#define STAGE_GAIN         1.5
#define STAGE_GAIN_TO_STAY 3
/* The first trials find a ring that nobody has read yet, and virtual machines move: they come again. */
#define TRIAL_FIRST_NS UINT64_C(1000000)
#define TRIAL_EVERY_NS UINT64_C(128000000)

static_assert(offsetof(struct stream_commit, rows) == 4 && offsetof(struct stream_commit, meta_bytes) == 8, "form_of");
static_assert(offsetof(struct stream_commit, committed_ns) == offsetof(struct stream_commit, acquired_ns) + 8, "pair");

/* --- the two ways --------------------------------------------------------------------------------------- */

static void begin_trial_step(struct stream_many *many, uint64_t bytes)
{
	many->uses_stage = many->prefers_stage;
	many->since_ns = 0;
	if (bytes < TIMED_BYTES)
		return;
	uint64_t now_ns = clock_mono_ns();
	if (many->step == 0) {
		if (now_ns < many->due_ns)
			return;
		many->best_ns_per_byte[0] = many->best_ns_per_byte[1] = 1e9;
	}
	many->uses_stage = many->step % 2;
	many->since_ns = now_ns;
}

/* The shortest of the claims counts: the others were disturbed. The caller's own work is in both. */
static void end_trial_step(struct stream_many *many, uint64_t bytes)
{
	uint64_t now_ns = clock_mono_ns();
	double ns_per_byte = (double)(now_ns - many->since_ns) / (double)bytes;

	if (ns_per_byte < many->best_ns_per_byte[many->uses_stage])
		many->best_ns_per_byte[many->uses_stage] = ns_per_byte;
	if (++many->step < TRIAL_CLAIMS)
		return;
	/* By little, it would be by chance: a consumer close behind makes the ring slower for a moment. And behind
	 * non-temporal stores the ring is out of the cache and slower than it would be by itself: not six times,
	 * though, as where the two sides share none. */
	double gain = many->prefers_stage ? STAGE_GAIN_TO_STAY : STAGE_GAIN;
	many->prefers_stage = gain * many->best_ns_per_byte[1] < many->best_ns_per_byte[0];
	many->step = 0;
	many->period_ns = many->period_ns ? many->period_ns * 2 : TRIAL_FIRST_NS;
	if (many->period_ns > TRIAL_EVERY_NS)
		many->period_ns = TRIAL_EVERY_NS;
	many->due_ns = now_ns + many->period_ns;
}

#if defined(__x86_64__)

/* Whole cache lines past the caches. Such stores are ordered with nothing: behind the raise of `claimed`, which an
 * observer compares, and before head, by a fence on each side. */
static void copy_lines(uint8_t *to, const uint8_t *from, uint64_t bytes)
{
	_mm_sfence();
	for (const uint8_t *end = from + bytes; from < end; from += SEGMENT_LINE, to += SEGMENT_LINE)
		for (unsigned i = 0; i < SEGMENT_LINE; i += sizeof(__m128i))
			_mm_stream_si128(
				(__m128i *)(void *)(to + i), _mm_load_si128((const __m128i *)(const void *)(from + i)));
	_mm_sfence();
}

#else

static void copy_lines(uint8_t *to, const uint8_t *from, uint64_t bytes)
{
	memcpy(to, from, bytes);
}

#endif

/* --- claiming and committing ---------------------------------------------------------------------------- */

/* As many as lie below the size from which payloads are aligned, and twice in the ring. */
static uint32_t limit_count(const struct stream *stream, uint32_t count, uint64_t stride_bytes)
{
	uint64_t most = SEGMENT_ALIGN_FROM / stride_bytes, half = stream->mapping.data_bytes / 2 / stride_bytes;

	most = half < most ? half : most;
	if (count > most)
		count = (uint32_t)most;
	return count ? count : 1;
}

int stream_claim_many(struct stream *stream, uint64_t payload_bytes, uint32_t count, uint64_t timeout_ns,
	struct stream_claim_many *ret_claim)
{
	struct stream_many *many = &stream->many;
	uint64_t stride = sizeof(struct record) + ((payload_bytes + SEGMENT_LINE - 1) & ~(uint64_t)(SEGMENT_LINE - 1));
	uint32_t lead = 0;

	many->first = NULL; /* whatever becomes of this one, an older one is over */
	if (payload_bytes > stream->payload_max || payload_bytes >= SEGMENT_ALIGN_FROM)
		return -EMSGSIZE;
	count = limit_count(stream, count, stride);
	uint64_t need = count * stride;
	if (stream->tail + need > stream->free_until) {
		/* One record of that length would have all but the first header as its payload. */
		int rc = stream_make_room(stream, need - sizeof(struct record), timeout_ns, &need, &lead);
		if (rc < 0)
			return rc;
	}
	if (!many->stage && !(many->stage = aligned_alloc(SEGMENT_LINE, STREAM_STAGE_BYTES)))
		return -ENOMEM;
	stream_raise_claimed(stream, stream->tail + need);
	begin_trial_step(many, need);
	many->first = many->uses_stage ? many->stage : stream->mapping.data + stream->offset;
	many->stride_bytes = (uint32_t)stride;
	many->count = count;
	ret_claim->payload = many->first + sizeof(struct record);
	ret_claim->stride_bytes = (uint32_t)stride;
	ret_claim->count = count;
	return 0;
}

/* Counts `count` records of one route and type. */
static void count_records(struct stream *stream, uint16_t route, uint16_t type, uint32_t count)
{
	stream->gaps += type == RECORD_GAP ? count : 0;
	stream->sequence += count;
	stream->batches += count;
	stream->route_sequence[route] += count;
	stream->dirty_routes[route / 64] |= 1ull << (route % 64);
}

/* Route, type and rows in one word: compared one by one, compilers put them together in memory first, and stall. */
static uint64_t form_of(const struct stream_commit *commit)
{
	uint64_t form;

	memcpy(&form, commit, sizeof(form));
	return form;
}

/* Headers of the first commits that differ in nothing but times: how many. Most words of such headers stay in
 * registers, where a header by itself costs three times as much. */
static uint32_t put_alike(struct stream *stream, uint8_t *at, const struct stream_commit *commits, uint32_t count)
{
	const uint64_t form = form_of(commits), body_bytes = commits->body_bytes;
	const uint32_t stride = stream->many.stride_bytes, meta_bytes = commits->meta_bytes;
	const struct record record = {
		.length = stride,
		.type = commits->type,
		.route = commits->route % SEGMENT_ROUTES,
		.rows = commits->rows,
		.meta_bytes = meta_bytes,
		.body_bytes = (uint32_t)body_bytes,
	};
	struct stream_header header = stream_make_header(stream, &record);
	const struct pair sizes = pair_load(&header, 2), sums = pair_load(&header, 3), next = pair_make(0, 1);
	struct pair start = pair_make(header.words[0], stream->sequence);
	uint64_t now_ns = 0;
	uint32_t done = 0;

	for (const struct stream_commit *commit = commits; done < count; commit++, done++, at += stride) {
		if (form_of(commit) != form || commit->meta_bytes != meta_bytes || commit->body_bytes != body_bytes)
			break;
		struct pair times = pair_load(&commit->acquired_ns, 0);
		if (commit->committed_ns == 0)
			times = pair_make(commit->acquired_ns, now_ns = now_ns ? now_ns : clock_mono_ns());
		start = pair_add(start, next);
		pair_store(at, 0, start);
		pair_store(at, 1, times);
		pair_store(at, 2, sizes);
		pair_store(at, 3, sums);
	}
	count_records(stream, record.route, record.type, done);
	stream->rows += (uint64_t)record.rows * done;
	stream->bytes += (meta_bytes + body_bytes) * done;
	return done;
}

static void put_checked(struct stream *stream, uint8_t *at, const struct stream_commit *commit)
{
	const uint8_t *payload = at + sizeof(struct record);
	const struct record record = {
		.length = stream->many.stride_bytes,
		.type = commit->type,
		.route = commit->route % SEGMENT_ROUTES,
		.sequence = stream->sequence + 1,
		.acquired_ns = commit->acquired_ns,
		.committed_ns = commit->committed_ns ? commit->committed_ns : clock_mono_ns(),
		.rows = commit->rows,
		.meta_bytes = commit->meta_bytes,
		.body_bytes = (uint32_t)commit->body_bytes,
		.meta_crc = crc32c(0, payload, commit->meta_bytes),
		.body_crc = commit->has_crc ? commit->body_crc
					    : crc32c(0, payload + commit->meta_bytes, commit->body_bytes),
	};

	struct stream_header header = stream_make_header(stream, &record);

	stream_sum_header(&header);
	stream_put_header(at, &header);
	count_records(stream, record.route, record.type, 1);
	stream->rows += commit->rows;
	stream->bytes += commit->meta_bytes + commit->body_bytes;
}

void stream_commit_many(struct stream *stream, const struct stream_commit *commits, uint32_t count, bool hold)
{
	struct stream_many *many = &stream->many;

	if (!many->first)
		return;
	if (count > many->count)
		count = many->count;
	uint64_t bytes = (uint64_t)count * many->stride_bytes;
	for (uint32_t done = 0; done < count;) {
		uint8_t *at = many->first + (size_t)done * many->stride_bytes;
		if (stream->mapping.has_checks)
			put_checked(stream, at, &commits[done++]);
		else
			done += put_alike(stream, at, commits + done, count - done);
	}
	if (many->uses_stage)
		copy_lines(stream->mapping.data + stream->offset, many->stage, bytes);
	if (many->since_ns && bytes >= TIMED_BYTES)
		end_trial_step(many, bytes);
	many->first = NULL;
	stream_advance(stream, bytes);
	if (!hold)
		stream_publish(stream);
}
