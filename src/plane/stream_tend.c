/* stream_tend.c: gives back the pages of the ring that were not used lately, and ends laps early for that. Producer,
 * one thread. Which pages exist: stream_pages.c. */
#include "plane/stream_state.h"

#include <errno.h>
#include <fcntl.h>

/* Given back at once: more would hold up the producer for longer than a millisecond. */
#define GIVE_BACK_BYTES (8u << 20)
/* What is kept whatever happens, and what a lap must have used before it is ended early. */
#define KEEP_BYTES (64u << 10)
#define TEND_NS    500000000u

/* Gives back what lies beyond `keep`, from the top on, a part at a time. Whoever reads there without being waited for
 * is told first: from then on all of earlier laps counts as overwritten. */
static void give_back(struct stream *stream, uint64_t keep)
{
	struct stream_pages *pages = &stream->pages;
	uint64_t from = pages->top - keep > GIVE_BACK_BYTES ? pages->top - GIVE_BACK_BYTES : keep;

	stream_raise_claimed(stream, stream->tail - stream->offset + stream->mapping.data_bytes);
	if (fallocate(stream->mapping.descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		    (off_t)(stream->mapping.data_at + from), (off_t)(pages->top - from)) < 0 &&
		errno != EINTR) {
		pages->is_kept = true; /* no such call here: the ring keeps what it has */
		return;
	}
	pages->top = from;
	pages->end = pages->end < from ? pages->end : from;
	stream->free_until = 0; /* the next claim looks anew */
}

static void note_peak(struct stream *stream, uint64_t now_ns)
{
	struct stream_pages *pages = &stream->pages;

	if (stream->offset > pages->peak)
		pages->peak = stream->offset;
	if (now_ns - pages->period_ns < pages->calm_ns)
		return;
	pages->last_peak = pages->peak;
	pages->peak = stream->offset;
	pages->period_ns = now_ns;
}

bool stream_has_spare(const struct stream *stream)
{
	const struct stream_pages *pages = &stream->pages;

	return pages->is_short || stream->offset >= KEEP_BYTES || (pages->top > KEEP_BYTES && !pages->is_kept);
}

void stream_tend(struct stream *stream, uint64_t now_ns)
{
	struct stream_pages *pages = &stream->pages;

	if (now_ns < pages->due_ns)
		return;
	pages->due_ns = now_ns + (pages->calm_ns < TEND_NS ? pages->calm_ns : TEND_NS);
	note_peak(stream, now_ns);
	if (pages->is_short)
		(void)stream_pages_extend(stream, pages->end + SEGMENT_PAGE);
	if (stream->published != stream->tail)
		return;
	uint64_t ack = stream_slowest_ack(stream);
	/* A lap ends early where nobody has anything left to read. Until its consumers have passed the pad, a producer
	 * has no more room than the lap has used: that is as much as it wrote in all this time. */
	if (ack == stream->tail && stream->offset >= KEEP_BYTES && now_ns - pages->lap_ns >= pages->calm_ns) {
		if (stream_rewind(stream))
			stream_publish_held(stream);
		return;
	}
	uint64_t keep = pages->peak > pages->last_peak ? pages->peak : pages->last_peak;
	keep = stream_round_to_page(
		keep + sizeof(struct record) > KEEP_BYTES ? keep + sizeof(struct record) : KEEP_BYTES);
	if (keep < pages->top && ack >= stream->tail - stream->offset && !pages->is_kept)
		give_back(stream, keep);
}
