/* direct.c: writing at the end of a file, past the page cache where that pays. Store process, main thread.
 *
 * Direct I/O wants whole pages of the file, out of memory that begins where the disk can read: at a multiple of 512 or
 * even of 4 where the kernel says so, else at a page. A batch in the ring begins at a page, so a store that may pad
 * what it writes in front (enrg_file_padding) has its batches written straight out of the ring, and so do blobs whose
 * lengths allow it (stream_align). The pieces before the first and behind the last whole page go through the page
 * cache; they never share a page with what goes past it.
 */
#include "job/file/direct.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/disk.h"

#define PAGE_BYTES       4096u
#define DIRECT_BYTES_MIN (2u << 20)  /* below, the page cache is faster */
#define DIRECT_BYTES_MAX (64u << 20) /* of one call */
#define WRITE_BACK_BYTES (8u << 20)  /* the kernel is asked to begin with the page cache's part */
#define DIRECT_UNKNOWN   (-1)
#define DIRECT_NONE      (-2)

static bool wants_direct(const struct enrg_file *file, uint64_t byte_count)
{
	const struct enrg_file_options *options = file->set->options;

	return options && options->rules.direct_io && byte_count >= DIRECT_BYTES_MIN && file->direct != DIRECT_NONE;
}

uint32_t enrg_file_padding(const struct enrg_file *file, uint64_t before_bytes, const void *bytes, uint64_t byte_count)
{
	uint64_t at = file->size + before_bytes;

	return wants_direct(file, byte_count) ? (uint32_t)(((uintptr_t)bytes - at) % PAGE_BYTES) : 0;
}

/* Of what the first byte of memory must be a multiple. */
static uint32_t find_memory_align(int descriptor)
{
	uint32_t align = PAGE_BYTES;

#ifdef STATX_DIOALIGN
	struct statx status;
	if (statx(descriptor, "", AT_EMPTY_PATH, STATX_DIOALIGN, &status) == 0 && (status.stx_mask & STATX_DIOALIGN) &&
		status.stx_dio_offset_align <= PAGE_BYTES && status.stx_dio_mem_align)
		align = status.stx_dio_mem_align;
#else
	(void)descriptor;
#endif
	return align < PAGE_BYTES && PAGE_BYTES % align == 0 ? align : PAGE_BYTES;
}

static bool open_direct(struct enrg_file *file)
{
	char link[64];

	if (file->direct == DIRECT_UNKNOWN) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", file->descriptor);
		file->direct = open(link, O_WRONLY | O_DIRECT | O_CLOEXEC);
		if (file->direct < 0)
			file->direct = DIRECT_NONE;
		file->memory_align = find_memory_align(file->descriptor);
	}
	return file->direct >= 0;
}

/* Do whole pages of the file, from `at` on, begin in memory where the disk can read them? */
static bool is_placed(const struct enrg_file *file, const void *bytes, uint64_t at)
{
	return ((uintptr_t)bytes - at) % file->memory_align == 0;
}

bool enrg_file_wants_copy(struct enrg_file *file, const void *bytes, uint64_t byte_count)
{
	return wants_direct(file, byte_count) && open_direct(file) && !is_placed(file, bytes, file->size);
}

/* Direct I/O can't append: see disk_append_all. */
static bool is_as_long(const struct enrg_file *file, uint64_t bytes)
{
	struct stat status;

	return fstat(file->descriptor, &status) == 0 && (uint64_t)status.st_size == bytes;
}

/* Whole pages. Returns how many bytes were written; what is left is for the page cache, which reports errors. */
static uint64_t write_direct(struct enrg_file *file, const uint8_t *bytes, uint64_t byte_count, uint64_t offset)
{
	uint64_t done = 0;

	while (done < byte_count) {
		uint64_t left = byte_count - done;
		ssize_t count = pwrite(file->direct, bytes + done, left < DIRECT_BYTES_MAX ? left : DIRECT_BYTES_MAX,
			(off_t)(offset + done));
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0 && errno == EINVAL && ((uintptr_t)bytes + done) % PAGE_BYTES)
			file->memory_align = PAGE_BYTES; /* it was promised more than is kept */
		else if (count < 0 && errno == EINVAL) { /* this disk wants it otherwise */
			close(file->direct);
			file->direct = DIRECT_NONE;
		}
		if (count <= 0)
			break;
		done += (uint64_t)count & ~(uint64_t)(PAGE_BYTES - 1);
		if (count % PAGE_BYTES)
			break;
	}
	return done;
}

/* So that the kernel does not gather gigabytes and then holds up everybody at once. */
static void begin_write_back(struct enrg_file *file)
{
	uint64_t end = file->size & ~(uint64_t)(PAGE_BYTES - 1);

	if (file->written_back > end)
		file->written_back = end;
	if (end - file->written_back < WRITE_BACK_BYTES)
		return;
	sync_file_range(
		file->descriptor, (off_t)file->written_back, (off_t)(end - file->written_back), SYNC_FILE_RANGE_WRITE);
	file->written_back = end;
}

int file_direct_write(struct enrg_file *file, const void *bytes, uint64_t byte_count)
{
	const uint8_t *from = bytes;
	uint64_t at = file->size, done = 0;

	/* Behind the torn bytes of a failed write there is nothing to append to. */
	if (file->is_torn)
		return disk_write_all(file->descriptor, from, byte_count, at);
	if (!file->set->options)
		return disk_append_all(file->descriptor, from, byte_count, at);
	file->set->guard.unchecked_bytes += byte_count;
	if (wants_direct(file, byte_count) && open_direct(file) && is_placed(file, from, at) && is_as_long(file, at)) {
		uint64_t head = -at % PAGE_BYTES;
		if (disk_append_all(file->descriptor, from, head, at) < 0)
			return -1;
		uint64_t middle = (byte_count - head) & ~(uint64_t)(PAGE_BYTES - 1);
		done = head + write_direct(file, from + head, middle, at + head);
		file->written_back = at + done;
		/* A part of a page may stand behind that: what is appended would come after it. */
		if (done < head + middle)
			return disk_write_all(file->descriptor, from + done, byte_count - done, at + done);
	} else {
		begin_write_back(file);
	}
	return disk_append_all(file->descriptor, from + done, byte_count - done, at + done);
}
