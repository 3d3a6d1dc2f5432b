/* record_file.c: see the header. */
#include "web/access/record_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/path.h"

/* --- lock: of the folder itself, so that no further file lies about --- */

int record_file_lock(const char *folder, int *ret_lock, struct enrg_error *err)
{
	const struct timespec pause = {.tv_nsec = 20000000};
	int lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (lock < 0)
		return enrg_error_set(err, -errno, "%s: %s", folder, enrg_error_name(-errno));
	for (unsigned i = 0; flock(lock, LOCK_EX | LOCK_NB) < 0; i++) {
		int rc = -errno;
		if (rc != -EWOULDBLOCK && rc != -EINTR) {
			close(lock);
			return enrg_error_set(err, rc, "%s can't be locked: %s", folder, enrg_error_name(rc));
		}
		if (i == 500) {
			close(lock);
			return enrg_error_set(err, -EBUSY,
				"%s has been locked by another program for 10 s; nothing was changed: try again, or "
				"look for an `enrgdaq token` or `enrgdaq user` that hangs",
				folder);
		}
		nanosleep(&pause, NULL); /* flock has no deadline */
	}
	*ret_lock = lock;
	return 0;
}

void record_file_unlock(int lock)
{
	close(lock);
}

/* --- reading --- */

static void make_stamp(const struct stat *now, struct record_stamp *ret_stamp)
{
	*ret_stamp = (struct record_stamp){.device = now->st_dev,
		.inode = now->st_ino,
		.size = (uint64_t)now->st_size,
		.written = now->st_mtim,
		.changed = now->st_ctim,
		.is_there = true};
}

static int check_file(const char *path, const struct stat *now, struct enrg_error *err)
{
	if (!S_ISREG(now->st_mode))
		return enrg_error_set(err, -EINVAL, "%s is not a file", path);
	if (now->st_uid != geteuid())
		return enrg_error_set(err, -EPERM,
			"%s belongs to another user (uid %u); it has to be of the user that runs this (uid %u)", path,
			(unsigned)now->st_uid, (unsigned)geteuid());
	if (now->st_mode & 07177)
		return enrg_error_set(err, -EPERM, "%s has mode %04o, so that others may get at it: chmod 600 %s", path,
			(unsigned)(now->st_mode & 07777), path);
	if (now->st_size > RECORD_FILE_BYTES_MAX)
		return enrg_error_set(
			err, -EFBIG, "%s is longer than %d bytes: it is none of ours", path, RECORD_FILE_BYTES_MAX);
	return 0;
}

static int read_whole(int descriptor, const char *path, size_t size, char **ret_text, struct enrg_error *err)
{
	char *text = malloc(size + 1);
	size_t used = 0;
	ssize_t got = 0;

	if (!text)
		return enrg_error_set(err, -ENOMEM, "%s: out of memory", path);
	while (used < size && (got = read(descriptor, text + used, size - used)) != 0) {
		if (got < 0 && errno != EINTR) {
			free(text);
			return enrg_error_set(err, -errno, "%s: %s", path, enrg_error_name(-errno));
		}
		used += got > 0 ? (size_t)got : 0;
	}
	text[used] = '\0';
	*ret_text = text;
	return 0;
}

int record_file_read(const char *path, char **ret_text, struct record_stamp *ret_stamp, struct enrg_error *err)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat now;

	*ret_stamp = (struct record_stamp){0};
	if (descriptor < 0 && errno == ENOENT) {
		*ret_text = strdup("");
		return *ret_text ? 0 : enrg_error_set(err, -ENOMEM, "%s: out of memory", path);
	}
	if (descriptor < 0)
		return enrg_error_set(err, -errno, "%s: %s", path, enrg_error_name(-errno));
	int rc = fstat(descriptor, &now) < 0 ? enrg_error_set(err, -errno, "%s: %s", path, enrg_error_name(-errno)) : 0;
	if (rc == 0) {
		make_stamp(&now, ret_stamp); /* also of a refused one: it is refused once */
		rc = check_file(path, &now, err);
	}
	if (rc == 0)
		rc = read_whole(descriptor, path, (size_t)now.st_size, ret_text, err);
	close(descriptor);
	return rc;
}

