/* keeper.c: holds the files of the runtime folder. Process: supervisor, main thread. */
#include "supervisor/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/path.h"
#include "base/text.h"
#include "handover/journal.h"

#define COPY_BYTES (1u << 20)

/* What one look has found. */
struct outage {
	uint32_t count;
	enum held_finding finding;
	char first[256];
};

static void note(struct outage *outage, const char *path, enum held_finding finding)
{
	if (outage->count++ == 0) {
		outage->finding = finding;
		text_copy(outage->first, sizeof(outage->first), path);
	}
}

/* --- files of plans ----------------------------------------------------------------------------------------------- */

static void free_file(struct keeper_file *file)
{
	if (file->descriptor >= 0)
		close(file->descriptor);
	free(file->path);
	free(file->source);
}

static int add_file(struct keeper *keeper, const char *path, const char *source)
{
	struct keeper_file *files;
	struct keeper_file file = {.descriptor = -1};

	for (size_t i = 0; path && i < keeper->file_count; i++)
		if (!strcmp(keeper->files[i].path, path))
			return 0;
	files = path ? realloc(keeper->files, (keeper->file_count + 1) * sizeof(*files)) : keeper->files;
	if (!path || !files)
		return path ? -ENOMEM : 0;
	keeper->files = files;
	file.path = strdup(path);
	file.source = source ? strdup(source) : NULL;
	if (!file.path || (source && !file.source)) {
		free_file(&file);
		return -ENOMEM;
	}
	files[keeper->file_count++] = file;
	return 0;
}

int keeper_add(struct keeper *keeper, const struct plan *plan, struct enrg_error *err)
{
	if (add_file(keeper, plan->stream_path, plan->name) || add_file(keeper, plan->journal_path, NULL) ||
		add_file(keeper, plan->checkpoint_path, NULL))
		return enrg_error_set(err, -ENOMEM, "out of memory");
	return 0;
}

void keeper_drop_file(struct keeper *keeper, const char *path)
{
	size_t kept = 0;

	for (size_t i = 0; i < keeper->file_count; i++) {
		struct keeper_file *file = &keeper->files[i];

		if (path && !strcmp(file->path, path))
			free_file(file);
		else
			keeper->files[kept++] = *file;
	}
	keeper->file_count = kept;
	keeper->next = 0;
}

void keeper_drop(struct keeper *keeper, const struct plan *plan)
{
	keeper_drop_file(keeper, plan->stream_path);
	keeper_drop_file(keeper, plan->journal_path);
	keeper_drop_file(keeper, plan->checkpoint_path);
}

int keeper_open(struct keeper *keeper, struct runtime *runtime, const struct plan_set *plans, struct enrg_error *err)
{
	int rc = 0;

	*keeper = (struct keeper){.runtime = runtime};
	for (size_t i = 0; !rc && i < plans->count; i++)
		rc = keeper_add(keeper, plans->plans[i], err);
	return rc;
}

void keeper_close(struct keeper *keeper)
{
	for (size_t i = 0; i < keeper->file_count; i++)
		free_file(&keeper->files[i]);
	free(keeper->files);
	*keeper = (struct keeper){0};
}

/* A journal that its store is just making is shorter than it will be. */
static void note_length(struct keeper_file *file, const struct stat *status)
{
	if ((uint64_t)status->st_size > file->bytes)
		file->bytes = (uint64_t)status->st_size;
}

static void take(struct keeper_file *file)
{
	struct stat status;

	if (file->descriptor < 0)
		file->descriptor = held_open(file->path, O_RDWR);
	if (file->descriptor >= 0 && fstat(file->descriptor, &status) == 0)
		note_length(file, &status);
}

/* What stands in the place of a journal may be what its store has made of it. */
static bool take_grown(struct keeper_file *file)
{
	int descriptor = file->source ? -ENOENT : journal_open_grown(file->path, file->descriptor);

	if (descriptor < 0)
		return false;
	close(file->descriptor);
	file->descriptor = descriptor;
	take(file);
	return true;
}

