/* consumer.c: the consumer's side of a stream. One thread a consumer.
 *
 * A consumer trusts nothing that it reads: every record header is copied first and checked against head and the size of
 * the data area, so that a producer that scribbles can make it report corruption but never read outside its mapping.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crc32c.h"
#include "base/fault.h"
#include "plane/consumer_state.h"
#include "plane/doorbell.h"
#include "plane/pair.h"

#define PREFETCH_BYTES  896u
#define DISTANCE_LOOKS  2
#define DISTANCE_PAUSES 384
#define FAR_BYTES       (1536u << 10)
#define FAR_LOOKS       64
#define FAR_PAUSES      16
#define FAR_GAIN_BYTES  (4u << 10)

static_assert(offsetof(struct consumer_record, payload) == 8 && offsetof(struct consumer_record, end) == 24, "pairs");

/* --- opening
 * ---------------------------------------------------------------------------------------------------------- */

static int lock_slot(struct consumer *consumer, uint32_t index)
{
	int rc = mapping_lock(&consumer->mapping, LOCK_CONSUMER + index);

	if (rc < 0)
		return rc;
	consumer->index = index;
	consumer->slot = mapping_consumer(&consumer->mapping, index);
	return 0;
}

static int take_required(struct consumer *consumer, const char *path, const char *name, struct enrg_error *err)
{
	for (uint32_t i = 0, count = mapping_consumer_count(&consumer->mapping); i < count; i++) {
		struct segment_consumer *slot = mapping_consumer(&consumer->mapping, i);
		if (atomic_load_explicit(&slot->kind, memory_order_acquire) != CONSUMER_REQUIRED ||
			strncmp(slot->name, name, sizeof(slot->name)) != 0)
			continue;
		if (lock_slot(consumer, i) == 0)
			return 0;
		return enrg_error_set(err, -EBUSY, "%s: consumer %s is process %u", path, name,
			atomic_load_explicit(&slot->pid, memory_order_relaxed));
	}
	return enrg_error_set(err, -ENOENT, "%s: has no consumer %s", path, name);
}

static int set_start(struct consumer *consumer, const char *path, uint64_t position, struct enrg_error *err)
{
	uint64_t ack = atomic_load_explicit(&consumer->slot->ack, memory_order_acquire);

	consumer->head = atomic_load_explicit(&consumer->mapping.producer->head, memory_order_acquire);
	if (position == UINT64_MAX)
		position = ack;
	if (position < ack || position > consumer->head || position % SEGMENT_LINE)
		return enrg_error_set(err, ENRG_E_CORRUPT,
			"%s: position %llu is outside what the stream holds (%llu to %llu)", path,
			(unsigned long long)position, (unsigned long long)ack, (unsigned long long)consumer->head);
	consumer->position = position;
	consumer->offset = position % consumer->mapping.data_bytes;
	/* Tickets go on where the last life stopped: one that was rung for must not come again. */
	consumer->ticket = (atomic_load_explicit(&consumer->slot->is_waiting, memory_order_relaxed) | 1u) + 1;
	atomic_store_explicit(&consumer->slot->is_waiting, consumer->ticket, memory_order_relaxed);
	atomic_store_explicit(&consumer->slot->pid, (uint32_t)getpid(), memory_order_release);
	return 0;
}

struct opening {
	struct consumer *consumer;
	const char *path, *name;
	uint64_t position;
	struct enrg_error *err;
};

static int open_slot(void *context)
{
	struct opening *opening = context;
	struct consumer *consumer = opening->consumer;
	int rc = mapping_open(&consumer->mapping, opening->path, MAPPING_READER, opening->err);

	if (rc == 0)
		rc = take_required(consumer, opening->path, opening->name, opening->err);
	return rc < 0 ? rc : set_start(consumer, opening->path, opening->position, opening->err);
}

int consumer_open(
	const char *path, const char *name, uint64_t position, struct consumer **ret_consumer, struct enrg_error *err)
{
	struct consumer *consumer = aligned_alloc(_Alignof(struct consumer), sizeof(*consumer));
	struct opening opening = {consumer, path, name, position, err};

	if (!consumer)
		return enrg_error_set(err, -ENOMEM, "%s: out of memory", path);
	memset(consumer, 0, sizeof(*consumer));
	int rc = fault_guard(open_slot, &opening);
	if (rc == -EFAULT)
		rc = enrg_error_set(err, ENRG_E_CORRUPT, "%s: cut short while it was opened", path);
	if (rc < 0) {
		mapping_close(&consumer->mapping);
		free(consumer);
		return rc;
	}
	*ret_consumer = consumer;
	return 0;
}

