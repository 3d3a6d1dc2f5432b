/* boundary.c: run records and their place in the producer page. Producer (one thread) writes; anybody reads. */
#include "plane/boundary.h"

#include <stdio.h>
#include <string.h>

#include "plane/stream_state.h"

/* --- reading ------------------------------------------------------------------------------------------------------ */

static bool has_texts(const char run[64], const char label[64])
{
	return (!run || memchr(run, 0, 64)) && memchr(label, 0, 64);
}

int boundary_parse(const void *payload, uint64_t payload_bytes, struct boundary *ret_boundary)
{
	struct segment_run run;

	if (payload_bytes < sizeof(run))
		return ENRG_E_CORRUPT;
	memcpy(&run, payload, sizeof(run));
	if ((run.edge != RUN_BEGINS && run.edge != RUN_ENDED) || !run.index || !has_texts(run.run, run.label))
		return ENRG_E_CORRUPT;
	*ret_boundary = (struct boundary){
		.edge = run.edge,
		.index = run.index,
		.number = run.number,
		.wall_ns = run.wall_ns,
		.sequence = run.sequence,
		.batches = run.batches,
		.rows = run.rows,
		.bytes = run.bytes,
		.gaps = run.gaps,
		.dropped_rows = run.dropped_rows,
	};
	memcpy(ret_boundary->run, run.run, sizeof(run.run));
	memcpy(ret_boundary->label, run.label, sizeof(run.label));
	return 0;
}

static bool read_entry(const struct segment_boundary *entry, uint64_t head, struct boundary *ret)
{
	/* Pairs with the release in write_entry. */
	uint64_t position = atomic_load_explicit(&entry->position, memory_order_acquire);

	if (!position || position > head)
		return false;
	*ret = (struct boundary){
		.edge = entry->edge,
		.index = entry->index,
		.position = position,
		.number = entry->number,
		.wall_ns = entry->wall_ns,
		.sequence = entry->sequence,
		.batches = entry->batches,
		.rows = entry->rows,
		.bytes = entry->bytes,
		.gaps = entry->gaps,
		.dropped_rows = entry->dropped_rows,
	};
	memcpy(ret->label, entry->label, sizeof(ret->label));
	/* Pairs with the release fence in write_entry: one that was overwritten meanwhile has another position. */
	atomic_thread_fence(memory_order_acquire);
	return atomic_load_explicit(&entry->position, memory_order_relaxed) == position &&
	       (ret->edge == RUN_BEGINS || ret->edge == RUN_ENDED) && ret->index && has_texts(NULL, ret->label);
}

uint32_t boundary_read_all(
	const struct segment_producer *producer, uint64_t head, struct boundary ret_boundaries[SEGMENT_BOUNDARIES])
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < SEGMENT_BOUNDARIES; i++) {
		struct boundary found;
		uint32_t at = count;

		if (!read_entry(&producer->boundaries[i], head, &found))
			continue;
		for (; at && ret_boundaries[at - 1].index > found.index; at--)
			ret_boundaries[at] = ret_boundaries[at - 1];
		ret_boundaries[at] = found;
		count++;
	}
	return count;
}

const struct boundary *boundary_find(const struct boundary *boundaries, uint32_t count, uint64_t position)
{
	const struct boundary *found = NULL;

	for (uint32_t i = 0; i < count && boundaries[i].position <= position; i++)
		found = &boundaries[i];
	return found;
}

const char *boundary_run(const struct boundary *boundary)
{
	return boundary->edge == RUN_BEGINS ? boundary->label : "";
}

/* --- the producer ------------------------------------------------------------------------------------------------- */

const struct boundary *boundary_last(const struct stream *stream)
{
	return &stream->boundary;
}

void boundary_restore(struct stream *stream, uint64_t head)
{
	struct boundary all[SEGMENT_BOUNDARIES];
	uint32_t count;

	/* What a killed life noted and did not publish must not come true when its successor gets that far. */
	for (uint32_t i = 0; i < SEGMENT_BOUNDARIES; i++) {
		struct segment_boundary *entry = &stream->mapping.producer->boundaries[i];
		if (atomic_load_explicit(&entry->position, memory_order_relaxed) > head)
			atomic_store_explicit(&entry->position, 0, memory_order_relaxed);
	}
	count = boundary_read_all(stream->mapping.producer, head, all);
	stream->boundary = count ? all[count - 1] : (struct boundary){0};
}

/* Sequences between runs, before a run begins: nobody reads them until it has. */
static void note_between(struct stream *stream)
{
	for (uint32_t i = 0; i < SEGMENT_ROUTES; i++)
		atomic_store_explicit(
			&stream->mapping.producer->between[i], stream->route_sequence[i], memory_order_relaxed);
}