static void tell_cut(struct keeper *keeper, struct keeper_file *file, struct losses *losses)
{
	file->is_lost = true;
	if (!file->source) {
		log_line(ENRG_ERROR,
			"%s was cut by something else: its store continues where its streams were acknowledged last, "
			"and "
			"batches written but not acknowledged by then may come twice",
			file->path);
		losses_set(
			losses, &(struct loss){.kind = LOSS_RUNTIME, .files = ++keeper->outages, .name = "journals"});
		return;
	}
	struct loss loss = {.kind = LOSS_STREAM, .files = 1};
	snprintf(loss.name, sizeof(loss.name), "%s", file->source);
	losses_set(losses, &loss);
	log_line(ENRG_ERROR,
		"%s, the ring of %s, was cut by something else: batches that waited in it are gone, and its stores "
		"can't "
		"continue with it; what other sources send waits in memory; stop the run and start it again, and let "
		"nobody "
		"write to %s",
		file->path, file->source, keeper->runtime->folder);
}

static int look_at_file(struct keeper *keeper, struct keeper_file *file, struct losses *losses, struct outage *outage)
{
	if (file->is_lost)
		return 0;
	if (file->descriptor < 0) {
		take(file);
		return 0;
	}
	struct stat status;
	enum held_finding finding = held_look(file->descriptor, file->path, file->bytes, &status);
	if (finding == HELD_SAME) {
		note_length(file, &status);
	} else if (finding == HELD_CUT) {
		tell_cut(keeper, file, losses);
	} else if (finding != HELD_REPLACED || !take_grown(file)) {
		note(outage, file->path, finding);
		return held_lead(file->path, file->descriptor);
	}
	return 0;
}

/* Who removes one file has often removed more: then all of them are looked at. */
static int look_at_files(struct keeper *keeper, struct losses *losses, struct outage *outage, bool is_whole)
{
	size_t wanted = is_whole ? keeper->file_count : KEEPER_FILES_A_LOOK;
	int result = 0;

	for (size_t seen = 0; seen < keeper->file_count && (seen < wanted || outage->count); seen++) {
		int code = look_at_file(keeper, &keeper->files[keeper->next], losses, outage);

		result = code < 0 ? code : result;
		keeper->next = (keeper->next + 1) % keeper->file_count;
	}
	return result;
}

/* --- the rest ----------------------------------------------------------------------------------------------------- */

static void take_sockets(struct keeper *keeper, const char *const paths[2])
{
	for (int i = 0; i < 2; i++)
		held_name_take(&keeper->sockets[i], paths[i]);
}

/* Connections that stand go on; new ones need the name. */
static int look_at_sockets(struct keeper *keeper, struct control_plane *control, struct outage *outage)
{
	struct enrg_error err = {0};
	bool is_lost = false;

	if (!control || !control->broker)
		return 0;
	char urls[2][RUNTIME_URL_BYTES];
	runtime_format_bus(keeper->runtime, urls[0], urls[1]);
	const char *const paths[] = {urls[0] + strlen("ipc://"), urls[1] + strlen("ipc://")};
	if (!keeper->sockets[0].inode) {
		take_sockets(keeper, paths);
		return 0;
	}
	for (int i = 0; i < 2; i++) {
		enum held_finding finding = held_name_look(&keeper->sockets[i], paths[i]);
		if (finding == HELD_SAME)
			continue;
		note(outage, paths[i], finding);
		is_lost = true;
	}
	if (!is_lost)
		return 0;
	int rc = path_make_private_folder(keeper->runtime->sockets, NULL);
	if (!rc)
		rc = broker_bind_again(control->broker, urls[0], urls[1], &err);
	take_sockets(keeper, paths);
	return rc;
}

