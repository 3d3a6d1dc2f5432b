/* placing.c: see the header. In the process of DAQJobArchive, on its main thread. */
#include "placing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reading.h"

#define SYNC_BYTES (8u << 20) /* so that nothing piles up that one sync would wait for */
#define TRIES_MAX  100u

enum stage {
	STAGE_NONE = 0,
	STAGE_WRITE,   /* the original into the part */
	STAGE_BACK,    /* the part is read again */
	STAGE_PLACE,   /* it gets its name */
	STAGE_COMPARE, /* what has that name is read */
	STAGE_PROOF,   /* a copy is read again */
};

struct placing {
	struct placing_params params;
	enum stage stage;
	int root; /* the target, open as long as something is on its way, so that it can't be another one meanwhile */
	int part; /* being written */
	struct reading from, back;
	uint64_t unsynced;
	char part_name[NAMES_PATH_BYTES], earlier_name[NAMES_PATH_BYTES];
	char earlier_digest[DIGEST_TEXT_BYTES], wanted[DIGEST_TEXT_BYTES];
	char name[NAMES_PATH_BYTES];
	unsigned try;
	struct way_result result;
};

static int64_t ns_of(const struct timespec *time)
{
	return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

/* --- the target -------------------------------------------------------------------------------------------------- */

static int open_target(struct placing *placing, struct enrg_error *err)
{
	const struct placing_params *params = &placing->params;

	placing->root = open(params->target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (placing->root < 0)
		return enrg_error_set(err, -ENODEV, "the target %s is not there: %s", params->target, strerror(errno));
	if (faccessat(placing->root, params->marker, F_OK, 0) == 0)
		return 0;
	return enrg_error_set(err, -ENODEV,
		"the target %s has no file %s, so nothing is mounted there, or it is new: mount it, or make that file "
		"once "
		"(`touch %s/%s`)",
		params->target, params->marker, params->target, params->marker);
}

/* What the system says of the target. */
static int fail_there(const struct placing *placing, const char *what, int code, struct enrg_error *err)
{
	const char *target = placing->params.target;

	if (code == ENOSPC || code == EDQUOT)
		return enrg_error_set(err, -code, "the target %s is full: %s: make room there", target, strerror(code));
	return enrg_error_set(err, -code, "the target %s: %s: %s", target, what, strerror(code));
}

/* Folders of the name, one after the other. */
static int make_folders(const struct placing *placing, const char *name, struct enrg_error *err)
{
	char path[NAMES_PATH_BYTES];

	for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(path, sizeof(path), "%.*s", (int)(slash - name), name);
		if (mkdirat(placing->root, path, 0777) < 0 && errno != EEXIST)
			return fail_there(placing, "a folder can't be made", errno, err);
	}
	return 0;
}

static int sync_folder(int root, const char *path)
{
	int folder = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	rc = folder < 0 ? -errno : fsync(folder) < 0 ? -errno : 0;
	if (folder >= 0)
		close(folder);
	return rc == -EINVAL ? 0 : rc; /* there are file systems that can't */
}

/* The folder that the name is in, and those above it: each of them may be new, and a power cut would take its name. */
static int sync_folders(int root, const char *name)
{
	char path[NAMES_PATH_BYTES];
	int rc = 0;

	snprintf(path, sizeof(path), "%s", name);
	for (char *slash; rc == 0 && (slash = strrchr(path, '/'));) {
		*slash = '\0';
		rc = sync_folder(root, path);
	}
	return rc < 0 ? rc : sync_folder(root, ".");
}

/* --- copying ----------------------------------------------------------------------------------------------------- */

static void placing_abort(void *way)
{
	struct placing *placing = way;

	reading_close(&placing->from);
	reading_close(&placing->back);
	if (placing->part >= 0)
		close(placing->part);
	if (placing->root >= 0 && placing->part_name[0])
		unlinkat(placing->root, placing->part_name, 0);
	if (placing->root >= 0)
		close(placing->root);
	placing->root = placing->part = -1;
	placing->part_name[0] = '\0';
	placing->stage = STAGE_NONE;
}

static int begin(struct placing *placing, const struct way_file *file, struct enrg_error *err)
{
	int rc = open_target(placing, err);

	if (rc == 0)
		rc = make_folders(placing, file->name, err);
	if (rc == 0)
		rc = reading_open(&placing->from, file->folder, file->name, false, err);
	if (rc < 0)
		return rc;
	placing->from.prefix_bytes = file->earlier_bytes;
	snprintf(placing->earlier_name, NAMES_PATH_BYTES, "%s", file->earlier_bytes ? file->earlier_name : "");
	snprintf(placing->earlier_digest, DIGEST_TEXT_BYTES, "%s", file->earlier_bytes ? file->earlier_digest : "");
	snprintf(placing->name, NAMES_PATH_BYTES, "%s", file->name);
	if (!names_format_part(file->name, placing->params.job, placing->part_name))
		return enrg_error_set(err, -ENAMETOOLONG, "the name is too long");
	placing->part = openat(placing->root, placing->part_name, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		placing->from.status.st_mode & 0777);
	if (placing->part < 0)
		return fail_there(placing, "nothing can be written", errno, err);
	placing->stage = STAGE_WRITE;
	placing->unsynced = 0;
	placing->try = 0;
	return 0;
}

static int placing_begin(void *way, const struct way_file *file, struct enrg_error *err)
{
	int rc = begin(way, file, err);

	if (rc < 0)
		placing_abort(way);
	return rc;
}

static int write_piece(struct placing *placing, uint64_t at, size_t count, struct enrg_error *err)
{
	const char *bytes = placing->from.bytes;

	while (count > 0) {
		ssize_t done = pwrite(placing->part, bytes, count, (off_t)at);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return fail_there(placing, "nothing can be written", done < 0 ? errno : EIO, err);
		bytes += done;
		at += (uint64_t)done;
		count -= (size_t)done;
		placing->unsynced += (uint64_t)done;
	}
	if (placing->unsynced < SYNC_BYTES)
		return 0;
	placing->unsynced = 0;
	return fdatasync(placing->part) < 0 ? fail_there(placing, "what is written can't be synced", errno, err) : 0;
}

/* All of it is written: with its times, and synced. */
static int finish_writing(struct placing *placing, struct enrg_error *err)
{
	const struct stat *status = &placing->from.status;
	const struct timespec times[2] = {status->st_atim, status->st_mtim};
	int rc = reading_finish(&placing->from, placing->result.digest, err);

	if (rc < 0)
		return rc;
	placing->result.bytes = placing->from.at;
	placing->result.changed_ns = ns_of(&status->st_mtim);
	futimens(placing->part, times);
	if (fsync(placing->part) < 0)
		return fail_there(placing, "what is written can't be synced", errno, err);
	posix_fadvise(placing->part, 0, 0, POSIX_FADV_DONTNEED);
	close(placing->part);
	placing->part = -1;
	/* May it take the place of an earlier copy: does it begin with all that is in that one? */
	if (!placing->from.prefix[0] || strcmp(placing->from.prefix, placing->earlier_digest) != 0)
		placing->earlier_name[0] = '\0';
	placing->stage = STAGE_BACK;
	return reading_open(&placing->back, placing->root, placing->part_name, true, err);
}

static int step_write(struct placing *placing, struct enrg_error *err)
{
	uint64_t at = placing->from.at;
	int64_t got = reading_next(&placing->from, err);

	if (got < 0)
		return (int)got;
	return got ? write_piece(placing, at, (size_t)got, err) : finish_writing(placing, err);
}

/* Reads on; WAY_DONE: to the end, and ret_digest is set. */
static int step_read(struct placing *placing, char ret_digest[DIGEST_TEXT_BYTES], struct enrg_error *err)
{
	int64_t got = reading_next(&placing->back, err);

	if (got != 0)
		return got < 0 ? (int)got : WAY_AGAIN;
	int rc = reading_finish(&placing->back, ret_digest, err);
	reading_close(&placing->back);
	return rc < 0 ? rc : WAY_DONE;
}

static int step_back(struct placing *placing, struct enrg_error *err)
{
	char digest[DIGEST_TEXT_BYTES];
	int rc = step_read(placing, digest, err);

	if (rc != WAY_DONE)
		return rc;
	if (strcmp(digest, placing->result.digest) != 0)
		return enrg_error_set(err, ENRG_E_CORRUPT,
			"what is read back from %s is not what was written (SHA-256 %.12s… instead of %.12s…): that "
			"disk, its "
			"cable or its controller loses data",
			placing->params.target, digest, placing->result.digest);
	placing->stage = STAGE_PLACE;
	return WAY_AGAIN;
}

static int finish(struct placing *placing, struct enrg_error *err)
{
	int rc = sync_folders(placing->root, placing->result.archived);

	placing->part_name[0] = '\0'; /* it has its name, or is not needed */
	return rc < 0 ? fail_there(placing, "the folder can't be synced", -rc, err) : WAY_DONE;
}

/* Gives the part its name, unless another file has it. */
static int step_place(struct placing *placing, struct enrg_error *err)
{
	char *name = placing->result.archived;

	if (placing->try == TRIES_MAX)
		return enrg_error_set(err, -EEXIST, "%s: %u other files of that name lie in the target %s",
			placing->name, TRIES_MAX, placing->params.target);
	if (!names_format_copy(placing->name, placing->result.changed_ns, placing->try, name))
		return enrg_error_set(err, -ENAMETOOLONG, "the name is too long");
	if (renameat2(placing->root, placing->part_name, placing->root, name, RENAME_NOREPLACE) == 0)
		return finish(placing, err);
	if (errno == EINVAL && faccessat(placing->root, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT &&
		renameat(placing->root, placing->part_name, placing->root, name) == 0)
		return finish(placing, err);
	if (errno != EEXIST && errno != EINVAL)
		return fail_there(placing, "a copy can't get its name", errno, err);
	if (reading_open(&placing->back, placing->root, name, true, err) < 0) { /* a folder, a link */
		reading_close(&placing->back);
		placing->try++;
		return WAY_AGAIN;
	}
	placing->stage = STAGE_COMPARE;
	return WAY_AGAIN;
}

/* What has the name: the same; or an earlier copy of ours, whose bytes the new one begins with; or another file. */
static int step_compare(struct placing *placing, struct enrg_error *err)
{
	char digest[DIGEST_TEXT_BYTES];
	const char *name = placing->result.archived;
	int rc = step_read(placing, digest, NULL);

	if (rc == WAY_AGAIN)
		return rc;
	if (rc < 0) { /* it can't be read: whatever it is, it stays */
		reading_close(&placing->back);
		placing->try++;
		placing->stage = STAGE_PLACE;
		return WAY_AGAIN;
	}
	if (strcmp(digest, placing->result.digest) == 0) {
		unlinkat(placing->root, placing->part_name, 0);
		return finish(placing, err);
	}
	if (strcmp(name, placing->earlier_name) == 0 && strcmp(digest, placing->earlier_digest) == 0) {
		if (renameat(placing->root, placing->part_name, placing->root, name) < 0)
			return fail_there(placing, "a copy can't get its name", errno, err);
		return finish(placing, err);
	}
	placing->try++;
	placing->stage = STAGE_PLACE;
	return WAY_AGAIN;
}

/* --- proof ------------------------------------------------------------------------------------------------------- */

static int placing_begin_proof(void *way, const char *archived, const char *digest, struct enrg_error *err)
{
	struct placing *placing = way;
	int rc = open_target(placing, err);

	if (rc == 0)
		rc = reading_open(&placing->back, placing->root, archived, true, err);
	if (rc < 0) {
		placing_abort(placing);
		return rc;
	}
	snprintf(placing->wanted, sizeof(placing->wanted), "%s", digest);
	placing->stage = STAGE_PROOF;
	return 0;
}

static int step_proof(struct placing *placing, struct enrg_error *err)
{
	char digest[DIGEST_TEXT_BYTES];
	int rc = step_read(placing, digest, err);

	if (rc == WAY_DONE && strcmp(digest, placing->wanted) != 0)
		return enrg_error_set(
			err, ENRG_E_CORRUPT, "the copy in %s is not what was archived", placing->params.target);
	return rc;
}

/* --- steps ------------------------------------------------------------------------------------------------------- */

static int step(struct placing *placing, struct enrg_error *err)
{
	switch (placing->stage) {
	case STAGE_WRITE:
		return step_write(placing, err);
	case STAGE_BACK:
		return step_back(placing, err);
	case STAGE_PLACE:
		return step_place(placing, err);
	case STAGE_COMPARE:
		return step_compare(placing, err);
	case STAGE_PROOF:
		return step_proof(placing, err);
	case STAGE_NONE:
		break;
	}
	return enrg_error_set(err, -EINVAL, "nothing is on its way");
}

static int placing_step(void *way, struct way_result *ret_result, struct enrg_error *err)
{
	struct placing *placing = way;
	int rc = step(placing, err);

	if (rc == WAY_DONE)
		*ret_result = placing->result;
	if (rc == WAY_DONE || rc < 0)
		placing_abort(placing);
	return rc;
}

static int placing_descriptor(const void *way)
{
	(void)way;
	return -1;
}

/* Half of it is writing, half reading back. */
static int placing_percent(const void *way)
{
	const struct placing *placing = way;
	double all = placing->stage == STAGE_PROOF ? (double)placing->back.status.st_size
						   : 2 * (double)placing->from.status.st_size;
	double done = (double)placing->from.at + (double)placing->back.at;

	return all > 0 && done < all ? (int)(100 * done / all) : 100;
}

static void placing_destroy(void *way)
{
	if (way)
		placing_abort(way);
	free(way);
}

static const struct way_type placing_type = {
	.begin = placing_begin,
	.begin_proof = placing_begin_proof,
	.step = placing_step,
	.descriptor = placing_descriptor,
	.percent = placing_percent,
	.abort = placing_abort,
	.destroy = placing_destroy,
};

int placing_create(const struct placing_params *params, struct way *ret_way, struct enrg_error *err)
{
	struct placing *placing = calloc(1, sizeof(*placing));

	if (!placing)
		return enrg_error_set(err, -ENOMEM, "out of memory");
	placing->params = *params;
	placing->root = placing->part = -1;
	placing->from.descriptor = placing->back.descriptor = -1;
	*ret_way = (struct way){&placing_type, placing};
	return 0;
}
