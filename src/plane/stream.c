/* stream.c: a stream's producer: taking the file over, routes, what it tells about itself. One thread, except
 * stream_interrupt. The path of a batch is in stream_write.c. */
#include "plane/stream_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define LOCK_PATIENCE_NS UINT64_C(200000000)
#define LOCK_RETRY_US    1000u

/* --- opening
 * ---------------------------------------------------------------------------------------------------------- */

/* What a killed life noted and did not publish must not come true when records of other routes get that far. */
static void drop_unpublished(struct segment_route *route, uint64_t head)
{
	for (int i = 0; i < 2; i++)
		if (atomic_load_explicit(&route->last[i].position, memory_order_relaxed) > head)
			atomic_store_explicit(&route->last[i].position, UINT64_MAX, memory_order_relaxed);
}

static void restore(struct stream *stream)
{
	struct segment_producer *producer = stream->mapping.producer;
	uint64_t head = atomic_load_explicit(&producer->head, memory_order_acquire);
	stream->tally = mapping_tally(producer, head);
	const struct segment_tally *tally = &producer->tally[stream->tally];
	uint32_t routes = atomic_load_explicit(&producer->route_count, memory_order_acquire);

	stream->tail = stream->published = head;
	stream->offset = head % stream->mapping.data_bytes;
	stream->sequence = atomic_load_explicit(&tally->sequence, memory_order_relaxed);
	stream->batches = atomic_load_explicit(&tally->batches, memory_order_relaxed);
	stream->rows = atomic_load_explicit(&tally->rows, memory_order_relaxed);
	stream->bytes = atomic_load_explicit(&tally->bytes, memory_order_relaxed);
	stream->gaps = atomic_load_explicit(&tally->gaps, memory_order_relaxed);
	stream->dropped_rows = atomic_load_explicit(&tally->dropped_rows, memory_order_relaxed);
	for (uint32_t i = 0; i < routes && i < SEGMENT_ROUTES; i++) {
		drop_unpublished(&stream->mapping.routes[i], head);
		stream->route_sequence[i] = mapping_route_sequence(&stream->mapping.routes[i], head);
	}
	boundary_restore(stream, head);
	/* What the last life had claimed beyond head it may have overwritten. */
	stream->claimed = atomic_load_explicit(&producer->claimed, memory_order_relaxed);
	if (stream->claimed < head || stream->claimed > head + stream->mapping.data_bytes)
		stream->claimed = head;
}

static void take_over(struct stream *stream)
{
	struct segment_producer *producer = stream->mapping.producer;

	stream->epoch = atomic_load_explicit(&producer->epoch, memory_order_relaxed) + 1;
	stream->is_successor = stream->epoch > 1 && stream->sequence > 0;
	atomic_store_explicit(&producer->epoch, stream->epoch, memory_order_relaxed);
	atomic_store_explicit(&producer->is_closed, 0, memory_order_relaxed);
	/* Tickets go on where the last life stopped: one that was rung for must not come again. */
	stream->ticket = (atomic_load_explicit(&producer->is_waiting, memory_order_relaxed) | 1u) + 1;
	atomic_store_explicit(&producer->is_waiting, stream->ticket, memory_order_relaxed);
	atomic_store_explicit(&producer->blocked_since_ns, 0, memory_order_relaxed);
	atomic_store_explicit(&producer->pid, (uint32_t)getpid(), memory_order_release);
	/* A predecessor that was killed between publishing and ringing owes a wake-up. */
	for (uint32_t i = 0, count = mapping_consumer_count(&stream->mapping); i < count; i++) {
		struct segment_consumer *slot = mapping_consumer(&stream->mapping, i);
		atomic_fetch_add_explicit(&slot->bell, 1, memory_order_release);
		doorbell_wake(&slot->bell);
	}
}

