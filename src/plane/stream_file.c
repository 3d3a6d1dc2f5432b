/* stream_file.c: life of a stream's file, seen by the supervisor: creation, consumers, wake-up after a death. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "plane/doorbell.h"
#include "plane/mapping.h"
#include "plane/stream.h"

static uint64_t round_up(uint64_t value, uint64_t multiple)
{
	return (value + multiple - 1) / multiple * multiple;
}

/* The record that holds the largest payload: header, lead to the page boundary, payload. */
static uint64_t record_bytes_for(uint64_t payload_bytes)
{
	return round_up(payload_bytes, SEGMENT_LINE) + SEGMENT_LINE +
	       (payload_bytes >= SEGMENT_ALIGN_FROM ? SEGMENT_PAGE : 0);
}

static int explain_full(const char *path, uint64_t wanted, int rc, struct enrg_error *err)
{
	char folder[4096];
	struct statvfs space;

	snprintf(folder, sizeof(folder), "%s", path);
	char *slash = strrchr(folder, '/');
	if (slash)
		*slash = 0;
	if (statvfs(slash ? folder : ".", &space) < 0)
		return enrg_error_set(err, rc, "%s: %s", path, enrg_error_name(rc));
	return enrg_error_set(err, rc,
		"%s: needs %.1f MB, %s has %.1f MB free: lower ring_buffer_size_mb in supervisor.toml, or enlarge it "
		"(mount -o remount,size=… /dev/shm)",
		path, (double)wanted / 1e6, slash ? folder : ".",
		(double)space.f_bavail * (double)space.f_frsize / 1e6);
}

static int fill_header(int descriptor, const struct stream_params *params, uint64_t data_bytes, struct enrg_error *err)
{
	struct segment_header header = {
		.magic = SEGMENT_MAGIC,
		.version = SEGMENT_VERSION,
		.flags = params->checks ? SEGMENT_CHECKS : 0,
		.file_bytes = SEGMENT_DATA_AT + data_bytes,
		.data_offset = SEGMENT_DATA_AT,
		.data_bytes = data_bytes,
		.record_bytes_max = record_bytes_for(params->record_bytes_max),
		.created_wall_ns = clock_wall_ns(),
	};

	if (getrandom(header.uuid, sizeof(header.uuid), 0) != (ssize_t)sizeof(header.uuid))
		return enrg_error_set(err, -errno, "no random numbers: %s", enrg_error_name(-errno));
	snprintf(header.source, sizeof(header.source), "%s", params->source ? params->source : "");
	snprintf(header.run, sizeof(header.run), "%s", params->run ? params->run : "");
	snprintf(header.supervisor, sizeof(header.supervisor), "%s", params->supervisor ? params->supervisor : "");
	if (pwrite(descriptor, &header, sizeof(header), 0) != (ssize_t)sizeof(header))
		return enrg_error_set(err, -EIO, "%s: can't write the header", params->path);
	return 0;
}

/* Filled, then linked: nobody ever sees half a file, and nothing is left when this process dies here. Pages: those that
 * others look at; the producer allocates routes, schemas and the ring when it needs them. */
static int make_file(int descriptor, const struct stream_params *params, uint64_t data_bytes, struct enrg_error *err)
{
	char self[64];
	int rc = posix_fallocate(descriptor, 0, SEGMENT_ROUTES_AT);

	if (rc)
		return explain_full(params->path, SEGMENT_ROUTES_AT, -rc, err);
	if (ftruncate(descriptor, (off_t)(SEGMENT_DATA_AT + data_bytes)) < 0)
		return enrg_error_set(err, -errno, "%s: %s", params->path, enrg_error_name(-errno));
	rc = fill_header(descriptor, params, data_bytes, err);
	if (rc < 0)
		return rc;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", descriptor);
	if (linkat(AT_FDCWD, self, AT_FDCWD, params->path, AT_SYMLINK_FOLLOW) < 0)
		return enrg_error_set(err, -errno, "%s: %s", params->path, enrg_error_name(-errno));
	return 0;
}

