/* stream_look.c: the state of a stream from outside: supervisor, ledger, status. Any process, one thread.
 *
 * Read, not mapped: a mapping of a file is a fault where somebody cuts it short, and a thousand of them, made and given
 * back once a second, cost more than all else that a supervisor of idle jobs does. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/held.h"
#include "plane/mapping.h"
#include "plane/stream.h"
#include "plane/window.h"

#define TRIES 10

#define PRODUCER_BYTES offsetof(struct segment_producer, between) /* what follows is its own */

/* Of a producer page, when its head was `head`. */
struct copy {
	uint64_t head;
	struct segment_producer producer;
};

/* What is read again behind it: the first lines of the page. */
struct copy_check {
	uint64_t head, between[15];
	uint64_t tally[2][8];
};

static_assert(offsetof(struct copy_check, tally) == offsetof(struct segment_producer, tally) &&
		      sizeof(((struct copy_check *)0)->tally) == sizeof(((struct segment_producer *)0)->tally),
	"the same lines");

static uint64_t load(const _Atomic uint64_t *value)
{
	return atomic_load_explicit(value, memory_order_relaxed);
}

static uint32_t load_short(const _Atomic uint32_t *value)
{
	return atomic_load_explicit(value, memory_order_relaxed);
}

static int read_part(
	int descriptor, void *ret_bytes, size_t bytes, uint64_t at, const char *path, struct enrg_error *err)
{
	ssize_t count = pread(descriptor, ret_bytes, bytes, (off_t)at);

	if (count == (ssize_t)bytes)
		return 0;
	if (count < 0)
		return enrg_error_set(err, -errno, "%s: %s", path, enrg_error_name(-errno));
	return enrg_error_set(err, ENRG_E_CORRUPT, "%s: cut short while it was read", path);
}

/* --- the file ----------------------------------------------------------------------------------------------------- */

void stream_look_close(struct stream_look *look)
{
	if (look->descriptor >= 0)
		close(look->descriptor);
	look->descriptor = -1;
}

/* A file that is removed or replaced keeps its descriptor here: the path is asked again. */
static int open_file(struct stream_look *look, const char *path, struct stat *ret_file, struct enrg_error *err)
{
	if (look->descriptor >= 0 && (fstat(look->descriptor, ret_file) < 0 || ret_file->st_nlink == 0))
		stream_look_close(look);
	if (look->descriptor >= 0)
		return 0;
	look->descriptor = held_open(path, O_RDWR); /* as all who ask for locks */
	look->is_listed = false;
	if (look->descriptor < 0 || fstat(look->descriptor, ret_file) < 0)
		return enrg_error_set(err, -errno, "%s: %s", path, enrg_error_name(-errno));
	return 0;
}

static int read_header(const struct stream_look *look, const char *path, const struct stat *file,
	struct mapping *ret_mapping, struct stream_status *ret_status, struct enrg_error *err)
{
	struct segment_header header;

	if (!S_ISREG(file->st_mode) || file->st_size <= (off_t)SEGMENT_DATA_AT_1)
		return enrg_error_set(err, ENRG_E_CORRUPT, "%s: not a stream file (too short)", path);
	int rc = read_part(look->descriptor, &header, sizeof(header), 0, path, err);
	if (rc < 0)
		return rc;
	*ret_mapping = (struct mapping){.descriptor = look->descriptor};
	mapping_place(ret_mapping, header.version);
	rc = mapping_check_header(&header, (uint64_t)file->st_size, ret_mapping->data_at, path, err);
	if (rc < 0)
		return rc;
	static_assert(sizeof(header.source) == sizeof(ret_status->source) &&
			      sizeof(header.run) == sizeof(ret_status->run) &&
			      sizeof(header.supervisor) == sizeof(ret_status->supervisor),
		"the checked texts end");
	memcpy(ret_status->source, header.source, sizeof(ret_status->source));
	memcpy(ret_status->run, header.run, sizeof(ret_status->run));
	memcpy(ret_status->supervisor, header.supervisor, sizeof(ret_status->supervisor));
	memcpy(ret_status->uuid, header.uuid, sizeof(ret_status->uuid));
	ret_status->data_bytes = header.data_bytes;
	ret_status->record_bytes_max = header.record_bytes_max;
	return 0;
}

/* --- producer ----------------------------------------------------------------------------------------------------- */

/* What has not changed while `copy` was read belongs to one moment: head, or the tally of head, which stays for one
 * publication more. Pairs with the fences behind head and in write_tally. */
static bool is_of_one_moment(const struct copy *copy, const struct copy_check *behind)
{
	unsigned which = mapping_tally(&copy->producer, copy->head);
	uint64_t position = load(&copy->producer.tally[which].position);

	return behind->head == copy->head || (position == copy->head && behind->tally[which][0] == position);
}

/* Values of one moment. Where there never is one, of about that of the tally that was published last. */
static int read_producer(int descriptor, struct copy *copy, const char *path, struct enrg_error *err)
{
	struct copy_check behind = {0};
	int rc = read_part(descriptor, &copy->head, sizeof(copy->head), SEGMENT_PRODUCER_AT, path, err);

	for (int i = 0; i < TRIES && rc == 0; i++) {
		atomic_thread_fence(memory_order_acquire);
		rc = read_part(descriptor, &copy->producer, PRODUCER_BYTES, SEGMENT_PRODUCER_AT, path, err);
		atomic_thread_fence(memory_order_acquire);
		if (rc == 0)
			rc = read_part(descriptor, &behind, sizeof(behind), SEGMENT_PRODUCER_AT, path, err);
		if (rc == 0 && is_of_one_moment(copy, &behind))
			return 0;
		copy->head = behind.head;
	}
	if (rc == 0) {
		uint64_t a = load(&copy->producer.tally[0].position), b = load(&copy->producer.tally[1].position);

		copy->head = a == UINT64_MAX || (b != UINT64_MAX && b > a) ? b : a;
	}
	return rc;
}

