/* disk_writes.c: how do batches get from shared memory to the disk fastest, and at what cost: through the page cache,
 * through it with the kernel asked early to write, past it, or past it by way of a copy in huge pages?
 * `bench_disk_writes [FOLDER]`, 1 GiB each; one process. docs/decisions/0006-direct-io-of-large-batches.md came of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"

#define RING_BYTES       (64u << 20)
#define TOTAL_BYTES      (1u << 30)
#define WRITE_BACK_BYTES (8u << 20)
#define PIECE_BYTES      (4u << 20)

enum way { THROUGH_CACHE, WRITTEN_BACK, PAST_CACHE, COPIED, WAYS };

static const char *const way_names[WAYS] = {
	"page cache", "page cache, written back early", "past it (O_DIRECT)", "copied, past it"};

static void die(const char *what)
{
	fprintf(stderr, "bench_disk_writes: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Pages of shared memory, as a ring has them. */
static char *make_ring(void)
{
	int descriptor = memfd_create("ring", MFD_CLOEXEC);

	if (descriptor < 0 || ftruncate(descriptor, RING_BYTES) < 0)
		die("shared memory");
	char *ring = mmap(NULL, RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
	if (ring == MAP_FAILED)
		die("shared memory");
	for (size_t i = 0; i < RING_BYTES; i++)
		ring[i] = (char)(i * 2654435761u >> 13);
	close(descriptor);
	return ring;
}

/* Memory of huge pages, where the kernel has some. */
static char *make_piece(void)
{
	char *piece = aligned_alloc(2u << 20, PIECE_BYTES);

	if (!piece)
		die("memory");
	madvise(piece, PIECE_BYTES, MADV_HUGEPAGE);
	memset(piece, 0, PIECE_BYTES);
	return piece;
}

static void write_batch(int descriptor, const char *from, size_t batch_bytes, size_t at, char *piece)
{
	size_t step = piece && batch_bytes > PIECE_BYTES ? PIECE_BYTES : batch_bytes;

	for (size_t done = 0; done < batch_bytes; done += step) {
		if (piece)
			memcpy(piece, from + done, step);
		if (pwrite(descriptor, piece ? piece : from + done, step, (off_t)(at + done)) != (ssize_t)step)
			die("write");
	}
}

static void measure(const char *path, const char *ring, enum way way, size_t batch_bytes)
{
	int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | (way >= PAST_CACHE ? O_DIRECT : 0);
	char *piece = way == COPIED ? make_piece() : NULL;
	int descriptor = open(path, flags, 0600);
	size_t asked = 0;

	if (descriptor < 0)
		die(path);
	uint64_t started = clock_mono_ns(), cpu = clock_cpu_ns();
	for (size_t at = 0; at < TOTAL_BYTES; at += batch_bytes) {
		write_batch(descriptor, ring + at % RING_BYTES, batch_bytes, at, piece);
		if (way == WRITTEN_BACK && at - asked >= WRITE_BACK_BYTES) {
			sync_file_range(descriptor, (off_t)asked, (off_t)(at - asked), SYNC_FILE_RANGE_WRITE);
			asked = at;
		}
	}
	if (fdatasync(descriptor) < 0)
		die(path);
	double seconds = (double)(clock_mono_ns() - started) / 1e9, used = (double)(clock_cpu_ns() - cpu) / 1e9;
	printf("%8zu KiB  %-32s %7.0f MB/s  %6.3f CPU s/GB\n", batch_bytes >> 10, way_names[way],
		(double)TOTAL_BYTES / seconds / 1e6, used / ((double)TOTAL_BYTES / 1e9));
	close(descriptor);
	free(piece);
	unlink(path);
}

int main(int argc, char **argv)
{
	static const size_t batches[] = {8u << 20, 1u << 20, 512u << 10, 256u << 10, 64u << 10};
	char path[4096];
	char *ring = make_ring();

	snprintf(path, sizeof(path), "%s/bench_disk_writes.tmp", argc > 1 ? argv[1] : "/var/tmp");
	for (size_t i = 0; i < sizeof(batches) / sizeof(batches[0]); i++)
		for (int way = 0; way < WAYS; way++)
			measure(path, ring, (enum way)way, batches[i]);
	munmap(ring, RING_BYTES);
	return 0;
}