static void tell(struct keeper *keeper, const struct outage *outage, int rc, struct losses *losses)
{
	struct loss loss = {.kind = LOSS_RUNTIME};
	bool was_failing = keeper->is_failing;

	if (rc && !keeper->is_failing)
		log_line(ENRG_ERROR,
			"%s %s, and can't be put right (%s): jobs that run continue, but none can be started again; "
			"free "
			"space or repair the permissions there, or stop the run",
			outage->first, held_describe(outage->finding), strerror(-rc));
	else if (!rc && (outage->count || keeper->is_failing))
		log_line(ENRG_ERROR,
			"%s %s%s while the run is on: put right again, no batch is lost by it%s; `enrgdaq doctor` says "
			"what may have done it",
			outage->first, held_describe(outage->finding),
			outage->count > 1 ? ", and others of this run with it," : "",
			keeper->outages ? ""
					: "; what waits in shared memory is held by this process alone from now on");
	keeper->is_failing = rc != 0;
	if (!outage->count || was_failing) /* the same outage, tried again */
		return;
	snprintf(loss.name, sizeof(loss.name), "%.255s", keeper->runtime->folder);
	loss.files = ++keeper->outages;
	losses_set(losses, &loss);
}

void keeper_look(struct keeper *keeper, struct control_plane *control, struct losses *losses, bool is_whole)
{
	struct outage outage = {0};
	enum held_finding finding;
	int rc, other;

	if (!keeper->runtime)
		return;
	finding = runtime_look(keeper->runtime);
	if (finding != HELD_SAME)
		note(&outage, keeper->runtime->folder, finding);
	rc = finding == HELD_SAME ? 0 : runtime_restore(keeper->runtime);
	other = look_at_files(keeper, losses, &outage, is_whole || keeper->is_failing);
	rc = rc ? rc : other;
	other = look_at_sockets(keeper, control, &outage);
	rc = rc ? rc : other;
	if (outage.count || rc)
		tell(keeper, &outage, rc, losses);
}

/* --- the end ------------------------------------------------------------------------------------------------------ */

/* Bytes that are there. Parts of a ring that hold nothing have no memory, and get none. */
static int copy_part(int from, int to, off_t at, off_t end, char *bytes)
{
	while (at < end) {
		size_t wanted = end - at < (off_t)COPY_BYTES ? (size_t)(end - at) : COPY_BYTES;
		ssize_t count = pread(from, bytes, wanted, at);

		if (count <= 0 || pwrite(to, bytes, (size_t)count, at) != count)
			return count < 0 || errno ? -errno : -EIO;
		at += count;
	}
	return 0;
}

/* `least_bytes` of it get memory whether they hold something or not. */
static int copy(int from, int to, off_t least_bytes)
{
	char *bytes = malloc(COPY_BYTES);
	off_t at = 0, size = lseek(from, 0, SEEK_END), end;
	int rc = bytes ? 0 : -ENOMEM;

	errno = 0;
	if (!rc && (size < 0 || ftruncate(to, size) < 0))
		rc = -errno;
	while (!rc && (at = lseek(from, at, SEEK_DATA)) >= 0 && (end = lseek(from, at, SEEK_HOLE)) > at) {
		rc = copy_part(from, to, at, end, bytes);
		at = end;
		least_bytes = end > least_bytes ? end : least_bytes;
	}
	free(bytes);
	/* What a producer or a store writes to in place exists: a full tmpfs is an error here, and would be a fault
	 * there. Behind its last byte a ring takes memory by itself. */
	return rc ? rc : -posix_fallocate(to, 0, least_bytes);
}

static int rescue(const struct keeper_file *file)
{
	char temporary[RUNTIME_PATH_BYTES + 300];
	int rc;

	snprintf(temporary, sizeof(temporary), "%s.new", file->path);
	int descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (descriptor < 0)
		return -errno;
	rc = copy(file->descriptor, descriptor, file->source ? 1 : (off_t)file->bytes);
	if (close(descriptor) < 0 && !rc)
		rc = -errno;
	if (!rc && rename(temporary, file->path) < 0)
		rc = -errno;
	if (rc)
		unlink(temporary);
	return rc;
}

void keeper_rescue(struct keeper *keeper)
{
	for (size_t i = 0; i < keeper->file_count; i++) {
		struct keeper_file *file = &keeper->files[i];
		int rc;

		if (file->descriptor < 0 || !held_is_led(file->path))
			continue;
		rc = rescue(file);
		if (rc)
			log_line(ENRG_ERROR, "%s: can't be written for the next run, and what it holds is lost: %s",
				file->path, strerror(-rc));
	}
}
