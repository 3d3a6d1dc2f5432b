/* kept.c: see the header. */
#include "handover/kept.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define RUN_BYTES 104u

/* In front of the bytes. */
struct kept_header {
	uint64_t magic; /* stored last: a file that was cut off while it was made is made again */
	uint64_t bytes;
	uint64_t reserved;
	char run[RUN_BYTES];
};

#define KEPT_MAGIC 0x5450454B47524E45ull /* "ENRGKEPT" */

static_assert(sizeof(struct kept_header) == 128, "kept header: what follows is aligned to a line");

static void name_file(const char *page_path, char ret_path[PATH_MAX])
{
	size_t length = strlen(page_path), suffix = strlen(".page");

	snprintf(ret_path, PATH_MAX, "%.*s" KEPT_SUFFIX, (int)(length > suffix ? length - suffix : 0), page_path);
}

static int map_file(struct kept *kept, int descriptor, const char *path, struct enrg_error *err)
{
	int error = posix_fallocate(descriptor, 0, (off_t)kept->map_bytes);

	if (error)
		return enrg_error_set(err, -error, "%s: %s", path, strerror(error));
	void *map = mmap(NULL, kept->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
	if (map == MAP_FAILED)
		return enrg_error_set(err, -errno, "%s: can't map: %s", path, strerror(errno));
	kept->map = map;
	return 0;
}

static void begin(struct kept_header *header, const char *run, size_t bytes)
{
	if (header->magic == KEPT_MAGIC && header->bytes == bytes && !strncmp(header->run, run, RUN_BYTES - 1))
		return;
	header->magic = 0;
	memset(header + 1, 0, bytes);
	header->bytes = bytes;
	snprintf(header->run, RUN_BYTES, "%s", run);
	header->magic = KEPT_MAGIC;
}

int kept_open(struct kept *kept, const char *page_path, const char *run, size_t bytes, void **ret_bytes,
	struct enrg_error *err)
{
	char path[PATH_MAX];

	name_file(page_path, path);
	if (bytes == 0 || bytes > KEPT_BYTES_MAX)
		return enrg_error_set(
			err, -EINVAL, "%s: 1 to %u bytes can be kept, not %zu", path, KEPT_BYTES_MAX, bytes);
	int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (descriptor < 0)
		return enrg_error_set(err, -errno, "%s: can't open: %s", path, strerror(errno));
	kept->map_bytes = sizeof(struct kept_header) + bytes;
	int rc = map_file(kept, descriptor, path, err);
	close(descriptor);
	if (rc < 0)
		return rc;
	begin(kept->map, run, bytes);
	*ret_bytes = (struct kept_header *)kept->map + 1;
	return 0;
}

void kept_close(struct kept *kept)
{
	if (kept->map)
		munmap(kept->map, kept->map_bytes);
	*kept = (struct kept){0};
}
