/* stream_pages.c: which pages of the ring exist. Producer, one thread.
 *
 * A ring takes pages from tmpfs when its producer needs them, and before anything is written there: a full tmpfs is
 * then an answer of fallocate(2), and never a SIGBUS. Nothing but what is published is ever read through a mapping, so
 * that readers touch no page that is not there. After a burst the pages beyond what was in use lately are given back.
 *
 * The pages that exist for certain are a prefix of the ring: a producer comes to each place from the one before it, or
 * from its end or a pad to the start. So a successor knows that all before its own offset is there.
 */
#include "plane/stream_state.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "base/clock.h"

/* The first piece; what a source of a row a second needs for a minute. */
#define PIECE_BYTES     (16u << 10)
#define PIECE_MAX_BYTES (4u << 20)
#define CALM_NS         5000000000u

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

void stream_pages_init(struct stream *stream)
{
	struct stream_pages *pages = &stream->pages;

	*pages = (struct stream_pages){
		.end = stream_round_to_page(stream->offset),
		.top = stream->mapping.data_bytes,
		.peak = stream->mapping.data_bytes, /* for a period: what the last life used is not known */
		.calm_ns = CALM_NS,
		.lap_ns = clock_mono_ns(),
	};
	pages->period_ns = pages->lap_ns;
}

/* More at a time as the ring grows, so that a burst costs few calls, and a slow source little memory. */
static uint64_t piece_end(const struct stream *stream, uint64_t until)
{
	uint64_t end = stream->pages.end, size = stream->mapping.data_bytes;
	uint64_t piece = end < PIECE_BYTES ? PIECE_BYTES : end < PIECE_MAX_BYTES ? end : PIECE_MAX_BYTES;

	end = stream_round_to_page(end + piece > until ? end + piece : until);
	return end < size ? end : size;
}

int stream_pages_extend(struct stream *stream, uint64_t until)
{
	struct stream_pages *pages = &stream->pages;
	uint64_t size = stream->mapping.data_bytes, from = pages->end;

	until = until < size ? until : size;
	if (until <= from)
		return 0;
	uint64_t end = piece_end(stream, until);
	int rc = mapping_allocate(&stream->mapping, stream->mapping.data_at + from, end - from);
	if (rc == -ENOSPC && end > stream_round_to_page(until)) {
		end = stream_round_to_page(until);
		rc = mapping_allocate(&stream->mapping, stream->mapping.data_at + from, end - from);
	}
	pages->is_short = rc == -ENOSPC;
	if (rc < 0)
		return rc;
	/* All at once costs a third of one fault a page. An older kernel does not know the call, and faults do. */
	(void)madvise(stream->mapping.data + from, end - from, MADV_POPULATE_WRITE);
	pages->end = end;
	pages->top = end > pages->top ? end : pages->top;
	return 0;
}

bool stream_pages_have_pads(struct stream *stream)
{
	struct stream_pages *pages = &stream->pages;
	uint64_t size = stream->mapping.data_bytes;

	if (stream_pages_extend(stream, stream->offset + sizeof(struct record)) < 0)
		return false;
	for (uint64_t at = stream->offset + SEGMENT_PAD_MAX; at < size; at += SEGMENT_PAD_MAX) {
		uint64_t page = at / SEGMENT_PAGE * SEGMENT_PAGE;
		if (page < pages->end)
			continue;
		if (mapping_allocate(&stream->mapping, stream->mapping.data_at + page, SEGMENT_PAGE) < 0)
			return false;
		pages->top = page + SEGMENT_PAGE > pages->top ? page + SEGMENT_PAGE : pages->top;
	}
	return true;
}

void stream_pages_end_lap(struct stream *stream)
{
	struct stream_pages *pages = &stream->pages;

	if (stream->offset > pages->peak)
		pages->peak = stream->offset;
	pages->lap_ns = clock_mono_ns();
}
