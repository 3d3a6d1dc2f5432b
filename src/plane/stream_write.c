/* stream_write.c: the producer's path of a batch: claim, commit, abort. While consumers keep up it is arithmetic on
 * this process's own copies of the positions, and one release store of `head` in stream_publish.c. One thread. */
#include "plane/stream_state.h"

#include <errno.h>

#include "base/clock.h"
#include "base/crc32c.h"

/* --- claiming
 * --------------------------------------------------------------------------------------------------------- */

void stream_align(struct stream *stream, uint64_t payload_at)
{
	stream->page_at = (uint32_t)(payload_at & (SEGMENT_PAGE - SEGMENT_LINE));
}

int stream_claim(struct stream *stream, uint64_t payload_bytes, uint64_t timeout_ns, struct stream_claim *ret_claim)
{
	uint64_t need = sizeof(struct record) + ((payload_bytes + SEGMENT_LINE - 1) & ~(uint64_t)(SEGMENT_LINE - 1));
	uint32_t lead = 0;

	if (payload_bytes > stream->payload_max)
		return -EMSGSIZE;
	if (payload_bytes >= SEGMENT_ALIGN_FROM || stream->tail + need > stream->free_until) {
		int rc = stream_make_room(stream, payload_bytes, timeout_ns, &need, &lead);
		if (rc < 0)
			return rc;
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
	stream->gaps += commit->type != RECORD_DATA;
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