void consumer_close(struct consumer *consumer)
{
	if (!consumer)
		return;
	mapping_close(&consumer->mapping);
	free(consumer->glances);
	free(consumer);
}

/* --- reading
 * ---------------------------------------------------------------------------------------------------------- */

static void advance(struct consumer *consumer, uint64_t bytes)
{
	consumer->position += bytes;
	consumer->offset += bytes;
	if (consumer->offset >= consumer->mapping.data_bytes)
		consumer->offset -= consumer->mapping.data_bytes;
}

/* Each look at `head`, and each record read from a line that the producer is about to write again, costs the producer a
 * round trip. A consumer that finds hardly anything new, look after look, is too close behind: it lets the producer
 * gain ground, for less time than a wake-up takes. (64-byte records one by one: from 110 to 23 ns each.) */
static void keep_distance(const struct consumer *consumer)
{
	if (consumer->short_steps < SHORT_STEPS || consumer->has_siblings)
		return;
	for (int look = 0; look < DISTANCE_LOOKS && consumer_load_head(consumer) - consumer->head < SHORT_STEP_BYTES;
		look++)
		for (int i = 0; i < DISTANCE_PAUSES; i++)
			doorbell_pause();
}

/* Who reads many small records at once is slower, three times, while they come out of the producer's own cache; behind
 * that they come out of the one that both share. So it lets a producer that writes that fast get ahead. */
static void keep_far_distance(const struct consumer *consumer)
{
	uint64_t seen = consumer_load_head(consumer);

	if (consumer->has_siblings)
		return;
	for (int look = 0; look < FAR_LOOKS && seen - consumer->position < FAR_BYTES; look++) {
		for (int i = 0; i < FAR_PAUSES; i++)
			doorbell_pause();
		uint64_t head = consumer_load_head(consumer);
		if (head - seen < FAR_GAIN_BYTES)
			return;
		seen = head;
	}
}

static int explain_corrupt(
	const struct consumer *consumer, const struct record *record, const char *what, struct enrg_error *err)
{
	return enrg_error_set(err, ENRG_E_CORRUPT, "%s: record at position %llu (sequence %llu): %s",
		consumer->mapping.header->source, (unsigned long long)consumer->position,
		(unsigned long long)record->sequence, what);
}

/* Can the record's length be trusted, so that what stands behind it can be found? */
static bool has_length(const struct consumer *consumer, const struct record *record)
{
	return record->length >= sizeof(*record) && record->length % SEGMENT_LINE == 0 &&
	       record->length <= consumer->mapping.data_bytes && /* head may be scribbled as well */
	       record->length <= consumer->head - consumer->position;
}

static inline int check_record(const struct consumer *consumer, const struct record *record, struct enrg_error *err)
{
	if (!has_length(consumer, record))
		return explain_corrupt(consumer, record, "length outside what is published", err);
	if (record->type < RECORD_DATA || record->type > RECORD_RUN)
		return explain_corrupt(consumer, record, "unknown type", err);
	if (consumer->mapping.has_checks &&
		crc32c_small(0, record, offsetof(struct record, header_crc)) != record->header_crc)
		return explain_corrupt(consumer, record, "header CRC wrong", err);
	if (record->type == RECORD_PAD)
		return 0;
	if (record->length > consumer->mapping.record_bytes_max ||
		(uint64_t)record->lead_bytes + record->meta_bytes + record->body_bytes >
			record->length - sizeof(*record))
		return explain_corrupt(consumer, record, "payload longer than its record", err);
	return 0;
}

/* Small records come from the other core's cache line by line; fetching some ahead hides that (three times the rate of
 * 64-byte records). A large one pays two instructions. */
static void prefetch_small(const struct consumer *consumer)
{
	const uint8_t *ahead = consumer->mapping.data + consumer->offset + PREFETCH_BYTES;

	if (consumer->head - consumer->position <= PREFETCH_BYTES + 2 * SEGMENT_LINE)
		return;
	__builtin_prefetch(ahead);
	__builtin_prefetch(ahead + SEGMENT_LINE);
}

