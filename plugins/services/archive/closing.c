/* closing.c: see the header. In the process of DAQJobArchive, on its main thread. */
#include "closing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "names.h"

#define SETTLE_NS 5000000 /* between a name being looked up and the file being opened */

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool is_unchanged(const struct stat *a, const struct stat *b)
{
	return is_same_file(a, b) && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* --- without leases ---------------------------------------------------------------------------------------------- */

static bool has_open(const char *process, const struct stat *file)
{
	char path[300];
	struct stat status;
	bool is_open = false;

	snprintf(path, sizeof(path), "/proc/%.32s/fd", process);
	DIR *folder = opendir(path);
	if (!folder) /* of another user */
		return false;
	for (struct dirent *entry; !is_open && (entry = readdir(folder));)
		is_open = fstatat(dirfd(folder), entry->d_name, &status, 0) == 0 && is_same_file(&status, file);
	closedir(folder);
	return is_open;
}

/* Has another process of this machine it open? */
static bool is_open_elsewhere(const struct stat *file)
{
	DIR *processes = opendir("/proc");
	bool is_open = false;

	if (!processes)
		return true;
	for (struct dirent *entry; !is_open && (entry = readdir(processes));)
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && atoi(entry->d_name) != getpid())
			is_open = has_open(entry->d_name, file);
	closedir(processes);
	return is_open;
}

/* --- leases ------------------------------------------------------------------------------------------------------ */

/* F_RDLCK: nobody writes it; F_WRLCK: nobody has it open at all. */
static bool take_lease(int descriptor, int kind, const struct stat *file, bool *ret_is_lease)
{
	*ret_is_lease = fcntl(descriptor, F_SETLEASE, kind) == 0;
	if (*ret_is_lease)
		return true;
	if (errno == EAGAIN || errno == EBUSY)
		return false;
	return !is_open_elsewhere(file);
}

bool closing_is_closed(int folder, const char *name)
{
	int descriptor = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool is_lease = false, is_closed;
	struct stat status;

	if (descriptor < 0)
		return false;
	is_closed = fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) &&
		    take_lease(descriptor, F_RDLCK, &status, &is_lease);
	close(descriptor); /* the lease ends with it */
	return is_closed;
}

/* Has somebody tried to open it since the lease was given? He waits until it is given back. */
static bool is_wanted(int descriptor, bool is_lease, const struct stat *file)
{
	const struct timespec moment = {.tv_nsec = SETTLE_NS};

	nanosleep(&moment, NULL);
	return is_lease ? fcntl(descriptor, F_GETLEASE) != F_WRLCK : is_open_elsewhere(file);
}

int closing_rename(int folder, const char *from, const char *to)
{
	int rc = renameat2(folder, from, folder, to, RENAME_NOREPLACE);

	/* file systems that don't know the flag */
	if (rc < 0 && (errno == EINVAL || errno == ENOSYS) && faccessat(folder, to, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
		errno == ENOENT)
		rc = renameat(folder, from, folder, to);
	return rc;
}

static int busy(const char *name, struct enrg_error *err)
{
	return enrg_error_set(err, -EBUSY, "%s is open, or has changed: it stays", name);
}

/* Without its name nobody can open it any more; who had looked the name up before gets it back. */
static int take_away(int folder, const char *name, int descriptor, bool is_lease, struct enrg_error *err)
{
	char going[NAMES_PATH_BYTES];
	struct stat status;

	if (!names_format_going(name, going))
		return enrg_error_set(err, -ENAMETOOLONG, "%s: the name is too long", name);
	if (fstat(descriptor, &status) < 0 || renameat(folder, name, folder, going) < 0)
		return enrg_error_set(err, -errno, "%s can't be removed: %s", name, strerror(errno));
	if (is_wanted(descriptor, is_lease, &status)) {
		if (closing_rename(folder, going, name) < 0)
			return enrg_error_set(err, -errno, "%s is called %s now, and can't get its name back: %s", name,
				going, strerror(errno));
		return busy(name, err);
	}
	if (unlinkat(folder, going, 0) < 0)
		return enrg_error_set(err, -errno, "%s can't be removed: %s", name, strerror(errno));
	return 0;
}

int closing_remove(int folder, const char *name, const struct stat *known, struct enrg_error *err)
{
	int descriptor = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), rc;
	bool is_lease = false;
	struct stat status;

	if (descriptor < 0)
		return enrg_error_set(err, -errno, "%s: %s", name, strerror(errno));
	if (fstat(descriptor, &status) < 0 || !S_ISREG(status.st_mode) ||
		!take_lease(descriptor, F_WRLCK, &status, &is_lease) || fstat(descriptor, &status) < 0 ||
		!is_unchanged(&status, known))
		rc = busy(name, err);
	else
		rc = take_away(folder, name, descriptor, is_lease, err);
	close(descriptor);
	return rc;
}