/* What fits the largest record beside header and lead. */
static uint64_t payload_max(const struct stream *stream)
{
	uint64_t largest = stream->mapping.record_bytes_max - SEGMENT_LINE;

	if (largest >= SEGMENT_ALIGN_FROM + SEGMENT_PAGE)
		return largest - SEGMENT_PAGE;
	return largest < SEGMENT_ALIGN_FROM ? largest : SEGMENT_ALIGN_FROM - 1;
}

/* Who admits a consumer to a stream without a producer holds the lock for a moment. */
static int lock_as_producer(const struct mapping *mapping)
{
	const uint64_t until_ns = clock_mono_ns() + LOCK_PATIENCE_NS;
	int rc;

	while ((rc = mapping_lock(mapping, LOCK_PRODUCER)) == -EBUSY && clock_mono_ns() < until_ns)
		usleep(LOCK_RETRY_US);
	return rc;
}

int stream_open(const char *path, uint64_t hot_bytes, struct stream **ret_stream, struct enrg_error *err)
{
	struct stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return enrg_error_set(err, -ENOMEM, "%s: out of memory", path);
	int rc = mapping_open(&stream->mapping, path, MAPPING_WRITER, err);
	if (rc == 0) {
		rc = lock_as_producer(&stream->mapping);
		if (rc < 0)
			enrg_error_set(err, rc, "%s: process %u is its producer", path,
				atomic_load_explicit(&stream->mapping.producer->pid, memory_order_relaxed));
	}
	if (rc < 0) {
		mapping_close(&stream->mapping);
		free(stream);
		return rc;
	}
	stream->window.bytes = hot_bytes < stream->mapping.data_bytes ? hot_bytes : 0;
	stream->window.records_min = WINDOW_RECORDS_MIN;
	stream_tell_window(stream);
	stream->producers = 1;
	stream->payload_max = payload_max(stream);
	stream->pad_at = STREAM_NO_PAD;
	restore(stream);
	stream_pages_init(stream);
	take_over(stream);
	stream_read_consumers(
		stream, atomic_load_explicit(&stream->mapping.producer->consumer_changes, memory_order_acquire));
	*ret_stream = stream;
	return 0;
}

void stream_close(struct stream *stream, bool in_order)
{
	if (!stream)
		return;
	if (in_order) {
		stream_publish(stream);
		atomic_store_explicit(&stream->mapping.producer->is_closed, 1, memory_order_release);
	}
	mapping_close(&stream->mapping);
	free(stream->many.stage);
	free(stream);
}

/* --- routes
 * ----------------------------------------------------------------------------------------------------------- */

static int explain_pages(const struct stream *stream, int rc, struct enrg_error *err)
{
	return enrg_error_set(err, rc, "%s: no shared memory for another table: %s: enlarge the tmpfs (enrgdaq doctor)",
		stream->mapping.header->source, enrg_error_name(rc));
}

static int store_schema(struct stream *stream, const void *schema, uint32_t schema_bytes, struct segment_route *route,
	struct enrg_error *err)
{
	struct segment_producer *producer = stream->mapping.producer;
	uint32_t count = atomic_load_explicit(&producer->route_count, memory_order_relaxed);
	uint32_t used = atomic_load_explicit(&producer->arena_used, memory_order_relaxed);

	for (uint32_t i = 0; i < count && i < SEGMENT_ROUTES; i++) {
		const struct segment_route *other = &stream->mapping.routes[i];
		if (other->schema_bytes != schema_bytes || other->schema_offset > SEGMENT_ARENA_BYTES - schema_bytes ||
			memcmp(stream->mapping.arena + other->schema_offset, schema, schema_bytes) != 0)
			continue;
		route->schema = other->schema;
		route->schema_offset = other->schema_offset;
		route->schema_bytes = schema_bytes;
		return 0;
	}
	if (used > SEGMENT_ARENA_BYTES || schema_bytes > SEGMENT_ARENA_BYTES - used)
		return enrg_error_set(err, -ENOSPC,
			"%s: the schemas of this job need more than %u KiB: too many or too wide tables",
			stream->mapping.header->source, SEGMENT_ARENA_BYTES >> 10);
	int rc = mapping_allocate(&stream->mapping, SEGMENT_ARENA_AT + used, schema_bytes ? schema_bytes : 1);
	if (rc < 0)
		return explain_pages(stream, rc, err);
	memcpy(stream->mapping.arena + used, schema, schema_bytes);
	route->schema = (uint16_t)atomic_load_explicit(&producer->schema_count, memory_order_relaxed);
	route->schema_offset = used;
	route->schema_bytes = schema_bytes;
	atomic_store_explicit(&producer->schema_count, route->schema + 1u, memory_order_relaxed);
	atomic_store_explicit(&producer->arena_used, (used + schema_bytes + 63u) & ~63u, memory_order_relaxed);
	return 0;
}