/* One look behind the last record: 1 a record, 0 a pad was stepped over, negative as consumer_acquire. */
static inline int take_record(
	struct consumer *consumer, struct record *record, struct consumer_record *ret_record, struct enrg_error *err)
{
	memcpy(record, consumer->mapping.data + consumer->offset, sizeof(*record));
	int rc = check_record(consumer, record, err);
	if (rc < 0)
		return rc;
	if (record->type == RECORD_PAD) {
		advance(consumer, record->length);
		return 0;
	}
	ret_record->header = record;
	ret_record->payload = consumer->mapping.data + consumer->offset + sizeof(*record) + record->lead_bytes;
	ret_record->position = consumer->position;
	advance(consumer, record->length);
	ret_record->end = consumer->position;
	return 1;
}

static inline bool has_more(struct consumer *consumer)
{
	if (consumer->position < consumer->head)
		return true;
	keep_distance(consumer);
	return consumer_refresh(consumer);
}

int consumer_acquire(struct consumer *consumer, struct consumer_record *ret_record, struct enrg_error *err)
{
	int taken = 0;

	while (taken == 0 && has_more(consumer)) {
		prefetch_small(consumer);
		taken = take_record(consumer, &consumer->current, ret_record, err);
	}
	return taken;
}

/* The next records, as long as they differ from `alike` (copied and checked before) in nothing that a check looks at:
 * how many were taken. The place of each follows from the one length, not from what was just read, so that the reads of
 * many records overlap; and most goes by pairs of words. Five times the rate of take_record. */
static uint32_t take_alike(struct consumer *consumer, const struct record *alike, struct record *headers,
	struct consumer_record *ret_records, uint32_t count)
{
	const uint64_t *words = (const uint64_t *)(const void *)alike, form = words[0], sizes = words[5],
		       body = words[6];
	const uint64_t length = alike->length, left = consumer->head - consumer->position;
	const uint64_t lap = consumer->mapping.data_bytes - consumer->offset + length - 1;
	const struct pair where_step = pair_make(sizeof(*headers), length), span_step = pair_make(length, length);
	const uint8_t *from = consumer->mapping.data + consumer->offset;
	/* Behind it there is no whole record that is published and begins before the ring's end. */
	const uint8_t *end = from + (left < lap ? left : lap);
	struct pair where = pair_make((uintptr_t)headers, (uintptr_t)from + sizeof(*alike) + alike->lead_bytes);
	struct pair span = pair_make(consumer->position, consumer->position + length);
	/* As prefetch_small, where little is published at a time; where much is, the hardware does it better. */
	const bool prefetches = consumer->short_steps >= SHORT_STEPS && length <= 4 * SEGMENT_LINE;
	uint32_t got = 0;

	for (; got < count && from + length <= end; got++, from += length) {
		if (prefetches) {
			__builtin_prefetch(from + PREFETCH_BYTES);
			__builtin_prefetch(from + PREFETCH_BYTES + SEGMENT_LINE);
		}
		const struct pair a = pair_load(from, 0), b = pair_load(from, 1), c = pair_load(from, 2);
		const struct pair d = pair_load(from, 3);
		if (a.words[0] != form || c.words[1] != sizes || d.words[0] != body)
			break;
		pair_store(&headers[got], 0, a);
		pair_store(&headers[got], 1, b);
		pair_store(&headers[got], 2, c);
		pair_store(&headers[got], 3, d);
		pair_store(&ret_records[got], 0, where); /* header, payload */
		pair_store(&ret_records[got], 1, span);  /* position, end */
		where = pair_add(where, where_step);
		span = pair_add(span, span_step);
	}
	advance(consumer, got * length);
	return got;
}

int consumer_acquire_many(
	struct consumer *consumer, struct consumer_record *ret_records, uint32_t count, struct enrg_error *err)
{
	bool is_simple = !consumer->mapping.has_checks;
	uint32_t got = 0;

	count = count < CONSUMER_MANY ? count : CONSUMER_MANY;
	if (consumer->position >= consumer->head)
		keep_far_distance(consumer);
	if (!has_more(consumer))
		return 0;
	while (got < count && consumer->position < consumer->head) {
		struct record *header = &consumer->many[got];
		uint32_t taken = is_simple && consumer->alike.length ? take_alike(consumer, &consumer->alike, header,
									       &ret_records[got], count - got)
								     : 0;
		got += taken;
		if (taken)
			continue;
		int rc = take_record(consumer, header, &ret_records[got], got ? NULL : err);
		if (rc < 0 && got == 0) {
			consumer->current = *header; /* what consumer_skip goes by */
			return rc;
		}
		if (rc < 0)
			break; /* is found again by the next call */
		if (rc)
			consumer->alike = *header;
		got += (uint32_t)rc;
	}
	return (int)got;
}

