/* observer.c: reading beside a stream. Any process; one thread an observer.
 *
 * The producer raises `claimed` (relaxed, then a release fence) before it writes; the observer reads, and then looks at
 * `claimed` behind an acquire fence: where it is more than a ring's length beyond the place of a record, what was read
 * may be half old and half new, and is thrown away. All accesses to the mapping stand inside fault_guard.
 */
#include "plane/observer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crc32c.h"
#include "base/fault.h"
#include "base/held.h"
#include "plane/doorbell.h"
#include "plane/mapping.h"

#define OBSERVER_LOOK_NS  500000000u /* does the path still lead to this file? */
#define OBSERVER_AWAIT_NS 1000000u   /* at the newest place, for the record that comes next */

struct observer {
	struct mapping mapping;
	struct observer_info info;
	char *path;
	uint64_t position; /* behind the last record that was handed out or skipped */
	bool has_begun;    /* last_sequence is one that was found */
	uint64_t last_sequence;
	uint64_t looked_ns;
	struct observer_record current;
	bool has_current; /* its payload may be asked for */
	uint8_t *payload;
	uint64_t payload_capacity;
	struct observer_route *routes[SEGMENT_ROUTES];
};

/* --- inside the guard --------------------------------------------------------------------------------------------- */

static uint64_t load_head(const struct observer *observer)
{
	/* Pairs with the release store in stream_publish. */
	return atomic_load_explicit(&observer->mapping.producer->head, memory_order_acquire);
}

static bool is_intact(const struct observer *observer, uint64_t position)
{
	/* Pairs with the release fence in stream_raise_claimed. */
	atomic_thread_fence(memory_order_acquire);
	return atomic_load_explicit(&observer->mapping.producer->claimed, memory_order_relaxed) <=
	       position + observer->mapping.data_bytes;
}

/* A lap behind is overwritten, also where a `claimed` that somebody scribbled says nothing of it: without that, pads
 * from there to a head far away would be gone through one by one. */
static bool is_there(const struct observer *observer, uint64_t position, uint64_t head)
{
	return head - position <= observer->mapping.data_bytes && is_intact(observer, position);
}

static const uint8_t *place_of(const struct observer *observer, uint64_t position)
{
	return observer->mapping.data + position % observer->mapping.data_bytes;
}

static int explain(const struct observer *observer, const char *what, struct enrg_error *err)
{
	return enrg_error_set(err, ENRG_E_CORRUPT, "%s: record at position %llu: %s", observer->path,
		(unsigned long long)observer->position, what);
}

/* The producer, or whoever else scribbles, may have written anything. */
static int check(const struct observer *observer, const struct record *record, uint64_t head, struct enrg_error *err)
{
	const struct mapping *mapping = &observer->mapping;

	if (record->length < sizeof(*record) || record->length % SEGMENT_LINE || record->length > mapping->data_bytes ||
		record->length > head - observer->position)
		return explain(observer, "length outside what is published", err);
	if (record->type < RECORD_DATA || record->type > RECORD_RUN)
		return explain(observer, "unknown type", err);
	if (mapping->has_checks && crc32c(0, record, offsetof(struct record, header_crc)) != record->header_crc)
		return explain(observer, "header CRC wrong", err);
	if (record->type != RECORD_PAD && (uint64_t)record->lead_bytes + record->meta_bytes + record->body_bytes >
						  record->length - sizeof(*record))
		return explain(observer, "payload longer than its record", err);
	return 0;
}

/* A producer whose consumers keep up goes round in a small part of its ring: what it wrote some 100 µs ago is
 * overwritten, and whoever looks now and then would always come too late. So who was overtaken waits here for the next
 * record. */
static uint64_t await_newer(const struct observer *observer, uint64_t head)
{
	uint64_t started_ns = clock_mono_ns(), newer = head;

	while (newer == head && clock_mono_ns() - started_ns < OBSERVER_AWAIT_NS) {
		for (int i = 0; i < 32 && newer == head; i++) {
			doorbell_pause();
			newer = load_head(observer);
		}
	}
	return newer;
}

