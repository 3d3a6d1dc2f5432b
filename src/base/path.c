/* path.c: files and folders. Any process and thread. */
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_STEP_BYTES 65536u

static int fail(struct enrg_error *err, int rc, const char *what, const char *path)
{
	return enrg_error_set(err, rc, "cannot %s %s: %s", what, path, enrg_error_name(rc));
}

static int make_folder(const char *path, mode_t mode, struct enrg_error *err)
{
	struct stat status;

	if (mkdir(path, mode) == 0)
		return 0;
	/* Also a read-only file system or a foreign folder is fine where the folder is there already. */
	int rc = -errno;
	if (stat(path, &status) < 0)
		return fail(err, rc, "make the folder", path);
	if (!S_ISDIR(status.st_mode))
		return fail(err, -ENOTDIR, "make the folder", path);
	return 0;
}

/* Makes the folders of all parts of path[0 … count). */
static int make_folders(const char *path, size_t count, mode_t mode, struct enrg_error *err)
{
	char part[PATH_MAX];

	if (count == 0)
		return 0;
	if (count >= sizeof(part))
		return fail(err, -ENAMETOOLONG, "make the folder", path);
	memcpy(part, path, count);
	part[count] = '\0';
	for (size_t i = 1; i < count; i++) {
		if (part[i] != '/' || part[i - 1] == '/')
			continue;
		part[i] = '\0';
		int rc = make_folder(part, mode, err);
		if (rc < 0)
			return rc;
		part[i] = '/';
	}
	return make_folder(part, mode, err);
}

int path_make_folders(const char *path, mode_t mode, struct enrg_error *err)
{
	if (!*path)
		return enrg_error_set(err, -ENOENT, "the name of a folder is empty");
	return make_folders(path, strlen(path), mode, err);
}

void path_format_user(uid_t user, char *ret_text, size_t text_bytes)
{
	struct passwd room, *entry = NULL;
	char texts[1024];

	(void)getpwuid_r(user, &room, texts, sizeof(texts), &entry);
	if (entry)
		snprintf(ret_text, text_bytes, "%s (uid %u)", entry->pw_name, (unsigned)user);
	else
		snprintf(ret_text, text_bytes, "uid %u", (unsigned)user);
}

/* By descriptor: what was looked at is what is changed, whatever the name stands for by then. */
static int close_to_others(int descriptor, const char *path, struct enrg_error *err)
{
	struct stat status;
	char owner[64];

	if (fstat(descriptor, &status) < 0)
		return fail(err, -errno, "look at", path);
	if (status.st_uid != geteuid()) {
		path_format_user(status.st_uid, owner, sizeof(owner));
		return enrg_error_set(err, -EPERM,
			"%s belongs to %s, whose files are not touched: run as that user, or set ENRGDAQ_RUNTIME_DIR",
			path, owner);
	}
	if ((status.st_mode & 07777) != 0700 && fchmod(descriptor, 0700) < 0)
		return fail(err, -errno, "close to other users", path);
	return 0;
}

/* Why it can't be opened: the folder of another user lets nobody in. */
static int explain_closed(const char *path, int rc, struct enrg_error *err)
{
	struct stat status;
	char owner[64];

	if (lstat(path, &status) == 0 && S_ISLNK(status.st_mode))
		return enrg_error_set(
			err, -EPERM, "%s is a symbolic link: remove it, or set ENRGDAQ_RUNTIME_DIR", path);
	if (rc != -EACCES || lstat(path, &status) < 0)
		return fail(err, rc, "open", path);
	path_format_user(status.st_uid, owner, sizeof(owner));
	return enrg_error_set(err, -EPERM,
		"%s belongs to %s, who may be running it: run as that user, or set ENRGDAQ_RUNTIME_DIR", path, owner);
}

int path_make_private_folder(const char *path, struct enrg_error *err)
{
	int rc = path_make_folders(path, 0700, err);

	if (rc < 0)
		return rc;
	int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (descriptor < 0)
		return explain_closed(path, -errno, err);
	rc = close_to_others(descriptor, path, err);
	close(descriptor);
	return rc;
}

/* Length of the folder part with its slash: 0 for a bare name. */
static size_t folder_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) + 1 : 0;
}

int path_make_parent(const char *path, mode_t mode, struct enrg_error *err)
{
	return make_folders(path, folder_length(path), mode, err);
}

static int read_all(int descriptor, size_t bytes_max, char **ret_bytes, size_t *ret_count)
{
	size_t used = 0, room = 0;
	char *bytes = NULL;
	ssize_t got;

	do {
		if (room - used < 2) { /* a byte to read, and the NUL */
			room += room < READ_STEP_BYTES ? READ_STEP_BYTES : room;
			char *grown = realloc(bytes, room);
			if (!grown) {
				free(bytes);
				return -ENOMEM;
			}
			bytes = grown;
		}
		got = read(descriptor, bytes + used, room - used - 1);
		if (got < 0 && errno != EINTR) {
			int rc = -errno;
			free(bytes);
			return rc;
		}
		used += got > 0 ? (size_t)got : 0;
	} while (got != 0 && used <= bytes_max);
	if (used > bytes_max) {
		free(bytes);
		return -EFBIG;
	}
	bytes[used] = '\0';
	*ret_bytes = bytes;
	*ret_count = used;
	return 0;
}