static bool is_same_time(const struct timespec *one, const struct timespec *other)
{
	return one->tv_sec == other->tv_sec && one->tv_nsec == other->tv_nsec;
}

bool record_file_has_changed(const char *path, const struct record_stamp *stamp)
{
	struct record_stamp current = {0};
	struct stat now;

	if (!lstat(path, &now))
		make_stamp(&now, &current);
	return current.is_there != stamp->is_there || current.device != stamp->device ||
	       current.inode != stamp->inode || current.size != stamp->size ||
	       !is_same_time(&current.written, &stamp->written) || !is_same_time(&current.changed, &stamp->changed);
}

/* --- writing --- */

static int write_whole(int descriptor, const char *text, size_t count)
{
	while (count) {
		ssize_t done = write(descriptor, text, count);
		if (done < 0 && errno != EINTR)
			return -errno;
		text += done > 0 ? done : 0;
		count -= done > 0 ? (size_t)done : 0;
	}
	return fsync(descriptor) < 0 ? -errno : 0;
}

static int sync_folder(const char *path)
{
	char folder[4096];

	snprintf(folder, sizeof(folder), "%s", path);
	char *slash = strrchr(folder, '/');
	if (!slash)
		return 0;
	*slash = '\0';
	int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (descriptor < 0)
		return -errno;
	int rc = fsync(descriptor) < 0 ? -errno : 0;
	close(descriptor);
	return rc;
}

int record_file_write(const char *path, const char *text, size_t count, struct enrg_error *err)
{
	char draft[4200];

	snprintf(draft, sizeof(draft), "%s.new", path); /* the lock is held: nobody else writes it */
	unlink(draft);
	int descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (descriptor < 0)
		return enrg_error_set(err, -errno, "%s can't be made: %s", draft, enrg_error_name(-errno));
	int rc = fchmod(descriptor, 0600) < 0 ? -errno : write_whole(descriptor, text, count);
	close(descriptor);
	if (rc == 0 && rename(draft, path) < 0)
		rc = -errno;
	if (rc < 0) {
		unlink(draft);
		return enrg_error_set(
			err, rc, "%s could not be written, and is as it was: %s", path, enrg_error_name(rc));
	}
	sync_folder(path); /* where that fails the file is there, only not yet for sure after a power cut */
	return 0;
}

/* --- lines, names, times --- */

int record_line_next(char **text, const char *ret_words[RECORD_WORDS_MAX])
{
	char *line = *text, *place = NULL;
	int count = 0;

	if (!*line)
		return -ENOENT;
	size_t length = strcspn(line, "\n");
	*text = line + length + (line[length] == '\n');
	line[length] = '\0';
	if (*line == '#')
		return 0;
	for (char *word = strtok_r(line, " \t\r", &place); word; word = strtok_r(NULL, " \t\r", &place)) {
		if (count == RECORD_WORDS_MAX)
			return RECORD_WORDS_MAX + 1;
		ret_words[count++] = word;
	}
	return count;
}

bool record_name_is_good(const char *name)
{
	static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@-";
	size_t length = strlen(name);

	return length > 0 && length < RECORD_NAME_BYTES && *name != '-' && strspn(name, good) == length;
}

void record_time_format(int64_t seconds, char ret_text[32])
{
	time_t time = (time_t)seconds;
	struct tm parts;

	if (seconds == 0 || !gmtime_r(&time, &parts) || !strftime(ret_text, 32, "%Y-%m-%dT%H:%M:%SZ", &parts))
		snprintf(ret_text, 32, "never");
}

int record_time_parse(const char *text, int64_t *ret_seconds)
{
	struct tm parts = {0};
	char again[32];

	if (!strcmp(text, "never")) {
		*ret_seconds = 0;
		return 0;
	}
	if (strlen(text) != 20)
		return -EINVAL;
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &parts);
	if (!end || *end)
		return -EINVAL;
	int64_t seconds = timegm(&parts);
	record_time_format(seconds, again); /* no 31st of February */
	if (seconds <= 0 || strcmp(again, text) != 0)
		return -EINVAL;
	*ret_seconds = seconds;
	return 0;
}
