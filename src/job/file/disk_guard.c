/* disk_guard.c: keeps a store from filling its disk. Store process, main thread. */
#include "job/file/disk_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "job/file/handle.h"

#define BYTES_BETWEEN_CHECKS (64u << 20)
#define CHECKS_A_RESERVE     16
#define GB                   1e9

static double limit_of(const struct disk_guard *guard, const struct statvfs *disk)
{
	double limit = guard->rules->min_free_gb * GB;
	double tenth = (double)disk->f_blocks * (double)disk->f_frsize / 10;

	return guard->rules->has_min_free_gb || limit < tenth ? limit : tenth;
}

static double free_of(const struct statvfs *disk)
{
	return (double)disk->f_bavail * (double)disk->f_frsize;
}

bool disk_guard_is_due(const struct disk_guard *guard, uint64_t now_ns)
{
	if (!guard->rules || !(guard->rules->min_free_gb > 0))
		return false;
	/* Between two checks this store uses up little of the reserve, as others may write to the same disk. */
	double bytes = (guard->reserve > 0 ? guard->reserve : guard->rules->min_free_gb * GB) / CHECKS_A_RESERVE;
	return now_ns >= guard->next_check_ns || guard->unchecked_bytes >= BYTES_BETWEEN_CHECKS ||
	       (double)guard->unchecked_bytes >= bytes;
}

static bool *find_disk(struct disk_guard *guard, dev_t device)
{
	for (uint32_t i = 0; i < guard->disk_count; i++)
		if (guard->disks[i].device == device)
			return &guard->disks[i].is_warned;
	if (guard->disk_count == DISK_GUARD_DISKS_MAX)
		guard->disk_count--;
	guard->disks[guard->disk_count].device = device;
	guard->disks[guard->disk_count].is_warned = false;
	return &guard->disks[guard->disk_count++].is_warned;
}

/* In the unit in which three digits say something. */
static void format_bytes(double bytes, char *ret_text, size_t text_bytes)
{
	if (bytes < 0.1 * GB)
		snprintf(ret_text, text_bytes, "%.1f MB", bytes / 1e6);
	else
		snprintf(ret_text, text_bytes, "%.2f GB", bytes / GB);
}

static int refuse(const char *path, double is_free, double limit, struct enrg_error *err)
{
	char left[32], wanted[32];

	format_bytes(is_free, left, sizeof(left));
	format_bytes(limit, wanted, sizeof(wanted));
	return enrg_error_set(err, -ENOSPC,
		"%s: only %s are free on its disk, and min_free_gb keeps %s: writing waits before the disk is full",
		path, left, wanted);
}

/* The operator knows the folder; the file may be one of the store's own that nobody sees. */
static void name_folder(const char *path, char ret_folder[PATH_MAX])
{
	const char *slash = strrchr(path, '/');

	snprintf(ret_folder, PATH_MAX, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
}

int disk_guard_check(struct disk_guard *guard, const struct disk_guard_place *place,
	enum disk_guard_finding *ret_finding, char *ret_text, size_t text_bytes, struct enrg_error *err)
{
	char left[32], wanted[32], folder[PATH_MAX];
	struct statvfs disk;

	*ret_finding = DISK_GUARD_GOOD;
	if (fstatvfs(place->descriptor, &disk) < 0 || disk.f_blocks == 0)
		return 0; /* a file system that does not say is believed */
	double limit = limit_of(guard, &disk), is_free = free_of(&disk);
	if (!(guard->reserve > 0) || limit < guard->reserve)
		guard->reserve = limit;
	bool *is_warned = find_disk(guard, place->device);
	name_folder(place->path, folder);
	if (is_free < limit) {
		snprintf(guard->low_folder, sizeof(guard->low_folder), "%s", folder);
		return refuse(folder, is_free, limit, err);
	}
	format_bytes(is_free, left, sizeof(left));
	format_bytes(limit, wanted, sizeof(wanted));
	if (!*is_warned && is_free < 2 * limit) {
		*is_warned = true;
		*ret_finding = DISK_GUARD_WARN;
		snprintf(ret_text, text_bytes,
			"%s: only %s are free on its disk; at %s (min_free_gb) writing will wait: free space", folder,
			left, wanted);
	} else if (*is_warned && is_free > 2.2 * limit) {
		*is_warned = false;
		*ret_finding = DISK_GUARD_GOOD_AGAIN;
		snprintf(ret_text, text_bytes, "%s: %s are free on its disk again", folder, left);
	}
	return 0;
}

int disk_guard_check_folder(struct disk_guard *guard, uint32_t index, enum disk_guard_finding *ret_finding,
	char *ret_text, size_t text_bytes, struct enrg_error *err)
{
	int descriptor = open(guard->folders[index].path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	*ret_finding = DISK_GUARD_GOOD;
	if (descriptor < 0)
		return 0; /* the store will say what happened to its folder */
	const struct disk_guard_place place = {descriptor, guard->folders[index].device, guard->folders[index].path};
	int rc = disk_guard_check(guard, &place, ret_finding, ret_text, text_bytes, err);
	close(descriptor);
	return rc;
}

int disk_guard_check_again(struct disk_guard *guard, struct enrg_error *err)
{
	struct statvfs disk;

	if (!guard->low_folder[0])
		return 0;
	if (statvfs(guard->low_folder, &disk) == 0 && disk.f_blocks) {
		double limit = limit_of(guard, &disk);
		if (free_of(&disk) < 1.1 * limit)
			return refuse(guard->low_folder, free_of(&disk), limit, err);
	}
	guard->low_folder[0] = '\0';
	return 0;
}

int enrg_store_guard_folder(struct enrg_store *store, const char *folder, struct enrg_error *err)
{
	struct disk_guard *guard = &store->files.guard;
	struct stat status;

	if (stat(folder, &status) < 0) {
		int rc = -errno;
		return enrg_error_set(err, rc, "%s: %s", folder, enrg_error_name(rc));
	}
	for (uint32_t i = 0; i < guard->folder_count; i++)
		if (guard->folders[i].device == status.st_dev)
			return 0;
	if (guard->folder_count == DISK_GUARD_DISKS_MAX)
		return enrg_error_set(err, -ENOSPC,
			"%s: more than %u disks in one store: give some of the data to another", folder,
			DISK_GUARD_DISKS_MAX);
	guard->folders[guard->folder_count].device = status.st_dev;
	snprintf(guard->folders[guard->folder_count++].path, PATH_MAX, "%s/", folder);
	return 0;
}
