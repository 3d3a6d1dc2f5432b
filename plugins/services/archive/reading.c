/* reading.c: see the header. In the process of DAQJobArchive, on its main thread. */
#include "reading.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ALIGNMENT 4096u

int reading_open(struct reading *reading, int folder, const char *name, bool is_cold, struct enrg_error *err)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;

	*reading = (struct reading){.descriptor = -1, .is_cold = is_cold};
	if (is_cold)
		reading->descriptor = openat(folder, name, flags | O_DIRECT);
	if (reading->descriptor < 0)
		reading->descriptor = openat(folder, name, flags);
	if (reading->descriptor < 0)
		return enrg_error_set(err, -errno, "%s can't be read: %s", name, strerror(errno));
	if (fstat(reading->descriptor, &reading->status) < 0 || !S_ISREG(reading->status.st_mode))
		return enrg_error_set(err, -EINVAL, "%s is no regular file", name);
	reading->bytes = aligned_alloc(ALIGNMENT, READING_PIECE);
	if (!reading->bytes)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	if (is_cold)
		posix_fadvise(reading->descriptor, 0, 0, POSIX_FADV_DONTNEED);
	return digest_init(&reading->digest, err);
}

static ssize_t read_piece(struct reading *reading)
{
	for (;;) {
		ssize_t got = pread(reading->descriptor, reading->bytes, READING_PIECE, (off_t)reading->at);
		int flags = got < 0 ? fcntl(reading->descriptor, F_GETFL) : 0;
		if (got < 0 && errno == EINTR)
			continue;
		/* opened for direct I/O, which the file system can't do after all */
		if (got < 0 && errno == EINVAL && flags >= 0 && (flags & O_DIRECT) &&
			fcntl(reading->descriptor, F_SETFL, flags & ~O_DIRECT) == 0)
			continue;
		return got;
	}
}

int64_t reading_next(struct reading *reading, struct enrg_error *err)
{
	ssize_t got = read_piece(reading);

	if (got < 0)
		return enrg_error_set(
			err, -errno, "at byte %llu: %s", (unsigned long long)reading->at, strerror(errno));
	uint64_t end = reading->at + (uint64_t)got, prefix = reading->prefix_bytes;
	size_t before = prefix > reading->at && prefix <= end ? (size_t)(prefix - reading->at) : 0;
	int rc = before ? digest_add(&reading->digest, reading->bytes, before) : 0;
	if (rc == 0 && before)
		rc = digest_format(&reading->digest, reading->prefix);
	if (rc == 0)
		rc = digest_add(&reading->digest, (const char *)reading->bytes + before, (size_t)got - before);
	/* what was read once need not push the data of others out of memory */
	posix_fadvise(reading->descriptor, (off_t)reading->at, got, POSIX_FADV_DONTNEED);
	reading->at = end;
	return rc < 0 ? enrg_error_set(err, rc, "out of memory") : got;
}

int reading_finish(struct reading *reading, char ret_digest[DIGEST_TEXT_BYTES], struct enrg_error *err)
{
	struct stat now;

	if (fstat(reading->descriptor, &now) < 0 || now.st_size != reading->status.st_size ||
		(uint64_t)now.st_size != reading->at || now.st_mtim.tv_sec != reading->status.st_mtim.tv_sec ||
		now.st_mtim.tv_nsec != reading->status.st_mtim.tv_nsec)
		return enrg_error_set(err, -EBUSY, "it changed while it was read");
	return digest_format(&reading->digest, ret_digest) < 0 ? enrg_error_set(err, -ENOMEM, "out of memory") : 0;
}

void reading_close(struct reading *reading)
{
	if (reading->descriptor >= 0)
		close(reading->descriptor);
	free(reading->bytes);
	digest_fini(&reading->digest);
	*reading = (struct reading){.descriptor = -1};
}
