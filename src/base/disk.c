/* disk.c: writes that go on until all is written. */
#include "base/disk.h"

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

int disk_fail(struct enrg_error *err, const char *path, const char *verb)
{
	int rc = errno ? -errno : -EIO;

	return enrg_error_set(err, rc, "%s: can't %s: %s", path, verb, enrg_error_name(rc));
}

int disk_write_all(int descriptor, const uint8_t *from, uint64_t byte_count, uint64_t offset)
{
	uint64_t done = 0;

	while (done < byte_count) {
		uint64_t left = byte_count - done;
		ssize_t count =
			pwrite(descriptor, from + done, left < (1u << 30) ? left : (1u << 30), (off_t)(offset + done));
		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0) {
			if (count == 0)
				errno = EIO;
			return -1;
		}
		done += (uint64_t)count;
	}
	return 0;
}

static ssize_t append_some(int descriptor, const uint8_t *from, uint64_t byte_count, uint64_t offset)
{
	size_t count = byte_count < (1u << 30) ? byte_count : (1u << 30);
	const struct iovec piece = {(void *)(uintptr_t)from, count};
	ssize_t done = pwritev2(descriptor, &piece, 1, (off_t)offset, RWF_APPEND);

	/* Some file systems can't. */
	return done < 0 && (errno == EOPNOTSUPP || errno == ENOSYS) ? pwrite(descriptor, from, count, (off_t)offset)
								    : done;
}

int disk_append_all(int descriptor, const uint8_t *from, uint64_t byte_count, uint64_t offset)
{
	uint64_t done = 0;

	while (done < byte_count) {
		ssize_t count = append_some(descriptor, from + done, byte_count - done, offset + done);
		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0) {
			if (count == 0)
				errno = EIO;
			return -1;
		}
		done += (uint64_t)count;
	}
	return 0;
}
