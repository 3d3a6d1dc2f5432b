/* log_file.c: a log that several processes append to and any of them rotates. */
#include "base/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"

void log_file_init(struct log_file *file, const char *path, uint64_t rotate_bytes, unsigned keep)
{
	memset(file, 0, sizeof(*file));
	snprintf(file->path, sizeof(file->path), "%s", path);
	file->rotate_bytes = rotate_bytes;
	file->keep = keep;
	file->descriptor = -1;
}

void log_file_fini(struct log_file *file)
{
	if (file->descriptor >= 0)
		close(file->descriptor);
	file->descriptor = -1;
}

void log_file_reopen(struct log_file *file)
{
	atomic_store_explicit(&file->is_reopen_wanted, 1, memory_order_relaxed);
}

/* Does the path still name the file that is open? */
static int is_same(const struct log_file *file)
{
	struct stat now;

	return stat(file->path, &now) == 0 && now.st_dev == file->device && now.st_ino == file->inode;
}

static int open_file(struct log_file *file)
{
	struct stat now;

	if (atomic_exchange_explicit(&file->is_reopen_wanted, 0, memory_order_relaxed))
		log_file_fini(file);
	if (file->descriptor >= 0 && is_same(file))
		return 0;
	log_file_fini(file);
	/* not blocking: a FIFO that nobody reads is an error */
	file->descriptor = open(file->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);
	if (file->descriptor < 0 && errno == ENOENT && !path_make_parent(file->path, 0755, NULL))
		file->descriptor =
			open(file->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);
	if (file->descriptor < 0)
		return -errno;
	if (fstat(file->descriptor, &now) < 0)
		return -errno;
	file->device = now.st_dev;
	file->inode = now.st_ino;
	file->is_torn = 0;
	return 0;
}

static int write_all(struct log_file *file, const char *bytes, size_t count)
{
	for (size_t done = 0; done < count;) {
		ssize_t written = write(file->descriptor, bytes + done, count - done);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0) {
			file->is_torn |= done > 0;
			return -errno;
		}
		done += (size_t)written;
	}
	return 0;
}

/* PATH.1 becomes PATH.2 and so on; the last goes. */
static void shift(const struct log_file *file)
{
	char from[sizeof(file->path) + 16], to[sizeof(file->path) + 16];

	for (unsigned i = file->keep; i > 0; i--) {
		snprintf(to, sizeof(to), "%s.%u", file->path, i);
		if (i == 1)
			snprintf(from, sizeof(from), "%s", file->path);
		else
			snprintf(from, sizeof(from), "%s.%u", file->path, i - 1);
		if (rename(from, to) < 0 && errno != ENOENT)
			return;
	}
	if (!file->keep)
		unlink(file->path);
}

/* One process at a time, and only the file that all have open. A process that stands still with the lock stops nobody:
 * the file becomes a little longer. */
static void rotate(struct log_file *file)
{
	struct stat now;

	if (fstat(file->descriptor, &now) < 0 || !S_ISREG(now.st_mode) || (uint64_t)now.st_size < file->rotate_bytes ||
		flock(file->descriptor, LOCK_EX | LOCK_NB) < 0)
		return;
	if (is_same(file))
		shift(file);
	log_file_fini(file); /* and with it the lock */
}

int log_file_put(struct log_file *file, const char *line, size_t bytes)
{
	int rc = open_file(file);

	if (rc == 0 && file->is_torn) {
		rc = write_all(file, "\n", 1);
		file->is_torn = rc != 0;
	}
	if (rc == 0)
		rc = write_all(file, line, bytes);
	if (rc == 0 && file->rotate_bytes)
		rotate(file);
	return rc;
}
