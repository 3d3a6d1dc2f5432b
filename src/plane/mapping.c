/* mapping.c: opening, checking, mapping and locking a stream's file. Whatever another process wrote into the file, a
 * wrong length or magic is an error here and never a fault later. */
#include "plane/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/held.h"

int mapping_check_header(const struct segment_header *header, uint64_t file_bytes, uint64_t data_at, const char *path,
	struct enrg_error *err)
{
	if (header->magic != SEGMENT_MAGIC)
		return enrg_error_set(err, ENRG_E_CORRUPT, "%s: not a stream file", path);
	if (header->version < 1 || header->version > SEGMENT_VERSION)
		return enrg_error_set(err, ENRG_E_CORRUPT, "%s: stream version %u, this program reads up to %u", path,
			header->version, SEGMENT_VERSION);
	if (header->file_bytes != file_bytes || header->data_offset != data_at || header->data_bytes % SEGMENT_PAGE ||
		header->data_bytes == 0 || header->data_bytes > file_bytes ||
		header->data_bytes + data_at != file_bytes || header->record_bytes_max > header->data_bytes ||
		header->record_bytes_max < sizeof(struct record))
		return enrg_error_set(err, ENRG_E_CORRUPT, "%s: lengths in the header do not fit the file", path);
	if (!memchr(header->source, 0, sizeof(header->source)) || !memchr(header->run, 0, sizeof(header->run)) ||
		!memchr(header->supervisor, 0, sizeof(header->supervisor)))
		return enrg_error_set(err, ENRG_E_CORRUPT, "%s: a name in the header does not end", path);
	return 0;
}

/* Twice back to back, so that a record may run over the end. Nothing is mapped in advance: that would allocate pages
 * which the producer has not asked for. */
