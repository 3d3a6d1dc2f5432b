/* piece.c: see the header. */
#include "web/record/piece.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The last part of the path in its folder: no link, nothing above it, nothing of /proc. */
static int open_below(const char *path)
{
	const char *name = strrchr(path, '/');
	char folder[PATH_MAX];
	struct open_how how = {.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};

	if (!name || path[0] != '/' || !name[1] || (size_t)(name - path) >= sizeof(folder))
		return -ENOENT;
	snprintf(folder, sizeof(folder), "%.*s", name == path ? 1 : (int)(name - path), path);
	int above = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (above < 0)
		return -errno;
	int descriptor = (int)syscall(SYS_openat2, above, name + 1, &how, sizeof(how)), code = errno;
	close(above);
	if (descriptor >= 0)
		return descriptor;
	return code == ELOOP || code == EXDEV || code == ENXIO || code == ENAMETOOLONG ? -ENOENT : -code;
}

static int read_all(int descriptor, uint64_t from, char *bytes, size_t count, size_t *ret_count)
{
	size_t used = 0;

	while (used < count) {
		ssize_t got = pread(descriptor, bytes + used, count - used, (off_t)(from + used));
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got == 0)
			break;
		used += got > 0 ? (size_t)got : 0;
	}
	*ret_count = used;
	return 0;
}

int piece_read(const char *path, uint64_t from, size_t count, struct piece *ret_piece, struct enrg_error *err)
{
	int descriptor = open_below(path), rc = descriptor < 0 ? descriptor : 0;
	struct stat status = {0};
	struct piece piece = {0};

	if (!rc && fstat(descriptor, &status) < 0)
		rc = -errno;
	if (!rc && !S_ISREG(status.st_mode))
		rc = -ENOENT;
	count = count > PIECE_BYTES_MAX ? PIECE_BYTES_MAX : count;
	if (!rc && from >= (uint64_t)status.st_size)
		count = 0;
	piece.bytes = rc ? NULL : malloc(count + 1);
	if (!rc && !piece.bytes)
		rc = -ENOMEM;
	if (!rc)
		rc = read_all(descriptor, from, piece.bytes, count, &piece.count);
	if (descriptor >= 0)
		close(descriptor);
	if (rc) {
		free(piece.bytes);
		return enrg_error_set(
			err, rc, "%s: %s", path, rc == -ENOENT ? "it is gone, or no plain file" : strerror(-rc));
	}
	piece.file_bytes = (uint64_t)status.st_size;
	*ret_piece = piece;
	return 0;
}
