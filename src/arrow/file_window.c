/* file_window.c: see the header. */
#include "arrow/file_window.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int file_window_open(struct file_window *window, const char *path, struct enrg_error *err)
{
	struct stat status;

	*window = (struct file_window){.descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
	if (window->descriptor < 0)
		return enrg_error_set(err, -errno, "%s: %s", path, strerror(errno));
	if (fstat(window->descriptor, &status) < 0)
		return enrg_error_set(err, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(status.st_mode))
		return enrg_error_set(err, -EINVAL, "%s: this is not a regular file", path);
	window->file_bytes = (uint64_t)status.st_size;
	posix_fadvise(window->descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
	return 0;
}

static int grow(struct file_window *window, size_t capacity, struct enrg_error *err)
{
	if (capacity <= window->capacity)
		return 0;
	uint8_t *grown = realloc(window->bytes, capacity);
	if (!grown)
		return enrg_error_set(err, -ENOMEM, "no memory for a message of %zu bytes", capacity);
	window->bytes = grown;
	window->capacity = capacity;
	return 0;
}

/* Reads on until the buffer holds `target` bytes. */
static int fill(struct file_window *window, size_t target, struct enrg_error *err)
{
	while (window->count < target) {
		size_t piece = target - window->count < FILE_WINDOW_PIECE ? target - window->count : FILE_WINDOW_PIECE;
		ssize_t got = pread(
			window->descriptor, window->bytes + window->count, piece, (off_t)(window->at + window->count));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return enrg_error_set(err, -errno, "can't read at byte %llu: %s",
				(unsigned long long)(window->at + window->count), strerror(errno));
		if (got == 0)
			return enrg_error_set(err, -EIO, "the file became shorter while it was read");
		window->count += (size_t)got;
	}
	return 0;
}

int file_window_get(struct file_window *window, uint64_t offset, size_t wanted, const uint8_t **ret_bytes,
	size_t *ret_count, struct enrg_error *err)
{
	uint64_t left = window->file_bytes - offset;
	size_t needed = wanted < left ? wanted : (size_t)left;

	if (offset < window->at || offset + needed > window->at + window->count) {
		size_t target = needed > FILE_WINDOW_PIECE ? needed : FILE_WINDOW_PIECE;
		target = target < left ? target : (size_t)left;
		int rc = grow(window, target, err);
		if (rc < 0)
			return rc;
		/* Keep what is there of the wanted range. */
		size_t kept = 0;
		if (offset >= window->at && offset < window->at + window->count) {
			kept = (size_t)(window->at + window->count - offset);
			memmove(window->bytes, window->bytes + (offset - window->at), kept);
		}
		window->at = offset;
		window->count = kept;
		rc = fill(window, target, err);
		if (rc < 0)
			return rc;
	}
	*ret_bytes = window->bytes + (offset - window->at);
	*ret_count = (size_t)(window->at + window->count - offset);
	return 0;
}

void file_window_close(struct file_window *window)
{
	if (window->descriptor >= 0)
		close(window->descriptor);
	free(window->bytes);
	*window = (struct file_window){.descriptor = -1};
}
