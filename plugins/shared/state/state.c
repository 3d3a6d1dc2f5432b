/* state.c: see the header. */
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPORARY  ".new"
#define LOCK       ".lock"
#define ENDING_MAX 5 /* bytes of the longest of them */

void state_format_path(const struct enrg_job *job, const char *chosen, const char *ending, char ret_path[PATH_MAX])
{
	char *name;

	if (chosen) {
		snprintf(ret_path, PATH_MAX, "%s", chosen);
		return;
	}
	int prefix = snprintf(ret_path, PATH_MAX, "out/state/");
	name = ret_path + prefix;
	snprintf(name, PATH_MAX - (size_t)prefix, "%.120s.%.90s.%s", enrg_job_supervisor(job), enrg_job_name(job),
		ending);
	for (; *name; name++)
		if (*name == '/')
			*name = '_';
}

static int fail(const struct state *state, struct enrg_error *err)
{
	int rc = -errno;

	return enrg_error_set(err, rc, "%s: %s", state->path, enrg_error_name(rc));
}

/* The folders of `path`, one after the other. */
static int make_folders(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		int rc = mkdir(path, 0777);
		*slash = '/';
		if (rc < 0 && errno != EEXIST)
			return -1;
	}
	return 0;
}

static int take_lock(struct state *state, struct enrg_error *err)
{
	char name[sizeof(state->name) + sizeof(LOCK)];

	snprintf(name, sizeof(name), "%s" LOCK, state->name);
	state->lock = openat(state->folder, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (state->lock < 0)
		return fail(state, err);
	if (flock(state->lock, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return fail(state, err);
	return enrg_error_set(err, -EBUSY,
		"%s: another process keeps its state there; give each job a state_file of its own", state->path);
}

int state_open(struct state *state, const char *path, struct enrg_error *err)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int rc = 0;

	*state = (struct state){.folder = -1, .lock = -1};
	if (!path[0] || (slash && !slash[1])) {
		*state = (struct state){0};
		return enrg_error_set(err, -EISDIR, "\"%s\": expected the name of a file to keep the state in", path);
	}
	snprintf(state->path, sizeof(state->path), "%s", path);
	snprintf(folder, sizeof(folder), "%s", path);
	if (strlen(slash ? slash + 1 : path) + ENDING_MAX > NAME_MAX || strlen(path) >= sizeof(folder)) {
		errno = ENAMETOOLONG;
		rc = fail(state, err);
	}
	snprintf(state->name, sizeof(state->name), "%s", slash ? slash + 1 : path);
	if (!rc && make_folders(folder) < 0)
		rc = fail(state, err);
	folder[slash ? slash - path + 1 : 0] = '\0';
	if (!rc && (state->folder = open(folder[0] ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		rc = fail(state, err);
	if (!rc)
		rc = take_lock(state, err);
	if (rc)
		state_close(state);
	return rc;
}

void state_close(struct state *state)
{
	if (state->lock > 0)
		close(state->lock);
	if (state->folder > 0)
		close(state->folder);
	*state = (struct state){0};
}

static int read_all(int descriptor, char *bytes, size_t byte_count)
{
	size_t count = 0;

	while (count < byte_count) {
		ssize_t got = read(descriptor, bytes + count, byte_count - count);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -1 : (errno = EIO, -1);
		count += (size_t)got;
	}
	return 0;
}

int state_read(const struct state *state, char **ret_bytes, size_t *ret_count, struct enrg_error *err)
{
	struct stat facts;
	char *bytes = NULL;
	int rc = 0;

	*ret_bytes = NULL;
	*ret_count = 0;
	int descriptor = openat(state->folder, state->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (descriptor < 0)
		return errno == ENOENT ? 0 : fail(state, err);
	if (fstat(descriptor, &facts) < 0)
		rc = fail(state, err);
	else if (facts.st_size > (off_t)STATE_BYTES_MAX)
		rc = enrg_error_set(err, -EFBIG, "%s: larger than any state is; move it away", state->path);
	else if (!(bytes = calloc(1, (size_t)facts.st_size + 1)))
		rc = enrg_error_set(err, -ENOMEM, "out of memory");
	else if (read_all(descriptor, bytes, (size_t)facts.st_size) < 0)
		rc = fail(state, err);
	close(descriptor);
	if (rc) {
		free(bytes);
		return rc;
	}
	*ret_bytes = bytes;
	*ret_count = (size_t)facts.st_size;
	return 0;
}

static int write_all(int descriptor, const char *bytes, size_t byte_count)
{
	while (byte_count) {
		ssize_t put = write(descriptor, bytes, byte_count);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		bytes += put;
		byte_count -= (size_t)put;
	}
	return 0;
}

int state_replace(const struct state *state, const void *bytes, size_t byte_count, struct enrg_error *err)
{
	char name[sizeof(state->name) + sizeof(TEMPORARY)];
	int rc = 0;

	snprintf(name, sizeof(name), "%s" TEMPORARY, state->name);
	int descriptor = openat(state->folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (descriptor < 0)
		return fail(state, err);
	if (write_all(descriptor, bytes, byte_count) < 0 || fdatasync(descriptor) < 0)
		rc = fail(state, err);
	close(descriptor);
	if (!rc && (renameat(state->folder, name, state->folder, state->name) < 0 || fsync(state->folder) < 0))
		rc = fail(state, err);
	if (rc)
		unlinkat(state->folder, name, 0);
	return rc;
}