struct look {
	struct observer *observer;
	struct enrg_error *err;
};

static int look(void *context)
{
	struct look *call = context;
	struct observer *observer = call->observer;
	struct record *record = &observer->current.header;
	uint64_t head = load_head(observer);

	if (head < observer->position)
		return -ESTALE; /* positions only grow: made anew in place, or scribbled */
	while (observer->position < head) {
		memcpy(record, place_of(observer, observer->position), sizeof(*record));
		if (!is_there(observer, observer->position, head)) {
			observer->position = load_head(observer);
			head = await_newer(observer, observer->position);
			continue;
		}
		int rc = check(observer, record, head, call->err);
		if (rc < 0) {
			observer->position = load_head(observer);
			return rc;
		}
		observer->current.position = observer->position;
		observer->position += record->length;
		/* No batch: it is neither handed out nor missed. */
		if (record->type == RECORD_RUN && record->sequence == observer->last_sequence + 1)
			observer->last_sequence++;
		if (record->type != RECORD_PAD && record->type != RECORD_RUN)
			return 1;
	}
	return 0;
}

static int copy(void *context)
{
	struct look *call = context;
	struct observer *observer = call->observer;
	const struct record *record = &observer->current.header;
	const uint8_t *from = place_of(observer, observer->current.position) + sizeof(*record) + record->lead_bytes;

	if (!is_intact(observer, observer->current.position)) /* nothing may lie there any more, not even a page */
		return -EOVERFLOW;
	memcpy(observer->payload, from, (size_t)record->meta_bytes + record->body_bytes);
	return is_intact(observer, observer->current.position) ? 0 : -EOVERFLOW;
}

struct route_look {
	struct observer *observer;
	uint16_t route;
	struct observer_route *copy; /* out */
};

static int copy_route(void *context)
{
	struct route_look *call = context;
	const struct mapping *mapping = &call->observer->mapping;
	/* Pairs with the release in stream_add_route. */
	uint32_t count = atomic_load_explicit(&mapping->producer->route_count, memory_order_acquire);

	if (call->route >= count || call->route >= SEGMENT_ROUTES)
		return ENRG_E_CORRUPT;
	const struct segment_route *entry = &mapping->routes[call->route];
	uint32_t offset = entry->schema_offset, bytes = entry->schema_bytes;

	if (offset > SEGMENT_ARENA_BYTES || bytes > SEGMENT_ARENA_BYTES - offset)
		return ENRG_E_CORRUPT;
	call->copy = malloc(sizeof(*call->copy) + bytes);
	if (!call->copy)
		return -ENOMEM;
	call->copy->group = entry->group;
	call->copy->schema = entry->schema;
	call->copy->flags = entry->flags;
	memcpy(call->copy->tag, entry->tag, sizeof(call->copy->tag));
	call->copy->schema_bytes = bytes;
	memcpy(call->copy->schema_ipc, mapping->arena + offset, bytes);
	return memchr(call->copy->tag, 0, sizeof(call->copy->tag)) ? 0 : ENRG_E_CORRUPT;
}

static int open_file(void *context)
{
	struct look *call = context;
	struct observer *observer = call->observer;
	int rc = mapping_open(&observer->mapping, observer->path, MAPPING_OBSERVER, call->err);

	if (rc < 0)
		return rc;
	const struct segment_header *header = observer->mapping.header;

	memcpy(observer->info.source, header->source, sizeof(header->source));
	memcpy(observer->info.run, header->run, sizeof(header->run));
	memcpy(observer->info.supervisor, header->supervisor, sizeof(header->supervisor));
	memcpy(observer->info.uuid, header->uuid, sizeof(header->uuid));
	observer->info.source[sizeof(header->source) - 1] = 0;
	observer->info.run[sizeof(header->run) - 1] = 0;
	observer->info.supervisor[sizeof(header->supervisor) - 1] = 0;
	observer->position = load_head(observer);
	return 0;
}

