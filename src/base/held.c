/* held.c: is what a process holds open still what its path names? Library code, any thread. */
#include "base/held.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Errors that say that there is no such name; all others say nothing about it. */
static bool is_absent(int error)
{
	return error == ENOENT || error == ENOTDIR;
}

/* Of the folder that the path lies in. */
static bool stat_folder(const char *path, struct stat *ret_status)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];

	if (snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".") >=
		(int)sizeof(folder))
		return false;
	return stat(folder, ret_status) == 0;
}

enum held_finding held_look(int descriptor, const char *path, uint64_t least_bytes, struct stat *ret_status)
{
	struct stat own, named, folder;

	if (ret_status)
		memset(ret_status, 0, sizeof(*ret_status));
	if (fstat(descriptor, &own) < 0)
		return HELD_SAME;
	if (ret_status)
		*ret_status = own;
	bool is_named = stat(path, &named) == 0;
	if (is_named && named.st_dev == own.st_dev && named.st_ino == own.st_ino)
		return (uint64_t)own.st_size < least_bytes ? HELD_CUT : HELD_SAME;
	if (!is_named && !is_absent(errno))
		return HELD_SAME;
	if (own.st_nlink == 0)
		return is_named ? HELD_REPLACED : HELD_REMOVED;
	if (stat_folder(path, &folder) && folder.st_dev != own.st_dev)
		return HELD_UNMOUNTED;
	return HELD_MOVED;
}

static uint64_t birth_of(int folder, const char *path, int flags)
{
	struct statx status;

	if (statx(folder, path, flags, STATX_BTIME, &status) < 0 || !(status.stx_mask & STATX_BTIME))
		return 0;
	return (uint64_t)status.stx_btime.tv_sec * 1000000000u + status.stx_btime.tv_nsec;
}

void held_name_take_open(struct held_name *name, int descriptor)
{
	struct stat status;

	*name = (struct held_name){0};
	if (fstat(descriptor, &status) == 0)
		*name = (struct held_name){status.st_dev, status.st_ino, birth_of(descriptor, "", AT_EMPTY_PATH),
			(uint64_t)status.st_size};
}

bool held_name_take(struct held_name *name, const char *path)
{
	struct stat status;

	*name = (struct held_name){0};
	if (stat(path, &status) < 0)
		return false;
	*name = (struct held_name){status.st_dev, status.st_ino, birth_of(AT_FDCWD, path, 0), (uint64_t)status.st_size};
	return true;
}

enum held_finding held_name_look(struct held_name *name, const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return is_absent(errno) ? HELD_REMOVED : HELD_SAME;
	if (status.st_dev != name->device || status.st_ino != name->inode ||
		(name->birth_ns && birth_of(AT_FDCWD, path, 0) != name->birth_ns))
		return HELD_REPLACED;
	if ((uint64_t)status.st_size < name->bytes)
		return HELD_CUT;
	name->bytes = (uint64_t)status.st_size;
	return HELD_SAME;
}

const char *held_describe(enum held_finding finding)
{
	static const char *const texts[] = {
		[HELD_SAME] = "is as it was",
		[HELD_REMOVED] = "was removed",
		[HELD_MOVED] = "was moved away",
		[HELD_REPLACED] = "was replaced by another file",
		[HELD_UNMOUNTED] = "was unmounted with its disk, or another disk was mounted over it",
		[HELD_CUT] = "was cut",
	};

	return texts[finding];
}

bool held_find_name(int descriptor, char *ret_path, size_t path_bytes)
{
	char link[64];
	struct stat own, named;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", descriptor);
	ssize_t length = readlink(link, ret_path, path_bytes - 1);
	if (length < 0)
		return false;
	ret_path[length] = '\0';
	return fstat(descriptor, &own) == 0 && stat(ret_path, &named) == 0 && own.st_dev == named.st_dev &&
	       own.st_ino == named.st_ino;
}

/* --- paths that lead to a descriptor ------------------------------------------------------------------------------ */

int held_lead(const char *path, int descriptor)
{
	char target[64], temporary[PATH_MAX];

	snprintf(target, sizeof(target), "/proc/%d/fd/%d", (int)getpid(), descriptor);
	if (snprintf(temporary, sizeof(temporary), "%s.led", path) >= (int)sizeof(temporary))
		return -ENAMETOOLONG;
	unlink(temporary);
	if (symlink(target, temporary) < 0 || rename(temporary, path) < 0) {
		int rc = -errno;
		unlink(temporary);
		return rc;
	}
	return 0;
}

/* Exactly /proc/PID/fd/N: no link that somebody else put there leads anywhere else. */
static bool read_led(const char *path, char ret_target[64])
{
	unsigned pid, number;
	int end = 0;
	ssize_t length = readlink(path, ret_target, 63);

	if (length <= 0)
		return false;
	ret_target[length] = '\0';
	return sscanf(ret_target, "/proc/%9u/fd/%9u%n", &pid, &number, &end) == 2 && end == length;
}

int held_open(const char *path, int flags)
{
	char target[64];
	int descriptor = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

	if (descriptor >= 0 || errno != ELOOP)
		return descriptor;
	if (!read_led(path, target)) {
		errno = ELOOP;
		return -1;
	}
	return open(target, (flags & ~(O_CREAT | O_EXCL | O_TRUNC)) | O_CLOEXEC | O_NONBLOCK);
}

bool held_is_led(const char *path)
{
	char target[64];

	return read_led(path, target);
}