static void fill_producer(const struct copy *copy, struct stream_status *ret_status)
{
	const struct segment_producer *producer = &copy->producer;
	const struct segment_tally *tally = &producer->tally[mapping_tally(producer, copy->head)];

	ret_status->head = copy->head;
	ret_status->sequence = load(&tally->sequence);
	ret_status->batches = load(&tally->batches);
	ret_status->rows = load(&tally->rows);
	ret_status->bytes = load(&tally->bytes);
	ret_status->gaps = load(&tally->gaps);
	ret_status->dropped_rows = load(&tally->dropped_rows);
	ret_status->boundary_count = boundary_read_all(producer, copy->head, ret_status->boundaries);
	ret_status->blocked_ns = load(&producer->blocked_ns);
	ret_status->blocked_since_ns = load(&producer->blocked_since_ns);
	ret_status->window_bytes = load(&producer->window);
	ret_status->window_reason = window_reason_name(load_short(&producer->window_reason));
	ret_status->wakes = load(&producer->wakes);
	ret_status->rescued = load(&producer->rescued);
	ret_status->epoch = load_short(&producer->epoch);
	ret_status->pid = load_short(&producer->pid);
	ret_status->is_closed = load_short(&producer->is_closed);
}

/* --- consumers ---------------------------------------------------------------------------------------------------- */

static void fill_consumer(
	const struct segment_consumer *slot, uint32_t index, uint64_t head, struct stream_consumer_status *ret)
{
	static_assert(sizeof(ret->name) == sizeof(slot->name), "copied whole");
	memset(ret, 0, sizeof(*ret)); /* who compares two looks compares bytes */
	memcpy(ret->name, slot->name, sizeof(ret->name));
	ret->name[sizeof(ret->name) - 1] = 0;
	ret->index = index;
	ret->pid = load_short(&slot->pid);
	ret->ack = load(&slot->ack);
	ret->mark = load(&slot->mark);
	ret->rescued = load(&slot->rescued);
	ret->backlog_bytes = head > ret->ack ? head - ret->ack : 0;
	ret->is_attached = false;
	ret->joined = (struct stream_joined){
		.position = load(&slot->joined.position),
		.sequence = load(&slot->joined.sequence),
		.batches = load(&slot->joined.batches),
		.rows = load(&slot->joined.rows),
		.bytes = load(&slot->joined.bytes),
		.gaps = load(&slot->joined.gaps),
	};
}

/* Entries that were free are not looked at again before one has been taken or given back. */
static int read_consumers(struct stream_look *look, const struct mapping *mapping, struct stream_status *ret_status,
	const char *path, struct enrg_error *err)
{
	uint32_t changes = load_short(&mapping->producer->consumer_changes);
	uint64_t wanted = look->is_listed && changes == look->consumer_changes ? look->used : UINT64_MAX, used = 0;
	struct segment_consumer slot;

	static_assert(SEGMENT_CONSUMERS <= 64, "a bit each");
	for (uint32_t i = 0, count = mapping_consumer_count(mapping); i < count; i++) {
		if (!(wanted >> i & 1u))
			continue;
		int rc = read_part(look->descriptor, &slot, sizeof(slot), mapping_consumer_at(i), path, err);
		if (rc < 0)
			return rc;
		uint32_t kind = load_short(&slot.kind);
		used |= (uint64_t)(kind != CONSUMER_FREE) << i;
		if (kind == CONSUMER_REQUIRED)
			fill_consumer(&slot, i, ret_status->head, &ret_status->consumers[ret_status->consumer_count++]);
	}
	look->used = used;
	look->consumer_changes = changes;
	look->is_listed = true;
	return 0;
}

/* --- looks -------------------------------------------------------------------------------------------------------- */

int stream_look(struct stream_look *look, const char *path, struct stream_status *ret_status, struct enrg_error *err)
{
	struct mapping mapping;
	struct copy copy;
	struct stat file;
	int rc = open_file(look, path, &file, err);

	if (rc == 0) {
		memset(ret_status, 0, offsetof(struct stream_status, consumers));
		rc = read_header(look, path, &file, &mapping, ret_status, err);
	}
	if (rc == 0)
		rc = read_producer(look->descriptor, &copy, path, err);
	if (rc == 0) {
		fill_producer(&copy, ret_status);
		mapping.producer = &copy.producer;
		rc = read_consumers(look, &mapping, ret_status, path, err);
	}
	if (rc < 0)
		stream_look_close(look); /* the next one begins anew */
	return rc;
}

int stream_read_status(const char *path, struct stream_status *ret_status, struct enrg_error *err)
{
	struct stream_look look = STREAM_LOOK_NONE;
	int rc = stream_look(&look, path, ret_status, err);

	if (rc == 0) {
		struct mapping mapping = {.descriptor = look.descriptor};

		ret_status->is_attached = mapping_is_locked(&mapping, LOCK_PRODUCER);
		for (uint32_t i = 0; i < ret_status->consumer_count; i++)
			ret_status->consumers[i].is_attached =
				mapping_is_locked(&mapping, LOCK_CONSUMER + ret_status->consumers[i].index);
	}
	stream_look_close(&look);
	return rc;
}