static int look_at_end(void *context)
{
	struct look *call = context;
	const struct mapping *mapping = &call->observer->mapping;

	return atomic_load_explicit(&mapping->producer->is_closed, memory_order_acquire) &&
	       load_head(call->observer) <= call->observer->position;
}

struct count_look {
	const struct observer *observer;
	struct observer_tally tally; /* out */
};

static int look_at_tally(void *context)
{
	struct count_look *call = context;
	const struct mapping *mapping = &call->observer->mapping;
	uint64_t head = load_head(call->observer);

	for (int i = 0; i < 10; i++) {
		const struct segment_tally *tally = &mapping->producer->tally[mapping_tally(mapping->producer, head)];
		uint64_t position = atomic_load_explicit(&tally->position, memory_order_acquire);
		uint64_t others = atomic_load_explicit(&tally->gaps, memory_order_relaxed);
		call->tally.sequence = atomic_load_explicit(&tally->sequence, memory_order_relaxed);
		call->tally.batches = atomic_load_explicit(&tally->batches, memory_order_relaxed) - others;
		call->tally.rows = atomic_load_explicit(&tally->rows, memory_order_relaxed);
		call->tally.bytes = atomic_load_explicit(&tally->bytes, memory_order_relaxed);
		/* Pairs with the release fence in write_tally: had it been written anew, its position would not be
		 * that. */
		atomic_thread_fence(memory_order_acquire);
		if (position == head && atomic_load_explicit(&tally->position, memory_order_relaxed) == head)
			break;
		uint64_t now = load_head(call->observer);
		if (now == head)
			break;
		head = now;
	}
	return 0;
}

static int go_to_head(void *context)
{
	struct look *call = context;

	call->observer->position = load_head(call->observer);
	return 0;
}

/* --- calls -------------------------------------------------------------------------------------------------------- */

static int guard(int (*function)(void *context), void *context)
{
	int rc = fault_guard(function, context);

	return rc == -EFAULT ? -ESTALE : rc; /* there is less file than was mapped */
}

int observer_open(const char *path, struct observer **ret_observer, struct enrg_error *err)
{
	struct observer *observer = calloc(1, sizeof(*observer));
	struct look call = {observer, err};

	if (!observer || !(observer->path = strdup(path))) {
		free(observer);
		return enrg_error_set(err, -ENOMEM, "%s: out of memory", path);
	}
	int rc = guard(open_file, &call);
	if (rc == -ESTALE)
		rc = enrg_error_set(err, ENRG_E_CORRUPT, "%s: cut short while it was opened", path);
	if (rc < 0) {
		observer_close(observer);
		return rc;
	}
	observer->looked_ns = clock_mono_ns();
	*ret_observer = observer;
	return 0;
}

void observer_close(struct observer *observer)
{
	if (!observer)
		return;
	for (size_t i = 0; i < SEGMENT_ROUTES; i++)
		free(observer->routes[i]);
	mapping_close(&observer->mapping);
	free(observer->payload);
	free(observer->path);
	free(observer);
}

const struct observer_info *observer_info(const struct observer *observer)
{
	return &observer->info;
}

/* Nothing new: because nobody writes there any more? */
static int look_at_path(struct observer *observer, struct enrg_error *err)
{
	uint64_t now = clock_mono_ns();

	if (now - observer->looked_ns < OBSERVER_LOOK_NS)
		return 0;
	observer->looked_ns = now;
	enum held_finding finding = held_look(observer->mapping.descriptor, observer->path,
		observer->mapping.data_at + observer->mapping.data_bytes, NULL);
	if (finding == HELD_SAME)
		return 0;
	return enrg_error_set(err, -ESTALE, "%s %s", observer->path, held_describe(finding));
}