/* That of this machine, since the ring is mapped twice: 4, 16 or 64 KiB. */
static uint64_t page_size(void)
{
	long bytes = sysconf(_SC_PAGESIZE);

	return bytes > (long)SEGMENT_PAGE ? (uint64_t)bytes : SEGMENT_PAGE;
}

int stream_create(const struct stream_params *params, struct enrg_error *err)
{
	uint64_t record_bytes = record_bytes_for(params->record_bytes_max);
	uint64_t page_bytes = page_size();
	uint64_t data_bytes = round_up(params->data_bytes, page_bytes);
	char folder[4096];

	if (params->record_bytes_max > UINT32_MAX / 2)
		return enrg_error_set(err, -EMSGSIZE, "%s: ring_buffer_slot_size_kb: at most 2097151", params->path);
	if (data_bytes < 2 * record_bytes)
		data_bytes = round_up(2 * record_bytes, page_bytes);
	snprintf(folder, sizeof(folder), "%s", params->path);
	char *slash = strrchr(folder, '/');
	if (slash)
		*slash = 0;
	int descriptor = open(slash ? folder : ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (descriptor < 0)
		return enrg_error_set(err, -errno, "%s: %s", folder, enrg_error_name(-errno));
	int rc = make_file(descriptor, params, data_bytes, err);
	close(descriptor);
	return rc;
}

static int find_slot(const struct mapping *mapping, const char *name)
{
	for (uint32_t i = 0, count = mapping_consumer_count(mapping); i < count; i++) {
		const struct segment_consumer *slot = mapping_consumer(mapping, i);
		uint32_t kind = atomic_load_explicit(&slot->kind, memory_order_acquire);
		if ((kind == CONSUMER_REQUIRED || kind == CONSUMER_JOINING) &&
			strncmp(slot->name, name, sizeof(slot->name)) == 0)
			return (int)i;
	}
	return -1;
}

/* A look at a file that its writer may cut short at any moment: see fault.h. */
struct look {
	const char *path;
	const char *name; /* of a consumer */
	struct mapping mapping;
	struct enrg_error *err;
};

/* The mapping is closed here, since a fault leaves `function` in the middle. */
static int take_look(int (*function)(void *context), struct look *look)
{
	int rc = fault_guard(function, look);

	if (rc == -EFAULT)
		enrg_error_set(look->err, ENRG_E_CORRUPT, "%s: cut short while it was read", look->path);
	mapping_close(&look->mapping);
	return rc == -EFAULT ? ENRG_E_CORRUPT : rc;
}

/* Pages for the entries up to `index`, before anybody looks there. */
static int reach_slot(const struct mapping *mapping, uint32_t index)
{
	uint32_t count = mapping_consumer_count(mapping);

	if (index < count)
		return 0;
	/* A page holds four. */
	uint32_t limit = (index / 4 + 1) * 4;
	int rc = mapping_allocate(mapping, SEGMENT_MORE_AT + (uint64_t)(count - SEGMENT_FIRST) * 1024u,
		(uint64_t)(limit - count) * 1024u);
	/* Pairs with the acquire in mapping_consumer_count. */
	if (rc == 0)
		atomic_store_explicit(&mapping->producer->consumer_limit, limit, memory_order_release);
	return rc;
}

/* The entry of that name, or a free one that gets it. Its index; negative: err says why. */
static int take_slot(const struct look *look)
{
	const struct mapping *mapping = &look->mapping;
	int found = find_slot(mapping, look->name);

	if (found >= 0)
		return found;
	if (strlen(look->name) >= sizeof(mapping_consumer(mapping, 0)->name))
		return enrg_error_set(look->err, -ENAMETOOLONG, "%s: no place for consumer %s: name too long",
			look->path, look->name);
	for (uint32_t i = 0; i < mapping->consumers_max; i++) {
		int rc = reach_slot(mapping, i);
		if (rc < 0)
			return enrg_error_set(look->err, rc, "%s: no shared memory for consumer %s: %s", look->path,
				look->name, enrg_error_name(rc));
		struct segment_consumer *slot = mapping_consumer(mapping, i);
		uint32_t kind = atomic_load_explicit(&slot->kind, memory_order_acquire);
		if (kind == CONSUMER_REQUIRED || kind == CONSUMER_JOINING)
			continue;
		snprintf(slot->name, sizeof(slot->name), "%s", look->name);
		return (int)i;
	}
	return enrg_error_set(look->err, -ENOSPC, "%s: no place for consumer %s: %u consumers are there already",
		look->path, look->name, mapping->consumers_max);
}

static void raise_changes(const struct mapping *mapping)
{
	atomic_fetch_add_explicit(&mapping->producer->consumer_changes, 1, memory_order_release);
}

static int add_consumer(void *context)
{
	struct look *look = context;
	const struct mapping *mapping = &look->mapping;
	int rc = mapping_open(&look->mapping, look->path, MAPPING_CONTROL, look->err);

	if (rc == 0)
		rc = take_slot(look);
	if (rc < 0)
		return rc;
	struct segment_consumer *slot = mapping_consumer(mapping, (uint32_t)rc);
	if (atomic_load_explicit(&slot->kind, memory_order_acquire) != CONSUMER_REQUIRED)
		mapping_admit(mapping, slot, atomic_load_explicit(&mapping->producer->head, memory_order_acquire));
	/* Also where the entry was there: who made it may have been killed before this. */
	raise_changes(mapping);
	return 0;
}

int stream_add_consumer(const char *path, const char *name, struct enrg_error *err)
{
	struct look look = {.path = path, .name = name, .err = err};

	return take_look(add_consumer, &look);
}

/* A producer that sleeps on the bell looks at the entries again. One that is not there can't: then this process holds
 * its place for the moment that it takes. 1: the consumer is required; 0: ask again. */
static int join_consumer(void *context)
{
	struct look *look = context;
	const struct mapping *mapping = &look->mapping;
	int rc = mapping_open(&look->mapping, look->path, MAPPING_CONTROL, look->err);

	if (rc == 0)
		rc = take_slot(look);
	if (rc < 0)
		return rc;
	struct segment_consumer *slot = mapping_consumer(mapping, (uint32_t)rc);
	if (atomic_load_explicit(&slot->kind, memory_order_acquire) == CONSUMER_REQUIRED)
		return 1;
	if (mapping_lock(mapping, LOCK_PRODUCER) == 0) { /* closing the file gives it back */
		mapping_admit(mapping, slot, atomic_load_explicit(&mapping->producer->head, memory_order_acquire));
		raise_changes(mapping);
		return 1;
	}
	/* Pairs with the acquire in stream_read_consumers. */
	atomic_store_explicit(&slot->kind, CONSUMER_JOINING, memory_order_release);
	raise_changes(mapping);
	atomic_fetch_add_explicit(&mapping->producer->bell, 1, memory_order_release);
	doorbell_wake(&mapping->producer->bell);
	return 0;
}

int stream_join_consumer(const char *path, const char *name, struct enrg_error *err)
{
	struct look look = {.path = path, .name = name, .err = err};

	return take_look(join_consumer, &look);
}

static int drop_consumer(void *context)
{
	struct look *look = context;
	const struct mapping *mapping = &look->mapping;
	int rc = mapping_open(&look->mapping, look->path, MAPPING_CONTROL, look->err);

	if (rc < 0)
		return rc;
	int slot = find_slot(mapping, look->name);
	if (slot < 0)
		return 0;
	atomic_store_explicit(&mapping_consumer(mapping, (uint32_t)slot)->kind, CONSUMER_FREE, memory_order_release);
	raise_changes(mapping);
	/* A producer that waits for it waits for the others alone from now on. */
	atomic_fetch_add_explicit(&mapping->producer->bell, 1, memory_order_release);
	doorbell_wake(&mapping->producer->bell);
	return 0;
}

int stream_drop_consumer(const char *path, const char *name, struct enrg_error *err)
{
	struct look look = {.path = path, .name = name, .err = err};

	return take_look(drop_consumer, &look);
}

static int drop_joining(void *context)
{
	struct look *look = context;
	const struct mapping *mapping = &look->mapping;
	int rc = mapping_open(&look->mapping, look->path, MAPPING_CONTROL, look->err);

	if (rc < 0)
		return rc;
	for (uint32_t i = 0, count = mapping_consumer_count(mapping); i < count; i++) {
		struct segment_consumer *slot = mapping_consumer(mapping, i);
		if (atomic_load_explicit(&slot->kind, memory_order_acquire) == CONSUMER_JOINING)
			atomic_store_explicit(&slot->kind, CONSUMER_FREE, memory_order_release);
	}
	raise_changes(mapping);
	return 0;
}

int stream_drop_joining(const char *path, struct enrg_error *err)
{
	struct look look = {.path = path, .err = err};

	return take_look(drop_joining, &look);
}

/* Its place is held by this process for the moment that it takes: closing the file gives it back. */
static int open_unused(struct look *look)
{
	int rc = mapping_open(&look->mapping, look->path, MAPPING_CONTROL, look->err);

	if (rc == 0)
		rc = mapping_lock(&look->mapping, LOCK_PRODUCER);
	return rc == -EBUSY ? enrg_error_set(look->err, rc, "%s: its producer runs", look->path) : rc;
}

static int free_pages(void *context)
{
	struct look *look = context;
	int rc = open_unused(look);

	if (rc == 0 && fallocate(look->mapping.descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			       (off_t)look->mapping.data_at, (off_t)look->mapping.data_bytes) < 0)
		rc = enrg_error_set(look->err, -errno, "%s: %s", look->path, enrg_error_name(-errno));
	return rc;
}

int stream_free_pages(const char *path, struct enrg_error *err)
{
	struct look look = {.path = path, .err = err};

	return take_look(free_pages, &look);
}

/* All before the place where the next record begins (stream_pages.c). */
static int get_pages(void *context)
{
	struct look *look = context;
	int rc = open_unused(look);

	if (rc < 0)
		return rc;
	uint64_t head = atomic_load_explicit(&look->mapping.producer->head, memory_order_acquire);
	uint64_t end = round_up(head % look->mapping.data_bytes, page_size());
	rc = end ? mapping_allocate(&look->mapping, look->mapping.data_at, end) : 0;
	return rc < 0 ? explain_full(look->path, end, rc, look->err) : 0;
}

int stream_get_pages(const char *path, struct enrg_error *err)
{
	struct look look = {.path = path, .err = err};

	return take_look(get_pages, &look);
}

static int ring_all(void *context)
{
	struct look *look = context;
	const struct mapping *mapping = &look->mapping;
	int rc = mapping_open(&look->mapping, look->path, MAPPING_CONTROL, look->err);

	if (rc < 0)
		return rc;
	atomic_fetch_add_explicit(&mapping->producer->bell, 1, memory_order_release);
	doorbell_wake(&mapping->producer->bell);
	for (uint32_t i = 0, count = mapping_consumer_count(mapping); i < count; i++) {
		struct segment_consumer *slot = mapping_consumer(mapping, i);
		if (atomic_load_explicit(&slot->kind, memory_order_acquire) != CONSUMER_REQUIRED)
			continue;
		atomic_fetch_add_explicit(&slot->bell, 1, memory_order_release);
		doorbell_wake(&slot->bell);
	}
	return 0;
}

int stream_ring_all(const char *path, struct enrg_error *err)
{
	struct look look = {.path = path, .err = err};

	return take_look(ring_all, &look);
}