int stream_add_route(
	struct stream *stream, const struct stream_route *wanted, uint16_t *ret_route, struct enrg_error *err)
{
	struct segment_producer *producer = stream->mapping.producer;
	uint32_t count = atomic_load_explicit(&producer->route_count, memory_order_relaxed);
	struct segment_route route = {.group = wanted->group, .flags = wanted->flags};
	const char *tag = wanted->tag;

	if (strlen(tag) >= sizeof(route.tag))
		return enrg_error_set(
			err, -EMSGSIZE, "tag \"%.40s…\" is longer than %zu bytes", tag, sizeof(route.tag) - 1);
	memcpy(route.tag, tag, strlen(tag));
	int rc = store_schema(stream, wanted->schema, wanted->schema_bytes, &route, err);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; i < count && i < SEGMENT_ROUTES; i++) {
		const struct segment_route *other = &stream->mapping.routes[i];
		if (other->group == route.group && other->schema == route.schema && other->flags == route.flags &&
			memcmp(other->tag, route.tag, sizeof(route.tag)) == 0) {
			*ret_route = (uint16_t)i;
			return 0;
		}
	}
	if (count >= SEGMENT_ROUTES)
		return enrg_error_set(err, -ENOSPC, "%s: more than %u tables (group, tag and columns): use fewer tags",
			stream->mapping.header->source, SEGMENT_ROUTES);
	rc = mapping_allocate(&stream->mapping, SEGMENT_ROUTES_AT + count * sizeof(route), sizeof(route));
	if (rc < 0)
		return explain_pages(stream, rc, err);
	memcpy(&stream->mapping.routes[count], &route, sizeof(route));
	stream->route_sequence[count] = 0;
	/* Pairs with the acquire in consumer_route: a consumer that sees the count sees route and schema. */
	atomic_store_explicit(&producer->route_count, count + 1, memory_order_release);
	*ret_route = (uint16_t)count;
	return 0;
}

bool stream_find_route(const struct stream *stream, uint32_t index, struct stream_route *ret_route)
{
	const struct segment_route *entry = &stream->mapping.routes[index % SEGMENT_ROUTES];
	uint32_t count = atomic_load_explicit(&stream->mapping.producer->route_count, memory_order_relaxed);

	if (index >= count || index >= SEGMENT_ROUTES)
		return false;
	uint32_t offset = entry->schema_offset, bytes = entry->schema_bytes;
	bool is_sound = offset <= SEGMENT_ARENA_BYTES && bytes <= SEGMENT_ARENA_BYTES - offset &&
			memchr(entry->tag, 0, sizeof(entry->tag));
	*ret_route = (struct stream_route){
		.group = entry->group,
		.tag = is_sound ? entry->tag : "",
		.schema = stream->mapping.arena + (is_sound ? offset : 0),
		.schema_bytes = is_sound ? bytes : 0,
		.flags = entry->flags,
	};
	return true;
}

/* Of one table the sequences only grow, and begin anew for all routes together: the larger one is the later one. */
void stream_join_routes(struct stream *stream, uint16_t route, uint16_t other)
{
	_Atomic uint64_t *between = stream->mapping.producer->between;
	uint64_t *now = stream->route_sequence;
	uint64_t noted = atomic_load_explicit(&between[other], memory_order_relaxed);

	if (now[route] < now[other])
		now[route] = now[other];
	if (atomic_load_explicit(&between[route], memory_order_relaxed) < noted)
		atomic_store_explicit(&between[route], noted, memory_order_relaxed);
}

