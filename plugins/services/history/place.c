/* place.c: see the header. */
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "enrgdaq/client.h"

#define LOCK ".lock"

static int fail(const char *path, struct enrg_error *err)
{
	int rc = -errno;

	return enrg_error_set(err, rc, "%s: %s", path, enrg_error_name(rc));
}

static int make_folders(const char *folder)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/", folder);
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		int rc = mkdir(path, 0777);
		*slash = '/';
		if (rc < 0 && errno != EEXIST)
			return -1;
	}
	return 0;
}

int place_open(struct place *place, const char *folder, struct enrg_error *err)
{
	char path[PATH_MAX];

	*place = (struct place){0};
	if (snprintf(place->folder, sizeof(place->folder), "%s", folder) >= (int)sizeof(place->folder) - 80)
		return enrg_error_set(err, -ENAMETOOLONG, "folder: %s: too long", folder);
	snprintf(path, sizeof(path), "%.*s/" LOCK, PATH_MAX - 80, folder);
	if (make_folders(folder) < 0)
		return fail(folder, err);
	place->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (place->lock < 0) {
		place->lock = 0;
		return fail(path, err);
	}
	if (flock(place->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	int rc = errno == EWOULDBLOCK ? enrg_error_set(err, -EBUSY,
						"folder: another process records its history in %s: each needs a "
						"`folder` of its own",
						folder)
				      : fail(path, err);
	place_close(place);
	return rc;
}

void place_close(struct place *place)
{
	if (place->pointer[0])
		unlink(place->pointer);
	if (place->lock > 0)
		close(place->lock);
	*place = (struct place){0};
}

int place_check_room(const struct place *place, uint64_t free_bytes, struct enrg_error *err)
{
	struct statvfs disk;
	char text[32];

	if (statvfs(place->folder, &disk) < 0)
		return fail(place->folder, err);
	uint64_t tenth = (uint64_t)disk.f_blocks * disk.f_frsize / 10, least = free_bytes < tenth ? free_bytes : tenth;
	if ((uint64_t)disk.f_bavail * disk.f_frsize >= least)
		return 0;
	return enrg_error_set(err, -ENOSPC, "less than %s are free on the disk of %s (min_free_gb)",
		enrg_format_bytes((double)least, text), place->folder);
}

/* FNV-1a: names of jobs may hold what a file's name may not. */
static uint64_t hash_of(const char *text)
{
	uint64_t hash = 0xCBF29CE484222325u;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001B3u;
	return hash;
}

int place_show(struct place *place, const char *runtime, const char *job, struct enrg_error *err)
{
	char *folder = realpath(place->folder, NULL);
	int rc = 0;

	if (!folder)
		return fail(place->folder, err);
	if (snprintf(place->pointer, sizeof(place->pointer), "%s/%016" PRIx64 ".history", runtime, hash_of(job)) >=
		(int)sizeof(place->pointer)) {
		place->pointer[0] = '\0';
		errno = ENAMETOOLONG;
	}
	int descriptor = place->pointer[0]
				 ? open(place->pointer, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600)
				 : -1;
	if (descriptor < 0 || write(descriptor, folder, strlen(folder)) != (ssize_t)strlen(folder))
		rc = fail(runtime, err);
	if (descriptor >= 0)
		close(descriptor);
	free(folder);
	return rc;
}