int consumer_check(const struct consumer *consumer, const struct consumer_record *record, struct enrg_error *err)
{
	const struct record *header = record->header;

	if (!consumer->mapping.has_checks)
		return 0;
	if (crc32c(0, record->payload, header->meta_bytes) != header->meta_crc)
		return explain_corrupt(consumer, header, "metadata CRC wrong", err);
	if (crc32c(0, record->payload + header->meta_bytes, header->body_bytes) != header->body_crc)
		return explain_corrupt(consumer, header, "body CRC wrong", err);
	return 0;
}

int consumer_skip(struct consumer *consumer)
{
	if (has_length(consumer, &consumer->current)) {
		advance(consumer, consumer->current.length);
		return 0;
	}
	consumer_refresh(consumer);
	consumer->position = consumer->head;
	consumer->offset = consumer->position % consumer->mapping.data_bytes;
	return -ENODATA;
}

int consumer_go_to(struct consumer *consumer, uint64_t position)
{
	consumer_refresh(consumer);
	if (position < atomic_load_explicit(&consumer->slot->ack, memory_order_relaxed) || position > consumer->head)
		return -EINVAL;
	consumer->position = position;
	consumer->offset = position % consumer->mapping.data_bytes;
	return 0;
}

void consumer_release(struct consumer *consumer, uint64_t position, uint64_t mark)
{
	struct segment_producer *producer = consumer->mapping.producer;

	atomic_store_explicit(&consumer->slot->mark, mark, memory_order_relaxed);
	/* Pairs with the acquire load in the producer's slowest_ack: our reading is over before it writes there. */
	atomic_store_explicit(&consumer->slot->ack, position, memory_order_release);
	/* Pairs with the fence in the producer's going to sleep. */
	atomic_thread_fence(memory_order_seq_cst);
	/* Pairs with the release in the producer's sleep_for: `wanted` belongs to this ticket or a later one. */
	uint32_t ticket = atomic_load_explicit(&producer->is_waiting, memory_order_acquire);
	if (!(ticket & 1u) || ticket == consumer->rung ||
		atomic_load_explicit(&producer->wanted, memory_order_relaxed) > position)
		return;
	consumer->rung = ticket;
	atomic_fetch_add_explicit(&producer->bell, 1, memory_order_release);
	doorbell_wake(&producer->bell);
}

/* --- the rest
 * --------------------------------------------------------------------------------------------------------- */

bool consumer_has_seen_more(const struct consumer *consumer)
{
	return consumer->head > consumer->position;
}

const struct segment_header *consumer_header(const struct consumer *consumer)
{
	return consumer->mapping.header;
}

uint64_t consumer_position(const struct consumer *consumer)
{
	return consumer->position;
}

uint64_t consumer_head(const struct consumer *consumer)
{
	return atomic_load_explicit(&consumer->mapping.producer->head, memory_order_acquire);
}

bool consumer_is_closed(const struct consumer *consumer)
{
	return atomic_load_explicit(&consumer->mapping.producer->is_closed, memory_order_acquire) &&
	       consumer_head(consumer) <= consumer->position;
}

uint64_t consumer_room(const struct consumer *consumer)
{
	uint64_t used = consumer_head(consumer) - atomic_load_explicit(&consumer->slot->ack, memory_order_relaxed);

	return used < consumer->mapping.data_bytes ? consumer->mapping.data_bytes - used : 0;
}

int consumer_route(const struct consumer *consumer, uint16_t route, struct consumer_route *ret_route)
{
	/* Pairs with the release in stream_add_route. */
	uint32_t count = atomic_load_explicit(&consumer->mapping.producer->route_count, memory_order_acquire);
	struct segment_route *entry;

	if (route >= count || route >= SEGMENT_ROUTES)
		return ENRG_E_CORRUPT;
	entry = &consumer->mapping.routes[route];
	uint32_t offset = entry->schema_offset, bytes = entry->schema_bytes;
	if (offset > SEGMENT_ARENA_BYTES || bytes > SEGMENT_ARENA_BYTES - offset ||
		!memchr(entry->tag, 0, sizeof(entry->tag)))
		return ENRG_E_CORRUPT;
	*ret_route = (struct consumer_route){
		.group = entry->group,
		.schema = entry->schema,
		.flags = entry->flags,
		.tag = entry->tag,
		.schema_ipc = consumer->mapping.arena + offset,
		.schema_bytes = bytes,
	};
	return 0;
}
