/* file_replace.c: files that are replaced whole, by a rename: enrg_file_replace. Store process, main thread. */
#include "job/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "job/store.h"

static int write_descriptor(int descriptor, const uint8_t *bytes, uint64_t byte_count)
{
	while (byte_count) {
		ssize_t count = write(descriptor, bytes, byte_count < (1u << 30) ? byte_count : (1u << 30));
		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return -1;
		bytes += count;
		byte_count -= (uint64_t)count;
	}
	return 0;
}

/* The name of a file is its folder's: without this a power cut may bring the old name back. */
static int sync_folder(const char *path, const char *own)
{
	char folder[PATH_MAX];

	snprintf(folder, sizeof(folder), "%.*s", own > path ? (int)(own - path) : 1, own > path ? path : ".");
	int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (descriptor < 0)
		return -1;
	int result = fsync(descriptor), saved = errno;
	close(descriptor);
	errno = saved;
	return result;
}

/* Writes and closes; negative with errno set. */
static int write_whole(int descriptor, const void *bytes, uint64_t byte_count, bool is_synced)
{
	int result = write_descriptor(descriptor, bytes, byte_count);

	if (result == 0 && is_synced)
		result = fdatasync(descriptor);
	int saved = errno;
	if (close(descriptor) < 0 && result == 0)
		return -1;
	errno = saved;
	return result;
}

/* The temporary name is always the same, so that kills leave one such file at the most, and the next replace takes it.
 */
int enrg_file_replace(
	struct enrg_store *store, const char *path, const void *bytes, uint64_t byte_count, struct enrg_error *err)
{
	const struct enrg_file_options *options = store->files.options;
	bool is_synced = options && options->sync == ENRG_FILE_SYNC_COMMIT;
	char temporary[PATH_MAX];
	const char *slash = strrchr(path, '/');
	const char *own = slash ? slash + 1 : path;
	int code = path_make_parent(path, 0755, err);

	if (code < 0)
		return code;
	/* Shortened, so that a name of the greatest length has room for the suffix; the dot hides it from `*`. */
	int used = snprintf(temporary, sizeof(temporary), "%.*s.%.200s.new", (int)(own - path), path, own);
	if (used < 0 || (size_t)used >= sizeof(temporary))
		return enrg_error_set(err, -ENAMETOOLONG, "%s: the path is too long", path);
	int descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (descriptor < 0)
		return file_fail(err, temporary, "open");
	errno = 0;
	if (write_whole(descriptor, bytes, byte_count, is_synced) == 0 && rename(temporary, path) == 0) {
		if (is_synced && sync_folder(path, own) < 0)
			return file_fail(err, path, "sync the folder of the file");
		return 0;
	}
	int saved = errno;
	unlink(temporary);
	errno = saved;
	return file_fail(err, path, "replace");
}
