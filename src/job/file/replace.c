/* replace.c: files that are replaced whole, by a rename: enrg_file_replace. Store process, main thread.
 *
 * A file that was written so carries a mark, an extended attribute, until somebody appends to it. One without the mark
 * holds what may be nowhere else, such as all rows of a run before `overwrite` was set: it keeps its bytes under
 * another name.
 */
#include "job/file/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/path.h"
#include "job/file/alert.h"
#include "job/file/handle.h"
#include "job/file/name.h"

#define MARK        "user.enrgdaq.newest"
#define EARLIER_MAX 100 /* names for what was there before */

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
	int rc = fsync(descriptor), saved = errno;
	close(descriptor);
	errno = saved;
	return rc;
}

/* Writes and closes; negative with errno set. */
static int write_whole(int descriptor, const void *bytes, uint64_t byte_count, bool is_synced)
{
	int rc = write_descriptor(descriptor, bytes, byte_count);

	/* Some file systems have no attributes: see keep_earlier. */
	(void)fsetxattr(descriptor, MARK, "", 0, 0);
	if (rc == 0 && is_synced)
		rc = fdatasync(descriptor);
	int saved = errno;
	if (close(descriptor) < 0 && rc == 0)
		return -1;
	errno = saved;
	return rc;
}

void file_replace_forget(int descriptor)
{
	(void)fremovexattr(descriptor, MARK);
}

/* Gives the file a second name, if it does not have it from a try before. The first one is never gone, not even for a
 * moment. */
static int add_name(const char *path, const struct stat *status, const char *name)
{
	struct stat other;

	if (link(path, name) == 0)
		return 0;
	int rc = -errno;
	if (rc == -EEXIST)
		return lstat(name, &other) == 0 && other.st_dev == status->st_dev && other.st_ino == status->st_ino
			       ? 0
			       : -EEXIST;
	/* A disk without hard links, such as FAT: then one of the two names after the other. */
	if (rc == -EPERM || rc == -EOPNOTSUPP)
		rc = renameat2(AT_FDCWD, path, AT_FDCWD, name, RENAME_NOREPLACE) < 0 ? -errno : 0;
	return rc;
}

/* name_earlier.ext, name_earlier_2.ext … of what the file held before its first replacement. */
static int keep_earlier(struct file_set *set, const char *path, const char *own, struct enrg_error *err)
{
	int stem = (int)file_stem_length(own), rc = -EEXIST, names_max = EARLIER_MAX;
	char name[PATH_MAX], number[16] = "";
	struct stat status;

	/* What a link leads to is not touched by a rename. */
	if (lstat(path, &status) < 0 || !S_ISREG(status.st_mode) || status.st_size == 0 ||
		getxattr(path, MARK, NULL, 0) >= 0)
		return 0;
	/* Without marks each start would find a stranger's file: there the first one is kept, and no other. */
	if (errno == EOPNOTSUPP)
		names_max = 1;
	for (int i = 1; i <= names_max && rc == -EEXIST; i++) {
		if (i > 1)
			snprintf(number, sizeof(number), "_%d", i);
		int used = snprintf(name, sizeof(name), "%.*s%.*s_earlier%s%s", (int)(own - path), path, stem, own,
			number, own + stem);
		rc = used < (int)sizeof(name) ? add_name(path, &status, name) : -ENAMETOOLONG;
	}
	if (rc == -EEXIST && names_max == 1)
		return 0;
	if (rc < 0)
		return enrg_error_set(err, rc,
			"%s holds %lld bytes that were not written with overwrite, and they can't be kept as %s: %s; "
			"move the file away, or take another file_path",
			path, (long long)status.st_size, name, enrg_error_name(rc));
	chronicle_move(&set->chronicle, path, name);
	file_set_tell(set, ENRG_WARNING,
		"%s held %lld bytes that were not written with overwrite: they were kept as %s, since the "
		"file holds the newest message alone from now on",
		path, (long long)status.st_size, name);
	return 0;
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
		return disk_fail(err, temporary, "open");
	errno = 0;
	int result = write_whole(descriptor, bytes, byte_count, is_synced);
	if (result == 0)
		code = keep_earlier(&store->files, path, own, err);
	if (result == 0 && code == 0 && rename(temporary, path) == 0) {
		chronicle_add(&store->files.chronicle, &(struct chronicle_file *){NULL},
			&(struct chronicle_place){path, true, false}, 0);
		if (is_synced && sync_folder(path, own) < 0)
			return disk_fail(err, path, "sync the folder of the file");
		return 0;
	}
	int saved = errno;
	unlink(temporary);
	errno = saved;
	return code < 0 ? code : disk_fail(err, path, "replace");
}