static int map_data(struct mapping *mapping, const char *path, enum mapping_use use, struct enrg_error *err)
{
	size_t bytes = mapping->data_bytes;
	int protection = use == MAPPING_WRITER ? PROT_READ | PROT_WRITE : PROT_READ;
	uint8_t *both = mmap(NULL, 2 * bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (both == MAP_FAILED)
		return enrg_error_set(err, -errno, "%s: no address space for %zu bytes", path, 2 * bytes);
	mapping->data = both;
	for (int i = 0; i < 2; i++) {
		void *at = mmap(both + (size_t)i * bytes, bytes, protection, MAP_SHARED | MAP_FIXED,
			mapping->descriptor, (off_t)mapping->data_at);
		if (at == MAP_FAILED)
			return enrg_error_set(err, -errno, "%s: can't map: %s", path, enrg_error_name(-errno));
	}
	return 0;
}

void mapping_place(struct mapping *mapping, uint32_t version)
{
	bool is_first = version <= SEGMENT_VERSION_RUNS;

	mapping->data_at = is_first ? SEGMENT_DATA_AT_1 : SEGMENT_DATA_AT;
	mapping->consumers_max = is_first ? SEGMENT_FIRST : SEGMENT_CONSUMERS;
}

static int find_data(struct mapping *mapping, const char *path, struct enrg_error *err)
{
	struct segment_header header;
	ssize_t count = pread(mapping->descriptor, &header, sizeof(header), 0);

	if (count < 0)
		return enrg_error_set(err, -errno, "%s: %s", path, enrg_error_name(-errno));
	mapping_place(mapping, count == (ssize_t)sizeof(header) ? header.version : SEGMENT_VERSION);
	return 0;
}

static int map_control(struct mapping *mapping, const char *path, enum mapping_use use, struct enrg_error *err)
{
	int protection = use == MAPPING_OBSERVER ? PROT_READ : PROT_READ | PROT_WRITE;
	struct stat status;

	if (fstat(mapping->descriptor, &status) < 0)
		return enrg_error_set(err, -errno, "%s: %s", path, enrg_error_name(-errno));
	if (!S_ISREG(status.st_mode))
		return enrg_error_set(err, ENRG_E_CORRUPT, "%s: not a stream file", path);
	int rc = find_data(mapping, path, err);
	if (rc < 0)
		return rc;
	if (status.st_size <= (off_t)mapping->data_at)
		return enrg_error_set(err, ENRG_E_CORRUPT, "%s: not a stream file (too short)", path);
	mapping->control = mmap(NULL, mapping->data_at, protection, MAP_SHARED, mapping->descriptor, 0);
	if (mapping->control == MAP_FAILED) {
		mapping->control = NULL;
		return enrg_error_set(err, -errno, "%s: can't map: %s", path, enrg_error_name(-errno));
	}
	mapping->header = (const struct segment_header *)mapping->control;
	rc = mapping_check_header(mapping->header, (uint64_t)status.st_size, mapping->data_at, path, err);
	if (rc < 0)
		return rc;
	mapping->producer = (struct segment_producer *)(mapping->control + SEGMENT_PRODUCER_AT);
	mapping->routes = (struct segment_route *)(mapping->control + SEGMENT_ROUTES_AT);
	mapping->arena = mapping->control + SEGMENT_ARENA_AT;
	mapping->data_bytes = (uint64_t)status.st_size - mapping->data_at;
	mapping->record_bytes_max = mapping->header->record_bytes_max;
	mapping->has_checks = mapping->header->flags & SEGMENT_CHECKS;
	return 0;
}

int mapping_open(struct mapping *mapping, const char *path, enum mapping_use use, struct enrg_error *err)
{
	memset(mapping, 0, sizeof(*mapping));
	mapping->descriptor = held_open(path, use == MAPPING_OBSERVER ? O_RDONLY : O_RDWR);
	if (mapping->descriptor < 0)
		return enrg_error_set(err, -errno, "%s: %s", path, enrg_error_name(-errno));
	int rc = map_control(mapping, path, use, err);
	if (rc == 0 && use != MAPPING_CONTROL)
		rc = map_data(mapping, path, use, err);
	if (rc < 0)
		mapping_close(mapping);
	return rc;
}

void mapping_close(struct mapping *mapping)
{
	if (mapping->data)
		munmap(mapping->data, 2 * mapping->data_bytes);
	if (mapping->control)
		munmap(mapping->control, mapping->data_at);
	if (mapping->descriptor > 0)
		close(mapping->descriptor);
	memset(mapping, 0, sizeof(*mapping));
}

int mapping_allocate(const struct mapping *mapping, uint64_t at, uint64_t bytes)
{
	/* A file that somebody cut short stays short: KEEP_SIZE. */
	while (fallocate(mapping->descriptor, FALLOC_FL_KEEP_SIZE, (off_t)at, (off_t)bytes) < 0) {
		if (errno == ENOSPC || errno == ENOMEM || errno == EDQUOT)
			return -ENOSPC;
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

uint32_t mapping_consumer_count(const struct mapping *mapping)
{
	/* Pairs with the release in stream_join: the pages are there. */
	uint32_t limit = atomic_load_explicit(&mapping->producer->consumer_limit, memory_order_acquire);

	if (limit <= SEGMENT_FIRST)
		return SEGMENT_FIRST;
	return limit < mapping->consumers_max ? limit : mapping->consumers_max;
}

struct segment_consumer *mapping_consumer(const struct mapping *mapping, uint32_t index)
{
	return (struct segment_consumer *)(mapping->control + mapping_consumer_at(index));
}

static void copy(_Atomic uint64_t *to, const _Atomic uint64_t *from)
{
	atomic_store_explicit(to, atomic_load_explicit(from, memory_order_relaxed), memory_order_relaxed);
}

void mapping_admit(const struct mapping *mapping, struct segment_consumer *slot, uint64_t head)
{
	const struct segment_tally *tally = &mapping->producer->tally[mapping_tally(mapping->producer, head)];

	copy(&slot->joined.sequence, &tally->sequence);
	copy(&slot->joined.batches, &tally->batches);
	copy(&slot->joined.rows, &tally->rows);
	copy(&slot->joined.bytes, &tally->bytes);
	copy(&slot->joined.gaps, &tally->gaps);
	atomic_store_explicit(&slot->joined.position, head, memory_order_relaxed);
	atomic_store_explicit(&slot->mark, 0, memory_order_relaxed);
	atomic_store_explicit(&slot->ack, head, memory_order_relaxed);
	/* Pairs with the acquire loads of kind: who sees it sees name, ack and what had been published. */
	atomic_store_explicit(&slot->kind, CONSUMER_REQUIRED, memory_order_release);
}

static struct flock lock_of(short type, uint32_t byte)
{
	return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)byte, .l_len = 1};
}

int mapping_lock(const struct mapping *mapping, uint32_t byte)
{
	struct flock lock = lock_of(F_WRLCK, byte);

	if (fcntl(mapping->descriptor, F_OFD_SETLK, &lock) == 0)
		return 0;
	return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
}

void mapping_unlock(const struct mapping *mapping, uint32_t byte)
{
	struct flock lock = lock_of(F_UNLCK, byte);

	fcntl(mapping->descriptor, F_OFD_SETLK, &lock);
}

bool mapping_is_locked(const struct mapping *mapping, uint32_t byte)
{
	struct flock lock = lock_of(F_WRLCK, byte);

	return fcntl(mapping->descriptor, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

unsigned mapping_tally(const struct segment_producer *producer, uint64_t head)
{
	const struct segment_tally *tally = producer->tally;
	uint64_t first = atomic_load_explicit(&tally[0].position, memory_order_acquire);
	uint64_t second = atomic_load_explicit(&tally[1].position, memory_order_acquire);

	if (first > head)
		return 1;
	return second <= head && second > first ? 1 : 0;
}

uint64_t mapping_route_sequence(const struct segment_route *route, uint64_t head)
{
	uint64_t first = atomic_load_explicit(&route->last[0].position, memory_order_acquire);
	uint64_t second = atomic_load_explicit(&route->last[1].position, memory_order_acquire);
	unsigned which = first > head || (second <= head && second > first);

	return atomic_load_explicit(&route->last[which].sequence, memory_order_relaxed);
}