int observer_next(struct observer *observer, struct observer_record *ret_record, struct enrg_error *err)
{
	struct look call = {observer, err};
	int rc = guard(look, &call);

	observer->has_current = rc == 1;
	if (rc == -ESTALE)
		return enrg_error_set(err, -ESTALE, "%s: was cut or made anew", observer->path);
	if (rc == 0)
		return look_at_path(observer, err);
	if (rc < 0)
		return rc;
	struct observer_record *current = &observer->current;

	current->skipped = observer->has_begun && current->header.sequence > observer->last_sequence + 1
				   ? current->header.sequence - observer->last_sequence - 1
				   : 0;
	observer->has_begun = true;
	observer->last_sequence = current->header.sequence;
	*ret_record = *current;
	return 1;
}

static int make_room(struct observer *observer, uint64_t bytes)
{
	if (bytes <= observer->payload_capacity)
		return 0;
	uint8_t *payload = aligned_alloc(SEGMENT_LINE, (bytes + SEGMENT_LINE - 1) & ~(uint64_t)(SEGMENT_LINE - 1));

	if (!payload)
		return -ENOMEM;
	free(observer->payload);
	observer->payload = payload;
	observer->payload_capacity = bytes;
	return 0;
}

static int check_payload(const struct observer *observer, struct enrg_error *err)
{
	const struct record *record = &observer->current.header;

	if (!observer->mapping.has_checks)
		return 0;
	if (crc32c(0, observer->payload, record->meta_bytes) == record->meta_crc &&
		crc32c(0, observer->payload + record->meta_bytes, record->body_bytes) == record->body_crc)
		return 0;
	return enrg_error_set(
		err, ENRG_E_CORRUPT, "%s: batch %llu: CRC wrong", observer->path, (unsigned long long)record->sequence);
}

int observer_copy(struct observer *observer, const uint8_t **ret_payload, struct enrg_error *err)
{
	const struct record *record = &observer->current.header;
	struct look call = {observer, err};

	if (!observer->has_current)
		return enrg_error_set(err, -EINVAL, "%s: no record was asked for", observer->path);
	int rc = make_room(observer, (uint64_t)record->meta_bytes + record->body_bytes);
	if (rc == 0)
		rc = guard(copy, &call);
	if (rc == -EOVERFLOW)
		observer->last_sequence = record->sequence - 1; /* it was not handed over: missed like the next ones */
	if (rc < 0)
		return enrg_error_set(err, rc, "%s: batch %llu: %s", observer->path,
			(unsigned long long)record->sequence, enrg_error_name(rc));
	rc = check_payload(observer, err);
	if (rc == 0)
		*ret_payload = observer->payload;
	return rc;
}

void observer_skip(struct observer *observer)
{
	struct look call = {observer, NULL};

	observer->has_current = false;
	(void)guard(go_to_head, &call); /* a file that was cut is found by the next call */
}

int observer_route(struct observer *observer, uint16_t route, const struct observer_route **ret_route)
{
	struct route_look call = {observer, route, NULL};

	if (route < SEGMENT_ROUTES && !observer->routes[route]) {
		int rc = guard(copy_route, &call);
		if (rc < 0) {
			free(call.copy);
			return rc;
		}
		observer->routes[route] = call.copy;
	}
	if (route >= SEGMENT_ROUTES)
		return ENRG_E_CORRUPT;
	*ret_route = observer->routes[route];
	return 0;
}

bool observer_is_at_end(struct observer *observer)
{
	struct look call = {observer, NULL};

	return guard(look_at_end, &call) == 1;
}

void observer_get_tally(struct observer *observer, struct observer_tally *ret_tally)
{
	struct count_look call = {.observer = observer};

	(void)guard(look_at_tally, &call); /* a file that was cut is found by the next call of observer_next */
	*ret_tally = call.tally;
}

uint64_t observer_published(struct observer *observer)
{
	struct observer_tally tally;

	observer_get_tally(observer, &tally);
	return tally.sequence;
}

void observer_swap(struct observer *observer, uint8_t **buffer, uint64_t *capacity)
{
	uint8_t *payload = observer->payload;
	uint64_t bytes = observer->payload_capacity;

	observer->payload = *buffer;
	observer->payload_capacity = *capacity;
	*buffer = payload;
	*capacity = bytes;
}