uint64_t stream_route_sequence(const struct stream *stream, uint16_t route)
{
	return stream->route_sequence[route % SEGMENT_ROUTES] + 1;
}

/* --- the rest
 * --------------------------------------------------------------------------------------------------------- */

void stream_abort(struct stream *stream)
{
	stream->many.first = NULL; /* what was written into the claim lies beyond tail, for the next one to overwrite */
}

void stream_interrupt(struct stream *stream)
{
	atomic_store_explicit(&stream->is_interrupted, 1, memory_order_release);
	atomic_fetch_add_explicit(&stream->mapping.producer->bell, 1, memory_order_release);
	doorbell_wake(&stream->mapping.producer->bell);
}

/* No batch goes with it, so the valid tally itself is brought up to date. */
void stream_note_dropped(struct stream *stream)
{
	atomic_store_explicit(&stream->mapping.producer->tally[stream->tally].dropped_rows, stream->dropped_rows,
		memory_order_relaxed);
}

void stream_count_dropped(struct stream *stream, uint64_t rows)
{
	stream->dropped_rows += rows;
	if (!stream->is_held) /* else it comes with what is published next */
		stream_note_dropped(stream);
}

void stream_hold(struct stream *stream)
{
	stream->is_held = true;
	stream->step_limit = stream->tail + stream_step_bytes(stream);
	stream->free_until = 0;
}

uint64_t stream_tail(const struct stream *stream)
{
	return stream->tail;
}

uint64_t stream_held_bytes(const struct stream *stream)
{
	return stream->tail - stream->published;
}

uint64_t stream_data_bytes(const struct stream *stream)
{
	return stream->mapping.data_bytes;
}

void stream_continue_exactly(struct stream *stream, uint64_t dropped_rows, bool keeps_epoch)
{
	stream->is_successor = false;
	stream->dropped_rows = dropped_rows;
	stream_note_dropped(stream);
	if (!keeps_epoch || stream->epoch < 2)
		return;
	stream->epoch--;
	atomic_store_explicit(&stream->mapping.producer->epoch, stream->epoch, memory_order_relaxed);
}

uint64_t stream_dropped_rows(const struct stream *stream)
{
	return stream->dropped_rows;
}

void stream_get_uuid(const struct stream *stream, uint8_t ret_uuid[16])
{
	memcpy(ret_uuid, stream->mapping.header->uuid, 16);
}

void stream_govern(struct stream *stream, uint64_t target_ns, uint32_t producers)
{
	window_init(&stream->window, target_ns, producers, stream->mapping.data_bytes / 2);
	stream_tell_window(stream);
	stream->producers = producers;
	stream->turn_bytes = stream->bytes;
}

bool stream_misses_target(const struct stream *stream, uint64_t *ret_wait_ns, uint64_t *ret_bytes)
{
	*ret_bytes = window_for(&stream->window, stream->most);
	return window_misses_target(&stream->window, ret_wait_ns);
}

uint64_t stream_last_sequence(const struct stream *stream)
{
	return stream->sequence;
}

const uint8_t *stream_uuid(const struct stream *stream)
{
	return stream->mapping.header->uuid;
}

void stream_read_counts(const struct stream *stream, uint64_t *ret_batches, uint64_t *ret_rows)
{
	*ret_batches = stream->batches - stream->gaps;
	*ret_rows = stream->rows;
}

uint32_t stream_epoch(const struct stream *stream)
{
	return stream->epoch;
}

uint64_t stream_payload_max(const struct stream *stream)
{
	return stream->payload_max;
}

bool stream_has_checks(const struct stream *stream)
{
	return stream->mapping.has_checks;
}

bool stream_is_short(const struct stream *stream)
{
	return stream->pages.is_short;
}

bool stream_is_successor(const struct stream *stream)
{
	return stream->is_successor;
}