/* Does this end lead back to where sequences counted under its label before the run? */
static bool leads_back(const struct stream *stream, const struct segment_run *end)
{
	struct boundary all[SEGMENT_BOUNDARIES];
	uint32_t count = boundary_read_all(stream->mapping.producer, stream->tail, all);

	if (stream->boundary.edge != RUN_BEGINS)
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (all[i].index + 1 == stream->boundary.index)
			return all[i].edge == RUN_ENDED && !strcmp(all[i].label, end->label);
	return false;
}

static void begin_sequences(struct stream *stream, bool goes_back)
{
	for (uint32_t i = 0; i < SEGMENT_ROUTES; i++) {
		const _Atomic uint64_t *between = &stream->mapping.producer->between[i];
		stream->route_sequence[i] = goes_back ? atomic_load_explicit(between, memory_order_relaxed) : 0;
	}
	uint32_t routes = atomic_load_explicit(&stream->mapping.producer->route_count, memory_order_relaxed);
	for (uint32_t i = 0; i < routes && i < SEGMENT_ROUTES; i++)
		stream->dirty_routes[i / 64] |= 1ull << (i % 64);
}

/* Killed anywhere in here, the entry does not count: its position is beyond head, or none. */
static void write_entry(struct stream *stream)
{
	const struct boundary *boundary = &stream->boundary;
	struct segment_boundary *entry =
		&stream->mapping.producer->boundaries[(boundary->index - 1) % SEGMENT_BOUNDARIES];

	atomic_store_explicit(&entry->position, 0, memory_order_relaxed);
	atomic_thread_fence(memory_order_release); /* it is invalid before any of it changes */
	entry->index = boundary->index;
	entry->number = boundary->number;
	entry->wall_ns = boundary->wall_ns;
	entry->sequence = boundary->sequence;
	entry->batches = boundary->batches;
	entry->rows = boundary->rows;
	entry->bytes = boundary->bytes;
	entry->gaps = boundary->gaps;
	entry->dropped_rows = boundary->dropped_rows;
	entry->edge = boundary->edge;
	memcpy(entry->label, boundary->label, sizeof(entry->label));
	atomic_store_explicit(&entry->position, boundary->position, memory_order_release);
}

static struct segment_run make_payload(const struct stream *stream, const struct boundary *wanted)
{
	struct segment_run run = {
		.edge = wanted->edge,
		.index = stream->boundary.index + 1,
		.number = wanted->number,
		.wall_ns = wanted->wall_ns,
		.sequence = stream->sequence,
		.batches = stream->batches,
		.rows = stream->rows,
		.bytes = stream->bytes,
		.gaps = stream->gaps,
		.dropped_rows = stream->dropped_rows,
	};

	snprintf(run.run, sizeof(run.run), "%s", wanted->run);
	snprintf(run.label, sizeof(run.label), "%s", wanted->label);
	return run;
}

int boundary_commit(struct stream *stream, const struct boundary *wanted, uint64_t timeout_ns)
{
	struct segment_header *header = (struct segment_header *)(void *)stream->mapping.control;
	struct stream_claim claim;
	int rc = stream_claim(stream, sizeof(struct segment_run), timeout_ns, &claim);

	if (rc < 0)
		return rc;
	if (header->version < SEGMENT_VERSION_RUNS)
		header->version = SEGMENT_VERSION_RUNS;
	struct segment_run run = make_payload(stream, wanted);
	uint64_t bytes = stream->bytes, first_sequence = stream->route_sequence[0],
		 first_dirty = stream->dirty_routes[0];
	bool is_same = wanted->edge == stream->boundary.edge && !strcmp(run.label, stream->boundary.label);
	bool goes_back = wanted->edge == RUN_ENDED && leads_back(stream, &run);

	memcpy(claim.payload, &run, sizeof(run));
	if (wanted->edge == RUN_BEGINS && stream->boundary.edge != RUN_BEGINS)
		note_between(stream);
	stream_commit(stream,
		&(struct stream_commit){
			.type = RECORD_RUN, .body_bytes = sizeof(run), .acquired_ns = wanted->wall_ns, .hold = true});
	/* It is no batch of a table; the first route may have no page yet. */
	stream->bytes = bytes;
	stream->route_sequence[0] = first_sequence;
	stream->dirty_routes[0] = first_dirty;
	if (!is_same)
		begin_sequences(stream, goes_back);
	(void)boundary_parse(&run, sizeof(run), &stream->boundary);
	stream->boundary.position = stream->tail;
	write_entry(stream);
	stream_publish(stream);
	return 0;
}