int path_read_file(const char *path, size_t bytes_max, char **ret_bytes, size_t *ret_count, struct enrg_error *err)
{
	/* O_NONBLOCK: a FIFO that nobody writes reads as empty instead of holding the reader for ever. */
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (descriptor < 0)
		return fail(err, -errno, "open", path);
	int rc = read_all(descriptor, bytes_max, ret_bytes, ret_count);
	close(descriptor);
	if (rc == -EFBIG)
		return enrg_error_set(err, rc, "%s is larger than %zu bytes", path, bytes_max);
	return rc < 0 ? fail(err, rc, "read", path) : 0;
}

static int write_all(int descriptor, const char *bytes, size_t count)
{
	while (count > 0) {
		ssize_t written = write(descriptor, bytes, count);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		bytes += written;
		count -= (size_t)written;
	}
	return 0;
}

/* A name of its own in the folder of `path`: short, so that it fits where `path` fits, and never that of another
 * process that lives; the left-over of a dead one is stepped over. */
static int open_temporary(const char *path, mode_t mode, char *ret_name, size_t name_bytes)
{
	static _Atomic unsigned counter;
	int descriptor;

	do {
		unsigned number = atomic_fetch_add_explicit(&counter, 1, memory_order_relaxed);
		int used = snprintf(
			ret_name, name_bytes, "%.*s.tmp-%d-%u", (int)folder_length(path), path, (int)getpid(), number);
		if (used < 0 || (size_t)used >= name_bytes)
			return -ENAMETOOLONG;
		descriptor = open(ret_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	} while (descriptor < 0 && errno == EEXIST);
	return descriptor < 0 ? -errno : descriptor;
}

/* The rename itself reaches the disk with its folder. */
static int sync_folder(const char *path)
{
	char folder[PATH_MAX];
	int count = (int)folder_length(path);

	snprintf(folder, sizeof(folder), "%.*s", count ? count : 1, count ? path : ".");
	int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (descriptor < 0)
		return -errno;
	int rc = fsync(descriptor) < 0 ? -errno : 0;
	close(descriptor);
	return rc == -EINVAL ? 0 : rc; /* a file system that has no such thing */
}

static int write_file(const char *path, const void *bytes, size_t count, bool sync, mode_t mode, struct enrg_error *err)
{
	char name[PATH_MAX];
	int descriptor = open_temporary(path, mode, name, sizeof(name));

	if (descriptor < 0)
		return fail(err, descriptor, "create", path);
	int rc = write_all(descriptor, bytes, count);
	if (rc == 0 && sync && fdatasync(descriptor) < 0)
		rc = -errno;
	if (close(descriptor) < 0 && rc == 0)
		rc = -errno;
	if (rc == 0 && rename(name, path) < 0)
		rc = -errno;
	if (rc < 0) {
		unlink(name);
		return fail(err, rc, "write", path);
	}
	rc = sync ? sync_folder(path) : 0;
	return rc < 0 ? fail(err, rc, "sync the folder of", path) : 0;
}

int path_write_file(const char *path, const void *bytes, size_t count, int sync, struct enrg_error *err)
{
	return write_file(path, bytes, count, sync, 0644, err);
}

int path_write_private_file(const char *path, const void *bytes, size_t count, struct enrg_error *err)
{
	return write_file(path, bytes, count, false, 0600, err);
}

void path_safe_name(const char *text, char *ret_name, size_t name_bytes)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t used = 0;

	if (name_bytes < 2)
		return; /* room for no name */
	for (; *text && used + 1 < name_bytes; text++)
		ret_name[used++] = strchr(allowed, *text) ? *text : '_';
	if (used == 0)
		ret_name[used++] = '_';
	ret_name[used] = '\0';
	if (strcmp(ret_name, ".") == 0 || strcmp(ret_name, "..") == 0)
		ret_name[0] = '_';
}

/* Whoever may rename the entries of this folder may put folders of his in the place of ours. Where the sticky bit is
 * set (/tmp, /dev/shm) an entry stays its owner's, and path_make_private_folder looks whose it is. */
static int check_shared(const char *path, bool is_chosen, struct enrg_error *err)
{
	struct stat status;
	char owner[64];

	/* A link that root or this user has set up is as good as what it points to, but only where it was asked for. */
	if ((is_chosen ? stat : lstat)(path, &status) < 0)
		return 0;
	path_format_user(status.st_uid, owner, sizeof(owner));
	if (!S_ISDIR(status.st_mode) || (!is_chosen && status.st_uid != geteuid()))
		return enrg_error_set(err, -EPERM, "%s %s%s: remove it, or set ENRGDAQ_RUNTIME_DIR", path,
			S_ISDIR(status.st_mode) ? "belongs to " : "is not a folder",
			S_ISDIR(status.st_mode) ? owner : "");
	if ((status.st_mode & S_IWOTH) && !(status.st_mode & S_ISVTX))
		return enrg_error_set(err, -EPERM,
			"%s can be written to by everybody, who could put folders of theirs in the place of a run's: "
			"chmod o-w it, or set ENRGDAQ_RUNTIME_DIR to a folder of your own",
			path);
	return 0;
}

int path_runtime_folder(char *ret_path, size_t path_bytes, struct enrg_error *err)
{
	const char *chosen = getenv("ENRGDAQ_RUNTIME_DIR");
	bool is_chosen = chosen && *chosen;
	int used;

	if (is_chosen)
		used = snprintf(ret_path, path_bytes, "%s", chosen);
	else
		used = snprintf(ret_path, path_bytes, "/dev/shm/enrgdaq-%u", (unsigned)geteuid());
	if (used < 0 || (size_t)used >= path_bytes)
		return enrg_error_set(err, -ENAMETOOLONG, "the name of the runtime folder is too long");
	return check_shared(ret_path, is_chosen, err);
}
